# The two that matter:  make train  (a blueprint in a minute)  and  make test.
# Each makes its own virtual environment in .venv and compiles, once; then it is quick.
#   make train ARGS="--time-budget 600"     any options of `holdem train`
#   make test-all    the exhaustive tests too      make bench     measure speed
#   make lint        ruff, cython-lint, mypy, ..   make checked   tests with bounds checks on
#   make sanitized   tests with pointers watched, in a quarter of an hour
#   make PYTHON=python3.13 ...                     another Python, 3.11 or newer

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --retries 10 --timeout 60
# Downloads are tried again; a build that fails would only fail again.
AGAIN = for pause in 5 20 60; do $(1) && exit 0; sleep $$pause; done; $(1)

LIST = $(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
    print(*$(1), sep="\n")'

# Cython's output lies beside its sources, and beside the few sources in C.
GENERATED := $(patsubst %.pyx,%.c,$(wildcard holdem/_core/*.pyx))
IN_C := $(filter-out $(GENERATED),$(wildcard holdem/_core/*.c))
SOURCES := setup.py pyproject.toml $(IN_C) $(wildcard $(addprefix holdem/_core/*.,pyx pxd pxi h))
PYTEST := $(BIN)/python -m pytest -q -p no:benchmark -n 2
# What is compiled, or stands right on it.
CHECKED_TESTS := tests/test_rng.py tests/test_preflop.py tests/test_evaluator.py tests/test_indexer.py tests/test_tree.py \
    tests/test_deal.py tests/test_equity.py tests/test_features.py tests/test_clustering.py \
    tests/test_traverse.py tests/test_solver.py tests/test_sync.py tests/test_segments.py \
    tests/test_showdown.py tests/test_gadget.py tests/test_solve_cli.py
# Training until it reaches a known value goes nowhere where short runs do not.
NOT_CHECKED := test_solver and (reaches or three_player)
# What is compiled, and what plays, searches and judges with it.
SANITIZED_TESTS := $(CHECKED_TESTS) $(addprefix tests/test_,$(addsuffix .py,agent aivat arena best_response \
    blueprint continuations export horizon lbr leaves levels match merge metrics parallel_solver resolver \
    responder responder_walk rules_tree session subgame_solver vector_cfr))

# The tree without what is compiled: that lies beside its sources, and must not get among the fast.
COPIED = mkdir -p $(1) && tar -cf - --exclude='*.so' $(addprefix --exclude=,$(GENERATED)) \
    --exclude=__pycache__ setup.py pyproject.toml README.md LICENSE holdem tests configs assets/table_profiles \
    | tar -xf - -C $(1)
OF_GCC = $$($${CC:-gcc} -print-file-name=$(1))

.PHONY: train test test-all bench lint checked sanitized clean

train: $(VENV)/built
	$(BIN)/holdem train $(ARGS)

test: $(VENV)/test-extra
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(VENV)/test-extra
	$(PYTEST) $(ARGS)

bench: $(VENV)/test-extra
	$(BIN)/python -m pytest bench/*.py -q --benchmark-columns=min,median,rounds $(ARGS)

# cython-lint calls pycodestyle, which lies beside it.
lint: export PATH := $(abspath $(BIN)):$(PATH)
lint: $(VENV)/test-extra
	$(BIN)/ruff check .
	$(BIN)/cython-lint holdem/_core
	$(BIN)/mypy
	$(BIN)/codespell

# The compiled core again, with every bounds check on.
checked: $(VENV)/test-extra
	$(call COPIED,build/checked)
	cd build/checked && HOLDEM_CHECKED=1 ../../$(BIN)/python setup.py -q build_ext --inplace
	cd build/checked && PYTHONPATH=. ../../$(PYTEST) -m "not slow" -k "not ($(NOT_CHECKED))" $(CHECKED_TESTS)

# And with every access by pointer watched, by GCC's sanitizers. A limited address space has no
# room for them.
sanitized: export ASAN_OPTIONS := detect_leaks=0
sanitized: export UBSAN_OPTIONS := halt_on_error=1:print_stacktrace=1
sanitized: $(VENV)/test-extra
	$(call COPIED,build/sanitized)
	cd build/sanitized && HOLDEM_SANITIZED=1 ../../$(BIN)/python setup.py -q build_ext --inplace
	cd build/sanitized && PYTHONPATH=. LD_PRELOAD="$(call OF_GCC,libasan.so) $(call OF_GCC,libubsan.so)" \
	    ../../$(PYTEST) -m "not slow" -k "not address_space" $(SANITIZED_TESTS)

clean:
	rm -rf $(VENV) build holdem.egg-info holdem/_core/*.so $(GENERATED)

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "holdem needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)" >&2; \
	    echo "  try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@command -v $${CC:-gcc} >/dev/null || { \
	    echo "holdem is compiled, and $${CC:-gcc} is not here" >&2; \
	    echo "  try: apt install gcc, or the like of your system" >&2; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; \
	    sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || { \
	    echo "holdem is compiled, and the headers of $(PYTHON) (Python.h) are not here" >&2; \
	    echo "  try: apt install python3-dev, or the like of your system" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "$(PYTHON) cannot make a virtual environment" >&2; \
	    echo "  try: apt install python3-venv, or the like of your system" >&2; exit 1; }
	@touch $@

$(VENV)/built: $(VENV)/made $(SOURCES)
	@echo "installing and compiling into $(VENV), a few minutes"
	@$(call LIST,p["dependencies"]) > $(VENV)/run.txt
	@$(call AGAIN,$(PIP) --requirement $(VENV)/run.txt)
	@$(PIP) --editable .
	@touch $@

$(VENV)/test-extra: $(VENV)/built pyproject.toml
	@echo "installing what the tests need"
	@$(call LIST,p["optional-dependencies"]["test"]) > $(VENV)/test.txt
	@$(call AGAIN,$(PIP) --requirement $(VENV)/test.txt)
	@touch $@

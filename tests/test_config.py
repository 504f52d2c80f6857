"""Configs: options beat YAML beats defaults, and every mistake is told at once."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdem import types
from holdem.config import GAMES, dump_config, load_config, nearest, parse_scalar
from holdem.errors import ConfigError, HoldemError
from holdem.game import games
from holdem.game.menu import parse_menu
from holdem.types import (
    BetMenu,
    BucketConfig,
    CardRules,
    DealerConfig,
    GameConfig,
    MCCFRConfig,
    SearchConfig,
    TableProfile,
)

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.fixture
def load(tmp_path):
    """Load a text as a config file."""

    def load_text(text, options=None, **more):
        path = tmp_path / "run.yaml"
        path.write_text(text)
        return load_config(path, options, **more)

    return load_text


@pytest.fixture
def mistakes(load):
    """The error that a text causes."""

    def of(text, options=None, **more):
        with pytest.raises(ConfigError) as caught:
            load(text, options, **more)
        return caught.value

    return of


# -- what beats what -----------------------------------------------------------------------------


def test_nothing_at_all_is_the_defaults():
    config = load_config()
    assert (config.training, config.game, config.buckets) == (
        MCCFRConfig(),
        GameConfig(),
        BucketConfig(),
    )
    assert config.buckets_path is None
    assert not config.explicit_buckets


def test_the_opponent_is_read(load):
    assert load("opponent: responder\n").training.opponent == "responder"
    assert load("opponent: responder\nparent_boards: 29\n").training.parent_boards == 29


def test_every_flat_key_is_read(load):
    """Each key of the training section reaches its field."""
    values = {
        "num_iterations": 7,
        "time_budget_seconds": 2.5,
        "checkpoint_interval": 11,
        "snapshot_interval_seconds": 1.5,
        "keep_checkpoints": 0,
        "discount_interval": 13,
        "regret_discount_alpha": 1.5,
        "strategy_discount_beta": 2.0,
        "exploration_epsilon": 0.25,
        "epsilon_schedule": ((0, 0.5), (100, 0.1)),
        "enable_pruning": False,
        "pruning_threshold": -5.0,
        "pruning_probability": 0.5,
        "regret_floor": -6.0,
        "num_players": 3,
        "num_workers": 5,
        "batch_size": 17,
        "seed": 2**63 - 1,
        "sampling": "outcome",
        "opponent": "itself",  # the other one allows no sampling
        "parent_boards": 0,  # and this one no parents
        "tensorboard_log_interval": 19,
        "eval_interval": 23,
    }
    assert set(values) == {field.name for field in dataclasses.fields(MCCFRConfig)}
    text = "\n".join(
        f"{key}: {str(value).replace('(', '[').replace(')', ']').replace('False', 'false')}"
        for key, value in values.items()
    )
    assert load(text).training == MCCFRConfig(**values)


def test_sections_are_read(load):
    config = load("""
game:
  name: mine
  stacks: [200, 300]
  blinds: [1, 2]
  ante: 1
  menu: {preflop: ["2x, a", "a"], flop: "50%"}
buckets: {k_flop: 50, hands: 1e4}
""")
    assert config.game == GameConfig(
        name="mine",
        stacks=(200, 300),
        blinds=(1, 2),
        ante=1,
        menu=BetMenu(streets=(("2x, a", "a"), ("50%",))),
    )
    assert config.buckets == BucketConfig(k_flop=50, hands=10_000)
    assert config.explicit_buckets
    assert load("buckets: {path: some/where}").buckets_path == Path("some/where")


def test_a_set_and_numbers_of_another_are_a_mistake(load):
    with pytest.raises(ConfigError, match="k_river is of a bucket set to be made"):
        load("buckets: {path: some/where, k_river: 1000}")
    found = load("buckets: {k_river: 1000}", {"buckets.path": "some/where"})
    assert found.buckets_path == Path("some/where")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("epsilon_schedule: [[0, 0.5]]", {}),
        ("exploration_epsilon: 0.5", {}),
        ("", {"exploration_epsilon": "0.6"}),
        ("sampling: external", {"exploration_epsilon": "0.5"}),
    ],
)
def test_exploration_is_of_outcome_sampling(load, text, options):
    with pytest.raises(ConfigError, match="is of outcome sampling, and sampling is external"):
        load(text, options)
    load(f"{text}\n", {**options, "sampling": "outcome"})


def test_an_option_may_sample_otherwise_than_the_file(load):
    text = "sampling: outcome\nexploration_epsilon: 0.5\nepsilon_schedule: [[0, 0.5]]"

    assert load(text, {"sampling": "external"}).training.sampling == "external"


def test_the_responders_buckets_are_read(load):
    config = load("opponent: responder\nbuckets: {path: some/where, responder_path: else/where}")
    assert config.responder_path == Path("else/where")
    assert not config.explicit_buckets


def test_the_responders_buckets_need_the_tables(load):
    with pytest.raises(ConfigError, match="makes the buckets of buckets") as caught:
        load("opponent: responder\nbuckets: {responder_path: else/where}")
    assert "--buckets" in caught.value.remedy


def test_the_responders_buckets_need_a_responder(load):
    with pytest.raises(ConfigError, match="the table trains against itself") as caught:
        load("buckets: {path: some/where, responder_path: else/where}")
    assert "--opponent responder" in caught.value.remedy


def test_options_beat_the_file_beats_the_defaults(load):
    config = load("seed: 1\nbatch_size: 50", {"seed": "2", "sampling": None}).training
    assert (config.seed, config.batch_size, config.sampling) == (2, 50, "external")


@pytest.mark.parametrize(
    ("options", "iterations", "seconds"),
    [
        ({}, 10, 20.0),
        ({"num_iterations": "5"}, 5, None),
        ({"time_budget_seconds": "3"}, None, 3.0),
        ({"num_iterations": "5", "time_budget_seconds": "3"}, 5, 3.0),
    ],
)
def test_a_budget_on_the_command_line_clears_the_other_of_the_file(
    load, options, iterations, seconds
):
    config = load("num_iterations: 10\ntime_budget_seconds: 20", options).training
    assert (config.num_iterations, config.time_budget_seconds) == (iterations, seconds)


def test_players_are_one_number_for_all_sections(load):
    for config in (
        load("num_players: 3"),
        load("game: {num_players: 3}"),
        load("game: 3-max"),
        load("num_players: 2", {"num_players": "3"}),
        load("game: {num_players: 2}", {"num_players": "3"}),
    ):
        assert config.training.num_players == 3
        assert config.game.num_players == 3
        assert config.buckets.num_players == 3


def test_players_that_disagree_are_a_mistake(mistakes):
    error = mistakes("num_players: 3\ngame: {num_players: 2}")
    assert "game.num_players is 2, num_players is 3: they must agree" in str(error)


@pytest.mark.parametrize("name", sorted(path.stem for path in GAMES.glob("*.yaml")))
def test_games_have_names(load, name):
    """Each file of configs/games is found by name and by path, and its menu can be read."""
    by_name = load(f"game: {name}", check_menu=parse_menu)
    assert by_name.game.name == name
    assert load(f"game: {GAMES / name}.yaml").game == by_name.game


def test_named_games_are_those_of_the_library(load):
    assert load("game: kuhn").game == games.kuhn()
    assert load("game: leduc").game == games.leduc()
    assert load("game: hu").game == GameConfig()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configs_that_ship_can_be_used(path):
    config = load_config(path, check_menu=parse_menu)
    assert config.training.num_iterations or config.training.time_budget_seconds


# -- YAML's traps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1_000_000),
        ("1E6", 1_000_000),
        ("1.5e6", 1_500_000),
        ("1_000_000", 1_000_000),
        ("1000000.0", 1_000_000),
        ("+5", 5),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_are_numbers(load, text, value):
    assert load(f"num_iterations: {text}\ntime_budget_seconds: 1").training.num_iterations == value


@pytest.mark.parametrize(
    "text",
    [
        "'1e6'",
        "010",
        "0x10",
        "0o7",
        "1:30",
        "1.5",
        "yes",
        "on",
        "true",
        "[3]",
        "1e400",
        ".inf",
        ".nan",
        "2026-11-21",
        "1e",
    ],
)
def test_what_is_no_number_is_refused(mistakes, text):
    """Octal, sexagesimal, quoted, fractional and infinite numbers, dates and truth values."""
    error = mistakes(f"num_iterations: {text}")
    assert "line 1: num_iterations is" in str(error)
    assert "must be a whole number" in str(error)


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "tRuE", "1", "'true'"])
def test_only_true_and_false_are_truth_values(mistakes, text):
    assert "must be true or false" in str(mistakes(f"enable_pruning: {text}"))


@pytest.mark.parametrize("text", ["on", "yes", "2026-11-21", "1:30", "0x10", "'1e6'"])
def test_texts_stay_texts(load, text):
    assert load(f"game: {{name: {text}}}").game.name == text.strip("'")


def test_a_key_given_twice_is_a_mistake(mistakes):
    error = mistakes("seed: 1\nbatch_size: 5\nseed: 2")
    assert "line 3: seed is given twice, first on line 1" in str(error)
    assert "game.ante" not in str(error)
    assert "ante is given twice" in str(mistakes("game: {ante: 1, ante: 2}"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed: 1\n\tbatch_size: 5", "line 2, column 1"),
        ("seed: 1\nbatch_size: [1, 2", "line 2"),
        ("game:\n  menu: {preflop: [*]}", "line 2"),
        ("seed: 'x", "line 1"),
        ("a: 1\n---\nb: 2", "line 2"),
        ("a: b: c", "line 1, column 5"),
    ],
)
def test_broken_yaml_has_line_and_column(mistakes, text, place):
    error = mistakes(text)
    assert place in str(error)
    assert error.remedy
    assert "\n" not in str(error)


def test_tabs_have_a_remedy_of_their_own(mistakes):
    assert "spaces" in mistakes("game:\n\tante: 1").remedy


@pytest.mark.parametrize(
    "text",
    [
        "seed: !!python/object/apply:os.system ['touch exploded']",
        "seed: !foo 3",
        "game: {name: !!binary aGk=}",
    ],
)
def test_tags_are_refused(mistakes, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mistakes(text)
    assert not Path("exploded").exists()


@pytest.mark.parametrize(
    "text",
    [
        "epsilon_schedule: &a [*a]",
        "- 1\n- 2",
        "just a text",
        "? [1, 2]\n: 3",
        "1: 2",
        "seed: {a: 1}",
        "game: [1]",
        "buckets: [1]",
        "game: {menu: 3}",
        "game: {menu: []}",
        "game: {menu: {preflop: [3]}}",
        "game: {menu: {}}",
        "game: {cards: holdem}",
    ],
)
def test_odd_shapes_are_refused_in_words(mistakes, text):
    assert mistakes(text).remedy


@pytest.mark.parametrize(
    "content", [b"\x80\x04\x95\x0b\x00", b"\xff\xfe\x00", b"\x00" * 10, b"#" * 1_000_001]
)
def test_what_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"not YAML|larger"):
        load_config(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("seed: 1\n\t-[]{}*&!?|>'\"#,%@game buckets menu e~"), max_size=60))
def test_no_text_makes_a_traceback(tmp_path, text):
    """Whatever is in the file, it is read or refused in words."""
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with contextlib.suppress(HoldemError):
        load_config(path)


def test_an_empty_file_is_the_defaults(load):
    for text in ("", "# nothing\n", "game:\nbuckets:\n"):
        assert load(text) == load_config()


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "hu100.yaml").write_text("")
    with pytest.raises(ConfigError, match="does not exist") as caught:
        load_config(tmp_path / "hu10.yaml")
    assert caught.value.remedy == f"did you mean {tmp_path / 'hu100.yaml'}?"
    with pytest.raises(ConfigError, match="directory"):
        load_config(tmp_path)


# -- mistakes ------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once(mistakes):
    error = mistakes(
        """\
num_iteration: 5
seed: -4
sampling: extrnal
stacks: [3]
game:
  stacks: [100, 200, 300]
  ant: 3
  menu: {preflop: ["2.5y"], rivver: [a]}
buckets: {k_flop: 0}
num_workers: -4
""",
        {"batch_size": "none"},
        option_names={"batch_size": "--batch-size"},
        check_menu=parse_menu,
    )
    text = str(error)
    assert "10 mistakes in" in text
    starts = [
        "--batch-size is 'none'",
        "line 1: unknown key num_iteration (did you mean num_iterations?)",
        "line 2: seed is -4",
        "line 3: sampling is 'extrnal'",
        "line 4: unknown key stacks (it belongs to the section game:)",
        "line 6: game.stacks has 3",
        "line 7: unknown key game.ant (did you mean ante?)",
        "line 8: game.menu has rivver",
        "line 9: buckets.k_flop is 0",
        "line 10: num_workers is -4",
    ]
    for start, line in zip(starts, text.splitlines()[1:], strict=True):
        assert line.strip().startswith(start)


@pytest.mark.parametrize(
    ("given_name", "meant"),
    [
        ("num_iteration", "num_iterations"),
        ("iterations", "num_iterations"),
        ("time_budget", "time_budget_seconds"),
        ("epsilon", None),
        ("batchsize", "batch_size"),
        ("prune_threshold", "pruning_threshold"),
        ("alpha", "regret_discount_alpha"),
        ("floor", "regret_floor"),
        ("xyzzy", None),
    ],
)
def test_an_unknown_key_names_the_nearest(mistakes, given_name, meant):
    error = mistakes(f"{given_name}: 5")
    assert f"unknown key {given_name}" in str(error)
    if meant is None:
        assert "did you mean" not in error.remedy
    else:
        assert error.remedy == f"did you mean {meant}?"


def test_a_single_mistake_is_one_line(mistakes):
    error = mistakes("seed: -1")
    assert "\n" not in str(error)
    assert str(error).endswith(
        "run.yaml, line 1: seed is -1, and must be a whole number from 0 to "
        "9,223,372,036,854,775,807"
    )


def test_a_mistake_in_an_option_names_the_option():
    with pytest.raises(ConfigError, match=r"^--iters is 'many', and must be a whole number"):
        load_config(None, {"num_iterations": "many"}, option_names={"num_iterations": "--iters"})


@pytest.mark.parametrize(("key", "what"), [("[1]", "a list"), ("{a: 1}", "a mapping")])
def test_a_key_is_a_text(mistakes, key, what):
    error = mistakes(f"? {key}\n: 2")
    assert str(error).endswith(f"run.yaml, line 1: a key is {what}, and must be a text")
    assert error.remedy == "write it as KEY: VALUE"


@pytest.mark.parametrize("text", ["[", "{a: ", "- "])
def test_a_config_too_deep(mistakes, text):
    assert str(mistakes(text * 100_000)).endswith("run.yaml is not YAML")


def test_a_mistake_in_the_file_of_a_game_names_that_file(load, mistakes, tmp_path):
    (tmp_path / "mine.yaml").write_text("ante: 1\nstack: [5]\n")
    error = mistakes("seed: 3\ngame: mine.yaml")
    assert "mine.yaml, line 2: unknown key game.stack" in str(error)
    assert error.remedy == "did you mean stacks?"
    assert "line 2" in str(mistakes("seed: 3\ngame: kun"))


def test_the_bet_menu_is_checked_with_the_rest(mistakes):
    error = mistakes("seed: -1\ngame: {menu: {preflop: ['2.5y']}}", check_menu=parse_menu)
    assert "2 mistakes" in str(error)
    assert "not a bet size: '2.5y'" in str(error)


def test_a_street_left_out_is_a_mistake(mistakes):
    assert "lacks flop" in str(mistakes("game: {menu: {preflop: [a], turn: [a]}}"))


# -- the dataclasses, made in Python -------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: GameConfig(num_players=10), "game.num_players is 10, and must be .* 2 to 9"),
        (lambda: GameConfig(num_players=0), "game.num_players is 0"),
        (lambda: GameConfig(num_players=1), "game.num_players is 1"),
        (lambda: GameConfig(num_players=3, stacks=(1, 2)), "game.stacks has 2 numbers"),
        (lambda: GameConfig(stacks=()), "game.stacks has 0 numbers"),
        (lambda: GameConfig(stacks=(0,)), r"game.stacks is \[0\]"),
        (lambda: GameConfig(stacks=(2**31 - 1,)), "all together"),
        (lambda: GameConfig(stacks=(10.5,)), r"game.stacks is \[10.5\]"),
        (lambda: GameConfig(blinds=(1, 2, 4)), "game.blinds has 3 numbers for 2 players"),
        (lambda: GameConfig(blinds=(-1, 2)), r"game.blinds is \[-1, 2\]"),
        (lambda: GameConfig(ante=-1), "game.ante is -1"),
        (lambda: GameConfig(first_to_act=(0,)), "game.first_to_act"),
        (lambda: GameConfig(first_to_act=(0, 0, 0, 2)), "game.first_to_act"),
        (lambda: CardRules(kind="draw"), "game.cards.kind is 'draw'.*holdem or one-card"),
        (lambda: CardRules(ranks=3), "belong to one-card games"),
        (lambda: CardRules(kind="one-card", ranks=1), "game.cards.ranks is 1"),
        (
            lambda: GameConfig(cards=CardRules(kind="one-card", ranks=2, suits=1), num_players=3),
            "2 cards, too few for 3 players",
        ),
        (lambda: BetMenu(streets=()), "game.menu is"),
        (lambda: BetMenu(streets=(("a",),) * 5), "game.menu is"),
        (lambda: BetMenu(streets="abc"), "game.menu is"),
        (lambda: BucketConfig(k_preflop=170), "buckets.k_preflop is 170"),
        (lambda: BucketConfig(k_river=0), "buckets.k_river is 0"),
        (lambda: BucketConfig(hands=100), "buckets.hands is 100, .* at least .* 200"),
        (lambda: MCCFRConfig(batch_size=0), "batch_size is 0"),
        (lambda: MCCFRConfig(num_iterations=0), "num_iterations is 0"),
        (lambda: MCCFRConfig(num_iterations=True), "num_iterations is true"),
        (lambda: MCCFRConfig(time_budget_seconds=0), "time_budget_seconds is 0"),
        (lambda: MCCFRConfig(time_budget_seconds=float("nan")), "time_budget_seconds is nan"),
        (lambda: MCCFRConfig(exploration_epsilon=0), "exploration_epsilon is 0"),
        (lambda: MCCFRConfig(exploration_epsilon=1.01), "exploration_epsilon is 1.01"),
        (lambda: MCCFRConfig(pruning_probability=-0.1), "pruning_probability is -0.1"),
        (lambda: MCCFRConfig(pruning_threshold=1), "pruning_threshold is 1"),
        (lambda: MCCFRConfig(regret_floor=-1), "regret_floor is -1, and must be below"),
        (lambda: MCCFRConfig(sampling="both"), "sampling is 'both', .* external or outcome"),
        (lambda: MCCFRConfig(seed=2**63), "seed is"),
        (lambda: MCCFRConfig(num_workers=-1), "num_workers is -1"),
        (lambda: MCCFRConfig(epsilon_schedule=[(5, 0.5), (5, 0.4)]), "epsilon_schedule is"),
        (lambda: MCCFRConfig(epsilon_schedule=[]), "epsilon_schedule is"),
        (lambda: MCCFRConfig(epsilon_schedule=[(0, 2)]), "epsilon_schedule is"),
        (lambda: MCCFRConfig(epsilon_schedule=3), "epsilon_schedule is"),
    ],
)
def test_values_out_of_range_are_refused(make, found):
    with pytest.raises(ConfigError, match=found) as caught:
        make()
    assert caught.value.remedy


def test_several_values_are_refused_at_once():
    with pytest.raises(ConfigError) as caught:
        MCCFRConfig(seed=-1, batch_size=0, sampling="no")
    assert all(name in str(caught.value) for name in ("seed", "batch_size", "sampling"))


def test_values_take_the_type_of_their_field():
    config = MCCFRConfig(
        num_iterations=1e6,
        batch_size=np.int32(5),
        time_budget_seconds=3,
        epsilon_schedule=[[0, 1]],
    )
    assert (config.num_iterations, type(config.num_iterations)) == (1_000_000, int)
    assert (config.batch_size, type(config.batch_size)) == (5, int)
    assert type(config.time_budget_seconds) is float
    assert config.epsilon_schedule == ((0, 1.0),)
    assert GameConfig(stacks=[100, 200]).stacks == (100, 200)
    assert GameConfig(stacks=500).stacks == (500,)
    assert MCCFRConfig(seed=2**63 - 1).seed == 2**63 - 1


def test_every_field_has_a_rule():
    """A new field cannot be forgotten: it is checked, or named here."""
    for kind, rules, others in (
        (MCCFRConfig, types.TRAINING_RULES, {"epsilon_schedule"}),
        (GameConfig, types.GAME_RULES, {"cards", "menu"}),
        (CardRules, types.CARD_RULES, set()),
        (BucketConfig, types.BUCKET_RULES, set()),
        (DealerConfig, types.DEALER_RULES, set()),
        (TableProfile, types.PROFILE_RULES, set()),
        (SearchConfig, types.SEARCH_RULES, set()),
    ):
        assert {field.name for field in dataclasses.fields(kind)} == {*rules, *others}


# -- writing -------------------------------------------------------------------------------------

games_to_dump = st.builds(
    GameConfig,
    name=st.sampled_from(["hu", "1e6", "yes", "null", "2026-11-21", "a: b", "é ♠", "0x1", "12"]),
    stacks=st.lists(st.integers(100, 10**6), min_size=2, max_size=2),
    ante=st.integers(0, 10),
    menu=st.lists(
        st.lists(
            st.sampled_from(["a", "50%, a", "", "*", "2.5x, !call", "4c"]), min_size=1, max_size=3
        ),
        min_size=1,
        max_size=4,
    ).map(lambda streets: BetMenu(streets=streets)),
)
trainings_to_dump = st.builds(
    MCCFRConfig,
    num_iterations=st.none() | st.integers(1, 10**15),
    time_budget_seconds=st.none() | st.floats(1e-9, 1e9),
    seed=st.integers(0, 2**63 - 1),
    exploration_epsilon=st.floats(0, 1, exclude_min=True),
    regret_floor=st.floats(-1e30, -4e8),
    enable_pruning=st.booleans(),
    epsilon_schedule=st.none() | st.just(((0, 0.5), (10, 1e-5))),
    sampling=st.just("outcome"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    training=trainings_to_dump,
    game=games_to_dump,
    where=st.none() | st.just(Path("a/1e6")),
    has_finer=st.booleans(),
)
def test_a_dumped_config_is_read_back(tmp_path, training, game, where, has_finer):
    path = tmp_path / "config.yaml"
    finer = None
    if where is not None and has_finer:
        training = dataclasses.replace(
            training,
            opponent="responder",
            sampling="external",
            exploration_epsilon=0.6,
            epsilon_schedule=None,
        )
        finer = Path("b/010")
    buckets = BucketConfig(k_flop=7) if where is None else None
    path.write_text(dump_config(training, game, where, buckets, responder_path=finer))

    config = load_config(path)

    assert config.training == training
    assert config.game == game
    assert config.buckets == (buckets or BucketConfig())
    assert config.buckets_path == where
    assert config.responder_path == finer


def test_a_dump_leaves_out_what_sampling_does_not_use(tmp_path):
    """It can be read back, and so can the config of a run that was given it."""
    (tmp_path / "config.yaml").write_text(dump_config(MCCFRConfig(exploration_epsilon=0.5)))

    assert load_config(tmp_path / "config.yaml").training == MCCFRConfig()


def test_a_dump_without_buckets_has_no_section():
    assert "buckets" not in dump_config(MCCFRConfig(), games.kuhn())


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("-3", -3),
        ("true", True),
        ("~", None),
        ("abc", "abc"),
        ("1.5", 1.5),
        ("010", "010"),
        ("9" * 100, 10**100 - 1),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_options_are_read_as_yaml_reads(text, value):
    assert parse_scalar(text) == value
    assert type(parse_scalar(text)) is type(value)


def test_nearest_needs_to_be_near():
    assert nearest("trian", ["train", "buckets"]) == "train"
    assert nearest("zebra", ["train", "buckets"]) is None
    assert nearest("x", []) is None

"""What commands share: two lines for a mistake, exit statuses, words for numbers."""

import argparse
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from holdem import __version__
from holdem.cli import main as umbrella
from holdem.cli import terminal
from holdem.cli.chart import actions_of, print_chart
from holdem.cli.train_display import RunDisplay, done_share, progress_line
from holdem.errors import CardError, ConfigError, HoldemError, StorageError
from holdem.evaluation.openings import OpeningChart
from holdem.game.tree import build_tree
from holdem.mccfr.progress import Progress, RunInfo
from holdem.types import BetMenu, GameConfig, MCCFRConfig, Rule


def run(error):
    def command(argv):
        raise error

    return terminal.run_command("holdem test", command, [])


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("bad", "good"), 2),
        (CardError("bad", "good"), 2),
        (StorageError("bad", "good"), 1),
        (HoldemError("bad", "good"), 1),
        (terminal.Stopped(signal.SIGTERM, "good"), 143),
        (terminal.Stopped(signal.SIGINT, "good"), 130),
    ],
)
def test_an_error_is_two_lines_and_a_status(capsys, error, status):
    assert run(error) == status
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("holdem test: ")
    assert second == "  try: good"


def test_an_error_without_remedy_is_one_line(capsys):
    run(StorageError("bad"))
    assert capsys.readouterr().err == "holdem test: bad\n"


def test_long_messages_and_brackets_come_out_as_they_are(capsys):
    """No wrapping in a log, and no markup."""
    message = "[red]x[/red] " * 40
    run(ConfigError(message, message))
    assert capsys.readouterr().err == f"holdem test: {message}\n  try: {message}\n"


def test_ctrl_c_is_no_traceback(capsys):
    assert run(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "holdem test: stopped\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())


@pytest.mark.parametrize("line", ["print('x' * 100)", "console.print('x' * 100)"])
def test_a_reader_that_has_seen_enough_is_no_error(line):
    """``holdem --help | head -1``: the pipe breaks, and nobody complains."""
    code = (
        "import sys; from holdem.cli.terminal import make_console, run_command\n"
        "def command(argv):\n"
        "    console = make_console()\n"
        f"    for _ in range(100_000): {line}\n"
        "    return 0\n"
        "sys.exit(run_command('holdem test', command, []))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_what_the_system_refuses_is_two_lines(capsys):
    def command(argv):
        return Path("x" * 500).stat().st_size

    assert terminal.run_command("holdem test", command, []) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"holdem test: {'x' * 500}: File name too long"
    assert second.startswith("  try: check the path")


def test_an_error_that_nobody_can_read_keeps_its_status():
    """Python would make 120 of it, when it finds at exit that it cannot write."""
    code = (
        "import sys; from holdem.cli.terminal import run_command\n"
        "from holdem.errors import ConfigError\n"
        "def command(argv): raise ConfigError('bad', 'good')\n"
        "sys.exit(run_command('holdem test', command, []))"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], stderr=full, env=buffered)
    assert done.returncode == 2


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_a_program_without_standard_streams(tmp_path, closed):
    """As a daemon starts it; no file that it opens becomes its output."""
    code = (
        "import sys; from holdem.cli.terminal import make_console, run_command\n"
        "def command(argv):\n"
        f"    with open({str(tmp_path / 'file')!r}, 'w') as file:\n"
        "        make_console().print('x'); make_console(outlived=True).print('y')\n"
        "        print('z', file=sys.stderr)\n"
        "        print(sys.stdin.read(), file=file)\n"
        "    return 0\n"
        "sys.exit(run_command('holdem test', command, []))"
    )
    shut = " ".join(f"{number}>&-" for number in closed)
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {shut}', sys.executable, code], stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "\n"


PRINTS = (
    "import sys; from holdem.cli.terminal import make_console, run_command\n"
    "from holdem.errors import ConfigError\n"
    "def command(argv):\n"
    "    print('1', argv[0]); make_console().print('2', argv[0])\n"
    "    make_console(outlived=True).print('3', argv[0]); input()\n"
    "    raise ConfigError(argv[0])\n"
    "sys.exit(run_command('holdem test', command, sys.argv[1:]))"
)
PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("environment", "word", "printed"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "3 µs A♠".encode(), b"3 ?s A?"),
        ({"PYTHONIOENCODING": "latin-1"}, "3 µs A♠".encode(), b"3 \xb5s A?"),
        ({"PYTHONIOENCODING": "utf-8"}, "3 µs A♠".encode(), "3 µs A♠".encode()),
        ({"LC_ALL": "C.UTF-8"}, b"\xff \xc2\xb5", b"\xff \xc2\xb5"),  # of a path
        ({"PYTHONIOENCODING": "utf-8:strict"}, b"\xff \xc2\xb5", b"\xff \xc2\xb5"),
        (PLAIN_C, b"\xff \xc2\xb5", b"\xff \xc2\xb5"),
    ],
)
def test_what_an_encoding_lacks_is_no_error(environment, word, printed):
    done = subprocess.run(
        [sys.executable, "-c", PRINTS, word],
        input=b"\xff\n",
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", **os.environ, **environment},
    )
    assert done.stderr == b"holdem test: " + printed + b"\n"
    assert done.stdout == b"".join(b"%d %s\n" % (i, printed) for i in (1, 2, 3))
    assert done.returncode == 2


def test_what_the_system_refuses_need_not_be_a_file(capsys):
    assert run(OSError(5, "Input/output error")) == 1
    assert capsys.readouterr().err.startswith("holdem test: Input/output error\n  try: ")


def command_into(path, code):
    """Run *code*, which defines `command`, with the standard output at *path*."""
    code = (
        "import sys\nfrom holdem.cli.terminal import make_console, run_command\n"
        f"{code}\nsys.exit(run_command('holdem test', command, []))"
    )
    with open(path, "w") as file:
        return subprocess.run(
            [sys.executable, "-c", code], stdout=file, stderr=subprocess.PIPE, text=True
        )


@pytest.mark.parametrize("line", ["print('x')", "make_console().print('x')"])
def test_a_full_disk_under_the_output_is_an_error(line):
    done = command_into("/dev/full", f"def command(argv):\n    {line}\n    return 0")
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == "holdem test: No space left on device"
    assert second.startswith("  try: ")


def test_work_may_outlive_what_it_is_shown_on(tmp_path):
    """It says once that nobody sees it any more, and goes on to its end."""
    done = command_into(
        "/dev/full",
        "def command(argv):\n"
        "    console = make_console(outlived=True)\n"
        "    for _ in range(3): console.print('x' * 10_000)\n"
        f"    open({str(tmp_path / 'done')!r}, 'w').close()\n"
        "    return 0",
    )
    assert done.returncode == 0
    assert done.stderr == "what is shown is lost (No space left on device); the work goes on\n"
    assert (tmp_path / "done").exists()


# -- options -------------------------------------------------------------------------------------


@pytest.fixture
def parser():
    parser = terminal.Parser("holdem test", "Test.")
    parser.add_argument("--iters")
    parser.add_argument("--time-budget", type=int)
    parser.add_argument("--how", choices=["fast", "slow"])
    return parser


@pytest.mark.parametrize(
    ("argv", "found", "remedy"),
    [
        (["--iterz", "3"], "unknown option --iterz", "--iters"),
        (["--time_budget=3"], "unknown option --time_budget", "--time-budget"),
        (["--xyz"], "unknown option --xyz", "holdem test --help"),
        (["--ite", "3"], "unknown option --ite", "--iters"),
        (["--iters"], "expected one argument", "holdem test --help"),
        (["--iters=--"], "argument --iters: expected one argument", "holdem test --help"),
        (["--time-budget", "x"], "invalid int value: 'x'", "holdem test --help"),
        (["--how", "fats"], "invalid choice", "holdem test --help"),
        (["word"], "unrecognized arguments: word", "holdem test --help"),
    ],
)
def test_a_mistake_in_options_is_a_config_error(parser, argv, found, remedy):
    with pytest.raises(ConfigError, match=found) as caught:
        parser.parse_args(argv)
    assert caught.value.remedy == remedy


@pytest.mark.parametrize(
    ("argv", "iters", "words"),
    [
        (["a", "--iters", "3", "b"], "3", ["a", "b"]),
        (["--iters", "3", "a", "b"], "3", ["a", "b"]),
        (["--iters", "3", "--", "-a", "--b"], "3", ["-a", "--b"]),
    ],
)
def test_options_may_stand_between_words(parser, argv, iters, words):
    parser.add_argument("words", nargs="+")
    options = parser.parse_args(argv)

    assert (options.iters, options.words) == (iters, words)


@pytest.mark.parametrize(
    ("text", "rule", "value"),
    [
        ("1e3", Rule(least=1), 1000),
        ("1.5", Rule(kind=float), 1.5),
        ("12", Rule(kind=str), "12"),
        (["1", "2"], Rule(least=0, many=True), (1, 2)),
    ],
)
def test_what_an_option_means(text, rule, value):
    assert terminal.option_value("--option", text, rule) == value


@pytest.mark.parametrize(
    ("text", "rule", "found"),
    [
        ("0", Rule(least=1), "--option is 0, and must be a whole number of at least 1"),
        ("x", Rule(kind=float), "--option is 'x', and must be a number"),
        (["1", "x"], Rule(least=0, many=True), "--option is [1, 'x'], and must be a list"),
    ],
)
def test_what_an_option_may_not_mean(text, rule, found):
    with pytest.raises(ConfigError) as caught:
        terminal.option_value("--option", text, rule)
    assert str(caught.value).startswith(found)


def test_help_is_printed(parser, capsys):
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--help"])
    assert caught.value.code == 0
    assert "--time-budget" in capsys.readouterr().out
    assert isinstance(parser, argparse.ArgumentParser)


# -- the umbrella --------------------------------------------------------------------------------


def test_version(capsys):
    assert umbrella.main(["--version"]) == 0
    assert capsys.readouterr().out == f"holdem {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_usage_names_every_command(capsys, argv):
    assert umbrella.main(argv) == 0
    out = capsys.readouterr().out
    assert all(f"  {name}" in out for name in umbrella.COMMANDS)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("trian", "  try: holdem train"),
        ("bucket", "  try: holdem buckets"),
        ("zzz", f"  try: one of {', '.join(umbrella.COMMANDS)}, or holdem --help"),
    ],
)
def test_an_unknown_command_names_the_nearest(capsys, name, remedy):
    assert umbrella.main([name]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"holdem: no command {name!r}"
    assert second == remedy


@pytest.mark.parametrize("name", sorted(umbrella.COMMANDS))
def test_each_command_exists_twice_with_the_same_options(name):
    """`holdem NAME` and `python -m MODULE` print the same help, as wide as the terminal."""
    module = umbrella.COMMANDS[name][0]
    environment = {**os.environ, "COLUMNS": "80"}
    helps = [
        subprocess.run(
            [sys.executable, "-m", *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout
        for command in (["holdem.cli.main", name], [module])
    ]
    assert helps[0] == helps[1]
    assert helps[0].startswith(f"usage: holdem {name}")
    assert max(map(len, helps[0].splitlines())) <= 80


# -- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_handler_and_are_given_back(number):
    seen = []
    before = signal.getsignal(number)
    with terminal.signals(seen.append):
        os.kill(os.getpid(), number)
    assert seen == [number]
    assert signal.getsignal(number) is before


def test_a_signal_sent_to_a_process_and_its_group_is_one():
    """As `timeout -s INT` sends it; a second Ctrl-C of a user, later, counts."""
    seen = []
    with terminal.signals(seen.append):
        for pause in (0, terminal.TOGETHER_SECONDS * 1.5):
            time.sleep(pause)
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert seen == [signal.SIGINT, signal.SIGINT, signal.SIGTERM]


def test_a_terminal_that_closes_is_no_second_wish():
    """Kernel and shell may both tell, and a run that saves itself must be left to it."""
    seen = []
    with terminal.signals(seen.append):
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(terminal.TOGETHER_SECONDS * 1.5)
        os.kill(os.getpid(), signal.SIGHUP)
    with terminal.signals(seen.append):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
    assert seen == [signal.SIGHUP, signal.SIGTERM]


def test_nohup_is_respected():
    seen, before = [], signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal.signals(seen.append):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert seen == []


def test_signals_raise_stopped():
    with pytest.raises(terminal.Stopped) as caught, terminal.signals_raise("later"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert (caught.value.number, caught.value.advice) == (signal.SIGTERM, "later")


# -- words for numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (45, "45 s"),
        (89.4, "89 s"),
        (90, "1 min 30 s"),
        (120, "2 min"),
        (5399, "89 min 59 s"),
        (5400, "1 h 30 min"),
        (86_400 * 3, "3 days"),
    ],
)
def test_durations(seconds, text):
    assert terminal.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3605, "1:00:05")]
)
def test_clock(seconds, text):
    assert terminal.clock(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (950, "950"),
        (999.6, "1.0 k"),
        (41_234, "41.2 k"),
        (162_000, "162 k"),
        (18.2e6, "18.2 M"),
        (-5e9, "-5.0 G"),
        (3e15, "3,000 T"),
    ],
)
def test_counts(number, text):
    assert terminal.count(number) == text


# -- bars, panels and charts ---------------------------------------------------------------------


def console(width=100, **more):
    return Console(file=io.StringIO(), width=width, highlight=False, **more)


def test_stages_are_lines_where_there_is_no_terminal():
    target = console()
    with terminal.StageBars(target) as bars:
        bars.stage("flop", 10)
        bars.advance(10)
        bars.say("well done")
        bars.stage("turn", 1)
    lines = target.file.getvalue().splitlines()
    assert lines[0] == "  well done"
    assert [line.split(":")[0] for line in lines[1:]] == ["  flop", "  turn"]


def test_a_long_stage_says_how_far_it_is_where_there_is_no_terminal(monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr(terminal.time, "perf_counter", lambda: seconds[0])
    target = console()
    with terminal.StageBars(target) as bars:
        bars.stage("flop", 1000)
        for _ in range(100):
            seconds[0] += 1
            bars.advance(10)
        bars.stage("turn", 10)
        seconds[0] = 120
        bars.reach(2, 20)
        seconds[0] = 150
        bars.reach(5, 25)
    assert target.file.getvalue().splitlines() == [
        "  flop: 30%, about 70 s left",
        "  flop: 60%, about 40 s left",
        "  flop: 90%, about 10 s left",
        "  flop: 100.0 s",
        "  turn: 20%, about 3 min 20 s left",
        "  turn: 50.0 s",
    ]


def test_stages_are_bars_on_a_terminal():
    target = console(force_terminal=True)
    with terminal.StageBars(target, chatty=False) as bars:
        bars.stage("flop", 10)
        bars.advance(5)
        bars.say("not said")
    assert "50%" in target.file.getvalue()
    assert "not said" not in target.file.getvalue()


def progress(**changes):
    values = {
        "iteration": 1_500_000,
        "num_iterations": None,
        "elapsed_seconds": 30.0,
        "time_budget_seconds": 60.0,
        "iterations_per_second": 50_000.0,
        "nodes_per_second": 17.1e6,
        "utility_bb": 0.0412,
        "memory_bytes": 212_000_000,
    }
    return Progress(**(values | changes))


def test_a_run_in_one_line():
    assert " ".join(progress_line(progress()).split()) == (
        "0:30 iteration 1,500,000 50.0 k it/s 17.1 M nodes/s utility +0.041 bb/hand 212 MB"
    )


@pytest.mark.parametrize(
    ("changes", "first", "share"),
    [
        ({}, 0, 0.5),
        ({"time_budget_seconds": None}, 0, 0.0),
        ({"num_iterations": 2_000_000}, 0, 0.75),
        ({"num_iterations": 2_000_000}, 1_000_000, 0.5),
        ({"elapsed_seconds": 61.0}, 0, 1.0),
    ],
)
def test_how_much_is_done(changes, first, share):
    assert done_share(progress(**changes), first) == share


def test_the_panel_of_a_run():
    target = console(force_terminal=True)
    display = RunDisplay(target)
    group = display._panel(progress())
    target.print(group)
    text = target.file.getvalue()
    for part in ("50%", "0:30 / 1:00", "1,500,000", "17.1 M visited a second", "+0.041", "212 MB"):
        assert part in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_panel_leaves_room_for_ctrl_c(width):
    """^C behind the last line must not wrap, or a part of the panel stays behind."""
    target = console(width=width, force_terminal=True, color_system=None)
    shares = (0.0625,) * 16
    target.print(RunDisplay(target)._panel(progress(worker_shares=shares)))
    lines = target.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width - 4
    assert lines[1].startswith("  iterations ")
    assert "".join(lines).count(" 6%") == len(shares)


def test_a_terminal_that_cannot_draw_gets_lines(monkeypatch):
    """``TERM=dumb``, as in an editor's shell."""
    monkeypatch.setenv("TERM", "dumb")
    target = console(force_terminal=True)
    info = RunInfo(
        logdir=Path("runs/a"),
        config=MCCFRConfig(),
        game=GameConfig(),
        num_slots=1,
        table_bytes=8,
        bucket_counts=(1,),
        first_iteration=0,
        resumed_from=None,
        available_before=1,
        available_after=1,
    )
    with RunDisplay(target) as display:
        display.started(info)
        display.progressed(progress())
        assert target.file.getvalue().splitlines()[-1] == progress_line(progress())


def chart_of(probabilities):
    game = GameConfig(menu=BetMenu(streets=(("2.5x, 4x, a", "a"),)))
    tree = build_tree(game, (169,))
    chart = OpeningChart(
        node=0,
        seat=0,
        actions=tuple(tree.action_text(child) for child in tree.children(0)),
        class_names=(),
        probabilities=np.tile(np.float32(probabilities), (169, 1)),
    )
    return tree, chart


def printed(probabilities, target):
    tree, chart = chart_of(probabilities)
    print_chart(target, tree, chart)
    return target.file.getvalue()


def test_actions_have_letters_and_big_blinds():
    tree, _ = chart_of([1, 0, 0, 0, 0])
    assert [(action.letter, action.text) for action in actions_of(tree, 0)] == [
        ("F", "fold"),
        ("C", "call"),
        ("R", "raise to 2.5 bb"),
        ("S", "raise to 4 bb"),
        ("A", "all-in 100 bb"),
    ]
    assert len({action.colour for action in actions_of(tree, 0)}) == 5


def test_the_chart_in_plain_text():
    """13 hands a line, suited ones right of the pairs, and what each does the most."""
    lines = printed([0.05, 0.25, 0.7, 0, 0], console(no_color=True)).splitlines()
    assert " ".join(lines[0].split()) == "AA AKs AQs AJs ATs A9s A8s A7s A6s A5s A4s A3s A2s"
    assert lines[2].split()[:3] == ["AKo", "KK", "KQs"]
    assert lines[24].split()[-1] == "22"
    assert all(line.split() == ["R", "70"] * 13 for line in lines[1:26:2])
    assert "R  raise to 2.5 bb 70.0%" in lines[-2]
    assert lines[-1] == "  F  fold 5.0%"
    assert max(map(len, lines)) <= 100


def test_the_chart_in_colour():
    """A cell is divided like its strategy: of five columns, three raise, one calls, one folds."""
    tree, _ = chart_of([1, 0, 0, 0, 0])
    text = printed([0.2, 0.2, 0.6, 0, 0], console(force_terminal=True, color_system="truecolor"))
    fold, call, raise_ = (
        ";".join(str(int(action.colour[i : i + 2], 16)) for i in (1, 3, 5))
        for action in actions_of(tree, 0)[:3]
    )
    first = text.splitlines()[0]
    order = [first.index(f"48;2;{colour}") for colour in (raise_, call, fold)]
    assert order == sorted(order)


def test_a_certain_hand_fits_its_cell():
    assert "R100" in printed([0, 0, 1, 0, 0], console(no_color=True))


@pytest.mark.parametrize("width", [79, 80, 60])
def test_the_chart_fits_the_terminal(width):
    lines = printed([0.05, 0.25, 0.7, 0, 0], console(width=width, no_color=True)).splitlines()
    assert max(map(len, lines)) <= width
    assert "AKs" in lines[0]


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed([0.2, 0.2, 0.6, 0, 0], console(force_terminal=True))
    assert "48;2" not in text
    assert "R 60" in text

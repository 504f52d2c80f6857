"""``holdem train``: trains a blueprint and shows how it opens."""

from __future__ import annotations

import argparse
import hashlib
import logging
import math
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console

from holdem.abstraction import costs as bucket_costs
from holdem.abstraction.bucketing import KIND as BUCKETS
from holdem.abstraction.bucketing import HandBucketing, config_from_metadata
from holdem.abstraction.building import ASSETS, PRESETS, build_buckets, preset, preset_path
from holdem.cli import train_instances
from holdem.cli.chart import print_chart, print_one_card_strategy
from holdem.cli.terminal import (
    Parser,
    StageBars,
    count,
    duration,
    make_console,
    print_error,
    run_command,
    signals,
    signals_raise,
)
from holdem.cli.train_display import RunDisplay
from holdem.config import RunConfig, load_config
from holdem.errors import ConfigError, MismatchError, ResourceError, StorageError
from holdem.evaluation.lbr import LocalBestResponse
from holdem.evaluation.openings import opening_chart
from holdem.game.menu import parse_menu
from holdem.mccfr import checkpoint, costs
from holdem.mccfr.blueprint import Blueprint
from holdem.mccfr.cells import Cells
from holdem.mccfr.instance_plan import (
    RunPlan,
    folder_of,
    instance_of,
    is_another_run,
    is_run,
)
from holdem.mccfr.multi_instance_coordinator import require_instances
from holdem.mccfr.parallel_solver import ParallelMCCFRSolver
from holdem.mccfr.parents import parent_counts
from holdem.mccfr.processes import START_METHOD
from holdem.mccfr.progress import RunResult
from holdem.mccfr.run import Evaluate
from holdem.mccfr.self_test import run_self_test
from holdem.mccfr.worker import bucket_counts_of
from holdem.storage import beside, format_bytes, is_folder, read_metadata
from holdem.types import STREETS, BucketConfig, GameConfig, MCCFRConfig, shell_word

PROG = "holdem train"
DEFAULT_SECONDS = 60.0
EVALUATION_SECONDS = 5.0
EVALUATION_HANDS = 10_000
"""Most that one look at local best response may take, and may play."""

_OPTIONS = (
    ("--iters", "num_iterations", "N", "iterations in all; one deal, walked once per player"),
    ("--time-budget", "time_budget_seconds", "SECONDS", "train for so long"),
    ("--buckets", "buckets.path", "PATH", "a bucket set; without it, a quick one is made"),
    ("--checkpoint-interval", "checkpoint_interval", "N", "iterations between checkpoints"),
    ("--snapshot-interval", "snapshot_interval_seconds", "SECONDS", "and seconds, at most"),
    ("--keep-checkpoints", "keep_checkpoints", "N", "how many to keep; 0 keeps all"),
    ("--eval-interval", "eval_interval", "N", "iterations between looks at local best response"),
    (
        "--discount-interval",
        "discount_interval",
        "N",
        "iterations in a period of Linear CFR; 0: 5,000, or 200 against a responder",
    ),
    ("--num-players", "num_players", "N", "at the table, 2 to 9"),
    (
        "--opponent",
        "opponent",
        "WHO",
        "itself, or responder: one who learns in buckets and sees its cards on the river",
    ),
    (
        "--responder-buckets",
        "buckets.responder_path",
        "PATH",
        "a set by which the responder tells more hands apart than the table",
    ),
    (
        "--parent-boards",
        "parent_boards",
        "N",
        "against a responder: like buckets also learn together, which counts as much as what each "
        "learns after N boards",
    ),
    ("--sampling", "sampling", "HOW", "external or outcome"),
    ("--epsilon", "exploration_epsilon", "SHARE", "that outcome sampling explores"),
    ("--num-workers", "num_workers", "N", "workers; 0 for one per usable core"),
    ("--num-instances", "num_instances", "N", "independent runs side by side, one worker each"),
    ("--batch-size", "batch_size", "N", "iterations between two merges, in all"),
    ("--seed", "seed", "N", "of all random choices"),
)
"""Options that are keys of a config: option, key, what follows it, what it means."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Train a blueprint by Monte Carlo CFR. Options beat the config, which beats the defaults.",
        "Without options: heads-up, 100 big blinds, quick buckets, 60 seconds, runs/<date-time>. "
        "Numbers may be written as 1e6. configs/train.yaml explains every key of a config.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="all that these say, in YAML")
    defaults = MCCFRConfig()
    for option, key, metavar, text in _OPTIONS:
        default = getattr(defaults, key, None)
        default = f"{default:,}" if isinstance(default, int) else default
        shown = "" if default is None else f" ({default})"
        parser.add_argument(option, dest=key, metavar=metavar, help=text + shown)
    train_instances.add_options(parser)
    parser.add_argument("--logdir", type=Path, metavar="PATH", help="where the run goes")
    parser.add_argument(
        "--resume-from", type=Path, metavar="PATH", help="a run's folder, or one checkpoint"
    )
    parser.add_argument(
        "--tensorboard",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write figures for TensorBoard",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what it would cost")
    parser.add_argument(
        "--log-level", choices=list(_LEVELS), default="info", help="how much to print"
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    level = _LEVELS[options.log_level]
    config = _resolve(options)
    instances = train_instances.instances_here(options, config.num_instances)
    logdir = _logdir(options)
    folders, iteration, done = [folder_of(logdir, i) for i in instances], math.inf, 0
    if not instances:
        _refuse_another_run(logdir, options.resume_from)
        _refuse_more_than_its_part(logdir, config)
        if options.resume_from is not None:
            # Before buckets are made.
            done = int(checkpoint.find(options.resume_from)[1]["iteration"])
            folders, iteration = [logdir], done
    console = make_console(quiet=level > logging.INFO, outlived=True)
    buckets, bucket_counts = buckets_of(config)
    cells = cells_of(config)
    run_costs = costs_of(
        config, bucket_counts, bucket_bytes(config, buckets), len(instances), cells, done
    )
    _print_costs(console, config, run_costs, bucket_counts, cells)
    if buckets is not None:
        _print_players(console, config.game, buckets[1])
    if options.dry_run:
        return 0
    held_bytes = costs.held(run_costs, folders, iteration)
    costs.require(run_costs, logdir, held_bytes=held_bytes, memory=options.scheduler is None)
    bucketing = _bucketing(console, config, buckets)
    if instances:
        return train_instances.train(options, config, bucketing, instances, logdir, level)
    solver = ParallelMCCFRSolver(
        config.training,
        bucketing,
        num_players=config.game.num_players,
        game=config.game,
        cells=cells,
    )
    _print_workers(console, solver)
    result = _train(solver, options, logdir, level)
    if result.stopped_by is not None:
        print_error(
            PROG,
            f"stopped at iteration {result.iteration:,}; saved {result.checkpoint}",
            f"{PROG} --resume-from {shell_word(result.logdir)}",
        )
        return 128 + result.stopped_by
    if level <= logging.INFO:
        _print_result(console, result, config, bucketing)
    return 0


# -- what is wanted ----------------------------------------------------------------------------


def _resolve(options: argparse.Namespace) -> RunConfig:
    """Return the config of the run: a resumed run goes on with its own."""
    path = options.config
    if path is None and options.resume_from is not None:
        path = checkpoint.run_of(options.resume_from) / "config.yaml"
        path = path if path.is_file() else None
    config = load_config(
        path,
        {key: getattr(options, key) for _, key, _, _ in _OPTIONS},
        option_names={key: option for option, key, _, _ in _OPTIONS},
        check_menu=parse_menu,
    )
    training = config.training
    if options.resume_from is not None and not options.num_instances:
        many = is_run(options.resume_from)
        if many and config.num_instances is None:
            raise ConfigError(
                f"{options.resume_from} is a run of many instances, and {path} is for one",
                "add --num-instances N, or resume one of its instances: "
                f"{folder_of(options.resume_from, 0)}",
            )
        if not many:  # one of its instances, or what was merged from them
            config = replace(config, num_instances=None)
    if config.num_instances is not None:
        require_instances(training, config.num_instances)
    elif training.num_iterations is None and training.time_budget_seconds is None:
        training = replace(training, time_budget_seconds=DEFAULT_SECONDS)
    return replace(config, training=training)


def _logdir(options: argparse.Namespace) -> Path:
    """Return where the run goes: named, the resumed run's own folder, or a new one.

    Raises:
        ConfigError: a run cannot go there.
    """
    if options.logdir is not None:
        return _usable(options.logdir, options)
    if options.resume_from is not None:
        run = checkpoint.run_of(options.resume_from)
        if is_run(run) or (run / "checkpoints").is_dir():
            return _usable(run, options)
    name = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    path, number = Path("runs") / name, 2
    while path.exists():
        path, number = Path("runs") / f"{name}_{number}", number + 1
    return path


def _usable(logdir: Path, options: argparse.Namespace) -> Path:
    """Return *logdir* unless what a run writes there would be wrong or would replace a config."""
    try:
        str(logdir).encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"the name of {logdir} is not UTF-8, and the files of a run name it",
            "choose another --logdir",
        ) from None
    config = logdir / "config.yaml"
    read = options.config if options.resume_from is None else None
    if read is not None and read.is_file() and config.is_file() and read.samefile(config):
        raise ConfigError(f"the run would replace {config} by its own", "choose another --logdir")
    return logdir


def _refuse_more_than_its_part(logdir: Path, config: RunConfig) -> None:
    """Refuse to train one of many instances, in its place, on iterations that others do.

    Raises:
        ConfigError: it would go on beyond its range, and could not be merged any more.
    """
    instance = _part_of(logdir)
    if instance is None:
        return
    plan = RunPlan.read(logdir.absolute().parent)
    size = plan.size_of(instance) if instance < plan.num_instances else None
    wanted = config.training.num_iterations
    if size is not None and (wanted is None or wanted > size):
        raise ConfigError(
            f"{logdir} is one of {plan.num_instances} instances, and its part of the run is "
            f"{size:,} iterations",
            f"go on with all of them: --resume-from {shell_word(logdir.parent)}; or with this one "
            "alone in a folder of its own: --logdir PATH",
        )


def _part_of(logdir: Path) -> int | None:
    """Return which instance of a run of many *logdir* is the folder of; None of none."""
    return instance_of(logdir) if is_run(logdir.absolute().parent) else None


def _refuse_another_run(logdir: Path, resumed: Path | None) -> None:
    """Refuse to mix the checkpoints of two runs in one folder.

    Raises:
        StorageError: *logdir* holds a run, and it is not the one that is *resumed*.
    """
    if is_another_run(logdir, resumed):
        raise StorageError(
            f"{logdir} holds a run already",
            f"--resume-from {shell_word(logdir)} to go on with it, or another --logdir",
        )


# -- buckets -----------------------------------------------------------------------------------


def buckets_of(config: RunConfig) -> tuple[tuple[Path, BucketConfig] | None, tuple[int, ...]]:
    """Return which bucket set the run uses, if any, and the number of buckets by street."""
    game = config.game
    if game.cards.kind == "one-card":
        return None, bucket_counts_of(game, None)
    path, wanted = config.buckets_path, config.buckets
    if path is not None:
        wanted = _config_of_set(path, game.num_players)
    elif config.explicit_buckets:
        path = _place_of(wanted)
    else:
        name = "preflop" if game.num_streets == 1 else "quick"
        wanted = preset(name, game.num_players)
        path = preset_path(name, game.num_players)
    if wanted.num_streets < game.num_streets:
        raise MismatchError(
            f"the bucket set {path} covers {wanted.num_streets} of the {game.num_streets} streets "
            f"that {game.name!r} is bet on",
            "name a bucket set of all streets by --buckets, or leave --buckets out",
        )
    return (path, wanted), wanted.bucket_counts[: game.num_streets]


def cells_of(config: RunConfig) -> Cells | None:
    """Return what a responder tells apart, if that is not what the table does."""
    if config.responder_path is None:
        return None
    assert config.buckets_path is not None
    sets = [HandBucketing.load(path) for path in (config.buckets_path, config.responder_path)]
    return Cells.refined(*sets)


def _config_of_set(path: Path, num_players: int) -> BucketConfig:
    """Return what the bucket set at *path* was made with."""
    if not path.exists():
        presets = {preset_path(name, num_players): name for name in PRESETS}
        how = f"--preset {presets[path]}" if path in presets else f"--out {shell_word(path)}"
        raise StorageError(
            f"there is no bucket set at {path}", f"make it first, with: holdem buckets {how}"
        )
    return config_from_metadata(read_metadata(path, BUCKETS), path)


def _place_of(wanted: BucketConfig) -> Path:
    """Return where the set of a config is kept: equal configs share one."""
    for name in PRESETS:
        if preset(name, wanted.num_players) == wanted:
            return preset_path(name, wanted.num_players)
    counts = "-".join(map(str, wanted.bucket_counts[: wanted.num_streets]))
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()
    return ASSETS / f"{counts}-{digest[:8]}"


def bucket_bytes(config: RunConfig, buckets: tuple[Path, BucketConfig] | None) -> int:
    """Return the size of the bucket tables."""
    return 0 if buckets is None else bucket_costs.table_bytes(buckets[1])


def _bucketing(
    console: Console, config: RunConfig, buckets: tuple[Path, BucketConfig] | None
) -> HandBucketing | None:
    """Return the bucket set, made first if it is not there and no path was given."""
    if buckets is None:
        return None
    path, wanted = buckets
    if config.buckets_path is not None:
        return HandBucketing.load(path)
    if not is_folder(path, BUCKETS):
        build_costs = bucket_costs.estimate(wanted)
        bucket_costs.require(build_costs, path)
        console.print(
            f"making the bucket set {path}, once: about {duration(build_costs.seconds)}, "
            f"{format_bytes(build_costs.disk_bytes)}"
        )
    advice = f"{PROG} again: finished stages are kept in {beside(path, '.partial')}"
    with signals_raise(advice), StageBars(console, chatty=False) as bars:
        return build_buckets(wanted, path, observer=bars)


# -- training ----------------------------------------------------------------------------------


def _train(
    solver: ParallelMCCFRSolver, options: argparse.Namespace, logdir: Path, level: int
) -> RunResult:
    """Train until the budget is spent or a signal comes; a second signal ends at once."""
    asked = False

    def stop(number: int) -> None:
        nonlocal asked
        if asked:
            display.close()
            print_error(PROG, "stopped without a checkpoint", "")
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        asked = display.stop_asked = True
        solver.request_stop(number)

    # Warnings are wanted even where progress is not.
    with RunDisplay(make_console(outlived=True), level) as display, signals(stop):
        return solver.train(
            logdir=logdir,
            use_tensorboard=options.tensorboard,
            resume_from=options.resume_from,
            observer=display,
            every_batch=level <= logging.DEBUG,
            evaluate=_evaluator(solver) if solver.config.eval_interval else None,
        )


def _evaluator(solver: ParallelMCCFRSolver) -> Evaluate:
    """Return what judges a strategy during training: a few seconds of local best response."""
    lbr = LocalBestResponse(solver.tree, solver.bucketing)

    def evaluate(policy: Blueprint) -> dict[str, float]:
        result = lbr.against(policy, hands=EVALUATION_HANDS, seconds=EVALUATION_SECONDS)
        return {
            "Evaluation/LBR": result.mbb_per_hand,
            "Evaluation/LBRInterval": result.interval,
        }

    return evaluate


# -- what is printed ---------------------------------------------------------------------------


def _print_workers(console: Console, solver: ParallelMCCFRSolver) -> None:
    """Say who will work, after they have proved that they can.

    Raises:
        ResourceError: they cannot.
    """
    workers, batch = solver.num_workers, solver.config.batch_size
    if workers == 1:
        return
    if solver.config.opponent == "responder":
        console.print(f"  {'workers':<13}{workers} threads")
        return
    test = run_self_test(workers)
    if not test.passed:
        raise ResourceError(f"the self-test of the workers failed: {test}", test.remedy)
    share = batch / workers
    rows = {
        "workers": f"{workers} processes, by {START_METHOD}",
        "self-test": str(test),
        "batch": f"{batch:,} iterations between two merges, "
        f"about {f'{share:,.0f}' if share >= 100 else f'{share:.3g}'} by each worker",
    }
    for name, text in rows.items():
        console.print(f"  {name:<13}{text}")


def costs_of(
    config: RunConfig,
    bucket_counts: Sequence[int],
    bucket_bytes: int,
    num_here: int,
    cells: Cells | None,
    done: int = 0,
) -> costs.TrainingCosts:
    """Return what the run takes on this machine, *num_here* instances of it if there are any.

    Of a run that is resumed so many iterations are *done*.
    """
    training = config.training
    if config.num_instances is not None and training.num_iterations is not None:
        share = -(-training.num_iterations // config.num_instances)
        training = replace(training, num_iterations=share)
    one = costs.estimate(training, config.game, bucket_counts, bucket_bytes, cells, done)
    if not num_here:
        return one
    by_time = training.num_iterations is None
    return costs.of_instances(one, num_here, bucket_bytes, by_time=by_time)


def _print_costs(
    console: Console,
    config: RunConfig,
    run_costs: costs.TrainingCosts,
    bucket_counts: Sequence[int],
    cells: Cells | None,
) -> None:
    """Say what the run is and what it takes."""
    game, training = config.game, config.training
    stacks = sorted({game.stack_of(seat) / game.big_blind for seat in range(game.num_players)})
    deep = "-".join(f"{depth:g}" for depth in dict.fromkeys((stacks[0], stacks[-1])))
    unit = "big blinds" if game.blinds else "antes"
    console.print(f"{game.name}: {game.num_players} players, {deep} {unit} deep", style="bold")
    about = [] if run_costs.seconds is None else [f"about {duration(run_costs.seconds)}"]
    if run_costs.iterations is not None:
        about.append(f"about {count(run_costs.iterations)} iterations")
    if training.time_budget_seconds is not None and run_costs.visits_per_iteration is not None:
        exact = run_costs.seconds == training.time_budget_seconds
        about[0] = duration(training.time_budget_seconds) if exact else about[0]
    most = " at most" if run_costs.visits_per_iteration is not None else " and the log of a batch"
    rows = {} if config.num_instances is None else {"instances": f"{config.num_instances}"}
    rows |= {
        "betting tree": f"{run_costs.size.num_nodes:,} nodes",
        "buckets": _by_street(bucket_counts),
        **({"parents": _parents(bucket_counts)} if training.parent_boards else {}),
        **({} if cells is None else {"responder": _by_street(cells.counts)}),
        "slots": f"{run_costs.num_slots:,}",
        "memory": f"{format_bytes(run_costs.memory_bytes)}{most}, "
        f"{format_bytes(run_costs.table_bytes)} of it regrets and strategy",
        "disk": f"{format_bytes(run_costs.checkpoint_bytes)} per checkpoint, "
        f"{format_bytes(run_costs.disk_bytes)} in all",
        "time": ", ".join(about) or "cannot be told from the config",
    }
    for name, text in rows.items():
        console.print(f"  {name:<13}{text}")


def _print_players(console: Console, game: GameConfig, buckets: BucketConfig) -> None:
    """Say so where a bucket set was made for another number of players."""
    if buckets.num_players != game.num_players:
        console.print(
            f"  {'note':<13}the buckets were made for {buckets.num_players} players: "
            f"their equities are against {buckets.num_players - 1}",
            soft_wrap=True,
        )


def _by_street(counts: Sequence[int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in zip(STREETS, counts, strict=False))


def _parents(bucket_counts: Sequence[int]) -> str:
    counts = parent_counts(bucket_counts)
    some = [f"{name} {n:,}" for name, n in zip(STREETS, counts, strict=False) if n]
    return ", ".join(some) or "none, there are too few buckets"


def _print_result(
    console: Console, result: RunResult, config: RunConfig, bucketing: HandBucketing | None
) -> None:
    """Show how the blueprint opens, the figures of the run, and what to do next."""
    policy = Blueprint.load(result.policy)
    console.print()
    if config.game.cards.kind == "holdem":
        chart = opening_chart(policy, 0, policy.preflop_buckets)
        console.print(f"How {_opener(policy)} opens", style="bold")
        console.print()
        print_chart(console, policy.tree, chart)
    else:
        console.print("The first decision", style="bold")
        print_one_card_strategy(console, policy)
    console.print()
    unit, seat = ("big blinds", "the small blind") if config.game.blinds else ("antes", "seat 0")
    rows = {
        "iterations": f"{result.iteration:,} ({count(result.iterations_per_second)} a second)",
        "nodes": f"{count(result.nodes_visited)} visited "
        f"({count(result.nodes_per_second)} a second)",
        "time": duration(result.elapsed_seconds),
        "utility": f"{result.utility_bb:+.4f} {unit} per hand for {seat}, over all of it",
        "policy": f"{result.policy}",
        "checkpoint": f"{result.checkpoint}",
    }
    for name, text in rows.items():
        console.print(f"  {name:<11}{text}", soft_wrap=True)
    console.print()
    console.print("Next", style="bold")
    longer = f"{PROG} --resume-from {shell_word(result.logdir)} --time-budget 600"
    hints = [(longer, "train on, for ten minutes")] if _part_of(result.logdir) is None else []
    if bucketing is not None and config.game.num_streets > 1 and config.buckets_path is None:
        finer = preset_path("full", config.game.num_players)
        players = (
            "" if config.game.num_players == 2 else f" --num-players {config.game.num_players}"
        )
        hints.append((f"holdem buckets --preset full{players}", "finer buckets"))
        opponent = "" if config.training.opponent == "itself" else " --opponent responder"
        long = f"{PROG} --buckets {shell_word(finer)}{opponent} --time-budget 3600"
        hints.append((long, "train with them"))
    hints.append((f"{PROG} --help", "all options"))
    for command, text in hints:
        console.print(f"  {text}:", style="dim")
        console.print(f"    {command}", soft_wrap=True)


def _opener(policy: Blueprint) -> str:
    names = {2: "the small blind"}
    return names.get(policy.tree.game.num_players, "the first to act")


if __name__ == "__main__":
    sys.exit(main())

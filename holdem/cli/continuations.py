"""``holdem continuations``: learns what a policy wins from the end of each street's betting."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from holdem.cli.matches import number
from holdem.cli.terminal import (
    Parser,
    StageBars,
    duration,
    make_console,
    run_command,
    signals_raise,
)
from holdem.errors import ConfigError, StorageError
from holdem.evaluation.contestants import Loader
from holdem.search.continuations import (
    KIND,
    ContinuationValues,
    continuations_path,
    estimate,
    learn_continuations,
)
from holdem.storage import format_bytes, is_folder, make_folder
from holdem.types import STREETS

PROG = "holdem continuations"
_MOST_DEALS = 10**9


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Learn what a heads-up policy wins from the end of each street's betting on.",
        "Search on the flop and the turn looks no further than that: there each player chooses\n"
        "whether the policy goes on as it is, or with more folds, calls or raises. The table is\n"
        "learned from sampled deals, exactly over all betting, and lies beside the policy, in\n"
        "continuations/ of the run, where search looks for it.",
    )
    parser.add_argument(
        "policy", type=Path, metavar="POLICY", help="a policy, or the folder of its run"
    )
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="the bucket set; by default the policy's"
    )
    parser.add_argument(
        "--deals", metavar="N", help="how many; by default as many as take about a minute"
    )
    parser.add_argument("--workers", default="0", metavar="N", help="threads; 0 for all cores (0)")
    parser.add_argument("--seed", default="0", metavar="N", help="of the deals (0)")
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    deals = None if options.deals is None else number("--deals", options.deals, 1, _MOST_DEALS)
    workers = number("--workers", options.workers, 0, 1024)
    seed = number("--seed", options.seed, 0, 2**63 - 1)
    out = continuations_path(options.policy)
    if out.exists() and not is_folder(out, KIND):
        raise StorageError(f"{out} is there already and holds no continuations", "move it away")
    loader = Loader(options.buckets)
    player = loader.policy(options.policy)
    loader.require_used()
    console = make_console()
    make_folder(out.parent)
    costs = estimate(player, num_deals=deals, num_workers=workers)
    pairs = max(costs.num_groups) ** 2
    if costs.num_deals < pairs:
        raise ConfigError(
            f"--deals is {costs.num_deals:,}, and the table has {pairs:,} pairs of groups of hands",
            "give a deal to each at least, better ten, or leave --deals out",
        )
    rows = {
        "values": f"of {sum(costs.num_roots):,} ends of a street's betting in {costs.num_deals:,} "
        "deals, 16 pairs of continuations each",
        "table": f"{format_bytes(costs.table_bytes)}; {format_bytes(costs.memory_bytes)} of memory "
        "while it is learned",
        "time": f"about {duration(costs.seconds)}",
    }
    for name, text in rows.items():
        console.print(f"  {name:<8}{text}", soft_wrap=True)
    started = time.perf_counter()
    with signals_raise("run it again; nothing was written"), StageBars(console) as bars:
        bars.stage("valuing deals", costs.num_deals)
        table = learn_continuations(
            player, num_deals=deals, num_workers=workers, seed=seed, observer=bars.advance
        )
    table.save(out)
    console.print(f"{out} is ready after {duration(time.perf_counter() - started)}", soft_wrap=True)
    for text in _summary(table):
        console.print(f"  {text}", soft_wrap=True)
    return 0


def _summary(table: ContinuationValues) -> list[str]:
    """What was learned, street by street."""
    return [
        f"after the {name}: {roots:,} nodes, {groups} groups of hands, "
        f"{table.num_deals / groups**2:,.0f} deals to a pair of groups"
        for name, roots, groups in zip(STREETS, table.num_roots, table.num_groups, strict=False)
    ]


if __name__ == "__main__":
    sys.exit(main())

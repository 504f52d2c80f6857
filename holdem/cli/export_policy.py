"""``holdem export``: writes the average strategy of a checkpoint as a small policy of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from holdem.cli.terminal import Parser, make_console, run_command
from holdem.errors import StorageError
from holdem.mccfr.blueprint import FOLDER_NAME, KIND
from holdem.mccfr.export import export_policy
from holdem.mccfr.instance_plan import is_another_run
from holdem.storage import format_bytes, is_folder

PROG = "holdem export"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with *argv* (by default the program's) and return its exit status."""
    return run_command(PROG, _main, argv)


def _parser() -> Parser:
    parser = Parser(
        PROG,
        "Write the average strategy of a checkpoint as a policy: its probabilities alone.",
        "The policy is the folder PATH: avg_policy/, whose arrays are mapped and not read when it "
        "is loaded, and avg_policy.json for people. All that takes a policy takes PATH.",
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="a checkpoint, or a run's folder for its newest",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="the folder to be")
    parser.add_argument(
        "--bits", type=int, default=16, metavar="8|16", help="of a probability (16)"
    )
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="the bucket set; by default the run's"
    )
    return parser


def _main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    if options.out.exists() and not is_folder(options.out / FOLDER_NAME, KIND):
        raise StorageError(
            f"{options.out} is there already and holds no policy", "choose another --out"
        )
    if is_another_run(options.out, options.checkpoint):
        raise StorageError(
            f"{options.out} is another run, whose own policy would be replaced",
            "choose another --out",
        )
    export = export_policy(options.checkpoint, bits=options.bits, buckets=options.buckets)
    path = export.policy.save(options.out)
    written = _size(path.parent / FOLDER_NAME) + path.stat().st_size
    checkpoint = _size(export.checkpoint)
    policy, loss = export.policy, export.loss
    rows = {
        "policy": f"{options.out}",
        "of": f"{export.checkpoint}, iteration {policy.provenance.iterations:,}",
        "size": f"{format_bytes(written)} in {policy.bits} bits, {written / checkpoint:.0%} of the "
        f"checkpoint's {format_bytes(checkpoint)}",
        "rounding": f"{loss.mean:.1e} on average and {loss.largest:.1e} at most, over the "
        f"probabilities of {loss.rows:,} rows",
    }
    console = make_console()
    for name, text in rows.items():
        console.print(f"  {name:<10}{text}", soft_wrap=True)
    return 0


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


if __name__ == "__main__":
    sys.exit(main())

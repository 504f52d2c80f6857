"""Solving spots: ``python -m bench.bench_solve [river turn flop]``.

One thread to 0.3 % of the pot, then milliseconds an iteration with one thread and two, in
turns. The flop takes minutes; ``--iterations N`` stops each solve after so many.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from holdem.search.solver import SubgameSolver
from holdem.search.spot import Spot, read_spot

SPOTS = Path(__file__).parent.parent / "tests" / "data" / "spots"
ROUNDS = {"river": (200, 5), "turn": (20, 5), "flop": (3, 3)}
"""Iterations of a round, and rounds."""


def solver_of(name: str, **options) -> SubgameSolver:
    return SubgameSolver(Spot.from_description(read_spot(SPOTS / f"{name}.spot")), **options)


def solve(name: str, most_iterations: int, *, packed: bool) -> None:
    started = time.perf_counter()
    solver = solver_of(name, packed=packed)
    made = time.perf_counter() - started
    result = solver.solve(target=0.3, most_iterations=most_iterations)
    print(
        f"{name:<6} {16 if packed else 32} bits: {result.seconds:8.3f} s, "
        f"{result.iterations} iterations, {result.exploitability:.3f} % of the pot, "
        f"EV {solver.value(0):.2f}, {solver.memory_bytes / 1e6:.1f} MB, made in {made:.3f} s",
        flush=True,
    )


def threads(name: str, *, packed: bool) -> None:
    """Compare one thread and two, in turns."""
    iterations, rounds = ROUNDS[name]
    solvers = [solver_of(name, packed=packed, num_workers=workers) for workers in (1, 2)]
    seconds: list[list[float]] = [[], []]
    for solver in solvers:
        solver.run(2)
    for _ in range(rounds):
        for solver, times in zip(solvers, seconds, strict=True):
            started = time.perf_counter()
            solver.run(iterations)
            times.append((time.perf_counter() - started) / iterations * 1e3)
    one, two = (statistics.median(times) for times in seconds)
    print(
        f"{name:<6} one thread {one:.3f} ms, two {two:.3f} ms an iteration: {one / two:.2f} times"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="river, turn, flop (river and turn)")
    parser.add_argument("--iterations", type=int, default=10**9)
    options = parser.parse_args()
    for name in options.names or ("river", "turn"):
        for packed in (False, True) if name == "turn" else (name == "flop",):
            solve(name, options.iterations, packed=packed)
            threads(name, packed=packed)


if __name__ == "__main__":
    main()

"""Thinking again at the table: how long decisions take, and how near they come to exact.

    python -m bench.bench_search RUN --buckets PATH --hands 300
    python -m bench.bench_search RUN --buckets PATH --hands 300 --lbr-seconds 540 --workers 2
    python -m bench.bench_search --players 3 --buckets PATH

RUN is a policy's run with its continuations. The agent plays against its own policy, as in a match,
and decisions after the flop are timed: the clock, and the processor time of this process, which
neighbours on the machine do not lengthen; *around* is what was not spent in iterations. The
distance is the exploitability of the subgame as it was left when the time was up, in percent of its
pot, by an exact best response in the subgame. With --lbr-seconds local best response meets the
agent and its policy on the same deals instead. With --players sampled walks are timed, of so many
whole ranges in a pot that was checked, on the menu of configs/3-max.yaml with a policy that does
anything; and how near they come on a river of two, where the exact solver can say it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from holdem._core.rng import words
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.translation import Translator
from holdem.config import load_config
from holdem.evaluation.contestants import Loader
from holdem.game.cards import HOLES
from holdem.game.rules import CALL, State, raise_to
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.play.agent import Agent, Decision
from holdem.play.agent_lbr import respond_to_agents
from holdem.play.arena import play_hand
from holdem.search.continuations import ContinuationValues, continuations_path
from holdem.search.playing_on import PlayingOn
from holdem.search.sampled import SampledSolver
from holdem.search.solver import SubgameSolver
from holdem.search.spot import Menu, Spot
from holdem.search.street_tree import StreetNode, fitting_menu
from holdem.search.subgame import Node
from holdem.types import STREETS, GameConfig, SearchConfig


def agents(run: Path, buckets: Path | None, config: SearchConfig) -> tuple[Agent, Agent]:
    """The policy of a run with search and without."""
    player = Loader(buckets).load(run)
    values = ContinuationValues.load(continuations_path(run), player.policy)
    assert player.bucketing is not None
    game = player.tree.game
    return (
        Agent(player.policy, player.bucketing, game, search=config, continuations=values),
        Agent(player.policy, player.bucketing, game),
    )


class Watched:
    """An agent whose decisions are measured."""

    def __init__(self, agent: Agent, *, distance: bool) -> None:
        self._agent = agent
        self.rows: list[tuple[float, ...]] = []
        """Street, clock, processor, in iterations (seconds), iterations, distance (percent)."""
        self._inside, self._solver = 0.0, None
        run, watched = SubgameSolver.run, self
        self._distance = distance

        def timed(solver: SubgameSolver, *arguments: object, **names: object) -> int:
            started = time.process_time()
            done = run(solver, *arguments, **names)  # type: ignore[arg-type]
            watched._inside += time.process_time() - started
            watched._solver = solver
            return done

        SubgameSolver.run = timed  # type: ignore[method-assign]

    def decide(self, state: State, hand: int) -> Decision:
        self._inside, self._solver = 0.0, None
        used, started = time.process_time(), time.monotonic()
        decision = self._agent.decide(state, hand)
        clock, used = time.monotonic() - started, time.process_time() - used
        if self._solver is not None:
            distance = self._solver.exploitability() if self._distance else np.nan
            self.rows.append(
                (state.street, clock, used, self._inside, decision.iterations, distance)
            )
        return decision


def measure(options: argparse.Namespace, config: SearchConfig) -> None:
    """Play, and print what was measured by street."""
    agent, policy = agents(options.run, options.buckets, config)
    watched = Watched(agent, distance=not options.no_distance)
    for hand in range(options.hands):
        cards = np.argsort(words(1, hand, 0, 52), kind="stable")[:9].tolist()
        play_hand(agent.game, (watched, policy), hand % 2, cards, hand)
    rows = np.array(watched.rows)
    print(f"{len(rows):,} decisions of {options.hands:,} hands, {config.time_budget_ms:g} ms")
    print("street  number  clock p50 p90 p99 ms   processor p50 p99   around p50 p99   ", end="")
    print("iterations p50 least   distance p50 p90 % of the pot")
    for name, streets in (
        *((STREETS[street], [street]) for street in (1, 2, 3)),
        ("all", [1, 2, 3]),
    ):
        here = rows[np.isin(rows[:, 0], streets)]
        if len(here):
            clock, used, inside = 1000 * here[:, 1], 1000 * here[:, 2], 1000 * here[:, 3]
            around = used - inside
            print(
                f"{name:<6} {len(here):>7}  "
                + "".join(f"{np.percentile(clock, q):8.1f}" for q in (50, 90, 99))
                + "   "
                + "".join(f"{np.percentile(used, q):8.1f}" for q in (50, 99))
                + "   "
                + "".join(f"{np.percentile(around, q):8.1f}" for q in (50, 99))
                + f"   {np.median(here[:, 4]):8.0f}{here[:, 4].min():6.0f}   "
                + "".join(f"{np.percentile(here[:, 5], q):8.2f}" for q in (50, 90))
            )


def respond(options: argparse.Namespace, config: SearchConfig) -> None:
    """Let local best response meet both, and print what it wins."""
    make = partial(agents, options.run, options.buckets, config)
    game = Loader(options.buckets).load(options.run).tree.game
    result = respond_to_agents(
        make, game=game, seconds=options.lbr_seconds, num_workers=options.workers
    )
    for name in ("search", "policy", "difference"):
        found = getattr(result, name)
        print(f"{name:<11} {found.mean:+9.0f} +- {found.error:.0f} mbb/h")
    print(
        f"{result.policy.count} deals, {result.hands:,} hands against each, "
        f"{result.decisions:,} decisions, {result.fallbacks:,} not thought again"
    )


def sample(players: int, buckets: Path) -> None:
    """Print how long sampled iterations take, and how near two ranges come by them."""
    bucketing = HandBucketing.load(buckets, verify=False)
    game = replace(load_config("configs/3-max.yaml").game, num_players=players)
    tree = build_tree(game, bucketing.num_buckets)
    table = np.random.default_rng(1).random(2 * tree.num_slots, np.float32)
    provenance = Provenance(
        iterations=1, seed=1, bucket_path=str(buckets), bucket_fingerprint=bucketing.fingerprint
    )
    policy = Blueprint.from_table(tree, table, provenance)
    playing_on = PlayingOn(policy, bucketing, Translator(tree))
    everything = np.ones(len(HOLES), np.float32)
    print("street  nodes  leaves  ms to make  ms an iteration (processor)")
    for street in (1, 2, 3):
        state, node = checked(game, street, Translator(tree))
        menu = fitting_menu(Menu(game.menu.streets[street:]), state)
        started = time.process_time()
        solver = SampledSolver(
            state,
            [everything] * players,
            menu,
            playing_on=playing_on if street < 3 else None,
            node=node,
        )
        solver.run(1)
        made = time.process_time()
        solver.run(100)
        each = (time.process_time() - made) / 100
        leaves = sum(one.is_leaf for one in solver.tree.nodes)
        print(
            f"{STREETS[street]:<6} {len(solver.tree.nodes):>6}  {leaves:>6}  "
            f"{1000 * (made - started):10.1f}  {1000 * each:15.2f}"
        )
    print("iterations  distance of a river of two whole ranges, % of the pot")
    state, _ = checked(replace(game, num_players=2, blinds=(50, 100)), 3)
    menu = Menu((("75%, a", "a"),))
    solver = SampledSolver(state, [everything] * 2, menu)
    for iterations in (300, 1_000, 3_000, 10_000, 30_000):
        solver.run(iterations - solver.iterations)
        exact = SubgameSolver(
            Spot(
                board=state.board,
                pot=sum(state.paid),
                stack=min(state.stacks),
                ranges=(everything, everything),
                menu=menu,
                least_bet=game.big_blind,
            )
        )
        copy_strategies(solver, exact, solver.tree.nodes[0], exact.tree.root)
        print(f"{iterations:>10,}  {exact.exploitability():8.2f}")


def checked(
    game: GameConfig, street: int, translator: Translator | None = None
) -> tuple[State, int]:
    """A pot that all have called a raise for and checked since, and the node of its street."""
    state, cards = State.new(game).apply(raise_to(250)), [45, 22, 1, 15, 38]
    while state.street < street:
        while state.actor is not None:
            state = state.apply(CALL)
        count = 1 if state.board else 3
        state = state.deal_board(cards[len(state.board) :][:count])
    return state, translator.replay(state, 1).node if translator else 0


def copy_strategies(
    sampled: SampledSolver, exact: SubgameSolver, here: StreetNode, there: Node
) -> None:
    """Make the sampled strategies from a decision on those of the exact solver."""
    if not here.children:
        return
    found = sampled.strategy(here)
    table = np.zeros((len(HOLES), len(here.children)), np.float32)
    table[found.holes] = found.probabilities
    reader = exact._reader
    holes = reader.holes_on(0, 0, there.actor)
    reader.sums(there, 0)[:, : len(holes)] = table[holes].T
    for below, same in zip(here.children, there.children, strict=True):
        copy_strategies(sampled, exact, below, same)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--buckets", type=Path)
    parser.add_argument("--hands", type=int, default=300)
    parser.add_argument("--ms", type=float, default=80.0)
    parser.add_argument("--min-iters", type=int, default=100)
    parser.add_argument("--no-distance", action="store_true")
    parser.add_argument("--lbr-seconds", type=float)
    parser.add_argument("--threads", type=int, default=1, help="of one decision")
    parser.add_argument("--workers", type=int, default=1, help="processes of --lbr-seconds")
    parser.add_argument("--players", type=int, help="of sampled walks")
    options = parser.parse_args()
    if options.players:
        sample(options.players, options.buckets)
        return
    config = SearchConfig(
        time_budget_ms=options.ms, min_iterations=options.min_iters, num_workers=options.threads
    )
    (respond if options.lbr_seconds else measure)(options, config)


if __name__ == "__main__":
    main()

"""Solving a spot: iterations of vector CFR until the answer is good enough or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from holdem._core.equity import hands_that_meet, range_equity
from holdem._core.range_boards import RangeBoards
from holdem._core.range_walk import RangeWalk
from holdem._core.showdown import fold_values
from holdem.errors import ConfigError, MismatchError, ResourceError
from holdem.game.cards import HOLES, Card, cards_text, parse_card
from holdem.game.rules import Action, ActionKind
from holdem.machine import available_memory
from holdem.search.gadget import Choice, Gadget
from holdem.search.leaves import LeafValues, give_leaves
from holdem.search.runouts import runouts
from holdem.search.spot import Spot
from holdem.search.strategies import HandStrategy, StrategyReader, rename_holes
from holdem.search.subgame import Node, NodeKind, build_public_tree
from holdem.storage import format_bytes, read_folder, write_folder
from holdem.types import MOST_SEARCH_THREADS

__all__ = ["METHODS", "Progress", "SubgameSolver", "average_begins"]

KIND = "subgame"
FIRST_LOOK, LEAST_STEP, MOST_STEP = 10, 5, 50
"""Iterations before the first look at the exploitability, which costs as much as most of an
iteration, and between two later ones."""

_SLICE = 0.2
"""Seconds of iterations between two looks at whether to stop."""

_SMALL = 64 << 20
"""Bytes that any machine has left."""

T = TypeVar("T")
Fades = tuple[float, float, float, float]


def _discounted(iteration: int, begun: int) -> Fades:
    """Discounted CFR (Brown & Sandholm 2019) with alpha 1.5, beta 0 and gamma 3.

    What was played before the average began is forgotten. That soon saves more than it costs, but
    just after it the average is of few iterations: see `SubgameSolver.run`.
    """
    past = (iteration - 1) ** 1.5
    since = iteration - begun
    return past / (past + 1), 0.5, float(since > 0), (since + 1.0) ** 3


def _linear(iteration: int, _: int) -> Fades:
    """Linear CFR (Brown & Sandholm 2019)."""
    share = (iteration - 1) / iteration
    return share, share, 1.0, iteration


def _plus(iteration: int, _: int) -> Fades:
    """CFR+ (Tammelin 2014): losses are forgotten, the average is linear."""
    return 1.0, 0.0, 1.0, iteration


METHODS: Mapping[str, Callable[[int, int], Fades]] = {
    "dcfr": _discounted,
    "linear": _linear,
    "cfr+": _plus,
}
"""What positive regrets, negative ones and strategy sums are multiplied by before an iteration
adds to them, and what it adds to the sums is multiplied by; of the iteration and the one at which
the average began, see `average_begins`.

That older strategies fade is the same as that later ones weigh more, but hands that do not
get to a decision, which are most, then need no look at their sums."""


def average_begins(iteration: int) -> int:
    """Return where the average of *iteration* began, if it does so at every power of four."""
    return 1 << (iteration.bit_length() - 1) // 2 * 2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a solve is.

    Attributes:
        iterations: done so far, saved ones included.
        seconds: since this solve began.
        exploitability: half of what both best responses win together, in percent of the
            starting pot; of the game with the choice to enter it, where a gadget gives one.
    """

    iterations: int
    seconds: float
    exploitability: float


class SubgameSolver:
    """The strategies of one spot, and the iterations that better them.

    Args:
        spot: what to solve.
        method: one of `METHODS`.
        packed: keep regrets and strategies in 16 bits; by default before the river, where
            memory is what takes the time.
        num_workers: threads; the results are the same. The river has one.
        alike: deal cards once that a renaming of suits makes alike. Locks that treat suits
            differently want False.
        line: what was done on the first street already, see `build_public_tree`.
        gadget: what the player whom a search is up against could have instead, for safe
            re-solving; by default its range is believed.
        leaves: where to stop before the river, and what it is worth there; by default the
            subgame goes on to the end.
        threads: those to work in, num_workers - 1 or more that are idle; by default its own.

    Attributes:
        spot, method, gadget, leaves: as given.
        tree: the public tree.
        iterations: done so far.
        locks: decisions whose strategy is fixed.

    Raises:
        ConfigError: a value cannot be used.
        ResourceError: it needs more memory than there is.
    """

    def __init__(
        self,
        spot: Spot,
        *,
        method: str = "dcfr",
        packed: bool | None = None,
        num_workers: int = 1,
        alike: bool = True,
        line: Sequence[Action] = (),
        gadget: Gadget | None = None,
        leaves: LeafValues | None = None,
        threads: ThreadPoolExecutor | None = None,
    ) -> None:
        if method not in METHODS:
            raise ConfigError(f"no method {method!r}", f"one of {', '.join(METHODS)}")
        if not 1 <= num_workers <= MOST_SEARCH_THREADS:
            raise ConfigError(
                f"num_workers is {num_workers}, and must be from 1 to {MOST_SEARCH_THREADS}",
                "one per core is enough",
            )
        self.spot = spot
        self.method = method
        self.gadget = gadget
        self.leaves = leaves
        self.iterations = 0
        self._begun = 1  # the iteration at which the average began
        self._pace = 0.0  # seconds that an iteration takes
        num_streets = 6 - len(spot.board)
        if leaves:
            leaves.check(spot.board)
            num_streets = leaves.num_streets
        self.packed = num_streets > 1 if packed is None else packed
        self.num_workers = num_workers if num_streets > 1 else 1
        self.tree = build_public_tree(
            pot=spot.pot,
            stack=spot.stack,
            menu=spot.menu,
            num_streets=num_streets,
            least_bet=spot.least_bet,
            line=line,
            leaves=leaves is not None,
        )
        self._holes = tuple(_spread(np.flatnonzero(weights)) for weights in spot.ranges)
        meets = hands_that_meet(*spot.ranges)
        if not meets.any():
            raise ConfigError(
                f"no hand of one range can meet one of the other on {cards_text(spot.board)}",
                "give ranges with hands that share no card",
            )
        self._meets = tuple(able[holes] for able, holes in zip(meets, self._holes, strict=True))
        # Hands that meet nobody are never dealt; rounding their weights could drown the others'.
        self._weights = tuple(
            weights[holes] * able
            for weights, holes, able in zip(spot.ranges, self._holes, self._meets, strict=True)
        )
        self._pairs = self._count_pairs()
        if not self._pairs > 0:  # but rounding
            raise ConfigError(
                f"the hands of the ranges that can meet on {cards_text(spot.board)} weigh next to "
                "nothing beside those that share a card",
                "leave out the hands that hardly count, or give the others more weight",
            )
        dealings = runouts(spot.board, spot.ranges, num_streets - 1, alike=alike)
        hands = [np.ascontiguousarray(HOLES[holes]) for holes in self._holes]
        self._refuse_too_large([1, *(len(cards) for _, cards, _, _ in dealings)])
        self._boards = RangeBoards(spot.board, hands, dealings)
        self._walk = RangeWalk(
            self._boards,
            self._weights,
            self.tree.arrays(),
            packed=self.packed,
            num_workers=self.num_workers,
        )
        if leaves:
            give_leaves(self._walk, self._boards, self.tree, leaves)
        self._choice = self._put_before(gadget) if gadget else None
        self._reader = StrategyReader(self._boards, self._walk, self._weights)
        self.locks: list[Node] = []
        self._alike = alike
        self._line = tuple(line)
        self._pool = threads
        if threads is None and self.num_workers > 1:
            self._pool = ThreadPoolExecutor(self.num_workers - 1)

    def _met(self, player: int) -> npt.NDArray[np.float32]:
        """The other range's weight that each hand of *player* can meet: (hands,)."""
        own, theirs = HOLES[self._holes[player]], HOLES[self._holes[1 - player]]
        met: npt.NDArray[np.float32] = (
            fold_values(own, theirs, self._weights[1 - player][:, None])[:, 0] * self._meets[player]
        )
        return met

    def _count_pairs(self) -> float:
        """Weight of all pairs of hands that share no card."""
        return float(self._weights[0].astype(np.float64) @ self._met(0).astype(np.float64))

    def _put_before(self, gadget: Gadget) -> Choice:
        return Choice.put_before(
            self._walk,
            gadget,
            pot=self.spot.pot,
            holes=self._holes[gadget.player],
            weights=self._weights[gadget.player],
            met=self._met(gadget.player),
        )

    def _refuse_too_large(self, num_boards: Sequence[int]) -> None:
        wanted = 0
        for street, parts in enumerate(self.tree.streets):
            for player, holes in enumerate(self._holes):
                slots = sum(
                    len(node.children)
                    for part in parts
                    for node in part.nodes
                    if node.kind == NodeKind.LEAF
                    or (node.kind == NodeKind.DECIDE and node.actor == player)
                )
                wanted += num_boards[street] * slots * len(holes) * (4 if self.packed else 8)
        # Asking for what there is takes a millisecond, which a decision at the table has not.
        if wanted > _SMALL and wanted > available_memory():
            raise ResourceError(
                f"solving this needs {format_bytes(wanted)} of memory, and there are "
                f"{format_bytes(available_memory())}",
                "offer fewer bet sizes, or begin on a later street",
            )

    # ---- Iterations --------------------------------------------------------------------------

    @property
    def memory_bytes(self) -> int:
        """What regrets and strategies take."""
        walk = self._walk
        arrays = (walk.regrets, walk.sums, walk.regret_exponents, walk.sum_exponents)
        return sum(array.nbytes for array in arrays)

    def run(
        self,
        iterations: int,
        *,
        deadline: float | None = None,
        least: int = 0,
        end: float | None = None,
    ) -> int:
        """Do iterations of CFR; return how many were done.

        The average does not begin anew where less than a quarter as many iterations as were done
        would follow.

        Args:
            iterations: how many, if time allows.
            deadline: when to begin no more, on the clock of `time.monotonic`.
            least: iterations that are done even so.
            end: when the whole solve ends, on the same clock; by default with this run.
        """
        until = 2**62 if deadline is None else int(deadline * 1e9)
        if end is None:
            end = math.inf if deadline is None else deadline
        done = 0
        while done < iterations:
            first, begun = self.iterations + 1, time.monotonic()
            begins = average_begins(first)
            follow = max(least - done, (end - begun) / self._pace if self._pace else math.inf)
            if first == begins and follow >= first / 4:
                self._begun = first
            wanted = min(iterations - done, 4 * begins - first)
            fades = _fades(self.method, first, wanted, self._begun)
            now = self._everywhere(self._walk.train, fades, until, max(least - done, 0))
            self.iterations += now
            done += now
            if now:
                self._pace = (time.monotonic() - begun) / now
            if now < wanted:
                break
        return done

    def solve(
        self,
        *,
        target: float = 0.3,
        time_budget: float | None = None,
        most_iterations: int = 10**9,
        observer: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Progress:
        """Iterate until the exploitability is at most *target* percent of the pot.

        Args:
            target: when to stop.
            time_budget: seconds after which to stop earlier.
            most_iterations: iterations after which to stop earlier.
            observer: is told after ten iterations, and then the oftener the nearer the
                target is; and at the end.
            stop: is asked several times a second, but between iterations, whether to stop
                earlier.
        """
        started = time.monotonic()
        deadline = math.inf if time_budget is None else started + time_budget
        wanted = FIRST_LOOK
        while True:
            wanted = min(wanted, most_iterations - self.iterations)
            done = self._run_in_slices(wanted, deadline, stop)
            exploitability = self.exploitability()
            progress = Progress(self.iterations, time.monotonic() - started, exploitability)
            if observer:
                observer(progress)
            finished = done < wanted or self.iterations >= most_iterations or stop()
            if exploitability <= target or finished:
                return progress
            wanted = _until_next_look(self.iterations, exploitability, target)

    def _run_in_slices(self, iterations: int, deadline: float, stop: Callable[[], bool]) -> int:
        """Do iterations as `run` does, looking at *stop* now and then; return how many."""
        done = 0
        # Signals are handled between slices only, and the iterations are the same.
        while done < iterations and not stop() and (now := time.monotonic()) < deadline:
            end = min(deadline, now + _SLICE)
            done += self.run(iterations - done, deadline=end, least=1, end=deadline)
        return done

    def _everywhere(self, door: Callable[..., T], *arguments: Any) -> T:
        """Call a door of the walk in every thread; return what the first one gave."""

        def enter(worker: int) -> T:
            try:
                return door(worker, *arguments)
            except BaseException:
                self._walk.stop()  # nobody may wait for who has gone
                raise

        others: list[Future[T]] = []
        try:
            if self._pool is not None:
                others += (self._pool.submit(enter, one) for one in range(1, self.num_workers))
            result = enter(0)
            for other in others:
                other.result()
        except BaseException:
            self._walk.stop()  # nor for who was never begun
            wait(others)
            self._walk.start_again()
            raise
        return result

    # ---- What is known -----------------------------------------------------------------------

    def exploitability(self) -> float:
        """Return half of what both best responses win together, in percent of the pot.

        With a gadget the player who has it also chooses best between the subgame and what
        it has instead, and the other one answers what enters on average. What leaves are worth
        to both players together, without being nothing, is left aside.
        """
        if self._choice is None:
            answers = [self._mean(p, self._values(p, answer=True)) for p in (0, 1)]
        else:
            chooses, choice = self._choice.gadget.player, self._choice
            enters = np.append(choice.reach(), 0).astype(np.float32)
            other = self._values(1 - chooses, answer=True, reach=enters)
            answers = [
                choice.best(self._values(chooses, answer=True)) / self._pairs,
                self._mean(1 - chooses, other) - choice.elsewhere() / self._pairs,
            ]
        if self.leaves:
            answers.append(-self._given_by_leaves())
        return sum(answers) / 2 / self.spot.pot * 100

    def _given_by_leaves(self) -> float:
        """Return the chips that both strategies win together from each other; see `leaves`."""
        if self._choice is None:
            return sum(self._mean(p, self._values(p, answer=False)) for p in (0, 1))
        chooses, reach = self._choice.gadget.player, self._choice.reach()
        own = self._values(chooses, answer=False).astype(np.float64)
        enters = np.append(reach, 0).astype(np.float32)
        other = self._values(1 - chooses, answer=False, reach=enters)
        return float(reach @ own) / self._pairs + self._mean(1 - chooses, other)

    def best_response(self, player: int) -> float:
        """Return the chips that *player*'s best response takes home on average.

        Less what is put in from now on; both players' shares add up to the pot.
        """
        return self._mean(player, self._values(player, answer=True)) + self.spot.pot / 2

    def value(self, player: int) -> float:
        """Return the chips that *player* takes home on average when both play as they do."""
        return self._mean(player, self._values(player, answer=False)) + self.spot.pot / 2

    def hand_values(self, player: int, *, answer: bool = False) -> npt.NDArray[np.float32]:
        """Return what each hole takes home on average: float32 (1326,), NaN if never dealt.

        Args:
            player: whose holes.
            answer: what they take home when *player* gives a best response.
        """
        values = self._values(player, answer=answer) * self._meets[player]  # 0 of 0 is NaN
        met = self._met(player)
        result = np.full(len(HOLES), np.nan, np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            result[self._holes[player]] = values / met + np.float32(self.spot.pot / 2)
        return result

    def action_values(self, node: Node, hole: int) -> npt.NDArray[np.float64]:
        """Return what the actions of a first-street decision are worth to one hand of the actor.

        Both play on by their average strategies, against the hands that enter where a gadget
        gives the other the choice.

        Returns:
            (actions,), chips won from there on on average, more than by folding; NaN where no
            hand of the other can be there.
        """
        player = node.actor
        other = 1 - player
        enters = None
        if self._choice is not None and self._choice.gadget.player == other:
            enters = self._choice.reach().astype(np.float32)
        padded = None if enters is None else np.append(enters, np.float32(0))
        self._values(player, answer=False, reach=padded)
        place = int(np.flatnonzero(self._reader.holes_on(0, 0, player) == hole)[0])
        others = HOLES[self._reader.holes_on(0, 0, other)]
        reach = self._reader.reach(node, 0, other, enters)
        met = float(fold_values(HOLES[hole : hole + 1], others, reach[:, None])[0, 0])
        met *= bool(self._meets[player][self._holes[player] == hole].any())
        found = [
            float(self._walk.node_values(node.part, child.index, player)[place])
            for child in node.children
        ]
        lost = self.spot.pot / 2 + node.paid[player]
        return np.array(found) / (met or math.nan) + lost

    def equity(self) -> float:
        """Return the share of the pot that player 0 would win if all checked to the end."""
        first, second = (weights.astype(np.float64) for weights in self.spot.ranges)
        return float(range_equity(first, second, self.spot.board).equity)

    def _values(
        self, player: int, *, answer: bool, reach: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        return self._everywhere(self._walk.values, player, answer, reach)

    def _mean(self, player: int, values: npt.NDArray[np.float32]) -> float:
        weights = self._weights[player].astype(np.float64)
        return float(weights @ values.astype(np.float64)) / self._pairs

    def find(self, path: str) -> tuple[Node, tuple[Card, ...]]:
        """Return the node that a text leads to, and the cards that came on the way.

        Args:
            path: actions and cards from the root, as in ``"check bet100 call Kd check"``.

        Raises:
            ConfigError: a word is no action there, or no card that can come.
        """
        node = self.tree.root
        cards: list[Card] = []
        for word in path.split():
            if node.kind == NodeKind.DEAL:
                cards.append(self._dealt(word, cards))
                node = node.children[0]
                continue
            names = {child.action.replace(" ", ""): child for child in node.children}
            if word not in names:
                where = f"after '{node.path()}'" if node.parent else "at the beginning"
                raise ConfigError(
                    f"no action {word!r} {where}",
                    f"one of {', '.join(names)}" if names else "the hand ends there",
                )
            node = names[word]
        return node, tuple(cards)

    def _dealt(self, word: str, cards: Sequence[Card]) -> Card:
        card = parse_card(word)
        if card in (*self.spot.board, *cards):
            raise ConfigError(
                f"{word} is there twice", "name a card that is not on the board already"
            )
        return card

    def strategy(self, node: Node, cards: Sequence[Card] = ()) -> HandStrategy:
        """Return the average strategy at a decision, once *cards* have come after the board.

        Raises:
            ConfigError: *node* is no decision, or the cards do not lead to its street.
        """
        if node.kind != NodeKind.DECIDE or len(cards) != node.street:
            raise ConfigError(
                f"no decision after '{node.path()}' and {cards_text(cards) or 'no card'}",
                "name a point where a player acts, with a card for each '/'",
            )
        return self._reader.strategy(node, cards)

    # ---- Locks -------------------------------------------------------------------------------

    def lock(self, node: Node, strategy: npt.NDArray[np.floating]) -> None:
        """Fix what a player does at a decision, whatever cards came; the others adapt.

        Exploitability is then that of the game with this strategy given.

        Args:
            node: a decision.
            strategy: (1326, actions), by hole; rows are normalised.

        Raises:
            ConfigError: *strategy* has another shape or a row without a sum above 0.
            MismatchError: it treats suits differently that this solver deals alike.
        """
        shape = (len(HOLES), len(node.children))
        table = np.asarray(strategy, np.float64)
        if node.kind != NodeKind.DECIDE or table.shape != shape:
            raise ConfigError(
                f"a strategy of shape {table.shape} for '{node.path()}', which needs {shape}",
                "give a row for each hole and a number for each action",
            )
        used = table[self._holes[node.actor]]
        if not (used >= 0).all() or not (used.sum(axis=1) > 0).all():
            raise ConfigError(
                f"the strategy for '{node.path()}' has a hand without probabilities",
                "give every hand of the range numbers of at least 0, not all 0",
            )
        for _, _, _, renamings in self._boards.dealings:
            for renaming in np.unique(renamings, axis=0).tolist():
                after = rename_holes(np.arange(len(HOLES)), tuple(renaming))
                if not np.array_equal(table[after], table):
                    raise MismatchError(
                        f"the strategy for '{node.path()}' treats suits differently",
                        "make the solver with alike=False",
                    )
        for board in range(self._boards.num_boards(node.street)):
            holes = self._reader.holes_on(node.street, board, node.actor)
            rows = self._reader.sums(node, board)
            shares = (table[holes] / table[holes].sum(axis=1, keepdims=True)).T
            if self.packed:
                _, _, pad, block = self._walk.rows_at(node.street, board, node.part, node.index)
                self._walk.sum_exponents[block : block + pad // 16] = 127
                shares = np.rint(shares * 16_384)
            rows[:, : len(holes)] = shares
        self._walk.lock(node.street, node.part, node.index)
        self.locks.append(node)

    # ---- Files -------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write everything as a folder, from which `load` goes on.

        Raises:
            StorageError: it cannot be written.
            ConfigError: it has leaves, whose values belong to somebody else.
        """
        if self.leaves:
            raise ConfigError(
                "a subgame with leaves is not kept", "keep the spot, and solve it again"
            )
        walk = self._walk
        write_folder(
            path,
            {
                "regrets": walk.regrets,
                "sums": walk.sums,
                "regret_exponents": walk.regret_exponents,
                "sum_exponents": walk.sum_exponents,
                **self._gadget_arrays(),
            },
            {
                "spot": self.spot.describe(),
                "method": self.method,
                "iterations": self.iterations,
                "begun": self._begun,
                "packed": self.packed,
                "locks": [node.path() for node in self.locks],
                "alike": self._alike,
                "line": [[int(action.kind), action.amount] for action in self._line],
                "gadget": self.gadget and {"player": self.gadget.player, "kind": self.gadget.kind},
            },
            kind=KIND,
        )

    def _gadget_arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        if self.gadget is None:
            return {}
        return {
            "gadget_regrets": self._walk.gadget_regrets,
            "gadget_sums": self._walk.gadget_sums,
            "alternatives": np.asarray(self.gadget.alternatives, np.float32),
        }

    @classmethod
    def load(cls, path: Path, *, num_workers: int = 1) -> SubgameSolver:
        """Return the solver that `save` wrote.

        Raises:
            StorageError: *path* is missing, damaged or something else.
            MismatchError: it was made by rules that this version does not have.
        """
        folder = read_folder(path, KIND)
        saved, arrays = folder.metadata, dict(folder.arrays)
        gadget = None
        if saved["gadget"]:
            gadget = Gadget(alternatives=arrays.pop("alternatives"), **saved["gadget"])
        solver = cls(
            Spot.from_description(saved["spot"]),
            method=saved["method"],
            packed=saved["packed"],
            num_workers=num_workers,
            alike=saved["alike"],
            line=[Action(ActionKind(kind), amount) for kind, amount in saved["line"]],
            gadget=gadget,
        )
        walk = solver._walk
        for name, array in arrays.items():
            rows = getattr(walk, name)
            if rows.shape != array.shape or rows.dtype != array.dtype:
                raise MismatchError(
                    f"{path} holds {array.size:,} {name}, and this spot has {rows.size:,}",
                    "solve the spot again with this version",
                )
            rows[:] = array
        solver.iterations, solver._begun = saved["iterations"], saved["begun"]
        by_path = {node.path(): node for node in solver.tree.nodes()}
        for place in saved["locks"]:
            node = by_path[place]
            walk.lock(node.street, node.part, node.index)
            solver.locks.append(node)
        return solver


def _until_next_look(iterations: int, exploitability: float, target: float) -> int:
    """Iterations until the target may be met: it comes no sooner, as far as was seen.

    Exploitability falls with the third power of the iterations at most, for long.
    """
    times = (exploitability / target) ** 0.3 if target > 0 else math.inf
    step = iterations * min(times - 1, 1)
    return min(max(math.ceil(step / LEAST_STEP) * LEAST_STEP, LEAST_STEP), MOST_STEP)


# Decisions in real time ask for the same ones again and again.
@lru_cache(maxsize=64)
def _fades(method: str, first: int, count: int, begun: int) -> npt.NDArray[np.float32]:
    """The fades of *count* iterations from *first* on, the average begun at *begun*: (count, 4)."""
    fade = METHODS[method]
    return np.array([fade(number, begun) for number in range(first, first + count)], np.float32)


def _spread(holes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Order holes so that neighbours of the same two ranks share no card.

    Sums by card then need not wait for one another.
    """
    low, high = HOLES[holes].astype(np.int64).T
    return holes[np.lexsort((low, low // 4, high // 4, (high - low) % 4))]

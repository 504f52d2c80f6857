"""How much a perfect opponent wins against a policy of two-player hold'em, over the real cards.

The opponent, the *responder*, knows the policy and sees its own two cards as they are: no
bucket for it. It bets as the betting tree allows. Against it each seat of the policy has a
value; the policy against itself has another; what lies between is exploitability.

How much of the deck is dealt:

* all boards: the result is exact;
* some flops, drawn with chances proportional to how many real flops they stand for, and every
  turn and river after each. Draws go on through the deck by the golden ratio, so that however
  many the time allows lie evenly in it. Below a flop the response is exact, but
  before the flop the responder chooses for all flops at once. Fitted to those drawn, its
  choice looks better than it is: the estimate is biased upwards. What is chosen on one half of
  the draws is therefore also judged on the other half, which is biased downwards.
  Blocked hands are corrected for: by chance a hand shares cards with more of the flops drawn
  than it does of all, and its values are scaled to the opponents that the deck leaves it;
* some turns or rivers of each flop as well: each of the responder's decisions before them is
  fitted to what was drawn, hand by hand, and the upward bias grows large.

A responder who keeps to the policy up to some street, and may leave it only from there on,
chooses nothing before it: then sampling flops has almost no bias (that of the correction, which is
a ratio, goes as one over the number of draws), and the result is a lower bound.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from holdem import storage
from holdem._core.best_response import SLOT_HOLES
from holdem.abstraction.bucketing import HandBucketing
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError, MismatchError
from holdem.evaluation.betting_groups import group_betting
from holdem.evaluation.decks import FLOPS, Deck, HoldemDeck
from holdem.evaluation.estimates import quantile95
from holdem.evaluation.opening_street import OpeningStreet, Plan, Values
from holdem.game.policy import Policy

Form = Literal["exact", "sampled", "river", "turn", "flop"]
_FIRST_FREE = {"flop": 1, "turn": 2, "river": 3}  # street from which on the responder may leave

FORMS: dict[Form, str] = {
    "exact": "the best response, over all boards",
    "sampled": "the best response on a sample of flops, with all turns and rivers of each",
    "river": "the best response that keeps to the policy before the river: a lower bound",
    "turn": "the best response that keeps to the policy before the turn: a lower bound",
    "flop": "the best response that keeps to the policy before the flop: a lower bound",
}

STATE_KIND = "best response"
STATE_NAME = "partial"
SAVE_SECONDS = 30.0

_GOLDEN = (math.sqrt(5) - 1) / 2
_FEWEST_DRAWS = 2
_PROBES = 8  # families that an estimate looks at,
_PROBED_TURNS = 5  # and turns of each
# What is summed up: seat 0's and 1's best value, 0's own, and what both meet of the other's reach.
_BEST0, _BEST1, _OWN0, _MET0, _MET1 = range(5)


def definitions(num_players: int = 2) -> str:
    """Return what the figures of a best response mean, with so many seats."""
    two = num_players == 2
    others = "the other seat's policy" if two else "the other seats' policies"
    mean = "loss to a perfect opponent" if two else "over seats of what a best response gains"
    return (
        "best response: what a seat wins, in milli big blinds per hand, when it knows "
        f"{others} and plays every hand as well as it can within the betting tree. "
        f"NashConv: the sum over {'both' if two else 'all'} seats of best response less the "
        "policy's own value; 0 in an equilibrium. "
        f"Exploitability: NashConv / {num_players}, the mean {mean}."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseProgress:
    """How far a best response is."""

    done: int
    """Flops."""
    total: int
    """Estimated if only time limits them."""
    seconds: float
    """Since the start."""
    seconds_left: float
    """Estimated: from a few boards before the first flop is done, then from those done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BestResponseResult:
    """What a perfect opponent wins. All values in milli big blinds per hand, by seat.

    Attributes:
        form: which of `FORMS`.
        values: what the policy wins against itself; they sum to 0, so that `nash_conv` needs
            none of them. None if they were not wanted.
        best_responses: what each seat wins when it alone responds as well as it can.
        interval: half of the 95 % interval of `nash_conv`; 0 if all boards were dealt. It is
            that of draws with replacement, and so rather too wide.
        lower_nash_conv: when sampled, the NashConv of a responder whose choices before the flop
            were made on the other half of the draws: biased downwards as `nash_conv` is
            upwards. Else equal to it.
        bias: how the estimate leans, in words.
        flops: how many flops were drawn, or all up to suits.
        draws: turns, and rivers of each, that were drawn; 0 for all.
        river_boards: how many were dealt, for each seat.
        seconds: how long it took.
        workers: threads that worked.
        seed: of the draws.
        definitions: what the figures mean.
    """

    form: Form
    values: tuple[float, float] | None
    best_responses: tuple[float, float]
    interval: float
    lower_nash_conv: float
    bias: str
    flops: int
    draws: tuple[int, int]
    river_boards: int
    seconds: float
    workers: int
    seed: int
    definitions: str = definitions()

    @property
    def nash_conv(self) -> float:
        """Sum over seats of what a best response gains."""
        return sum(self.best_responses)

    @property
    def exploitability(self) -> float:
        """`nash_conv` / 2: the mean loss against a perfect opponent."""
        return self.nash_conv / 2


def best_response(
    policy: Policy,
    bucketing: HandBucketing,
    *,
    form: Form = "exact",
    budget_seconds: float | None = None,
    flops: int | None = None,
    turns: int = 0,
    rivers: int = 0,
    workers: int = 0,
    seed: int = 0,
    progress: Callable[[ResponseProgress], None] | None = None,
    resume_folder: Path | None = None,
    own_values: bool = True,
) -> BestResponseResult:
    """Return how exploitable *policy* is within its betting tree.

    Args:
        policy: a policy of two-player hold'em.
        bucketing: the bucket set that it was made for.
        form: one of `FORMS`.
        budget_seconds: draw flops until this time is over, but two at least (not for ``exact``).
        flops: draw so many, whatever the time; by default all, or as many as the time allows.
            As many of the same seed are the same.
        turns, rivers: draw so many after each flop and each turn; 0 for all.
        workers: threads; 0 for one per core. The result does not depend on it.
        seed: of the draws.
        progress: is told how far it is, first with an estimate from a few boards.
        resume_folder: where sums are kept while all flops are dealt, so that a run that was
            killed goes on from there; it is removed at the end.
        own_values: whether what the policy wins against itself is wanted too, for a quarter
            more time.

    Raises:
        ConfigError: not two-player hold'em, or options that contradict one another.
        MismatchError: the buckets are not those of the policy, or *resume_folder* holds
            another policy's sums.
    """
    if form not in FORMS:
        raise ConfigError(f"no such best response: {form!r}", f"choose from {', '.join(FORMS)}")
    if form == "exact" and (flops is not None or turns or rivers or budget_seconds is not None):
        raise ConfigError(
            "an exact best response deals all boards, so it takes no budget and no draws",
            "leave them out, or choose the form 'sampled'",
        )
    if form == "sampled" and flops is None and budget_seconds is None:
        raise ConfigError(
            "a sampled best response without a number of flops or a budget of seconds",
            "say how many flops to draw, or how long it may take",
        )
    response = BestResponse(policy, HoldemDeck(policy.tree, bucketing), form, own_values=own_values)
    return response.run(
        budget_seconds=budget_seconds,
        flops=flops,
        draws=(turns, rivers),
        workers=workers,
        seed=seed,
        progress=progress or (lambda _: None),
        resume_folder=resume_folder,
    )


def require_sums_of(
    policy: Policy, bucketing: HandBucketing, folder: Path, *, own_values: bool = True
) -> None:
    """Refuse, before the work, a resume folder in which an exact best response cannot go on.

    Args:
        policy, bucketing, own_values: see `best_response`.
        folder: where its sums are kept; it need not exist yet.

    Raises:
        MismatchError: it holds the sums of another one.
        StorageError: it holds something else, or what is damaged.
    """
    path = Path(folder) / STATE_NAME
    if path.exists():
        identity = _identity(policy, bucketing.fingerprint, "exact", own_values=own_values)
        identity |= _drawing((0, 0), 0)
        _require_sums_of(identity, path, storage.read_metadata(path, STATE_KIND))


class BestResponse:
    """Best responses of both seats to one policy on one deck.

    Args:
        policy: the strategies of both seats.
        deck: the cards.
        form: one of `FORMS`.
        own_values: see `best_response`.

    Attributes:
        leaves: the nodes where the first street that has a board begins.
    """

    def __init__(
        self, policy: Policy, deck: Deck, form: Form = "exact", *, own_values: bool = True
    ) -> None:
        self.policy = policy
        self.deck = deck
        self.form = form
        self.own_values = own_values
        kept = _FIRST_FREE.get(form, 0)  # streets on which the policy is kept
        self._chooses = tuple(street >= kept for street in range(1, deck.num_streets))
        self._chooses_first = kept == 0
        self._opening = OpeningStreet(policy, deck.possible, deck.buckets)
        self.leaves = self._opening.leaves
        groups = group_betting(policy, deck.num_streets)
        self._betting = groups.betting
        self._group, self._lane = groups.places.T
        classes = np.asarray(deck.classes, np.int64)
        self._num_classes = int(classes.max()) + 1
        self._class_sizes = np.maximum(np.bincount(classes, deck.possible), 1.0)
        self._classes = classes
        # What the other seat brings to the first board, as the kernel wants it.
        self._leaf_reach = [self._opening.reach(1 - seat) for seat in (0, 1)]
        self._reach = []
        for leaf_reach in self._leaf_reach:
            reach = np.zeros((groups.num_groups, len(classes), groups.num_lanes), np.float32)
            reach[self._group, :, self._lane] = leaf_reach
            self._reach.append(reach)
        self._met = [
            self._by_class(self._opening.met(reach) * deck.possible) for reach in self._leaf_reach
        ]

    def run(
        self,
        *,
        budget_seconds: float | None = None,
        flops: int | None = None,
        draws: tuple[int, int] = (0, 0),
        workers: int = 0,
        seed: int = 0,
        progress: Callable[[ResponseProgress], None] = lambda _: None,
        resume_folder: Path | None = None,
    ) -> BestResponseResult:
        """See `best_response`."""
        if flops is not None and flops < _FEWEST_DRAWS:
            raise ConfigError(
                f"{flops} flops to draw", f"draw at least {_FEWEST_DRAWS}, or say how long"
            )
        started = time.monotonic()
        deadline = math.inf
        if flops is None and budget_seconds is not None:
            deadline = started + budget_seconds
        with Workers(workers) as pool:
            sampled = flops is not None or budget_seconds is not None
            each = self._seconds_per_family(pool, draws, seed, sampled=sampled)
            chosen: NDArray[np.int64] = np.arange(len(self.deck.weights))
            drawn: NDArray[np.int64] | None = None
            if sampled:
                chosen, drawn = self._draw(min(flops or FLOPS, FLOPS), seed)
            total = _Sum(self, chosen, drawn, resume_folder, draws, seed)
            first = total.done

            def response(i: int, _: int) -> tuple[Values, int] | None:
                if i >= _FEWEST_DRAWS and time.monotonic() + each > deadline:
                    return None
                return self.family_values(int(chosen[first + i]), draws, seed)

            def tell(pace: float) -> None:
                now = time.monotonic()
                left = min(pace * (len(chosen) - total.done), max(deadline - now, 0.0))
                progress(
                    ResponseProgress(
                        done=total.done,
                        total=total.done + round(left / pace),
                        seconds=now - started,
                        seconds_left=left,
                    )
                )

            tell(each / pool.num_workers)
            begun = time.monotonic()
            for _, stop, found in pool.chunks(response, len(chosen) - first, 1):
                if found is None:
                    break
                total.add(*found)
                tell((time.monotonic() - begun) / stop)
            total.end()
            result = self._result(
                total, seconds=time.monotonic() - started, workers=pool.num_workers
            )
        total.forget()
        return result

    def _draw(self, count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw *count* families.

        Returns:
            The families, each once, in the order in which they were first drawn; and of each
            draw, which of these it is.
        """
        weights = self.deck.weights
        # Neighbours in the deck's order are alike, so draws that lie evenly say more.
        points = (np.random.default_rng(seed).random() + _GOLDEN * np.arange(count)) % 1.0
        ends = np.cumsum(weights) / weights.sum()
        found = np.minimum(np.searchsorted(ends, points, side="right"), len(weights) - 1)
        families, first, which = np.unique(found, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return families[order], np.argsort(order)[which]

    def _seconds_per_family(
        self, pool: Workers, draws: tuple[int, int], seed: int, *, sampled: bool
    ) -> float:
        """Estimate how long a family takes a worker, from a few turns of a few of them.

        They are drawn as the others will be, and all workers are at it: they share caches.
        """
        count = len(self.deck.weights)
        few = np.unique(np.linspace(0, count - 1, _PROBES).astype(np.int64))
        if sampled:
            few = self._draw(_PROBES, seed)[0]

        def timed(index: int, turns: int) -> tuple[float, int]:
            started = time.monotonic()
            boards = self.family_values(index, (turns, draws[1]), seed)[1]
            return time.monotonic() - started, boards

        def probe(i: int, _: int) -> float:
            index = int(few[i])
            seconds, boards = timed(index, draws[0] or 1)
            if draws[0]:
                return seconds
            # A part of that does not grow with the boards.
            more_seconds, more_boards = timed(index, _PROBED_TURNS)
            each = (more_seconds - seconds) / max(more_boards - boards, 1)
            whole = self.deck.family(index, (0, draws[1]), seed).boards
            rest = np.count_nonzero(whole["num_children"] == 0) - more_boards
            return more_seconds + max(each, 0.0) * rest

        return float(np.mean([seconds for _, _, seconds in pool.chunks(probe, len(few), 1)]))

    def family_values(self, index: int, draws: tuple[int, int], seed: int) -> tuple[Values, int]:
        """Return sums of one family, float64 (5, leaves, classes), and how many last boards it has.

        A value is the mean over the hands of a class, in chips times the other's reach.
        """
        family = self.deck.family(index, draws, seed)
        # The values of impossible hands mean nothing: not even that they are numbers.
        possible = self.deck.possible.copy()
        first = family.boards[0]
        for card in first["cards"][: first["num_cards"]]:
            possible[(card == SLOT_HOLES).any(axis=1)] = 0.0
        values = np.zeros((5, len(self._group), self._num_classes))
        for seat in (0, 1):
            best, own = self._betting.respond(
                seat,
                family,
                self._reach[seat],
                own=self.own_values and seat == 0,
                chooses=self._chooses,
            )
            values[_BEST0 + seat] = self._by_class(
                np.where(possible, best[self._group, :, self._lane], 0.0)
            )
            if own is not None:
                values[_OWN0] = self._by_class(
                    np.where(possible, own[self._group, :, self._lane], 0.0)
                )
            met = self._opening.met(self._leaf_reach[seat] * possible)
            values[_MET0 + seat] = self._by_class(met * possible)
        return values, int((family.boards["num_children"] == 0).sum())

    def _by_class(self, by_hand: Values) -> Values:
        """Means over the hands of each class, (leaves, classes), of (leaves, hands)."""
        sums = [np.bincount(self._classes, row, self._num_classes) for row in by_hand]
        means: Values = np.array(sums) / self._class_sizes
        return means

    def _corrected(self, sums: Values) -> Values:
        """Values as if the draws had left each hand as many opponents as the deck does."""
        ratios = [
            np.divide(met, drawn, out=np.zeros_like(met), where=drawn > 0)
            for met, drawn in zip(self._met, sums[_MET0:], strict=True)
        ]
        corrected: Values = sums[:_MET0] * np.array([ratios[0], ratios[1], ratios[0]])
        return corrected

    def _result(self, total: _Sum, *, seconds: float, workers: int) -> BestResponseResult:
        milli = 1000 / self.policy.tree.game.big_blind
        sums = total.sums[:_MET0] if total.drawn is None else self._corrected(total.sums)
        own = None
        if self.own_values:
            value = self._value(0, sums[_OWN0], self._opening.own_plan(0)) * milli
            own = (value, -value)
        plans = [self._plan(seat, sums[seat]) for seat in (0, 1)]
        best = tuple(self._value(seat, sums[seat], plans[seat]) * milli for seat in (0, 1))
        interval, lower = 0.0, sum(best)
        if total.drawn is not None:
            interval = self._interval(total, plans) * milli
            if self._chooses_first:
                lower = self._judged_elsewhere(total) * milli
        return BestResponseResult(
            form=self.form,
            values=own,
            best_responses=(best[0], best[1]),
            interval=interval,
            lower_nash_conv=lower,
            bias=self._bias(total),
            flops=total.num_draws,
            draws=total.draws,
            river_boards=total.last_boards,
            seconds=seconds,
            workers=workers,
            seed=total.seed,
        )

    def _plan(self, seat: int, leaf_values: Values) -> Plan:
        """What the responder does before the first board."""
        if not self._chooses_first:
            return self._opening.own_plan(seat)
        return self._opening.best_plan(seat, leaf_values[:, self._classes])

    def _value(self, seat: int, leaf_values: Values, plan: Plan) -> float:
        return self._opening.value(seat, leaf_values[:, self._classes], plan)

    def _interval(self, total: _Sum, plans: list[Plan]) -> float:
        """Half of the 95 % interval of NashConv, in chips, the plans being given."""
        assert total.drawn is not None
        # What a draw adds to the corrected mean, to first order: its values, and a correction in
        # proportion to how many opponents it leaves too few.
        per_met = [
            np.divide(total.sums[seat], met, out=np.zeros_like(met), where=met > 0)
            for seat, met in enumerate(total.sums[_MET0:])
        ]
        found = np.array(
            [
                sum(
                    self._value(
                        seat,
                        each[seat] + per_met[seat] * (self._met[seat] - each[_MET0 + seat]),
                        plans[seat],
                    )
                    for seat in (0, 1)
                )
                for each in total.each
            ]
        )
        variance = found[total.drawn].var()
        return float(quantile95(total.num_draws) * math.sqrt(variance / (total.num_draws - 1)))

    def _judged_elsewhere(self, total: _Sum) -> float:
        """NashConv in chips when each half of the draws is played by plans made on the other."""
        assert total.drawn is not None
        halves = [total.drawn[start::2] for start in (0, 1)]
        sums = [self._corrected(total.mean(half)) for half in halves]
        result = 0.0
        for plan_on, judge_on in ((0, 1), (1, 0)):
            share = len(halves[judge_on]) / total.num_draws
            for seat in (0, 1):
                plan = self._plan(seat, sums[plan_on][seat])
                result += share * self._value(seat, sums[judge_on][seat], plan)
        return result

    def _bias(self, total: _Sum) -> str:
        bound = (
            ""
            if self._chooses_first
            else "a lower bound: the responder may leave the policy only late; "
        )
        drawn_before_choice = [
            name
            for name, num, chosen_before in (
                ("flops", total.drawn is not None, self._chooses_first),
                ("turns", total.draws[0], self._chooses[0]),
                ("rivers", total.draws[1], self._chooses[1] if len(self._chooses) > 1 else False),
            )
            if num and chosen_before
        ]
        if total.drawn is None and not any(total.draws):
            return bound + "exact over all boards"
        if not drawn_before_choice:
            return bound + "almost without bias from the draws"
        return (
            bound
            + "biased upwards: the responder's choices are fitted to the "
            + f"{' and '.join(drawn_before_choice)} drawn"
        )

    def identity(self) -> dict[str, Any]:
        """Return what sums of another policy, deck or form would differ in."""
        return _identity(self.policy, self.deck.fingerprint, self.form, own_values=self.own_values)


def _identity(
    policy: Policy, buckets_fingerprint: str, form: Form, *, own_values: bool
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for node in np.flatnonzero(policy.tree.nodes["num_actions"]):
        digest.update(np.ascontiguousarray(policy.strategy(int(node))).data)
    return {
        "tree": policy.tree.fingerprint,
        "strategy": digest.hexdigest(),
        "buckets": buckets_fingerprint,
        "form": form,
        "own values": str(own_values),
    }


def _drawing(draws: tuple[int, int], seed: int) -> dict[str, Any]:
    """What sums of other draws would differ in: a seed only where something is drawn."""
    return {"draws": list(draws), **({"seed": seed} if any(draws) else {})}


def _require_sums_of(identity: dict[str, Any], path: Path, metadata: dict[str, Any]) -> None:
    """Raise unless *metadata* is that of sums of *identity*."""
    for name, wanted in identity.items():
        if metadata.get(name) != wanted:
            raise MismatchError(
                f"{path} holds the sums of another best response: its {name} differs",
                "give another folder, or remove this one to start over",
            )


class _Sum:
    """Values added up in the order of families, whoever found them.

    Attributes:
        drawn: of each draw, its place among the families dealt; None if those are all.
        num_draws: flops.
        sums: float64 (5, leaves, classes), see `_BEST0` and what follows it; of draws, at the
            end.
        each: of drawn families, what each alone would make of all; empty if all are dealt.
        done: families added.
        last_boards: river boards, in hold'em.
    """

    def __init__(
        self,
        response: BestResponse,
        chosen: NDArray[np.int64],
        drawn: NDArray[np.int64] | None,
        folder: Path | None,
        draws: tuple[int, int],
        seed: int,
    ) -> None:
        self.drawn = drawn
        self.draws = draws
        self.seed = seed
        self.each: list[NDArray[np.float32]] = []
        self.done = 0
        self.last_boards = 0
        self.sums = np.zeros((5, len(response.leaves), response._num_classes))
        self.num_draws = len(response.deck.weights)
        self._whole = float(response.deck.weights.sum())
        self._weights = response.deck.weights[chosen]
        # Draws are few, and each has to be kept for the interval.
        self._path = Path(folder) / STATE_NAME if folder is not None and drawn is None else None
        self._identity: dict[str, Any] = {}
        self._saved = time.monotonic()
        if self._path is not None:
            self._identity = response.identity() | _drawing(draws, seed)
            self._resume(self._path)

    def add(self, values: Values, last_boards: int) -> None:
        """Add the next family's."""
        self.sums += self._weights[self.done] * values
        if self.drawn is not None:
            self.each.append((self._whole * values).astype(np.float32))
        self.done += 1
        self.last_boards += last_boards
        if self._path is not None and time.monotonic() - self._saved >= SAVE_SECONDS:
            self._save(self._path)

    def end(self) -> None:
        """Keep the draws whose families were all dealt; with all families, it is no sample."""
        if self.done == self.num_draws:
            self.drawn = None
        if self.drawn is None:
            return
        # Places are in the order of first draws: what comes after a missing one is left out.
        missing = self.drawn >= self.done
        self.num_draws = int(missing.argmax()) if missing.any() else len(self.drawn)
        self.drawn = self.drawn[: self.num_draws]
        self.sums = self.mean(self.drawn)

    def mean(self, drawn: NDArray[np.int64]) -> Values:
        """Return the mean of these draws."""
        times = np.bincount(drawn, minlength=self.done)
        mean = np.zeros_like(self.sums)
        for count, values in zip(times, self.each, strict=True):
            mean += count / len(drawn) * values
        return mean

    def forget(self) -> None:
        """Remove what was kept to go on from."""
        if self._path is not None and storage.is_folder(self._path, STATE_KIND):
            storage.remove_folder(self._path)
            with contextlib.suppress(OSError):  # something of the user's may lie in it
                self._path.parent.rmdir()

    def _save(self, path: Path) -> None:
        metadata = {**self._identity, "done": self.done, "last_boards": self.last_boards}
        storage.write_folder(path, {"sums": self.sums}, metadata, kind=STATE_KIND)
        self._saved = time.monotonic()

    def _resume(self, path: Path) -> None:
        if not path.exists():
            return
        folder = storage.read_folder(path, STATE_KIND, mmap=False)
        _require_sums_of(self._identity, path, folder.metadata)
        self.sums = np.array(folder.arrays["sums"])
        self.done = int(folder.metadata["done"])
        self.last_boards = int(folder.metadata["last_boards"])

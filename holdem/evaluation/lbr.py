"""Local best response: a lower bound on what a policy loses to its worst opponent.

The responder (Lisy & Bowling 2017) knows the policy. At each of its turns it knows, exactly, how
likely the policy holds each hand after all that was played (Bayes), and takes the action that
would win the most if from then on everybody checked and called: so a bet is worth what folds
win, plus its equity against what does not fold. What it then really wins, by the real rules and
with real cards, is the result; the best opponent wins as much or more.

The policy's hand is not dealt. All hands that it can hold are played at once, each of its
actions in proportion to its probability, and an all-in counts with its exact equity, so noise comes
only from the board and the responder's hand. A deal is one board with several hands of the
responder, each played from both seats (duplicate), and the interval is over deals. Bets
that the policy's tree does not have go through `holdem.abstraction.translation`; how the policy
took them stays hidden from the responder.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core.rollout import range_sums
from holdem.abstraction.translation import Translator
from holdem.abstraction.workers import Workers
from holdem.errors import ConfigError
from holdem.evaluation.estimates import quantile95
from holdem.evaluation.lbr_betting import SETTINGS, Answer, Betting, Ending, Spot, Turn
from holdem.evaluation.lbr_cards import Buckets, Deal, HoldemCards, OneCardCards, check_buckets
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree
from holdem.types import GameConfig

HANDS_PER_BOARD = 16
"""Of the responder, in one deal; more cost little, and say less than those of another board."""

ROUNDS = {"1-4": 0, "2-4": 1, "3-4": 2, "4-4": 3}
"""The betting rounds on which it responds, and the first of their streets."""

_FEWEST_DEALS = 2  # for an interval
_MOST_DRAWS = 10_000  # of one deal; each is an action of the policy

Floats = NDArray[np.float64]
Draws = Iterator[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class LbrResult:
    """What local best response wins against a policy, in milli big blinds per hand.

    Attributes:
        mbb_per_hand: the mean over both seats.
        interval: half the width of its 95 % interval; 0 where every deal was enumerated.
        by_seat: what it wins from seat 0 and from seat 1.
        seat_intervals: their half widths.
        hands: that the responder played.
        setting: its bets: ``fc``, ``fcpa``, ``56bets`` or ``tree``.
        rounds: those on which it responds; before them it checks and calls.
        seed: of the deals.
    """

    mbb_per_hand: float
    interval: float
    by_seat: tuple[float, float]
    seat_intervals: tuple[float, float]
    hands: int
    setting: str
    rounds: str
    seed: int


class LocalBestResponse:
    """Responds to the policies of one betting tree; what it learns of the betting serves them all.

    Args:
        tree: of the policies.
        bucketing: their buckets; None for one-card games, whose deals are all enumerated.
        setting: a name of `SETTINGS`: its bets.
        rounds: a name of `ROUNDS`: when it responds.
        game: what is really played; by default the tree's own game.

    Raises:
        ConfigError: no such setting or rounds, or more than two players.
        MismatchError: *bucketing* or *game* do not fit the tree.
    """

    def __init__(
        self,
        tree: BettingTree,
        bucketing: Buckets | None = None,
        *,
        setting: str = "fcpa",
        rounds: str = "1-4",
        game: GameConfig | None = None,
    ) -> None:
        for name, value, known in (("setting", setting, SETTINGS), ("rounds", rounds, ROUNDS)):
            if value not in known:
                raise ConfigError(
                    f"no {name} {value!r} of local best response",
                    f"choose one of: {', '.join(known)}",
                )
        translator = Translator(tree, game)
        self._game = translator.game
        self._setting, self._rounds = setting, rounds
        self._bettings = tuple(
            Betting(translator, seat, setting, ROUNDS[rounds]) for seat in range(2)
        )
        self._cards = None
        if self._game.cards.kind == "holdem":
            if bucketing is None:
                raise ConfigError(
                    "local best response of hold'em without buckets",
                    "name the policy's bucket set",
                )
            check_buckets(tree, bucketing)
            self._cards = HoldemCards(bucketing, self._game.num_streets, HANDS_PER_BOARD)

    def against(
        self,
        policy: Policy,
        *,
        hands: int = 10_000,
        seconds: float | None = None,
        seed: int = 1,
        workers: int = 1,
    ) -> LbrResult:
        """Return what it wins against *policy*; see `local_best_response`.

        Args:
            policy: of the tree.
            hands: of the responder, rounded up to whole deals.
            seconds: stop after this time, even if not all hands are played; how many are,
                then depends on the machine.
            seed: of the deals.
            workers: threads; 0 for one per core.

        Raises:
            ConfigError: too few hands.
        """
        if hands < 1:
            raise ConfigError(f"{hands} hands of local best response", "play at least 1")
        responder = _Responder(policy, self._bettings)
        if self._cards is None:
            return self._enumerated(responder, seed)
        means = self._played(responder, self._cards, hands, seconds, seed, workers)
        half = quantile95(len(means)) / math.sqrt(len(means))
        return self._result(
            means.mean(axis=0),
            means.std(axis=0, ddof=1) * half,
            float(means.mean(axis=1).std(ddof=1) * half),
            2 * HANDS_PER_BOARD * len(means),
            seed,
        )

    def _played(
        self,
        responder: _Responder,
        cards: HoldemCards,
        hands: int,
        seconds: float | None,
        seed: int,
        workers: int,
    ) -> Floats:
        """The mean of each deal from each seat, (deals, 2), milli big blinds per hand."""
        num_deals = max(_FEWEST_DEALS, -(-hands // (2 * HANDS_PER_BOARD)))
        deadline = None if seconds is None else time.monotonic() + seconds

        def play(number: int, _: int) -> Floats:
            draws = iter(np.random.default_rng([seed, number]).random(_MOST_DRAWS).tolist())
            means: Floats = responder.values(cards.deal(seed, number), draws).mean(axis=1)
            return means

        means = []
        with Workers(workers) as pool:
            for _, _, mean in pool.chunks(play, num_deals, 1):
                means.append(mean)
                if deadline and time.monotonic() >= deadline and len(means) >= _FEWEST_DEALS:
                    break
        return np.array(means) * (1000 / self._game.big_blind)

    def _enumerated(self, responder: _Responder, seed: int) -> LbrResult:
        weights, values = [], []
        for weight, deal in OneCardCards(self._game).deals():
            weights.append(weight)
            values.append(responder.values(deal).mean(axis=1))
        mean = np.array(weights) @ np.array(values) * (1000 / self._game.big_blind)
        return self._result(mean, np.zeros(2), 0.0, 2 * len(weights), seed)

    def _result(
        self, mean: Floats, half: Floats, interval: float, hands: int, seed: int
    ) -> LbrResult:
        return LbrResult(
            mbb_per_hand=float(mean.mean()),
            interval=interval,
            by_seat=(float(mean[0]), float(mean[1])),
            seat_intervals=(float(half[0]), float(half[1])),
            hands=hands,
            setting=self._setting,
            rounds=self._rounds,
            seed=seed,
        )


def local_best_response(
    policy: Policy,
    bucketing: Buckets | None = None,
    *,
    hands: int = 10_000,
    setting: str = "fcpa",
    rounds: str = "1-4",
    seed: int = 1,
    workers: int = 1,
    game: GameConfig | None = None,
) -> LbrResult:
    """Return what local best response wins against *policy*, heads-up.

    Args:
        policy: any policy for two players.
        bucketing, setting, rounds, game: see `LocalBestResponse`.
        hands: of the responder, rounded up to whole deals.
        seed: of the deals; the same gives the same result whatever the number of workers.
        workers: threads; 0 for one per core.

    Raises:
        ConfigError: no such setting or rounds, too few hands, or more than two players.
        MismatchError: *bucketing* or *game* do not fit the policy.
    """
    lbr = LocalBestResponse(policy.tree, bucketing, setting=setting, rounds=rounds, game=game)
    return lbr.against(policy, hands=hands, seed=seed, workers=workers)


class _Responder:
    """Plays the deals."""

    def __init__(self, policy: Policy, bettings: tuple[Betting, ...]) -> None:
        self._policy = policy
        self._bettings = bettings
        self._num_actions = policy.tree.nodes["num_actions"]

    def values(self, deal: Deal, draws: Draws | None = None) -> Floats:
        """What each hand of the responder wins from each seat, (2, own hands), chips.

        Args:
            deal: the cards.
            draws: random numbers in [0, 1), to follow one action of the policy and not all from the
                flop on.
        """
        table = ResponseTable(_Rows(self._policy, deal), deal, draws)
        return np.array([table.respond(betting.root) for betting in self._bettings])


class _Rows:
    """The policy's probabilities on one deal; rows are read once for both seats."""

    def __init__(self, policy: Policy, deal: Deal) -> None:
        self._policy = policy
        self._deal = deal
        self._found: dict[int, Floats] = {}

    def __call__(self, decision: int, street: int) -> Floats:
        found = self._found.get(decision)
        if found is None:
            by_action = self._policy.strategy(decision).T.astype(np.float64)
            found = np.take(by_action, self._deal.buckets[street], axis=1)
            self._found[decision] = found
        return found


class ResponseTable:
    """One deal on the way.

    A *reach* is how likely the policy does what it did, by standing and hand.

    Args:
        strategy: given a decision of the spots and its street, the policy's probabilities there,
            (actions, hands).
        deal: the cards.
        draws: random numbers in [0, 1), to follow one action of the policy and not all from the
            flop on.
    """

    def __init__(
        self, strategy: Callable[[int, int], Floats], deal: Deal, draws: Draws | None
    ) -> None:
        self._strategy = strategy
        self._deal = deal
        self._draws = draws

    def respond(self, root: Spot) -> Floats:
        """What each hand of the responder wins, (own hands,), chips."""
        reach = np.ones((1, len(self._deal.weights[0])))
        return self.play(root, reach, np.arange(self._deal.num_own))

    def play(self, spot: Spot, reach: Floats, rows: NDArray[np.int64]) -> Floats:
        """What each of the responder's hands *rows* wins from *spot* on, times its probability."""
        if isinstance(spot, Ending):
            return self._settle(spot, reach, rows)
        if isinstance(spot, Answer):
            return self._answer(spot, reach, rows)
        return self._respond(spot, reach, rows)

    def _settle(self, ending: Ending, reach: Floats, rows: NDArray[np.int64]) -> Floats:
        [prior], [wins] = self._masses(ending.street, reach.sum(axis=0)[None], rows)
        share = prior * ending.winner if ending.winner else 2 * wins - prior
        result: Floats = share * ending.won
        return result

    def _answer(self, answer: Answer, reach: Floats, rows: NDArray[np.int64]) -> Floats:
        values = np.zeros(len(rows))
        strategies = [
            None if decision is None else self._strategy(decision, answer.street)
            for decision in answer.decisions
        ]
        going_on: list[tuple[Spot, Floats]] = []
        for branch in answer.branches:
            after = np.zeros((max(to for _, _, to in branch.flows) + 1, reach.shape[1]))
            for place, choice, to in branch.flows:
                strategy = strategies[place]
                if strategy is None:
                    after[to] += reach[place]
                else:
                    after[to] += reach[place] * strategy[choice]
            if not after.any():
                continue
            spot = branch.target()
            if isinstance(spot, Ending):
                values += self._settle(spot, after, rows)
            else:
                going_on.append((spot, after))
        if self._draws is not None and len(going_on) > 1 and answer.street:
            going_on = [self._drawn(going_on)]
        for spot, after in going_on:
            values += self.play(spot, after, rows)
        return values

    def _drawn(self, going_on: list[tuple[Spot, Floats]]) -> tuple[Spot, Floats]:
        """One of the branches, which stands for all: its reach is divided by its probability."""
        masses = np.cumsum([after.sum() for _, after in going_on])
        assert self._draws is not None
        chosen = int(np.searchsorted(masses, next(self._draws) * masses[-1], side="right"))
        spot, after = going_on[chosen]
        return spot, after * (masses[-1] / after.sum())

    def _respond(self, turn: Turn, reach: Floats, rows: NDArray[np.int64]) -> Floats:
        bets = turn.bets
        reaches = np.empty((1 + len(bets.folds), reach.shape[1]))
        reach.sum(axis=0, out=reaches[0])
        for column, (place, decision, choice) in enumerate(bets.folds):
            strategy = self._strategy(decision, turn.street)
            np.multiply(reach[place], strategy[choice], out=reaches[1 + column])
        (whole, *folding), (wins, *folding_wins) = self._masses(turn.street, reaches, rows)
        # By action and hand of the responder, times the probability of coming here.
        call = wins * turn.pot - (whole - wins) * turn.cost_of_call
        gone = np.einsum("bf,fr->br", bets.shares, np.array(folding).reshape(-1, len(rows)))
        gone_wins = np.einsum(
            "bf,fr->br", bets.shares, np.array(folding_wins).reshape(-1, len(rows))
        )
        stay, stay_wins = whole - gone, wins - gone_wins
        raises = (
            gone * turn.pot
            + stay_wins * (turn.pot + bets.gains[:, None])
            - (stay - stay_wins) * bets.costs[:, None]
        )
        known = whole > 0
        # The first of actions that are worth the same, whatever the last bits say.
        utilities = np.round(np.concatenate([call[None], raises]) / np.where(known, whole, 1.0), 6)
        best = utilities.argmax(axis=0)
        if turn.can_fold:
            best[utilities.max(axis=0) <= 0] = -1
        values = np.zeros(len(rows))
        for choice in np.unique(best[known]).tolist():
            members = np.flatnonzero((best == choice) & known)
            if choice < 0:
                values[members] = self._settle(turn.fold, reach, rows[members])
                continue
            step = bets.steps[choice - 1] if choice else turn.call
            after = np.zeros((max(to for _, to, _ in step.flows) + 1, reach.shape[1]))
            for place, to, share in step.flows:
                after[to] += share * reach[place]
            values[members] = self.play(step.target(), after, rows[members])
        return values

    def _masses(
        self, street: int, reaches: Floats, rows: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """How likely each reach is for each hand of the responder, and the part of it that it wins.

        Both (reaches, rows).
        """
        sums = range_sums(reaches, self._deal.weights[street])
        return sums[:, rows], sums[:, rows + self._deal.num_own]

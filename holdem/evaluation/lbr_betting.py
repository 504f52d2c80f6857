"""The betting side of local best response: what may happen between responder and policy.

A spot is one point of the real betting, the policy's place in its own tree included. Off-tree
bets are translated at random, and the responder does not see how: the policy may then stand
in several places at once, the *standings* of a spot, and each has a range of its own. Spots
are made when they are first reached, and serve every deal from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from holdem.abstraction.translation import Translator
from holdem.errors import ConfigError
from holdem.game.rules import CALL, FOLD, Action, State, raise_to
from holdem.game.tree import ActionKind

Sizes = Callable[[Translator, tuple[int, ...], State], list[Action]]
"""Given the places in the tree and the hand, what the responder may bet."""

NUM_SPREAD = 56

Flow = tuple[int, int, float]
"""Standing before, place after, share: how a range goes on."""


def _no_bets(translator: Translator, standings: tuple[int, ...], state: State) -> list[Action]:
    del translator, standings, state
    return []


def _pot_and_all_in(
    translator: Translator, standings: tuple[int, ...], state: State
) -> list[Action]:
    del translator, standings
    return pot_and_all_in(state)


def pot_and_all_in(state: State) -> list[Action]:
    """Return the bets of "fcpa"."""
    legal = state.legal_actions()
    assert state.actor is not None
    pot = sum(state.paid) + state.to_match - state.bets[state.actor]
    return _raises(state, [state.to_match + pot, legal.max_raise_to or 0])


def _spread(translator: Translator, standings: tuple[int, ...], state: State) -> list[Action]:
    del translator, standings
    legal = state.legal_actions()
    if legal.min_raise_to is None or legal.max_raise_to is None:
        return []
    least, most = legal.min_raise_to - state.to_match, legal.max_raise_to - state.to_match
    steps = np.geomspace(max(least, 1), max(most, 1), NUM_SPREAD)
    return _raises(state, [state.to_match + round(step) for step in steps.tolist()])


def _bets_of_the_tree(
    translator: Translator, standings: tuple[int, ...], state: State
) -> list[Action]:
    actions = set()
    for node in standings:
        decision = translator.standing(node, state)
        if decision is not None:
            choices = range(len(translator.tree.children(decision)))
            actions |= {translator.real_action(decision, state, choice) for choice in choices}
    return _raises(state, [action.amount for action in actions - {FOLD, CALL}])


SETTINGS: dict[str, Sizes] = {
    "fc": _no_bets,
    "fcpa": _pot_and_all_in,
    "56bets": _spread,
    "tree": _bets_of_the_tree,
}
"""What the responder may do besides fold, check and call: nothing; a pot or all its chips; 56
amounts from the least raise to all its chips, each the same multiple of the one before; the
bets that the policy knows, so that no bet is off its tree."""


def _raises(state: State, amounts: list[int]) -> list[Action]:
    """The raises to *amounts* as the rules allow them, ascending and all different."""
    legal = state.legal_actions()
    least, most = legal.min_raise_to, legal.max_raise_to
    if least is None or most is None:
        return []
    return [raise_to(one) for one in sorted({min(max(a, least), most) for a in amounts})]


@dataclass(slots=True)
class Ending:
    """The hand is over, or only cards are to come.

    Attributes:
        won: what the responder wins if it wins all, chips; also what it loses otherwise.
        winner: 1 if the policy folded, -1 if the responder did, 0 if the cards decide.
        street: the last one bet on: what is known when nothing can change any more.
    """

    won: int
    winner: int
    street: int


@dataclass(slots=True)
class Step:
    """An action and where it leads.

    Attributes:
        flows: how the ranges go on, standings after the action by their place among them.
    """

    target: Callable[[], Spot]
    flows: tuple[Flow, ...]


@dataclass(slots=True)
class Branch:
    """A real action of the policy.

    Attributes:
        flows: (standing before, choice there, standing after); choice None where the tree has no
            decision and all hands do the same.
    """

    target: Callable[[], Spot]
    flows: tuple[tuple[int, int | None, int], ...]


@dataclass(slots=True)
class Answer:
    """The policy is to act.

    Attributes:
        decisions: by standing, the decision of its tree, or None.
    """

    decisions: tuple[int | None, ...]
    branches: tuple[Branch, ...]
    street: int


@dataclass(slots=True)
class Bets:
    """The responder's raises at one spot, ready to be valued together.

    Attributes:
        folds: what the policy may think that it faces: (standing before, decision, choice that
            folds); where it never folds there is none.
        shares: float64 (raises, folds): how likely each raise is taken for that one.
        gains: float64 (raises,): chips that the policy adds to call.
        costs: float64 (raises,): chips that the responder adds.
    """

    steps: tuple[Step, ...]
    folds: tuple[tuple[int, int, int], ...]
    shares: NDArray[np.float64]
    gains: NDArray[np.float64]
    costs: NDArray[np.float64]


@dataclass
class Turn:
    """The responder is to act."""

    can_fold: bool
    fold: Ending
    pot: int
    cost_of_call: int
    call: Step
    street: int
    _make_bets: Callable[[], Bets] = field(repr=False)

    @cached_property
    def bets(self) -> Bets:
        """Its raises."""
        return self._make_bets()


Spot = Ending | Answer | Turn


class Betting:
    """All spots of hands in which one seat responds to a policy that sits on the other.

    Args:
        translator: follows the real hands in the policy's tree.
        seat: the responder's.
        setting: a name of `SETTINGS`.
        first_street: before it the responder only checks and calls.
    """

    def __init__(self, translator: Translator, seat: int, setting: str, first_street: int) -> None:
        if translator.game.num_players != 2:
            raise ConfigError(
                f"local best response to {translator.game.num_players} players",
                "it is for two players; measure more by matches",
            )
        self._translator = translator
        self._tree = translator.tree
        self._seat = seat
        self._sizes = SETTINGS[setting]
        self._first_street = first_street
        self._spots: dict[tuple[object, ...], Spot] = {}

    @cached_property
    def root(self) -> Spot:
        """The first spot of a hand."""
        return self._spot(_dealt(State.new(self._translator.game)), (0,))

    def _spot(self, state: State, standings: tuple[int, ...]) -> Spot:
        # Two histories with the same chips, turn and place in the tree go on alike.
        key = (
            state.street, state.stacks, state.bets, state.paid, state.to_match, state.full_raise,
            state.folded, state.acted, state.pending, state.actor, standings,
        )  # fmt: skip
        found = self._spots.get(key)
        if found is None:
            found = self._spots[key] = self._make(state, standings)
        return found

    def _make(self, state: State, standings: tuple[int, ...]) -> Spot:
        if state.actor is None:
            return ending_of(state, self._seat)
        return (
            self._turn(state, standings)
            if state.actor == self._seat
            else self._answer(state, standings)
        )

    # -- the policy's turn ---------------------------------------------------------------------

    def _answer(self, state: State, standings: tuple[int, ...]) -> Answer:
        translator = self._translator
        decisions = tuple(translator.standing(node, state) for node in standings)
        by_action: dict[Action, list[tuple[int, int | None, int]]] = {}
        for place, (node, decision) in enumerate(zip(standings, decisions, strict=True)):
            if decision is None:
                by_action.setdefault(CALL, []).append((place, None, node))
                continue
            for choice in range(len(self._tree.children(decision))):
                action = translator.real_action(decision, state, choice)
                after = translator.after(decision, action, choice)
                by_action.setdefault(action, []).append((place, choice, after))
        branches = []
        for action, flows in by_action.items():
            nodes = tuple(sorted({node for _, _, node in flows}))
            target = self._later(state, action, nodes)
            branches.append(
                Branch(target, tuple((p, choice, nodes.index(n)) for p, choice, n in flows))
            )
        return Answer(decisions, tuple(branches), state.street)

    # -- the responder's turn ------------------------------------------------------------------

    def _turn(self, state: State, standings: tuple[int, ...]) -> Turn:
        legal = state.legal_actions()
        fold = (
            ending_of(state.apply(FOLD), self._seat)
            if legal.can_fold
            else Ending(0, -1, state.street)
        )

        def make_bets() -> Bets:
            raises = []
            if state.street >= self._first_street:
                raises = self._sizes(self._translator, standings, state)
            return self._bets(state, standings, raises)

        return Turn(
            can_fold=legal.can_fold and state.street >= self._first_street,
            fold=fold,
            pot=contested(state, self._seat),
            cost_of_call=legal.call,
            call=self._step(state, CALL, self._called(state, standings)),
            street=state.street,
            _make_bets=make_bets,
        )

    def _step(self, state: State, action: Action, flows: Sequence[Flow]) -> Step:
        after = tuple(sorted({node for _, node, _ in flows}))
        return Step(
            self._later(state, action, after),
            tuple((place, after.index(node), share) for place, node, share in flows),
        )

    def _called(self, state: State, standings: tuple[int, ...]) -> list[Flow]:
        """What the policy takes a check or call for."""
        flows = []
        for place, node in enumerate(standings):
            decision = self._translator.standing(node, state)
            if decision is not None:
                [(choice, _)] = self._translator.options(decision, state, CALL)
                node = self._tree.children(decision)[choice]
            flows.append((place, node, 1.0))
        return flows

    def _raised(
        self, state: State, standings: tuple[int, ...], amounts: list[int]
    ) -> list[list[Flow]]:
        """What the policy takes each raise for."""
        flows: list[list[Flow]] = [[] for _ in amounts]
        for place, node in enumerate(standings):
            decision = self._translator.standing(node, state)
            if decision is None:
                for flow in flows:
                    flow.append((place, node, 1.0))
                continue
            children = self._tree.children(decision)
            every = self._translator.raise_options(decision, state, amounts)
            for flow, options in zip(flows, every, strict=True):
                flow += [(place, children[choice], share) for choice, share in options if share]
        return flows

    def _bets(self, state: State, standings: tuple[int, ...], raises: list[Action]) -> Bets:
        flows = self._raised(state, standings, [action.amount for action in raises])
        columns: dict[tuple[int, int, int], int] = {}
        rows: list[tuple[int, int, float]] = []
        if raises:
            # Whose turn it is afterwards does not depend on how much was raised.
            after = state.apply(raises[0])
            folds = {node: self._folding(node, after) for flow in flows for _, node, _ in flow}
            for number, flow in enumerate(flows):
                for place, node, share in flow:
                    fold = folds[node]
                    if fold is not None:
                        column = columns.setdefault((place, *fold), len(columns))
                        rows.append((number, column, share))
        shares = np.zeros((len(raises), len(columns)))
        for number, column, share in rows:
            shares[number, column] += share
        return Bets(
            tuple(
                self._step(state, action, flow) for action, flow in zip(raises, flows, strict=True)
            ),
            tuple(columns),
            shares,
            *money_of(state, self._seat, raises),
        )

    def _folding(self, node: int, state: State) -> tuple[int, int] | None:
        """The policy's decision in *state* and its choice that folds, if there is one."""
        decision = self._translator.standing(node, state)
        if decision is None:
            return None
        first = self._tree.children(decision)[0]
        return (decision, 0) if self._tree.action_kinds[first] == ActionKind.FOLD else None

    def _later(
        self, state: State, action: Action, standings: tuple[int, ...]
    ) -> Callable[[], Spot]:
        """What finds the spot after *action* when it is asked for."""
        found: list[Spot] = []

        def target() -> Spot:
            if not found:
                found.append(self._spot(_dealt(state.apply(action)), standings))
            return found[0]

        return target


def _dealt(state: State) -> State:
    """The state once the cards are out that bets wait for, whichever they are."""
    while state.cards_to_deal and not state.betting_is_over:
        out = len(state.board)
        state = state.deal_board(range(out, out + state.cards_to_deal))
    return state


def ending_of(state: State, seat: int) -> Ending:
    """Return what a hand whose betting is over is to the responder at *seat*."""
    won = state.contributions[1 - seat]
    winner = 0
    if len(state.live) == 1:
        winner = 1 if state.live[0] == seat else -1
        won = state.contributions[1 - state.live[0]]
    return Ending(won, winner, state.street)


def money_of(
    state: State, seat: int, raises: Sequence[Action]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gains and costs of raises of the responder at *seat*, see `Bets`."""
    amounts = np.array([action.amount for action in raises], np.int64)
    # What the policy cannot call comes back.
    asked = np.minimum(amounts, state.bets[1 - seat] + state.stacks[1 - seat])
    return (asked - state.bets[1 - seat]).astype(float), (asked - state.bets[seat]).astype(float)


def contested(state: State, seat: int) -> int:
    """Chips in the middle that *seat* plays for: not those that it could not match."""
    own = state.paid[seat]
    return own + min(state.paid[1 - seat], own + state.stacks[seat])

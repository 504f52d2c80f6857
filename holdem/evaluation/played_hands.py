"""Hands of a match as they were played: as arrays, through the rules, and as histories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem.game.history import HandHistory
from holdem.game.rules import CALL, FOLD, Action, State, raise_to
from holdem.game.tree import ActionKind, BettingTree


@dataclass(frozen=True, slots=True)
class PlayedHands:
    """Some hands of a match, all with one seating.

    Attributes:
        seat: of the first policy.
        numbers: int64 (n,), of the deals, from 0.
        cards: uint8 (n, num_cards), as dealers write them.
        endings: int32 (n,), nodes of the tree; -1 where there is no common one.
        chips: int32 (n, num_players).
        values: float64 (n,), AIVAT's estimate for the first policy, chips; None without.
        states: how each hand ended by the rules, where it was played by them.
    """

    seat: int
    numbers: NDArray[np.int64]
    cards: NDArray[np.uint8]
    endings: NDArray[np.int32]
    chips: NDArray[np.int32]
    values: NDArray[np.float64] | None
    states: tuple[State, ...] | None = None


def histories(
    hands: PlayedHands, tree: BettingTree, names: tuple[str, str]
) -> Iterator[HandHistory]:
    """Yield the histories of *hands*.

    Args:
        hands: of a match in hold'em.
        tree: the betting tree they were played on, if they have no states.
        names: of the first and of the second policy.
    """
    for place, number in enumerate(hands.numbers.tolist()):
        if hands.states is not None:
            state = hands.states[place]
        else:
            state = state_of(tree, hands.cards[place].tolist(), int(hands.endings[place]))
        players = [names[seat != hands.seat] for seat in range(tree.game.num_players)]
        yield HandHistory.of(state, players=players, hand=number + 1)


def state_of(tree: BettingTree, cards: Sequence[int], ending: int) -> State:
    """Return how a hand of hold'em that ended at node *ending* ended by the rules.

    Args:
        tree: the betting tree.
        cards: as dealers write them.
        ending: a node.
    """
    players = tree.game.num_players
    board = list(cards[2 * players :])
    state = State.new(tree.game, [cards[2 * seat : 2 * seat + 2] for seat in range(players)])
    for node in tree.path(ending):
        state = deal_on(state, board)
        action = _action_to(tree, node)
        # A raise of which all would come back is a call to the rules.
        state = state.apply(action if state.legal_actions().allows(action) else CALL)
    return deal_on(state, board)


def deal_on(state: State, board: Sequence[int]) -> State:
    """Return *state* after the cards of *board* that come before the next decision, if any."""
    while coming := state.cards_to_deal:
        dealt = len(state.board)
        state = state.deal_board(board[dealt : dealt + coming])
    return state


def _action_to(tree: BettingTree, node: int) -> Action:
    """The action that leads to *node*."""
    kind = ActionKind(int(tree.action_kinds[node]))
    if kind is ActionKind.FOLD:
        return FOLD
    if kind in (ActionKind.CHECK, ActionKind.CALL):
        return CALL
    return raise_to(int(tree.action_amounts[node]))

"""What every hand does at one point of the tree: ``"r250 c / Ks7d2h / x"``.

A path is actions as `BettingTree.find` reads them, with the board's cards where they are
dealt; ``/`` may stand where a street begins, around the cards or not at all. In one-card
games the board is a rank.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdem._core import indexer
from holdem.abstraction.bucketing import HandBucketing
from holdem.errors import RulesError
from holdem.game.cards import (
    CLASS_GRID,
    CLASS_OF_HOLE,
    HOLES,
    RANKS,
    SUITS,
    cards_text,
    hole_name,
    parse_card,
)
from holdem.game.policy import Policy
from holdem.game.tree import BettingTree
from holdem.mccfr.blueprint import one_card_names
from holdem.types import STREETS

_CARDS = re.compile(rf"(?:[{RANKS}][{SUITS}])+")
_ACTION = re.compile(r"[fxca]|[br][0-9]+")
_BOARD_SIZES = (0, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Place:
    """A decision of the tree and the board there: cards, or in one-card games a rank."""

    node: int
    board: tuple[int, ...]


@dataclass(frozen=True)
class HandStrategy:
    """What each hand that the board leaves does at one decision.

    Attributes:
        place: the decision.
        seat: who acts.
        actions: in words, in the tree's order.
        names: of the hands: ``"AsKh"``, or ``"K"``.
        holes: their hole indices; in one-card games their ranks.
        weights: float64 (hands,), how likely the seat plays each to here, given the
            cards that come.
        probabilities: float64 (hands, actions); rows sum to 1.
    """

    place: Place
    seat: int
    actions: tuple[str, ...]
    names: tuple[str, ...]
    holes: NDArray[np.int64]
    weights: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """How often each action is taken, (actions,), over the hands that get here.

        Over all hands where none does.
        """
        weights = self.weights if self.weights.any() else np.ones(len(self.weights))
        frequencies: NDArray[np.float64] = weights @ self.probabilities
        return frequencies / float(weights.sum())

    @property
    def grid(self) -> NDArray[np.float64]:
        """Hold'em: the strategy by chart row and column, (13, 13, actions).

        A class weighs its hands as they get here; NaN where the board leaves none of it.
        """
        classes = CLASS_OF_HOLE[self.holes]
        sums, weights = np.zeros((169, len(self.actions))), np.zeros(169)
        # Hands that never get here count a little, so that a class of such shows what they do.
        here = np.maximum(self.weights, 1e-9)
        np.add.at(sums, classes, here[:, None] * self.probabilities)
        np.add.at(weights, classes, here)
        with np.errstate(invalid="ignore"):
            grid: NDArray[np.float64] = (sums / weights[:, None])[CLASS_GRID]
        return grid


def find_place(tree: BettingTree, path: str) -> Place:
    """Return where *path* leads; see the module.

    Raises:
        RulesError: an action is not on offer there, or cards are missing, too many or there
            twice; the remedy says what is possible.
    """
    actions: list[str] = []
    board: tuple[int, ...] = ()
    node = 0
    for word in path.split():
        if word == "/":
            _require_street(tree, node, path)
        elif (cards := _cards_of(tree, word)) is not None:
            _require_street(tree, node, path)
            board += cards
            if len(set(board)) < len(board) and tree.game.cards.kind == "holdem":
                raise RulesError(
                    f"{cards_text(board)} in {path!r} has a card twice",
                    "deal every card once",
                )
            if len(board) > _board_size(tree, node):
                raise RulesError(
                    f"{word!r} after {tree.history(node)!r} are cards too many",
                    _wanted(tree, node, board[: -len(cards)]),
                )
        else:
            _require_cards(tree, node, board, word)
            actions.append(word)
            node = tree.find(" ".join(actions))
    if not tree.nodes["num_actions"][node]:
        raise RulesError(
            f"nobody decides after {tree.history(node)!r}: the hand is over",
            "leave out the last action",
        )
    _require_cards(tree, node, board)
    return Place(node, board)


def strategy_at(policy: Policy, place: Place, bucketing: HandBucketing | None) -> HandStrategy:
    """Return what every hand does at *place*.

    Args:
        policy: of hold'em or a one-card game.
        place: from `find_place`, of the policy's tree.
        bucketing: the policy's bucket set; None in one-card games.
    """
    tree = policy.tree
    holes, names = _hands(tree, place.board)
    seat = int(tree.nodes["actor"][place.node])
    weights = np.ones(len(holes))
    for child in tree.path(place.node):
        parent = int(tree.parents[child])
        if tree.nodes["actor"][parent] == seat:
            rows = _rows(policy, parent, place.board, holes, bucketing)
            weights *= rows[:, child - tree.children(parent)[0]]
    return HandStrategy(
        place=place,
        seat=seat,
        actions=tuple(tree.action_text(child) for child in tree.children(place.node)),
        names=names,
        holes=holes,
        weights=weights,
        probabilities=_rows(policy, place.node, place.board, holes, bucketing),
    )


def board_text(tree: BettingTree, board: tuple[int, ...]) -> str:
    """Return *board* as a path has it: ``"Ks7d2h"``, or ``"Q"``; empty for none."""
    if tree.game.cards.kind == "holdem":
        return cards_text(board)
    return "".join(one_card_names(tree.game.cards.ranks)[rank] for rank in board)


def _hands(tree: BettingTree, board: tuple[int, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The hands that *board* leaves, and their names."""
    cards = tree.game.cards
    if cards.kind == "holdem":
        holes = np.flatnonzero(~np.isin(HOLES, board).any(axis=1))
        return holes, tuple(hole_name(hole) for hole in holes.tolist())
    names = one_card_names(cards.ranks)
    ranks = [rank for rank in range(cards.ranks) if cards.suits > board.count(rank)]
    return np.array(ranks, np.int64), tuple(names[rank] for rank in ranks)


def _rows(
    policy: Policy,
    node: int,
    board: tuple[int, ...],
    holes: NDArray[np.int64],
    bucketing: HandBucketing | None,
) -> NDArray[np.float64]:
    """The strategy of each hand at *node*, (hands, actions)."""
    tree, street = policy.tree, int(policy.tree.nodes["street"][node])
    dealt = board[: _board_size(tree, node)]
    if bucketing is None:
        buckets = holes * tree.game.cards.ranks + dealt[0] if dealt else holes
    else:
        cards = np.empty((len(holes), 2 + len(dealt)), np.uint8)
        cards[:, :2], cards[:, 2:] = HOLES[holes], dealt
        buckets = bucketing.tables[street][indexer.index(cards)].astype(np.int64)
    rows: NDArray[np.float64] = policy.strategy(node)[buckets].astype(np.float64)
    return rows


def _cards_of(tree: BettingTree, word: str) -> tuple[int, ...] | None:
    """The cards that *word* names; None if it is an action."""
    if tree.game.cards.kind == "holdem":
        if not _CARDS.fullmatch(word):
            return None
        return tuple(parse_card(word[start : start + 2]) for start in range(0, len(word), 2))
    names = one_card_names(tree.game.cards.ranks)
    return (names.index(word),) if word in names else None


def _board_size(tree: BettingTree, node: int) -> int:
    """Cards on the board at *node*."""
    street, cards = int(tree.nodes["street"][node]), tree.game.cards
    if cards.kind == "holdem":
        return _BOARD_SIZES[street]
    return int(cards.board_street is not None and street >= cards.board_street)


def _require_street(tree: BettingTree, node: int, path: str) -> None:
    if node == 0 or not tree.street_begins(node):
        offered = " ".join(tree.action_token(child) for child in tree.children(node))
        raise RulesError(
            f"no new street begins after {tree.history(node)!r} in {path!r}",
            f"choose one of: {offered}" if offered else "the hand is over there",
        )


def _require_cards(tree: BettingTree, node: int, board: tuple[int, ...], word: str = "") -> None:
    """Raise unless *board* is complete at *node*, where *word* comes next."""
    if len(board) >= _board_size(tree, node):
        return
    street = STREETS[int(tree.nodes["street"][node])]
    found, remedy = f"the {street} after {tree.history(node)!r} lacks cards", ""
    if word and not _ACTION.fullmatch(word):
        found += f", and {word!r} names none"
        if tree.game.cards.kind == "holdem":
            remedy = f"; a card is a rank from {RANKS}, then a suit from {SUITS}, as in Td"
    raise RulesError(found, _wanted(tree, node, board) + remedy)


def _wanted(tree: BettingTree, node: int, board: tuple[int, ...]) -> str:
    """What cards come at *node*, after *board*."""
    missing = _board_size(tree, node) - len(board)
    if tree.game.cards.kind != "holdem":
        names = " ".join(one_card_names(tree.game.cards.ranks))
        return f"deal one of: {names}" if missing else "leave them out"
    words = {3: "three cards, as in Ks7d2h", 2: "two cards more", 1: "one card, as in 9c"}
    return f"deal {words[missing]}" if missing else "leave them out"

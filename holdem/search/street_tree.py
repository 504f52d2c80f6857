"""The public tree of one street, for any number of players, by the rules of the game.

It begins where the street does, with the stacks and bets that there really are, and has the bets
that were really made on the way to the decision that is asked about. See
`holdem/_core/subgame_walk.pxd` for how nodes lie.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from holdem._core.subgame_walk import STREET_NODE_DTYPE
from holdem.errors import ConfigError, RulesError
from holdem.game.menu import SizeKind
from holdem.game.rules import CALL, FOLD, Action, ActionKind, State, raise_to
from holdem.search.spot import Menu
from holdem.search.subgame import rounded

__all__ = ["MOST_NODES", "StreetNode", "StreetTree", "build_street_tree", "fitting_menu"]

MOST_NODES = 2_500
"""Of one street; to make a larger tree, or to find that it is one, takes a decision's time."""

_MOST_ACTIONS = 16
_MOST_RAISES = 20
"""That are counted, one after the other."""
_DECISION, _ENDING, _LEAF = range(3)
"""Kinds of nodes; the compiled core has the same numbers."""


@dataclass(slots=True, eq=False)
class StreetNode:
    """A point of the street's betting.

    Attributes:
        state: by the rules.
        raises: bets and raises on this street so far.
        action: what led here; None at the root.
        line_action: the child that was really gone to; -1 if none.
        index: where it lies among the nodes.
    """

    state: State
    raises: int = 0
    action: Action | None = None
    parent: StreetNode | None = field(default=None, repr=False)
    children: list[StreetNode] = field(default_factory=list, repr=False)
    line_action: int = -1
    index: int = 0

    @property
    def actions(self) -> tuple[Action, ...]:
        """What a decision offers."""
        return tuple(child.action for child in self.children if child.action is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The same in words."""
        return tuple(map(str, self.actions))

    @property
    def is_leaf(self) -> bool:
        """Whether the street is over, and players will act on the next."""
        return self.state.actor is None and not self.state.betting_is_over


@dataclass(frozen=True, slots=True, eq=False)
class StreetTree:
    """The betting of a street.

    Attributes:
        nodes: the root, then breadth first what follows it.
        line: those that the line goes through that the tree was built for.
    """

    nodes: list[StreetNode]
    line: list[StreetNode]

    @property
    def line_end(self) -> StreetNode:
        """The decision that the line leads to."""
        return self.line[-1]

    def over(self) -> list[StreetNode]:
        """Return the nodes where the street is over: the places of `table`, in order."""
        return [node for node in self.nodes if node.state.actor is None]

    def table(
        self,
        first_rows: Sequence[int],
        locked: Container[StreetNode],
        leaves: Container[StreetNode] = (),
    ) -> npt.NDArray[np.void]:
        """Return the nodes as the compiled core wants them.

        Args:
            first_rows: by node, where the rows of decisions begin.
            locked: decisions whose strategy stays as it is.
            leaves: where the hand is played on; where nobody acts, or it is not known how, the
                cards decide.
        """
        table = np.zeros(len(self.nodes), STREET_NODE_DTYPE)
        place = 0
        for row, node, first_row in zip(table, self.nodes, first_rows, strict=True):
            row["first_row"], row["line_action"] = first_row, node.line_action
            if node.state.actor is not None:
                row["kind"], row["actor"] = _DECISION, node.state.actor
                row["first_child"] = node.children[0].index
                row["num_actions"] = len(node.children)
                row["locked"] = node in locked
            else:
                row["kind"] = _LEAF if node in leaves else _ENDING
                row["place"] = place
                place += 1
        return table

    def stakes(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
        """Return chips in the pots by seat, and who has folded, where the street is over."""
        over = [node.state for node in self.over()]
        return (
            np.array([state.contributions for state in over], np.int32),
            np.array([state.folded for state in over], np.uint16),
        )


def build_street_tree(start: State, menu: Menu, line: Sequence[Action] = ()) -> StreetTree:
    """Enumerate the betting of a street.

    A size is of the pot after calling; one below the least legal raise becomes that raise, one
    above what anybody can call becomes all that can be called, equal ones are one.

    Args:
        start: its beginning.
        menu: the bets on offer.
        line: what was done since; its bets are on offer too where they were made.

    Raises:
        ConfigError: the menu makes too many nodes or actions.
        RulesError: the line cannot be played.
    """
    sizes = cache(menu.sizes)
    waiting = deque(line)
    nodes = [StreetNode(start)]
    gone = nodes[:1]
    for node in nodes:  # which grows meanwhile
        if node.state.actor is None:
            continue
        real = waiting[0] if node is gone[-1] and waiting else None
        for action in _actions(node.state, sizes(0, node.raises), real):
            raises = node.raises + (action.kind is ActionKind.RAISE)
            child = StreetNode(node.state.apply(action), raises, action, node, index=len(nodes))
            if action == real:
                node.line_action = len(node.children)
                gone.append(child)
                waiting.popleft()
            node.children.append(child)
            nodes.append(child)
        if len(nodes) > MOST_NODES:
            raise ConfigError(
                f"the menu '{menu}' makes more than {MOST_NODES:,} betting sequences for "
                f"{len(start.live)} players",
                "offer fewer or larger sizes",
            )
    if waiting or gone[-1].state.actor is None:
        raise RulesError(
            f"a line of {len(line)} actions leads to no decision",
            "give the actions of one street, from its beginning on",
        )
    return StreetTree(nodes, gone)


def fitting_menu(menu: Menu, start: State) -> Menu:
    """Return *menu*, or as much of it as makes a tree that is not too large from *start* on.

    Many players who call and raise each other make trees of many thousands of nodes. Then raises
    are left out, and if that is not enough bets too; those that were really made stay.
    """
    players, pot = len(start.live), sum(start.paid)
    stack = sorted(start.stacks[seat] for seat in start.live)[-2]  # more cannot be called
    texts = menu.streets[0]
    smaller = (menu, Menu((("".join(texts[:1]), ""),)), Menu((("",),)))
    return next((m for m in smaller if _count(m, players, pot, stack) <= MOST_NODES), smaller[-1])


def _count(menu: Menu, players: int, pot: int, stack: int) -> int:
    """The nodes of a street of so many equal stacks; counting stops beyond the most."""
    sizes = cache(menu.sizes)

    @cache
    def after(waiting: tuple[int, ...], acted: int, raises: int, bet: int, folded: int) -> int:
        # Chips that were put in by those who are *waiting* to act, in order, and by who has
        # *folded*; *acted* are the others, who have put in *bet* each.
        if not waiting or len(waiting) + acted == 1:
            return 1
        own, rest = waiting[0], waiting[1:]
        total = 1 + after(rest, acted + 1, raises, bet, folded)
        if raises and total <= MOST_NODES:
            total += after(rest, acted, raises, bet, folded + own)
        if bet == stack:
            return total
        if raises == _MOST_RAISES:
            return MOST_NODES + 1
        pot_after_call = pot + folded + bet * (acted + 1) + sum(rest)
        wanted = (_amount(size, bet, pot_after_call, stack) for size in sizes(0, raises))
        for amount in {min(max(one, bet + 1), stack) for one in wanted}:
            if total > MOST_NODES:
                break
            total += after(rest + (bet,) * acted, 1, raises + 1, amount, folded)
        return total

    return after((0,) * players, 0, 0, 0, 0)


def _amount(size: tuple[SizeKind, int], to_match: int, pot_after_call: int, most: int) -> int:
    """The chips that a bet or raise of a size asks for, legal or not."""
    kind, number = size
    if kind == SizeKind.WHOLE_STACK:
        return most
    if kind == SizeKind.CHIPS:
        return to_match + number
    if kind == SizeKind.TIMES_BET:
        return rounded(to_match * number)
    return to_match + rounded(pot_after_call * number)


def _actions(
    state: State, sizes: Sequence[tuple[SizeKind, int]], real: Action | None
) -> list[Action]:
    """Return what a decision offers: fold, call, raises by rising amount."""
    legal = state.legal_actions()
    actions = [FOLD, CALL] if legal.can_fold else [CALL]
    if legal.min_raise_to is None or legal.max_raise_to is None:
        return actions
    seat = state.actor
    assert seat is not None  # it has legal actions
    callable_ = max(
        state.bets[other] + state.stacks[other] for other in state.live if other != seat
    )
    most = max(min(callable_, legal.max_raise_to), legal.min_raise_to)
    pot_after_call = sum(state.paid) + state.to_match - state.bets[seat]
    wanted = (_amount(size, state.to_match, pot_after_call, most) for size in sizes)
    amounts = {min(max(amount, legal.min_raise_to), most) for amount in wanted}
    if real is not None and real.kind is ActionKind.RAISE:
        amounts.add(real.amount)
    actions += [raise_to(amount) for amount in sorted(amounts)]
    if len(actions) > _MOST_ACTIONS:
        raise ConfigError(
            f"{len(actions)} actions at one decision: at most {_MOST_ACTIONS} can be walked",
            "offer fewer sizes",
        )
    return actions

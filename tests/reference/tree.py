"""The betting tree by plain recursion over Python objects: slow, and easy to check by eye.

Nothing here comes from `holdem` but the config classes: the menu language is read
again, and amounts are exact fractions. `tests/test_tree.py` compares every node of
it with the compiled tree.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction

from holdem.types import GameConfig


@dataclass
class Node:
    """One point of the tree and all that follows."""

    action: str
    amount: int
    pot: int
    street: int
    actor: int = -1
    ending: str = ""
    contributions: list[int] = field(default_factory=list)
    folded: list[int] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)


class Hand:
    """The money of one hand and whose turn it is.

    *over_all*: a raise need not be one that an opponent has the chips to answer.
    """

    def __init__(self, game: GameConfig, over_all: bool = False) -> None:
        self.game = game
        self.over_all = over_all
        seats = range(game.num_players)
        self.stacks = [game.stack_of(seat) for seat in seats]
        self.paid = [0 for _ in seats]
        self.bets = [0 for _ in seats]
        self.folded = [False for _ in seats]
        self.acted_at: list[int | None] = [None for _ in seats]
        self.street = 0
        self.raises = 0
        for seat in seats:
            self.pay(seat, game.ante)
        blinds = list(game.blinds)
        while blinds and blinds[-1] == 0:
            blinds.pop()
        for seat, blind in enumerate(blinds):
            self.bets[seat] = self.pay(seat, blind)
        self.to_match = max([0, *blinds])
        self.full_raise = max([game.big_blind, *blinds])
        first = len(blinds) % len(self.stacks) if blinds else 0
        self.actor = self.next_from(game.first_to_act[0] if game.first_to_act else first)

    def pay(self, seat: int, chips: int) -> int:
        """Move up to *chips* of *seat* to the pot and return how many there were."""
        chips = min(chips, self.stacks[seat])
        self.stacks[seat] -= chips
        self.paid[seat] += chips
        return chips

    def can_act(self, seat: int) -> bool:
        return not self.folded[seat] and self.stacks[seat] > 0

    def must_act(self, seat: int) -> bool:
        """Has *seat* still to say something in this betting round?"""
        if not self.can_act(seat):
            return False
        others = [s for s in range(len(self.stacks)) if s != seat]
        if not any(self.can_act(s) for s in others):
            # Alone with players who are all-in: only a bet above his own is a question.
            return any(self.bets[s] > self.bets[seat] for s in others if not self.folded[s])
        return self.acted_at[seat] is None or self.bets[seat] < self.to_match

    def next_from(self, seat: int) -> int | None:
        """The first seat from *seat* on that must act, or None."""
        n = len(self.stacks)
        return next((s % n for s in range(seat, seat + n) if self.must_act(s % n)), None)

    def raise_totals(self) -> list[int]:
        """Every raise on offer to the actor, ascending, as his total on the street."""
        me = self.actor
        assert me is not None
        all_in = self.bets[me] + self.stacks[me]
        others = [s for s in range(len(self.stacks)) if s != me and self.can_act(s)]
        answered = any(
            self.over_all or self.bets[s] + self.stacks[s] > self.to_match for s in others
        )
        closed = (
            self.acted_at[me] is not None and self.to_match - self.acted_at[me] < self.full_raise
        )
        if all_in <= self.to_match or closed or not answered:
            return []
        smallest = min(self.to_match + self.full_raise, all_in)
        to_call = self.to_match - self.bets[me]
        pot = sum(self.paid)
        totals = set()
        for token in self.tokens():
            if token == "a":
                totals.add(all_in)
            elif token == "*":
                totals |= set(range(smallest, all_in + 1))
            elif token.endswith("%"):
                share = Fraction(token[:-1]) / 100 * (pot + to_call)
                totals.add(self.to_match + math.floor(share + Fraction(1, 2)))
            elif token.endswith("x"):
                times = Fraction(token[:-1]) * (self.to_match or self.game.big_blind)
                totals.add(math.floor(times + Fraction(1, 2)))
            elif token.endswith("c"):
                totals.add(self.to_match + int(token[:-1]))
        return sorted({min(max(total, smallest), all_in) for total in totals})

    def tokens(self) -> list[str]:
        texts = self.game.menu.streets[self.street]
        text = texts[min(self.raises, len(texts) - 1)] if texts else ""
        return [token.strip() for token in text.split(",") if token.strip()]

    def actions(self) -> list[tuple[str, int]]:
        """Every action of the actor: its name, and his total on the street after it."""
        me = self.actor
        assert me is not None
        raises = self.raise_totals()
        all_in = self.bets[me] + self.stacks[me]
        result = []
        if self.to_match > self.bets[me]:
            result.append(("fold", self.bets[me]))
            if not (raises and "!call" in self.tokens()):
                result.append(("call", min(self.to_match, all_in)))
        else:
            result.append(("check", self.bets[me]))
        name = "raise" if self.to_match else "bet"
        return result + [("all-in" if r == all_in else name, r) for r in raises]

    def after(self, action: str, total: int) -> Hand:
        """The hand after the actor's *action*."""
        hand = deepcopy(self)
        me = hand.actor
        assert me is not None
        hand.bets[me] += hand.pay(me, total - hand.bets[me])
        if action == "fold":
            hand.folded[me] = True
        elif action in ("bet", "raise", "all-in"):
            hand.full_raise = max(hand.full_raise, total - hand.to_match)
            hand.to_match = total
            hand.raises += 1
        hand.acted_at[me] = hand.to_match
        hand.actor = hand.next_from(me + 1)
        return hand

    def next_street(self) -> Hand:
        """The hand at the start of the next street."""
        hand = deepcopy(self)
        n = len(hand.stacks)
        hand.street += 1
        hand.bets = [0] * n
        hand.acted_at = [None] * n
        hand.to_match = hand.raises = 0
        hand.full_raise = hand.game.big_blind
        order = hand.game.first_to_act
        hand.actor = hand.next_from(order[hand.street] if order else (1 if n == 2 else 0))
        return hand

    def final_contributions(self) -> list[int]:
        """What every seat paid, the part that nobody matched given back."""
        second = sorted(self.paid)[-2]
        return [min(chips, second) for chips in self.paid]


def enumerate_tree(game: GameConfig, over_all: bool = False) -> Node:
    """Return the root of the whole tree of *game*; see `Hand`."""
    return _grow(Hand(game, over_all), "", 0)


def _grow(hand: Hand, action: str, amount: int) -> Node:
    node = Node(action, amount, sum(hand.paid), hand.street)
    if hand.folded.count(False) == 1:
        return _end(node, hand, "fold")
    if hand.actor is None:
        able = [seat for seat in range(len(hand.stacks)) if hand.can_act(seat)]
        if len(able) < 2 or hand.street + 1 == hand.game.num_streets:
            return _end(node, hand, "showdown")
        hand = hand.next_street()
        node.street = hand.street
    assert hand.actor is not None
    node.actor = hand.actor
    node.children = [_grow(hand.after(*choice), *choice) for choice in hand.actions()]
    return node


def _end(node: Node, hand: Hand, ending: str) -> Node:
    node.ending = ending
    node.contributions = hand.final_contributions()
    node.pot = sum(node.contributions)
    node.folded = [seat for seat, out in enumerate(hand.folded) if out]
    return node


def count(root: Node) -> dict[str, object]:
    """Decisions and actions by street, and endings by kind."""
    decisions: dict[int, int] = {}
    actions: dict[int, int] = {}
    endings = {"fold": 0, "showdown": 0}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.ending:
            endings[node.ending] += 1
        else:
            decisions[node.street] = decisions.get(node.street, 0) + 1
            actions[node.street] = actions.get(node.street, 0) + len(node.children)
        stack += node.children
    streets = range(max(decisions, default=-1) + 1)
    return {
        "decision_nodes": [decisions.get(s, 0) for s in streets],
        "actions": [actions.get(s, 0) for s in streets],
        "fold_terminals": endings["fold"],
        "showdown_terminals": endings["showdown"],
    }

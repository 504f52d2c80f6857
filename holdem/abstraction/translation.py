"""Off-tree bets: a real hand followed in a betting tree that has other bets.

A policy knows the bets of its own `BettingTree`; real opponents bet what they like. A
`Follower` holds the place in the tree that a real hand has come to, and turns what the
policy chooses there into an action that the rules allow. These are its rules; a *size*
is a raise measured in pots, as (raise to - bet to match) / (pot after calling), with the
raise cut to what the deepest opponent can call.

From reality into the tree:

- A fold is a fold, a check or call is a check or call.
- A raise to what the policy would have raised to is that action: see below.
- A raise that brings the player's chips of the hand to the tree's stack or beyond, counted in
  big blinds, is all-in. Stacks shorter than the tree's make an all-in of fewer chips: that is a
  raise like any other, whose size says how much it asks.
- Any other raise of size x lies between two sizes A < B of the tree. It becomes A with
  probability (B - x)(1 + A) / ((B - A)(1 + x)), else B: the randomised pseudo-harmonic
  mapping (Ganzfried & Sandholm 2013). Below the smallest raise, A = 0 is the check or call;
  without one in the menu it becomes the smallest raise. Above the largest it becomes that.
- A call that the menu lacks (a limp, where the menu says ``!call``) becomes the smallest
  raise: the players behind still decide, against the hands that come in. A fold where the
  tree has nothing to fold to becomes a check.

From the tree into reality:

- Fold is fold, check or call is check or call.
- A raise of the tree is a raise of the same size in pots, all-in of the tree one that brings the
  player's chips of the hand to the tree's stack, in big blinds. Both are clipped to the least and
  to the largest legal raise.
- A fold where nothing is to be called, or a raise where none is legal, is a check or call, in
  the tree too: hands that would have folded to the raise that a limp was taken for play on
  like those that call it.

Out of step. What was translated may end a street, or the hand, in the tree and not in
reality, or the other way round. Before each decision the tree is brought up: as long as it is
on an earlier street, or waits for a seat that has nothing to decide in reality, that seat
checks or calls there, or folds if it has folded in reality. If the tree is ahead instead
(its hand is over, its street has ended, the seat is all-in or out in it), the policy has no answer:
`Follower.decision` is None, the advice is to check or call, and the tree waits for reality.

Draws depend on the seed, the number of the hand and how many actions came before, so that a
replay is the same, whoever does it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from holdem._core.rng import words
from holdem.errors import MismatchError, RulesError
from holdem.game.rules import CALL, FOLD, Action, Played, State, default_first_to_act, raise_to
from holdem.game.rules import ActionKind as RealKind
from holdem.game.tree import ActionKind, BettingTree
from holdem.types import GameConfig

_CACHED_NODES = 1 << 16
_LANE = 1 << 33
"""Of the streams that are drawn from, by place: cards and choices come from others."""

Options = tuple[tuple[int, float], ...]
"""Actions of the tree, and how likely each of them is meant; they sum to 1."""


def pseudo_harmonic(smaller: float, larger: float, bet: float) -> float:
    """Return the probability that *bet* is taken for *smaller*, and not for *larger*.

    All three in pots, ``0 <= smaller <= bet <= larger`` and ``smaller < larger``. In half of
    the cases at (A + B + 2AB) / (A + B + 2) (Ganzfried & Sandholm 2013).
    """
    return (larger - bet) * (1 + smaller) / ((larger - smaller) * (1 + bet))


@dataclass(frozen=True, slots=True)
class _Money:
    """Chips of one moment, real or in the tree; tuples by seat."""

    bets: tuple[int, ...]
    stacks: tuple[int, ...]
    paid: tuple[int, ...]
    to_match: int
    folded: int

    @classmethod
    def of(cls, state: State) -> _Money:
        return cls(state.bets, state.stacks, state.paid, state.to_match, state.folded)

    def most_callable(self, seat: int) -> int:
        """What the deepest opponent of *seat* could have in on this street."""
        return max(
            bet + stack
            for other, (bet, stack) in enumerate(zip(self.bets, self.stacks, strict=True))
            if other != seat and not self.folded >> other & 1
        )

    def pot_after_call(self, seat: int) -> int:
        return sum(self.paid) + self.to_match - self.bets[seat]

    def size(self, seat: int, amount: int) -> float:
        """The size of a raise of *seat* to *amount*, in pots."""
        raised = min(amount, self.most_callable(seat)) - self.to_match
        return max(raised, 0) / self.pot_after_call(seat)

    def total(self, seat: int, amount: int) -> int:
        """Chips of the hand that *seat* has in after a raise to *amount*, as far as callable."""
        return self.paid[seat] - self.bets[seat] + min(amount, self.most_callable(seat))

    def after(self, seat: int, kind: ActionKind, amount: int) -> _Money:
        """The chips after *seat* has *amount* in on this street, by an action of the tree."""
        if kind is ActionKind.FOLD:
            return _Money(self.bets, self.stacks, self.paid, self.to_match, self.folded | 1 << seat)
        bets, stacks, paid = list(self.bets), list(self.stacks), list(self.paid)
        cost = amount - bets[seat]
        bets[seat] += cost
        stacks[seat] -= cost
        paid[seat] += cost
        to_match = max(self.to_match, amount)
        return _Money(tuple(bets), tuple(stacks), tuple(paid), to_match, self.folded)

    def next_street(self) -> _Money:
        return _Money((0,) * len(self.bets), self.stacks, self.paid, 0, self.folded)


@dataclass(frozen=True, slots=True)
class _Menu:
    """What one decision of the tree offers; actions are numbered as its children.

    Attributes:
        fold, call: None where they are not offered; a check is a call.
        raises: ascending, with their *sizes* in pots and the *totals* of the actor's chips of the
            hand, as far as an opponent can call.
        all_in: whether the last raise is all-in.
    """

    fold: int | None
    call: int | None
    raises: tuple[int, ...]
    sizes: tuple[float, ...]
    totals: tuple[int, ...]
    all_in: bool


class Translator:
    """The rules above, for one betting tree and the real hands of one game.

    Attributes:
        tree: the policy's betting tree.
        game: what is really played: stacks and blinds may differ from the tree's.
    """

    def __init__(self, tree: BettingTree, game: GameConfig | None = None) -> None:
        """Translate between *tree* and hands of *game*; by default the tree's own game.

        Raises:
            MismatchError: other cards, another number of players, or another order of acting.
        """
        self.tree = tree
        self.game = game or tree.game
        _check_games(tree.game, self.game)
        self._menu = lru_cache(maxsize=_CACHED_NODES)(self._read_menu)
        self._actors = tree.nodes["actor"]
        self._streets = tree.nodes["street"]
        self._num_actions = tree.nodes["num_actions"]

    def begin(self, seed: int, hand: int = 0) -> Follower:
        """Return the follower of a hand that begins now.

        Args:
            seed: of all hands.
            hand: its number; each has draws of its own.
        """
        return Follower(self, 0, seed, hand)

    def replay(self, state: State, seed: int, hand: int = 0) -> Follower:
        """Return the follower of a hand that has come to *state*."""
        follower = self.begin(seed, hand)
        now = State.new(state.game)
        for event in state.events:
            if isinstance(event, Played):
                follower = follower.after(now, event.action)
                now = now.apply(event.action)
            else:
                now = now.deal_board(event.cards)
        return follower

    def standing(self, node: int, state: State) -> int | None:
        """Return the decision of the seat to act that *node* is brought up to; None without one."""
        seat, street = state.actor, state.street
        if seat is None:
            return None
        while self._num_actions[node]:
            node_street, actor = int(self._streets[node]), int(self._actors[node])
            if node_street > street:
                return None
            if node_street == street:
                if actor == seat:
                    return node
                if state.pending >> actor & 1:
                    return None  # that seat acts later, and this one has no decision before it
            node = self._passed(node, bool(state.folded >> actor & 1))
        return None

    def options(self, node: int, state: State, action: Action) -> Options:
        """Return what *action* becomes at decision *node* of the seat to act.

        The result is one or two pairs of an action of the tree and its probability.
        """
        menu = self._menu(node)
        if action.kind is RealKind.FOLD and menu.fold is not None:
            return ((menu.fold, 1.0),)
        if action.kind is RealKind.RAISE and menu.raises:
            return self.raise_options(node, state, (action.amount,))[0]
        return ((menu.raises[0] if menu.call is None else menu.call, 1.0),)

    def raise_options(self, node: int, state: State, amounts: Sequence[int]) -> list[Options]:
        """Return what raises to *amounts* become, each as `options` says it."""
        menu, seat, money = self._menu(node), state.actor, _Money.of(state)
        if not menu.raises:
            return [self.options(node, state, CALL)] * len(amounts)
        assert seat is not None  # somebody raises
        most, pot = money.most_callable(seat), money.pot_after_call(seat)
        wanted = [self._wanted(menu, place, money, seat) for place in range(len(menu.raises))]
        all_in = wanted[-1] if menu.all_in else most + 1
        choices, sizes = menu.raises, menu.sizes
        if menu.call is not None:
            choices, sizes = (menu.call, *choices), (0.0, *sizes)
        results: list[Options] = []
        for amount in amounts:
            asked = min(amount, most)
            if asked in wanted:
                results.append(((menu.raises[wanted.index(asked)], 1.0),))
            elif asked >= all_in:
                results.append(((menu.raises[-1], 1.0),))
            else:
                results.append(_between(choices, sizes, max(asked - money.to_match, 0) / pot))
        return results

    def after(self, node: int, action: Action, choice: int) -> int:
        """Return the node after decision *node*, where *choice* was done as *action*."""
        menu = self._menu(node)
        if action.kind is RealKind.CALL and menu.call is not None:
            choice = menu.call  # whatever was chosen could not be done
        children = self.tree.children(node)
        if not 0 <= choice < len(children):
            raise RulesError(
                f"action {choice} of a decision that has {len(children)}",
                f"count from 0 to {len(children) - 1}",
            )
        return children[choice]

    def street_over(self, node: int, street: int) -> int:
        """Return where *node* comes to if on *street* all that is left is checked and called."""
        while self._num_actions[node] and self._streets[node] <= street:
            node = self._passed(node, False)
        return node

    def stacks(self, node: int) -> tuple[int, ...]:
        """Return the chips that each seat still has at *node* of the tree."""
        return self._money(node).stacks

    def real_action(self, node: int, state: State, choice: int) -> Action:
        """Return the legal action that *choice* at decision *node* stands for."""
        legal = state.legal_actions()
        menu = self._menu(node)
        if choice == menu.fold:
            return FOLD if legal.can_fold else CALL
        if choice == menu.call or legal.min_raise_to is None or legal.max_raise_to is None:
            return CALL
        money = _Money.of(state)
        assert state.actor is not None  # it has legal actions
        wanted = self._wanted(menu, menu.raises.index(choice), money, state.actor)
        return raise_to(min(max(wanted, legal.min_raise_to), legal.max_raise_to))

    def _wanted(self, menu: _Menu, place: int, money: _Money, seat: int) -> int:
        """The amount that a raise of the tree asks for, legal or not; halves of a chip round up."""
        if menu.all_in and place == len(menu.raises) - 1:
            return self._scaled(menu.totals[place]) - money.paid[seat] + money.bets[seat]
        return money.to_match + math.floor(menu.sizes[place] * money.pot_after_call(seat) + 0.5)

    def _scaled(self, chips: int) -> int:
        """Chips of the tree as real chips, by the big blinds; a fraction counts as a chip."""
        return -(-chips * self.game.big_blind // self.tree.game.big_blind)

    def _passed(self, node: int, folded: bool) -> int:
        """The node after the seat to act there, which has nothing to decide in reality."""
        menu = self._menu(node)
        if folded and menu.fold is not None:
            choice = menu.fold
        else:
            choice = menu.call if menu.call is not None else menu.raises[0]
        return self.tree.children(node)[choice]

    def _read_menu(self, node: int) -> _Menu:
        tree, money = self.tree, self._money(node)
        actor = int(self._actors[node])
        fold = call = None
        raises: list[int] = []
        sizes, totals = [], []
        all_in = False
        for choice, child in enumerate(tree.children(node)):
            kind, amount = ActionKind(tree.action_kinds[child]), int(tree.action_amounts[child])
            if kind is ActionKind.FOLD:
                fold = choice
            elif kind in (ActionKind.CHECK, ActionKind.CALL):
                call = choice
            else:
                raises.append(choice)
                sizes.append(money.size(actor, amount))
                totals.append(money.total(actor, amount))
                all_in = kind is ActionKind.ALL_IN
        return _Menu(fold, call, tuple(raises), tuple(sizes), tuple(totals), all_in)

    def _money(self, node: int) -> _Money:
        tree, street = self.tree, 0
        money = _Money.of(State.new(tree.game))
        for step in tree.path(node):
            parent = tree.parents[step]
            if self._streets[parent] != street:
                street = self._streets[parent]
                money = money.next_street()
            kind = ActionKind(tree.action_kinds[step])
            money = money.after(int(self._actors[parent]), kind, int(tree.action_amounts[step]))
        return money.next_street() if self._streets[node] != street else money


@dataclass(frozen=True, slots=True)
class Follower:
    """The place in the tree that one real hand has come to. It never changes.

    Attributes:
        node: where the tree stands after the last action that it took part in.
    """

    translator: Translator
    node: int
    seed: int
    hand: int

    def decision(self, state: State) -> int | None:
        """Return the decision of the tree at which the policy answers for the seat to act.

        None if the tree has none: nobody is to act, or the tree is ahead of reality.
        """
        return self.translator.standing(self.node, state)

    def action(self, state: State, choice: int | None) -> Action:
        """Return the legal action that *choice* of the decision stands for.

        Args:
            state: the hand; a player is to act.
            choice: an action of the tree; None, where there is no decision, is check or call.
        """
        node = self.decision(state)
        if node is None or choice is None:
            return CALL
        return self.translator.real_action(node, state, choice)

    def after(self, state: State, action: Action, choice: int | None = None) -> Follower:
        """Return the follower after the seat to act takes *action* in *state*.

        Args:
            state: the hand before it.
            action: what is really done.
            choice: the action of the tree that it stands for, where it is known because the
                policy chose it; translated otherwise.

        Raises:
            RulesError: the decision has no such choice.
        """
        node = self.decision(state)
        if node is None:
            return self
        if choice is None:
            choice = self._drawn(self.translator.options(node, state, action), state)
        node = self.translator.after(node, action, choice)
        return Follower(self.translator, node, self.seed, self.hand)

    def _drawn(self, options: Iterable[tuple[int, float]], state: State) -> int:
        choices = list(options)
        if len(choices) == 1:
            return choices[0][0]
        place = sum(isinstance(event, Played) for event in state.events)
        draw = float(words(self.seed, self.hand, _LANE + place, 1)[0] >> 11) * 2.0**-53
        return choices[0][0] if draw < choices[0][1] else choices[1][0]


def _between(choices: Sequence[int], sizes: Sequence[float], size: float) -> Options:
    """What a raise of *size* becomes among actions of ascending *sizes*."""
    above = sum(known <= size for known in sizes)
    if above == 0 or above == len(sizes):
        return ((choices[min(above, len(sizes) - 1)], 1.0),)
    share = pseudo_harmonic(sizes[above - 1], sizes[above], size)
    return ((choices[above - 1], share), (choices[above], 1.0 - share))


def _check_games(tree: GameConfig, real: GameConfig) -> None:
    if (tree.cards, tree.num_players) != (real.cards, real.num_players):
        raise MismatchError(
            f"a policy for {tree.num_players} players of {tree.cards.kind}, hands of "
            f"{real.num_players} players of {real.cards.kind}",
            "use a policy that was trained for this number of players",
        )
    # The orders of the streets that both have.
    orders = [game.first_to_act or default_first_to_act(game) for game in (tree, real)]
    if any(ours != theirs for ours, theirs in zip(*orders, strict=False)):
        raise MismatchError(
            f"seats {orders[1]} act first on the streets, in the policy's game {orders[0]}",
            "use a policy that was trained with the same blinds",
        )

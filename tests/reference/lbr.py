"""Local best response by dealing every card and walking every history, one by one.

What the responder knows is a dictionary: how likely the policy holds each card and stands at
each node of its tree. Shared with the package are the rules of the game, the translation of
bets and the lists of bets that the responder looks at.
"""

from __future__ import annotations

from itertools import permutations

from holdem.abstraction.translation import Translator
from holdem.evaluation.lbr_betting import SETTINGS
from holdem.game.policy import Policy
from holdem.game.rules import CALL, FOLD, Action, State
from tests.reference.cfr import Deal, bucket_of

Belief = dict[tuple[int, int], float]
"""Probability of (the policy's card, its node)."""


class Responder:
    """Responds from one seat to a policy of a one-card game; cards are numbers in the deck."""

    def __init__(
        self, policy: Policy, seat: int, setting: str, first_street: int = 0, game=None
    ) -> None:
        self.policy = policy
        self.translator = Translator(policy.tree, game)
        self.game = self.translator.game
        self.seat = seat
        self.setting = setting
        self.first_street = first_street
        self.deck = range(self.game.cards.ranks * self.game.cards.suits)

    def value(self) -> float:
        """What the responder wins on average, chips."""
        has_board = self.game.cards.board_street is not None
        deals = list(permutations(self.deck, 2 + has_board))
        return sum(self.of_deal(*deal) for deal in deals) / len(deals)

    def of_deal(self, own: int, other: int, board: int | None = None) -> float:
        belief = {(card, 0): 1 / (len(self.deck) - 1) for card in self.deck if card != own}
        return self.play(State.new(self.game), belief, own, (other, 0), board)

    def play(self, state: State, belief: Belief, own: int, true, board) -> float:
        """The responder's winnings when the policy holds and stands at *true*."""
        while state.cards_to_deal:
            state = state.deal_board([self.unused(state)])
            belief = normalised({key: p for key, p in belief.items() if key[0] != board})
        if state.actor is None:
            return self.payoff(state, own, true[0], board)
        if state.actor != self.seat:
            return self.policy_plays(state, belief, own, true, board)
        return self.respond(state, belief, own, true, board)

    def unused(self, state: State) -> int:
        """Any card for the board: the rules do not look at it."""
        return next(card for card in self.deck if card not in state.board)

    def payoff(self, state: State, own: int, other: int, board: int | None) -> float:
        strengths = [0, 0]
        strengths[self.seat] = self.strength(own, board)
        strengths[1 - self.seat] = self.strength(other, board)
        return state.payoffs(strengths)[self.seat]

    def strength(self, card: int, board: int | None) -> int:
        suits = self.game.cards.suits
        pair = board is not None and card // suits == board // suits
        return 1 + card // suits + 1000 * pair

    # -- the policy ------------------------------------------------------------------------

    def answers(self, state: State, card: int, node: int, board) -> list:
        """(action, node after it, probability) of the policy with *card* that stands at *node*."""
        decision = self.translator.standing(node, state)
        if decision is None:
            return [(CALL, node, 1.0)]
        suits = self.game.cards.suits
        ranks = Deal((card // suits,), None if board is None else board // suits, 1.0)
        row = self.policy.strategy(decision)[bucket_of(self.game, ranks, 0, state.street)]
        answers = []
        for choice, probability in enumerate(row):
            action = self.translator.real_action(decision, state, choice)
            after = self.translator.after(decision, action, choice)
            answers.append((action, after, float(probability)))
        return answers

    def policy_plays(self, state: State, belief: Belief, own: int, true, board) -> float:
        total = 0.0
        for action, after, probability in self.answers(state, *true, board):
            if not probability:
                continue
            learnt: Belief = {}
            for (card, node), p in belief.items():
                for seen, node_after, q in self.answers(state, card, node, board):
                    if seen == action:
                        key = (card, node_after)
                        learnt[key] = learnt.get(key, 0.0) + p * q
            then = state.apply(action)
            total += probability * self.play(then, normalised(learnt), own, (true[0], after), board)
        return total

    # -- the responder ---------------------------------------------------------------------

    def respond(self, state: State, belief: Belief, own: int, true, board) -> float:
        action = self.choose(state, belief, own, board)
        then = state.apply(action)
        learnt: Belief = {}
        for (card, node), p in belief.items():
            for after, share in self.taken_for(state, node, action):
                learnt[card, after] = learnt.get((card, after), 0.0) + p * share
        return sum(
            share * self.play(then, learnt, own, (true[0], after), board)
            for after, share in self.taken_for(state, true[1], action)
        )

    def taken_for(self, state: State, node: int, action: Action) -> list:
        """(node after *action*, probability) for a policy that stands at *node*."""
        decision = self.translator.standing(node, state)
        if decision is None or action == FOLD:
            return [(node, 1.0)]
        children = self.policy.tree.children(decision)
        options = self.translator.options(decision, state, action)
        return [(children[choice], share) for choice, share in options]

    def choose(self, state: State, belief: Belief, own: int, board) -> Action:
        """The action that wins the most if all is checked and called after it."""
        if state.street < self.first_street:
            return CALL
        seen = self.game.cards.board_street
        board = board if seen is not None and state.street >= seen else None
        legal = state.legal_actions()
        mine, theirs = state.paid[self.seat], state.paid[1 - self.seat]
        pot = mine + min(theirs, mine + state.stacks[self.seat])
        wins = sum(p * self.equity(own, card, board) for (card, _), p in belief.items())
        utilities = [(CALL, wins * pot - (1 - wins) * legal.call)]
        nodes = tuple(sorted({node for _, node in belief}))
        for action in SETTINGS[self.setting](self.translator, nodes, state):
            utilities.append((action, self.worth(state, belief, own, board, pot, action)))
        best = max(round(utility, 6) for _, utility in utilities)
        if best <= 0 and legal.can_fold:
            return FOLD
        return next(action for action, utility in utilities if round(utility, 6) == best)

    def worth(self, state: State, belief: Belief, own: int, board, pot: int, action) -> float:
        then = state.apply(action)
        gain = then.legal_actions().call
        cost = min(action.amount, then.bets[1 - self.seat] + gain) - state.bets[self.seat]
        total = 0.0
        for (card, node), p in belief.items():
            for after, share in self.taken_for(state, node, action):
                folds = sum(q for a, _, q in self.answers(then, card, after, board) if a == FOLD)
                equity = self.equity(own, card, board)
                stays = equity * (pot + gain) - (1 - equity) * cost
                total += p * share * (folds * pot + (1 - folds) * stays)
        return total

    def equity(self, own: int, other: int, board: int | None) -> float:
        """The responder's share of the pot if both go to the end."""
        boards = [board]
        if board is None and self.game.cards.board_street is not None:
            boards = [card for card in self.deck if card not in (own, other)]
        shares = []
        for card in boards:
            mine, theirs = self.strength(own, card), self.strength(other, card)
            shares.append(0.5 if mine == theirs else float(mine > theirs))
        return sum(shares) / len(shares)


def normalised(belief: Belief) -> Belief:
    total = sum(belief.values())
    return {key: p / total for key, p in belief.items() if p}

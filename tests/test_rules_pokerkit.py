"""Random hands: played as in pokerkit, settled layer by layer."""

import random
from collections import Counter
from dataclasses import dataclass, replace
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phevaluator import evaluate_cards

from holdem.errors import RulesError
from holdem.game.rules import (
    CALL,
    FOLD,
    Action,
    ActionKind,
    Dealt,
    LegalActions,
    Played,
    State,
    raise_to,
)
from holdem.types import GameConfig
from tests.reference.pokerkit_table import Choices, PokerkitTable
from tests.reference.settle import settle


@dataclass(frozen=True)
class Deal:
    game: GameConfig
    holes: list[list[int]]
    board: list[int]
    actions: random.Random


def random_deal(seed: int) -> Deal:
    """A hand of 2 to 9 players: unequal stacks, antes, straddles, blinds that do not divide."""
    rng = random.Random(seed)
    players = rng.randint(2, 9)
    big = rng.choice([2, 3, 10, 50, 100])
    # Heads-up, equal blinds would make pokerkit begin with the big blind.
    blinds = [rng.randint(1, big - (players == 2)), big]
    if players > 2:
        while len(blinds) < players and rng.random() < 0.2:
            blinds.append(blinds[-1] * 2)
    deep = rng.choice([2, 8, 30, 120]) * big
    stacks = tuple(
        deep if rng.random() < 0.15 else rng.randint(1, 2 * deep) for _ in range(players)
    )
    ante = rng.choice([0, 0, 0, 1, max(1, big // 4), big])
    # A deck of six ranks makes hands that tie.
    deck = range(28, 52) if rng.random() < 0.4 else range(52)
    cards = rng.sample(deck, 2 * players + 5)
    return Deal(
        GameConfig(num_players=players, stacks=stacks, blinds=tuple(blinds), ante=ante),
        [cards[2 * seat : 2 * seat + 2] for seat in range(players)],
        cards[2 * players :],
        rng,
    )


def random_action(legal: LegalActions, rng: random.Random) -> Action:
    """An action that leads to many all-ins, short ones among them, and to many showdowns."""
    draw = rng.random()
    if legal.can_fold and draw < 0.17:
        return FOLD
    if legal.min_raise_to is None or legal.max_raise_to is None or draw < 0.6:
        return CALL
    if draw < 0.75:
        return raise_to(legal.min_raise_to)
    if draw < 0.87:
        return raise_to(legal.max_raise_to)
    return raise_to(
        rng.randint(legal.min_raise_to, min(legal.max_raise_to, 4 * legal.min_raise_to))
    )


def shown(state: State) -> Choices:
    """The choices of *state* as pokerkit would say them."""
    legal = state.legal_actions()
    assert state.actor is not None
    return Choices(state.actor, legal.call, legal.min_raise_to, legal.max_raise_to)


def explain(state: State, theirs: Choices) -> str | None:
    """Why pokerkit lets the seat to act do something else; None for no known reason."""
    ours = shown(state)
    same_call = (ours.seat, ours.call) == (theirs.seat, theirs.call)
    one_closed = (ours.min_raise_to is None) != (theirs.min_raise_to is None)
    if not (same_call and one_closed and state.acted >> ours.seat & 1):
        return None
    first_full_raise = max(state.game.blinds) if state.street == 0 else state.game.big_blind
    if ours.min_raise_to is None:
        # For pokerkit the first bet or raise of a street is always a full one, so that an
        # all-in of less than the minimum re-opens the betting. By TDA rule 47 it does not.
        if state.full_raise == first_full_raise and 0 < ours.call < first_full_raise:
            return "a first all-in below the minimum"
    elif ours.call >= state.full_raise and last_raise(state) < state.full_raise:
        # Once short all-ins have made a full raise together, pokerkit counts from nothing
        # again, so that one more of them closes the betting. By TDA rule 47 it stays open for
        # whoever faces a full raise.
        return "a short all-in after others made a full raise"
    return None


def last_raise(state: State) -> int:
    """By how much the last raise of this street went beyond the bet before it."""
    street = list(takewhile(lambda event: not isinstance(event, Dealt), reversed(state.events)))
    bets = [0 if state.street else max(state.game.blinds)]
    for event in reversed(street):
        if isinstance(event, Played) and event.action.kind is ActionKind.RAISE:
            bets.append(event.action.amount)
    return bets[-1] - bets[-2]


def play_both(deal: Deal) -> Counter[str]:
    """Play *deal* here and in pokerkit, and count the differences by their reason."""
    reasons: Counter[str] = Counter()
    state = State.new(deal.game, deal.holes)
    theirs = PokerkitTable(deal.game, deal.holes)
    posted = max(state.bets)
    compare_choices = posted == state.to_match
    if not compare_choices:
        # For pokerkit the bet to call is the largest that was posted. By casino and TDA
        # practice it is the whole blind, and the rest of the hand is another one.
        reasons["a largest blind posted short"] += 1
    while not state.is_terminal:
        choices = theirs.choices() if compare_choices else None
        if choices and choices.call == 0 and choices.min_raise_to is None:
            # pokerkit asks a seat that can only check; here such a seat is passed over.
            reasons["a seat that can only check"] += 1
            theirs.call()
        elif state.actor is None:
            cards = deal.board[len(state.board) :][: state.cards_to_deal]
            assert len(cards) == state.cards_to_deal
            if compare_choices:
                assert theirs.cards_to_deal() == len(cards)
                theirs.deal_board(cards)
            state = state.deal_board(cards)
        else:
            if compare_choices:
                assert choices is not None
                if choices != shown(state):
                    reason = explain(state, choices)
                    assert reason, f"{state}: {shown(state)} here, {choices} in pokerkit"
                    reasons[reason] += 1
            legal = state.legal_actions()
            if choices and choices.min_raise_to is None:
                legal = replace(legal, min_raise_to=None, max_raise_to=None)
            action = random_action(legal, deal.actions)
            state = state.apply(action)
            if compare_choices:
                if action == FOLD:
                    theirs.fold()
                elif action == CALL:
                    theirs.call()
                else:
                    theirs.raise_to(action.amount)
    check_settling(state)
    if compare_choices:
        while (choices := theirs.choices()) is not None:
            assert choices.call == 0
            assert choices.min_raise_to is None
            reasons["a seat that can only check"] += 1
            theirs.call()
        ours = state.payoffs()
        if ours != theirs.payoffs():
            # pokerkit gives all chips of a pot that do not divide to one winner, and adds up
            # pots that the same winners share before it divides.
            assert theirs.payoffs() == reference_payoffs(state, like_pokerkit=True)
            reasons["odd chips"] += 1
    return reasons


def reference_settling(state: State, strengths, *, like_pokerkit: bool = False) -> tuple[int, ...]:
    seats = range(state.game.num_players)
    return settle(
        state.paid,
        [seat not in state.live for seat in seats],
        strengths,
        (1, 0) if len(seats) == 2 else tuple(seats),
        like_pokerkit=like_pokerkit,
    )


def reference_payoffs(state: State, *, like_pokerkit: bool = False) -> tuple[int, ...]:
    """The payoffs of a finished hand by the slow settling and phevaluator's strengths."""
    strengths = [0] * state.game.num_players
    if len(state.live) > 1:
        for seat in state.live:
            hole = state.hole_cards[seat]
            assert hole is not None
            strengths[seat] = -evaluate_cards(*hole, *state.board)
    return reference_settling(state, strengths, like_pokerkit=like_pokerkit)


def check_settling(state: State) -> None:
    """The payoffs agree with the slow settling and the pots hold what was paid."""
    payoffs = state.payoffs()
    assert payoffs == reference_payoffs(state)
    assert sum(payoffs) == 0
    assert sum(pot.amount for pot in state.pots) == sum(state.contributions)
    stacks = [state.game.stack_of(seat) for seat in range(state.game.num_players)]
    assert [a + b for a, b in zip(state.stacks, state.paid, strict=True)] == stacks


# 2,000 hands have all of these, and perhaps the rare one.
COMMON_REASONS = {
    "a largest blind posted short",
    "a seat that can only check",
    "a first all-in below the minimum",
    "odd chips",
}
RARE_REASON = "a short all-in after others made a full raise"


def compare_with_pokerkit(seeds: range) -> Counter[str]:
    """Play the hands of *seeds* and count those that have each difference."""
    reasons: Counter[str] = Counter()
    for seed in seeds:
        found = play_both(random_deal(seed))
        reasons.update(found.keys() or {"none"})
    return reasons


def test_hands_agree_with_pokerkit():
    """1,000 random hands: choices, cards and chips are pokerkit's but for the known reasons."""
    reasons = compare_with_pokerkit(range(1_000))

    assert reasons["none"] > 800
    assert set(reasons) - {RARE_REASON} == {"none", *COMMON_REASONS}


@pytest.mark.slow
def test_many_hands_agree_with_pokerkit():
    """60,000 more, at least 50,000 of them followed in pokerkit to their end."""
    reasons = compare_with_pokerkit(range(1_000, 61_000))

    assert 60_000 - reasons["a largest blind posted short"] >= 50_000
    assert set(reasons) == {"none", RARE_REASON, *COMMON_REASONS}


@given(st.integers(0, 2**32))
def test_every_offered_raise_is_legal_and_no_other(seed):
    deal = random_deal(seed)
    state = State.new(deal.game, deal.holes)
    total = sum(deal.game.stack_of(seat) for seat in range(deal.game.num_players))
    while not state.is_terminal:
        assert sum(state.stacks) + sum(state.paid) == total
        assert state.street <= 3
        if state.actor is None:
            state = state.deal_board(deal.board[len(state.board) :][: state.cards_to_deal])
            continue
        legal = state.legal_actions()
        assert legal.can_fold is (legal.call > 0)
        # Whoever is asked has a choice.
        assert legal.can_fold or legal.min_raise_to is not None
        if legal.min_raise_to is not None and legal.max_raise_to is not None:
            assert state.to_match < legal.min_raise_to <= legal.max_raise_to
            for amount in (legal.min_raise_to - 1, legal.max_raise_to + 1):
                with pytest.raises(RulesError):
                    state.apply(raise_to(amount))
            for amount in (legal.min_raise_to, legal.max_raise_to):
                after = state.apply(raise_to(amount))
                assert after.bets[state.actor] == amount or after.street > state.street
        state = state.apply(random_action(legal, deal.actions))
    check_settling(state)

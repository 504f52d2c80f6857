"""The evaluator against trying all fives, against phevaluator and against known counts."""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phevaluator import evaluate_cards

from holdem._core import evaluator
from holdem._core.evaluator import category, count_categories, count_strengths, evaluate
from holdem.errors import CardError
from tests.reference import evaluator as reference
from tests.vectors import VECTORS

COUNTS = VECTORS["hand_category_counts"]


def hands(num_cards):
    """Hands of distinct cards, half of them with mostly one suit, so that flushes are met."""
    any_cards = st.lists(st.integers(0, 51), min_size=num_cards, max_size=num_cards, unique=True)
    suited = st.permutations(range(0, 52, 4)).flatmap(
        lambda clubs: st.permutations(range(52)).map(
            lambda deck: list(dict.fromkeys([*clubs[:5], *deck]))[:num_cards]
        )
    )
    return any_cards | suited


def random_hands(num_hands, num_cards, seed=1):
    shuffled = np.random.default_rng(seed).random((num_hands, 52)).argsort(axis=1)
    return np.ascontiguousarray(shuffled[:, :num_cards], dtype=np.uint8)


def strength_of(cards):
    return int(evaluate(np.array([cards], np.uint8))[0])


def test_every_five_card_class_has_its_own_strength():
    """All 7,462 classes, one hand of each, are numbered from the worst up."""
    unsuited = [
        [4 * rank + (index + rank) % 4 for index, rank in enumerate(ranks)]
        for ranks in combinations_with_replacement(range(13), 5)
        if all(ranks.count(rank) <= 4 for rank in ranks)
    ]
    for cards in unsuited:
        if len({card % 4 for card in cards}) == 1:
            cards[4] ^= 1
    suited = [[4 * rank for rank in ranks] for ranks in combinations(range(13), 5)]
    every = unsuited + suited

    found = evaluate(np.array(every, np.uint8))

    assert [reference.strength(cards) for cards in every] == found.tolist()
    assert set(range(1, 7463)) == set(found.tolist())


@pytest.mark.parametrize("num_cards", [5, 6, 7])
@given(data=st.data())
def test_evaluate_picks_the_best_five(num_cards, data):
    """The tables agree with trying all five-card hands."""
    cards = data.draw(hands(num_cards))

    assert reference.strength(cards) == strength_of(cards)


@given(cards=hands(7), data=st.data())
def test_order_of_cards_does_not_matter(cards, data):
    assert strength_of(cards) == strength_of(data.draw(st.permutations(cards)))


@pytest.mark.parametrize("num_cards", [5, 6, 7])
def test_evaluate_agrees_with_phevaluator(num_cards):
    """An independent library orders random hands the same way."""
    cards = random_hands(20_000, num_cards)

    assert [7463 - evaluate_cards(*hand) for hand in cards.tolist()] == evaluate(cards).tolist()


@pytest.mark.parametrize("num_cards", ["5", "6", "7"])
def test_all_hands_fall_into_the_known_categories(num_cards):
    """All 133,784,560 hands of seven cards, and those of five and six."""
    strengths = count_strengths(int(num_cards))

    assert COUNTS[num_cards]["total"] == strengths.sum()
    assert COUNTS[num_cards]["classes"] == np.count_nonzero(strengths)
    assert COUNTS[num_cards]["counts"] == count_categories(int(num_cards))


@pytest.mark.parametrize("num_cards", ["5", "7"])
def test_each_category_has_the_known_number_of_strengths(num_cards):
    present = [category(int(s)) for s in np.flatnonzero(count_strengths(int(num_cards)))]

    expected = COUNTS[num_cards]["classes_by_cat"]
    assert expected == {name: present.count(name) for name in expected}


def test_counting_and_evaluating_all_five_card_hands_agree():
    every = np.array(list(combinations(range(52), 5)), np.uint8)

    assert np.array_equal(count_strengths(5), np.bincount(evaluate(every), minlength=7463))


@pytest.mark.slow
@pytest.mark.parametrize("instructions", evaluator.instruction_sets())
def test_counting_and_evaluating_all_seven_card_hands_agree(instructions):
    """Every hand through the vector code; a million at a time."""
    low = np.array(list(combinations(range(50), 5)), np.uint8)
    counts = np.zeros(7463, np.int64)
    for sixth in range(5, 51):
        first = low[low[:, 4] < sixth]
        for seventh in range(sixth + 1, 52):
            last = np.broadcast_to(np.array([sixth, seventh], np.uint8), (len(first), 2))
            strengths = evaluate(np.hstack([first, last]), instructions=instructions)
            counts += np.bincount(strengths, minlength=7463)

    assert np.array_equal(count_strengths(7), counts)


@pytest.mark.parametrize("num_cards", [5, 6, 7])
@pytest.mark.parametrize("instructions", evaluator.instruction_sets())
def test_instruction_sets_agree(instructions, num_cards):
    """Whatever the number of hands: groups, blocks and what is left over."""
    cards = random_hands(5_000, num_cards, seed=2)
    expected = evaluate(cards, instructions="scalar")
    for size in [0, 1, 7, 8, 9, 15, 16, 17, 63, 1023, 1024, 1025, 1031, 1040, 2048, 5_000]:
        # The end of the allocation is where reading too far would be noticed.
        end = np.ascontiguousarray(cards[len(cards) - size :])

        assert np.array_equal(
            expected[len(cards) - size :], evaluate(end, instructions=instructions)
        )


def test_scalar_is_always_there():
    assert evaluator.instruction_sets()[0] == "scalar"


@given(cards=hands(7))
def test_category_names_the_best_five(cards):
    assert reference.category(cards) == category(strength_of(cards))


def test_out_is_written_and_returned():
    cards = random_hands(10, 7)
    out = np.zeros(10, np.uint16)

    result = evaluate(cards, out)

    assert np.shares_memory(result, out)
    assert np.array_equal(evaluate(cards), out)


@pytest.mark.parametrize("instructions", evaluator.instruction_sets())
@pytest.mark.parametrize("place", [0, 700, 2_999])
def test_a_number_that_is_no_card_is_refused(instructions, place):
    cards = random_hands(3_000, 7)
    cards[place, 3] = 52

    with pytest.raises(CardError, match="not a card: 52"):
        evaluate(cards, instructions=instructions)


@pytest.mark.parametrize("num_cards", [0, 4, 8])
def test_hands_of_other_sizes_are_refused(num_cards):
    with pytest.raises(CardError, match=f"hands have {num_cards} cards, wanted 5, 6 or 7"):
        evaluate(np.zeros((3, num_cards), np.uint8))
    with pytest.raises(CardError, match=f"hands of {num_cards} cards"):
        count_strengths(num_cards)


def test_other_mistakes_are_refused():
    cards = random_hands(10, 7)
    with pytest.raises(CardError, match="room for 9 strengths, wanted 10"):
        evaluate(cards, np.zeros(9, np.uint16))
    with pytest.raises(CardError, match="no instruction set 'mmx'") as refusal:
        evaluate(cards, instructions="mmx")
    assert "scalar" in refusal.value.remedy
    for strength in (0, 7463):
        with pytest.raises(CardError, match=f"not a strength: {strength}"):
            category(strength)

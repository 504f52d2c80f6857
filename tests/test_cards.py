"""Names of cards, hole cards and preflop classes, and what the parsers refuse."""

from itertools import combinations

import numpy as np
import pytest

from holdem.errors import CardError
from holdem.game import cards


def test_every_card_reads_back():
    assert list(range(52)) == [cards.parse_card(cards.card_name(card)) for card in range(52)]


@pytest.mark.parametrize(("name", "card"), [("2c", 0), ("2s", 3), ("Td", 33), ("As", 51)])
def test_known_cards(name, card):
    assert card == cards.parse_card(name)
    assert name == cards.card_name(card)


@pytest.mark.parametrize("text", ["", "A", "as", "1c", "10c", "AS", "Ax", "Asd", "sA"])
def test_not_a_card(text):
    with pytest.raises(CardError) as error:
        cards.parse_card(text)

    assert repr(text) in str(error.value)
    assert "23456789TJQKA" in str(error.value)
    assert "cdhs" in str(error.value)


@pytest.mark.parametrize("card", [-1, 52])
def test_no_such_card(card):
    with pytest.raises(CardError, match=f"not a card: {card}"):
        cards.card_name(card)


@pytest.mark.parametrize("text", ["QsJh2h", "Qs Jh 2h", " QsJh  2h\n"])
def test_parse_cards_keeps_the_order(text):
    assert cards.parse_cards(text) == (43, 38, 2)
    assert cards.cards_text(cards.parse_cards(text)) == "QsJh2h"


@pytest.mark.parametrize(
    ("text", "message"),
    [("QsJ", "'J'"), ("Qs,Jh", "',J'"), ("QsQs", "Qs is there twice"), ("Qs Jh Qs", "twice")],
)
def test_parse_cards_refuses(text, message):
    with pytest.raises(CardError, match=message):
        cards.parse_cards(text)


def test_parse_hand():
    assert cards.parse_hand("AhKh") == (50, 46)
    with pytest.raises(CardError, match=r"'AhKhQh' is 3 cards: a hand is two"):
        cards.parse_hand("AhKhQh")
    with pytest.raises(CardError, match=r"'Ah' is one card: a hand is two"):
        cards.parse_hand("Ah")


@pytest.mark.parametrize("text", ["", "QsJh2h", "QsJh2h9c", "QsJh2h9c9d"])
def test_parse_board(text):
    assert text == cards.cards_text(cards.parse_board(text))


@pytest.mark.parametrize("text", ["Qs", "QsJh", "QsJh2h9c9d9s"])
def test_parse_board_refuses_other_sizes(text):
    with pytest.raises(CardError, match="a board is 0, 3, 4 or 5"):
        cards.parse_board(text)


def test_hole_index_counts_every_pair_once():
    found = [cards.hole_index(*pair) for pair in combinations(range(52), 2)]

    assert list(range(1326)) == sorted(found)
    assert found == [cards.hole_index(b, a) for a, b in combinations(range(52), 2)]
    for hole in range(1326):
        assert hole == cards.hole_index(*cards.hole_cards(hole))
        assert tuple(cards.HOLES[hole]) == cards.hole_cards(hole)


def test_hole_names():
    assert cards.hole_name(0) == "2d2c"
    assert cards.hole_name(1325) == "AsAh"


@pytest.mark.parametrize("pair", [(3, 3), (-1, 4), (4, 52)])
def test_hole_index_refuses(pair):
    with pytest.raises(CardError):
        cards.hole_index(*pair)


@pytest.mark.parametrize("hole", [-1, 1326])
def test_no_such_hole(hole):
    with pytest.raises(CardError, match="0 to 1325"):
        cards.hole_cards(hole)


def test_class_names_and_combos():
    """Each class holds exactly the holes that its name says."""
    for number, name in enumerate(cards.CLASS_NAMES):
        assert number == cards.class_index(name)
        assert name == cards.class_name(number)
        combos = 0
        for low, high in cards.HOLES[number == cards.CLASS_OF_HOLE].tolist():
            suffix = "s" if low % 4 == high % 4 else "o"
            ranks = cards.RANKS[high // 4] + cards.RANKS[low // 4]
            assert name == ranks + ("" if low // 4 == high // 4 else suffix)
            assert number == cards.class_of(high, low)
            combos += 1
        assert combos == cards.CLASS_COMBOS[number]
        assert combos == {"s": 4, "o": 12}.get(name[-1], 6)

    assert len(set(cards.CLASS_NAMES)) == 169
    assert cards.CLASS_COMBOS.sum() == 1326


@pytest.mark.parametrize("name", ["", "A", "KAs", "AK", "AAs", "AKS", "22o", "random"])
def test_not_a_class(name):
    with pytest.raises(CardError, match="not a preflop class"):
        cards.class_index(name)


@pytest.mark.parametrize("number", [-1, 169])
def test_no_such_class(number):
    with pytest.raises(CardError, match="0 to 168"):
        cards.class_name(number)


def test_chart():
    """AA top left, suited right of the diagonal, offsuit below it."""
    chart = np.array(cards.CLASS_NAMES)[cards.CLASS_GRID]

    assert chart[0, :3].tolist() == ["AA", "AKs", "AQs"]
    assert chart[1, :3].tolist() == ["AKo", "KK", "KQs"]
    assert chart[12, :2].tolist() == ["A2o", "K2o"]
    assert chart[12, 11:].tolist() == ["32o", "22"]
    assert list(range(169)) == sorted(cards.CLASS_GRID.ravel().tolist())
    for number in range(169):
        assert number == cards.CLASS_GRID[cards.grid_position(number)]


def test_tables_cannot_be_changed():
    for table in (cards.HOLES, cards.CLASS_OF_HOLE, cards.CLASS_COMBOS, cards.CLASS_GRID):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0

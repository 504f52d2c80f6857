"""Deals: the cards of a stream, looked up the slow way."""

import numpy as np
import pytest

from holdem._core import evaluator, indexer
from holdem._core.deal import DEAL_DTYPE, HoldemDealer, OneCardDealer
from holdem.errors import ConfigError
from tests.reference.walk import Stream, draw_cards

SIZES = (169, 1_286_792, 13_960_050, 123_156_254)


@pytest.fixture(scope="module")
def tables():
    """Buckets that name their index, as well as a byte or two can."""
    wide = (np.arange(SIZES[1]) % 60_013).astype(np.uint16)
    narrow = [(np.arange(size, dtype=np.uint32) % 251).astype(np.uint8) for size in SIZES]
    return [narrow[0], wide, narrow[2], narrow[3]]


@pytest.fixture(scope="module")
def equities():
    return np.random.default_rng(5).random((169, 169))


@pytest.mark.parametrize("num_players", [2, 3, 9])
def test_holdem_deal_matches_cards_looked_up_one_by_one(num_players, tables, equities):
    """Buckets, strengths and shares of every player on every street."""
    deals = np.zeros(40, DEAL_DTYPE)
    HoldemDealer(num_players, tables, equities).deal(7, 1_000, deals)

    for offset, deal in enumerate(deals):
        stream = Stream(7, 1_000 + offset, 0)
        cards = draw_cards(stream, list(range(52)), 2 * num_players + 5)
        board = cards[2 * num_players :]
        hands = [cards[2 * p : 2 * p + 2] for p in range(num_players)]
        strengths = []
        for player, hole in enumerate(hands):
            for street, size in enumerate((0, 3, 4, 5)):
                hand = np.array([hole + board[:size]], np.uint8)
                index = int(indexer.index(hand)[0])
                assert deal["bucket"][street][player] == tables[street][index]
            hand = np.array([hole + board], np.uint8)
            strengths.append(int(evaluator.evaluate(hand)[0]))
        assert list(deal["strength"][:num_players]) == strengths
        if num_players == 2:
            classes = [int(indexer.index(np.array([hole], np.uint8))[0]) for hole in hands]
            first, second = strengths
            outcome = 0.5 if first == second else float(first > second)
            assert deal["share"][0] == np.float32(equities[classes[0], classes[1]])
            assert list(deal["share"][1:]) == [outcome] * 3


def test_deal_does_not_depend_on_what_was_dealt_before(tables, equities):
    """A run may be cut anywhere: iteration 25 is the same alone and in a row of 40."""
    dealer = HoldemDealer(2, tables, equities)
    row, alone = np.zeros(40, DEAL_DTYPE), np.zeros(1, DEAL_DTYPE)
    dealer.deal(7, 0, row)
    dealer.deal(7, 25, alone)
    assert row[25] == alone[0]


def test_preflop_only_set_deals_no_board(tables, equities):
    """Push/fold needs one table; the pot is shared by exact equity."""
    deals = np.zeros(10, DEAL_DTYPE)
    HoldemDealer(2, tables[:1], equities).deal(7, 0, deals)
    full = np.zeros(10, DEAL_DTYPE)
    HoldemDealer(2, tables, equities).deal(7, 0, full)
    assert (deals["bucket"][:, 0] == full["bucket"][:, 0]).all()
    assert (deals["share"][:, 0] == full["share"][:, 0]).all()


@pytest.mark.parametrize(
    ("players", "ranks", "suits", "streets", "board_street"),
    [(2, 3, 1, 1, None), (3, 4, 1, 1, None), (2, 3, 2, 2, 1), (4, 6, 4, 2, 1)],
)
def test_one_card_deal_matches_the_rules(players, ranks, suits, streets, board_street):
    """A pair with the public card wins, then the higher rank; buckets tell both ranks."""
    deals = np.zeros(200, DEAL_DTYPE)
    OneCardDealer(players, ranks, suits, streets, board_street).deal(3, 50, deals)
    for offset, deal in enumerate(deals):
        deck = [rank for rank in range(ranks) for _ in range(suits)]
        cards = draw_cards(Stream(3, 50 + offset, 0), deck, players + (board_street is not None))
        public = cards[players] if board_street is not None else -1
        strengths = [rank + ranks * (rank == public) for rank in cards[:players]]
        assert list(deal["strength"][:players]) == strengths
        for street in range(streets):
            seen = board_street is not None and street >= board_street
            expected = [rank * ranks + public if seen else rank for rank in cards[:players]]
            assert list(deal["bucket"][street][:players]) == expected


def test_all_leduc_deals_are_equally_likely():
    """All 120 ordered deals of three cards, within five standard deviations."""
    deals = np.zeros(120_000, DEAL_DTYPE)
    OneCardDealer(2, 6, 1, 2, 1).deal(11, 0, deals)
    key = deals["bucket"][:, 1, 0] * 6 + deals["bucket"][:, 0, 1]
    counts = np.bincount(key, minlength=216)
    seen = counts[counts > 0]
    assert len(seen) == 120
    assert np.abs(seen - 1_000).max() < 5 * np.sqrt(1_000)


def test_wrong_tables_are_refused(tables, equities):
    """A table of the wrong length, an impossible deck, ten players."""
    with pytest.raises(ConfigError, match="street 1"):
        HoldemDealer(2, [tables[0], tables[0]], equities)
    with pytest.raises(ConfigError, match="num_players"):
        HoldemDealer(10, tables, equities)
    with pytest.raises(ConfigError, match="cannot be dealt"):
        OneCardDealer(2, 2, 1, 2, 1)

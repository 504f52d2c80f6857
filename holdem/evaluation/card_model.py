"""Joint private cards of small games as arrays: how likely, and who wins a pot.

One-card games (Kuhn, Leduc) of any number of seats, and heads-up hold'em whose
bets all fall before the flop, have so few private hands that every combination
fits in one array. `evaluation.exploitability` works on these arrays alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from holdem._core.equity import preflop_equities as exact_equities
from holdem.errors import ConfigError, ResourceError
from holdem.game import preflop
from holdem.game.tree import BettingTree
from holdem.types import GameConfig

MAX_DEALS = 4_000_000  # cells of a joint array: 32 MB each


@dataclass(frozen=True)
class CardModel:
    """The chance side of a game small enough to enumerate.

    *Hand* is what a seat holds (a rank, or a preflop class), *board* the public
    card (or the only value 0, where a game has none).

    Attributes:
        num_hands: hands a seat can hold.
        num_boards: boards; 1 where there is none.
        board_street: first street on which the board is seen; None for never.
        weights: float64, (num_boards, num_hands, ... once per seat): the probability
            of each deal; sums to 1.
        share: maps a bit mask of seats to one array shaped like *weights* per set
            bit, lowest seat first: the share of a pot that these seats contest.
        buckets: int64, per street (num_boards, num_hands): the row of a strategy.
    """

    num_hands: int
    num_boards: int
    board_street: int | None
    weights: NDArray[np.float64]
    share: Callable[[int], list[NDArray[np.float64]]]
    buckets: tuple[NDArray[np.int64], ...]


def card_model(
    tree: BettingTree,
    preflop_equities: NDArray[np.float64] | None = None,
    preflop_buckets: NDArray[np.integer] | None = None,
) -> CardModel:
    """Return the card model of *tree*'s game.

    Args:
        tree: the betting tree.
        preflop_equities: hold'em only, (169, 169): equity of class i against class j;
            by default the exact ones, which take some
            seconds to count; `HandBucketing.preflop_equities` holds them too.
        preflop_buckets: hold'em only, (169,): the bucket of each class, where the
            tree has fewer than 169 of them.

    Raises:
        ConfigError: the game is neither a one-card game nor heads-up preflop hold'em.
        ResourceError: too many deals to enumerate.
        MismatchError: *preflop_buckets* do not fit the tree.
    """
    if tree.game.cards.kind == "one-card":
        return _one_card_model(tree)
    return _preflop_model(tree, preflop_equities, preflop_buckets)


def _one_card_model(tree: BettingTree) -> CardModel:
    game = tree.game
    ranks, seats = game.cards.ranks, game.num_players
    board_street = game.cards.board_street
    boards = ranks if board_street is not None else 1
    if boards * ranks**seats > MAX_DEALS:
        raise ResourceError(
            f"{boards * ranks**seats:,} deals of {seats} private cards "
            f"are more than the {MAX_DEALS:,} that are enumerated",
            "judge fewer seats or fewer ranks",
        )
    strengths = np.arange(ranks)[None, :] + ranks * (
        np.eye(ranks, dtype=np.int64)
        if board_street is not None
        else np.zeros((1, ranks), dtype=np.int64)
    )  # (boards, ranks): a pair with the board beats any rank

    def share(mask: int) -> list[NDArray[np.float64]]:
        seated = [seat for seat in range(seats) if mask >> seat & 1]
        strength = [strengths.reshape(_axis_shape(boards, ranks, seats, seat)) for seat in seated]
        best = strength[0]
        for other in strength[1:]:
            best = np.maximum(best, other)
        wins = [(one == best).astype(np.float64) for one in strength]
        winners = sum(wins[1:], wins[0])
        shape = (boards, *(ranks,) * seats)
        return [np.broadcast_to(win / winners, shape) for win in wins]

    before = np.broadcast_to(np.arange(ranks), (boards, ranks))
    after = np.arange(ranks)[None, :] * ranks + np.arange(boards)[:, None]
    return CardModel(
        num_hands=ranks,
        num_boards=boards,
        board_street=board_street,
        weights=_deal_probabilities(game),
        share=share,
        buckets=tuple(
            after if board_street is not None and street >= board_street else before
            for street in range(game.num_streets)
        ),
    )


def _axis_shape(boards: int, ranks: int, seats: int, seat: int) -> tuple[int, ...]:
    """The shape that lays (boards, ranks) along the board's axis and *seat*'s own."""
    return (boards, *(ranks if other == seat else 1 for other in range(seats)))


def _deal_probabilities(game: GameConfig) -> NDArray[np.float64]:
    """Probability of each deal of one-card *game*, with card removal."""
    ranks, suits, seats = game.cards.ranks, game.cards.suits, game.num_players
    has_board = game.cards.board_street is not None
    cards_dealt = seats + has_board
    ways = np.empty((ranks,) * cards_dealt)
    for dealt in product(range(ranks), repeat=cards_dealt):
        count = 1
        for i, rank in enumerate(dealt):
            count *= max(suits - dealt[:i].count(rank), 0)
        ways[dealt] = count
    # The board is dealt last and comes first among the axes.
    ways = np.moveaxis(ways, -1, 0) if has_board else ways[None]
    total = ways.sum()
    if total == 0:
        raise ConfigError(
            f"{cards_dealt} cards cannot be dealt from a deck of {ranks * suits}",
            "give the game more ranks or suits",
        )
    probabilities: NDArray[np.float64] = np.ascontiguousarray(ways) / total
    return probabilities


def _preflop_model(
    tree: BettingTree,
    preflop_equities: NDArray[np.float64] | None,
    preflop_buckets: NDArray[np.integer] | None,
) -> CardModel:
    decisions = tree.nodes["num_actions"] > 0
    last_street = int(tree.nodes["street"][decisions].max())
    if tree.game.num_players != 2 or last_street > 0:
        raise ConfigError(
            f"an exact best response of hold'em needs two players who bet before the flop only, "
            f"not {tree.game.num_players} players and {last_street + 1} betting streets",
            "measure it with local best response or in matches instead",
        )
    if preflop_equities is None:
        preflop_equities = exact_equities()
    equities = np.asarray(preflop_equities, dtype=np.float64)
    size = preflop.NUM_CLASSES
    buckets = preflop.checked_buckets(tree, preflop_buckets)
    weights = preflop.pair_weights()[None].astype(np.float64)
    share = {0b01: [np.ones((1, size, size))], 0b10: [np.ones((1, size, size))]}
    share[0b11] = [equities[None], 1.0 - equities[None]]
    return CardModel(
        num_hands=size,
        num_boards=1,
        board_street=None,
        weights=weights / weights.sum(),
        share=share.__getitem__,
        buckets=(buckets[None],),
    )

"""Games that everybody knows, the names of seats, and what makes a GameConfig playable."""

from __future__ import annotations

from holdem.errors import ConfigError
from holdem.types import MAX_PLAYERS, BetMenu, CardRules, GameConfig

MOST_CHIPS = 2**31 - 1
"""On the table in all, so that pots fit 32 bits."""

_EARLY = ("UTG", "UTG+1", "UTG+2")
_LATE = ("LJ", "HJ", "CO", "BTN")


def position_names(num_players: int) -> tuple[str, ...]:
    """Return what the seats are called, from seat 0.

    >>> position_names(2)
    ('SB', 'BB')
    >>> position_names(6)
    ('SB', 'BB', 'UTG', 'HJ', 'CO', 'BTN')
    """
    others = num_players - 2
    # Four-handed, the first to act is "CO"; from six on someone is under the gun.
    late = min(others, len(_LATE)) if others < 4 else min(others - 1, len(_LATE))
    return ("SB", "BB", *_EARLY[: others - late], *_LATE[len(_LATE) - late :])


def kuhn(num_players: int = 2) -> GameConfig:
    """Kuhn poker (Kuhn 1950): one card each of a deck one larger than the table, one bet."""
    return GameConfig(
        name="kuhn" if num_players == 2 else f"kuhn{num_players}",
        num_players=num_players,
        stacks=(2,),
        blinds=(),
        ante=1,
        cards=CardRules(kind="one-card", ranks=num_players + 1, suits=1),
        menu=BetMenu(streets=(("1c", ""),)),
    )


def leduc() -> GameConfig:
    """Leduc poker (Southey et al. 2005): bets of 2, then 4, at most two on a street."""
    return GameConfig(
        name="leduc",
        stacks=(13,),
        blinds=(),
        ante=1,
        first_to_act=(0, 0),
        cards=CardRules(kind="one-card", ranks=3, suits=2, board_street=1),
        menu=BetMenu(streets=(("2c", "2c", ""), ("4c", "4c", ""))),
    )


def push_fold(stack_bb: float, big_blind: int = 100) -> GameConfig:
    """Heads-up hold'em in which the small blind goes all-in or folds.

    Args:
        stack_bb: What both have before the blinds, in big blinds.
        big_blind: In chips.
    """
    return GameConfig(
        name="push-fold",
        stacks=(round(stack_bb * big_blind),),
        blinds=(big_blind // 2, big_blind),
        menu=BetMenu(streets=(("a, !call", ""),)),
    )


def check_game(game: GameConfig) -> None:
    """Refuse a game that cannot be dealt; the menu is `holdem.game.menu.parse_menu`'s.

    Raises:
        ConfigError: naming every value that cannot be used and what could be.
    """
    if not 2 <= game.num_players <= MAX_PLAYERS:
        # Without it nothing else can be checked.
        raise ConfigError(
            f"game.num_players is {game.num_players}, and must be 2 to {MAX_PLAYERS}",
            f"set num_players between 2 and {MAX_PLAYERS}",
        )
    faults = [*_money_faults(game), *_card_faults(game)]
    if game.first_to_act is not None and (
        len(game.first_to_act) != game.num_streets
        or not all(0 <= seat < game.num_players for seat in game.first_to_act)
    ):
        faults.append(
            f"game.first_to_act is {game.first_to_act}, and must name one of the seats "
            f"0 to {game.num_players - 1} for each of {game.num_streets} streets"
        )
    if faults:
        raise ConfigError("; ".join(faults), "change the game's section of the config")


def _money_faults(game: GameConfig) -> list[str]:
    faults = []
    if len(game.stacks) not in (1, game.num_players):
        faults.append(
            f"game.stacks has {len(game.stacks)} numbers, and must have 1 or {game.num_players}"
        )
    elif not all(stack > 0 for stack in game.stacks):
        faults.append(f"game.stacks is {game.stacks}, and every stack must be above 0")
    elif sum(game.stack_of(seat) for seat in range(game.num_players)) > MOST_CHIPS:
        faults.append(f"game.stacks is {game.stacks}, and all together at most {MOST_CHIPS} chips")
    if len(game.blinds) > game.num_players or not all(
        0 <= blind <= MOST_CHIPS for blind in game.blinds
    ):
        faults.append(
            f"game.blinds is {game.blinds}, and must be at most {game.num_players} numbers of "
            "chips, none below 0"
        )
    if not 0 <= game.ante <= MOST_CHIPS:
        faults.append(f"game.ante is {game.ante}, and must not be below 0")
    return faults


def _card_faults(game: GameConfig) -> list[str]:
    cards = game.cards
    if cards.kind == "holdem":
        if (cards.ranks, cards.suits, cards.board_street) != (13, 4, None):
            return ["game.cards: ranks, suits and board_street belong to one-card games"]
        return []
    board = cards.board_street
    faults = []
    if not 2 <= cards.ranks <= len("23456789TJQKA") or not 1 <= cards.suits <= 4:
        faults.append(f"game.cards has {cards.ranks} ranks and {cards.suits} suits (2-13, 1-4)")
    elif cards.ranks * cards.suits < game.num_players + (board is not None):
        faults.append(
            f"game.cards has {cards.ranks * cards.suits} cards, too few for "
            f"{game.num_players} players"
        )
    if board is not None and not 0 < board < game.num_streets:
        possible = ", ".join(map(str, range(1, game.num_streets))) or "none is possible"
        faults.append(
            f"game.cards.board_street is {board}, and must be a street after the menu's first "
            f"({possible})"
        )
    return faults

"""Games that everybody knows, and the names of seats."""

from __future__ import annotations

from holdem.types import BetMenu, CardRules, GameConfig

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

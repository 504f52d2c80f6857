"""Every config, as a frozen dataclass: what a value means, its unit and its default.

Seats. In all of `holdem` seat 0 posts the small blind, seat 1 the big blind, and
the last seat is the button; heads-up, seat 0 is the button too. Before the flop
the seat after the blinds acts first (heads-up: seat 0); later streets begin with
the first seat left of the button (heads-up: seat 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from holdem.errors import ConfigError

STREETS = ("preflop", "flop", "turn", "river")
MAX_PLAYERS = 9
MAX_BUCKETS = 65_536
"""Of one street: a table of buckets holds 16-bit numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardRules:
    """Which cards a game is played with.

    ``holdem`` is two hole cards and a board of 3, 1 and 1 of 52 cards. ``one-card``
    is the family of Kuhn and Leduc poker: one private card of a deck of *ranks* x
    *suits*, and at most one public card, dealt before street *board_street*; a pair
    with it wins, then the higher rank.
    """

    kind: Literal["holdem", "one-card"] = "holdem"
    ranks: int = 13
    suits: int = 4
    board_street: int | None = None
    """one-card only: the street before which the public card is dealt; None for no board."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BetMenu:
    """The bets and raises on offer, by street and by how many raises came before.

    ``streets[s][r]`` is a comma-separated text for street *s* after *r* raises
    (blinds do not count); the last text of a street serves all later raises.
    ``33%`` is a share of the pot after calling, ``2.5x`` a multiple of the bet
    faced or of the big blind, ``4c`` a raise by that many chips, ``a`` all-in,
    ``*`` every whole number of chips the rules allow; an empty text, no raise.
    Folding (facing a bet) and checking or calling are always there, unless the
    text holds ``!call``, as push/fold needs for its first action.
    """

    streets: tuple[tuple[str, ...], ...]


HEADS_UP_MENU = BetMenu(
    streets=(
        ("2.5x, a", "3x, a", "a"),
        ("50%, 100%, a", "100%, a", "a"),
        ("75%, a", "a"),
        ("75%, a", "a"),
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class GameConfig:
    """One game: cards, seats, stacks, forced bets and the bet menu. Money in chips."""

    name: str = "hu"
    num_players: int = 2
    stacks: tuple[int, ...] = (10_000,)
    """By seat, before blinds and antes; a single number means the same for all."""
    blinds: tuple[int, ...] = (50, 100)
    """By seat from seat 0; seats beyond post nothing; a third number is a straddle. Empty for none."""
    ante: int = 0
    """By every player."""
    first_to_act: tuple[int, ...] | None = None
    """Seat that acts first, by street; None for the hold'em order."""
    cards: CardRules = field(default_factory=CardRules)
    menu: BetMenu = HEADS_UP_MENU

    @property
    def num_streets(self) -> int:
        """How many streets are bet on: the menu's length."""
        return len(self.menu.streets)

    @property
    def big_blind(self) -> int:
        """The unit of money: the largest blind, or the ante where there is none, or 1."""
        return max((*self.blinds[:2], 0)) or self.ante or 1

    def stack_of(self, seat: int) -> int:
        """Chips that *seat* starts the hand with."""
        return self.stacks[seat] if len(self.stacks) > 1 else self.stacks[0]


CANONICAL_HANDS = (169, 1_286_792, 13_960_050, 123_156_254)
"""Hands up to a renaming of the suits, by street, the order of the board's cards forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketConfig:
    """How many buckets a street has, and how their centres are fitted."""

    k_preflop: int = 169
    """169 is lossless: bucket = class of hole cards."""
    k_flop: int = 200
    k_turn: int = 200
    k_river: int = 200
    num_streets: int = 4
    """Streets that the set covers, from preflop on; push/fold needs one."""
    hands: int = 200_000
    """Hands sampled per street to fit the centres on; every hand is assigned in the end."""
    restarts: int = 3
    """Times that the centres of a street are seeded anew; the best fit is kept."""
    fit_iterations: int = 40
    """At most so many steps of Lloyd's algorithm after each seeding."""
    seed: int = 42
    num_players: int = 2
    """At the table; features are shares of the pot against one fewer opponents."""

    def __post_init__(self) -> None:
        mistakes = [
            f"{name} must be {least:,} to {most:,}, not {getattr(self, name):,}"
            for name, least, most in (
                ("k_preflop", 1, CANONICAL_HANDS[0]),
                ("k_flop", 1, MAX_BUCKETS),
                ("k_turn", 1, MAX_BUCKETS),
                ("k_river", 1, MAX_BUCKETS),
                ("num_streets", 1, len(STREETS)),
                ("restarts", 1, 100),
                ("fit_iterations", 1, 10_000),
                ("seed", 0, 2**63 - 1),
                ("num_players", 2, MAX_PLAYERS),
            )
            if not least <= getattr(self, name) <= most
        ]
        needed = max(self.bucket_counts[: max(self.num_streets, 1)])
        if self.hands < needed:
            mistakes.append(f"hands must be at least the largest k, {needed:,}, not {self.hands:,}")
        if mistakes:
            raise ConfigError("; ".join(mistakes))

    @property
    def bucket_counts(self) -> tuple[int, int, int, int]:
        """Buckets of preflop, flop, turn and river."""
        return (self.k_preflop, self.k_flop, self.k_turn, self.k_river)


@dataclass(frozen=True, kw_only=True, slots=True)
class MCCFRConfig:
    """How a blueprint is trained by Monte Carlo CFR (Lanctot et al. 2009).

    Every field is a flat key of a YAML config and, where it has one, an option of
    ``holdem train``.
    """

    num_iterations: int | None = None
    """Iterations in all; one is a deal walked once per player. None: use the time budget."""
    time_budget_seconds: float | None = None
    checkpoint_interval: int = 1_000_000
    """Iterations between checkpoints; each falls on the first merge at or after a multiple."""
    snapshot_interval_seconds: float = 300.0
    """Seconds between checkpoints, whatever the iterations."""
    keep_checkpoints: int = 3
    """Older checkpoints than these are removed; 0 keeps all."""
    discount_interval: int = 5_000
    """Iterations in one period of Linear CFR."""
    regret_discount_alpha: float = 1.0
    strategy_discount_beta: float = 1.0
    exploration_epsilon: float = 0.6
    """Outcome sampling: how much of the updating player's sampling is uniform."""
    epsilon_schedule: tuple[tuple[int, float], ...] | None = None
    """Pairs (iteration, epsilon), ascending: from that iteration on, that epsilon."""
    enable_pruning: bool = True
    pruning_threshold: float = -300_000_000.0
    pruning_probability: float = 0.95
    regret_floor: float = -310_000_000.0
    num_players: int = 2
    num_workers: int = 1
    batch_size: int = 100
    """Iterations between two merges, in all, whoever does them."""
    seed: int = 42
    sampling: Literal["external", "outcome"] = "external"
    tensorboard_log_interval: int = 10_000
    """Iterations between two rows of TensorBoard figures."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, not {self.batch_size}")

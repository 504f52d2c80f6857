"""Every config, as a frozen dataclass: what a value means, its unit, its default and its range.

Whoever makes one, from YAML, from options or in Python, meets the same checks: a value
that cannot be used is a `ConfigError` that names it. Whole numbers may be written as
``1e6``, and lists become tuples.

Seats. In all of `holdem` seat 0 posts the small blind, seat 1 the big blind, and
the last seat is the button; heads-up, seat 0 is the button too. Before the flop
the seat after the blinds acts first (heads-up: seat 0); later streets begin with
the first seat left of the button (heads-up: seat 1).
"""

from __future__ import annotations

import math
import operator
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdem.errors import ConfigError

STREETS = ("preflop", "flop", "turn", "river")
MAX_PLAYERS = 9
MAX_BUCKETS = 65_536
"""Of one street: a table of buckets holds 16-bit numbers."""
MOST_CHIPS = 2**31 - 1
"""On the table in all, so that pots fit 32 bits."""
MOST_SEARCH_ITERATIONS = 100_000
"""Of one decision: by then there is nothing left to better."""
MOST_SEARCH_THREADS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What one field of a config may hold.

    Attributes:
        kind: the type of the value, or of each value of a tuple.
        least, most: the range, ends included; None for no end.
        above, below: the range, ends excluded.
        unit: what is counted.
        choices: the texts that are possible; empty for any.
        optional: None is possible.
        many: a tuple of such values; a single one stands for a tuple of one.
    """

    kind: type = int
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    many: bool = False

    @property
    def wanted(self) -> str:
        """What is possible, in words: ``"a whole number from 2 to 9 (players)"``."""
        if self.choices:
            return " or ".join(self.choices)
        noun = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        text = noun[self.kind]
        if self.least is not None and self.most is not None:
            text += f" from {_bound(self.least)} to {_bound(self.most)}"
        else:
            bounds = (
                ("of at least", self.least),
                ("above", self.above),
                ("below", self.below),
                ("of at most" if self.above is None else "at most", self.most),
            )
            given = [f"{word} {_bound(bound)}" for word, bound in bounds if bound is not None]
            text += " " * bool(given) + " and ".join(given)
        if self.many:
            text = f"a list, each {text}"
        return text + (f" ({self.unit})" if self.unit else "") + (" or null" * self.optional)

    def convert(self, value: object) -> Any:
        """Return *value* as this field holds it.

        Raises:
            ValueError: *value* is not `wanted`.
        """
        if value is None and self.optional:
            return None
        if not self.many:
            return self._convert_one(value)
        if isinstance(value, str) or not isinstance(value, Sequence):
            value = (value,)
        return tuple(self._convert_one(one) for one in value)

    def _convert_one(self, value: object) -> Any:
        if self.kind in (bool, str):
            if type(value) is not self.kind or (self.choices and value not in self.choices):
                raise ValueError
            return value
        # A truth value counts as a number in Python; in a config it is a slip.
        if isinstance(value, (bool, str, bytes)) or value is None:
            raise ValueError
        try:
            number: float = float(value)  # type: ignore[arg-type]
            if self.kind is int and not isinstance(value, float):
                number = operator.index(value)  # type: ignore[arg-type]
            elif self.kind is int and number.is_integer():
                number = int(number)
        except (TypeError, ValueError, OverflowError):
            raise ValueError from None
        if not math.isfinite(number) or (self.kind is int and not isinstance(number, int)):
            raise ValueError
        if (
            (self.least is not None and number < self.least)
            or (self.most is not None and number > self.most)
            or (self.above is not None and number <= self.above)
            or (self.below is not None and number >= self.below)
        ):
            raise ValueError
        return number


def _bound(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number}"


def _adopt(config: object, section: str, rules: Mapping[str, Rule]) -> list[str]:
    """Convert the fields of *config* by *rules*; return what is wrong, a sentence each."""
    faults = []
    for name, rule in rules.items():
        value = getattr(config, name)
        try:
            object.__setattr__(config, name, rule.convert(value))
        except ValueError:
            faults.append(f"{section}{name} is {shown(value)}, and must be {rule.wanted}")
    return faults


def _raise_if(faults: list[str], remedy: str) -> None:
    if faults:
        raise ConfigError("; ".join(faults), remedy)


def shown(value: object, level: int = 0) -> str:
    """Return *value* as a message quotes it: as YAML writes it, and not too long.

    *level* is how many lists and mappings it lies in.
    """
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if level == 60:  # cut off below, as each level around it writes a bracket
        text = "..."
    elif isinstance(value, (tuple, list)):
        text = "[" + ", ".join(shown(one, level + 1) for one in value) + "]"
    elif isinstance(value, dict):
        pairs = (f"{shown(key)}: {shown(one, level + 1)}" for key, one in value.items())
        text = "{" + ", ".join(pairs) + "}"
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        text = f"{int(value)}"
    else:
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def shell_word(value: object) -> str:
    """Return *value*, such as a path, as one word of a command that is to be copied."""
    return shlex.quote(str(value))


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

    def __post_init__(self) -> None:
        faults = _adopt(self, "game.cards.", CARD_RULES)
        deck = (self.ranks, self.suits, self.board_street)
        if not faults and self.kind == "holdem" and deck != (13, 4, None):
            faults = ["game.cards: ranks, suits and board_street belong to one-card games"]
        _raise_if(faults, "change the game's cards")


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

    def __post_init__(self) -> None:
        texts = Rule(kind=str, many=True)
        try:
            given = () if isinstance(self.streets, str) else self.streets
            streets = tuple(texts.convert(street) for street in given)
        except (TypeError, ValueError):
            streets = ()
        if not 1 <= len(streets) <= len(STREETS):
            raise ConfigError(
                f"game.menu is {shown(self.streets)}, and must hold lists of texts for 1 to "
                f"{len(STREETS)} streets",
                'write a street as in  preflop: ["2.5x, a", "3x, a", "a"]',
            )
        object.__setattr__(self, "streets", streets)


# The button raises or folds: between limping and raising its best hands are nearly
# indifferent, and a minute of training would leave them to chance.
HEADS_UP_MENU = BetMenu(
    streets=(
        ("2.5x, a, !call", "3x, a", "2.2x, a", "a"),
        ("33%, 75%, a", "75%, a", "a"),
        ("75%, a", "75%, a", "a"),
        ("75%, a", "75%, a", "a"),
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
    """By seat from seat 0; a third number is a straddle, seats beyond post nothing."""
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

    def __post_init__(self) -> None:
        faults = _adopt(self, "game.", GAME_RULES)
        _raise_if(faults or self._faults(), "change the game's section of the config")

    def _faults(self) -> list[str]:
        """What does not go together, although each value alone is possible."""
        faults = []
        players, cards, seats = self.num_players, self.cards, len(self.stacks)
        if seats not in (1, players):
            faults.append(f"game.stacks has {seats} numbers, and must have 1 or {players}")
        elif sum(self.stack_of(seat) for seat in range(players)) > MOST_CHIPS:
            faults.append(
                f"game.stacks is {shown(self.stacks)}, and must be at most {MOST_CHIPS:,} chips "
                "all together"
            )
        if len(self.blinds) > players:
            faults.append(f"game.blinds has {len(self.blinds)} numbers for {players} players")
        if cards.kind == "one-card":
            public = cards.board_street is not None
            if cards.ranks * cards.suits < players + public:
                faults.append(
                    f"game.cards has {cards.ranks * cards.suits} cards, too few for {players} "
                    "players" + " and a public card" * public
                )
            if cards.board_street is not None and cards.board_street >= self.num_streets:
                faults.append(
                    f"game.cards.board_street is {cards.board_street}, and must be a street "
                    f"after the first of the menu's {self.num_streets}"
                )
        if self.first_to_act is not None and (
            len(self.first_to_act) != self.num_streets or max(self.first_to_act) >= players
        ):
            faults.append(
                f"game.first_to_act is {shown(self.first_to_act)}, and must name one of the seats "
                f"0 to {players - 1} for each of {self.num_streets} streets"
            )
        return faults


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
    kinds_flop: int = 1
    """Kinds of boards on the flop, each with its even share of the street's buckets."""
    kinds_turn: int = 1
    kinds_river: int = 1

    @property
    def bucket_counts(self) -> tuple[int, int, int, int]:
        """Buckets of preflop, flop, turn and river."""
        return (self.k_preflop, self.k_flop, self.k_turn, self.k_river)

    @property
    def kind_counts(self) -> tuple[int, int, int, int]:
        """Kinds of boards that are told apart on preflop, flop, turn and river."""
        return (1, self.kinds_flop, self.kinds_turn, self.kinds_river)

    def __post_init__(self) -> None:
        faults = _adopt(self, "buckets.", BUCKET_RULES)
        if not faults:
            most = max(self.bucket_counts[: self.num_streets])
            if self.hands < most:
                faults = [
                    f"buckets.hands is {self.hands}, and must be at least the number of buckets, "
                    f"{most}"
                ]
            faults += [
                f"buckets.kinds_{street} is {kinds}, and must be at most the number of buckets "
                f"there, {buckets}"
                for street, kinds, buckets in zip(
                    STREETS, self.kind_counts, self.bucket_counts, strict=True
                )
                if kinds > buckets
            ]
        _raise_if(faults, "change the buckets' section of the config, or the options")


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
    discount_interval: int = 0
    """Iterations in one period of Linear CFR; 0 for 5,000, or 200 against a responder."""
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
    opponent: Literal["itself", "responder"] = "itself"
    """Whom the table trains against: itself, or a responder who learns in buckets and, on the
    river, sees cards instead and answers best (CFR-BR: Johanson, Bard, Burch & Bowling 2012)."""
    parent_boards: int = 0
    """Against a responder: after how many boards the regrets of like buckets together count as much
    for each of them as its own; before, they count more, and later less. 0: each for itself."""
    tensorboard_log_interval: int = 10_000
    """Iterations between two rows of TensorBoard figures."""
    eval_interval: int | None = None
    """Iterations between two evaluations of the strategy so far; None for none."""

    @property
    def period(self) -> int:
        """Iterations in one period of Linear CFR: `discount_interval`, or the usual ones."""
        return self.discount_interval or _PERIODS[self.opponent]

    def __post_init__(self) -> None:
        faults = _adopt(self, "", TRAINING_RULES)
        if self.epsilon_schedule is not None:
            faults += self._adopt_schedule()
        if not faults and self.opponent == "responder" and self.sampling != "external":
            faults = [
                f"sampling is {self.sampling}, and against a responder nothing is sampled but "
                "boards: leave it out"
            ]
        if not faults and self.opponent == "itself" and self.parent_boards:
            faults = [
                f"parent_boards is {self.parent_boards:,}, and the table trains against itself, "
                "where no buckets have parents: leave it out"
            ]
        if not faults and self.enable_pruning and self.regret_floor >= self.pruning_threshold:
            faults = [
                f"regret_floor is {shown(self.regret_floor)}, and must be below "
                f"pruning_threshold, {shown(self.pruning_threshold)}: else nothing is ever pruned"
            ]
        _raise_if(faults, "change these values of the config, or the options")

    def _adopt_schedule(self) -> list[str]:
        pairs = []
        try:
            for start, epsilon in self.epsilon_schedule or ():
                pairs.append((Rule(least=0).convert(start), _EPSILON.convert(epsilon)))
        except (TypeError, ValueError):
            pairs = []
        starts = [start for start, _ in pairs]
        if not pairs or starts != sorted(set(starts)):
            return [
                f"epsilon_schedule is {shown(self.epsilon_schedule)}, and must be pairs of an "
                "iteration, ascending, and an epsilon above 0 and at most 1: [[0, 0.6], [1e6, 0.3]]"
            ]
        object.__setattr__(self, "epsilon_schedule", tuple(pairs))
        return []


@dataclass(frozen=True, kw_only=True, slots=True)
class DealerConfig:
    """How a match is dealt, and what its dealer puts up with."""

    hands: int = 1_000
    seed: int = 42
    """Of the cards: hand by hand they depend on this and the hand's number only."""
    duplicate: bool = False
    """Whether the same cards are dealt once for each rotation of the players."""
    host: str = "127.0.0.1"
    """The address that is listened on; the default is reached from this machine only."""
    ports: tuple[int, ...] = (0,)
    """By player; 0 for any that is free. A single 0 means the same for all."""
    join_seconds: float = 60.0
    """How long is waited for all players to come."""
    action_seconds: float = 10.0
    """How long is waited for an action; then the dealer checks or folds for the player."""
    most_illegal: int = 10
    """Answers without a legal action; with one more a player is out of the match."""
    most_timeouts: int = 3
    """Actions that did not come in time, likewise."""

    def __post_init__(self) -> None:
        faults = _adopt(self, "", DEALER_RULES)
        _raise_if(faults, "change the options of the dealer")


@dataclass(frozen=True, kw_only=True, slots=True)
class TableProfile:
    """Where a table is, how to sit at it, and when to leave it."""

    protocol: Literal["acpc"] = "acpc"
    host: str = "127.0.0.1"
    port: int = 18_791
    """The port of this seat: dealers have one for each player."""
    seat: str = "holdem"
    """The player's name in the dealer's log."""
    game: str = "hu"
    """The game definition: a name of configs/games, or a path."""
    action_seconds: float = 10.0
    """The table's clock for one action."""
    reconnect_seconds: float = 30.0
    """How long a lost connection is tried for."""
    silence_seconds: float = 600.0
    """How long is waited for a dealer that says nothing."""
    max_hands: int | None = None
    """Leave after so many hands."""
    max_seconds: float | None = None
    """Leave after so long, at the end of the hand."""
    stop_loss: float | None = None
    """Leave once so many big blinds are lost."""
    decision_log: str | None = None
    """Path of a file of JSON lines that every decision is added to."""

    def __post_init__(self) -> None:
        faults = _adopt(self, "", PROFILE_RULES)
        _raise_if(faults, "change the profile, or make one with: holdem profile")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchConfig:
    """How a decision is thought again while it is made."""

    time_budget_ms: float = 80.0
    """For one decision, all in all."""
    min_iterations: int = 100
    """Done even if they take longer than the budget."""
    num_workers: int = 1
    """Threads; 0 for one per core. They share out the next cards: a river, a street that ends at
    values of the blueprint, and a pot of three players or more have one."""
    depth: Literal["auto", "street", "end"] = "auto"
    """Where the subgame of two players ends: with the street, at values of the blueprint, or with
    the hand. auto: with the hand if the iterations fit into the budget. Of more players: with the
    street."""
    menu: str = "blueprint"
    """Bets, then raises, as in ``"33%, 75%, a / 75%, a"``: the text after the last slash serves all
    later raises. ``blueprint`` for the blueprint's own of each street."""
    safety: Literal["unsafe", "resolve", "max-margin"] = "unsafe"
    """Whether the opponent is given the choice to have what the blueprint gives it instead; of two
    players only."""

    def __post_init__(self) -> None:
        faults = _adopt(self, "", SEARCH_RULES)
        _raise_if(faults, "change the options of the search")


# -- what each field may hold ------------------------------------------------------------------

_PLAYERS = Rule(least=2, most=MAX_PLAYERS, unit="players")
_SEED = Rule(least=0, most=2**63 - 1)
_BUCKETS = Rule(least=1, most=MAX_BUCKETS, unit="buckets")
_KINDS = Rule(least=1, most=1_755, unit="kinds of boards")
_SHARE = Rule(kind=float, least=0.0, most=1.0)
_PERIODS = {"itself": 5_000, "responder": 200}
"""Iterations in a period by opponent: one of all hands on a board is worth many of one deal."""

_EPSILON = Rule(kind=float, above=0.0, most=1.0, unit="share of uniform sampling")
_ITERATIONS = Rule(least=1, most=10**15, unit="iterations")
_SECONDS = Rule(kind=float, above=0.0, most=1e9, unit="seconds")
_EXPONENT = Rule(kind=float, least=0.0, most=10.0)
_CHIPS = Rule(least=0, most=MOST_CHIPS, unit="chips", many=True)

CARD_RULES = {
    "kind": Rule(kind=str, choices=("holdem", "one-card")),
    "ranks": Rule(least=2, most=13, unit="ranks"),
    "suits": Rule(least=1, most=4, unit="suits"),
    "board_street": Rule(least=1, most=3, unit="0 is preflop", optional=True),
}
GAME_RULES = {
    "name": Rule(kind=str),
    "num_players": _PLAYERS,
    "stacks": Rule(least=1, most=MOST_CHIPS, unit="chips", many=True),
    "blinds": _CHIPS,
    "ante": Rule(least=0, most=MOST_CHIPS, unit="chips"),
    "first_to_act": Rule(least=0, most=MAX_PLAYERS - 1, unit="seats", many=True, optional=True),
}
BUCKET_RULES = {
    "k_preflop": Rule(least=1, most=169, unit="buckets"),
    "k_flop": _BUCKETS,
    "k_turn": _BUCKETS,
    "k_river": _BUCKETS,
    "num_streets": Rule(least=1, most=len(STREETS), unit="streets"),
    "hands": Rule(least=1, most=100_000_000, unit="hands per street"),
    "restarts": Rule(least=1, most=100, unit="seedings"),
    "fit_iterations": Rule(least=1, most=10_000, unit="steps"),
    "seed": _SEED,
    "num_players": _PLAYERS,
    "kinds_flop": _KINDS,
    "kinds_turn": _KINDS,
    "kinds_river": _KINDS,
}
RUN_RULES = {
    "num_instances": Rule(least=1, most=4096, unit="instances", optional=True),
}
"""Keys of a config that say how a run is spread, and are no part of how it trains."""
TRAINING_RULES = {
    "num_iterations": Rule(least=1, most=10**15, unit="iterations", optional=True),
    "time_budget_seconds": Rule(kind=float, above=0.0, most=1e9, unit="seconds", optional=True),
    "checkpoint_interval": _ITERATIONS,
    "snapshot_interval_seconds": _SECONDS,
    "keep_checkpoints": Rule(least=0, most=1_000_000, unit="checkpoints; 0 keeps all"),
    "discount_interval": Rule(least=0, most=10**15, unit="iterations; 0 for the usual ones"),
    "regret_discount_alpha": _EXPONENT,
    "strategy_discount_beta": _EXPONENT,
    "exploration_epsilon": _EPSILON,
    "enable_pruning": Rule(kind=bool),
    "pruning_threshold": Rule(kind=float, below=0.0, unit="chips"),
    "pruning_probability": _SHARE,
    "regret_floor": Rule(kind=float, below=0.0, unit="chips"),
    "num_players": _PLAYERS,
    "num_workers": Rule(least=0, most=4096, unit="processes; 0 for one per core"),
    "batch_size": Rule(least=1, most=1_000_000, unit="iterations"),
    "seed": _SEED,
    "sampling": Rule(kind=str, choices=("external", "outcome")),
    "opponent": Rule(kind=str, choices=("itself", "responder")),
    "parent_boards": Rule(least=0, most=10**12, unit="boards; 0 for no parents"),
    "tensorboard_log_interval": _ITERATIONS,
    "eval_interval": Rule(least=1, unit="iterations", optional=True),
}
DEALER_RULES = {
    "hands": Rule(least=1, most=10**9, unit="hands"),
    "seed": _SEED,
    "duplicate": Rule(kind=bool),
    "host": Rule(kind=str),
    "ports": Rule(least=0, most=65_535, unit="0 for any that is free", many=True),
    "join_seconds": _SECONDS,
    "action_seconds": _SECONDS,
    "most_illegal": Rule(least=0, most=10**9, unit="answers"),
    "most_timeouts": Rule(least=0, most=10**9, unit="actions"),
}
SEARCH_RULES = {
    "time_budget_ms": Rule(kind=float, above=0.0, most=1e9, unit="milliseconds"),
    "min_iterations": Rule(least=1, most=MOST_SEARCH_ITERATIONS, unit="iterations"),
    "num_workers": Rule(least=0, most=MOST_SEARCH_THREADS, unit="threads; 0 for one per core"),
    "depth": Rule(kind=str, choices=("auto", "street", "end")),
    "menu": Rule(kind=str),
    "safety": Rule(kind=str, choices=("unsafe", "resolve", "max-margin")),
}
PROFILE_RULES = {
    "protocol": Rule(kind=str, choices=("acpc",)),
    "host": Rule(kind=str),
    "port": Rule(least=1, most=65_535),
    "seat": Rule(kind=str),
    "game": Rule(kind=str),
    "action_seconds": _SECONDS,
    "reconnect_seconds": _SECONDS,
    "silence_seconds": _SECONDS,
    "max_hands": Rule(least=1, most=10**9, unit="hands", optional=True),
    "max_seconds": Rule(kind=float, above=0.0, most=1e9, unit="seconds", optional=True),
    "stop_loss": Rule(kind=float, above=0.0, most=1e9, unit="big blinds", optional=True),
    "decision_log": Rule(kind=str, optional=True),
}

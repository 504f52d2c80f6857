"""Game definitions of the Annual Computer Poker Competition (ACPC), and the seats of its positions.

A definition is a few lines of text between ``GAMEDEF`` and ``END GAMEDEF``. What can be played
here is no-limit hold'em of 2 to 9 players; the rest is refused with what was found.

The protocol counts positions from the first player left of the button. With three or more players
they are the seats of `holdem.types`. Heads-up the usual game has "reversed blinds": the button
posts the small blind, so position 0 is the big blind, which is seat 1 here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holdem.config import GAMES, nearest, no_such_file
from holdem.errors import ConfigError, StorageError
from holdem.game.rules import default_first_to_act
from holdem.types import HEADS_UP_MENU, MAX_PLAYERS, BetMenu, GameConfig

__all__ = ["MAX_LINE_BYTES", "Table", "parse_game", "read_game", "write_game"]

MAX_LINE_BYTES = 65_536
"""No line of the protocol is longer, because no game with longer ones is accepted."""

_WORDS = ("gamedef", "end gamedef", "limit", "nolimit")
_NUMBERS = {
    "stack": (1, 2**31 - 1),
    "blind": (0, 2**31 - 1),
    "raisesize": (1, 2**31 - 1),
    "numplayers": (2, MAX_PLAYERS),
    "numrounds": (1, 4),
    "firstplayer": (1, MAX_PLAYERS),
    "maxraises": (0, 255),
    "numsuits": (1, 4),
    "numranks": (1, 13),
    "numholecards": (1, 2),
    "numboardcards": (0, 5),
}
"""Keys that hold numbers, and what these may be."""

_DECK = {
    "numrounds": (4,),
    "numsuits": (4,),
    "numranks": (13,),
    "numholecards": (2,),
    "numboardcards": (0, 3, 1, 1),
}
"""What makes a game hold'em."""

_UNLIMITED = 255  # the competition's word for any number of raises
_LONGEST_FILE = 100_000
_HOLDEM = "definitions of no-limit hold'em are in configs/games, such as hu.game"


@dataclass(frozen=True, slots=True)
class Table:
    """A game, and where the protocol's positions sit in it.

    Attributes:
        game: the game; its bet menu bounds nothing here.
        seats: the seat of each position.
    """

    game: GameConfig
    seats: tuple[int, ...]

    def __post_init__(self) -> None:
        _refuse_strange(self.game)

    @classmethod
    def of(cls, game: GameConfig) -> Table:
        """Return *game* with the positions that the competition would give it.

        Raises:
            ConfigError: the protocol cannot hold the game.
        """
        return cls(game, _usual_seats(game))

    def position_of(self, seat: int) -> int:
        """Return the protocol's position of *seat*."""
        return self.seats.index(seat)


def read_game(path: Path | str) -> Table:
    """Return the game that the file *path* defines; a name is one of configs/games, as in ``hu``.

    Raises:
        ConfigError: it is not there, or cannot be played here.
        StorageError: it cannot be read.
    """
    file = Path(path)
    named = GAMES / f"{path}.game"
    if not file.is_file() and named.is_file():
        file = named
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise no_such_file(file, "a game definition") from None
    except OSError as error:
        raise StorageError(
            f"cannot read {file}: {error.strerror or error}", "check the path and its rights"
        ) from error
    try:
        return parse_game(data.decode("ascii", "replace"), name=file.stem)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}", error.remedy) from None


def parse_game(text: str, *, name: str = "table", menu: BetMenu = HEADS_UP_MENU) -> Table:
    """Return the game that *text* defines.

    Args:
        text: lines of which those that are empty or begin with ``#`` are skipped.
        name: of the game.
        menu: of the game; a definition knows of none.

    Raises:
        ConfigError: it is no definition, or not one of a game that can be played here.
    """
    words, numbers = _read(text)
    if "limit" in words:
        raise ConfigError("it defines a limit game; only no-limit can be played here", _HOLDEM)
    if "nolimit" not in words:
        raise ConfigError("it says neither limit nor nolimit", "add the line: nolimit")
    for key, wanted in _DECK.items():
        found = numbers.get(key, (0,))[: len(wanted)]
        if found != wanted:
            raise ConfigError(
                f"{key} is {_row(found)}, and must be {_row(wanted)}: only hold'em can be played "
                "here",
                _HOLDEM,
            )
    if any(most < _UNLIMITED for most in numbers.get("maxraises", ())):
        raise ConfigError("it bounds the number of raises by maxraises", "take that line out")
    players = _needed(numbers, "numplayers")[0]
    blinds = _by_player(numbers, "blind", players)
    stacks = _by_player(numbers, "stack", players)
    first = (*numbers.get("firstplayer", ()), 1, 1, 1, 1)[:4]
    if max(first) > players:
        raise ConfigError(
            f"firstplayer is {_row(first)}, with {players} players", "count players from 1"
        )
    # The button posts the small blind, and is the competition's last position.
    reversed_blinds = players == 2 and blinds[0] > blinds[1] and first == (2, 1, 1, 1)
    seats = (1, 0) if reversed_blinds else tuple(range(players))
    by_seat = tuple(blinds[p] for p in _inverse(seats))
    while by_seat and not by_seat[-1]:
        by_seat = by_seat[:-1]
    game = GameConfig(
        name=name,
        num_players=players,
        stacks=stacks[:1] if len(set(stacks)) == 1 else tuple(stacks[p] for p in _inverse(seats)),
        blinds=by_seat,
        first_to_act=tuple(seats[player - 1] for player in first),
        menu=menu,
    )
    if game.first_to_act == default_first_to_act(game):
        game = replace(game, first_to_act=None)
    return Table(game, seats)


def write_game(table: Table) -> str:
    """Return the definition that `parse_game` reads as the game of *table*."""
    game, seats = table.game, table.seats
    blinds = (*game.blinds, *(0,) * game.num_players)
    order = game.first_to_act or default_first_to_act(game)
    rows: dict[str, Sequence[int]] = {
        "numPlayers": (game.num_players,),
        "numRounds": _DECK["numrounds"],
        "stack": [game.stack_of(seat) for seat in seats],
        "blind": [blinds[seat] for seat in seats],
        "firstPlayer": [seats.index(seat) + 1 for seat in order],
        "numSuits": _DECK["numsuits"],
        "numRanks": _DECK["numranks"],
        "numHoleCards": _DECK["numholecards"],
        "numBoardCards": _DECK["numboardcards"],
    }
    lines = [f"{key} = {_row(row)}" for key, row in rows.items()]
    return "\n".join(["GAMEDEF", "nolimit", *lines, "END GAMEDEF"]) + "\n"


def _read(text: str) -> tuple[set[str], dict[str, tuple[int, ...]]]:
    """Return the words and the numbers of a definition, keys in small letters."""
    if len(text) > _LONGEST_FILE:
        raise ConfigError("it is longer than a game definition can be", _HOLDEM)
    words: set[str] = set()
    numbers: dict[str, tuple[int, ...]] = {}
    for place, line in enumerate(text.splitlines(), start=1):
        plain = " ".join(line.split()).lower()
        if not plain or plain.startswith("#"):
            continue
        if plain in _WORDS:
            words.add(plain)
            if plain == "end gamedef":
                break
            continue
        if "gamedef" not in words:
            break
        found = re.fullmatch(r"([a-z]+) ?=? ?((?:[0-9]{1,10} ?)*)", plain)
        if found is None or found[1] not in _NUMBERS:
            near = nearest(found[1], _NUMBERS) if found else None
            raise ConfigError(
                f"line {place}: {line[:60]!r} is not of a game definition",
                f"did you mean {near}?" if near else "lines are such as: stack = 20000 20000",
            )
        key = found[1]
        numbers[key] = tuple(map(int, found[2].split()))
        least, most = _NUMBERS[key]
        if not numbers[key] or not all(least <= number <= most for number in numbers[key]):
            raise ConfigError(
                f"line {place}: {key} is {_row(numbers[key]) or 'nothing'}, and must be numbers "
                f"from {least:,} to {most:,}",
                "change that line",
            )
    if not {"gamedef", "end gamedef"} <= words:
        missing = "GAMEDEF" if "gamedef" not in words else "END GAMEDEF"
        raise ConfigError(f"it has no line {missing}: it is no game definition", _HOLDEM)
    return words, numbers


def _needed(numbers: dict[str, tuple[int, ...]], key: str) -> tuple[int, ...]:
    if key not in numbers:
        raise ConfigError(f"it says no {key}", f"add a line such as: {key} = ...")
    return numbers[key]


def _by_player(numbers: dict[str, tuple[int, ...]], key: str, players: int) -> tuple[int, ...]:
    row = _needed(numbers, key)
    if len(row) < players:
        raise ConfigError(f"{key} has {len(row)} numbers for {players} players", "give one each")
    return row[:players]


def _refuse_strange(game: GameConfig) -> None:
    """Raise unless the protocol and `holdem.game.rules` play *game* alike.

    With stacks of different sizes they still differ. After an all-in of less than a full raise
    these rules follow the TDA: who has acted may not raise again, which the competition lets
    everybody, and the next raise is a full one beyond the all-in, where the competition's is
    one beyond the bet before. A raise that no opponent has chips to answer is none here; the
    competition takes it while two players still act.
    """
    checks: tuple[tuple[Callable[[GameConfig], bool], str], ...] = (
        (lambda g: g.cards.kind == "holdem" and g.num_streets == 4, "is not hold'em on 4 streets"),
        (lambda g: g.ante == 0, "has an ante, for which a game definition has no word"),
        (lambda g: bool(g.blinds) and max(g.blinds) > 0, "has no blinds"),
        # A later street's least bet is the largest blind there, and the second seat's here.
        (lambda g: max(g.blinds) == g.big_blind, "has a straddle larger than its big blind"),
        # Whoever cannot pay the largest blind is asked or passed over by different rules.
        (
            lambda g: min(map(g.stack_of, range(g.num_players))) > max(g.blinds),
            "has a stack that does not exceed the largest blind",
        ),
        (
            lambda g: _longest_line(g) <= MAX_LINE_BYTES,
            "is so deep that a hand may not fit into a line of the protocol",
        ),
    )
    for good, what in checks:
        if not good(game):
            raise ConfigError(f"game {game.name!r} {what}", "change the game, or play another")


def _longest_line(game: GameConfig) -> int:
    """Return a bound on the characters of a line about *game*."""
    deepest = max(map(game.stack_of, range(game.num_players)))
    # Each raise adds a big blind, but for one all-in of each player, and each may be called
    # by all others.
    raises = deepest // game.big_blind + game.num_players
    return (raises + 4) * (len(f"r{deepest}") + game.num_players) + 5 * game.num_players + 60


def _usual_seats(game: GameConfig) -> tuple[int, ...]:
    order = default_first_to_act(game)
    if game.num_players == 2 and game.first_to_act in (None, order) and order[0] == 0:
        return (1, 0)
    return tuple(range(game.num_players))


def _inverse(seats: Sequence[int]) -> tuple[int, ...]:
    """Return the position of each seat."""
    return tuple(seats.index(seat) for seat in range(len(seats)))


def _row(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))

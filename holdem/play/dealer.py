"""The dealer of a match: deals by seed, asks each player in turn, and keeps to the rules.

What a player does wrong never ends the match for the others:

- An answer to another state, or a line that is none, is ignored; the clock runs on.
- A raise of another size than the rules allow becomes the nearest that they do; any other answer
  that is no legal action becomes a check or call. That is what the competition's dealer does.
- An action that does not come in time, from whoever hangs or has left, becomes a check, or a fold
  where there is something to call. Who comes back goes on with the next action.
- After more than a few of either a player is out: the dealer checks or folds for it to the end.

Players may also sit in the dealer's own process, as deciders that it asks directly. They have no
clock, and do nothing wrong.

Cards depend on the seed and the hand's number only. As in the competition the players move one
position at each hand; with `DealerConfig.duplicate` the same cards are dealt at each rotation,
so that everybody has played everybody's cards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from holdem._core.rng import words
from holdem.errors import ConfigError, ProtocolError, RulesError, StorageError
from holdem.game.history import HandHistory, dumps
from holdem.game.rules import CALL, FOLD, Action, ActionKind, State, raise_to
from holdem.play import acpc
from holdem.play.agent import Decider
from holdem.play.connections import Connections
from holdem.play.game_definition import Table
from holdem.storage import LineFile, require_place
from holdem.types import DealerConfig, shown

__all__ = [
    "FinishedHand",
    "Match",
    "MatchLog",
    "MatchResult",
    "PlayerResult",
    "deal_cards",
    "play_match",
]


HISTORIES = ".phhs"
"""The suffix of a match's hands in the PHH format."""


def deal_cards(seed: int, number: int, count: int) -> list[int]:
    """Return the first *count* cards of a shuffled deck: those of deal *number* under *seed*."""
    deck = list(range(52))
    draws = words(seed, number, 0, count).tolist()
    for place, draw in enumerate(draws):
        # Off uniform by less than 52 / 2^64.
        other = place + draw % (52 - place)
        deck[place], deck[other] = deck[other], deck[place]
    return deck[:count]


@dataclass(slots=True)
class PlayerResult:
    """What a player did in a match.

    Attributes:
        chips: won in all.
        actions: asked of it.
        illegal: answers without a legal action.
        timeouts: actions that did not come in time.
        lost: connections of it that ended before the match did.
        out: whether it is out of the match, so that the dealer acts for it.
        slowest: the longest that an action took, in seconds.
    """

    name: str
    chips: int = 0
    actions: int = 0
    illegal: int = 0
    timeouts: int = 0
    lost: int = 0
    out: bool = False
    slowest: float = 0.0


@dataclass(frozen=True, slots=True)
class FinishedHand:
    """A hand of a match as it ended.

    Attributes:
        number: of the hand.
        deal: of its cards: hands of one deal have the same.
        state: its last state, with the cards of all players.
        seats: by player.
        out: the players for whom the dealer has begun to act.
    """

    number: int
    deal: int
    state: State
    seats: tuple[int, ...]
    out: frozenset[int]


@dataclass(frozen=True, slots=True)
class MatchResult:
    """A match as it ended.

    Attributes:
        hands: that were played.
        players: by number.
    """

    hands: int
    players: tuple[PlayerResult, ...]

    @property
    def score(self) -> str:
        """The protocol's line about it."""
        return acpc.score_line(
            [player.chips for player in self.players], [player.name for player in self.players]
        )


class MatchLog:
    """The hands of a match in two files: *path* in the competition's form, and beside it PHH.

    Use it in a ``with`` block. The second file has the suffix ``.phhs``.
    """

    def __init__(self, path: Path) -> None:
        """Begin both files.

        Raises:
            StorageError: one is there already, or cannot be written.
        """
        self._hands = LineFile(path, new=True)
        try:
            self._histories = LineFile(path.with_suffix(HISTORIES), new=True)
        except BaseException:
            self._hands.close()
            raise

    def begin(self, table: Table, config: DealerConfig) -> None:
        """Write what is played."""
        self._hands.write(
            f"# name/game/hands/seed {self._hands.path.stem} {table.game.name} "
            f"{config.hands} {config.seed}\n"
            f"# seconds to act {config.action_seconds:g}, duplicate {str(config.duplicate).lower()}"
        )

    def add(self, table: Table, state: State, hand: int, names: Sequence[str]) -> None:
        """Write a hand that is over; *names* by seat."""
        self._hands.write(acpc.log_line(table, state, hand, state.payoffs(), names))
        history = HandHistory.of(state, players=names, hand=hand)
        self._histories.write(f"[{hand + 1}]\n{dumps(history)}")

    def end(self, result: MatchResult) -> None:
        """Write the scores."""
        self._hands.write(result.score)

    def __enter__(self) -> MatchLog:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both files."""
        self._hands.close()
        self._histories.close()


@dataclass(slots=True)
class Match:
    """One match between the players at *connections* and those in this process.

    Attributes:
        table: the game and its positions.
        config: how it is dealt.
        connections: the players, but for the last ones.
        say: is told what players do wrong, a line at a time.
        deciders: the last players, which are asked directly.
        log: where the hands go; None for nowhere.
        on_hand: is told each hand that is over.
        players: how they do, by number.
        hands: that are over.
    """

    table: Table
    config: DealerConfig
    connections: Connections
    say: Callable[[str], None]
    deciders: Sequence[Decider] = ()
    log: MatchLog | None = None
    on_hand: Callable[[FinishedHand], None] = lambda hand: None
    players: tuple[PlayerResult, ...] = ()
    hands: int = 0
    _seats: dict[int, int] = field(default_factory=dict)

    def play(self) -> MatchResult:
        """Play all hands; fewer if all players are out."""
        if self.log is not None:
            self.log.begin(self.table, self.config)
        while self.hands < self.config.hands and not all(p.out for p in self.players):
            self._play_hand(self.hands)
            self.hands += 1
        if self.hands < self.config.hands:
            self.say(f"all players are out: the match ends after {self.hands:,} hands")
        result = self.result()
        if self.log is not None:
            self.log.end(result)
        return result

    def result(self) -> MatchResult:
        """Return how the match stands."""
        for player in range(self._num_connected):
            self.players[player].lost = self.connections.lost(player)
        return MatchResult(self.hands, self.players)

    @property
    def _num_connected(self) -> int:
        return self.table.game.num_players - len(self.deciders)

    def _play_hand(self, hand: int) -> None:
        table, num_players = self.table, self.table.game.num_players
        deal = hand // num_players if self.config.duplicate else hand
        cards = deal_cards(self.config.seed, deal, 2 * num_players + 5)
        board = cards[2 * num_players :]
        # The first hand's first position is the first player's; then everybody moves one back.
        self._seats = {
            player: table.seats[(player - hand) % num_players] for player in range(num_players)
        }
        state = State.new(
            table.game, [cards[2 * seat : 2 * seat + 2] for seat in range(num_players)]
        )
        while True:
            while state.cards_to_deal:
                state = state.deal_board(board[len(state.board) :][: state.cards_to_deal])
            for player in range(self._num_connected):
                line = acpc.match_state_line(table, state, hand, self._seats[player])
                self.connections.send(player, line, ends_hand=state.is_terminal)
            if state.is_terminal:
                break
            state = state.apply(self._action(state, hand, deal))
        payoffs = state.payoffs()
        names = [""] * num_players
        for player, seat in self._seats.items():
            self.players[player].chips += payoffs[seat]
            names[seat] = self.players[player].name
        if self.log is not None:
            self.log.add(table, state, hand, names)
        out = frozenset(number for number, player in enumerate(self.players) if player.out)
        self.on_hand(FinishedHand(hand, deal, state, tuple(self._seats.values()), out))

    def _action(self, state: State, hand: int, deal: int) -> Action:
        """Return the action of the player to act, or the dealer's in its place."""
        player = next(player for player, seat in self._seats.items() if seat == state.actor)
        if player >= self._num_connected:
            return self._decided(player, state, deal)
        result = self.players[player]
        passive = FOLD if state.legal_actions().can_fold else CALL
        if result.out:
            return passive
        asked = acpc.match_state_line(self.table, state, hand, self._seats[player])
        left = self.config.action_seconds
        result.actions += 1
        while True:
            answer, left = self.connections.receive(player, left)
            if answer is None:
                result.timeouts += 1
                self._blame(player, hand, f"no action in time, so it {_says(passive)}")
                return passive
            if answer.startswith(f"{asked}:"):
                break
            if answer and not answer.startswith(("#", ";")):
                self.connections.tell(
                    player, f"hand {hand}: ignored, not this state: {shown(answer)}"
                )
        result.slowest = max(result.slowest, self.config.action_seconds - left)
        self.connections.settle(player)
        return self._legal(player, state, hand, answer[len(asked) + 1 :])

    def _decided(self, player: int, state: State, deal: int) -> Action:
        """Return what a player in this process does; its number of the hand is the deal's.

        So whoever draws by that number draws alike in all hands of a deal, and no luck of its own
        is left between them.
        """
        decider, result = self.deciders[player - self._num_connected], self.players[player]
        decision = decider.decide(state.seen_by(self._seats[player]), deal)
        result.actions += 1
        result.slowest = max(result.slowest, decision.seconds)
        return decision.action

    def _legal(self, player: int, state: State, hand: int, text: str) -> Action:
        """Return the action that *text* is; the nearest legal one where it is none."""
        try:
            action = acpc.parse_action(text, state)
            state.apply(action)
        except (ProtocolError, RulesError) as error:
            replaced = _replacement(text, state)
            self.players[player].illegal += 1
            why = error if isinstance(error, RulesError) else "no action"
            self._blame(player, hand, f"answers {shown(text)}: {why}; so it {_says(replaced)}")
            return replaced
        return action

    def _blame(self, player: int, hand: int, what: str) -> None:
        """Tell what a player did wrong; too much of it and the player is out."""
        result, config = self.players[player], self.config
        self.say(f"{result.name}: hand {hand}: {what}")
        if result.timeouts > config.most_timeouts or result.illegal > config.most_illegal:
            result.out = True
            self.say(
                f"{result.name}: out of the match after {result.illegal} illegal answers and "
                f"{result.timeouts} actions too late; the dealer checks or folds for it"
            )


def play_match(
    table: Table,
    names: Sequence[str],
    config: DealerConfig,
    *,
    say: Callable[[str], None],
    deciders: Sequence[Decider] = (),
    log_path: Path | None = None,
    ready: Callable[[tuple[int, ...]], None] = lambda ports: None,
    waiting: Callable[[], None] = lambda: None,
    on_hand: Callable[[FinishedHand], None] = lambda hand: None,
) -> MatchResult:
    """Wait for the players and play a match.

    Args:
        table: the game and its positions.
        names: of the players, for logs.
        config: how it is dealt.
        say: is told what happens, a line at a time.
        deciders: the last players, if they are in this process; the others connect.
        log_path: where the hands go, see `MatchLog`.
        ready: is told the ports, by player, when players can come.
        waiting: called again and again while players are missing; what it raises ends the match.
        on_hand: is told each hand that is over.

    Raises:
        ConfigError: names or ports do not fit the game, or the players did not come in time.
        ResourceError: a port cannot be had.
        StorageError: the log cannot be written.
    """
    _check_names(names, table.game.num_players)
    if log_path is not None:
        _require_log(log_path)
    coming = names[: len(names) - len(deciders)]
    ports = config.ports * len(coming) if config.ports == (0,) else config.ports
    if len(ports) != len(coming):
        raise ConfigError(
            f"{len(ports)} ports for {len(coming)} players", "give one each, or 0 for any"
        )
    with contextlib.ExitStack() as stack:
        connections = stack.enter_context(
            Connections(coming, host=config.host, ports=ports, say=say)
        )
        ready(connections.ports)
        if not connections.join(config.join_seconds, waiting):
            raise ConfigError(
                f"{', '.join(connections.missing())} did not come within "
                f"{config.join_seconds:g} seconds",
                "start the players, each with its port; --join-seconds waits longer",
            )
        log = None if log_path is None else stack.enter_context(MatchLog(log_path))
        players = tuple(PlayerResult(name) for name in names)
        match = Match(
            table, config, connections, say, deciders, log=log, on_hand=on_hand, players=players
        )
        return match.play()


def _check_names(names: Sequence[str], num_players: int) -> None:
    if len(names) != num_players:
        raise ConfigError(f"{len(names)} names for {num_players} players", "name each: --seats A,B")
    for name in names:
        if not name or not name.isascii() or not name.isprintable() or set(name) & set(":|,"):
            raise ConfigError(
                f"a player cannot be called {shown(name)}", "use letters, digits, - and _"
            )
    if len(set(names)) < len(names):
        raise ConfigError(f"two players are called alike: {', '.join(names)}", "tell them apart")


def _require_log(log_path: Path) -> None:
    """Raise before the players come where `MatchLog` would after it."""
    if log_path.suffix == HISTORIES:
        raise ConfigError(
            f"{log_path} would be two files at once", f"give --log another suffix than {HISTORIES}"
        )
    for path in (log_path, log_path.with_suffix(HISTORIES)):
        if path.exists():
            raise StorageError(f"{path} is there already", "choose another name, or move it away")
        require_place(path, b"")


def _replacement(text: str, state: State) -> Action:
    """Return what is done in place of *text*, which is no legal action at *state*."""
    legal = state.legal_actions()
    least, most = legal.min_raise_to, legal.max_raise_to
    try:
        action = acpc.parse_action(text, state)
    except ProtocolError:
        return CALL
    if action.kind is ActionKind.RAISE and least is not None and most is not None:
        return raise_to(min(max(action.amount, least), most))
    return CALL


def _says(action: Action) -> str:
    return {
        ActionKind.FOLD: "folds",
        ActionKind.CALL: "checks or calls",
        ActionKind.RAISE: f"raises to {action.amount}",
    }[action.kind]

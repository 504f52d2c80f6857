"""Players and policies for the tests of tables. Nothing here waits without a deadline."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from holdem.abstraction.bucketing import HandBucketing
from holdem.game.rules import ActionKind, Dealt, State
from holdem.game.tree import build_tree
from holdem.mccfr.blueprint import Blueprint, Provenance
from holdem.play import acpc
from holdem.play.acpc import MatchState, action_text, read_message, reply_line
from holdem.play.agent import Agent
from holdem.play.client import Client
from holdem.play.dealer import MatchResult, play_match
from holdem.play.game_definition import Table
from holdem.play.session import Session
from holdem.types import CANONICAL_HANDS, STREETS, BetMenu, BucketConfig, DealerConfig, GameConfig
from tests.reference.pokerkit_table import PokerkitTable
from tests.test_rules_pokerkit import random_action, reference_payoffs

DEADLINE = 300.0
"""Seconds after which a test gives up on a thread or a plain socket; a busy machine stops the
processes of tests for minutes at a time."""
PATIENCE = 60.0
"""Seconds that dealers and clients wait for each other; those in which they were stopped do not
count."""

MENUS = {
    2: GameConfig().menu,
    3: BetMenu(streets=(("2.5x, !call", "3x, a, !call", "a"), *[("75%", "a")] * 3)),
    6: BetMenu(streets=(("3x", ""), ("100%", ""))),
}

Player = Callable[[MatchState], str | None]
"""Answers a state with the text of an action; None for no answer."""


# -- policies ----------------------------------------------------------------------------------


@cache
def bucketing(num_streets: int = 4) -> HandBucketing:
    """Lossless before the flop; later one bucket is all. Its tables take no memory."""
    config = BucketConfig(k_flop=1, k_turn=1, k_river=1, num_streets=num_streets)
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "preflop_equities": np.full((169, 169), 0.5),
        "groups": np.zeros(169, np.uint8),
    }
    for street in range(num_streets):
        k = config.bucket_counts[street]
        table = np.zeros(CANONICAL_HANDS[street], np.uint8)
        if street == 0:
            table += np.arange(169, dtype=np.uint8)
        arrays[f"table_{STREETS[street]}"] = table
        arrays[f"tally_{STREETS[street]}"] = np.zeros((k, 4), np.int64)
    return HandBucketing(config, arrays, fingerprint="0" * 64)


@cache
def random_blueprint(game: GameConfig, seed: int = 1) -> Blueprint:
    """A policy that does anything."""
    buckets = bucketing(game.num_streets)
    tree = build_tree(game, buckets.num_buckets)
    words = np.random.default_rng(seed).random(2 * tree.num_slots, dtype=np.float32)
    provenance = Provenance(
        iterations=1, seed=seed, bucket_path="nowhere", bucket_fingerprint=buckets.fingerprint
    )
    return Blueprint.from_table(tree, words, provenance)


def saved_policy(folder: Path, game: GameConfig, seed: int) -> str:
    """The path of a policy in *folder* that does anything, with its buckets beside it."""
    buckets = folder / "buckets"
    if not buckets.exists():
        bucketing().save(buckets)
    tree = build_tree(game, bucketing().num_buckets)
    words = np.random.default_rng(seed).random(2 * tree.num_slots, dtype=np.float32)
    provenance = Provenance(
        iterations=1,
        seed=seed,
        bucket_path=str(buckets),
        bucket_fingerprint=bucketing().fingerprint,
    )
    (folder / f"{seed}").mkdir()
    return str(Blueprint.from_table(tree, words, provenance).save(folder / f"{seed}"))


def random_agent(game: GameConfig, seed: int = 1) -> Agent:
    """An agent with a policy of its own for *game*."""
    own = GameConfig(num_players=game.num_players, menu=MENUS[game.num_players])
    return Agent(random_blueprint(own, seed), bucketing(own.num_streets), game, seed=seed)


# -- players -----------------------------------------------------------------------------------


def calls(message: MatchState) -> str:
    """Checks or calls, always."""
    return "c"


def plays_randomly(seed: int) -> Player:
    """Anything that is legal."""
    rng = random.Random(seed)

    def play(message: MatchState) -> str:
        return action_text(message.state, random_action(message.state.legal_actions(), rng))

    return play


def client(port: int) -> Client:
    return Client("127.0.0.1", port, patience=PATIENCE, silence=PATIENCE)


def plain_client(table: Table, player: Player) -> Callable[[int], None]:
    """A client of a few lines, which knows nothing of sessions."""

    def run(port: int) -> None:
        with client(port) as connection:
            while (line := connection.receive()) is not None:
                message = read_message(line, table)
                if message is None:
                    continue
                connection.between_hands = message.state.is_terminal
                if message.my_turn and (answer := player(message)) is not None:
                    connection.send(reply_line(line, answer))

    return run


class Silent:
    """Watches a session."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.decisions: list[tuple[MatchState, Any, bool]] = []
        self.hands: list[int] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def decided(self, message: MatchState, decision: Any, sent: bool) -> None:
        self.decisions.append((message, decision, sent))

    def hand_over(self, message: MatchState, chips: int, result: Any) -> None:
        self.hands.append(chips)


def session_client(session: Session) -> Callable[[int], None]:
    """A client that a session plays."""

    def run(port: int) -> None:
        with client(port) as connection:
            session.run(connection)

    return run


# -- matches -----------------------------------------------------------------------------------


class Hall:
    """A match under way in threads: the dealer, and a client for each player."""

    def __init__(
        self,
        table: Table,
        clients: Sequence[Callable[[int], None]],
        log_path: Path | None = None,
        **config: Any,
    ) -> None:
        self.said: list[str] = []
        self.result: MatchResult | None = None
        self.errors: list[BaseException] = []
        self.ports: tuple[int, ...] = ()
        self._open = threading.Event()
        values = {"hands": 10, "join_seconds": PATIENCE, "action_seconds": PATIENCE, **config}
        names = [f"player{number}" for number in range(table.game.num_players)]

        def deal() -> None:
            self.result = play_match(
                table,
                names,
                DealerConfig(**values),
                say=self.said.append,
                log_path=log_path,
                ready=self._ready,
            )

        self._threads = [self._start(deal)]
        assert self._open.wait(DEADLINE)
        for port, run in zip(self.ports, clients, strict=True):
            self._threads.append(self._start(lambda run=run, port=port: run(port)))

    def end(self) -> MatchResult:
        """Wait for the dealer and all clients to end."""
        for thread in self._threads:
            thread.join(DEADLINE)
        assert not any(thread.is_alive() for thread in self._threads)
        if self.errors:
            raise self.errors[0]
        assert self.result is not None
        return self.result

    def _ready(self, ports: tuple[int, ...]) -> None:
        self.ports = ports
        self._open.set()

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                self.errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


# -- logs --------------------------------------------------------------------------------------


def check_log(path: Path, table: Table, result: MatchResult) -> list[acpc.LoggedHand]:
    """Check the log of a match: hand by hand against pokerkit, and the scores; return the hands."""
    lines = path.read_text().splitlines()
    hands = [hand for line in lines if (hand := acpc.read_log_line(line, table)) is not None]
    totals = dict.fromkeys((player.name for player in result.players), 0)
    for number, hand in enumerate(hands):
        assert hand.hand == number
        scored = pokerkit_payoffs(hand.state)
        if scored != hand.values:
            # pokerkit gives all odd chips of a pot to one winner, TDA rule 20 one to each.
            assert max(abs(a - b) for a, b in zip(scored, hand.values, strict=True)) < 6
            assert scored == reference_payoffs(hand.state, like_pokerkit=True)
            assert hand.values == reference_payoffs(hand.state)
        for name, value in zip(hand.players, hand.values, strict=True):
            totals[name] += int(value)
    assert len(hands) == result.hands
    assert [totals[player.name] for player in result.players] == [
        player.chips for player in result.players
    ]
    assert lines[-1] == result.score
    return hands


def pokerkit_payoffs(state: State) -> tuple[int, ...]:
    """What the hand of *state* comes to in pokerkit, which must allow every action of it."""
    table = PokerkitTable(state.game, state.hole_cards)
    for event in state.events:
        if isinstance(event, Dealt):
            assert table.cards_to_deal() == len(event.cards)
            table.deal_board(event.cards)
            continue
        choices = table.choices()
        assert choices is not None
        assert choices.seat == event.seat
        if event.action.kind is ActionKind.FOLD:
            table.fold()
        elif event.action.kind is ActionKind.CALL:
            table.call()
        else:
            table.raise_to(event.action.amount)
    return table.payoffs()

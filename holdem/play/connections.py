"""The dealer's side of the network: one port for each player, whoever is behind it.

`Connections` waits for one player at a time and serves all others meanwhile. Nobody can make it
wait longer, hold more than a little memory, or fail: who leaves may come back to the same port
and is told again how the last hand ended and how this one stands; who sends too much, a line
without end or no version is cut off, and so is who does not read. What happened is told in a line
each, up to a limit per player.

Invariant: a client that connects takes a seat only with the protocol's version as its first
line, and then takes the place of one that was there before.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdem.errors import ConfigError, ProtocolError, ResourceError
from holdem.play.acpc import END_OF_LINE, LineBuffer, check_version
from holdem.types import shown

__all__ = ["Connections"]

_SLICE = 0.25
"""Seconds that are waited at a time. More than two of them did not pass for this process
alone: the machine slept, or it was stopped, and nobody is charged for that."""

_MOST_UNASKED = 1 << 18
"""Bytes that a player may send for one action; an action takes far less than a line."""
_LINE_COST = 256
"""Bytes that a line counts for besides its own, since each is looked at."""
_MOST_UNREAD = 1 << 20
"""Bytes that wait for a player who does not read them."""
_MOST_WAITING = 8
"""Clients on one port that have not told their version yet."""
_VERSION_SECONDS = 10.0
_PARTING_SECONDS = 0.2
"""How long a player is waited for to close its side, at the end."""
_MOST_TOLD = 50
"""Lines about one player's connection."""
_CHUNK = 1 << 16


@dataclass(eq=False, slots=True)
class _Link:
    """One connected client."""

    socket: socket.socket
    lines: LineBuffer = field(default_factory=LineBuffer)
    unsent: bytearray = field(default_factory=bytearray)
    unasked: int = 0
    seconds: float = 0.0


@dataclass(eq=False, slots=True)
class _Player:
    """One port, and who is there."""

    number: int
    name: str
    listener: socket.socket
    link: _Link | None = None
    waiting: list[_Link] = field(default_factory=list)
    answers: deque[str] = field(default_factory=deque)
    awaited: bool = False
    newest: bytes = b""
    ending: bytes = b""
    told: int = 0
    lost: int = 0


class Connections:
    """The players' ports; use it in a ``with`` block.

    Attributes:
        ports: by player.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        host: str,
        ports: Sequence[int],
        say: Callable[[str], None],
    ) -> None:
        """Listen on *host*.

        Args:
            names: of the players.
            host: an address of this machine.
            ports: by player, 0 for any that is free.
            say: is told what happens, a line at a time.

        Raises:
            ConfigError: the host is empty, which would be all addresses.
            ResourceError: a port cannot be had.
        """
        self._say = say
        self._selector = selectors.DefaultSelector()
        self._players: list[_Player] = []
        try:
            for number, (name, port) in enumerate(zip(names, ports, strict=True)):
                player = _Player(number, name, _listen(host, port))
                self._players.append(player)
                self._selector.register(player.listener, selectors.EVENT_READ, (player,))
        except BaseException:
            self.close()
            raise
        self.ports = tuple(int(player.listener.getsockname()[1]) for player in self._players)

    def __enter__(self) -> Connections:
        """Return itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close everything."""
        self.close()

    def close(self) -> None:
        """Give the players what waits for them, as far as they take it at once; let them go."""
        links = [link for p in self._players for link in (p.link, *p.waiting) if link is not None]
        for link in links:
            with contextlib.suppress(OSError):
                link.socket.send(link.unsent)
                link.socket.shutdown(socket.SHUT_WR)
        for player in self._players:
            player.listener.close()
        for link in links:
            _drain(link.socket)
        self._selector.close()

    def join(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Wait until every player is there; return whether they all are.

        Args:
            seconds: how long.
            meanwhile: called again and again while somebody is missing; what it raises ends
                the waiting.
        """
        while not all(player.link for player in self._players) and seconds > 0:
            seconds -= self._serve(min(seconds, _SLICE))
            if not all(player.link for player in self._players):
                meanwhile()
        return all(player.link for player in self._players)

    def missing(self) -> list[str]:
        """Return the names of the players that are not there."""
        return [player.name for player in self._players if player.link is None]

    def lost(self, number: int) -> int:
        """Return how often player *number* was there and then was not."""
        return self._players[number].lost

    def send(self, number: int, line: str, *, ends_hand: bool = False) -> None:
        """Tell *line* to player *number*: now, or when it comes back.

        Of what is told while a player is away it will hear the newest line, and before it the
        newest that *ends_hand*.
        """
        player = self._players[number]
        player.newest = line.encode("ascii") + END_OF_LINE
        if ends_hand:
            player.ending, player.newest = player.newest, b""
        if player.link is not None:
            player.link.unsent += player.newest or player.ending
            self._flush(player, player.link)

    def receive(self, number: int, seconds: float) -> tuple[str | None, float]:
        """Wait for a line of player *number*.

        Returns:
            The line, None if none came in time, and how many of *seconds* are left.
        """
        player = self._players[number]
        player.awaited = True
        try:
            while not player.answers:
                if seconds <= 0:
                    return None, 0.0
                seconds -= self._serve(min(seconds, _SLICE))
            return player.answers.popleft(), seconds
        finally:
            player.awaited = False

    def settle(self, number: int) -> None:
        """Forget what player *number* has sent besides the answer that was taken."""
        player = self._players[number]
        player.answers.clear()
        if player.link is not None:
            player.link.unasked = 0

    def tell(self, number: int, text: str) -> None:
        """Say *text* about player *number*, unless too much has been said."""
        player = self._players[number]
        player.told += 1
        if player.told <= _MOST_TOLD:
            self._say(f"{player.name}: {text}")
        if player.told == _MOST_TOLD:
            self._say(f"{player.name}: more of this is not told")

    # -- serving all ---------------------------------------------------------------------------

    def _serve(self, seconds: float) -> float:
        """Do what the sockets ask for within *seconds*; return the seconds that it took."""
        start = time.monotonic()
        for key, events in self._selector.select(seconds):
            player, *rest = key.data
            if not rest:
                self._accept(player)
                continue
            link = rest[0]
            if events & selectors.EVENT_WRITE and link.socket.fileno() >= 0:
                self._flush(player, link)
            if events & selectors.EVENT_READ and link.socket.fileno() >= 0:  # not let go since
                self._read(player, link)
        took = min(time.monotonic() - start, 2 * _SLICE)
        for player in self._players:
            for link in list(player.waiting):
                link.seconds += took
                if link.seconds > _VERSION_SECONDS:
                    self._drop(player, link, "a client without a version is cut off")
        return took

    def _accept(self, player: _Player) -> None:
        try:
            client, _ = player.listener.accept()
        except OSError as error:  # gone again, or no descriptors are left
            self.tell(player.number, f"a client could not be let in: {error.strerror or error}")
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client)
        self._selector.register(client, selectors.EVENT_READ, (player, link))
        player.waiting.append(link)
        if len(player.waiting) > _MOST_WAITING:
            self._drop(player, player.waiting[0], "too many clients wait; the first is cut off")

    def _read(self, player: _Player, link: _Link) -> None:
        try:
            data = link.socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(player, link, "left")
            return
        link.unasked += len(data) + _LINE_COST * data.count(b"\n")
        try:
            if link.unasked > _MOST_UNASKED:
                raise ProtocolError(f"more than {_MOST_UNASKED:,} bytes that nobody asked for")
            for line in link.lines.feed(data):
                if link.socket.fileno() >= 0:  # not let go because of the line before
                    self._take(player, link, line)
        except ProtocolError as error:
            self._drop(player, link, f"cut off: {error}")

    def _take(self, player: _Player, link: _Link, line: str) -> None:
        """Take in a *line* of a client."""
        if link in player.waiting:
            check_version(line)
            player.waiting.remove(link)
            if player.link is not None:
                self._drop(player, player.link, "another client takes its place")
            player.link = link
            self.tell(player.number, "is here")
            link.unsent += player.ending + player.newest
            self._flush(player, link)
        elif player.awaited:
            player.answers.append(line)
        elif line and not line.startswith(("#", ";")):
            self.tell(player.number, f"not asked, says {shown(line)}")

    def _flush(self, player: _Player, link: _Link) -> None:
        """Send what *link* takes without waiting."""
        try:
            while link.unsent:
                del link.unsent[: link.socket.send(link.unsent)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._drop(player, link, "left")
            return
        if len(link.unsent) > _MOST_UNREAD:
            self._drop(player, link, "does not read, and is cut off")
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.unsent else 0)
        self._selector.modify(link.socket, wanted, (player, link))

    def _drop(self, player: _Player, link: _Link, why: str) -> None:
        """Let a client go."""
        self.tell(player.number, why)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(link.socket)
        link.socket.close()
        if link in player.waiting:
            player.waiting.remove(link)
        if player.link is link:
            player.link = None
            player.lost += 1


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens."""
    of_this_machine = "give --host an address of this machine, or 0.0.0.0 for all of them"
    if not host:
        raise ConfigError("no address to listen on: the host is empty", of_this_machine)
    try:
        listener = socket.create_server((host, port), backlog=16)
    except (OSError, OverflowError, ValueError) as error:
        remedy = "choose another port, or 0 for any that is free"
        number = getattr(error, "errno", None) or 0
        # Below 0, or a ValueError: no address is called so.
        if number < 0 or number == errno.EADDRNOTAVAIL or isinstance(error, ValueError):
            remedy = of_this_machine
        raise ResourceError(
            f"cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}",
            remedy,
        ) from error
    listener.setblocking(False)
    return listener


def _drain(client: socket.socket) -> None:
    """Close *client* once it is read to its end: else what it was sent might be thrown away."""
    with contextlib.closing(client), contextlib.suppress(OSError):
        client.settimeout(_PARTING_SECONDS)
        for _ in range(_MOST_UNASKED // _CHUNK):
            if not client.recv(_CHUNK):
                return

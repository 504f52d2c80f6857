"""A player's side of the network: lines from a dealer, over a connection that is made again.

A connection that breaks during a hand is made again for as long as the client is patient; one
that ends between hands is tried once more, because that is how a match ends. Patience is not
renewed, and pauses grow, until the dealer tells something new: a port that takes connections and
drops them is no dealer. The client waits only so long for one that says nothing.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable

from holdem.errors import ConfigError, ResourceError
from holdem.play.acpc import END_OF_LINE, VERSION, LineBuffer
from holdem.types import shown

__all__ = ["Client", "parse_address"]

_SLICE = 0.25  # seconds that are waited at a time, see holdem.play.connections
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_CHUNK = 1 << 16
_MOST_PORT = 65_535


class Client:
    """A connection to a dealer; use it in a ``with`` block.

    Attributes:
        connections: how many were made, the first included.
        between_hands: whether no hand is under way; whoever reads the lines says so.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        patience: float = 30.0,
        silence: float = 600.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Connect to the dealer at *host* and *port*.

        Args:
            host, port: where it listens for this player.
            patience: seconds that a lost connection, or the first, is tried for; without news
                from the dealer those of all tries together.
            silence: seconds that are waited for a line.
            say: is told what happens to the connection.

        Raises:
            ConfigError: no host is called so.
            ResourceError: nobody listens there.
        """
        self._address = host, port
        self._patience, self._silence, self._say = patience, silence, say
        self._socket: socket.socket | None = None
        self._buffer = LineBuffer()
        self._lines: deque[str] = deque()
        # A connection that is made again begins with two lines that were told before.
        self._told: deque[str] = deque(maxlen=2)
        self._news = False  # whether this connection told anything else
        self._left, self._pause = patience, 0.0
        self.connections = 0
        self.between_hands = False
        if not self._connect():
            raise ResourceError(
                f"no dealer answers at {host}, port {port}",
                "start the dealer first; it prints the port of each player",
            )

    def __enter__(self) -> Client:
        """Return itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Let the dealer go."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def receive(self) -> str | None:
        """Return the next line of the dealer; None once it is gone for good.

        Raises:
            ResourceError: it said nothing for too long, or did not come back during a hand.
            ProtocolError: it sent a line longer than any of the protocol.
        """
        while not self._lines:
            data = self._read()
            if data:
                self._take(data)
            elif not self._come_back():
                return None
        return self._lines.popleft()

    def has_more(self) -> bool:
        """Return whether lines have come that `receive` has not returned; does not wait."""
        if not self._lines and self._socket is not None:
            # A connection that is over is left for receive() to find.
            with contextlib.suppress(OSError):
                if select.select([self._socket], [], [], 0)[0]:
                    self._take(self._socket.recv(_CHUNK))
        return bool(self._lines)

    def send(self, line: str) -> None:
        """Send *line*; if the connection breaks meanwhile, `receive` makes it again."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(line.encode("ascii") + END_OF_LINE)

    def _take(self, data: bytes) -> None:
        """Take in bytes of the dealer; news from it renew the patience."""
        lines = self._buffer.feed(data)
        news = [line for line in lines if line not in self._told]
        if news:
            self._told.extend(news)
            self._news, self._left, self._pause = True, self._patience, 0.0
        self._lines.extend(lines)

    def _come_back(self) -> bool:
        """Connect again where the connection is over; return False if the match is over, too.

        Raises:
            ResourceError: a hand is under way, or none was yet, and patience has run out.
        """
        self.close()
        if self.between_hands:
            self._left = 0.0
            return self._news and self._connect()
        when = "in the middle of a hand" if self._told else "before the first line"
        if self._news or self.connections == 1:  # not again and again
            self._say(f"the connection is lost {when}; trying again")
        if self._left <= 0:
            raise ResourceError(
                f"{self._where} takes every connection and closes it, {when}",
                "see whether another client plays at this port, and whether it is a dealer's",
            )
        if not self._connect():
            raise ResourceError(
                f"{self._where} is gone, {when}", "start this command again once it is back"
            )
        return True

    @property
    def _where(self) -> str:
        return f"the dealer at {self._address[0]}, port {self._address[1]}"

    def _connect(self) -> bool:
        """Try to connect while patience is left, at least once; return whether it worked."""
        while True:
            time.sleep(self._pause)
            self._left -= self._pause
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            start = time.monotonic()
            try:
                timeout = max(_SLICE, self._left)
                self._socket = socket.create_connection(self._address, timeout=timeout)
                break
            except (OSError, OverflowError, ValueError) as error:
                # Names that were known may be unknown for a while, but not the first one.
                if not self.connections and isinstance(error, (socket.gaierror, ValueError)):
                    raise ConfigError(
                        f"no host is called {shown(self._address[0])}",
                        "give the name or the address of the dealer's machine, as in 127.0.0.1",
                    ) from None
                self._left -= time.monotonic() - start
            if self._left <= 0:
                return False
        self._news = False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(_SLICE)
        self._buffer, self.connections = LineBuffer(), self.connections + 1
        self.send(VERSION)
        return True

    def _read(self) -> bytes:
        """Return some bytes of the dealer; none if the connection is over."""
        assert self._socket is not None  # connected, or receive() has given up
        left = self._silence
        while left > 0:
            start = time.monotonic()
            try:
                return self._socket.recv(_CHUNK)
            except TimeoutError:
                # A machine that slept has not waited for the dealer.
                left -= min(time.monotonic() - start, 2 * _SLICE)
            except OSError:
                return b""
        raise ResourceError(
            f"the dealer has said nothing for {self._silence:g} seconds",
            "see whether it still runs, and whether the other players do",
        )


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``.

    Raises:
        ConfigError: it is not that.
    """
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= _MOST_PORT:
        raise ConfigError(
            f"not a server: {shown(text)}",
            f"give HOST:PORT, as in 127.0.0.1:18791; ports go from 1 to {_MOST_PORT}",
        )
    return host, int(port)

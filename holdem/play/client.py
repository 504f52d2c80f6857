"""A player's side of the network: lines from a dealer, over a connection that is made again.

A connection that breaks during a hand is made again for as long as the client is patient; one
that ends between hands is tried once more, because that is how a match ends. The client waits
only so long for a dealer that says nothing.
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
_LONGEST_PAUSE = 1.0
_CHUNK = 1 << 16


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
            patience: seconds that a lost connection, or the first, is tried for.
            silence: seconds that are waited for a line.
            say: is told what happens to the connection.

        Raises:
            ResourceError: nobody listens there.
        """
        self._address = host, port
        self._patience, self._silence, self._say = patience, silence, say
        self._socket: socket.socket | None = None
        self._buffer = LineBuffer()
        self._lines: deque[str] = deque()
        self.connections = 0
        self.between_hands = False
        if not self._connect(patience):
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
                self._lines.extend(self._buffer.feed(data))
                continue
            self.close()
            if self.between_hands:
                if not self._connect(0.0):
                    return None
                continue
            self._say("the connection is lost in the middle of a hand; trying again")
            if not self._connect(self._patience):
                raise ResourceError(
                    f"the dealer at {self._address[0]}, port {self._address[1]} is gone, in the "
                    "middle of a hand",
                    "start this command again once it is back",
                )
        return self._lines.popleft()

    def has_more(self) -> bool:
        """Return whether lines have come that `receive` has not returned; does not wait."""
        if not self._lines and self._socket is not None:
            # A connection that is over is left for receive() to find.
            with contextlib.suppress(OSError):
                if select.select([self._socket], [], [], 0)[0]:
                    self._lines.extend(self._buffer.feed(self._socket.recv(_CHUNK)))
        return bool(self._lines)

    def send(self, line: str) -> None:
        """Send *line*; if the connection breaks meanwhile, `receive` makes it again."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(line.encode("ascii") + END_OF_LINE)

    def _connect(self, seconds: float) -> bool:
        """Try to connect for so long, at least once; return whether it worked."""
        pause = 0.05
        while True:
            start = time.monotonic()
            try:
                self._socket = socket.create_connection(self._address, timeout=max(_SLICE, seconds))
                break
            except (OSError, OverflowError):
                seconds -= time.monotonic() - start
            if seconds <= 0:
                return False
            time.sleep(pause)
            seconds -= pause
            pause = min(2 * pause, _LONGEST_PAUSE)
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
    if not host or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ConfigError(f"not a server: {shown(text)}", "give HOST:PORT, as in 127.0.0.1:18791")
    return host, int(port)

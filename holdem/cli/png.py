"""The 13x13 chart as a PNG picture, drawn without any plotting library.

A picture is rows of pixels, three bytes each; PNG wants them compressed, between a header
and an end. Letters are bitmaps of 3 by 5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holdem.cli.chart import Action
from holdem.game.cards import CLASS_GRID, CLASS_NAMES

PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"

CELL = 48
"""Pixels of a cell, each way."""

_GAP = 2
_BACKGROUND = (24, 24, 28)
_INK = (255, 255, 255)
_SCALE = 3  # pixels of a bitmap's dot

# Five rows of three bits, the highest row first.
_GLYPHS = {
    "A": 0o25755, "K": 0o55655, "Q": 0o25563, "J": 0o11152, "T": 0o72222, "9": 0o75711,
    "8": 0o75757, "7": 0o71122, "6": 0o74757, "5": 0o74717, "4": 0o55711, "3": 0o71317,
    "2": 0o71747, "s": 0o03616, "o": 0o00252,
}  # fmt: skip


def chart_png(grid: NDArray[np.floating], actions: Sequence[Action]) -> bytes:
    """Return a PNG of each hand in the colours of what it does.

    Args:
        grid: (13, 13, actions), NaN where a hand is not there.
        actions: how they look; as on the terminal, the boldest is on the left of a cell.
    """
    side = 13 * (CELL + _GAP) + _GAP
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = _BACKGROUND
    colours = np.array([_rgb(action.colour) for action in actions], np.uint8)
    for row in range(13):
        for column in range(13):
            shares = grid[row, column]
            if np.isnan(shares).any():
                continue
            top, left = (_GAP + place * (CELL + _GAP) for place in (row, column))
            cell = picture[top : top + CELL, left : left + CELL]
            edges = np.rint(np.cumsum(shares[::-1]) * CELL).astype(int)
            boldest_first = np.searchsorted(edges[:-1], np.arange(CELL), side="right")
            cell[:] = colours[::-1][boldest_first]
            _write(cell, CLASS_NAMES[CLASS_GRID[row, column]])
    return _encode(picture)


def _write(cell: NDArray[np.uint8], text: str) -> None:
    """Put *text* into the corner of *cell*."""
    left = 4
    for letter in text:
        bits = [_GLYPHS[letter] >> place & 1 for place in range(14, -1, -1)]
        dots = np.kron(np.array(bits, bool).reshape(5, 3), np.ones((_SCALE, _SCALE), bool))
        height, width = dots.shape
        cell[4 : 4 + height, left : left + width][dots] = _INK
        left += width + _SCALE


def _rgb(colour: str) -> tuple[int, ...]:
    """``"#ff8000"`` as three numbers."""
    return tuple(bytes.fromhex(colour[1:]))


def _encode(picture: NDArray[np.uint8]) -> bytes:
    """PNG of (height, width, 3) pixels."""
    height, width, _ = picture.shape
    # Each row begins with the number of its filter: none.
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return PNG_BEGINNING + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

"""Random streams: repeatable, apart from each other, and evenly spread."""

import numpy as np

from holdem._core import rng


def mix64(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_words_are_splitmix_of_a_counter():
    """The stream is what its header says, in arithmetic without overflow."""
    golden = 0x9E3779B97F4A7C15
    key = mix64((mix64((mix64((42 + golden) % 2**64) + 7) % 2**64) + 3) % 2**64)
    expected = [mix64((key + i * golden) % 2**64) for i in (1, 2, 3)]
    assert expected == [int(word) for word in rng.words(42, 7, 3, 3)]


def test_streams_share_no_words():
    """Neighbouring seeds, iterations and lanes do not overlap."""
    streams = [
        rng.words(seed, iteration, lane, 200)
        for seed in range(4)
        for iteration in range(10)
        for lane in range(4)
    ]
    words = np.concatenate(streams)
    assert len(np.unique(words)) == len(words)


def test_bits_are_balanced():
    """Each of the 64 bits is set in half of the words, within five standard deviations."""
    words = np.concatenate([rng.words(1, i, 0, 100) for i in range(2_000)])
    share = ((words[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean(axis=0)
    assert np.abs(share - 0.5).max() < 5 * 0.5 / np.sqrt(len(words))

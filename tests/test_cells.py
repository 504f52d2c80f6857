"""What a responder tells apart: whatever one of two bucket sets does, and no more."""

import numpy as np
import pytest

from holdem.errors import MismatchError
from holdem.mccfr.cells import Cells
from tests.buckets import StripedBuckets


@pytest.fixture(scope="module")
def sets():
    """Buckets by the hand's number modulo 4, and modulo 6."""
    return StripedBuckets(4), StripedBuckets(6)


def test_cells_tell_apart_what_either_set_does(sets):
    cells = Cells.refined(*sets)

    assert cells.counts == (169, 12, 12)  # the least common multiple
    assert cells.fingerprint == "striped 6"
    for street, found in enumerate(cells.tables):
        hands = np.arange(min(len(found), 5000))
        first, second = (one.tables[street][hands] for one in sets)
        pairs = np.stack([first, second, found[hands]], 1)
        assert len(np.unique(pairs[:, :2], axis=0)) == len(np.unique(pairs, axis=0))
        assert len(np.unique(found[hands])) == len(np.unique(pairs, axis=0))
        assert found.max() + 1 == cells.counts[street]


def test_cells_are_numbered_by_the_tables_bucket_first(sets):
    cells = Cells.refined(*sets)

    order = np.argsort(cells.tables[1][:12])
    assert list(zip(order % 4, order % 6, strict=True)) == sorted(
        {(hand % 4, hand % 6) for hand in range(12)}
    )


def test_the_tables_own_buckets(sets):
    cells = Cells.of_table(sets[0])

    assert cells.tables == sets[0].tables[:3]
    assert cells.counts == (169, 4, 4)
    assert cells.fingerprint is None
    assert cells.num_bytes == 0
    assert Cells.refined(*sets).num_bytes == 4 * (169 + 1_286_792 + 13_960_050)


def test_a_set_of_fewer_streets_is_refused(sets):
    with pytest.raises(MismatchError, match="covers 2 streets, and a responder tells hands apart"):
        Cells.refined(sets[0], StripedBuckets(4, num_streets=2))

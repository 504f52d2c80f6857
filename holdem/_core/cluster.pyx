"""Steps of k-means and k-medians over vectors of whole numbers: assign, update, seed, record.

Points and centres are int16 of 0 or more with an even number of dimensions (pad
with zeros). Two metrics: `CITY_BLOCK`, the sum of absolute differences, which
between cumulative histograms is the earth mover's distance and whose best centre
is the coordinate-wise median; and `SQUARED`, the sum of squared differences, whose
best centre is the mean. Every sum is one of integers: no order of adding and no
instruction set changes a label.
"""

import numpy as np

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from holdem._core.types cimport OK, OUT_OF_MEMORY, Status

from holdem.errors import error_for

cdef extern from "<stdlib.h>" nogil:
    int posix_memalign(void** address, size_t alignment, size_t size)

CITY_BLOCK = CITY_BLOCK_METRIC
SQUARED = SQUARED_METRIC
LANES = best_lanes()

MAX_CENTRES = 65536
# (value difference)^2 summed over the dimensions has to fit 31 bits.
MAX_SQUARED = 4095
MAX_SQUARED_DIMS = 128
# 32,767 summed over the dimensions too.
MAX_CITY_BLOCK_DIMS = 65538
# 2 * 4095 + 1 times the weight of a cluster has to fit 63 bits.
MAX_WEIGHT = 2**50

cdef enum:
    POINT_BLOCK = 64                           # points that the seeding looks at together
    MASS_BLOCK = 512                           # points whose mass is summed up

ctypedef fused bucket_t:
    uint8_t
    uint16_t


cdef bint in_range(const int16_t* values, int64_t size, int16_t highest) noexcept nogil:
    """Whether every value is in 0..highest."""
    cdef int16_t least = 0, most = 0
    cdef int64_t i
    for i in range(size):
        least = min(least, values[i])
        most = max(most, values[i])
    return least >= 0 and most <= highest


cdef int check(const int16_t[:, ::1] values, int metric) except -1:
    """Raise unless the metric takes points or centres like these and no sum overflows."""
    cdef int64_t dims = values.shape[1]
    cdef int16_t highest = 32767
    cdef int64_t most_dims = MAX_CITY_BLOCK_DIMS
    cdef bint good = True
    if dims % 2 or dims == 0:
        raise ValueError(f"points and centres must have an even number of dimensions, not {dims}")
    if metric not in (CITY_BLOCK, SQUARED):
        raise ValueError(f"unknown metric {metric}")
    if metric == SQUARED:
        highest = MAX_SQUARED
        most_dims = MAX_SQUARED_DIMS
    if dims > most_dims:
        raise ValueError(f"at most {most_dims} dimensions, not {dims}")
    if values.shape[0]:
        with nogil:
            good = in_range(&values[0, 0], values.shape[0] * dims, highest)
    if not good:
        raise ValueError(f"coordinates must be 0 to {highest}")
    return 0


cdef int check_weights(const int64_t[::1] weights, int64_t most) except -1:
    """Raise unless all weights are 1 or more, and their sum at most *most*."""
    cdef int64_t left = most, num_points = weights.shape[0], i, bad = -1
    with nogil:
        for i in range(num_points):
            if not 1 <= weights[i] <= left:
                bad = i
                break
            left -= weights[i]
    if bad >= 0:
        raise ValueError(
            f"point {bad} has weight {weights[bad]}: wanted 1 or more, at most {most} in all"
        )
    return 0


cdef class Nearest:
    """Finds the nearest of some centres; equals go to the lowest index.

    Centres are ordered by the sum of their coordinates, which bounds distances from below, and
    a search goes from the point's own sum outwards until none can be nearer.

    Args:
        centres: int16, shape (num_centres, dims), 1 to 65,536 of them; they are copied.
        metric: `CITY_BLOCK` or `SQUARED`.
        lanes: centres per vector: 16, 8, 4 or 1; 0 for the processor's widest, `LANES`.

    Raises:
        ValueError: shapes or values that do not fit, or lanes that the processor lacks.
        ResourceError: out of memory.
    """

    cdef groups_t _groups
    cdef int _metric, _lanes
    cdef object _sums                          # keeps least and most alive

    def __cinit__(self, const int16_t[:, ::1] centres, int metric, int lanes=0):
        check(centres, metric)
        if not 1 <= centres.shape[0] <= MAX_CENTRES:
            raise ValueError(f"1 to {MAX_CENTRES} centres, not {centres.shape[0]}")
        if lanes == 0:
            lanes = LANES
        if lanes not in (1, 4, 8, 16) or lanes > LANES:
            raise ValueError(f"lanes must be 1, 4, 8 or 16 and at most {LANES}, not {lanes}")
        sums = np.asarray(centres).sum(axis=1, dtype=np.int64).astype(np.int32)
        order = np.argsort(sums, kind="stable")
        # The last centre again, until the last group is full: it wins nothing that it had not.
        num_groups = (len(order) + GROUP * lanes - 1) // (GROUP * lanes)
        order = np.append(order, np.repeat(order[-1:], num_groups * GROUP * lanes - len(order)))
        by_group = sums[order].reshape(num_groups, -1)
        cdef const int64_t[::1] source = order
        cdef const int32_t[::1] least = by_group[:, 0].copy()
        cdef const int32_t[::1] most = by_group[:, -1].copy()
        cdef int64_t padded = source.shape[0], i
        cdef int dims = <int>centres.shape[1], pair
        cdef int16_t* packed = NULL
        cdef int32_t* numbers = NULL
        cdef int16_t* to
        self._sums = [least, most]
        self._metric = metric
        self._lanes = lanes
        if posix_memalign(<void**>&packed, 64, padded * dims * sizeof(int16_t)) != 0:
            raise error_for(OUT_OF_MEMORY)
        self._groups.packed = packed
        if posix_memalign(<void**>&numbers, 64, padded * sizeof(int32_t)) != 0:
            raise error_for(OUT_OF_MEMORY)
        self._groups.numbers = numbers
        for i in range(padded):
            numbers[i] = <int32_t>source[i]
            for pair in range(dims // 2):
                to = packed + ((i // lanes * (dims // 2) + pair) * lanes + i % lanes) * 2
                to[0] = centres[source[i], 2 * pair]
                to[1] = centres[source[i], 2 * pair + 1]
        self._groups.least = &least[0]
        self._groups.most = &most[0]
        self._groups.num_groups = least.shape[0]
        self._groups.dims = dims

    def __dealloc__(self):
        free(<void*>self._groups.packed)
        free(<void*>self._groups.numbers)

    def assign(
        self, const int16_t[:, ::1] points, uint16_t[::1] labels, int32_t[::1] distances
    ):
        """Write the index of each point's nearest centre, and its distance.

        Threads may call it side by side.

        Args:
            points: int16, shape (num_points, dims).
            labels: OUT uint16, shape (num_points,).
            distances: OUT int32, shape (num_points,).

        Raises:
            ValueError: shapes or values that do not fit.
        """
        cdef int64_t num_points = points.shape[0]
        if points.shape[1] != self._groups.dims:
            raise ValueError(
                f"points must have the centres' {self._groups.dims} dimensions, "
                f"not {points.shape[1]}"
            )
        check(points, self._metric)
        if labels.shape[0] != num_points or distances.shape[0] != num_points:
            raise ValueError(f"labels and distances must hold {num_points} numbers")
        if num_points == 0:
            return
        with nogil:
            nearest_centres(
                &points[0, 0], num_points, &self._groups, self._lanes, self._metric,
                &labels[0], &distances[0],
            )


cdef class Seeding:
    """Chooses points as centres, each in proportion to its mass: weight times distance.

    The distance is that to the nearest centre so far; before the first one it counts 1.
    Points lie in blocks, ordered by the sum of their coordinates, and a block that a new
    centre is too far from is not looked at (see `Nearest`).

    Args:
        points: int16, shape (num_points, dims), 1 or more of them.
        weights: int64, shape (num_points,), 1 or more; the sum of masses has to fit 63 bits
            even if all points were as far from a centre as they could be.
        metric: `CITY_BLOCK` or `SQUARED`.

    Both arrays are copied.

    Attributes:
        total: sum of all masses; 0 if every point is a centre.

    Raises:
        ValueError: shapes or values that do not fit.
    """

    cdef readonly int64_t total
    cdef int _metric
    cdef bint _has_centre
    # Of the points ordered by the sum of coordinates, and of blocks of them.
    cdef const int16_t[:, ::1] _points
    cdef const int32_t[::1] _sums
    cdef const int64_t[::1] _order             # which point each is
    cdef int32_t[::1] _nearest
    cdef int32_t[::1] _farthest                # by block, the largest of _nearest
    # Of the points as they were given.
    cdef const int64_t[::1] _weights
    cdef const int64_t[::1] _places            # where each is in that order
    cdef int64_t[::1] _masses                  # of each MASS_BLOCK of them

    def __init__(
        self, const int16_t[:, ::1] points, const int64_t[::1] weights, int metric
    ):
        check(points, metric)
        if points.shape[0] == 0 or weights.shape[0] != points.shape[0]:
            raise ValueError(
                f"{points.shape[0]} points and {weights.shape[0]} weights, wanted 1 or more of each"
            )
        given = np.asarray(points)
        spans = given.max(axis=0).astype(np.int64) - given.min(axis=0)
        farthest = int((spans if metric == CITY_BLOCK else spans * spans).sum())
        check_weights(weights, (2**63 - 1) // max(farthest, 1))
        sums = given.sum(axis=1, dtype=np.int32)
        order = np.argsort(sums, kind="stable")
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        starts = np.arange(0, len(order), MASS_BLOCK)
        self._metric = metric
        self._points = given[order]
        self._sums = sums[order]
        self._order = order
        self._places = places
        self._nearest = np.ones(len(order), np.int32)
        self._farthest = np.empty((len(order) + POINT_BLOCK - 1) // POINT_BLOCK, np.int32)
        self._weights = np.array(weights)
        self._masses = np.add.reduceat(np.asarray(weights), starts)
        self.total = np.asarray(weights).sum()
        self._has_centre = False

    def choose(self, int64_t mass):
        """Return the first point at which the sum of masses so far exceeds *mass*.

        Args:
            mass: 0 to `total` - 1.

        Raises:
            ValueError: it is out of range.
        """
        cdef int64_t block = 0, i
        if not 0 <= mass < self.total:
            raise ValueError(f"a mass of {mass}, wanted 0 to {self.total - 1}")
        while mass >= self._masses[block]:
            mass -= self._masses[block]
            block += 1
        i = block * MASS_BLOCK
        while mass >= self._weights[i] * self._nearest[self._places[i]]:
            mass -= self._weights[i] * self._nearest[self._places[i]]
            i += 1
        return i

    def add(self, int64_t index):
        """Make the point *index* a centre.

        Raises:
            ValueError: there is no such point.
        """
        if not 0 <= index < self._order.shape[0]:
            raise ValueError(f"point {index} of {self._order.shape[0]}")
        cdef int64_t place = self._places[index], first, last, gap
        cdef int64_t num_points = self._order.shape[0]
        cdef int block, dims = <int>self._points.shape[1]
        with nogil:
            for block in range(<int>self._farthest.shape[0]):
                first = block * <int64_t>POINT_BLOCK
                last = min(first + POINT_BLOCK, num_points)
                gap = max(
                    self._sums[first] - self._sums[place],
                    self._sums[place] - self._sums[last - 1],
                )
                if self._has_centre and gap > 0:
                    if self._metric == CITY_BLOCK_METRIC:
                        if gap >= self._farthest[block]:
                            continue
                    elif gap * gap >= <int64_t>self._farthest[block] * dims:
                        continue
                self.relax(block, first, last, place)
            self._has_centre = True

    cdef void relax(self, int block, int64_t first, int64_t last, int64_t place) noexcept nogil:
        """Lower the distances of one block's points to that of a new centre."""
        cdef int32_t distances[POINT_BLOCK]
        cdef int64_t i, lost
        cdef int32_t farthest = 0
        for i in range(last - first):
            distances[i] = self._nearest[first + i] if self._has_centre else 2147483647
        relax_points(
            &self._points[first, 0], last - first, <int>self._points.shape[1],
            &self._points[place, 0], self._metric, distances,
        )
        for i in range(first, last):
            if distances[i - first] != self._nearest[i]:
                lost = (<int64_t>self._nearest[i] - distances[i - first]) * self._weights[
                    self._order[i]
                ]
                self._nearest[i] = distances[i - first]
                self._masses[self._order[i] // MASS_BLOCK] -= lost
                self.total -= lost
            farthest = max(farthest, distances[i - first])
        self._farthest[block] = farthest


cdef void update_medians(
    const int16_t* points,     # IN     (num_points, dims)
    const int64_t* weights,    # IN     (num_points,)
    const int64_t* order,      # IN     (num_points,) points by cluster
    const int64_t* first,      # IN     (num_centres + 1,) of each cluster in order
    int start, int stop,       # IN     the clusters to move
    int dims,
    int64_t* mass,             # SCRATCH (32768,) zero on entry and on return
    int16_t* centres,          # INOUT  (num_centres, dims)
) noexcept nogil:
    """Set each centre to the weighted lower median of its points, coordinate by coordinate."""
    cdef int cluster, j
    cdef int64_t i, total, below
    cdef int16_t value, least, most
    for cluster in range(start, stop):
        if first[cluster] == first[cluster + 1]:
            continue
        for j in range(dims):
            total = 0
            least = 32767
            most = 0
            for i in range(first[cluster], first[cluster + 1]):
                value = points[order[i] * dims + j]
                mass[value] += weights[order[i]]
                total += weights[order[i]]
                least = min(least, value)
                most = max(most, value)
            below = mass[least]
            value = least
            while 2 * below < total:
                value += 1
                below += mass[value]
            centres[<int64_t>cluster * dims + j] = value
            memset(mass + least, 0, (most - least + 1) * sizeof(int64_t))


cdef void update_means(
    const int16_t* points,     # IN     (num_points, dims)
    const int64_t* weights,    # IN     (num_points,)
    const int64_t* order,      # IN     (num_points,) points by cluster
    const int64_t* first,      # IN     (num_centres + 1,) of each cluster in order
    int start, int stop,       # IN     the clusters to move
    int dims,
    int16_t* centres,          # INOUT  (num_centres, dims)
) noexcept nogil:
    """Set each centre to the mean of its points, rounded.

    Squared distance from a point is a parabola in each coordinate with its foot at
    the mean, so the nearest whole number is the best whole number, and a step of
    Lloyd's never raises the objective in spite of the rounding.
    """
    cdef int cluster, j
    cdef int64_t i, total, sum
    for cluster in range(start, stop):
        if first[cluster] == first[cluster + 1]:
            continue
        for j in range(dims):
            total = 0
            sum = 0
            for i in range(first[cluster], first[cluster + 1]):
                sum += weights[order[i]] * points[order[i] * dims + j]
                total += weights[order[i]]
            centres[<int64_t>cluster * dims + j] = <int16_t>((2 * sum + total) // (2 * total))


cdef Status update(
    const int16_t* points, const int64_t* weights, const uint16_t* labels, int64_t num_points,
    int num_centres, int start, int stop, int dims, int metric, int16_t* centres,
    int64_t* masses,
) noexcept nogil:
    """Sort the points by cluster, weigh some clusters and move their centres."""
    cdef int64_t* order = <int64_t*>malloc(max(num_points, 1) * sizeof(int64_t))
    cdef int64_t* first = <int64_t*>calloc(num_centres + 2, sizeof(int64_t))
    cdef int64_t* mass = <int64_t*>calloc(32768, sizeof(int64_t))
    cdef Status status = OK
    cdef int64_t i
    cdef int cluster
    if order == NULL or first == NULL or mass == NULL:
        status = OUT_OF_MEMORY
    else:
        memset(masses + start, 0, (stop - start) * sizeof(int64_t))
        # first[c + 2] counts cluster c, so that after the sum first[c + 1] is where
        # its next point goes and, once all are placed, where it ends.
        for i in range(num_points):
            first[labels[i] + 2] += 1
            if start <= labels[i] < stop:
                masses[labels[i]] += weights[i]
        for cluster in range(num_centres):
            first[cluster + 2] += first[cluster + 1]
        for i in range(num_points):
            order[first[labels[i] + 1]] = i
            first[labels[i] + 1] += 1
        if metric == CITY_BLOCK_METRIC:
            update_medians(points, weights, order, first, start, stop, dims, mass, centres)
        else:
            update_means(points, weights, order, first, start, stop, dims, centres)
    free(order)
    free(first)
    free(mass)
    return status


def update_centres(
    const int16_t[:, ::1] points,
    const int64_t[::1] weights,
    const uint16_t[::1] labels,
    int metric,
    int16_t[:, ::1] centres,
    int64_t[::1] masses,
    int start,
    int stop,
):
    """Move centres *start* to *stop* to the best place for their points: the median or the mean.

    The centre of an empty cluster stays where it is. Threads may share the work by
    taking different clusters.

    Args:
        points: int16, shape (num_points, dims).
        weights: int64, shape (num_points,), 1 or more, `MAX_WEIGHT` in all at most.
        labels: uint16, shape (num_points,), below the number of centres.
        metric: `CITY_BLOCK` for medians, `SQUARED` for means.
        centres: INOUT int16, shape (num_centres, dims).
        masses: OUT int64, shape (num_centres,), weight of each cluster from *start* to *stop*.
        start, stop: the clusters to move and to weigh.

    Raises:
        ValueError: shapes, values or labels that do not fit.
        ResourceError: out of memory.
    """
    check(points, metric)
    cdef int64_t num_points = points.shape[0], i, bad = -1
    cdef int num_centres = <int>centres.shape[0]
    if points.shape[1] != centres.shape[1]:
        raise ValueError(f"points of {points.shape[1]} dimensions, centres of {centres.shape[1]}")
    if not 0 <= start <= stop <= num_centres:
        raise ValueError(f"clusters {start} to {stop} of {num_centres}")
    check(centres[start:stop], metric)  # other threads move the others
    if weights.shape[0] != num_points or labels.shape[0] != num_points:
        raise ValueError(f"weights and labels must hold {num_points} numbers")
    if masses.shape[0] != num_centres:
        raise ValueError(f"masses must hold {num_centres} numbers, not {masses.shape[0]}")
    if num_points == 0:
        masses[start:stop] = 0
        return
    check_weights(weights, MAX_WEIGHT)
    cdef Status status = OK
    with nogil:
        for i in range(num_points):
            if labels[i] >= num_centres:
                bad = i
                break
        if bad < 0:
            status = update(
                &points[0, 0], &weights[0], &labels[0], num_points, num_centres, start, stop,
                <int>points.shape[1], metric, &centres[0, 0], &masses[0],
            )
    if bad >= 0:
        raise ValueError(f"point {bad}: label {labels[bad]} of {num_centres}")
    if status != OK:
        raise error_for(status)


def record(
    const uint16_t[::1] labels,
    const int64_t[::1] indices,
    const int64_t[::1] weights,
    const uint16_t[::1] values,
    bucket_t[::1] table,
    int64_t[:, ::1] tally,
):
    """Write labels into a table of buckets, and count what each bucket holds.

    Threads may share *table*, since no two hands have the same index, but each needs
    a *tally* of its own.

    Args:
        labels: uint16, shape (n,), below the number of buckets, and no more than *table* holds.
        indices: int64, shape (n,), place of each hand in *table*.
        weights: int64, shape (n,), real hands that each stands for.
        values: uint16, shape (n,), equity in units of 1/32768.
        table: OUT uint8 or uint16, shape (size,).
        tally: INOUT int64, shape (num_buckets, 4): canonical hands, real hands, and the
            sums of value and of value squared over real hands. The largest sum, over
            all 2.8e9 river hands, is below 3.1e18, so 64 bits hold it.

    Raises:
        ValueError: shapes that do not fit, or a label or an index that is out of range.
    """
    cdef int64_t n = labels.shape[0], i, at = -1
    if indices.shape[0] != n or weights.shape[0] != n or values.shape[0] != n:
        raise ValueError(f"indices, weights and values must hold {n} numbers")
    if tally.shape[1] != 4:
        raise ValueError(f"tally must have 4 columns, not {tally.shape[1]}")
    cdef int64_t size = table.shape[0]
    cdef int64_t num_buckets = min(tally.shape[0], 256 if bucket_t is uint8_t else 65536)
    cdef int64_t value
    with nogil:
        for i in range(n):
            if not (0 <= indices[i] < size and labels[i] < num_buckets):
                at = i
                break
            table[indices[i]] = <bucket_t>labels[i]
            value = values[i]
            tally[labels[i], 0] += 1
            tally[labels[i], 1] += weights[i]
            tally[labels[i], 2] += weights[i] * value
            tally[labels[i], 3] += weights[i] * value * value
    if at >= 0:
        raise ValueError(
            f"hand {at}: index {indices[at]} of {size}, bucket {labels[at]} of {num_buckets}"
        )

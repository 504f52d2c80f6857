"""Steps of k-means and k-medians over vectors of whole numbers: assign, update, seed, record.

Points and centres are int16 of 0 or more with an even number of dimensions (pad
with zeros). Two metrics: `CITY_BLOCK`, the sum of absolute differences, which
between cumulative histograms is the earth mover's distance and whose best centre
is the coordinate-wise median; and `SQUARED`, the sum of squared differences, whose
best centre is the mean. Every sum is one of integers: no order of adding and no
instruction set changes a label.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint8_t
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

ctypedef fused bucket_t:
    uint8_t
    uint16_t


cdef int16_t* pack(
    const int16_t* centres, int num_centres, int dims, int lanes, int padded,
) noexcept nogil:
    """Return centres as (padded / lanes, dims / 2, lanes, 2), or NULL; the caller frees it.

    The padding repeats the last centre: an equal distance goes to the lower index,
    so the copies never win.
    """
    cdef int16_t* packed = NULL
    cdef size_t size = <size_t>padded * dims * sizeof(int16_t)
    if posix_memalign(<void**>&packed, 64, size) != 0:
        return NULL
    cdef int centre, source, pair
    cdef int pairs = dims // 2
    cdef int16_t* to
    for centre in range(padded):
        source = min(centre, num_centres - 1)
        for pair in range(pairs):
            to = packed + (
                ((<int64_t>(centre // lanes) * pairs + pair) * lanes + centre % lanes) * 2
            )
            to[0] = centres[<int64_t>source * dims + 2 * pair]
            to[1] = centres[<int64_t>source * dims + 2 * pair + 1]
    return packed


cdef bint in_range(const int16_t* values, int64_t size, int16_t highest) noexcept nogil:
    """Whether every value is in 0..highest."""
    cdef int16_t least = 0, most = 0
    cdef int64_t i
    for i in range(size):
        least = min(least, values[i])
        most = max(most, values[i])
    return least >= 0 and most <= highest


def _check(
    const int16_t[:, ::1] points, const int16_t[:, ::1] centres, int metric, bint values=True
):
    """Raise unless points, centres and metric go together and, if asked, no sum overflows."""
    cdef int64_t dims = centres.shape[1]
    if points.shape[1] != dims or dims % 2 or dims == 0:
        raise ValueError(
            f"points and centres must have the same, even number of dimensions, "
            f"not {points.shape[1]} and {dims}"
        )
    if not 1 <= centres.shape[0] <= MAX_CENTRES:
        raise ValueError(f"1 to {MAX_CENTRES} centres, not {centres.shape[0]}")
    if metric not in (CITY_BLOCK, SQUARED):
        raise ValueError(f"unknown metric {metric}")
    cdef int16_t highest = 32767
    if metric == SQUARED:
        highest = MAX_SQUARED
        if dims > MAX_SQUARED_DIMS:
            raise ValueError(f"at most {MAX_SQUARED_DIMS} dimensions, not {dims}")
    if not values:
        return
    cdef bint good
    with nogil:
        good = in_range(&centres[0, 0], centres.shape[0] * dims, highest) and (
            points.shape[0] == 0 or in_range(&points[0, 0], points.shape[0] * dims, highest)
        )
    if not good:
        raise ValueError(f"coordinates must be 0 to {highest}")


def assign(
    const int16_t[:, ::1] points,
    const int16_t[:, ::1] centres,
    int metric,
    uint16_t[::1] labels,
    int32_t[::1] distances,
    int lanes=0,
):
    """Write the index of the nearest centre and its distance; equals go to the lowest index.

    Args:
        points: int16, shape (num_points, dims).
        centres: int16, shape (num_centres, dims), 1 to 65,536 of them.
        metric: `CITY_BLOCK` or `SQUARED`.
        labels: OUT uint16, shape (num_points,).
        distances: OUT int32, shape (num_points,).
        lanes: centres per vector: 16, 8, 4 or 1; 0 for the processor's widest, `LANES`.

    Raises:
        ValueError: shapes or values that do not fit, or lanes that the processor lacks.
    """
    _check(points, centres, metric)
    cdef int64_t num_points = points.shape[0]
    if labels.shape[0] != num_points or distances.shape[0] != num_points:
        raise ValueError(f"labels and distances must hold {num_points} numbers")
    if lanes == 0:
        lanes = LANES
    if lanes not in (1, 4, 8, 16) or lanes > LANES:
        raise ValueError(f"lanes must be 1, 4, 8 or 16 and at most {LANES}, not {lanes}")
    if num_points == 0:
        return
    cdef int dims = <int>points.shape[1]
    cdef int num_centres = <int>centres.shape[0]
    cdef int padded = (num_centres + lanes - 1) // lanes * lanes
    cdef int16_t* packed
    with nogil:
        packed = pack(&centres[0, 0], num_centres, dims, lanes, padded)
        if packed != NULL:
            nearest_centres(
                &points[0, 0], num_points, dims, packed, padded, lanes, metric,
                &labels[0], &distances[0],
            )
            free(packed)
    if packed == NULL:
        raise error_for(OUT_OF_MEMORY)


def relax(
    const int16_t[:, ::1] points,
    const int16_t[:, ::1] centres,
    int metric,
    int32_t[::1] nearest,
):
    """Lower each point's distance in *nearest* to that of the closest of *centres*.

    The step of k-means++ after a centre was added.

    Args:
        points: int16, shape (num_points, dims).
        centres: int16, shape (num_new, dims).
        metric: `CITY_BLOCK` or `SQUARED`.
        nearest: INOUT int32, shape (num_points,).

    Raises:
        ValueError: shapes or values that do not fit.
    """
    # Called once per centre: city-block sums fit whatever the coordinates are.
    _check(points, centres, metric, metric == SQUARED)
    cdef int64_t num_points = points.shape[0]
    if nearest.shape[0] != num_points:
        raise ValueError(f"nearest must hold {num_points} numbers, not {nearest.shape[0]}")
    if num_points == 0:
        return
    cdef int i
    with nogil:
        for i in range(<int>centres.shape[0]):
            relax_points(
                &points[0, 0], num_points, <int>points.shape[1], &centres[i, 0],
                metric, &nearest[0],
            )


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
        weights: int64, shape (num_points,), 1 or more.
        labels: uint16, shape (num_points,), below the number of centres.
        metric: `CITY_BLOCK` for medians, `SQUARED` for means.
        centres: INOUT int16, shape (num_centres, dims).
        masses: OUT int64, shape (num_centres,), weight of each cluster from *start* to *stop*.
        start, stop: the clusters to move and to weigh.

    Raises:
        ValueError: shapes, values or labels that do not fit.
        ResourceError: out of memory.
    """
    _check(points, centres, metric)
    cdef int64_t num_points = points.shape[0], i, bad = -1
    cdef int num_centres = <int>centres.shape[0]
    if not 0 <= start <= stop <= num_centres:
        raise ValueError(f"clusters {start} to {stop} of {num_centres}")
    if weights.shape[0] != num_points or labels.shape[0] != num_points:
        raise ValueError(f"weights and labels must hold {num_points} numbers")
    if masses.shape[0] != num_centres:
        raise ValueError(f"masses must hold {num_centres} numbers, not {masses.shape[0]}")
    if num_points == 0:
        masses[start:stop] = 0
        return
    cdef Status status = OK
    with nogil:
        for i in range(num_points):
            if labels[i] >= num_centres or weights[i] < 1:
                bad = i
                break
        if bad < 0:
            status = update(
                &points[0, 0], &weights[0], &labels[0], num_points, num_centres, start, stop,
                <int>points.shape[1], metric, &centres[0, 0], &masses[0],
            )
    if bad >= 0:
        raise ValueError(
            f"point {bad}: label {labels[bad]} of {num_centres}, weight {weights[bad]}"
        )
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
        labels: uint16, shape (n,), below the number of buckets.
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
    cdef int64_t size = table.shape[0], num_buckets = tally.shape[0]
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

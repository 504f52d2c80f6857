# k-means and k-medians over short vectors of whole numbers. A kernel: nobody cimports it.
#
# Points and centres are int16 of 0 or more, (n, dims) with dims even. All arithmetic is on
# integers, so the same input gives the same labels on every processor and for every split
# of the points among threads.
from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t

cdef extern from "cluster_simd.h" nogil:
    enum:
        CITY_BLOCK_METRIC "CITY_BLOCK"
        SQUARED_METRIC "SQUARED"
        GROUP                                  # vectors of centres in a group
    # Centres that one vector holds on this processor: 16, 8, 4, or 1 without vectors.
    int best_lanes()
    # Lower nearest[i] to the distance of point i to one centre, where that is less.
    void relax_points(
        const int16_t* points, int64_t num_points, int dims, const int16_t* centre,
        int metric, int32_t* nearest,
    )
    # Centres in groups, ordered by the sum of their coordinates.
    ctypedef struct groups_t:
        const int16_t* packed
        const int32_t* numbers
        const int32_t* least
        const int32_t* most
        int64_t num_groups
        int dims
    # Label every point with its nearest centre, the lowest among equals.
    void nearest_centres(
        const int16_t* points, int64_t num_points, const groups_t* groups, int lanes, int metric,
        uint16_t* labels, int32_t* distances,
    )

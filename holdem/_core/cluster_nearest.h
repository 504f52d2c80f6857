/* The body of nearest_centres for one instruction set: cluster_simd.h defines the
 * words in capitals, includes this and takes the next set. No include guard.
 *
 * A lane is a centre: a vector holds two coordinates of LANES centres, the point's
 * same two coordinates are spread over all lanes, and sums never cross lanes until
 * a group is done. GROUP, four, vectors are in flight to hide the multiply's latency.
 */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define ONE_METRIC JOIN(NEAREST, _by)

#define ADD_TERM(sum, number)                                                              \
    do {                                                                                   \
        VECTOR gap = SUBTRACT16(here, LOAD(packed + ((number) * pairs + pair) * 2 * LANES)); \
        sum = ADD(sum, metric == CITY_BLOCK ? MULTIPLY_PAIRS(ABSOLUTE16(gap), ones)        \
                                            : MULTIPLY_PAIRS(gap, gap));                   \
    } while (0)

/* Of equals, the lowest centre; their order is not that of the lanes. */
#define KEEP_BETTER(sum, number)                                                           \
    do {                                                                                   \
        VECTOR centre = LOAD(numbers + (number) * LANES);                                  \
        VECTOR lower = LOWER(centre, WHERE_GREATER(best, sum, centre, best_centre));       \
        best_centre = WHERE_GREATER(sum, best, best_centre, lower);                        \
        best = LOWER(best, sum);                                                           \
    } while (0)

static TARGET inline __attribute__((always_inline)) void ONE_METRIC(
    const int16_t *points, int64_t num_points, const groups_t *groups, const int metric,
    uint16_t *labels, int32_t *distances
) {
    const VECTOR ones = ONES16;
    const VECTOR zero = SPREAD(0);
    const VECTOR far = SPREAD(INT32_MAX);
    const int pairs = groups->dims / 2;

    for (int64_t i = 0; i < num_points; i++) {
        const int16_t *point = points + i * groups->dims;
        search_t search = search_near(groups, sum_of(point, groups->dims));
        VECTOR best = far, best_centre = far;
        int32_t distance = INT32_MAX;
        int64_t group;
        while ((group = next_group(groups, &search, metric, distance)) >= 0) {
            const int16_t *packed = groups->packed + group * GROUP * LANES * groups->dims;
            const int32_t *numbers = groups->numbers + group * GROUP * LANES;
            VECTOR sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
            for (int pair = 0; pair < pairs; pair++) {
                int32_t both;
                memcpy(&both, point + 2 * pair, sizeof both);
                VECTOR here = SPREAD(both);
                ADD_TERM(sum0, 0);
                ADD_TERM(sum1, 1);
                ADD_TERM(sum2, 2);
                ADD_TERM(sum3, 3);
            }
            KEEP_BETTER(sum0, 0);
            KEEP_BETTER(sum1, 1);
            KEEP_BETTER(sum2, 2);
            KEEP_BETTER(sum3, 3);
            distance = LEAST(best);
        }
        distances[i] = distance;
        labels[i] = (uint16_t)LEAST(WHERE_GREATER(best, SPREAD(distance), far, best_centre));
    }
}

static TARGET void NEAREST(
    const int16_t *points, int64_t num_points, const groups_t *groups, int metric,
    uint16_t *labels, int32_t *distances
) {
    if (metric == CITY_BLOCK)
        ONE_METRIC(points, num_points, groups, CITY_BLOCK, labels, distances);
    else
        ONE_METRIC(points, num_points, groups, SQUARED, labels, distances);
}

#undef JOIN2
#undef JOIN
#undef ONE_METRIC
#undef ADD_TERM
#undef KEEP_BETTER
#undef TARGET
#undef NEAREST
#undef LANES
#undef VECTOR
#undef LOAD
#undef SPREAD
#undef SUBTRACT16
#undef ABSOLUTE16
#undef ONES16
#undef MULTIPLY_PAIRS
#undef ADD
#undef LOWER
#undef WHERE_GREATER
#undef LEAST

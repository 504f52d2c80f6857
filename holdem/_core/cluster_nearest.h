/* The body of nearest_centres for one instruction set: cluster_simd.h defines the
 * words in capitals, includes this and takes the next set. No include guard.
 *
 * A lane is a centre: a vector holds two coordinates of LANES centres, the point's
 * same two coordinates are spread over all lanes, and sums never cross lanes until
 * the end. Four vectors of centres are in flight to hide the multiply's latency.
 */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define ONE_METRIC JOIN(NEAREST, _by)

#define ADD_TERM(sum, block)                                                               \
    do {                                                                                   \
        VECTOR gap = SUBTRACT16(here, LOAD(centres + ((int64_t)(block) * pairs + pair) * 2 * LANES)); \
        sum = ADD(sum, metric == CITY_BLOCK ? MULTIPLY_PAIRS(ABSOLUTE16(gap), ones)        \
                                            : MULTIPLY_PAIRS(gap, gap));                   \
    } while (0)

/* Strictly less: the lowest block stays among equals. */
#define KEEP_BETTER(sum, block)                                                            \
    do {                                                                                   \
        best_start = WHERE_GREATER(best, sum, SPREAD((block) * LANES), best_start);                \
        best = LOWER(best, sum);                                                           \
    } while (0)

static TARGET inline __attribute__((always_inline)) void ONE_METRIC(
    const int16_t *points, int64_t num_points, int pairs, const int16_t *centres,
    int num_blocks, const int metric, uint16_t *labels, int32_t *distances
) {
    const VECTOR ones = ONES16;
    const VECTOR zero = SPREAD(0);
    const VECTOR far = SPREAD(INT32_MAX);
    int32_t lane_numbers[LANES] __attribute__((aligned(64)));
    for (int lane = 0; lane < LANES; lane++)
        lane_numbers[lane] = lane;
    const VECTOR lane = LOAD(lane_numbers);

    for (int64_t i = 0; i < num_points; i++) {
        const int16_t *point = points + i * 2 * pairs;
        VECTOR best = far, best_start = zero;
        int block = 0;
        for (; block + 4 <= num_blocks; block += 4) {
            VECTOR sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
            for (int pair = 0; pair < pairs; pair++) {
                int32_t both;
                memcpy(&both, point + 2 * pair, sizeof both);
                VECTOR here = SPREAD(both);
                ADD_TERM(sum0, block);
                ADD_TERM(sum1, block + 1);
                ADD_TERM(sum2, block + 2);
                ADD_TERM(sum3, block + 3);
            }
            KEEP_BETTER(sum0, block);
            KEEP_BETTER(sum1, block + 1);
            KEEP_BETTER(sum2, block + 2);
            KEEP_BETTER(sum3, block + 3);
        }
        for (; block < num_blocks; block++) {
            VECTOR sum0 = zero;
            for (int pair = 0; pair < pairs; pair++) {
                int32_t both;
                memcpy(&both, point + 2 * pair, sizeof both);
                VECTOR here = SPREAD(both);
                ADD_TERM(sum0, block);
            }
            KEEP_BETTER(sum0, block);
        }
        int32_t distance = LEAST(best);
        /* Lanes farther than the best are out; among the rest the lowest centre wins. */
        distances[i] = distance;
        labels[i] = (uint16_t)LEAST(WHERE_GREATER(best, SPREAD(distance), far, ADD(best_start, lane)));
    }
}

static TARGET void NEAREST(
    const int16_t *points, int64_t num_points, int dims, const int16_t *packed,
    int num_centres, int metric, uint16_t *labels, int32_t *distances
) {
    int pairs = dims / 2, num_blocks = num_centres / LANES;
    if (metric == CITY_BLOCK)
        ONE_METRIC(points, num_points, pairs, packed, num_blocks, CITY_BLOCK, labels, distances);
    else
        ONE_METRIC(points, num_points, pairs, packed, num_blocks, SQUARED, labels, distances);
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

/* The passes of responder_lanes.h for NUM_LANES betting situations side by side.
 *
 * Hands are gone through bucket by bucket: a row is read once, turned into a strategy once
 * and written once, however many hands of the board share it.
 */
#include <float.h>

#include "responder_lanes.h"
#include "lanes_simd.h"
#include "responder_endings.h"

#define MOST_ACTIONS 16

#if NUM_LANES == 1
typedef int8_t lane_choices_t;
#define CONVERTED(choices, type) (choices)
#else
typedef int8_t lane_choices_t __attribute__((vector_size(NUM_LANES), aligned(NUM_LANES)));
#define CONVERTED(choices, type) __builtin_convertvector(choices, type)
#endif

/* The usual numbers of actions as constants: their loops unroll. */
#define WITH_ACTIONS(pass, row, ...)                               \
    do {                                                           \
        if ((row)->num_actions == 2) pass(2, row, __VA_ARGS__);    \
        else if ((row)->num_actions == 3) pass(3, row, __VA_ARGS__); \
        else pass((row)->num_actions, row, __VA_ARGS__);           \
    } while (0)

/* Regret matching in every lane; where no regret is positive, `uniform` is played. */
BODY match_row(const lanes_t *row, const lanes_t *uniform, int k, lanes_t *strategy) {
    const lanes_t zero = {0};
    lanes_t total = zero;
    for (int a = 0; a < k; a++) {
        strategy[a] = SELECT(LESS(zero, row[a]), row[a], zero);
        total += strategy[a];
    }
    lane_bits_t some = LESS(zero + FLT_MIN, total);
    lanes_t scale = 1.0f / SELECT(some, total, zero + 1.0f);
    for (int a = 0; a < k; a++) strategy[a] = SELECT(some, strategy[a] * scale, uniform[a]);
}

/* Rows are far apart in memory that no cache holds: they are asked for in time. */
#define AHEAD 6

BODY ask_ahead(const row_t *row, const listing_t *listing, int b, int words) {
    if (b + AHEAD >= listing->num_buckets) return;
    const lanes_t *next =
        (const lanes_t *)row->rows + (int64_t)listing->buckets[b + AHEAD] * row->stride;
    for (int a = 0; a < words; a++) __builtin_prefetch(next + a);
}

BODY play_k(int k, const row_t *row, const listing_t *listing, float weight,
              const lanes_t *reach, lanes_t *played) {
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets =
            (lanes_t *)row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sum = {0};
        ask_ahead(row, listing, b, weight != 0.0f ? 2 * k : k);
        match_row(regrets, (const lanes_t *)row->uniform, k, strategy);
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++) {
            int h = listing->hands[i];
            lanes_t brought = reach[h];
            sum += brought;
            for (int a = 0; a < k; a++) played[a * NUM_ROWS + h] = brought * strategy[a];
        }
        if (weight != 0.0f)
            for (int a = 0; a < k; a++) regrets[k + a] += (sum * weight) * strategy[a];
    }
}

BODY play_rows_body(const row_t *row, const listing_t *listing, float weight, const float *reach,
                    float *played) {
    WITH_ACTIONS(play_k, row, listing, weight, (const lanes_t *)reach, (lanes_t *)played);
}
CLONED(play_rows,
       (const row_t *row, const listing_t *listing, float weight, const float *reach,
        float *played),
       (row, listing, weight, reach, played))

BODY learn_k(int k, const row_t *row, const listing_t *listing, float weight,
               const lanes_t *of_action, lanes_t *values, int more) {
    const lanes_t zero = {0}, *uniform = (const lanes_t *)row->uniform;
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets =
            (lanes_t *)row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sums[MOST_ACTIONS], all = zero;
        ask_ahead(row, listing, b, k);
        match_row(regrets, (const lanes_t *)row->uniform, k, strategy);
        for (int a = 0; a < k; a++) sums[a] = zero;
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++) {
            int h = listing->hands[i];
            lanes_t value = zero;
            for (int a = 0; a < k; a++) {
                lanes_t term = of_action[a * NUM_ROWS + h];
                sums[a] += term;
                value += strategy[a] * term;
            }
            all += value;
            if (more) values[h] += value;
            else values[h] = value;
        }
        for (int a = 0; a < k; a++) {
            lanes_t regret = regrets[a] + (sums[a] - all) * weight;
            regrets[a] = SELECT(LESS(zero, uniform[a]), regret, zero);
        }
    }
}

BODY learn_rows_body(const row_t *row, const listing_t *listing, float weight,
                     const float *of_action, float *values, int more) {
    WITH_ACTIONS(learn_k, row, listing, weight, (const lanes_t *)of_action, (lanes_t *)values,
                 more);
}
CLONED(learn_rows,
       (const row_t *row, const listing_t *listing, float weight, const float *of_action,
        float *values, int more),
       (row, listing, weight, of_action, values, more))

BODY answer_body(const row_t *row, const ranked_rows_t *hands, const float *of_action,
                 float *values, int8_t *choices, int more) {
    const lanes_t zero = {0}, *uniform = (const lanes_t *)row->uniform;
    lanes_t bar[MOST_ACTIONS];
    for (int a = 0; a < row->num_actions; a++)
        bar[a] = SELECT(LESS(zero, uniform[a]), zero, zero - FLT_MAX);
    for (int i = 0; i < NUM_HANDS; i++) {
        const int h = hands->hands[i];
        const lanes_t *terms = (const lanes_t *)of_action + h;
        lanes_t *value = (lanes_t *)values + h;
        /* With the bar added no value is -0. */
        lanes_t best = terms[0] + bar[0];
        lane_bits_t choice = {0};
        for (int a = 1; a < row->num_actions; a++) {
            lanes_t term = terms[a * NUM_ROWS] + bar[a];
            lane_bits_t better = LESS(best, term);
            best = SELECT(better, term, best);
            choice = (better & a) | (~better & choice);
        }
        if (more) *value += best;
        else *value = best;
        ((lane_choices_t *)choices)[h] = CONVERTED(choice, lane_choices_t);
    }
}
CLONED(answer,
       (const row_t *row, const ranked_rows_t *hands, const float *of_action, float *values,
        int8_t *choices, int more),
       (row, hands, of_action, values, choices, more))

BODY play_choices_body(const int8_t *choices, int num_actions, const ranked_rows_t *hands,
                       const float *reach, float *played) {
    const lanes_t zero = {0};
    for (int i = 0; i < NUM_HANDS; i++) {
        const int h = hands->hands[i];
        const lanes_t brought = ((const lanes_t *)reach)[h];
        lane_bits_t choice = CONVERTED(((const lane_choices_t *)choices)[h], lane_bits_t);
        for (int a = 0; a < num_actions; a++)
            ((lanes_t *)played)[a * NUM_ROWS + h] = SELECT(choice == a, brought, zero);
    }
}
CLONED(play_choices,
       (const int8_t *choices, int num_actions, const ranked_rows_t *hands, const float *reach,
        float *played),
       (choices, num_actions, hands, reach, played))

#if NUM_LANES > 1
static void unpack(float *blocks, const float *packed, const int32_t *slots,
                   const ranked_rows_t *hands) {
    unpack_lanes(blocks, (const lanes_t *)packed, slots, NUM_ROWS, hands->hands, NUM_HANDS);
}

static void pack(float *packed, const float *blocks, const int32_t *slots,
                 const ranked_rows_t *hands, int more) {
    pack_lanes((lanes_t *)packed, blocks, slots, NUM_ROWS, hands->hands, NUM_HANDS, more);
}
#else
#define unpack 0
#define pack 0
#endif

#define PASSES                                                                                     \
    {                                                                                              \
        NUM_LANES, play_rows, learn_rows, answer, play_choices, own_endings, others_endings,       \
            unpack, pack,                                                                          \
    }

/* What one decision does to all hands of a board, 16 betting situations side by side.
 *
 * Hands are gone through bucket by bucket: a row is read once, turned into a strategy once
 * and written once, however many hands of the board share it. Lane l of every vector belongs
 * to the same one of 16 points that are alike but for their chips, so each lane's sums are the
 * same for every width of registers.
 */
#ifndef HOLDEM_RESPONDER_WALK_SIMD_H
#define HOLDEM_RESPONDER_WALK_SIMD_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#define NUM_LANES 16
#define MOST_ACTIONS 16

typedef float lanes_t __attribute__((vector_size(64), aligned(64)));
typedef int32_t lane_bits_t __attribute__((vector_size(64), aligned(64)));
typedef int8_t lane_choices_t __attribute__((vector_size(16), aligned(16)));

/* The hands of a board by their buckets on one street. */
typedef struct {
    int32_t num_buckets;   /* that there are on the board */
    int32_t buckets[1081]; /* ascending */
    int32_t starts[1082];  /* (num_buckets + 1,) */
    uint16_t hands[1081];  /* places among the board's hands */
} listing_t;

/* The rows of one decision: bucket b's begin at rows + b * stride with its regrets. */
typedef struct {
    lanes_t *rows;
    const lanes_t *uniform; /* (num_actions,) 0 where a lane has no such action */
    int32_t stride;
    int32_t num_actions;
} row_t;

#define INLINE static inline __attribute__((always_inline)) void
#if defined(__x86_64__) && defined(__GNUC__)
#define WIDENED(name, parameters, arguments)                                                       \
    __attribute__((target("avx512f,avx512bw,avx512vl"))) static void name##_avx512 parameters {   \
        name##_body arguments;                                                                     \
    }                                                                                              \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; }  \
    static void name parameters {                                                                  \
        if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))             \
            name##_avx512 arguments;                                                               \
        else if (__builtin_cpu_supports("avx2")) name##_avx2 arguments;                            \
        else name##_body arguments;                                                                \
    }
#else
#define WIDENED(name, parameters, arguments) \
    static void name parameters { name##_body arguments; }
#endif
#define SELECT(mask, a, b) ((lanes_t)(((mask) & (lane_bits_t)(a)) | (~(mask) & (lane_bits_t)(b))))

/* Regret matching in every lane; where no regret is positive, `uniform` is played. */
INLINE match_row(const lanes_t *row, const lanes_t *uniform, int k, lanes_t *strategy) {
    const lanes_t zero = {0};
    lanes_t total = zero;
    for (int a = 0; a < k; a++) {
        strategy[a] = SELECT(row[a] > zero, row[a], zero);
        total += strategy[a];
    }
    lane_bits_t some = total > zero + FLT_MIN;
    lanes_t scale = 1.0f / SELECT(some, total, zero + 1.0f);
    for (int a = 0; a < k; a++) strategy[a] = SELECT(some, strategy[a] * scale, uniform[a]);
}

static inline const lanes_t *row_ahead(const row_t *row, const listing_t *listing, int b) {
    int ahead = b + 2 < listing->num_buckets ? b + 2 : b;
    return row->rows + (int64_t)listing->buckets[ahead] * row->stride;
}

/* played[a][h] = reach[h] times how likely a is; with a weight, the average takes it in. */
INLINE play_k(const row_t *row, const listing_t *listing, int k, float weight,
              const lanes_t *reach, lanes_t *played, int num_hands) {
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets = row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sum = {0};
        __builtin_prefetch(row_ahead(row, listing, b));
        match_row(regrets, row->uniform, k, strategy);
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++) {
            int h = listing->hands[i];
            lanes_t brought = reach[h];
            sum += brought;
            for (int a = 0; a < k; a++) played[a * num_hands + h] = brought * strategy[a];
        }
        if (weight != 0.0f)
            for (int a = 0; a < k; a++) regrets[k + a] += (sum * weight) * strategy[a];
    }
}

INLINE play_rows_body(const row_t *row, const listing_t *listing, float weight,
                      const lanes_t *reach, lanes_t *played, int num_hands) {
    /* The usual numbers of actions as constants: their loops unroll. */
    if (row->num_actions == 2) play_k(row, listing, 2, weight, reach, played, num_hands);
    else if (row->num_actions == 3) play_k(row, listing, 3, weight, reach, played, num_hands);
    else play_k(row, listing, row->num_actions, weight, reach, played, num_hands);
}
WIDENED(play_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *reach,
         lanes_t *played, int num_hands),
        (row, listing, weight, reach, played, num_hands))

/* values[h] = what the current strategy makes of the actions' values; regrets are added. */
INLINE learn_k(const row_t *row, const listing_t *listing, int k, float weight,
               const lanes_t *of_action, lanes_t *values, int num_hands) {
    const lanes_t zero = {0};
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets = row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sums[MOST_ACTIONS], all = zero;
        __builtin_prefetch(row_ahead(row, listing, b));
        match_row(regrets, row->uniform, k, strategy);
        for (int a = 0; a < k; a++) sums[a] = zero;
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++) {
            int h = listing->hands[i];
            lanes_t value = zero;
            for (int a = 0; a < k; a++) {
                lanes_t term = of_action[a * num_hands + h];
                sums[a] += term;
                value += strategy[a] * term;
            }
            all += value;
            values[h] = value;
        }
        for (int a = 0; a < k; a++) {
            lanes_t regret = regrets[a] + (sums[a] - all) * weight;
            regrets[a] = SELECT(row->uniform[a] > zero, regret, zero);
        }
    }
}

INLINE learn_rows_body(const row_t *row, const listing_t *listing, float weight,
                       const lanes_t *of_action, lanes_t *values, int num_hands) {
    if (row->num_actions == 2) learn_k(row, listing, 2, weight, of_action, values, num_hands);
    else if (row->num_actions == 3) learn_k(row, listing, 3, weight, of_action, values, num_hands);
    else learn_k(row, listing, row->num_actions, weight, of_action, values, num_hands);
}
WIDENED(learn_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *of_action,
         lanes_t *values, int num_hands),
        (row, listing, weight, of_action, values, num_hands))

/* The best action of every hand, the first of equal ones, and what it is worth. */
INLINE answer_body(const row_t *row, const lanes_t *of_action, lanes_t *values,
                   lane_choices_t *choices, int num_hands) {
    const lanes_t zero = {0};
    for (int h = 0; h < num_hands; h++) {
        lanes_t best = zero - FLT_MAX;
        lane_bits_t choice = {0};
        for (int a = 0; a < row->num_actions; a++) {
            lanes_t term = of_action[a * num_hands + h];
            lane_bits_t better = (term > best) & (row->uniform[a] > zero);
            best = SELECT(better, term, best);
            choice = (better & a) | (~better & choice);
        }
        values[h] = best;
        choices[h] = __builtin_convertvector(choice, lane_choices_t);
    }
}
WIDENED(answer,
        (const row_t *row, const lanes_t *of_action, lanes_t *values, lane_choices_t *choices,
         int num_hands),
        (row, of_action, values, choices, num_hands))

/* played[a][h] = reach[h] where a was chosen. */
INLINE play_choices_body(const lane_choices_t *choices, int num_actions, const lanes_t *reach,
                         lanes_t *played, int num_hands) {
    const lanes_t zero = {0};
    for (int h = 0; h < num_hands; h++) {
        lane_bits_t choice = __builtin_convertvector(choices[h], lane_bits_t);
        for (int a = 0; a < num_actions; a++)
            played[a * num_hands + h] = SELECT(choice == a, reach[h], zero);
    }
}
WIDENED(play_choices,
        (const lane_choices_t *choices, int num_actions, const lanes_t *reach, lanes_t *played,
         int num_hands),
        (choices, num_actions, reach, played, num_hands))

/* values[h] *= sign * chips */
INLINE scale_body(lanes_t *values, const lanes_t *chips, float sign, int num_hands) {
    lanes_t by = *chips * sign;
    for (int h = 0; h < num_hands; h++) values[h] *= by;
}
WIDENED(scale, (lanes_t *values, const lanes_t *chips, float sign, int num_hands),
        (values, chips, sign, num_hands))

INLINE add_body(lanes_t *sums, const lanes_t *terms, int num_hands) {
    for (int h = 0; h < num_hands; h++) sums[h] += terms[h];
}
WIDENED(add, (lanes_t *sums, const lanes_t *terms, int num_hands), (sums, terms, num_hands))

/* Lane l of a point is lane slots[l] % 16 of the block slots[l] / 16; below 0 there is none. */
static void to_blocks(float *blocks, const lanes_t *point, const int32_t *slots, int num_hands) {
    float *to[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        to[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * num_hands * NUM_LANES
                    + slots[l] % NUM_LANES;
    }
    for (int h = 0; h < num_hands; h++) {
        const float *row = (const float *)(point + h);
        for (int k = 0; k < num; k++) to[k][(int64_t)h * NUM_LANES] = row[lane[k]];
    }
}

static void from_blocks(lanes_t *point, const float *blocks, const int32_t *slots, int num_hands) {
    const float *from[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        from[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * num_hands * NUM_LANES
                      + slots[l] % NUM_LANES;
    }
    for (int h = 0; h < num_hands; h++) {
        float row[NUM_LANES] = {0};
        for (int k = 0; k < num; k++) row[lane[k]] = from[k][(int64_t)h * NUM_LANES];
        memcpy(point + h, row, sizeof row);
    }
}

#endif

/* What one decision does to all hands of a board, 16 betting situations side by side.
 *
 * Hands are gone through bucket by bucket: a row is read once, turned into a strategy once
 * and written once, however many hands of the board share it.
 */
#ifndef HOLDEM_RESPONDER_WALK_SIMD_H
#define HOLDEM_RESPONDER_WALK_SIMD_H

#include <float.h>
#include <stdint.h>

#include "lanes_simd.h"
#include "river_simd.h"

#define MOST_ACTIONS 16

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

static inline const lanes_t *row_ahead(const row_t *row, const listing_t *listing, int b) {
    int ahead = b + 2 < listing->num_buckets ? b + 2 : b;
    return row->rows + (int64_t)listing->buckets[ahead] * row->stride;
}

/* played[a][h] = reach[h] times how likely a is; with a weight, the average takes it in. */
BODY play_k(int k, const row_t *row, const listing_t *listing, float weight,
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

BODY play_rows_body(const row_t *row, const listing_t *listing, float weight,
                      const lanes_t *reach, lanes_t *played, int num_hands) {
    WITH_ACTIONS(play_k, row, listing, weight, reach, played, num_hands);
}
CLONED(play_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *reach,
         lanes_t *played, int num_hands),
        (row, listing, weight, reach, played, num_hands))

/* values[h] = what the current strategy makes of the actions' values; regrets are added. */
BODY learn_k(int k, const row_t *row, const listing_t *listing, float weight,
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
            regrets[a] = SELECT(LESS(zero, row->uniform[a]), regret, zero);
        }
    }
}

BODY learn_rows_body(const row_t *row, const listing_t *listing, float weight,
                       const lanes_t *of_action, lanes_t *values, int num_hands) {
    WITH_ACTIONS(learn_k, row, listing, weight, of_action, values, num_hands);
}
CLONED(learn_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *of_action,
         lanes_t *values, int num_hands),
        (row, listing, weight, of_action, values, num_hands))

/* The best action of every hand, the first of equal ones, and what it is worth. Every lane has
 * the first action. */
BODY answer_body(const row_t *row, const lanes_t *of_action, lanes_t *values,
                   lane_choices_t *choices, int num_hands) {
    const lanes_t zero = {0};
    lanes_t bar[MOST_ACTIONS];
    for (int a = 0; a < row->num_actions; a++)
        bar[a] = SELECT(LESS(zero, row->uniform[a]), zero, zero - FLT_MAX);
    for (int h = 0; h < num_hands; h++) {
        /* With the bar added no value is -0. */
        lanes_t best = of_action[h] + bar[0];
        lane_bits_t choice = {0};
        for (int a = 1; a < row->num_actions; a++) {
            lanes_t term = of_action[a * num_hands + h] + bar[a];
            lane_bits_t better = LESS(best, term);
            best = SELECT(better, term, best);
            choice = (better & a) | (~better & choice);
        }
        values[h] = best;
        choices[h] = __builtin_convertvector(choice, lane_choices_t);
    }
}
CLONED(answer,
        (const row_t *row, const lanes_t *of_action, lanes_t *values, lane_choices_t *choices,
         int num_hands),
        (row, of_action, values, choices, num_hands))

/* played[a][h] = reach[h] where a was chosen. */
BODY play_choices_body(const lane_choices_t *choices, int num_actions, const lanes_t *reach,
                         lanes_t *played, int num_hands) {
    const lanes_t zero = {0};
    for (int h = 0; h < num_hands; h++) {
        lane_bits_t choice = __builtin_convertvector(choices[h], lane_bits_t);
        for (int a = 0; a < num_actions; a++)
            played[a * num_hands + h] = SELECT(choice == a, reach[h], zero);
    }
}
CLONED(play_choices,
        (const lane_choices_t *choices, int num_actions, const lanes_t *reach, lanes_t *played,
         int num_hands),
        (choices, num_actions, reach, played, num_hands))

/* values[h] *= sign * chips */
BODY scale_body(lanes_t *values, const lanes_t *chips, float sign, int num_hands) {
    lanes_t by = *chips * sign;
    for (int h = 0; h < num_hands; h++) values[h] *= by;
}
CLONED(scale, (lanes_t *values, const lanes_t *chips, float sign, int num_hands),
        (values, chips, sign, num_hands))

BODY add_body(lanes_t *sums, const lanes_t *terms, int num_hands) {
    for (int h = 0; h < num_hands; h++) sums[h] += terms[h];
}
CLONED(add, (lanes_t *sums, const lanes_t *terms, int num_hands), (sums, terms, num_hands))

#endif

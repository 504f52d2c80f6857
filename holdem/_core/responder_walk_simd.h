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

/* A vector per hand, and more rows that are none: 16 for each pair of ranks, 6 for each rank, and
 * one for each hand that makes a flush. */
#define NUM_HANDS 1081
#define NUM_ROWS (1326 + NUM_HANDS)

typedef int8_t lane_choices_t __attribute__((vector_size(16), aligned(16)));

/* The hands of a board by their buckets on one street. */
typedef struct {
    int32_t num_buckets; /* that there are on the board */
    int32_t buckets[NUM_HANDS]; /* ascending */
    int32_t starts[NUM_HANDS + 1]; /* (num_buckets + 1,) */
    uint16_t hands[NUM_HANDS]; /* their rows */
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

/* Rows are far apart in memory that no cache holds: they are asked for in time. */
#define AHEAD 6

BODY ask_ahead(const row_t *row, const listing_t *listing, int b, int words) {
    if (b + AHEAD >= listing->num_buckets) return;
    const lanes_t *next = row->rows + (int64_t)listing->buckets[b + AHEAD] * row->stride;
    for (int a = 0; a < words; a++) __builtin_prefetch(next + a);
}

/* played[a][h] = reach[h] times how likely a is; with a weight, the average takes it in. */
BODY play_k(int k, const row_t *row, const listing_t *listing, float weight,
              const lanes_t *reach, lanes_t *played) {
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets = row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sum = {0};
        ask_ahead(row, listing, b, weight != 0.0f ? 2 * k : k);
        match_row(regrets, row->uniform, k, strategy);
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

BODY play_rows_body(const row_t *row, const listing_t *listing, float weight,
                      const lanes_t *reach, lanes_t *played) {
    WITH_ACTIONS(play_k, row, listing, weight, reach, played);
}
CLONED(play_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *reach,
         lanes_t *played),
        (row, listing, weight, reach, played))

/* values[h] = what the current strategy makes of the actions' values, or that *more*; regrets are
 * added. */
BODY learn_k(int k, const row_t *row, const listing_t *listing, float weight,
               const lanes_t *of_action, lanes_t *values, int more) {
    const lanes_t zero = {0};
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets = row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sums[MOST_ACTIONS], all = zero;
        ask_ahead(row, listing, b, k);
        match_row(regrets, row->uniform, k, strategy);
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
            regrets[a] = SELECT(LESS(zero, row->uniform[a]), regret, zero);
        }
    }
}

BODY learn_rows_body(const row_t *row, const listing_t *listing, float weight,
                       const lanes_t *of_action, lanes_t *values, int more) {
    WITH_ACTIONS(learn_k, row, listing, weight, of_action, values, more);
}
CLONED(learn_rows,
        (const row_t *row, const listing_t *listing, float weight, const lanes_t *of_action,
         lanes_t *values, int more),
        (row, listing, weight, of_action, values, more))

/* The best action of every hand, the first of equal ones, and what it is worth, or that *more*.
 * Every lane has the first action. hands: (1081,) their rows. */
BODY answer_body(const row_t *row, const uint16_t *hands, const lanes_t *of_action,
                   lanes_t *values, lane_choices_t *choices, int more) {
    const lanes_t zero = {0};
    lanes_t bar[MOST_ACTIONS];
    for (int a = 0; a < row->num_actions; a++)
        bar[a] = SELECT(LESS(zero, row->uniform[a]), zero, zero - FLT_MAX);
    for (int i = 0; i < NUM_HANDS; i++) {
        const int h = hands[i];
        /* With the bar added no value is -0. */
        lanes_t best = of_action[h] + bar[0];
        lane_bits_t choice = {0};
        for (int a = 1; a < row->num_actions; a++) {
            lanes_t term = of_action[a * NUM_ROWS + h] + bar[a];
            lane_bits_t better = LESS(best, term);
            best = SELECT(better, term, best);
            choice = (better & a) | (~better & choice);
        }
        if (more) values[h] += best;
        else values[h] = best;
        choices[h] = __builtin_convertvector(choice, lane_choices_t);
    }
}
CLONED(answer,
        (const row_t *row, const uint16_t *hands, const lanes_t *of_action, lanes_t *values,
         lane_choices_t *choices, int more),
        (row, hands, of_action, values, choices, more))

/* played[a][h] = reach[h] where a was chosen. */
BODY play_choices_body(const lane_choices_t *choices, int num_actions, const uint16_t *hands,
                         const lanes_t *reach, lanes_t *played) {
    const lanes_t zero = {0};
    for (int i = 0; i < NUM_HANDS; i++) {
        const int h = hands[i];
        lane_bits_t choice = __builtin_convertvector(choices[h], lane_bits_t);
        for (int a = 0; a < num_actions; a++)
            played[a * NUM_ROWS + h] = SELECT(choice == a, reach[h], zero);
    }
}
CLONED(play_choices,
        (const lane_choices_t *choices, int num_actions, const uint16_t *hands,
         const lanes_t *reach, lanes_t *played),
        (choices, num_actions, hands, reach, played))

/* Set the rows that are no hand's to 0. */
static void clear_rows(lanes_t *reach, const uint16_t *rows, int num) {
    for (int i = 0; i < num; i++) memset(reach + rows[i], 0, sizeof(lanes_t));
}

#endif

/* One deal's values over all betting, for all sixteen pairs of continuations at once.
 *
 * A lane is 4 * (choice of seat 0) + (choice of seat 1). GNU vectors, not intrinsics:
 * sixteen floats are one register under AVX-512 and more below, with the same sums in the
 * same order, hence the same bytes.
 */
#ifndef HOLDEM_CONTINUATIONS_SIMD_H
#define HOLDEM_CONTINUATIONS_SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"

typedef float Pairs __attribute__((vector_size(64), aligned(64), may_alias));

/* A decision after the first street. */
typedef struct {
    int64_t first_slot;        /* bucket 0's first action in the policy */
    int32_t node, first_child;
    uint8_t num_actions, actor, street;
} BettingStep;

/* A showdown after the first street: all-in before the last one, perhaps. */
typedef struct {
    int32_t node;
    float pot;
    uint8_t street;
} BettingShowdown;

enum { STEPS_AHEAD = 24 };

/* Where a decision's row of the policy is. */
static inline __attribute__((always_inline)) const uint16_t *row_of(const BettingStep *step,
                                                                    const uint16_t *units,
                                                                    const int32_t *buckets) {
    const int32_t bucket = buckets[2 * step->street + step->actor];
    return units + step->first_slot + (int64_t)bucket * step->num_actions;
}

/* Fill in the values of decisions and showdowns; those of folds are there.
 *
 * steps: children before their parents. kinds: (num_nodes,) 0 a fold, 1 a check or call, 2
 * a bet or raise led to the node. factors: (2, 3, 16) by actor and kind, what a lane
 * multiplies the probability by. buckets: (streets, 2). shares: (streets,) seat 0's of a
 * pot that is not bet on any more. values: (num_nodes, 16). */
BODY value_pairs_body(const BettingStep *steps, int64_t num_steps, const BettingShowdown *showdowns,
                      int64_t num_showdowns, const uint8_t *kinds, const float *factors,
                      const uint16_t *units, const int32_t *buckets, const float *shares,
                      float *values) {
    const Pairs *factor = (const Pairs *)factors;
    Pairs *value = (Pairs *)values;
    for (int64_t i = 0; i < num_showdowns; i++) {
        const BettingShowdown *here = showdowns + i;
        value[here->node] = (Pairs){0} + (shares[here->street] - 0.5f) * here->pot;
    }
    for (int64_t i = 0; i < num_steps; i++) {
        const BettingStep *step = steps + i;
        const uint16_t *row = row_of(step, units, buckets);
        const uint8_t *kind = kinds + step->first_child;
        const Pairs *below = value + step->first_child;
        Pairs sum = {0}, total = {0};
        /* Of a policy of many megabytes a deal needs a few bytes in each place. */
        if (i + STEPS_AHEAD < num_steps)
            __builtin_prefetch(row_of(step + STEPS_AHEAD, units, buckets));
        for (int a = 0; a < step->num_actions; a++) {
            Pairs weight = factor[3 * step->actor + kind[a]] * (float)row[a];
            total += weight;
            sum += weight * below[a];
        }
        value[step->node] = sum / total;
    }
}

CLONED(value_pairs,
       (const BettingStep *steps, int64_t num_steps, const BettingShowdown *showdowns,
        int64_t num_showdowns, const uint8_t *kinds, const float *factors, const uint16_t *units,
        const int32_t *buckets, const float *shares, float *values),
       (steps, num_steps, showdowns, num_showdowns, kinds, factors, units, buckets, shares, values))

/* sums[cells[i]] += values[i * stride] for each deal i, in order; in vectors of sixteen. */
BODY add_pairs_body(const float *values, int64_t stride, const int32_t *cells, int64_t num_deals,
                    float *sums) {
    for (int64_t i = 0; i < num_deals; i++)
        ((Pairs *)sums)[cells[i]] += ((const Pairs *)values)[i * stride];
}

CLONED(add_pairs,
       (const float *values, int64_t stride, const int32_t *cells, int64_t num_deals, float *sums),
       (values, stride, cells, num_deals, sums))

#endif

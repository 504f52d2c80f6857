/* One decision's rows of a sampled walk: all hands of the player who updates, sixteen at a time.
 *
 * Rows are laid out [action][hand], *pad* floats an action, pad a multiple of sixteen.
 * Regret matching plays in proportion to positive regret, and alike where there is none. */
#ifndef HOLDEM_SUBGAME_WALK_SIMD_H
#define HOLDEM_SUBGAME_WALK_SIMD_H

#include "river_simd.h"

#define HANDS 16
#define MOST_ACTIONS 16
#define FOR_HANDS for (int i = 0; i < HANDS; i++)

/* The strategies of sixteen hands, (count, HANDS), out of their regrets. */
BODY match_block(const float *regrets, int count, int64_t pad, float *strategy) {
    float total[HANDS] = {0}, scale[HANDS], even[HANDS];
    for (int a = 0; a < count; a++)
        FOR_HANDS {
            float regret = regrets[a * pad + i];
            strategy[a * HANDS + i] = regret > 0 ? regret : 0;
            total[i] += strategy[a * HANDS + i];
        }
    FOR_HANDS {
        int some = total[i] > 1e-30f;
        scale[i] = some ? 1 / total[i] : 0;
        even[i] = some ? 0 : 1.0f / (float)count;
    }
    for (int a = 0; a < count; a++)
        FOR_HANDS strategy[a * HANDS + i] = strategy[a * HANDS + i] * scale[i] + even[i];
}

/* Value of a decision from the values of its actions; regrets gain weight * (action - decision). */
BODY learn_rows_body(
    float *regrets, int count, int64_t pad, const float *values, float weight, float *out
) {
    float strategy[MOST_ACTIONS * HANDS];
    for (int64_t start = 0; start < pad; start += HANDS) {
        float *value = out + start;
        match_block(regrets + start, count, pad, strategy);
        FOR_HANDS value[i] = 0;
        for (int a = 0; a < count; a++)
            FOR_HANDS value[i] += strategy[a * HANDS + i] * values[a * pad + start + i];
        for (int a = 0; a < count; a++) {
            float *row = regrets + a * pad + start;
            FOR_HANDS row[i] += weight * (values[a * pad + start + i] - value[i]);
        }
    }
}

CLONED(
    learn_rows,
    (float *regrets, int count, int64_t pad, const float *values, float weight, float *out),
    (regrets, count, pad, values, weight, out)
)

/* Adds reach times strategy to the sums; the reach that goes on with each action, (count, pad). */
BODY average_rows_body(
    const float *regrets, float *sums, int count, int64_t pad, const float *reach, float weight,
    float *out
) {
    float strategy[MOST_ACTIONS * HANDS];
    for (int64_t start = 0; start < pad; start += HANDS) {
        match_block(regrets + start, count, pad, strategy);
        for (int a = 0; a < count; a++) {
            float *sum = sums + a * pad + start, *on = out + a * pad + start;
            FOR_HANDS {
                on[i] = reach[start + i] * strategy[a * HANDS + i];
                sum[i] += weight * on[i];
            }
        }
    }
}

CLONED(
    average_rows,
    (const float *regrets, float *sums, int count, int64_t pad, const float *reach, float weight,
     float *out),
    (regrets, sums, count, pad, reach, weight, out)
)

/* What each hand has by how it stands against those that were drawn. */
BODY fill_values_body(const float *table, const uint8_t *standings, int64_t pad, float *out) {
    for (int64_t i = 0; i < pad; i++) out[i] = table[standings[i]];
}

CLONED(
    fill_values, (const float *table, const uint8_t *standings, int64_t pad, float *out),
    (table, standings, pad, out)
)

/* ---- Four choices side by side: (pad, CHOICES) -------------------------------------------- */

#define CHOICES 4

BODY fill_choices_body(const float *table, const uint8_t *standings, int64_t pad, float *out) {
    for (int64_t i = 0; i < pad; i++)
        for (int c = 0; c < CHOICES; c++) out[CHOICES * i + c] = table[standings[i]];
}

CLONED(
    fill_choices, (const float *table, const uint8_t *standings, int64_t pad, float *out),
    (table, standings, pad, out)
)

/* strategies: (buckets, count, CHOICES); values: (count, pad, CHOICES). */
BODY mix_choices_body(
    const float *strategies, int count, const uint16_t *buckets, int64_t pad, const float *values,
    float *out
) {
    for (int64_t i = 0; i < pad; i++) {
        const float *strategy = strategies + (int64_t)buckets[i] * count * CHOICES;
        float sum[CHOICES] = {0};
        for (int a = 0; a < count; a++)
            for (int c = 0; c < CHOICES; c++)
                sum[c] += strategy[a * CHOICES + c] * values[(a * pad + i) * CHOICES + c];
        for (int c = 0; c < CHOICES; c++) out[CHOICES * i + c] = sum[c];
    }
}

CLONED(
    mix_choices,
    (const float *strategies, int count, const uint16_t *buckets, int64_t pad,
     const float *values, float *out),
    (strategies, count, buckets, pad, values, out)
)

/* (pad, CHOICES) as (CHOICES, pad). */
BODY split_choices_body(const float *values, int64_t pad, float *out) {
    for (int c = 0; c < CHOICES; c++)
        for (int64_t i = 0; i < pad; i++) out[c * pad + i] = values[CHOICES * i + c];
}

CLONED(split_choices, (const float *values, int64_t pad, float *out), (values, pad, out))

#endif

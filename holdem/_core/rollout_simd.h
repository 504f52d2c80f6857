/* The inner loop of a hand's equities against all others. */
#ifndef HOLDEM_ROLLOUT_SIMD_H
#define HOLDEM_ROLLOUT_SIMD_H

#include "river_simd.h"

/* levels: (52, 64), 255 for no hand. scores: (52, 64), of pair (card, other < card): gains two
 * for a weaker hand than *own* and one for an equal one. Above the diagonal it holds nothing. */
BODY add_scores_body(const uint8_t *levels, uint8_t own, uint16_t *scores) {
    for (int card = 0; card < 52; card++) {
        /* A register at a time, as far as the diagonal goes. */
        for (int start = 0; start < card; start += 32) {
            const uint8_t *row = levels + 64 * card + start;
            uint16_t *score = scores + 64 * card + start;
            for (int i = 0; i < 32; i++)
                score[i] = (uint16_t)(score[i] + (row[i] < own) + (row[i] <= own));
        }
    }
}

CLONED(add_scores, (const uint8_t *levels, uint8_t own, uint16_t *scores), (levels, own, scores))

#endif

/* Hand against hand on a turn, river by river. */
#ifndef HOLDEM_TURN_SIMD_H
#define HOLDEM_TURN_SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"

enum { DEAD_LEVEL = 255, TURN_BLOCK = 64 };

/* margins[i][j] += 1 where hand i is stronger on this river, -1 where it is weaker.
 * levels: (pad,) of strength; 255 of a hand that holds a card of the board. */
BODY add_margins_body(const uint8_t *levels, int num_hands, int pad, int8_t *margins) {
    for (int i = 0; i < num_hands; i++) {
        const uint8_t level = levels[i];
        int8_t *row = margins + (size_t)i * pad;
        if (level == DEAD_LEVEL) continue;
        for (int j = 0; j < pad; j++) {
            const uint8_t other = levels[j];
            row[j] += (int8_t)((other < level) - ((other > level) & (other != DEAD_LEVEL)));
        }
    }
}

CLONED(add_margins, (const uint8_t *levels, int num_hands, int pad, int8_t *margins),
       (levels, num_hands, pad, margins))

/* 0 for hands that share a card. cards: (pad,) of each hand, low and high apart. */
BODY drop_shared_body(const uint8_t *low, const uint8_t *high, int num_hands, int pad,
                      int8_t *margins) {
    for (int i = 0; i < num_hands; i++) {
        const uint8_t one = low[i], two = high[i];
        int8_t *row = margins + (size_t)i * pad;
        for (int j = 0; j < pad; j++)
            row[j] &= (int8_t)-((low[j] != one) & (low[j] != two) & (high[j] != one) &
                                (high[j] != two));
    }
}

CLONED(drop_shared,
       (const uint8_t *low, const uint8_t *high, int num_hands, int pad, int8_t *margins),
       (low, high, num_hands, pad, margins))

#endif

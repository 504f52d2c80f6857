/* The two inner loops of the table of preflop classes against each other. */
#ifndef HOLDEM_EQUITY_SIMD_H
#define HOLDEM_EQUITY_SIMD_H

#include "river_simd.h"

enum { CLASS_ROW = 192 }; /* 169 classes, padded to whole vectors */

/* Every hand of a level beats the weaker ones: (169, CLASS_ROW) wins by class pairs.
 * Entries: hands of one level and class, levels ascending; a negative count takes hands back.
 * starts: (num_levels + 1,) first entry of each level. */
BODY count_class_wins_body(const uint16_t *starts, int num_levels, const uint8_t *classes,
                           const int16_t *counts, uint16_t *wins) {
    uint16_t weaker[CLASS_ROW];
    memset(weaker, 0, sizeof weaker);
    for (int level = 0; level < num_levels; level++) {
        for (int entry = starts[level]; entry < starts[level + 1]; entry++) {
            uint16_t *row = wins + CLASS_ROW * classes[entry];
            uint16_t count = (uint16_t)counts[entry];
            for (int i = 0; i < CLASS_ROW; i++) row[i] = (uint16_t)(row[i] + count * weaker[i]);
        }
        for (int entry = starts[level]; entry < starts[level + 1]; entry++)
            weaker[classes[entry]] = (uint16_t)(weaker[classes[entry]] + counts[entry]);
    }
}

CLONED(count_class_wins,
       (const uint16_t *starts, int num_levels, const uint8_t *classes, const int16_t *counts,
        uint16_t *wins),
       (starts, num_levels, classes, counts, wins))

/* Wins between hands that share a card: (52, 52, 64), of (card, other) over (card, third). */
BODY count_shared_wins_body(const uint8_t *levels, uint8_t *wins) {
    for (int card = 0; card < 52; card++) {
        uint8_t row[64];
        memcpy(row, levels + 64 * card, 64);
        for (int other = 0; other < 52; other++) {
            uint8_t level = row[other];
            uint8_t *to = wins + 64 * (52 * card + other);
            if (level == 255) continue;
            for (int i = 0; i < 64; i++) to[i] = (uint8_t)(to[i] + (row[i] < level));
        }
    }
}

CLONED(count_shared_wins, (const uint8_t *levels, uint8_t *wins), (levels, wins))

/* Weaker and equal hands of one row of levels, the hand itself among the equal. */
BODY compare_row_body(const uint8_t *row, uint8_t level, int *weaker, int *equal) {
    uint8_t less = 0, same = 0;
    for (int i = 0; i < 64; i++) {
        less = (uint8_t)(less + (row[i] < level));
        same = (uint8_t)(same + (row[i] == level));
    }
    *weaker = less;
    *equal = same;
}

CLONED(compare_row, (const uint8_t *row, uint8_t level, int *weaker, int *equal),
       (row, level, weaker, equal))

#endif

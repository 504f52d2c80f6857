/* Endings of one river board, sixteen side by side.
 *
 * All showdowns of a board share one order of hands, so one sweep over that order serves
 * a vector of them: what differs is the opponent's reach, laid out [hand][ending]. The
 * hands met so far are summed, all of them and by card; a hand's own opponents are all
 * of them less those that hold one of its cards.
 *
 * GNU vectors, not intrinsics: sixteen floats are one register under AVX-512, two under
 * AVX2 and four below, with the same sums in the same order, hence the same bytes.
 */
#ifndef HOLDEM_SHOWDOWN_SIMD_H
#define HOLDEM_SHOWDOWN_SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"

enum { SHOWDOWN_LANES = 16 };

typedef float Endings __attribute__((vector_size(64), aligned(64), may_alias));

/* One player's hands on a river board. */
typedef struct {
    int num_hands;
    const uint8_t *cards;        /* (num_hands, 2), the weakest hand first */
    const uint16_t *level_ends;  /* (num_levels,) hands of each level of strength or lower */
} RankedHands;

#define AT(base, hand, stride) (*(Endings *)((base) + (size_t)(hand) * (size_t)(stride)))
#define CONST_AT(base, hand, stride) \
    (*(const Endings *)((base) + (size_t)(hand) * (size_t)(stride)))

/* values[h] = sum of reach over weaker hands, minus that over stronger ones. */
BODY sweep_showdowns_body(const RankedHands *own, const RankedHands *opponent, int num_levels,
                          const float *reach, int reach_stride, float *values, int value_stride) {
    Endings met[52], all_met = {0};
    const uint8_t *cards = own->cards, *theirs = opponent->cards;
    int begin = 0, next = 0;
    for (int card = 0; card < 52; card++) met[card] = all_met;
    for (int level = 0; level < num_levels; level++) {
        int end = own->level_ends[level], their_end = opponent->level_ends[level];
        /* A hand is never met twice under both its cards but by itself, and that is an
         * equal: it is in the second sum below and in the third, and cancels. */
        for (int hand = begin; hand < end; hand++)
            AT(values, hand, value_stride) =
                all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]];
        for (; next < their_end; next++) {
            Endings weight = CONST_AT(reach, next, reach_stride);
            all_met += weight;
            met[theirs[2 * next]] += weight;
            met[theirs[2 * next + 1]] += weight;
        }
        for (; begin < end; begin++)
            AT(values, begin, value_stride) +=
                all_met - met[cards[2 * begin]] - met[cards[2 * begin + 1]];
    }
    for (int hand = 0; hand < own->num_hands; hand++)
        AT(values, hand, value_stride) -=
            all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]];
}

CLONED(sweep_showdowns,
       (const RankedHands *own, const RankedHands *opponent, int num_levels, const float *reach,
        int reach_stride, float *values, int value_stride),
       (own, opponent, num_levels, reach, reach_stride, values, value_stride))

/* values[h] = sum of reach over the hands that share no card with h. Any order of hands.
 * same: (num_own,) where the very same hand is among the opponent's, or num_theirs; the
 * row reach[num_theirs] must be zero. */
BODY sum_compatible_body(const uint8_t *cards, int num_own, const uint16_t *same,
                         const uint8_t *theirs, int num_theirs, const float *reach,
                         int reach_stride, float *values, int value_stride) {
    Endings met[52], all_met = {0};
    for (int card = 0; card < 52; card++) met[card] = all_met;
    for (int hand = 0; hand < num_theirs; hand++) {
        Endings weight = CONST_AT(reach, hand, reach_stride);
        all_met += weight;
        met[theirs[2 * hand]] += weight;
        met[theirs[2 * hand + 1]] += weight;
    }
    for (int hand = 0; hand < num_own; hand++)
        AT(values, hand, value_stride) = all_met - met[cards[2 * hand]] -
                                         met[cards[2 * hand + 1]] +
                                         CONST_AT(reach, same[hand], reach_stride);
}

CLONED(sum_compatible,
       (const uint8_t *cards, int num_own, const uint16_t *same, const uint8_t *theirs,
        int num_theirs, const float *reach, int reach_stride, float *values, int value_stride),
       (cards, num_own, same, theirs, num_theirs, reach, reach_stride, values, value_stride))

/* Between rows of hands and sixteen lanes: four by four, which every x86-64 does alike. */
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int FourPlaces __attribute__((vector_size(16)));

#define LOW_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){0, 4, 1, 5})
#define HIGH_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){2, 6, 3, 7})
#define TRANSPOSE(a, b, c, d)                                           \
    do {                                                                \
        Four ac_low = LOW_PAIRS(a, c), ac_high = HIGH_PAIRS(a, c);      \
        Four bd_low = LOW_PAIRS(b, d), bd_high = HIGH_PAIRS(b, d);      \
        a = LOW_PAIRS(ac_low, bd_low), b = HIGH_PAIRS(ac_low, bd_low);  \
        c = LOW_PAIRS(ac_high, bd_high), d = HIGH_PAIRS(ac_high, bd_high); \
    } while (0)

/* lanes[hand][l] = rows[l][hand]. num_hands: a multiple of 4, which all 16 rows must hold;
 * a lane that nobody wants may name any of them. */
BODY rows_to_lanes_body(const float *const *rows, int num_hands, float *lanes) {
    for (int hand = 0; hand < num_hands; hand += 4)
        for (int lane = 0; lane < SHOWDOWN_LANES; lane += 4) {
            float *to = lanes + SHOWDOWN_LANES * hand + lane;
            Four a = *(const Four *)(rows[lane] + hand), b = *(const Four *)(rows[lane + 1] + hand);
            Four c = *(const Four *)(rows[lane + 2] + hand), d = *(const Four *)(rows[lane + 3] + hand);
            TRANSPOSE(a, b, c, d);
            *(Four *)to = a, *(Four *)(to + SHOWDOWN_LANES) = b;
            *(Four *)(to + 2 * SHOWDOWN_LANES) = c, *(Four *)(to + 3 * SHOWDOWN_LANES) = d;
        }
}

CLONED(rows_to_lanes, (const float *const *rows, int num_hands, float *lanes),
       (rows, num_hands, lanes))

/* rows[l][hand] = scales[l] * lanes[hand][l]; the rows of lanes that nobody wants may be one. */
BODY lanes_to_rows_body(const float *lanes, const float *scales, int num_hands, float *const *rows) {
    for (int lane = 0; lane < SHOWDOWN_LANES; lane += 4)
        for (int hand = 0; hand < num_hands; hand += 4) {
            const float *from = lanes + SHOWDOWN_LANES * hand + lane;
            Four a = *(const Four *)from, b = *(const Four *)(from + SHOWDOWN_LANES);
            Four c = *(const Four *)(from + 2 * SHOWDOWN_LANES), d = *(const Four *)(from + 3 * SHOWDOWN_LANES);
            TRANSPOSE(a, b, c, d);
            *(Four *)(rows[lane] + hand) = scales[lane] * a;
            *(Four *)(rows[lane + 1] + hand) = scales[lane + 1] * b;
            *(Four *)(rows[lane + 2] + hand) = scales[lane + 2] * c;
            *(Four *)(rows[lane + 3] + hand) = scales[lane + 3] * d;
        }
}

CLONED(lanes_to_rows,
       (const float *lanes, const float *scales, int num_hands, float *const *rows),
       (lanes, scales, num_hands, rows))

#endif

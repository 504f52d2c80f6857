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

/* ---- From rows of hands, and back to them ------------------------------------------------ */

/* Transposing 16 by 16: whole registers where they are sixteen floats wide, four by four
 * elsewhere. Which of the two is the last argument, known to the compiler. */
typedef int EndingPlaces __attribute__((vector_size(64)));
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int FourPlaces __attribute__((vector_size(16)));

#define PICK(a, b, i, j, k, l)                                                                \
    __builtin_shuffle(a, b, (EndingPlaces){i, j, k, l, i + 4, j + 4, k + 4, l + 4, i + 8,     \
                                           j + 8, k + 8, l + 8, i + 12, j + 12, k + 12, l + 12})
#define QUARTERS(a, b, i, j)                                                                  \
    __builtin_shuffle(a, b, (EndingPlaces){4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3,            \
                                           4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3,            \
                                           4 * i + 16, 4 * i + 17, 4 * i + 18, 4 * i + 19,    \
                                           4 * j + 16, 4 * j + 17, 4 * j + 18, 4 * j + 19})

static inline __attribute__((always_inline)) void transpose_wide(Endings *x) {
    Endings y[16];
    for (int i = 0; i < 16; i += 4) {
        Endings a = PICK(x[i], x[i + 1], 0, 16, 1, 17), b = PICK(x[i], x[i + 1], 2, 18, 3, 19);
        Endings c = PICK(x[i + 2], x[i + 3], 0, 16, 1, 17), d = PICK(x[i + 2], x[i + 3], 2, 18, 3, 19);
        y[i] = PICK(a, c, 0, 1, 16, 17), y[i + 1] = PICK(a, c, 2, 3, 18, 19);
        y[i + 2] = PICK(b, d, 0, 1, 16, 17), y[i + 3] = PICK(b, d, 2, 3, 18, 19);
    }
    /* y[4 g + j] holds, in quarter q, column 4 q + j of rows 4 g to 4 g + 3. */
    for (int j = 0; j < 4; j++) {
        Endings a = QUARTERS(y[j], y[4 + j], 0, 1), b = QUARTERS(y[8 + j], y[12 + j], 0, 1);
        Endings c = QUARTERS(y[j], y[4 + j], 2, 3), d = QUARTERS(y[8 + j], y[12 + j], 2, 3);
        x[j] = QUARTERS(a, b, 0, 2), x[4 + j] = QUARTERS(a, b, 1, 3);
        x[8 + j] = QUARTERS(c, d, 0, 2), x[12 + j] = QUARTERS(c, d, 1, 3);
    }
}

#define LOW_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){0, 4, 1, 5})
#define HIGH_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){2, 6, 3, 7})

/* to[j] = from[.][j] of four vectors of four. */
static inline __attribute__((always_inline)) void transpose_four(const float *const *from,
                                                                 float *const *to) {
    Four a = *(const Four *)from[0], b = *(const Four *)from[1];
    Four c = *(const Four *)from[2], d = *(const Four *)from[3];
    Four ac_low = LOW_PAIRS(a, c), ac_high = HIGH_PAIRS(a, c);
    Four bd_low = LOW_PAIRS(b, d), bd_high = HIGH_PAIRS(b, d);
    *(Four *)to[0] = LOW_PAIRS(ac_low, bd_low), *(Four *)to[1] = HIGH_PAIRS(ac_low, bd_low);
    *(Four *)to[2] = LOW_PAIRS(ac_high, bd_high), *(Four *)to[3] = HIGH_PAIRS(ac_high, bd_high);
}

/* to[j] = column j of the sixteen vectors at *from*. */
static inline __attribute__((always_inline)) void transpose_block(const float *const *from,
                                                                  float *const *to, int wide) {
    if (wide) {
        Endings x[16];
        for (int i = 0; i < 16; i++) x[i] = *(const Endings *)from[i];
        transpose_wide(x);
        for (int i = 0; i < 16; i++) *(Endings *)to[i] = x[i];
        return;
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 16; j += 4) {
            const float *four[4] = {from[i] + j, from[i + 1] + j, from[i + 2] + j, from[i + 3] + j};
            float *turned[4] = {to[j] + i, to[j + 1] + i, to[j + 2] + i, to[j + 3] + i};
            transpose_four(four, turned);
        }
}

/* Sixteen rows of a range's reach, and where their endings' values go; see showdown.pxd. */
typedef struct {
    const float *reach[SHOWDOWN_LANES];
    float *showdowns[SHOWDOWN_LANES];
    float *folds[SHOWDOWN_LANES];
    const float *showdown_worth;
    const float *fold_worth;
} EndingRows;

/* Sixteen hands' values, laid [hand][ending] at *values*, as pieces of rows times their worth. */
static inline __attribute__((always_inline)) void values_to_rows(Endings *values, float *const *rows,
                                                                 const float *worth, int first,
                                                                 int wide) {
    const float *from[16];
    float *to[16];
    Endings scale;
    for (int i = 0; i < 16; i++) scale[i] = worth[i];
    for (int i = 0; i < 16; i++) {
        values[i] *= scale;
        from[i] = (const float *)&values[i];
        to[i] = rows[i] + first;
    }
    transpose_block(from, to, wide);
}

static inline __attribute__((always_inline)) void
evaluate_rows_body(const RankedHands *own, const RankedHands *opponent, int num_levels,
                   const uint16_t *same, const EndingRows *rows, float *scratch, int wide) {
    Endings *reach = (Endings *)scratch, block[16];
    const uint8_t *cards = own->cards, *theirs = opponent->cards;
    const int num_own = own->num_hands, num_theirs = opponent->num_hands;
    Endings met[52], all_met = {0};
    for (int card = 0; card < 52; card++) met[card] = all_met;
    for (int first = 0; first <= num_theirs; first += 16) {
        const float *from[16];
        float *to[16];
        for (int i = 0; i < 16; i++) from[i] = rows->reach[i] + first, to[i] = (float *)(reach + first + i);
        transpose_block(from, to, wide);
        for (int hand = first; hand < first + 16 && hand < num_theirs; hand++) {
            all_met += reach[hand];
            met[theirs[2 * hand]] += reach[hand];
            met[theirs[2 * hand + 1]] += reach[hand];
        }
    }
    if (rows->fold_worth)
        for (int first = 0; first <= num_own; first += 16) {
            for (int i = 0; i < 16; i++) {
                int hand = first + i;
                if (hand < num_own)
                    block[i] = all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]] + reach[same[hand]];
                else
                    block[i] = (Endings){0};
            }
            values_to_rows(block, rows->folds, rows->fold_worth, first, wide);
        }
    if (rows->showdown_worth) {
        /* From minus a half of all to plus a half: before a hand's equals and after them,
         * the two sums are what it beats less what beats it. See sweep_showdowns. */
        Endings *values = reach + (num_theirs / 16 + 1) * 16;
        int begin = 0, next = 0, given = 0;
        all_met *= -0.5f;
        for (int card = 0; card < 52; card++) met[card] *= -0.5f;
        for (int level = 0; level < num_levels; level++) {
            int end = own->level_ends[level], their_end = opponent->level_ends[level];
            for (int hand = begin; hand < end; hand++)
                values[hand] = all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]];
            for (; next < their_end; next++) {
                all_met += reach[next];
                met[theirs[2 * next]] += reach[next];
                met[theirs[2 * next + 1]] += reach[next];
            }
            for (; begin < end; begin++)
                values[begin] += all_met - met[cards[2 * begin]] - met[cards[2 * begin + 1]];
            for (; given + 16 <= begin; given += 16)
                values_to_rows(values + given, rows->showdowns, rows->showdown_worth, given, wide);
        }
        for (int hand = num_own; hand < given + 16; hand++) values[hand] = (Endings){0};
        values_to_rows(values + given, rows->showdowns, rows->showdown_worth, given, wide);
    }
}

#define EVALUATE_ROWS(name, wide)                                                                 \
    static void name(const RankedHands *own, const RankedHands *opponent, int num_levels,         \
                     const uint16_t *same, const EndingRows *rows, float *scratch) {              \
        evaluate_rows_body(own, opponent, num_levels, same, rows, scratch, wide);                 \
    }
EVALUATE_ROWS(evaluate_rows_plain, 0)
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx512f,avx512bw"))) EVALUATE_ROWS(evaluate_rows_avx512, 1)
__attribute__((target("avx2"))) EVALUATE_ROWS(evaluate_rows_avx2, 0)
static void evaluate_rows(const RankedHands *own, const RankedHands *opponent, int num_levels,
                          const uint16_t *same, const EndingRows *rows, float *scratch) {
    if (__builtin_cpu_supports("avx512bw"))
        evaluate_rows_avx512(own, opponent, num_levels, same, rows, scratch);
    else if (__builtin_cpu_supports("avx2"))
        evaluate_rows_avx2(own, opponent, num_levels, same, rows, scratch);
    else
        evaluate_rows_plain(own, opponent, num_levels, same, rows, scratch);
}
#else
#define evaluate_rows evaluate_rows_plain
#endif

#endif

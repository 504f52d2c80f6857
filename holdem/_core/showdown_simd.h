/* Endings of one river board, sixteen side by side.
 *
 * All showdowns of a board share one order of hands, so one sweep over that order serves
 * a vector of them: what differs is the opponent's reach, laid out [hand][ending]. The
 * hands met so far are summed, all of them and by card; a hand's own opponents are all
 * of them less those that hold one of its cards.
 *
 * GNU vectors, not intrinsics, of sixteen floats under AVX-512 and of eight, twice, elsewhere,
 * with the same sums in the same order, hence the same bytes.
 */
#ifndef HOLDEM_SHOWDOWN_SIMD_H
#define HOLDEM_SHOWDOWN_SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"
#include "transpose_simd.h"

enum { SHOWDOWN_LANES = 16 };

/* One player's hands on a river board. */
typedef struct {
    int num_hands;
    const uint8_t *cards;        /* (num_hands, 2), the weakest hand first */
    const uint16_t *level_ends;  /* (num_levels,) hands of each level of strength or lower */
} RankedHands;

#define AT(base, hand, stride) (*(Endings *)((base) + (size_t)(hand) * (size_t)(stride)))
#define CONST_AT(base, hand, stride) \
    (*(const Endings *)((base) + (size_t)(hand) * (size_t)(stride)))

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

/* Sixteen rows of a range's reach, and where their endings' values go; see showdown.pxd. */
typedef struct {
    const float *reach[SHOWDOWN_LANES];
    float *showdowns[SHOWDOWN_LANES];
    float *folds[SHOWDOWN_LANES];
    const float *showdown_worth;
    const float *fold_worth;
} EndingRows;

#define WIDTH 16
#include "showdown_rows.h"
#undef WIDTH
#define WIDTH 8
#include "showdown_rows.h"
#undef WIDTH

/* Where registers hold 8 floats, half of the endings at a time: sixteen are two registers for
 * each vector, and most of them in memory. */
#define EVALUATE_ROWS(name, wide)                                                                 \
    static void name(const RankedHands *own, const RankedHands *opponent, int num_levels,         \
                     const uint16_t *same, const EndingRows *rows, float *scratch) {              \
        if (wide) evaluate_rows_16(own, opponent, num_levels, same, rows, 0, scratch, 1);         \
        else                                                                                      \
            for (int lane = 0; lane < SHOWDOWN_LANES; lane += 8)                                  \
                evaluate_rows_8(own, opponent, num_levels, same, rows, lane, scratch, 0);         \
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

/* The hands of a river board in blocks of two ranks, whose hands are of equal strength but for
 * flushes: what they bring is summed up block by block, sixteen betting situations side by side.
 */
#ifndef HOLDEM_BLOCKS_SIMD_H
#define HOLDEM_BLOCKS_SIMD_H

#include <stdint.h>

#include "lanes_simd.h"
#include "river_simd.h"

/* Hands of equal strength: those of a block that are not named singly, or one of them. A block of
 * two ranks has 16 rows, by the suit of the higher rank and then that of the lower; a block of one
 * rank has the 6 pairs of `PAIR_SUITS`. */
enum { OF_TWO_RANKS, OF_ONE_RANK, SINGLE };
typedef struct {
    uint16_t first; /* row */
    uint8_t high;   /* ranks; cards of a single hand */
    uint8_t low;
    uint8_t kind;
    uint8_t ties; /* 1 if the next entry has the same strength */
} entry_t;

/* The suits of the pairs of a rank, in the order of rows. */
static const uint8_t PAIR_SUITS[6][2] = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}};

/* The ranks of an entry, one bit each. */
static inline unsigned ranks_of(const entry_t *entry) {
    if (entry->kind == SINGLE) return 1u << (entry->high >> 2) | 1u << (entry->low >> 2);
    return 1u << entry->high | 1u << entry->low;
}

/* sums += those of x, hands of two ranks, by the suit of each. */
BODY add_two_ranks(lanes_t *total, lanes_t *high, lanes_t *low, const lanes_t *x) {
    lanes_t columns[4], sum = {0};
    for (int s = 0; s < 4; s++) {
        const lanes_t *row = x + 4 * s;
        const lanes_t of_row = (row[0] + row[1]) + (row[2] + row[3]);
        for (int t = 0; t < 4; t++) columns[t] = s == 0 ? row[t] : columns[t] + row[t];
        high[s] += of_row;
        sum += of_row;
    }
    for (int t = 0; t < 4; t++) low[t] += columns[t];
    *total += sum;
}
/* sums += those of x, the pairs of one rank. */
BODY add_one_rank(lanes_t *total, lanes_t *cards, const lanes_t *x) {
    cards[0] += x[0] + x[1] + x[3];
    cards[1] += x[0] + x[2] + x[4];
    cards[2] += x[1] + x[2] + x[5];
    cards[3] += x[3] + x[4] + x[5];
    *total += ((x[0] + x[1]) + (x[2] + x[3])) + (x[4] + x[5]);
}

#endif

/* The hands of a river board in blocks of two ranks, whose hands are of equal strength but for
 * flushes: what they bring is summed up block by block, sixteen betting situations side by side.
 */
#ifndef HOLDEM_BLOCKS_SIMD_H
#define HOLDEM_BLOCKS_SIMD_H

#include "entries.h"
#include "lanes_simd.h"
#include "river_simd.h"

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

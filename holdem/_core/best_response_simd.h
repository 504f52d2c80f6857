/* Passes over all hands of one board, NUM_LANES betting situations side by side: an array of lanes has
 * one vector for each of the 1326 hands.
 */
#ifndef HOLDEM_BEST_RESPONSE_SIMD_H
#define HOLDEM_BEST_RESPONSE_SIMD_H

#include <stdint.h>
#include <string.h>

#include "blocks_simd.h"
#include "lanes_simd.h"

#define NUM_DECK 52
#define NUM_SLOTS 1326
#define NUM_BLOCKS 91
#define NUM_PER_CARD 51

/* The larger of two vectors, lane by lane. A macro: vectors are not passed between functions. */
#define LARGER(a, b)                                                                               \
    ((lanes_t)((((a) > (b)) & (lane_bits_t)(a)) | (~((a) > (b)) & (lane_bits_t)(b))))

/* Hands have fixed *slots*, ordered in blocks of one pair of ranks each: 16 hands of two ranks, by
 * the suit of the higher rank and then that of the lower, or the 6 pairs of one rank. A hand that
 * a board makes impossible keeps its slot; its reach is 0 and its value means nothing. */
typedef struct {
    uint16_t first; /* slot */
    uint8_t high;   /* ranks */
    uint8_t low;
} block_t;

static block_t BLOCKS[NUM_BLOCKS];
static uint8_t SLOT_CARDS[NUM_SLOTS][2];
static uint16_t SLOTS_OF_CARD[NUM_DECK][NUM_PER_CARD];

static void fill_slots(void) {
    int slot = 0, block = 0, counts[NUM_DECK] = {0};
    for (int high = 0; high < 13; high++)
        for (int low = 0; low <= high; low++) {
            BLOCKS[block++] = (block_t){(uint16_t)slot, (uint8_t)high, (uint8_t)low};
            for (int s = 0; s < 4; s++)
                for (int t = 0; t < (high == low ? s : 4); t++) {
                    int cards[2] = {4 * high + s, 4 * low + t};
                    for (int c = 0; c < 2; c++) {
                        SLOT_CARDS[slot][c] = (uint8_t)cards[c];
                        SLOTS_OF_CARD[cards[c]][counts[cards[c]]++] = (uint16_t)slot;
                    }
                    slot++;
                }
        }
}

/* ---- Between a board and the one before it ---- */

/* sums[i] += weight * terms[i] */
BODY add_weighted_body(lanes_t *sums, const lanes_t *terms, float weight) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] += weight * terms[i];
}
CLONED(add_weighted, (lanes_t *sums, const lanes_t *terms, float weight), (sums, terms, weight))

/* values[i] = the mean of values[i] and values[renamed[i]] over all renamings: rows of `table`. */
BODY symmetrise_body(lanes_t *values, lanes_t *copy, const uint16_t *table,
                     const uint8_t *renamings, int num_renamings) {
    memcpy(copy, values, sizeof(lanes_t) * NUM_SLOTS);
    for (int n = 0; n < num_renamings; n++) {
        const uint16_t *image = table + renamings[n] * NUM_SLOTS;
        for (int i = 0; i < NUM_SLOTS; i++) values[i] += copy[image[i]];
    }
    for (int i = 0; i < NUM_SLOTS; i++) values[i] *= 1.0f / (float)(num_renamings + 1);
}
CLONED(symmetrise,
       (lanes_t *values, lanes_t *copy, const uint16_t *table, const uint8_t *renamings,
        int num_renamings),
       (values, copy, table, renamings, num_renamings))

/* Copy the vectors of all hands that hold *card* to *aside*, or back. */
static void put_aside(lanes_t *aside, const lanes_t *values, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++) aside[i] = values[SLOTS_OF_CARD[card][i]];
}
static void put_back(lanes_t *values, const lanes_t *aside, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++) values[SLOTS_OF_CARD[card][i]] = aside[i];
}
static void clear_card(lanes_t *values, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++)
        memset(values + SLOTS_OF_CARD[card][i], 0, sizeof(lanes_t));
}

/* ---- At a decision ---- */

/* played[i] = reach[i] * the probability of one action; strategy: (buckets, num_actions). */
BODY play_body(lanes_t *played, const lanes_t *reach, const lanes_t *strategy, int num_actions,
               int action, const uint16_t *buckets) {
    strategy += action;
    for (int i = 0; i < NUM_SLOTS; i++)
        played[i] = reach[i] * strategy[buckets[i] * num_actions];
}
CLONED(play,
       (lanes_t *played, const lanes_t *reach, const lanes_t *strategy, int num_actions,
        int action, const uint16_t *buckets),
       (played, reach, strategy, num_actions, action, buckets))

/* sums[i] += terms[i] */
BODY add_body(lanes_t *sums, const lanes_t *terms) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] += terms[i];
}
CLONED(add, (lanes_t *sums, const lanes_t *terms), (sums, terms))

/* sums[i] = first[i] + second[i] */
BODY set_sum_body(lanes_t *sums, const lanes_t *first, const lanes_t *second) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] = first[i] + second[i];
}
CLONED(set_sum, (lanes_t *sums, const lanes_t *first, const lanes_t *second),
       (sums, first, second))

/* sums[i] += the probability of one action * terms[i] */
BODY add_played_body(lanes_t *sums, const lanes_t *terms, const lanes_t *strategy,
                     int num_actions, int action, const uint16_t *buckets) {
    strategy += action;
    for (int i = 0; i < NUM_SLOTS; i++)
        sums[i] += terms[i] * strategy[buckets[i] * num_actions];
}
CLONED(add_played,
       (lanes_t *sums, const lanes_t *terms, const lanes_t *strategy, int num_actions, int action,
        const uint16_t *buckets),
       (sums, terms, strategy, num_actions, action, buckets))

/* best[i] = the larger of best[i] and others[i] + bar; the bar, if there is one, is 0 or -inf. */
BODY raise_to_body(lanes_t *best, const lanes_t *others, const float *bar) {
    lanes_t least = {0};
    if (bar) memcpy(&least, bar, sizeof least);
    for (int i = 0; i < NUM_SLOTS; i++) {
        lanes_t other = others[i] + least;
        best[i] = LARGER(best[i], other);
    }
}
CLONED(raise_to, (lanes_t *best, const lanes_t *others, const float *bar), (best, others, bar))

/* ---- Where the hand ends ---- */

/* What a hand {h, l} meets of some reach: the sum over all hands, less those of its cards, plus
 * its own, which was taken off twice. */

/* values[i] = what the responder gains when somebody folds; *reach* is the opponent's. */
BODY fold_body(lanes_t *values, const lanes_t *reach, const float *chips) {
    lanes_t cards[NUM_DECK], total = {0}, each;
    memcpy(&each, chips, sizeof each);
    memset(cards, 0, sizeof cards);
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const block_t *block = &BLOCKS[b];
        lanes_t *high = cards + 4 * block->high, *low = cards + 4 * block->low;
        if (high != low) add_two_ranks(&total, high, low, reach + block->first);
        else add_one_rank(&total, high, reach + block->first);
    }
    for (int i = 0; i < NUM_SLOTS; i++)
        values[i] = each * (total - cards[SLOT_CARDS[i][0]] - cards[SLOT_CARDS[i][1]] + reach[i]);
}
CLONED(fold, (lanes_t *values, const lanes_t *reach, const float *chips), (values, reach, chips))

#endif

/* Leaves of a depth-limited subgame: values by the groups of both hands, for whole ranges.
 *
 * A leaf's matrix holds, for two groups, a value for each pair of choices. A pair is a lane:
 * (choice of player 0) * choices + (choice of player 1). Sums are done in the same order at
 * each width of vectors, so that every processor gives the same bytes.
 */
#ifndef HOLDEM_RANGE_LEAVES_H
#define HOLDEM_RANGE_LEAVES_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"

enum { LEAF_CHOICES = 4, MOST_LEAF_GROUPS = 512 };

typedef float LeafPairs __attribute__((vector_size(64), aligned(64), may_alias));
typedef float LeafQuad __attribute__((vector_size(16), aligned(16), may_alias));
typedef int LeafPlaces __attribute__((vector_size(16)));

#define LEAF_LOW(x, y) __builtin_shuffle(x, y, (LeafPlaces){0, 4, 1, 5})
#define LEAF_HIGH(x, y) __builtin_shuffle(x, y, (LeafPlaces){2, 6, 3, 7})

static inline __attribute__((always_inline)) void turn_quads(LeafQuad *x) {
    LeafQuad a = LEAF_LOW(x[0], x[2]), b = LEAF_HIGH(x[0], x[2]);
    LeafQuad c = LEAF_LOW(x[1], x[3]), d = LEAF_HIGH(x[1], x[3]);
    x[0] = LEAF_LOW(a, c), x[1] = LEAF_HIGH(a, c);
    x[2] = LEAF_LOW(b, d), x[3] = LEAF_HIGH(b, d);
}

/* Turn what a hand can meet into what its choices are worth.
 *
 * matrix: (groups of player 0, groups of player 1, 4, 4). own, theirs: the group of each hand.
 * reach: (4, their_pad), the opponent's by choice. values: (4, own_pad); comes with the
 * opponent's reach, choice by choice, that shares no card with the own hand, times what the
 * leaf is worth; goes with the values of the own choices. Within a choice of the opponent's,
 * what a hand meets is taken to be spread over groups as all of the reach is. */
BODY mix_choices_body(const float *matrix, const int *groups, int player, const uint16_t *own,
                      size_t own_pad, const uint16_t *theirs, size_t their_pad, const float *reach,
                      float *values) {
    const LeafPairs *pairs = (const LeafPairs *)matrix;
    LeafQuad mass[MOST_LEAF_GROUPS], total = {0}, x[4];
    LeafPairs spread[MOST_LEAF_GROUPS], answers[MOST_LEAF_GROUPS];
    const int num_own = groups[player], num_theirs = groups[1 - player];
    for (int g = 0; g < num_theirs; g++) mass[g] = total;
    for (size_t hand = 0; hand < their_pad; hand += 4) {
        for (int c = 0; c < 4; c++) x[c] = *(const LeafQuad *)(reach + c * their_pad + hand);
        turn_quads(x);
        for (int i = 0; i < 4; i++) mass[theirs[hand + i]] += x[i];
    }
    for (int g = 0; g < num_theirs; g++) total += mass[g];
    for (int c = 0; c < 4; c++) total[c] = total[c] > 1e-30f ? 1.0f / total[c] : 0.0f;
    for (int g = 0; g < num_theirs; g++) {
        LeafQuad share = mass[g] * total;
        float lanes[16];
        for (int lane = 0; lane < 16; lane++) lanes[lane] = share[player ? lane / 4 : lane % 4];
        for (int lane = 0; lane < 16; lane++) spread[g][lane] = lanes[lane];
    }
    if (player == 0) {
        for (int g = 0; g < num_own; g++) {
            const LeafPairs *row = pairs + (size_t)g * num_theirs;
            LeafPairs sums[4] = {{0}};
            int other = 0;
            for (; other + 4 <= num_theirs; other += 4)
                for (int i = 0; i < 4; i++) sums[i] += row[other + i] * spread[other + i];
            for (; other < num_theirs; other++) sums[0] += row[other] * spread[other];
            sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            LeafQuad *quads = (LeafQuad *)(answers + g);
            answers[g] = sums[0];
            turn_quads(quads); /* the opponent's choice first, as the other player's are */
        }
    } else {
        for (int g = 0; g < num_own; g++) answers[g] = (LeafPairs){0};
        for (int other = 0; other < num_theirs; other++) {
            const LeafPairs *row = pairs + (size_t)other * num_own;
            for (int g = 0; g < num_own; g++) answers[g] += row[g] * spread[other];
        }
    }
    for (size_t hand = 0; hand < own_pad; hand += 4) {
        LeafQuad met[4];
        for (int c = 0; c < 4; c++) met[c] = *(const LeafQuad *)(values + c * own_pad + hand);
        for (int i = 0; i < 4; i++) {
            const LeafQuad *answer = (const LeafQuad *)(answers + own[hand + i]);
            x[i] = (answer[0] * met[0][i] + answer[1] * met[1][i]) +
                   (answer[2] * met[2][i] + answer[3] * met[3][i]);
        }
        turn_quads(x);
        for (int c = 0; c < 4; c++) *(LeafQuad *)(values + c * own_pad + hand) = x[c];
    }
}

CLONED(mix_choices,
       (const float *matrix, const int *groups, int player, const uint16_t *own, size_t own_pad,
        const uint16_t *theirs, size_t their_pad, const float *reach, float *values),
       (matrix, groups, player, own, own_pad, theirs, their_pad, reach, values))

/* The same where nobody has a choice, all-in: a row of reach and of values.
 *
 * matrix: twice (opponent's groups, own groups), for each player one after the other. */
BODY mix_all_in_body(const float *matrix, const int *groups, int player, const uint16_t *own,
                     size_t own_pad, const uint16_t *theirs, size_t their_pad, const float *reach,
                     float *values) {
    float mass[MOST_LEAF_GROUPS], answers[MOST_LEAF_GROUPS], total = 0;
    const int num_own = groups[player], num_theirs = groups[1 - player];
    const float *row = matrix + (size_t)player * num_own * num_theirs;
    for (int g = 0; g < num_theirs; g++) mass[g] = 0;
    for (int g = 0; g < num_own; g++) answers[g] = 0;
    for (size_t hand = 0; hand < their_pad; hand++) mass[theirs[hand]] += reach[hand];
    for (int g = 0; g < num_theirs; g++) total += mass[g];
    total = total > 1e-30f ? 1.0f / total : 0.0f;
    for (int other = 0; other < num_theirs; other++, row += num_own) {
        const float share = mass[other] * total;
        for (int g = 0; g < num_own; g++) answers[g] += row[g] * share;
    }
    for (size_t hand = 0; hand < own_pad; hand++) values[hand] *= answers[own[hand]];
}

CLONED(mix_all_in,
       (const float *matrix, const int *groups, int player, const uint16_t *own, size_t own_pad,
        const uint16_t *theirs, size_t their_pad, const float *reach, float *values),
       (matrix, groups, player, own, own_pad, theirs, their_pad, reach, values))

#endif

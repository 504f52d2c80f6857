/* Sixteen betting situations side by side, or NUM_LANES of them: lane l of every vector belongs to
 * the same one of 16 points of the betting tree that are alike but for their chips. So a pass is
 * the same arithmetic in every lane, and each lane's result is the same for every width of
 * registers.
 */
#ifndef HOLDEM_LANES_SIMD_H
#define HOLDEM_LANES_SIMD_H

#include <stdint.h>
#include <string.h>

#include "river_simd.h"

#ifndef NUM_LANES
#define NUM_LANES 16
#endif

#if NUM_LANES == 1
typedef float lanes_t;
typedef int32_t lane_bits_t;
#define LESS(a, b) (-((a) < (b)))
#define SELECT(mask, a, b) ((mask) ? (a) : (b))
#else
typedef float lanes_t __attribute__((vector_size(4 * NUM_LANES), aligned(4 * NUM_LANES)));
typedef int32_t lane_bits_t __attribute__((vector_size(4 * NUM_LANES), aligned(4 * NUM_LANES)));

/* All bits of a lane where a < b, none elsewhere; a must not be -0. The sign of the difference:
 * GCC takes comparisons of vectors apart, lane by lane, where registers are narrower than they
 * or results are combined. */
#define LESS(a, b) ((lane_bits_t)((a) - (b)) >> 31)
#define SELECT(mask, a, b) ((lanes_t)(((mask) & (lane_bits_t)(a)) | (~(mask) & (lane_bits_t)(b))))
#endif

#if NUM_LANES > 1

/* How the lanes of one packed vector lie in those of several blocks, by 16 slots. Slot s is lane
 * s % 16 of block s / 16, each of num_rows rows; below 0 it is no lane. */
typedef struct {
    int num;                       /* blocks */
    int64_t at[NUM_LANES];         /* of each one's first row, in vectors from the first block on */
    lane_bits_t packed[NUM_LANES]; /* by lane of the block, where it is in the packed vector */
    lane_bits_t used[NUM_LANES];   /* by lane of the block, all bits where it is anywhere */
    lane_bits_t lane[NUM_LANES];   /* by packed lane, which lane of the block it is */
    lane_bits_t here[NUM_LANES];   /* by packed lane, all bits where it is one of this block */
} lane_moves_t;

static inline void set_moves(lane_moves_t *moves, const int32_t *slots, int num_rows) {
    memset(moves, 0, sizeof *moves);
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        const int64_t at = (int64_t)(slots[l] / NUM_LANES) * num_rows;
        const int lane = slots[l] % NUM_LANES;
        int m = 0;
        while (m < moves->num && moves->at[m] != at) m++;
        if (m == moves->num) moves->at[moves->num++] = at;
        ((int32_t *)&moves->packed[m])[lane] = l;
        ((int32_t *)&moves->used[m])[lane] = -1;
        ((int32_t *)&moves->lane[m])[l] = lane;
        ((int32_t *)&moves->here[m])[l] = -1;
    }
}

/* Each lane of *packed* to where its slot says, in the rows listed, or in all if NULL; if there are
 * factors, each row times the one at its place. */
BODY unpack_lanes_body(float *blocks, const lanes_t *packed, const lanes_t *factors,
                       const uint16_t *places, const int32_t *slots, int num_rows,
                       const uint16_t *rows, int num_listed) {
    lane_moves_t moves;
    set_moves(&moves, slots, num_rows);
    for (int i = 0; i < num_listed; i++) {
        const int row = rows ? rows[i] : i;
        const lanes_t from = factors ? packed[row] * factors[places[row]] : packed[row];
        for (int m = 0; m < moves.num; m++) {
            lanes_t *to = (lanes_t *)blocks + moves.at[m] + row;
            *to = SELECT(moves.used[m], __builtin_shuffle(from, moves.packed[m]), *to);
        }
    }
}
CLONED(unpack_lanes,
       (float *blocks, const lanes_t *packed, const lanes_t *factors, const uint16_t *places,
        const int32_t *slots, int num_rows, const uint16_t *rows, int num_listed),
       (blocks, packed, factors, places, slots, num_rows, rows, num_listed))

/* Each lane of *packed* from where its slot says, or that *more*; 0 where there is none. */
BODY pack_lanes_body(lanes_t *packed, const float *blocks, const int32_t *slots, int num_rows,
                     const uint16_t *rows, int num_listed, int more) {
    const lanes_t zero = {0};
    lane_moves_t moves;
    set_moves(&moves, slots, num_rows);
    for (int i = 0; i < num_listed; i++) {
        const int row = rows ? rows[i] : i;
        lanes_t found = zero;
        for (int m = 0; m < moves.num; m++) {
            const lanes_t from = *((const lanes_t *)blocks + moves.at[m] + row);
            found = SELECT(moves.here[m], __builtin_shuffle(from, moves.lane[m]), found);
        }
        if (more) packed[row] += found;
        else packed[row] = found;
    }
}
CLONED(pack_lanes,
       (lanes_t *packed, const float *blocks, const int32_t *slots, int num_rows,
        const uint16_t *rows, int num_listed, int more),
       (packed, blocks, slots, num_rows, rows, num_listed, more))

#endif

#endif

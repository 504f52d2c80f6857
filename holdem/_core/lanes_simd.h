/* Sixteen betting situations side by side: lane l of every vector belongs to the same one of 16
 * points of the betting tree that are alike but for their chips. So a pass is the same
 * arithmetic in every lane, and each lane's result is the same for every width of registers.
 */
#ifndef HOLDEM_LANES_SIMD_H
#define HOLDEM_LANES_SIMD_H

#include <stdint.h>
#include <string.h>

#define NUM_LANES 16

typedef float lanes_t __attribute__((vector_size(64), aligned(64)));
typedef int32_t lane_bits_t __attribute__((vector_size(64), aligned(64)));

/* All bits of a lane where a < b, none elsewhere; a must not be -0. The sign of the difference:
 * GCC takes comparisons of vectors apart, lane by lane, where registers are narrower than they
 * or results are combined. */
#define LESS(a, b) ((lane_bits_t)((a) - (b)) >> 31)
#define SELECT(mask, a, b) ((lanes_t)(((mask) & (lane_bits_t)(a)) | (~(mask) & (lane_bits_t)(b))))

/* The lanes in use among 16 slots. Slot s is lane s % 16 of block s / 16, each of num_rows rows;
 * below 0 it is no lane. */
typedef struct {
    int num;
    int lane[NUM_LANES];   /* among the 16 */
    int64_t at[NUM_LANES]; /* of its first row, in floats from the first block on */
} used_lanes_t;

static inline used_lanes_t used_lanes(const int32_t *slots, int num_rows) {
    used_lanes_t used = {0};
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        used.lane[used.num] = l;
        used.at[used.num++] = (int64_t)(slots[l] / NUM_LANES) * num_rows * NUM_LANES
                              + slots[l] % NUM_LANES;
    }
    return used;
}

/* Each lane of *packed* to where its slot says. */
static inline void unpack_lanes(float *blocks, const lanes_t *packed, const int32_t *slots,
                                int num_rows) {
    used_lanes_t used = used_lanes(slots, num_rows);
    for (int i = 0; i < num_rows; i++) {
        const float *row = (const float *)(packed + i);
        float *to = blocks + (int64_t)i * NUM_LANES;
        for (int k = 0; k < used.num; k++) to[used.at[k]] = row[used.lane[k]];
    }
}

/* Each lane of *packed* from where its slot says; 0 where there is none. */
static inline void pack_lanes(lanes_t *packed, const float *blocks, const int32_t *slots,
                              int num_rows) {
    used_lanes_t used = used_lanes(slots, num_rows);
    for (int i = 0; i < num_rows; i++) {
        float row[NUM_LANES] = {0};
        const float *from = blocks + (int64_t)i * NUM_LANES;
        for (int k = 0; k < used.num; k++) row[used.lane[k]] = from[used.at[k]];
        memcpy(packed + i, row, sizeof row);
    }
}

#endif

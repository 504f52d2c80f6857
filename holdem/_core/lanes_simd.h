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

/* Lane l of row i of *packed* is lane slots[l] % 16 of row i of the block slots[l] / 16 of
 * *blocks*, each of num_rows rows; a slot below 0 is no lane. */
static inline void unpack_lanes(float *blocks, const lanes_t *packed, const int32_t *slots,
                                int num_rows) {
    float *to[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        to[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * num_rows * NUM_LANES
                    + slots[l] % NUM_LANES;
    }
    for (int i = 0; i < num_rows; i++) {
        const float *row = (const float *)(packed + i);
        for (int k = 0; k < num; k++) to[k][(int64_t)i * NUM_LANES] = row[lane[k]];
    }
}

static inline void pack_lanes(lanes_t *packed, const float *blocks, const int32_t *slots,
                              int num_rows) {
    const float *from[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        from[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * num_rows * NUM_LANES
                      + slots[l] % NUM_LANES;
    }
    for (int i = 0; i < num_rows; i++) {
        float row[NUM_LANES] = {0};
        for (int k = 0; k < num; k++) row[lane[k]] = from[k][(int64_t)i * NUM_LANES];
        memcpy(packed + i, row, sizeof row);
    }
}

#endif

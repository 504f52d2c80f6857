/* Carrying rows of hands from one board to the next: sixteen rows side by side.
 *
 * A hand has another place on each board. Where its numbers of sixteen rows lie together
 * they are moved, or added, as one: [hand][16]. Groups of sixteen rows follow one another.
 */
#ifndef HOLDEM_RANGE_LANES_H
#define HOLDEM_RANGE_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "river_simd.h"
#include "transpose_simd.h"

#define HAND(lanes, hand) (*(Endings *)((lanes) + 16 * (size_t)(hand)))

/* lanes[hand][i] = rows[i][hand], for sixteen rows of pad hands. */
static inline __attribute__((always_inline)) void
rows_to_lanes_body(const float *const *rows, int pad, float *lanes, int wide) {
    for (int first = 0; first < pad; first += 16) {
        const float *from[16];
        float *to[16];
        for (int i = 0; i < 16; i++)
            from[i] = rows[i] + first, to[i] = lanes + 16 * (size_t)(first + i);
        transpose_block(from, to, 16, wide);
    }
}

/* rows[i][hand] = lanes[places[hand]][i]: sixteen rows, pad apart, on the board after. */
static inline __attribute__((always_inline)) void
take_lanes_body(const float *lanes, const uint16_t *places, int pad, float *rows, int wide) {
    for (int first = 0; first < pad; first += 16) {
        const float *from[16];
        float *to[16];
        for (int i = 0; i < 16; i++)
            from[i] = lanes + 16 * (size_t)places[first + i], to[i] = rows + i * (size_t)pad + first;
        transpose_block(from, to, 16, wide);
    }
}

/* lanes[places[hand]][i] += rows[i][hand], for each of the cards that a board stands for. */
static inline __attribute__((always_inline)) void
give_lanes_body(const float *rows, int pad, int num_hands, const uint16_t *places, int num_maps,
                int64_t map_stride, float *lanes, int wide) {
    for (int first = 0; first < pad; first += 16) {
        Endings block[16];
        const float *from[16];
        float *to[16];
        for (int i = 0; i < 16; i++)
            from[i] = rows + i * (size_t)pad + first, to[i] = (float *)&block[i];
        transpose_block(from, to, 16, wide);
        for (int which = 0; which < num_maps; which++) {
            const uint16_t *there = places + which * map_stride + first;
            for (int i = 0; i < 16 && first + i < num_hands; i++) HAND(lanes, there[i]) += block[i];
        }
    }
}

/* rows[i][hand] = scale times the sum of some lanes[hand][i], stride apart, added in order. */
static inline __attribute__((always_inline)) void
sum_lanes_body(const float *lanes, int64_t stride, int count, int first, float scale,
               float *const *rows, int wide) {
    Endings block[16];
    const float *from[16];
    float *to[16];
    for (int i = 0; i < 16; i++) {
        block[i] = (Endings){0};
        for (int one = 0; one < count; one++) block[i] += HAND(lanes + one * stride, first + i);
        block[i] *= scale;
        from[i] = (const float *)&block[i], to[i] = rows[i] + first;
    }
    transpose_block(from, to, 16, wide);
}

#if defined(__x86_64__) && defined(__GNUC__)
#define CARRIED(name, parameters, ...)                                                   \
    __attribute__((target("avx512f,avx512bw"))) static void name##_avx512 parameters {   \
        name##_body(__VA_ARGS__, 1);                                                     \
    }                                                                                    \
    __attribute__((target("avx2"))) static void name##_avx2 parameters {                 \
        name##_body(__VA_ARGS__, 0);                                                     \
    }                                                                                    \
    static void name parameters {                                                        \
        if (__builtin_cpu_supports("avx512bw")) name##_avx512(__VA_ARGS__);              \
        else if (__builtin_cpu_supports("avx2")) name##_avx2(__VA_ARGS__);               \
        else name##_body(__VA_ARGS__, 0);                                                \
    }
#else
#define CARRIED(name, parameters, ...) \
    static void name parameters { name##_body(__VA_ARGS__, 0); }
#endif

CARRIED(rows_to_lanes, (const float *const *rows, int pad, float *lanes), rows, pad, lanes)
CARRIED(take_lanes, (const float *lanes, const uint16_t *places, int pad, float *rows), lanes,
        places, pad, rows)
CARRIED(give_lanes,
        (const float *rows, int pad, int num_hands, const uint16_t *places, int num_maps,
         int64_t map_stride, float *lanes),
        rows, pad, num_hands, places, num_maps, map_stride, lanes)
CARRIED(sum_lanes,
        (const float *lanes, int64_t stride, int count, int first, float scale,
         float *const *rows),
        lanes, stride, count, first, scale, rows)

#endif

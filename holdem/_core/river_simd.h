/* Counting among hands that share a card: 47 rows of one vector register each. */
#ifndef HOLDEM_RIVER_SIMD_H
#define HOLDEM_RIVER_SIMD_H

#include <stdint.h>
#include <string.h>

/* One body, compiled for each instruction set; the compiler vectorises it well. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CLONED(name, parameters, arguments)                                                       \
    __attribute__((target("avx512f,avx512bw"))) static void name##_avx512 parameters {            \
        name##_body arguments;                                                                    \
    }                                                                                             \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; } \
    static void name parameters {                                                                 \
        if (__builtin_cpu_supports("avx512bw")) name##_avx512 arguments;                          \
        else if (__builtin_cpu_supports("avx2")) name##_avx2 arguments;                           \
        else name##_body arguments;                                                               \
    }
#define BODY static inline __attribute__((always_inline)) void
#else
#define CLONED(name, parameters, arguments) \
    static void name parameters { name##_body arguments; }
#define BODY static inline void
#endif

/* levels: (52, 64), 255 for no hand. scores: (52, 64); of hand (card, other), twice the
 * weaker hands of *card* and once the equal ones, itself among them. At most 91. */
BODY score_rows_body(const uint8_t *levels, uint8_t *scores) {
    for (int card = 0; card < 52; card++) {
        const uint8_t *row = levels + 64 * card;
        uint8_t score[64] = {0};
        for (int other = 0; other < 52; other++) {
            uint8_t level = row[other];
            if (level == 255) continue;
            for (int i = 0; i < 64; i++) score[i] += (uint8_t)((row[i] > level) + (row[i] >= level));
        }
        memcpy(scores + 64 * card, score, 64);
    }
}

CLONED(score_rows, (const uint8_t *levels, uint8_t *scores), (levels, scores))

#endif

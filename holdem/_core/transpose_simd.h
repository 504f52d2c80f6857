/* Sixteen rows of floats to sixteen side by side, and back. */
#ifndef HOLDEM_TRANSPOSE_SIMD_H
#define HOLDEM_TRANSPOSE_SIMD_H

typedef float Endings __attribute__((vector_size(64), aligned(64), may_alias));

/* Transposing 16 by 16: whole registers where they are sixteen floats wide, four by four
 * elsewhere. Which of the two is the last argument, known to the compiler. */
typedef int EndingPlaces __attribute__((vector_size(64)));
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int FourPlaces __attribute__((vector_size(16)));

#define PICK(a, b, i, j, k, l)                                                                \
    __builtin_shuffle(a, b, (EndingPlaces){i, j, k, l, i + 4, j + 4, k + 4, l + 4, i + 8,     \
                                           j + 8, k + 8, l + 8, i + 12, j + 12, k + 12, l + 12})
#define QUARTERS(a, b, i, j)                                                                  \
    __builtin_shuffle(a, b, (EndingPlaces){4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3,            \
                                           4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3,            \
                                           4 * i + 16, 4 * i + 17, 4 * i + 18, 4 * i + 19,    \
                                           4 * j + 16, 4 * j + 17, 4 * j + 18, 4 * j + 19})

static inline __attribute__((always_inline)) void transpose_wide(Endings *x) {
    Endings y[16];
    for (int i = 0; i < 16; i += 4) {
        Endings a = PICK(x[i], x[i + 1], 0, 16, 1, 17), b = PICK(x[i], x[i + 1], 2, 18, 3, 19);
        Endings c = PICK(x[i + 2], x[i + 3], 0, 16, 1, 17), d = PICK(x[i + 2], x[i + 3], 2, 18, 3, 19);
        y[i] = PICK(a, c, 0, 1, 16, 17), y[i + 1] = PICK(a, c, 2, 3, 18, 19);
        y[i + 2] = PICK(b, d, 0, 1, 16, 17), y[i + 3] = PICK(b, d, 2, 3, 18, 19);
    }
    /* y[4 g + j] holds, in quarter q, column 4 q + j of rows 4 g to 4 g + 3. */
    for (int j = 0; j < 4; j++) {
        Endings a = QUARTERS(y[j], y[4 + j], 0, 1), b = QUARTERS(y[8 + j], y[12 + j], 0, 1);
        Endings c = QUARTERS(y[j], y[4 + j], 2, 3), d = QUARTERS(y[8 + j], y[12 + j], 2, 3);
        x[j] = QUARTERS(a, b, 0, 2), x[4 + j] = QUARTERS(a, b, 1, 3);
        x[8 + j] = QUARTERS(c, d, 0, 2), x[12 + j] = QUARTERS(c, d, 1, 3);
    }
}

#define LOW_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){0, 4, 1, 5})
#define HIGH_PAIRS(x, y) __builtin_shuffle(x, y, (FourPlaces){2, 6, 3, 7})

/* to[j] = from[.][j] of four vectors of four. */
static inline __attribute__((always_inline)) void transpose_four(const float *const *from,
                                                                 float *const *to) {
    Four a = *(const Four *)from[0], b = *(const Four *)from[1];
    Four c = *(const Four *)from[2], d = *(const Four *)from[3];
    Four ac_low = LOW_PAIRS(a, c), ac_high = HIGH_PAIRS(a, c);
    Four bd_low = LOW_PAIRS(b, d), bd_high = HIGH_PAIRS(b, d);
    *(Four *)to[0] = LOW_PAIRS(ac_low, bd_low), *(Four *)to[1] = HIGH_PAIRS(ac_low, bd_low);
    *(Four *)to[2] = LOW_PAIRS(ac_high, bd_high), *(Four *)to[3] = HIGH_PAIRS(ac_high, bd_high);
}

/* to[j] = column j of the *width* vectors at *from*, 16 or 8; *wide* only of 16. */
static inline __attribute__((always_inline)) void
transpose_block(const float *const *from, float *const *to, int width, int wide) {
    if (wide) {
        Endings x[16];
        for (int i = 0; i < 16; i++) x[i] = *(const Endings *)from[i];
        transpose_wide(x);
        for (int i = 0; i < 16; i++) *(Endings *)to[i] = x[i];
        return;
    }
    for (int i = 0; i < width; i += 4)
        for (int j = 0; j < width; j += 4) {
            const float *four[4] = {from[i] + j, from[i + 1] + j, from[i + 2] + j, from[i + 3] + j};
            float *turned[4] = {to[j] + i, to[j + 1] + i, to[j + 2] + i, to[j + 3] + i};
            transpose_four(four, turned);
        }
}

#endif

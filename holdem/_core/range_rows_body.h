/* The row loops of range_rows.h for one width of vectors; included once for each.
 *
 * Wants TARGET (a function attribute), NAME(x) (x with the width's suffix), WIDTH (floats
 * in a register), WIDEN (as many 16-bit numbers to floats), NARROW (and back, rounded, the
 * largest where one is larger), LARGER (of two vectors), LARGEST (in one) and NOTHING
 * (whether all of it is zero). A block is
 * sixteen hands: PARTS registers.
 */
#define V NAME(floats)
#define I NAME(ints)
#define PARTS (ROW_BLOCK / WIDTH)
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef float V __attribute__((vector_size(4 * WIDTH), may_alias));
typedef int32_t I __attribute__((vector_size(4 * WIDTH), may_alias));

INLINE V NAME(choose)(I mask, V yes, V no) { return (V)(((I)yes & mask) | ((I)no & ~mask)); }

/* Sixteen hands of one action; packed, in units of their block. */
INLINE void NAME(load)(const void *data, int packed, size_t at, V *x) {
    for (int j = 0; j < PARTS; j++) {
        if (packed) x[j] = WIDEN((const int16_t *)data + at + j * WIDTH);
        else x[j] = ((const V *)((const float *)data + at))[j];
    }
}

/* Store count actions of sixteen hands; packed, in units of a power of two. */
INLINE void NAME(store)(void *data, uint8_t *exponent, int packed, size_t at, size_t pad, int count,
                        V (*x)[PARTS]) {
    if (!packed) {
        for (int a = 0; a < count; a++)
            for (int j = 0; j < PARTS; j++) ((V *)((float *)data + at + a * pad))[j] = x[a][j];
        return;
    }
    V most = {0};
    for (int a = 0; a < count; a++)
        for (int j = 0; j < PARTS; j++) most = LARGER(most, (V)((I)x[a][j] & 0x7fffffff));
    *exponent = (uint8_t)(LARGEST(most) >> 23);
    float inverse = pack_inverse(*exponent);
    for (int a = 0; a < count; a++)
        for (int j = 0; j < PARTS; j++)
            NARROW((int16_t *)data + at + a * pad + j * WIDTH, x[a][j] * inverse);
}

/* Ask for the same hands of the rows that come next: memory is slower than the loops. */
INLINE void NAME(ask)(const void *data, int packed, ptrdiff_t at, size_t pad, int count) {
    if (packed && at % 32) return; /* sixteen hands are half a line of the cache */
    for (int a = 0; a < count; a++)
        __builtin_prefetch((const char *)data + (at + a * (ptrdiff_t)pad) * (packed ? 2 : 4), 1);
}

/* Whether sixteen hands have no reach at all. */
INLINE int NAME(nowhere)(const V *reach) {
    V any = reach[0];
    for (int j = 1; j < PARTS; j++) any = LARGER(any, reach[j]);
    return NOTHING(any);
}

/* What turns sizes of this total into shares: a factor, and what is added to each share,
 * which is nothing unless the total is. */
INLINE void NAME(share)(V total, int count, V *factor, V *rest) {
    I some = total > 1e-30f;
    *factor = (V)((I)(1.0f / total) & some);
    *rest = (V)((I)((V){0} + 1.0f / (float)count) & ~some);
}

/* The weights that shares are in proportion to: positive regrets, or strategy sums. */
INLINE void NAME(weights)(const NodeRows *rows, int average, int packed, size_t at, int count,
                          V (*x)[PARTS], V *total) {
    for (int j = 0; j < PARTS; j++) total[j] = (V){0};
    for (int a = 0; a < count; a++) {
        NAME(load)(average ? rows->sums : rows->regrets, packed, at + a * rows->pad, x[a]);
        for (int j = 0; j < PARTS; j++) {
            V weight = LARGER(x[a][j], (V){0});
            total[j] += weight;
        }
    }
}

INLINE void NAME(play_body)(const NodeRows *rows, int count, int average, int packed, int learn,
                            float keep, float weight, const float *reach, float *out) {
    const size_t pad = rows->pad;
    for (size_t at = 0; at < pad; at += ROW_BLOCK) {
        V x[MOST_ROWS][PARTS], total[PARTS], sum[PARTS];
        if (rows->far) {
            NAME(ask)(average ? rows->sums : rows->regrets, packed, at + count * pad, pad, count);
            if (learn) NAME(ask)(rows->sums, packed, at + count * pad, pad, count);
        }
        if (NAME(nowhere)((const V *)(reach + at))) {
            /* Half of all blocks: nothing comes here, and sums that are kept stay. */
            for (int a = 0; a < count; a++)
                for (int j = 0; j < PARTS; j++) {
                    ((V *)(out + a * pad + at))[j] = (V){0};
                    x[a][j] = (V){0};
                }
            if (learn && keep == 0.0f)
                NAME(store)(rows->sums, rows->sum_exponents + at / ROW_BLOCK, packed, at, pad,
                            count, x);
            continue;
        }
        NAME(weights)(rows, average, packed, at, count, x, total);
        for (int j = 0; j < PARTS; j++) {
            V factor, rest, here = ((const V *)(reach + at))[j];
            NAME(share)(total[j], count, &factor, &rest);
            factor *= here, rest *= here;
            for (int a = 0; a < count; a++) {
                x[a][j] = LARGER(x[a][j], (V){0}) * factor + rest;
                ((V *)(out + a * pad + at))[j] = x[a][j];
            }
        }
        if (learn) {
            uint8_t *exponent = rows->sum_exponents + at / ROW_BLOCK;
            float scale = packed ? pack_scale(*exponent) * keep : keep;
            for (int a = 0; a < count; a++) {
                NAME(load)(rows->sums, packed, at + a * pad, sum);
                for (int j = 0; j < PARTS; j++) x[a][j] = x[a][j] * weight + sum[j] * scale;
            }
            NAME(store)(rows->sums, exponent, packed, at, pad, count, x);
        }
    }
}

INLINE void NAME(learn_body)(const NodeRows *rows, int count, int average, int packed, int learn,
                             float fade_gains, float fade_losses, const float *values, float *out) {
    const size_t pad = rows->pad;
    for (size_t at = 0; at < pad; at += ROW_BLOCK) {
        V x[MOST_ROWS][PARTS], total[PARTS], value[PARTS];
        if (rows->far)
            NAME(ask)(average ? rows->sums : rows->regrets, packed, at - count * pad, pad, count);
        NAME(weights)(rows, average, packed, at, count, x, total);
        for (int j = 0; j < PARTS; j++) {
            V factor, rest, weighted = {0}, plain = {0};
            NAME(share)(total[j], count, &factor, &rest);
            for (int a = 0; a < count; a++) {
                V worth = ((const V *)(values + a * pad + at))[j];
                weighted += LARGER(x[a][j], (V){0}) * worth;
                plain += worth;
            }
            value[j] = weighted * factor + plain * rest;
            ((V *)(out + at))[j] = value[j];
        }
        if (learn) {
            uint8_t *exponent = rows->regret_exponents + at / ROW_BLOCK;
            float scale = packed ? pack_scale(*exponent) : 1.0f;
            V gains = (V){0} + fade_gains * scale, losses = (V){0} + fade_losses * scale;
            for (int a = 0; a < count; a++)
                for (int j = 0; j < PARTS; j++)
                    x[a][j] = x[a][j] * NAME(choose)(x[a][j] > 0.0f, gains, losses) +
                              (((const V *)(values + a * pad + at))[j] - value[j]);
            NAME(store)(rows->regrets, exponent, packed, at, pad, count, x);
        }
    }
}

/* Counts and flags as constants, so that a node's actions stay in registers. */
#define BY_FLAGS(body, count, ...)                                            \
    do {                                                                      \
        if (average && rows->packed) body(rows, count, 1, 1, 0, __VA_ARGS__); \
        else if (average) body(rows, count, 1, 0, 0, __VA_ARGS__);            \
        else if (!learn) body(rows, count, 0, rows->packed, 0, __VA_ARGS__);  \
        else if (rows->packed) body(rows, count, 0, 1, 1, __VA_ARGS__);       \
        else body(rows, count, 0, 0, 1, __VA_ARGS__);                         \
    } while (0)

TARGET static void NAME(play)(const NodeRows *rows, int count, int average, int learn, float keep,
                              float weight, const float *reach, float *out) {
    switch (count) {
    case 2: BY_FLAGS(NAME(play_body), 2, keep, weight, reach, out); break;
    case 3: BY_FLAGS(NAME(play_body), 3, keep, weight, reach, out); break;
    case 4: BY_FLAGS(NAME(play_body), 4, keep, weight, reach, out); break;
    default: BY_FLAGS(NAME(play_body), count, keep, weight, reach, out);
    }
}

TARGET static void NAME(learn)(const NodeRows *rows, int count, int average, int learn,
                               float fade_gains, float fade_losses, const float *values,
                               float *out) {
    switch (count) {
    case 2: BY_FLAGS(NAME(learn_body), 2, fade_gains, fade_losses, values, out); break;
    case 3: BY_FLAGS(NAME(learn_body), 3, fade_gains, fade_losses, values, out); break;
    case 4: BY_FLAGS(NAME(learn_body), 4, fade_gains, fade_losses, values, out); break;
    default: BY_FLAGS(NAME(learn_body), count, fade_gains, fade_losses, values, out);
    }
}

/* out[h] = the best of count rows, or their sum. */
TARGET static void NAME(combine)(const float *values, int count, size_t pad, int best, float *out) {
    for (size_t at = 0; at < pad; at += WIDTH) {
        V x = *(const V *)(values + at);
        for (int a = 1; a < count; a++) {
            V other = *(const V *)(values + a * pad + at);
            if (best) x = LARGER(x, other);
            else x += other;
        }
        *(V *)(out + at) = x;
    }
}

#undef V
#undef I
#undef PARTS
#undef INLINE
#undef BY_FLAGS
#undef WIDTH
#undef TARGET
#undef NAME
#undef WIDEN
#undef NARROW
#undef LARGER
#undef LARGEST
#undef NOTHING

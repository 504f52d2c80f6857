/* One decision of a whole range: rows of hands by action, in float32 or packed in 16 bits.
 *
 * A row is the hands of the acting player on one board, padded to a multiple of sixteen.
 * Packed rows keep one exponent for sixteen hands of all actions: the range that a float
 * needs its exponent for lies between nodes and between parts of a range, hardly between
 * the actions of neighbouring hands. Sums and products are done in the same order at each
 * width of vectors, so that every processor gives the same bytes.
 */
#ifndef HOLDEM_RANGE_ROWS_H
#define HOLDEM_RANGE_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ROW_BLOCK = 16, MOST_ROWS = 16 };

/* Where a node's rows lie: (count, pad) of regrets and of strategy sums. */
typedef struct {
    void *regrets;             /* float, or int16_t when packed */
    void *sums;
    uint8_t *regret_exponents; /* (pad / 16,) packed only; see pack_scale */
    uint8_t *sum_exponents;
    size_t pad;
    int packed;
    int far;                   /* whether all rows together are more than a cache holds */
} NodeRows;

static inline float float_of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* What 1 stands for in a packed block whose largest number has this exponent: 32,768 of it
 * are the next power of two. Tiny numbers, below 2^-100, are packed as nothing. */
enum { LEAST_EXPONENT = 27, MOST_EXPONENT = 254 };
static inline float pack_scale(uint8_t exponent) {
    return exponent < LEAST_EXPONENT ? 0.0f : float_of_bits((uint32_t)(exponent - 14) << 23);
}
static inline float pack_inverse(uint8_t exponent) {
    return exponent < LEAST_EXPONENT ? 0.0f : float_of_bits((uint32_t)(268 - exponent) << 23);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define WIDTH 4
#define TARGET __attribute__((target("sse4.2")))
#define NAME(x) rows4_##x
#define WIDEN(from) (V) _mm_cvtepi32_ps(_mm_cvtepi16_epi32(_mm_loadl_epi64((const __m128i *)(from))))
#define NARROW(to, x)                      \
    _mm_storel_epi64((__m128i *)(to),      \
                     _mm_packs_epi32(_mm_cvtps_epi32((__m128)(x)), _mm_setzero_si128()))
#define LARGER(x, y) (V) _mm_max_ps((__m128)(x), (__m128)(y))
#define LARGEST(x) largest4((__m128i)(x)) /* sizes compare as their bits do */
#define NOTHING(x) _mm_testz_si128((__m128i)(x), (__m128i)(x))
static inline TARGET int32_t largest4(__m128i x) {
    x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}
#include "range_rows_body.h"

#define WIDTH 8
#define TARGET __attribute__((target("avx2")))
#define NAME(x) rows8_##x
#define WIDEN(from) \
    (V) _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(from))))
#define NARROW(to, x)                                                                        \
    do {                                                                                     \
        __m256i whole = _mm256_cvtps_epi32((__m256)(x));                                     \
        _mm_storeu_si128((__m128i *)(to), _mm_packs_epi32(_mm256_castsi256_si128(whole),     \
                                                          _mm256_extracti128_si256(whole, 1))); \
    } while (0)
#define LARGER(x, y) (V) _mm256_max_ps((__m256)(x), (__m256)(y))
#define LARGEST(x) largest8((__m256i)(x))
#define NOTHING(x) _mm256_testz_si256((__m256i)(x), (__m256i)(x))
static inline TARGET int32_t largest8(__m256i x) {
    return largest4(_mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
}
#include "range_rows_body.h"

#define WIDTH 16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define NAME(x) rows16_##x
#define WIDEN(from) \
    (V) _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(from))))
#define NARROW(to, x)                  \
    _mm256_storeu_si256((__m256i *)(to), \
                        _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32((__m512)(x))))
#define LARGER(x, y) (V) _mm512_max_ps((__m512)(x), (__m512)(y))
#define LARGEST(x) largest16((__m512i)(x))
#define NOTHING(x) !_mm512_test_epi32_mask((__m512i)(x), (__m512i)(x))
static inline TARGET int32_t largest16(__m512i x) {
    return largest8(_mm256_max_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1)));
}
#include "range_rows_body.h"

#define BY_WIDTH(name, ...)                                                              \
    do {                                                                                 \
        if (__builtin_cpu_supports("avx512vl")) rows16_##name(__VA_ARGS__);              \
        else if (__builtin_cpu_supports("avx2")) rows8_##name(__VA_ARGS__);              \
        else rows4_##name(__VA_ARGS__);                                                  \
    } while (0)

/* Numbers below 1e-38 cost a hundred times the others, and a regret that is halved again
 * and again becomes one. Returns what to give back to `flush_restore`. */
static inline unsigned flush_tiny(void) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}
static inline void flush_restore(unsigned before) { _mm_setcsr(before); }
#else
#define WIDTH 4
#define TARGET
#define NAME(x) rows4_##x
#define WIDEN(from) (V){(from)[0], (from)[1], (from)[2], (from)[3]}
#define NARROW(to, x) narrow4(to, (const float *)&(x))
#define LARGER(x, y) NAME(choose)((y) > (x), y, x)
#define LARGEST(x) largest4((const int32_t *)&(x))
static inline void narrow4(int16_t *to, const float *x) {
    for (int i = 0; i < 4; i++) {
        float whole = (x[i] + 12582912.0f) - 12582912.0f; /* rounds as the others do */
        to[i] = (int16_t)(whole > 32767 ? 32767 : whole < -32768 ? -32768 : whole);
    }
}
#define NOTHING(x) !(largest4((const int32_t *)&(x)))
static inline int32_t largest4(const int32_t *x) {
    int32_t most = x[0];
    for (int i = 1; i < 4; i++) most = x[i] > most ? x[i] : most;
    return most;
}
#include "range_rows_body.h"
#define BY_WIDTH(name, ...) rows4_##name(__VA_ARGS__)
static inline unsigned flush_tiny(void) { return 0; }
static inline void flush_restore(unsigned before) { (void)before; }
#endif

/* Divide a range's reach among the actions of a decision: out (count, pad).
 * By the average strategy, or by regret matching; with learn, the average strategy's sums
 * are kept (1) or forgotten (0), and take this reach in by its weight. */
static void play_range(const NodeRows *rows, int count, int average, int learn, float keep,
                       float weight, const float *reach, float *out) {
    BY_WIDTH(play, rows, count, average, learn, keep, weight, reach, out);
}

/* The value of a decision under its own strategy, out (pad,), from those of its actions,
 * (count, pad); with learn, its regrets fade and take in what each action was better. */
static void learn_range(const NodeRows *rows, int count, int average, int learn, float fade_gains,
                        float fade_losses, const float *values, float *out) {
    BY_WIDTH(learn, rows, count, average, learn, fade_gains, fade_losses, values, out);
}

/* The best action's value, or the sum of all, for each hand: out (pad,). */
static void combine_range(const float *values, int count, size_t pad, int best, float *out) {
    BY_WIDTH(combine, values, count, pad, best, out);
}

#endif

/* Distances of many points to many centres, in whole numbers.
 *
 * Why a C header: the sums of |x - c| and (x - c)^2 over pairs of 16-bit
 * coordinates are one instruction each (pmaddwd), which no compiler found by
 * itself. Everything is integer arithmetic, so that every instruction set gives
 * the same labels. The set is chosen once, when the module is imported.
 */
#ifndef HOLDEM_CLUSTER_SIMD_H
#define HOLDEM_CLUSTER_SIMD_H

#include <stdint.h>
#include <string.h>

enum { CITY_BLOCK = 0, SQUARED = 1 };
enum { GROUP = 4 }; /* vectors of centres that a search looks at together */

#if defined(__x86_64__) && defined(__GNUC__) && defined(__ELF__)
#define HOLDEM_X86 1
#if defined(__SANITIZE_ADDRESS__) /* whose library is not ready when a clone is chosen */
#define HOLDEM_CLONES
#else
#define HOLDEM_CLONES __attribute__((target_clones("avx2", "default")))
#endif
#include <immintrin.h>
#else
#define HOLDEM_X86 0
#define HOLDEM_CLONES
#endif

/* Lower nearest[i] to the distance of point i to one centre, where that is less. */
HOLDEM_CLONES
static void relax_points(
    const int16_t *points, /* IN     (num_points, dims) */
    int64_t num_points,
    int dims,
    const int16_t *centre, /* IN     (dims,) */
    int metric,
    int32_t *nearest       /* INOUT  (num_points,) */
) {
    for (int64_t i = 0; i < num_points; i++) {
        const int16_t *point = points + i * dims;
        int32_t sum = 0;
        if (metric == CITY_BLOCK)
            for (int j = 0; j < dims; j++) {
                int32_t gap = (int32_t)point[j] - centre[j];
                sum += gap < 0 ? -gap : gap;
            }
        else
            for (int j = 0; j < dims; j++) {
                int32_t gap = (int32_t)point[j] - centre[j];
                sum += gap * gap;
            }
        if (sum < nearest[i])
            nearest[i] = sum;
    }
}

/* Centres in groups of GROUP vectors, ordered by the sum of their coordinates. A point is at
 * least as far from a centre as their sums are from one another (by squares, the square of
 * that through the number of coordinates), so most groups are never looked at. */
typedef struct {
    const int16_t *packed;  /* (groups * GROUP, dims / 2, lanes, 2), 64-byte aligned */
    const int32_t *numbers; /* (groups * GROUP, lanes) which centre each is, 64-byte aligned */
    const int32_t *least;   /* (groups,) the least sum */
    const int32_t *most;    /* (groups,) the largest */
    int64_t num_groups;
    int dims;               /* even */
} groups_t;

/* Where a search is: groups from below + 1 to above - 1 have been looked at. */
typedef struct {
    int64_t sum, below, above;
} search_t;

static inline int32_t sum_of(const int16_t *values, int dims) {
    int32_t sum = 0;
    for (int j = 0; j < dims; j++)
        sum += values[j];
    return sum;
}

/* Begin where the sums are nearest to a point's. */
static inline search_t search_near(const groups_t *groups, int32_t sum) {
    int64_t start = 0, stop = groups->num_groups;
    while (start < stop) {
        int64_t middle = (start + stop) / 2;
        if (groups->least[middle] <= sum)
            start = middle + 1;
        else
            stop = middle;
    }
    return (search_t){sum, start - 1, start};
}

/* Return the next group that may hold a centre at *distance* or nearer; -1 if none does. */
static inline int64_t next_group(
    const groups_t *groups, search_t *search, int metric, int32_t distance
) {
    int64_t below = INT64_MAX, above = INT64_MAX;
    if (search->below >= 0)
        below = search->sum - groups->most[search->below];
    if (search->above < groups->num_groups)
        above = groups->least[search->above] - search->sum;
    int64_t gap = below < above ? below : above;
    if (gap == INT64_MAX)
        return -1;
    if (gap > 0) {
        if (metric == CITY_BLOCK ? gap > distance : gap * gap > (int64_t)distance * groups->dims)
            return -1;
    }
    return below < above ? search->below-- : search->above++;
}

/* The version without vectors: lanes is 1. */
static void nearest_plain(
    const int16_t *points, int64_t num_points, const groups_t *groups, int metric,
    uint16_t *labels, int32_t *distances
) {
    for (int64_t i = 0; i < num_points; i++) {
        const int16_t *point = points + i * groups->dims;
        search_t search = search_near(groups, sum_of(point, groups->dims));
        int32_t best = INT32_MAX, label = 0;
        int64_t group;
        while ((group = next_group(groups, &search, metric, best)) >= 0)
            for (int64_t c = GROUP * group; c < GROUP * (group + 1); c++) {
                int32_t distance = INT32_MAX;
                relax_points(
                    groups->packed + c * groups->dims, 1, groups->dims, point, metric, &distance
                );
                if (distance < best || (distance == best && groups->numbers[c] < label)) {
                    best = distance;
                    label = groups->numbers[c];
                }
            }
        labels[i] = (uint16_t)label;
        distances[i] = best;
    }
}

#if HOLDEM_X86

/* One body, three widths. */
#define TARGET __attribute__((target("avx512bw")))
#define NEAREST nearest_avx512
#define LANES 16
#define VECTOR __m512i
#define LOAD(p) _mm512_load_si512((const void *)(p))
#define SPREAD _mm512_set1_epi32
#define SUBTRACT16 _mm512_sub_epi16
#define ABSOLUTE16 _mm512_abs_epi16
#define ONES16 _mm512_set1_epi16(1)
#define MULTIPLY_PAIRS _mm512_madd_epi16
#define ADD _mm512_add_epi32
#define LOWER _mm512_min_epi32
/* where a > b, x, else y */
#define WHERE_GREATER(a, b, x, y) _mm512_mask_mov_epi32(y, _mm512_cmpgt_epi32_mask(a, b), x)
#define LEAST _mm512_reduce_min_epi32
#include "cluster_nearest.h"

static __attribute__((target("avx2"))) inline int32_t least_avx2(__m256i v) {
    __m128i m = _mm_min_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtsi128_si32(m);
}

#define TARGET __attribute__((target("avx2")))
#define NEAREST nearest_avx2
#define LANES 8
#define VECTOR __m256i
#define LOAD(p) _mm256_load_si256((const __m256i *)(p))
#define SPREAD _mm256_set1_epi32
#define SUBTRACT16 _mm256_sub_epi16
#define ABSOLUTE16 _mm256_abs_epi16
#define ONES16 _mm256_set1_epi16(1)
#define MULTIPLY_PAIRS _mm256_madd_epi16
#define ADD _mm256_add_epi32
#define LOWER _mm256_min_epi32
#define WHERE_GREATER(a, b, x, y) _mm256_blendv_epi8(y, x, _mm256_cmpgt_epi32(a, b))
#define LEAST least_avx2
#include "cluster_nearest.h"

#define SSE4 __attribute__((target("sse4.1")))
static SSE4 inline int32_t least_sse4(__m128i m) {
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtsi128_si32(m);
}

#define TARGET SSE4
#define NEAREST nearest_sse4
#define LANES 4
#define VECTOR __m128i
#define LOAD(p) _mm_load_si128((const __m128i *)(p))
#define SPREAD _mm_set1_epi32
#define SUBTRACT16 _mm_sub_epi16
#define ABSOLUTE16 _mm_abs_epi16
#define ONES16 _mm_set1_epi16(1)
#define MULTIPLY_PAIRS _mm_madd_epi16
#define ADD _mm_add_epi32
#define LOWER _mm_min_epi32
#define WHERE_GREATER(a, b, x, y) _mm_blendv_epi8(y, x, _mm_cmpgt_epi32(a, b))
#define LEAST least_sse4
#include "cluster_nearest.h"

#endif /* HOLDEM_X86 */

/* Centres that one vector holds under an instruction set; 1 for the plain version. */
static int best_lanes(void) {
#if HOLDEM_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw"))
        return 16;
    if (__builtin_cpu_supports("avx2"))
        return 8;
    if (__builtin_cpu_supports("sse4.1"))
        return 4;
#endif
    return 1;
}

/* Label every point with its nearest centre, the lowest among equals. */
static void nearest_centres(
    const int16_t *points, /* IN   (num_points, dims) */
    int64_t num_points,
    const groups_t *groups,
    int lanes,             /* that the groups were made for */
    int metric,
    uint16_t *labels,      /* OUT  (num_points,) */
    int32_t *distances     /* OUT  (num_points,) */
) {
#if HOLDEM_X86
    if (lanes == 16)
        nearest_avx512(points, num_points, groups, metric, labels, distances);
    else if (lanes == 8)
        nearest_avx2(points, num_points, groups, metric, labels, distances);
    else if (lanes == 4)
        nearest_sse4(points, num_points, groups, metric, labels, distances);
    else
#endif
        nearest_plain(points, num_points, groups, metric, labels, distances);
}

#endif

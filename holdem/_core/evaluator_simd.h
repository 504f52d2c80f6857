/* Strengths of many hands at once: their keys by vector instructions, then the
 * tables by scalar loads, then the few flushes again.
 *
 * A hand is spread over eight bytes, so that "sum of absolute differences" with
 * zero adds up one byte of its cards' keys. Looking up by gathers was slower than
 * scalar loads. Intrinsics, because compilers find neither of the two by themselves.
 */
#ifndef HOLDEM_EVALUATOR_SIMD_H
#define HOLDEM_EVALUATOR_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint64_t *card_key;        /* (52,) */
    const uint16_t *flush_strength;  /* (8192,) */
    const uint16_t *row_start;       /* (8192,) for hands of num_cards */
    const uint16_t *rank_strength;
    int num_cards;                   /* 5, 6 or 7 */
} HandTables;

enum { HANDS_PER_BLOCK = 1024, HANDS_PER_GROUP = 8 };

/* The keys of some hands, and which of them hold a flush, as one bit a hand. */
typedef struct {
    uint32_t rank_key[HANDS_PER_BLOCK];
    uint8_t has_flush[HANDS_PER_BLOCK / HANDS_PER_GROUP];
    uint8_t largest_card;
} BlockKeys;

/* Keys of the hands first .. num_hands, first being a multiple of eight. */
static void keys_scalar(const HandTables *tables, const uint8_t *cards, size_t first,
                        size_t num_hands, BlockKeys *keys) {
    const int n = tables->num_cards;
    for (size_t hand = first; hand < num_hands; hand++) {
        const uint8_t *c = cards + hand * n;
        uint64_t key = 0x3333ULL << 40;
        for (int i = 0; i < n; i++) {
            uint8_t card = c[i];
            if (card > keys->largest_card) keys->largest_card = card;
            key += tables->card_key[card < 52 ? card : 0];
        }
        uint8_t bit = (uint8_t)(1u << (hand % HANDS_PER_GROUP));
        if (bit == 1) keys->has_flush[hand / HANDS_PER_GROUP] = 0;
        if (key & (0x8888ULL << 40)) keys->has_flush[hand / HANDS_PER_GROUP] |= bit;
        keys->rank_key[hand] = (uint32_t)key;
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Sixteen-byte tables for byte shuffles, by rank or by suit. */
typedef struct {
    uint8_t rank_byte[3][16];   /* bits 0-7, 8-15, 16-22 of the 23-bit rank key */
    uint8_t suits01[16];        /* one in the counter of suit 0 or, four bits up, of suit 1 */
    uint8_t suits23[16];
    uint8_t spread[16];         /* two hands in a row -> eight bytes each, the rest zero */
} ByteTables;

static void fill_byte_tables(const HandTables *tables, ByteTables *bytes) {
    memset(bytes, 0, sizeof *bytes);
    for (int rank = 0; rank < 13; rank++) {
        uint32_t key = (uint32_t)tables->card_key[4 * rank] >> 9;
        for (int i = 0; i < 3; i++) bytes->rank_byte[i][rank] = (uint8_t)(key >> (8 * i));
    }
    bytes->suits01[0] = bytes->suits23[2] = 1;
    bytes->suits01[1] = bytes->suits23[3] = 16;
    for (int i = 0; i < 16; i++)
        bytes->spread[i] = i % 8 < tables->num_cards ? (uint8_t)(i / 8 * tables->num_cards + i % 8) : 0x80;
}

/* The next two fill the keys of whole groups of eight hands, as many as they can without
 * reading beyond *readable* bytes; they return how many hands that are.
 *
 * Five of a suit carry into the top bit of its counter, as in CARD_KEY. The empty
 * bytes count as cards of suit 0 (their rank, the deuce, has key 0), so that
 * suit starts lower. */
#define SUIT_START(num_cards) (0x3330 + (num_cards) - 5)

__attribute__((target("avx512f,avx512bw")))
static size_t keys_avx512(const HandTables *tables, const ByteTables *bytes, const uint8_t *cards,
                          size_t num_hands, size_t readable, BlockKeys *keys) {
    const int n = tables->num_cards;
#define EVERY_LANE(table) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(table)))
    const __m512i byte0 = EVERY_LANE(bytes->rank_byte[0]), byte1 = EVERY_LANE(bytes->rank_byte[1]);
    const __m512i byte2 = EVERY_LANE(bytes->rank_byte[2]), spread = EVERY_LANE(bytes->spread);
    const __m512i suits01 = EVERY_LANE(bytes->suits01), suits23 = EVERY_LANE(bytes->suits23);
#undef EVERY_LANE
    const __m512i zero = _mm512_setzero_si512();
    const __m512i suit_start = _mm512_set1_epi64(SUIT_START(n)), five = _mm512_set1_epi64(0x8888);
    uint16_t words[32];  /* lane k takes the n words from k * n: two hands of n bytes */
    for (int i = 0; i < 32; i++) words[i] = (uint16_t)(i / 8 * n + i % 8);
    const __m512i lanes = _mm512_loadu_si512(words);
    __m512i largest = zero;
    size_t hand = 0;
    /* A load takes 64 bytes, of which 8 * n are used: stop where it would run over. */
    for (; hand + HANDS_PER_GROUP <= num_hands && hand * n + 64 <= readable;
         hand += HANDS_PER_GROUP) {
        __m512i c = _mm512_loadu_si512(cards + hand * n);
        c = _mm512_shuffle_epi8(_mm512_permutexvar_epi16(lanes, c), spread);
        largest = _mm512_max_epu8(largest, c);
        __m512i rank = _mm512_and_si512(_mm512_srli_epi16(c, 2), _mm512_set1_epi8(15));
        __m512i suit = _mm512_and_si512(c, _mm512_set1_epi8(3));
#define SUM(table, index) _mm512_sad_epu8(_mm512_shuffle_epi8(table, index), zero)
        __m512i low = _mm512_slli_epi64(SUM(byte0, rank), 9);
        __m512i middle = _mm512_slli_epi64(SUM(byte1, rank), 17);
        __m512i high = _mm512_slli_epi64(SUM(byte2, rank), 25);
        __m512i key = _mm512_add_epi64(_mm512_add_epi64(low, middle), high);
        __m512i suits = _mm512_add_epi64(_mm512_slli_epi64(SUM(suits23, suit), 8), SUM(suits01, suit));
#undef SUM
        _mm256_storeu_si256((__m256i *)(keys->rank_key + hand), _mm512_cvtepi64_epi32(key));
        keys->has_flush[hand / HANDS_PER_GROUP] =
            _mm512_test_epi64_mask(_mm512_add_epi64(suits, suit_start), five);
    }
    uint8_t large[64];
    _mm512_storeu_si512(large, largest);
    for (int i = 0; i < 64; i++)
        if (large[i] > keys->largest_card) keys->largest_card = large[i];
    return hand;
}

__attribute__((target("avx2")))
static size_t keys_avx2(const HandTables *tables, const ByteTables *bytes, const uint8_t *cards,
                        size_t num_hands, size_t readable, BlockKeys *keys) {
    const int n = tables->num_cards;
#define BOTH_LANES(table) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table)))
    const __m256i byte0 = BOTH_LANES(bytes->rank_byte[0]), byte1 = BOTH_LANES(bytes->rank_byte[1]);
    const __m256i byte2 = BOTH_LANES(bytes->rank_byte[2]), spread = BOTH_LANES(bytes->spread);
    const __m256i suits01 = BOTH_LANES(bytes->suits01), suits23 = BOTH_LANES(bytes->suits23);
#undef BOTH_LANES
    const __m256i zero = _mm256_setzero_si256(), suit_start = _mm256_set1_epi64x(SUIT_START(n));
    const __m256i five = _mm256_set1_epi64x(0x8888);
    __m256i largest = zero;
    size_t hand = 0;
    /* The last load of a group begins 6 hands in and takes 16 bytes. */
    for (; hand + HANDS_PER_GROUP <= num_hands && (hand + 6) * n + 16 <= readable;
         hand += HANDS_PER_GROUP) {
        const uint8_t *from = cards + hand * n;
        __m256i key[2];
        int flush = 0;
        for (int half = 0; half < 2; half++, from += 4 * n) {
            __m256i c = _mm256_inserti128_si256(
                _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)from)),
                _mm_loadu_si128((const __m128i *)(from + 2 * n)), 1);
            c = _mm256_shuffle_epi8(c, spread);
            largest = _mm256_max_epu8(largest, c);
            __m256i rank = _mm256_and_si256(_mm256_srli_epi16(c, 2), _mm256_set1_epi8(15));
            __m256i suit = _mm256_and_si256(c, _mm256_set1_epi8(3));
#define SUM(table, index) _mm256_sad_epu8(_mm256_shuffle_epi8(table, index), zero)
            __m256i low = _mm256_slli_epi64(SUM(byte0, rank), 9);
            __m256i middle = _mm256_slli_epi64(SUM(byte1, rank), 17);
            __m256i high = _mm256_slli_epi64(SUM(byte2, rank), 25);
            key[half] = _mm256_add_epi64(_mm256_add_epi64(low, middle), high);
            __m256i suits = _mm256_add_epi64(_mm256_slli_epi64(SUM(suits23, suit), 8), SUM(suits01, suit));
#undef SUM
            suits = _mm256_and_si256(_mm256_add_epi64(suits, suit_start), five);
            int none = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(suits, zero)));
            flush |= (none ^ 15) << (4 * half);
        }
        __m256i both = _mm256_castps_si256(_mm256_shuffle_ps(
            _mm256_castsi256_ps(key[0]), _mm256_castsi256_ps(key[1]), 0x88));
        _mm256_storeu_si256((__m256i *)(keys->rank_key + hand), _mm256_permute4x64_epi64(both, 0xD8));
        keys->has_flush[hand / HANDS_PER_GROUP] = (uint8_t)flush;
    }
    uint8_t large[32];
    _mm256_storeu_si256((__m256i *)large, largest);
    for (int i = 0; i < 32; i++)
        if (large[i] > keys->largest_card) keys->largest_card = large[i];
    return hand;
}
#endif

/* Strengths of the hands of one block. */
static void look_up(const HandTables *tables, const uint8_t *cards, const BlockKeys *keys,
                    size_t num_hands, uint16_t *strengths) {
    for (size_t hand = 0; hand < num_hands; hand++) {
        uint32_t key = keys->rank_key[hand];
        strengths[hand] = tables->rank_strength[tables->row_start[key >> 19] + ((key >> 9) & 1023)];
    }
    for (size_t group = 0; group * HANDS_PER_GROUP < num_hands; group++) {
        for (unsigned left = keys->has_flush[group]; left; left &= left - 1) {
            size_t hand = group * HANDS_PER_GROUP + (size_t)__builtin_ctz(left);
            const uint8_t *c = cards + hand * tables->num_cards;
            uint64_t bits = 0;
            for (int i = 0; i < tables->num_cards; i++) bits |= 1ULL << (16 * (c[i] & 3) + (c[i] >> 2) % 16);
            const uint16_t *flush = tables->flush_strength;
            strengths[hand] = flush[bits & 0x1FFF] | flush[bits >> 16 & 0x1FFF]
                            | flush[bits >> 32 & 0x1FFF] | flush[bits >> 48 & 0x1FFF];
        }
    }
}

enum { BEST_INSTRUCTIONS = 0, SCALAR_INSTRUCTIONS = 1, AVX2_INSTRUCTIONS = 2, AVX512_INSTRUCTIONS = 3 };

/* What this processor can run: the largest of the constants above. */
static int best_instructions(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return AVX512_INSTRUCTIONS;
    if (__builtin_cpu_supports("avx2")) return AVX2_INSTRUCTIONS;
#endif
    return SCALAR_INSTRUCTIONS;
}

/* Strengths of num_hands hands of tables->num_cards bytes each. Returns the largest
 * card; where that is not below 52 the strengths mean nothing. */
static int evaluate_hands(const HandTables *tables, const uint8_t *cards, size_t num_hands,
                          uint16_t *strengths, int instructions) {
    BlockKeys keys;
    keys.largest_card = 0;
#if defined(__x86_64__) && defined(__GNUC__)
    ByteTables bytes;
    fill_byte_tables(tables, &bytes);
#endif
    for (size_t first = 0; first < num_hands; first += HANDS_PER_BLOCK) {
        const uint8_t *block = cards + first * tables->num_cards;
        size_t size = num_hands - first < HANDS_PER_BLOCK ? num_hands - first : HANDS_PER_BLOCK;
        size_t done = 0;
#if defined(__x86_64__) && defined(__GNUC__)
        size_t readable = (num_hands - first) * tables->num_cards;
        if (instructions == AVX512_INSTRUCTIONS)
            done = keys_avx512(tables, &bytes, block, size, readable, &keys);
        else if (instructions == AVX2_INSTRUCTIONS)
            done = keys_avx2(tables, &bytes, block, size, readable, &keys);
#endif
        keys_scalar(tables, block, done, size, &keys);
        look_up(tables, block, &keys, size, strengths + first);
    }
    return keys.largest_card;
}

#endif

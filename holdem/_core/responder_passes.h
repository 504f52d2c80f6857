/* The passes of responder_lanes.h for NUM_LANES betting situations side by side.
 *
 * A row is read once, turned into a strategy once and written once, however many hands of the
 * board share it.
 */
#include <float.h>

#include "responder_lanes.h"
#include "lanes_simd.h"
#include "responder_endings.h"

/* The usual numbers of actions as constants: their loops unroll. */
#define WITH_ACTIONS(pass, row, ...)                               \
    do {                                                           \
        if ((row)->num_actions == 2) pass(2, row, __VA_ARGS__);    \
        else if ((row)->num_actions == 3) pass(3, row, __VA_ARGS__); \
        else pass((row)->num_actions, row, __VA_ARGS__);           \
    } while (0)

/* Regret matching in every lane; where no regret is positive, `uniform` is played. */
BODY match_row(const lanes_t *row, const lanes_t *uniform, int k, lanes_t *strategy) {
    const lanes_t zero = {0};
    lanes_t total = zero;
    for (int a = 0; a < k; a++) {
        strategy[a] = SELECT(LESS(zero, row[a]), row[a], zero);
        total += strategy[a];
    }
    lane_bits_t some = LESS(zero + FLT_MIN, total);
    lanes_t scale = 1.0f / SELECT(some, total, zero + 1.0f);
    for (int a = 0; a < k; a++) strategy[a] = SELECT(some, strategy[a] * scale, uniform[a]);
}

/* regrets[a] = what bucket b of the board plays by, of its own and of its parent's. */
BODY join_parent(const row_t *row, const listing_t *listing, int b, int k, const lanes_t *own,
                 const lanes_t *parent, lanes_t *regrets) {
    const float pull = row->pull * listing->shares[b];
    for (int a = 0; a < k; a++) regrets[a] = own[a] + pull * parent[a];
}

static inline lanes_t *parent_of(const row_t *row, const listing_t *listing, int b, int k) {
    return (lanes_t *)row->parents + (int64_t)listing->parents[b] * k;
}

/* Rows are far apart in memory that no cache holds: they are asked for in time. */
#define AHEAD 6

/* Ask for the first *words* of bucket b's row, and for what its parent has. */
BODY ask_for(const row_t *row, const listing_t *listing, int b, int k, int words) {
    const lanes_t *next =
        (const lanes_t *)row->rows + (int64_t)listing->buckets[b] * row->stride;
    for (int a = 0; a < words; a++) __builtin_prefetch(next + a);
    if (!row->parents) return;
    const lanes_t *parent = parent_of(row, listing, b, k);
    for (int a = 0; a < k; a++) __builtin_prefetch(parent + a);
}

/* bits = one for each lane, set where all of the lane's are. */
BODY to_bits(unsigned *bits, const lane_bits_t *lanes) {
#if NUM_LANES == 1
    *bits = *lanes & 1;
#elif defined(__SSE__)
    typedef float quad_t __attribute__((vector_size(16)));
    quad_t quads[NUM_LANES / 4];
    memcpy(quads, lanes, sizeof quads);
    *bits = 0;
    for (int q = 0; q < NUM_LANES / 4; q++)
        *bits |= (unsigned)__builtin_ia32_movmskps(quads[q]) << 4 * q;
#else
    *bits = 0;
    for (int l = 0; l < NUM_LANES; l++) *bits |= ((*lanes)[l] & 1u) << l;
#endif
}

BODY clear_rows_body(float *reach, const uint16_t *rows, int num) {
    const lanes_t zero = {0};
    for (int i = 0; i < num; i++) ((lanes_t *)reach)[rows[i]] = zero;
}
CLONED(clear_rows, (float *reach, const uint16_t *rows, int num), (reach, rows, num))

BODY weigh_body(held_t *held, const float *begun, const ranked_rows_t *hands) {
    lanes_t sum = {0};
    for (int i = 0; i < NUM_HANDS; i++) sum += ((const lanes_t *)begun)[hands->hands[i]];
    held->begun = begun;
    *(lanes_t *)held->scale = 1.0f / (sum * (1.0f / NUM_HANDS) + LEAST_HELD);
}
CLONED(weigh, (held_t *held, const float *begun, const ranked_rows_t *hands), (held, begun, hands))

BODY sum_buckets_body(const listing_t *listing, const float *begun, float *sums) {
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t sum = {0};
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++)
            sum += ((const lanes_t *)begun)[listing->hands[i]];
        ((lanes_t *)sums)[b] = sum;
    }
}
CLONED(sum_buckets, (const listing_t *listing, const float *begun, float *sums),
       (listing, begun, sums))

/* live = those of the board's buckets that bring something in any lane, in order; how many. */
static inline int list_live(const listing_t *listing, const lanes_t *sums, const lanes_t *likely,
                            int *live) {
    const lanes_t zero = {0};
    int num = 0;
    for (int b = 0; b < listing->num_buckets; b++) {
        unsigned bits;
        const lane_bits_t brings = LESS(zero, sums[b]) & LESS(zero, likely[b]);
        to_bits(&bits, &brings);
        live[num] = b;
        num += bits != 0;
    }
    return num;
}

/* strategy = in part what the row's sums are in proportion to; itself where there are none yet. */
BODY mix_average_in(const lanes_t *sums, int k, lanes_t *strategy) {
    const lanes_t zero = {0};
    lanes_t total = zero;
    for (int a = 0; a < k; a++) total += sums[a];
    const lane_bits_t some = LESS(zero + FLT_MIN, total);
    const lanes_t scale = AVERAGE_SHOWN / SELECT(some, total, zero + 1.0f);
    for (int a = 0; a < k; a++) {
        const lanes_t mixed = (1.0f - AVERAGE_SHOWN) * strategy[a] + scale * sums[a];
        strategy[a] = SELECT(some, mixed, strategy[a]);
    }
}

/* What buckets do that bring nothing changes nothing: their rows, about half, are left alone. */
BODY play_k(int k, const row_t *row, const listing_t *listing, float weight, const lanes_t *sums,
            const lanes_t *likely, lanes_t *played) {
    const int num = listing->num_buckets, words = weight != 0 || row->shows_average ? 2 * k : k;
    int live[NUM_HANDS];
    const int num_live = list_live(listing, sums, likely, live);
    memset(played, 0, (size_t)(k * num) * sizeof(lanes_t));
    for (int i = 0; i < num_live; i++) {
        const int b = live[i];
        lanes_t *regrets = (lanes_t *)row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], shown[MOST_ACTIONS], joined[MOST_ACTIONS];
        if (i + AHEAD < num_live) ask_for(row, listing, live[i + AHEAD], k, words);
        if (row->parents)
            join_parent(row, listing, b, k, regrets, parent_of(row, listing, b, k), joined);
        match_row(row->parents ? joined : regrets, (const lanes_t *)row->uniform, k, strategy);
        for (int a = 0; a < k; a++) shown[a] = strategy[a];
        if (row->shows_average) mix_average_in(regrets + k, k, shown);
        for (int a = 0; a < k; a++) {
            strategy[a] *= likely[b];
            played[a * num + b] = shown[a] * likely[b];
        }
        if (weight != 0)
            for (int a = 0; a < k; a++) regrets[k + a] += (sums[b] * weight) * strategy[a];
    }
}

BODY play_rows_body(const row_t *row, const listing_t *listing, float weight, const float *sums,
                    const float *likely, float *played) {
    WITH_ACTIONS(play_k, row, listing, weight, (const lanes_t *)sums, (const lanes_t *)likely,
                 (lanes_t *)played);
}
CLONED(play_rows,
       (const row_t *row, const listing_t *listing, float weight, const float *sums,
        const float *likely, float *played),
       (row, listing, weight, sums, likely, played))

BODY learn_k(int k, const row_t *row, const listing_t *listing, float weight,
             const lanes_t *of_action, lanes_t *values, int more, const held_t *held) {
    const lanes_t *begun = held ? (const lanes_t *)held->begun : 0;
    const lanes_t zero = {0}, *uniform = (const lanes_t *)row->uniform;
    lanes_t scale = zero;
    if (held) scale = *(const lanes_t *)held->scale;
    lanes_t *parent = 0, before[MOST_ACTIONS]; /* what its regrets were for all its buckets */
    for (int b = 0; b < listing->num_buckets; b++) {
        lanes_t *regrets =
            (lanes_t *)row->rows + (int64_t)listing->buckets[b] * row->stride;
        lanes_t strategy[MOST_ACTIONS], sums[MOST_ACTIONS], joined[MOST_ACTIONS], all = zero;
        if (b + AHEAD < listing->num_buckets) ask_for(row, listing, b + AHEAD, k, k);
        if (row->parents) {
            if (b == 0 || listing->parents[b] != listing->parents[b - 1]) {
                parent = parent_of(row, listing, b, k);
                for (int a = 0; a < k; a++) before[a] = parent[a];
            }
            join_parent(row, listing, b, k, regrets, before, joined);
        }
        match_row(row->parents ? joined : regrets, uniform, k, strategy);
        for (int a = 0; a < k; a++) sums[a] = zero;
        for (int i = listing->starts[b]; i < listing->starts[b + 1]; i++) {
            int h = listing->hands[i];
            lanes_t value = zero, counts = zero + 1.0f;
            if (begun) counts = (begun[h] + LEAST_HELD) * scale;
            for (int a = 0; a < k; a++) {
                lanes_t term = of_action[a * NUM_ROWS + h];
                sums[a] += counts * term;
                value += strategy[a] * term;
            }
            all += counts * value;
            if (more) values[h] += value;
            else values[h] = value;
        }
        for (int a = 0; a < k; a++) {
            lanes_t regret = (sums[a] - all) * weight;
            regret = SELECT(LESS(zero, uniform[a]), regret, zero);
            regrets[a] += regret;
            if (parent) parent[a] += regret;
        }
    }
}

BODY learn_rows_body(const row_t *row, const listing_t *listing, float weight,
                     const float *of_action, float *values, int more, const held_t *held) {
    WITH_ACTIONS(learn_k, row, listing, weight, (const lanes_t *)of_action, (lanes_t *)values,
                 more, held);
}
CLONED(learn_rows,
       (const row_t *row, const listing_t *listing, float weight, const float *of_action,
        float *values, int more, const held_t *held),
       (row, listing, weight, of_action, values, more, held))

BODY answer_body(const row_t *row, const ranked_rows_t *hands, const float *of_action,
                 float *values, uint16_t *choices, int more) {
    const lanes_t zero = {0}, *uniform = (const lanes_t *)row->uniform;
    lanes_t bar[MOST_ACTIONS];
    for (int a = 0; a < row->num_actions; a++)
        bar[a] = SELECT(LESS(zero, uniform[a]), zero, zero - FLT_MAX);
    for (int i = 0; i < NUM_HANDS; i++) {
        const int h = hands->hands[i];
        const lanes_t *terms = (const lanes_t *)of_action + h;
        lanes_t *value = (lanes_t *)values + h;
        uint16_t *choice = choices + h;
        /* With the bar added no value is -0. */
        lanes_t best = terms[0] + bar[0];
        choice[0] = (uint16_t)-1;
        for (int a = 1; a < row->num_actions; a++) {
            unsigned bits;
            const lanes_t term = terms[a * NUM_ROWS] + bar[a];
            const lane_bits_t better = LESS(best, term);
            best = SELECT(better, term, best);
            to_bits(&bits, &better);
            choice[a * NUM_ROWS] = (uint16_t)bits;
            for (int b = 0; b < a; b++) choice[b * NUM_ROWS] &= (uint16_t)~bits;
        }
        if (more) *value += best;
        else *value = best;
    }
}
CLONED(answer,
       (const row_t *row, const ranked_rows_t *hands, const float *of_action, float *values,
        uint16_t *choices, int more),
       (row, hands, of_action, values, choices, more))

#if NUM_LANES > 1
static void unpack(float *blocks, const begun_t *begun, const float *likely, const int32_t *slots,
                   const ranked_rows_t *hands) {
    unpack_lanes(blocks, (const lanes_t *)begun->begun, (const lanes_t *)likely, begun->places,
                 slots, NUM_ROWS, hands->hands, NUM_HANDS);
}

static void pack(float *packed, const float *blocks, const int32_t *slots,
                 const ranked_rows_t *hands, int more) {
    pack_lanes((lanes_t *)packed, blocks, slots, NUM_ROWS, hands->hands, NUM_HANDS, more);
}
#else
#define unpack 0
#define pack 0
#endif

#define PASSES                                                                                     \
    {                                                                                              \
        NUM_LANES, clear_rows, weigh, sum_buckets, play_rows, learn_rows, answer, own_endings,            \
            others_endings, unpack, pack,                                                          \
    }

/* Passes over all hands of one board, 16 betting situations side by side.
 *
 * An array of lanes has one vector per hand: lane l of every vector belongs to the same one of
 * 16 points of the betting tree that are alike but for their chips. So a pass is the same
 * arithmetic in every lane, and each lane's result is the same for every width of registers.
 */
#ifndef HOLDEM_BEST_RESPONSE_SIMD_H
#define HOLDEM_BEST_RESPONSE_SIMD_H

#include <stdint.h>
#include <string.h>

#define NUM_LANES 16
#define NUM_DECK 52

typedef float lanes_t __attribute__((vector_size(64), aligned(64)));
typedef int32_t lane_bits_t __attribute__((vector_size(64), aligned(64)));

/* The larger of two vectors, lane by lane. A macro: vectors are not passed between functions. */
#define LARGER(a, b)                                                                               \
    ((lanes_t)((((a) > (b)) & (lane_bits_t)(a)) | (~((a) > (b)) & (lane_bits_t)(b))))

/* A hand that is possible on a board. */
typedef struct {
    uint16_t parent; /* its row on the board one street earlier */
    uint16_t bucket;
    uint8_t high; /* its two cards, in any order */
    uint8_t low;
} row_t;

/* Consecutive hands that share their high card and, on the last street, their strength. */
typedef struct {
    uint16_t end; /* the row after the last */
    uint8_t card;
    uint8_t ties; /* 1 if the next run has the same strength */
} run_t;

/* The hands of one board. On the last street in order of strength, the weakest first. */
typedef struct {
    const row_t *rows;
    const run_t *runs;
    int32_t num_rows;
    int32_t num_runs;
} hands_t;

/* What the actions that end the hand are worth at one decision. */
typedef struct {
    const lanes_t *strategy; /* (buckets, num_actions), whoever acts here */
    int32_t num_actions;
    int32_t fold;     /* the action that folds; -1 if there is none */
    int32_t showdown; /* the action that leads to a showdown; -1 if there is none */
    lanes_t fold_chips;     /* net chips of the responder */
    lanes_t showdown_chips; /* what each seat paid */
} endings_t;

#if defined(__x86_64__) && defined(__GNUC__)
#define CLONED(name, parameters, arguments)                                                        \
    __attribute__((target("avx512f"))) static void name##_avx512 parameters {                      \
        name##_body arguments;                                                                     \
    }                                                                                              \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; }  \
    static void name parameters {                                                                  \
        if (__builtin_cpu_supports("avx512f")) name##_avx512 arguments;                            \
        else if (__builtin_cpu_supports("avx2")) name##_avx2 arguments;                            \
        else name##_body arguments;                                                                \
    }
#else
#define CLONED(name, parameters, arguments) \
    static void name parameters { name##_body arguments; }
#endif
#define BODY static inline __attribute__((always_inline)) void

/* ---- Between a board and the one before it ---- */

/* here[i] = before[parent of i] */
BODY gather_rows_body(lanes_t *here, const lanes_t *before, const hands_t *hands) {
    for (int i = 0; i < hands->num_rows; i++) here[i] = before[hands->rows[i].parent];
}
CLONED(gather_rows, (lanes_t *here, const lanes_t *before, const hands_t *hands),
       (here, before, hands))

/* before[parent of i] += weight * here[i] */
BODY add_rows_body(lanes_t *before, const lanes_t *here, const hands_t *hands, float weight) {
    for (int i = 0; i < hands->num_rows; i++) before[hands->rows[i].parent] += weight * here[i];
}
CLONED(add_rows, (lanes_t *before, const lanes_t *here, const hands_t *hands, float weight),
       (before, here, hands, weight))

/* values[i] = the mean of values[i] and values[symmetry[i]] over all symmetries. */
BODY symmetrise_body(lanes_t *values, lanes_t *copy, const uint16_t *symmetries,
                     int num_symmetries, int num_rows) {
    memcpy(copy, values, sizeof(lanes_t) * num_rows);
    for (int s = 0; s < num_symmetries; s++) {
        const uint16_t *image = symmetries + (int64_t)s * num_rows;
        for (int i = 0; i < num_rows; i++) values[i] += copy[image[i]];
    }
    for (int i = 0; i < num_rows; i++) values[i] *= 1.0f / (float)(num_symmetries + 1);
}
CLONED(symmetrise,
       (lanes_t *values, lanes_t *copy, const uint16_t *symmetries, int num_symmetries,
        int num_rows),
       (values, copy, symmetries, num_symmetries, num_rows))

/* Lane l of row i of *packed* is lane slots[l] % 16 of row i of the block slots[l] / 16 of
 * *blocks*, each of num_rows rows; a slot below 0 is no lane. */
static void unpack_lanes(float *blocks, const lanes_t *packed, const int32_t *slots,
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

static void pack_lanes(lanes_t *packed, const float *blocks, const int32_t *slots, int num_rows) {
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

/* ---- At a decision ---- */

/* played[i] = reach[i] * the probability of one action; strategy: (buckets, num_actions). */
BODY play_body(lanes_t *played, const lanes_t *reach, const lanes_t *strategy, int num_actions,
               int action, const hands_t *hands) {
    strategy += action;
    for (int i = 0; i < hands->num_rows; i++)
        played[i] = reach[i] * strategy[hands->rows[i].bucket * num_actions];
}
CLONED(play,
       (lanes_t *played, const lanes_t *reach, const lanes_t *strategy, int num_actions,
        int action, const hands_t *hands),
       (played, reach, strategy, num_actions, action, hands))

/* sums[i] += terms[i] */
BODY add_body(lanes_t *sums, const lanes_t *terms, int num_rows) {
    for (int i = 0; i < num_rows; i++) sums[i] += terms[i];
}
CLONED(add, (lanes_t *sums, const lanes_t *terms, int num_rows), (sums, terms, num_rows))

/* sums[i] += the probability of one action * terms[i] */
BODY add_played_body(lanes_t *sums, const lanes_t *terms, const lanes_t *strategy,
                     int num_actions, int action, const hands_t *hands) {
    strategy += action;
    for (int i = 0; i < hands->num_rows; i++)
        sums[i] += terms[i] * strategy[hands->rows[i].bucket * num_actions];
}
CLONED(add_played,
       (lanes_t *sums, const lanes_t *terms, const lanes_t *strategy, int num_actions, int action,
        const hands_t *hands),
       (sums, terms, strategy, num_actions, action, hands))

/* best[i] = the larger of best[i] and others[i] */
BODY raise_to_body(lanes_t *best, const lanes_t *others, int num_rows) {
    for (int i = 0; i < num_rows; i++) best[i] = LARGER(best[i], others[i]);
}
CLONED(raise_to, (lanes_t *best, const lanes_t *others, int num_rows), (best, others, num_rows))

/* ---- Where the hand ends ---- */

/* Sums of reach by card, less what a hand itself holds: the reach that a hand {h, l} meets is
 * total - cards[h] - cards[l] + its own, which was taken off twice. */

/* The opponent decides, and *reach* is what it came here with: values[i] is what the responder
 * gains by the opponent's actions that end the hand. work: (num_rows,).
 *
 * With d = reach * (fold chips * p(fold) - showdown chips * p(showdown)) summed over all hands
 * and w = showdown chips * reach * p(showdown), the value is the sum of d, plus w twice over
 * the weaker hands and once over equal ones. The sweep adds each hand's w to the sums after the
 * weaker hands' values are read and before its own is read again: half of each reading. */
BODY others_endings_body(lanes_t *values, lanes_t *work, const lanes_t *reach,
                         const endings_t *endings, const hands_t *hands) {
    const row_t *rows = hands->rows;
    const run_t *runs = hands->runs;
    const int folds = endings->fold >= 0, shows = endings->showdown >= 0;
    lanes_t cards[NUM_DECK];
    lanes_t total = {0};
    memset(cards, 0, sizeof cards);
    int i = 0;
    for (int r = 0; r < hands->num_runs; r++) {
        lanes_t of_card = {0};
        for (; i < runs[r].end; i++) {
            const lanes_t *chance = endings->strategy + rows[i].bucket * endings->num_actions;
            lanes_t d = {0};
            if (folds) d = endings->fold_chips * chance[endings->fold] * reach[i];
            if (shows) {
                lanes_t w = endings->showdown_chips * chance[endings->showdown] * reach[i];
                work[i] = w;
                d -= w;
            }
            values[i] = d;
            of_card += d;
            cards[rows[i].low] += d;
        }
        total += of_card;
        cards[runs[r].card] += of_card;
    }
    if (!shows) {
        i = 0;
        for (int r = 0; r < hands->num_runs; r++) {
            lanes_t base = total - cards[runs[r].card];
            for (; i < runs[r].end; i++) values[i] += base - cards[rows[i].low];
        }
        return;
    }
    total *= 0.5f;
    for (int c = 0; c < NUM_DECK; c++) cards[c] *= 0.5f;
    int first = 0, start = 0;
    while (first < hands->num_runs) {
        int last = first;
        while (runs[last].ties) last++;
        i = start;
        for (int r = first; r <= last; r++) {
            lanes_t base = total - cards[runs[r].card];
            for (; i < runs[r].end; i++) values[i] += base - cards[rows[i].low];
        }
        i = start;
        for (int r = first; r <= last; r++) {
            lanes_t of_card = {0};
            for (; i < runs[r].end; i++) {
                of_card += work[i];
                cards[rows[i].low] += work[i];
            }
            total += of_card;
            cards[runs[r].card] += of_card;
        }
        i = start;
        for (int r = first; r <= last; r++) {
            lanes_t base = total - cards[runs[r].card];
            for (; i < runs[r].end; i++) values[i] += base - cards[rows[i].low] + work[i];
        }
        start = i;
        first = last + 1;
    }
}
CLONED(others_endings,
       (lanes_t *values, lanes_t *work, const lanes_t *reach, const endings_t *endings,
        const hands_t *hands),
       (values, work, reach, endings, hands))

/* The responder decides against *reach*: best[i] is the best of its actions that end the hand,
 * and own[i], unless own is NULL, what those actions bring that its policy takes. If it may not
 * choose, best[i] is that too. Without a strategy the only action is the showdown. */
BODY own_endings_body(lanes_t *best, lanes_t *own, const lanes_t *reach, int chooses,
                      const endings_t *endings, const hands_t *hands) {
    const row_t *rows = hands->rows;
    const run_t *runs = hands->runs;
    const int folds = endings->fold >= 0, shows = endings->showdown >= 0;
    const lanes_t no_lanes = {0};
    lanes_t cards[NUM_DECK], weaker[NUM_DECK];
    lanes_t total = {0};
    memset(cards, 0, sizeof cards);
    int i = 0;
    for (int r = 0; r < hands->num_runs; r++) {
        lanes_t of_card = {0};
        for (; i < runs[r].end; i++) {
            of_card += reach[i];
            cards[rows[i].low] += reach[i];
        }
        total += of_card;
        cards[runs[r].card] += of_card;
    }
    lanes_t below = total * -0.5f;
    for (int c = 0; c < NUM_DECK; c++) weaker[c] = cards[c] * -0.5f;
    int first = 0, start = 0;
    while (first < hands->num_runs) {
        int last = first;
        if (shows) {
            while (runs[last].ties) last++;
            i = start;
            for (int r = first; r <= last; r++) {
                lanes_t base = below - weaker[runs[r].card];
                for (; i < runs[r].end; i++) best[i] = base - weaker[rows[i].low];
            }
            i = start;
            for (int r = first; r <= last; r++) {
                lanes_t of_card = {0};
                for (; i < runs[r].end; i++) {
                    of_card += reach[i];
                    weaker[rows[i].low] += reach[i];
                }
                below += of_card;
                weaker[runs[r].card] += of_card;
            }
        }
        i = start;
        for (int r = first; r <= last; r++) {
            lanes_t base = below - weaker[runs[r].card];
            lanes_t met = total - cards[runs[r].card];
            for (; i < runs[r].end; i++) {
                lanes_t fold = no_lanes, show = no_lanes, mean = no_lanes, value;
                if (folds) fold = endings->fold_chips * (met - cards[rows[i].low] + reach[i]);
                if (shows) show = endings->showdown_chips * (best[i] + base - weaker[rows[i].low]);
                if (own || !chooses) {
                    if (endings->strategy) {
                        const lanes_t *chance =
                            endings->strategy + rows[i].bucket * endings->num_actions;
                        if (folds) mean += fold * chance[endings->fold];
                        if (shows) mean += show * chance[endings->showdown];
                    } else mean = show;
                }
                if (!chooses) value = mean;
                else if (!shows) value = fold;
                else if (!folds) value = show;
                else value = LARGER(fold, show);
                best[i] = value;
                if (own) own[i] = mean;
            }
        }
        start = i;
        first = last + 1;
    }
}
CLONED(own_endings,
       (lanes_t *best, lanes_t *own, const lanes_t *reach, int chooses, const endings_t *endings,
        const hands_t *hands),
       (best, own, reach, chooses, endings, hands))

#endif

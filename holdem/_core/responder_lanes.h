/* The passes over all hands of a board of a walk against a responder, by how many betting situations
 * lie side by side: few streets begin in many ways, and lanes that are left over cost as
 * much as those in use.
 *
 * What a seat brings to a point is its reach where the street began, by hand, times how likely it
 * has played to the point since, by bucket: a vector for each bucket is a few kilobytes, where one
 * for each hand would be more than caches hold. A responder that has answered each hand apart
 * brings some hands and others not.
 *
 * A vector is `width` floats, at a multiple of as many bytes as it has; all arrays of vectors here
 * are float*. What each lane does or not is a bit of a uint16_t.
 */
#ifndef HOLDEM_RESPONDER_LANES_H
#define HOLDEM_RESPONDER_LANES_H

#include <stdint.h>

#include "entries.h"

/* A vector per hand, and more rows that are none: 16 for each pair of ranks, 6 for each rank, and
 * one for each hand that makes a flush. */
#define NUM_HANDS 1081
#define NUM_ROWS (1326 + NUM_HANDS)

/* At one decision. */
#define MOST_ACTIONS 16

/* The hands of a board by their buckets on one street. */
typedef struct {
    int32_t num_buckets;           /* that there are on the board */
    int32_t buckets[NUM_HANDS];    /* ascending; if they have parents, by parent first */
    int32_t parents[NUM_HANDS];    /* of these buckets, if they have any */
    float shares[NUM_HANDS];       /* of these buckets in their parents */
    int32_t starts[NUM_HANDS + 1]; /* (num_buckets + 1,) */
    uint16_t hands[NUM_HANDS];     /* their rows */
    uint16_t places[NUM_ROWS];     /* by row, which of these buckets it is in; 0 if it is no hand */
} listing_t;

/* The rows of one decision: bucket b's begin at vector b * stride with its regrets. Where buckets
 * have parents, what is played is by a bucket's regrets and, `pull` times its share of them, those
 * of its parent, at vector parent * num_actions. */
typedef struct {
    float *rows;
    float *parents;       /* NULL for none */
    const float *uniform; /* (num_actions,) 0 where a lane has no such action */
    float pull;
    int32_t stride;
    int32_t num_actions;
    int32_t shows_average; /* see AVERAGE_SHOWN; its sums follow a bucket's regrets */
} row_t;

/* How much of what a responder answers best is the average strategy, and not the current one. The
 * current one swings, and answers to it alone swing with it; the average lags. */
#define AVERAGE_SHOWN 0.5f

/* The hands of a river board, the weakest first; an entry's rows come after those before it. Rows
 * that are no hand's hold a reach of 0; their values mean nothing. */
typedef struct {
    const entry_t *entries;
    int32_t num_entries;
    const uint16_t *hands; /* (1081,) their rows */
} ranked_rows_t;

/* What the other seat brings to a street, and how what it brings to a point is given. */
typedef struct {
    const float *begun;     /* by row, its reach where the street began */
    const uint16_t *places; /* by row, its bucket's place among those of the board */
    int32_t num_buckets;
    int32_t by_hand; /* else a point's is `likely`, float (num_buckets,): how likely each bucket
                        has played to there; by hand, uint16_t by row: a bit for each lane */
} begun_t;

/* What the walking seat has where a street began, by row, and what makes weights of it: a hand's
 * regrets count (begun + LEAST_HELD) * scale times, once on average over all hands. */
typedef struct {
    const float *begun;
    float scale[16] __attribute__((aligned(64)));
} held_t;

/* So that hands that are never there are learned too, and that all count alike where none is. */
#define LEAST_HELD 0.01f

/* The endings that one decision may lead to: what the other seat brings there, see begun_t, and
 * what the walking seat wins of each unit of it. */
typedef struct {
    const void *folded; /* NULL if there is no such action */
    const void *shown;  /* likewise */
    const float *fold_chips;
    const float *show_chips;
    float fold_sign; /* of fold_chips */
} endings_t;

typedef struct {
    int32_t width;
    /* Rows that are no hand's are set to 0. */
    void (*clear_rows)(float *reach, const uint16_t *rows, int num);
    /* Fill in held, of what a seat's hands have begun with. */
    void (*weigh)(held_t *held, const float *begun, const ranked_rows_t *hands);
    /* sums[b] = what was begun with by the hands of bucket b. */
    void (*sum_buckets)(const listing_t *listing, const float *begun, float *sums);
    /* played[a][b] = likely[b] times how likely a is then, or 0 if nothing is brought: sums[b] is
     * what the hands of bucket b have begun with. The average takes what is played now in weight
     * times, whatever is shown. */
    void (*play_rows)(const row_t *row, const listing_t *listing, float weight, const float *sums,
                      const float *likely, float *played);
    /* values[h] = what the current strategy makes of the actions' values, or that more; regrets
     * are added, to those of parents too, by what is held unless that is NULL. */
    void (*learn_rows)(const row_t *row, const listing_t *listing, float weight,
                       const float *of_action, float *values, int more, const held_t *held);
    /* choices[a][h] = where a is best, the first of equal ones, and what that is worth, or that
     * more. Every lane has the first action. */
    void (*answer)(const row_t *row, const ranked_rows_t *hands, const float *of_action,
                   float *values, uint16_t *choices, int more);
    /* Where the walking seat decides: each ending's values. Both are brought the same. work: 3
     * vectors for each bucket. */
    void (*own_endings)(const ranked_rows_t *hands, const begun_t *begun, const endings_t *endings,
                        float *of_fold, float *of_show, float *work);
    /* Where the other seat decides: the sum of both endings' values, or that more. */
    void (*others_endings)(const ranked_rows_t *hands, const begun_t *begun,
                           const endings_t *endings, int more, float *values, float *work);
    /* Each lane of what is brought to a point to where its slot says, and of packed values from
     * there, or that more; between streets of this width. NULL for a single lane. */
    void (*unpack)(float *blocks, const begun_t *begun, const float *likely, const int32_t *slots,
                   const ranked_rows_t *hands);
    void (*pack)(float *packed, const float *blocks, const int32_t *slots,
                 const ranked_rows_t *hands, int more);
} lane_passes_t;

extern const lane_passes_t RESPONDER_LANES_1, RESPONDER_LANES_8, RESPONDER_LANES_16;

/* The same from a street of one width to one of another. */
static inline void unpack_between(const lane_passes_t *from, const lane_passes_t *to, float *blocks,
                                  const begun_t *begun, const float *likely, const int32_t *slots,
                                  const ranked_rows_t *hands) {
    if (from == to && from->unpack) {
        from->unpack(blocks, begun, likely, slots, hands);
        return;
    }
    for (int l = 0; l < from->width; l++) {
        if (slots[l] < 0) continue;
        float *block = blocks + (int64_t)(slots[l] / to->width) * NUM_ROWS * to->width
                       + slots[l] % to->width;
        for (int i = 0; i < NUM_HANDS; i++) {
            const int row = hands->hands[i];
            block[row * to->width] = begun->begun[row * from->width + l]
                                     * likely[begun->places[row] * from->width + l];
        }
    }
}

static inline void pack_between(const lane_passes_t *to, const lane_passes_t *from, float *packed,
                                const float *blocks, const int32_t *slots,
                                const ranked_rows_t *hands, int more) {
    if (from == to && from->pack) {
        from->pack(packed, blocks, slots, hands, more);
        return;
    }
    for (int l = 0; l < to->width; l++) {
        const float *block = slots[l] < 0 ? 0
                                          : blocks
                                                + (int64_t)(slots[l] / from->width) * NUM_ROWS
                                                      * from->width
                                                + slots[l] % from->width;
        for (int i = 0; i < NUM_HANDS; i++) {
            const int row = hands->hands[i];
            const float value = block ? block[row * from->width] : 0.0f;
            float *sum = packed + row * to->width + l;
            *sum = more ? *sum + value : value;
        }
    }
}

/* played[a][h] = where a hand is there and chooses a. */
static inline void play_choices(const uint16_t *choices, int num_actions, const uint16_t *there,
                                uint16_t *played) {
    for (int a = 0; a < num_actions; a++)
        for (int row = 0; row < NUM_ROWS; row++)
            played[a * NUM_ROWS + row] = there[row] & choices[a * NUM_ROWS + row];
}

#endif

/* The passes over all hands of a board of a walk against a responder, by how many betting situations
 * lie side by side: few streets begin in many ways, and lanes that are left over cost as
 * much as those in use.
 *
 * A vector is `width` floats, at a multiple of as many bytes as it has; all arrays of vectors here
 * are float*.
 */
#ifndef HOLDEM_RESPONDER_LANES_H
#define HOLDEM_RESPONDER_LANES_H

#include <stdint.h>

#include "entries.h"

/* A vector per hand, and more rows that are none: 16 for each pair of ranks, 6 for each rank, and
 * one for each hand that makes a flush. */
#define NUM_HANDS 1081
#define NUM_ROWS (1326 + NUM_HANDS)

/* The hands of a board by their buckets on one street. */
typedef struct {
    int32_t num_buckets;           /* that there are on the board */
    int32_t buckets[NUM_HANDS];    /* ascending */
    int32_t starts[NUM_HANDS + 1]; /* (num_buckets + 1,) */
    uint16_t hands[NUM_HANDS];     /* their rows */
} listing_t;

/* The rows of one decision: bucket b's begin at vector b * stride with its regrets. */
typedef struct {
    float *rows;
    const float *uniform; /* (num_actions,) 0 where a lane has no such action */
    int32_t stride;
    int32_t num_actions;
} row_t;

/* The hands of a river board, the weakest first; an entry's rows come after those before it. Rows
 * that are no hand's hold a reach of 0; their values mean nothing. */
typedef struct {
    const entry_t *entries;
    int32_t num_entries;
    const uint16_t *hands; /* (1081,) their rows */
} ranked_rows_t;

/* The endings that one decision may lead to: the other seat's reach, and what the walking seat wins
 * of each unit of it. */
typedef struct {
    const float *folded; /* NULL if there is no such action */
    const float *shown;  /* likewise */
    const float *fold_chips;
    const float *show_chips;
    float fold_sign; /* of fold_chips */
} endings_t;

typedef struct {
    int32_t width;
    /* played[a][h] = reach[h] times how likely a is; with a weight, the average takes it in. */
    void (*play_rows)(const row_t *row, const listing_t *listing, float weight, const float *reach,
                      float *played);
    /* values[h] = what the current strategy makes of the actions' values, or that more; regrets
     * are added. */
    void (*learn_rows)(const row_t *row, const listing_t *listing, float weight,
                       const float *of_action, float *values, int more);
    /* The best action of every hand, the first of equal ones, and what it is worth, or that more.
     * Every lane has the first action. */
    void (*answer)(const row_t *row, const ranked_rows_t *hands, const float *of_action,
                   float *values, int8_t *choices, int more);
    /* played[a][h] = reach[h] where a was chosen. */
    void (*play_choices)(const int8_t *choices, int num_actions, const ranked_rows_t *hands,
                         const float *reach, float *played);
    /* Where the walking seat decides: each ending's values. Both have the same reach. */
    void (*own_endings)(const ranked_rows_t *hands, const endings_t *endings, float *of_fold,
                        float *of_show);
    /* Where the other seat decides: the sum of both endings' values, or that more. */
    void (*others_endings)(const ranked_rows_t *hands, const endings_t *endings, int more,
                           float *values);
    /* Each lane of a packed vector to where its slot says, and from there, or that more; between
     * streets of this width. NULL for a single lane. */
    void (*unpack)(float *blocks, const float *packed, const int32_t *slots,
                   const ranked_rows_t *hands);
    void (*pack)(float *packed, const float *blocks, const int32_t *slots,
                 const ranked_rows_t *hands, int more);
} lane_passes_t;

extern const lane_passes_t RESPONDER_LANES_1, RESPONDER_LANES_8, RESPONDER_LANES_16;

/* The same from a street of one width to one of another. */
static inline void unpack_between(const lane_passes_t *from, const lane_passes_t *to, float *blocks,
                                  const float *packed, const int32_t *slots,
                                  const ranked_rows_t *hands) {
    if (from == to && from->unpack) {
        from->unpack(blocks, packed, slots, hands);
        return;
    }
    for (int l = 0; l < from->width; l++) {
        if (slots[l] < 0) continue;
        float *block = blocks + (int64_t)(slots[l] / to->width) * NUM_ROWS * to->width
                       + slots[l] % to->width;
        for (int i = 0; i < NUM_HANDS; i++)
            block[hands->hands[i] * to->width] = packed[hands->hands[i] * from->width + l];
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

/* Set the rows that are no hand's to 0. */
static inline void clear_rows(float *reach, int width, const uint16_t *rows, int num) {
    for (int i = 0; i < num; i++)
        for (int l = 0; l < width; l++) reach[rows[i] * width + l] = 0.0f;
}

#endif

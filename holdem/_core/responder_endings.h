/* What the endings of one decision are worth to all hands of a board, 16 betting situations side by
 * side: a fold in linear time, and a showdown in one sweep over the hands in order of strength.
 *
 * Both begin with the same sums: what all hands bring, and what those of each card do. A showdown
 * is worth its weaker hands' reach once more than that of all, and equal ones' half: so the sweep
 * begins with half of all, negative, and each hand reads the sums before its equals are
 * added and again after them.
 */
#ifndef HOLDEM_RESPONDER_ENDINGS_H
#define HOLDEM_RESPONDER_ENDINGS_H

#include <string.h>

#include "blocks_simd.h"
#include "responder_lanes.h"

#define NUM_DECK 52

/* x in the lanes whose bit is set, 0 in the others. Bytes would take GCC a dozen instructions. */
#if NUM_LANES == 1
#define IF_THERE(bits, x) ((bits) & 1 ? (x) : 0.0f)
#else
static const lane_bits_t TO_SIGN = {
    31, 30, 29, 28, 27, 26, 25, 24,
#if NUM_LANES > 8
    23, 22, 21, 20, 19, 18, 17, 16,
#endif
};
#define IF_THERE(bits, x)                                                                          \
    ((lanes_t)((lane_bits_t)(x) & (((lane_bits_t){0} + (int32_t)(bits)) << TO_SIGN) >> 31))
#endif

/* chips = sign times those there, or 0. */
BODY load_chips(lanes_t *chips, const float *from, float sign) {
    *chips = (lanes_t){0};
    if (from) *chips = *(const lanes_t *)from * sign;
}

/* Sums of reach, in chips: all of it, and by card. */
typedef struct {
    lanes_t total;
    lanes_t cards[NUM_DECK];
} sums_t;

static inline const entry_t *end_of_level(const entry_t *entry) {
    while (entry->ties) entry++;
    return entry + 1;
}

/* sums += those of x, the reach of one entry's hands. */
BODY add_entry(sums_t *sums, const entry_t *entry, const lanes_t *x) {
    lanes_t *high = sums->cards + 4 * entry->high;
    if (entry->kind == OF_TWO_RANKS)
        add_two_ranks(&sums->total, high, sums->cards + 4 * entry->low, x);
    else if (entry->kind == OF_ONE_RANK) add_one_rank(&sums->total, high, x);
    else {
        sums->total += *x;
        sums->cards[entry->high] += *x;
        sums->cards[entry->low] += *x;
    }
}

/* The rows of an entry. */
static inline int size_of_entry(const entry_t *entry) {
    return entry->kind == OF_TWO_RANKS ? 16 : entry->kind == OF_ONE_RANK ? 6 : 1;
}

/* What is brought to a point, in chips: by bucket, or by hand and times `scale`. */
typedef struct {
    const lanes_t *begun;
    const uint16_t *places;
    const lanes_t *likely;
    const uint16_t *there;
    lanes_t scale;
} brought_t;

BODY bring(lanes_t *x, const brought_t *brought, const int by_hand, int row) {
    if (by_hand) *x = brought->scale * IF_THERE(brought->there[row], brought->begun[row]);
    else *x = brought->likely[brought->places[row]] * brought->begun[row];
}

/* x = what the hands of one entry bring. */
BODY bring_entry(lanes_t *x, const entry_t *entry, const brought_t *brought, const int by_hand) {
    if (entry->kind == OF_TWO_RANKS)
        for (int k = 0; k < 16; k++) bring(x + k, brought, by_hand, entry->first + k);
    else
        for (int k = 0; k < size_of_entry(entry); k++)
            bring(x + k, brought, by_hand, entry->first + k);
}

/* Set what is brought to a point times *by*, with a vector for each bucket at *work*. */
BODY set_brought(brought_t *brought, const begun_t *begun, const void *part, const lanes_t *by,
                 lanes_t *work) {
    brought->begun = (const lanes_t *)begun->begun;
    brought->places = begun->places;
    brought->there = (const uint16_t *)part;
    brought->likely = work;
    brought->scale = *by;
    if (part && !begun->by_hand)
        for (int b = 0; b < begun->num_buckets; b++) work[b] = *by * ((const lanes_t *)part)[b];
}

/* Go past the hands of one strength: sums += theirs, and both = the sums before and after. Of
 * *both* only what these hands' cards need is valid. */
BODY pass_level(sums_t *both, sums_t *sums, const entry_t *entry, const entry_t *end,
                const brought_t *brought, const int by_hand) {
    lanes_t x[16];
    if (entry + 1 == end && entry->kind == OF_TWO_RANKS) {
        /* Most strengths are one block. */
        const int high = 4 * entry->high, low = 4 * entry->low;
        lanes_t of_high[4], of_low[4], of_block = {0};
        memset(of_high, 0, sizeof of_high);
        memset(of_low, 0, sizeof of_low);
        bring_entry(x, entry, brought, by_hand);
        add_two_ranks(&of_block, of_high, of_low, x);
        for (int s = 0; s < 4; s++) {
            const lanes_t before = sums->cards[high + s], after = before + of_high[s];
            both->cards[high + s] = before + after;
            sums->cards[high + s] = after;
        }
        for (int t = 0; t < 4; t++) {
            const lanes_t before = sums->cards[low + t], after = before + of_low[t];
            both->cards[low + t] = before + after;
            sums->cards[low + t] = after;
        }
        both->total = sums->total + (sums->total + of_block);
        sums->total += of_block;
        return;
    }
    unsigned ranks = 0;
    for (const entry_t *e = entry; e < end; e++) ranks |= ranks_of(e);
    both->total = sums->total;
    for (unsigned left = ranks; left; left &= left - 1) {
        const int card = 4 * __builtin_ctz(left);
        memcpy(both->cards + card, sums->cards + card, 4 * sizeof(lanes_t));
    }
    for (const entry_t *e = entry; e < end; e++) {
        bring_entry(x, e, brought, by_hand);
        add_entry(sums, e, x);
    }
    both->total += sums->total;
    for (unsigned left = ranks; left; left &= left - 1) {
        const int card = 4 * __builtin_ctz(left);
        for (int c = card; c < card + 4; c++) both->cards[c] += sums->cards[c];
    }
}

/* For each hand of an entry, in order: its row k among them, and what the hands have of *sums* that
 * it may meet, its own left out twice. Sums are copied first: they might be what is written. */
#define FOR_HANDS(entry, sums, k, met, ...)                                                        \
    {                                                                                              \
        const lanes_t total_ = (sums)->total;                                                      \
        const lanes_t *const high_ = (sums)->cards + 4 * (entry)->high;                            \
        if ((entry)->kind == OF_TWO_RANKS) {                                                       \
            const lanes_t *const low_ = (sums)->cards + 4 * (entry)->low;                          \
            const lanes_t of_low_[4] = {low_[0], low_[1], low_[2], low_[3]};                       \
            const lanes_t of_high_[4] = {total_ - high_[0], total_ - high_[1], total_ - high_[2],  \
                                         total_ - high_[3]};                                       \
            for (int k = 0; k < 16; k++) {                                                         \
                const lanes_t met = of_high_[k / 4] - of_low_[k % 4];                              \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        } else if ((entry)->kind == OF_ONE_RANK) {                                                 \
            const lanes_t cards_[4] = {high_[0], high_[1], high_[2], high_[3]};                    \
            for (int k = 0; k < 6; k++) {                                                          \
                const lanes_t met = total_ - cards_[PAIR_SUITS[k][0]] - cards_[PAIR_SUITS[k][1]];  \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        } else {                                                                                   \
            const int k = 0;                                                                       \
            const lanes_t met =                                                                    \
                total_ - (sums)->cards[(entry)->high] - (sums)->cards[(entry)->low];               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* Where the walking seat decides: each ending's values apart. */
BODY own_values(const int by_hand, const ranked_rows_t *hands, const begun_t *begun,
                const endings_t *endings, lanes_t *of_fold, lanes_t *of_show, lanes_t *work) {
    const entry_t *last = hands->entries + hands->num_entries;
    const void *part = endings->folded ? endings->folded : endings->shown;
    brought_t plain, to_fold, to_show;
    const lanes_t zero = {0};
    lanes_t one, fold, show, x[16];
    sums_t all, sums, both;
    load_chips(&fold, endings->fold_chips, endings->fold_sign);
    load_chips(&show, endings->show_chips, 1);
    one = zero + 1.0f;
    set_brought(&plain, begun, part, &one, work);
    set_brought(&to_fold, begun, endings->folded, &fold, work + begun->num_buckets);
    set_brought(&to_show, begun, endings->shown, &show, work + 2 * begun->num_buckets);
    memset(&all, 0, sizeof all);
    for (const entry_t *e = hands->entries; e < last; e++) {
        bring_entry(x, e, &plain, by_hand);
        add_entry(&all, e, x);
    }
    const lanes_t half = show * -0.5f;
    sums.total = all.total * half;
    for (int c = 0; c < NUM_DECK; c++) sums.cards[c] = all.cards[c] * half;
    all.total *= fold;
    for (int c = 0; c < NUM_DECK; c++) all.cards[c] *= fold;
    for (const entry_t *e = hands->entries; e < last;) {
        const entry_t *end = end_of_level(e);
        if (endings->shown) pass_level(&both, &sums, e, end, &to_show, by_hand);
        for (; e < end; e++) {
            if (endings->shown) {
                lanes_t *values = of_show + e->first;
                FOR_HANDS(e, &both, k, met, values[k] = met;)
            }
            if (endings->folded) {
                lanes_t *values = of_fold + e->first;
                bring_entry(x, e, &to_fold, by_hand);
                FOR_HANDS(e, &all, k, met, values[k] = met + x[k];)
            }
        }
    }
}
BODY own_endings_body(const ranked_rows_t *hands, const begun_t *begun, const endings_t *endings,
                      float *of_fold, float *of_show, float *work) {
    lanes_t *fold = (lanes_t *)of_fold, *show = (lanes_t *)of_show, *more = (lanes_t *)work;
    if (begun->by_hand) own_values(1, hands, begun, endings, fold, show, more);
    else own_values(0, hands, begun, endings, fold, show, more);
}
CLONED(own_endings,
       (const ranked_rows_t *hands, const begun_t *begun, const endings_t *endings,
        float *of_fold, float *of_show, float *work),
       (hands, begun, endings, of_fold, of_show, work))

/* Where the other seat decides: the sum of both endings' values, added to *values* or set.
 *
 * With f and w what folds and showdowns bring in chips, they are worth the sum of f - w over the
 * hands that are met, and w twice more over the weaker ones and once over equal ones. A hand's own
 * f - w + w is left out twice: its f comes back. */
BODY others_values(const int by_hand, const ranked_rows_t *hands, const begun_t *begun,
                   const endings_t *endings, int more, lanes_t *values, lanes_t *work) {
    const entry_t *last = hands->entries + hands->num_entries;
    const int num = begun->num_buckets;
    brought_t to_fold, to_show, difference;
    lanes_t fold, show, x[16], y[16];
    sums_t sums, both;
    load_chips(&fold, endings->fold_chips, endings->fold_sign);
    load_chips(&show, endings->show_chips, 1);
    set_brought(&to_fold, begun, endings->folded, &fold, work);
    set_brought(&to_show, begun, endings->shown, &show, work + num);
    difference = endings->folded ? to_fold : to_show;
    if (!by_hand) {
        difference.likely = work + 2 * num;
        for (int b = 0; b < num; b++) {
            lanes_t of_bucket = {0};
            if (endings->folded) of_bucket += work[b];
            if (endings->shown) of_bucket -= work[num + b];
            work[2 * num + b] = of_bucket * 0.5f;
        }
    }
    memset(&sums, 0, sizeof sums);
    for (const entry_t *e = hands->entries; e < last; e++) {
        bring_entry(x, e, &difference, by_hand);
        if (by_hand && endings->folded && endings->shown) {
            bring_entry(y, e, &to_show, by_hand);
            for (int k = 0; k < size_of_entry(e); k++) x[k] -= y[k];
        }
        add_entry(&sums, e, x);
    }
    if (by_hand) {
        const float half = endings->folded ? 0.5f : -0.5f;
        sums.total *= half;
        for (int c = 0; c < NUM_DECK; c++) sums.cards[c] *= half;
    }
    if (!endings->shown) {
        both.total = sums.total + sums.total;
        for (int c = 0; c < NUM_DECK; c++) both.cards[c] = sums.cards[c] + sums.cards[c];
    }
    for (const entry_t *e = hands->entries; e < last;) {
        const entry_t *end = end_of_level(e);
        if (endings->shown) pass_level(&both, &sums, e, end, &to_show, by_hand);
        for (; e < end; e++) {
            lanes_t *to = values + e->first;
            if (endings->folded) {
                bring_entry(x, e, &to_fold, by_hand);
                if (more) { FOR_HANDS(e, &both, k, met, to[k] += met + x[k];) }
                else { FOR_HANDS(e, &both, k, met, to[k] = met + x[k];) }
            } else {
                if (more) { FOR_HANDS(e, &both, k, met, to[k] += met;) }
                else { FOR_HANDS(e, &both, k, met, to[k] = met;) }
            }
        }
    }
}
BODY others_endings_body(const ranked_rows_t *hands, const begun_t *begun,
                         const endings_t *endings, int more, float *values, float *work) {
    lanes_t *to = (lanes_t *)values, *vectors = (lanes_t *)work;
    if (begun->by_hand) others_values(1, hands, begun, endings, more, to, vectors);
    else others_values(0, hands, begun, endings, more, to, vectors);
}
CLONED(others_endings,
       (const ranked_rows_t *hands, const begun_t *begun, const endings_t *endings, int more,
        float *values, float *work),
       (hands, begun, endings, more, values, work))

#endif

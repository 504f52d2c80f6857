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

/* x = by * reach, of one entry's hands. */
BODY scaled_rows(lanes_t *x, const entry_t *entry, const lanes_t *reach, const lanes_t *by) {
    if (entry->kind == OF_TWO_RANKS)
        for (int k = 0; k < 16; k++) x[k] = *by * reach[k];
    else
        for (int k = 0; k < size_of_entry(entry); k++) x[k] = *by * reach[k];
}

/* Go past the hands of one strength: sums += theirs, and both = the sums before and after. Of
 * *both* only what these hands' cards need is valid. */
BODY pass_level(sums_t *both, sums_t *sums, const entry_t *entry, const entry_t *end,
                const lanes_t *reach, const lanes_t *by) {
    lanes_t x[16];
    if (entry + 1 == end && entry->kind == OF_TWO_RANKS) {
        /* Most strengths are one block. */
        const int high = 4 * entry->high, low = 4 * entry->low;
        lanes_t of_high[4], of_low[4], of_block = {0};
        memset(of_high, 0, sizeof of_high);
        memset(of_low, 0, sizeof of_low);
        scaled_rows(x, entry, reach + entry->first, by);
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
        scaled_rows(x, e, reach + e->first, by);
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

/* Where the walking seat decides: each ending's values apart. Both have the same reach. */
BODY own_endings_body(const ranked_rows_t *hands, const endings_t *endings, float *of_fold,
                      float *of_show) {
    const entry_t *last = hands->entries + hands->num_entries;
    const lanes_t *reach = (const lanes_t *)(endings->folded ? endings->folded : endings->shown);
    lanes_t fold, show;
    sums_t all, sums, both;
    load_chips(&fold, endings->fold_chips, endings->fold_sign);
    load_chips(&show, endings->show_chips, 1);
    memset(&all, 0, sizeof all);
    for (const entry_t *e = hands->entries; e < last; e++) add_entry(&all, e, reach + e->first);
    if (endings->shown) {
        const lanes_t half = show * -0.5f;
        sums.total = all.total * half;
        for (int c = 0; c < NUM_DECK; c++) sums.cards[c] = all.cards[c] * half;
        for (const entry_t *e = hands->entries; e < last;) {
            const entry_t *end = end_of_level(e);
            pass_level(&both, &sums, e, end, reach, &show);
            for (; e < end; e++) {
                lanes_t *values = (lanes_t *)of_show + e->first;
                FOR_HANDS(e, &both, k, met, values[k] = met;)
            }
        }
    }
    if (endings->folded) {
        all.total *= fold;
        for (int c = 0; c < NUM_DECK; c++) all.cards[c] *= fold;
        for (const entry_t *e = hands->entries; e < last; e++) {
            lanes_t *values = (lanes_t *)of_fold + e->first;
            const lanes_t *own = reach + e->first;
            FOR_HANDS(e, &all, k, met, values[k] = met + fold * own[k];)
        }
    }
}
CLONED(own_endings,
       (const ranked_rows_t *hands, const endings_t *endings, float *of_fold, float *of_show),
       (hands, endings, of_fold, of_show))

/* Where the other seat decides: the sum of both endings' values, added to *values* or set.
 *
 * With f and w what folds and showdowns bring in chips, they are worth the sum of f - w over the
 * hands that are met, and w twice more over the weaker ones and once over equal ones. A hand's own
 * f - w + w is left out twice: its f comes back. */
BODY others_endings_body(const ranked_rows_t *hands, const endings_t *endings, int more,
                         float *values) {
    const entry_t *last = hands->entries + hands->num_entries;
    const lanes_t *folded = (const lanes_t *)endings->folded;
    const lanes_t *shown = (const lanes_t *)endings->shown;
    lanes_t fold, show;
    load_chips(&fold, endings->fold_chips, endings->fold_sign);
    load_chips(&show, endings->show_chips, 1);
    const lanes_t half_fold = fold * 0.5f, half_show = show * -0.5f;
    sums_t sums, both;
    lanes_t x[16];
    memset(&sums, 0, sizeof sums);
    for (const entry_t *e = hands->entries; e < last; e++) {
        const int n = size_of_entry(e);
        if (folded && shown) {
            const lanes_t *f = folded + e->first, *w = shown + e->first;
            if (n == 16)
                for (int k = 0; k < 16; k++) x[k] = half_fold * f[k] + half_show * w[k];
            else
                for (int k = 0; k < n; k++) x[k] = half_fold * f[k] + half_show * w[k];
        } else if (folded) scaled_rows(x, e, folded + e->first, &half_fold);
        else scaled_rows(x, e, shown + e->first, &half_show);
        add_entry(&sums, e, x);
    }
    if (!shown) {
        both.total = sums.total + sums.total;
        for (int c = 0; c < NUM_DECK; c++) both.cards[c] = sums.cards[c] + sums.cards[c];
    }
    for (const entry_t *e = hands->entries; e < last;) {
        const entry_t *end = shown ? end_of_level(e) : e + 1;
        if (shown) pass_level(&both, &sums, e, end, shown, &show);
        for (; e < end; e++) {
            lanes_t *to = (lanes_t *)values + e->first;
            if (folded) {
                const lanes_t *f = folded + e->first;
                if (more) { FOR_HANDS(e, &both, k, met, to[k] += met + fold * f[k];) }
                else { FOR_HANDS(e, &both, k, met, to[k] = met + fold * f[k];) }
            } else {
                if (more) { FOR_HANDS(e, &both, k, met, to[k] += met;) }
                else { FOR_HANDS(e, &both, k, met, to[k] = met;) }
            }
        }
    }
}
CLONED(others_endings,
       (const ranked_rows_t *hands, const endings_t *endings, int more, float *values),
       (hands, endings, more, values))

#endif

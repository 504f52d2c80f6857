/* The last street of one board: what its decisions and showdowns are worth, 16 points side by side.
 *
 * A point's value is found by one sweep over the hands in order of strength, which also combines it
 * with what follows the point and adds it to where it belongs. So no pass over all hands does
 * only one small thing, and what the opponent brings to a point is never written down: it is its
 * reach at the street's beginning times a probability by bucket, from a table.
 */
#ifndef HOLDEM_BEST_RESPONSE_LAST_H
#define HOLDEM_BEST_RESPONSE_LAST_H

#include "best_response_simd.h"

/* A hand that is stronger than the rest of its block. Its reach is not in its slot, which is 0, and
 * its values are not in theirs, which mean nothing: singles have rows of their own. */
typedef struct {
    uint16_t slot;
    uint16_t bucket;
    uint8_t high; /* cards */
    uint8_t low;
} single_t;

/* One row for each slot, and one for each single hand of a board, in the order of entries. */
typedef struct {
    lanes_t *slots;
    lanes_t *singles;
} rows_t;

/* One board of the last street, with the opponent's reach where the street begins. */
typedef struct {
    rows_t reach;
    const uint16_t *buckets; /* (1326,), by slot */
    const entry_t *entries;  /* the weakest first, single hands after the rest of their block */
    const single_t *singles;
    int32_t num_entries;
    int32_t num_singles;
} last_board_t;

/* The table where all buckets play alike. */
static const lanes_t ONES[1] = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};

static void fill_lanes(lanes_t *lanes, float value) {
    for (int l = 0; l < NUM_LANES; l++) ((float *)lanes)[l] = value;
}

enum { SET, ADD, ADD_SCALED, RAISE };

/* Where a point's value goes. */
typedef struct {
    rows_t to;
    lanes_t bar;   /* added before SET and RAISE: 0, or -inf in lanes without this point */
    lanes_t scale; /* of ADD_SCALED */
    int32_t how;   /* RAISE keeps the larger */
} outcome_t;

/* A decision on the last street, for one responder. What the betting of the street so far and the
 * last action are worth to the opponent's hands by bucket:
 *
 *   reach: the probability that the opponent plays to here; for the policy's own value, when the
 *          opponent decides: that the responder does
 *   half:  (buckets,) half of fold - showdown, of the next table
 *   ends:  (buckets, 2) the probability that whoever decides here plays to here and folds, times
 *          the chips that it paid; and that it plays to here and to a showdown, times what each paid
 */
typedef struct {
    const lanes_t *reach;
    const lanes_t *half;
    const lanes_t *ends;
    int32_t reach_stride;    /* 1; 0 for a single row that all buckets share */
    int32_t folds, shows;    /* whether such an action is there */
    lanes_t fold_chips;      /* net chips of the responder; only where it decides */
    lanes_t showdown_chips;  /* what each seat paid */
    rows_t after;            /* value of the decisions that follow; slots is NULL if there is none */
    rows_t own;              /* the policy's own value is added here, scaled; NULL if not wanted */
    lanes_t own_scale;
    outcome_t outcome;
} sweep_t;

#define DELIVER(to, i, value)                                                                      \
    for (int k = 0; k < n; k++) {                                                                  \
        if (outcome->how == ADD) (to)[(i) + k] += (value)[k];                                      \
        else if (outcome->how == ADD_SCALED) (to)[(i) + k] += outcome->scale * (value)[k];         \
        else {                                                                                     \
            const lanes_t barred = (value)[k] + outcome->bar;                                      \
            if (outcome->how == SET) (to)[(i) + k] = barred;                                       \
            else (to)[(i) + k] = LARGER(barred, (to)[(i) + k]);                                    \
        }                                                                                          \
    }

/* n hands from row i on of *to*, *after* and *own*, of which the responder decides. met: less than
 * all weaker ones once, and equal ones half; all: reach of all that are met but for the hand's own;
 * x: its own. */
BODY finish_mine(const sweep_t *sweep, int n, int i, lanes_t *to, const lanes_t *after,
                 lanes_t *own, const lanes_t *met, const lanes_t *all, const lanes_t *x,
                 const uint16_t *buckets) {
    const outcome_t *outcome = &sweep->outcome;
    lanes_t value[4], fold[4];
    for (int k = 0; k < n; k++) value[k] = sweep->showdown_chips * met[k];
    if (sweep->folds) {
        for (int k = 0; k < n; k++) fold[k] = sweep->fold_chips * (all[k] + x[k]);
        for (int k = 0; k < n; k++)
            value[k] = sweep->shows ? LARGER(fold[k], value[k]) : fold[k];
    }
    if (own)
        for (int k = 0; k < n; k++) {
            lanes_t mean = sweep->showdown_chips * met[k];
            if (sweep->ends) {
                const lanes_t *ends = sweep->ends + 2 * buckets[k];
                mean = ends[1] * met[k];
                if (sweep->folds) mean -= ends[0] * (all[k] + x[k]);
            }
            own[i + k] += sweep->own_scale * mean;
        }
    if (after)
        for (int k = 0; k < n; k++) value[k] = LARGER(after[i + k], value[k]);
    DELIVER(to, i, value)
}

/* The same where the opponent decides. fold: by the hand's own fold, which is to come back. */
BODY finish_others(const sweep_t *sweep, int n, int i, lanes_t *to, const lanes_t *after,
                   lanes_t *own, const lanes_t *met, const lanes_t *reach,
                   const uint16_t *buckets) {
    const outcome_t *outcome = &sweep->outcome;
    lanes_t value[4];
    for (int k = 0; k < n; k++) value[k] = met[k];
    if (sweep->folds)
        for (int k = 0; k < n; k++) value[k] += sweep->ends[2 * buckets[k]] * reach[i + k];
    if (own)
        for (int k = 0; k < n; k++)
            own[i + k] += sweep->own_scale * sweep->reach[buckets[k]] * value[k];
    if (after)
        for (int k = 0; k < n; k++) value[k] += after[i + k];
    DELIVER(to, i, value)
}

/* total and cards = the sums of reach times a table, over all hands. */
BODY sum_all(lanes_t *total, lanes_t *cards, const last_board_t *board, const lanes_t *table,
             int stride) {
    const uint16_t *buckets = board->buckets;
    const lanes_t *reach = board->reach.slots;
    lanes_t x[16];
    memset(cards, 0, sizeof(lanes_t) * NUM_DECK);
    memset(total, 0, sizeof(lanes_t));
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const block_t *block = &BLOCKS[b];
        const int first = block->first;
        if (block->high != block->low) {
            for (int k = 0; k < 16; k++)
                x[k] = reach[first + k] * table[buckets[first + k] * stride];
            add_two_ranks(total, cards + 4 * block->high, cards + 4 * block->low, x);
        } else {
            for (int k = 0; k < 6; k++)
                x[k] = reach[first + k] * table[buckets[first + k] * stride];
            add_one_rank(total, cards + 4 * block->high, x);
        }
    }
    for (int n = 0; n < board->num_singles; n++) {
        const single_t *single = &board->singles[n];
        const lanes_t of_single = board->reach.singles[n] * table[single->bucket * stride];
        *total += of_single;
        cards[single->high] += of_single;
        cards[single->low] += of_single;
    }
}

/* A strength is one block of two ranks, mostly. Its hands' values are the sums of two readings,
 * before and after its own x is added to the sums; these differ by the block's own sums, so both
 * are taken as one: *both*, of_high and of_low. */
BODY pass_two_ranks(lanes_t *total, lanes_t *high, lanes_t *low, const lanes_t *x, lanes_t *both,
                    lanes_t *of_high, lanes_t *of_low) {
    lanes_t columns[4], sum = {0};
    for (int s = 0; s < 4; s++) {
        const lanes_t *row = x + 4 * s;
        const lanes_t of_row = (row[0] + row[1]) + (row[2] + row[3]);
        for (int t = 0; t < 4; t++) columns[t] = s == 0 ? row[t] : columns[t] + row[t];
        of_high[s] = high[s] + high[s] + of_row;
        high[s] += of_row;
        sum += of_row;
    }
    for (int t = 0; t < 4; t++) {
        of_low[t] = low[t] + low[t] + columns[t];
        low[t] += columns[t];
    }
    *both = *total + *total + sum;
    *total += sum;
}

/* The ranks, one bit each, and how many single hands an entry has. */
BODY seen_of(const entry_t *entry, unsigned *ranks, int *singles) {
    if (entry->kind == SINGLE) {
        *ranks |= 1u << (entry->high >> 2) | 1u << (entry->low >> 2);
        ++*singles;
    } else *ranks |= 1u << entry->high | 1u << entry->low;
}

/* One decision, or showdown, of the last street.
 *
 * Where the responder decides (*mine*), let x be what the opponent's hands bring: a showdown is
 * worth the weaker hands' x once more than that of all, and equal ones' half. Where the opponent
 * decides, with f and w its x by folds and by showdowns in chips, it is worth the sum of f - w over
 * the hands that are met, plus w twice over the weaker ones and once over equal ones. Either way
 * the sums begin with half of what all hands bring; each hand reads them before its strength's x or
 * w is added and again after it. Its own f - w + w was taken off twice: f comes back. */
BODY sweep_body(const int mine, const sweep_t *sweep, const last_board_t *board) {
    const uint16_t *buckets = board->buckets;
    const lanes_t *reach = board->reach.slots, *single_reach = board->reach.singles;
    const lanes_t *table = mine ? sweep->reach : sweep->ends + 1;
    const int stride = mine ? sweep->reach_stride : 2;
    lanes_t *to = sweep->outcome.to.slots, *own = sweep->own.slots;
    lanes_t *to_singles = sweep->outcome.to.singles, *own_singles = own ? sweep->own.singles : NULL;
    const lanes_t *after = sweep->after.slots;
    const lanes_t *after_singles = after ? sweep->after.singles : NULL;
    lanes_t all, alls[NUM_DECK], total, cards[NUM_DECK], both, boths[NUM_DECK];
    lanes_t x[16], met[4], others[4];
    sum_all(&all, alls, board, mine ? sweep->reach : sweep->half, mine ? stride : 1);
    total = mine ? all * -0.5f : all;
    for (int c = 0; c < NUM_DECK; c++) cards[c] = mine ? alls[c] * -0.5f : alls[c];

#define LOOK_UP(first, n)                                                                          \
    for (int k_ = 0; k_ < (n); k_++)                                                               \
        x[k_] = reach[(first) + k_] * table[buckets[(first) + k_] * stride];
#define FINISH(n, i, x, buckets)                                                                   \
    if (mine) finish_mine(sweep, n, i, to, after, own, met, others, x, buckets);                   \
    else finish_others(sweep, n, i, to, after, own, met, reach, buckets);
#define FINISH_TWO_RANKS(first, high, low, of_high, of_low)                                        \
    for (int s = 0; s < 4; s++) {                                                                  \
        const lanes_t base = both - (of_high)[s], all_base = all - alls[4 * (high) + s];           \
        for (int t = 0; t < 4; t++) {                                                              \
            met[t] = base - (of_low)[t];                                                           \
            if (mine) others[t] = all_base - alls[4 * (low) + t];                                  \
        }                                                                                          \
        FINISH(4, (first) + 4 * s, x + 4 * s, buckets + (first) + 4 * s)                           \
    }
    const entry_t *entry = board->entries, *last = entry + board->num_entries;
    int single = 0;
    while (entry < last) {
        if (entry->kind == OF_TWO_RANKS && !entry->ties) {
            lanes_t of_high[4], of_low[4];
            const int first = entry->first, high = entry->high, low = entry->low;
            LOOK_UP(first, 16)
            pass_two_ranks(&total, cards + 4 * high, cards + 4 * low, x, &both, of_high, of_low);
            FINISH_TWO_RANKS(first, high, low, of_high, of_low)
            entry++;
            continue;
        }
        /* The readings before and after, for the ranks of this strength. */
        unsigned ranks = 0;
        int singles = 0;
        const entry_t *end = entry;
        while (end->ties) seen_of(end++, &ranks, &singles);
        seen_of(end++, &ranks, &singles);
        both = total;
        for (unsigned left = ranks; left; left &= left - 1)
            memcpy(boths + 4 * __builtin_ctz(left), cards + 4 * __builtin_ctz(left), 4 * sizeof both);
        int n = single;
        for (const entry_t *e = entry; e < end; e++) {
            lanes_t *high = cards + 4 * e->high, *low = cards + 4 * e->low;
            if (e->kind == OF_TWO_RANKS) {
                LOOK_UP(e->first, 16)
                add_two_ranks(&total, high, low, x);
            } else if (e->kind == OF_ONE_RANK) {
                LOOK_UP(e->first, 6)
                add_one_rank(&total, high, x);
            } else {
                x[0] = single_reach[n] * table[board->singles[n].bucket * stride];
                n++;
                total += x[0];
                cards[e->high] += x[0];
                cards[e->low] += x[0];
            }
        }
        both += total;
        for (unsigned left = ranks; left; left &= left - 1)
            for (int s = 0, c = 4 * __builtin_ctz(left); s < 4; s++, c++) boths[c] += cards[c];
        for (const entry_t *e = entry; e < end; e++) {
            const int first = e->first, high = e->high, low = e->low;
            if (e->kind == OF_TWO_RANKS) {
                LOOK_UP(first, 16)
                FINISH_TWO_RANKS(first, high, low, boths + 4 * high, boths + 4 * low)
            } else if (e->kind == OF_ONE_RANK) {
                LOOK_UP(first, 6)
                for (int s = 1, i = 0; s < 4; s++)
                    for (int t = 0; t < s; t++, i++) {
                        met[0] = both - boths[4 * high + s] - boths[4 * high + t];
                        if (mine) others[0] = all - alls[4 * high + s] - alls[4 * high + t];
                        FINISH(1, first + i, x + i, buckets + first + i)
                    }
            } else {
                const uint16_t *bucket = &board->singles[single].bucket;
                x[0] = single_reach[single] * table[*bucket * stride];
                met[0] = both - boths[high] - boths[low];
                if (mine) {
                    others[0] = all - alls[high] - alls[low];
                    finish_mine(sweep, 1, single, to_singles, after_singles, own_singles, met,
                                others, x, bucket);
                } else {
                    finish_others(sweep, 1, single, to_singles, after_singles, own_singles, met,
                                  single_reach, bucket);
                }
                single++;
            }
        }
        entry = end;
    }
}
BODY sweep_mine_body(const sweep_t *sweep, const last_board_t *board) {
    sweep_body(1, sweep, board);
}
BODY sweep_others_body(const sweep_t *sweep, const last_board_t *board) {
    sweep_body(0, sweep, board);
}
CLONED(sweep_mine, (const sweep_t *sweep, const last_board_t *board), (sweep, board))
CLONED(sweep_others, (const sweep_t *sweep, const last_board_t *board), (sweep, board))

/* Values that are there already go where a point's value goes. */
BODY deliver_body(const rows_t *values, int num_singles, const outcome_t *outcome) {
    const int n = 1;
    for (int i = 0; i < NUM_SLOTS; i++) DELIVER(outcome->to.slots, i, values->slots + i)
    for (int i = 0; i < num_singles; i++) DELIVER(outcome->to.singles, i, values->singles + i)
}
CLONED(deliver, (const rows_t *values, int num_singles, const outcome_t *outcome),
       (values, num_singles, outcome))

/* Move the reach of single hands from their slots to rows of their own; list them. */
static void part_singles(last_board_t *board, single_t *singles) {
    int n = 0;
    for (int e = 0; e < board->num_entries; e++) {
        const entry_t *entry = &board->entries[e];
        if (entry->kind != SINGLE) continue;
        singles[n] = (single_t){entry->first, board->buckets[entry->first], entry->high, entry->low};
        board->reach.singles[n] = board->reach.slots[entry->first];
        memset(board->reach.slots + entry->first, 0, sizeof(lanes_t));
        n++;
    }
    board->singles = singles;
    board->num_singles = n;
}
static void join_singles(const last_board_t *board) {
    for (int n = 0; n < board->num_singles; n++)
        board->reach.slots[board->singles[n].slot] = board->reach.singles[n];
}

/* Before a board's values are added to *sums*: put aside what lies at the single hands' slots, and
 * begin with 0 in their own rows. Then: put it back, with what was added. */
static void part_sums(lanes_t *aside, const rows_t *sums, const last_board_t *board) {
    for (int n = 0; n < board->num_singles; n++)
        aside[n] = sums->slots[board->singles[n].slot];
    memset(sums->singles, 0, sizeof(lanes_t) * board->num_singles);
}
static void join_sums(const lanes_t *aside, const rows_t *sums, const last_board_t *board) {
    for (int n = 0; n < board->num_singles; n++)
        sums->slots[board->singles[n].slot] = aside[n] + sums->singles[n];
}

#endif

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
    uint16_t slots[NUM_SLOTS];
    uint16_t buckets[NUM_SLOTS];
    uint8_t highs[NUM_SLOTS]; /* cards */
    uint8_t lows[NUM_SLOTS];
    int32_t count;
} singles_t;

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
    const singles_t *singles;
    int32_t num_entries;
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

/* Where the hands of the slots, or the single ones, have their rows. */
typedef struct {
    const lanes_t *reach;
    lanes_t *to;
    const lanes_t *after; /* or NULL */
    lanes_t *own;         /* or NULL */
} rows_of_t;

/* Values of n hands, from row i on of *to* if they are added to others' values. */
#define DELIVER(n, to, i, value)                                                                   \
    if (outcome->how == ADD)                                                                       \
        for (int k = 0; k < n; k++) (to)[(i) + k] += (value)[k];                                   \
    else if (outcome->how == ADD_SCALED)                                                           \
        for (int k = 0; k < n; k++) (to)[(i) + k] += outcome->scale * (value)[k];                  \
    else if (outcome->how == SET)                                                                  \
        for (int k = 0; k < n; k++) (to)[(i) + k] = (value)[k] + outcome->bar;                     \
    else                                                                                           \
        for (int k = 0; k < n; k++) {                                                              \
            const lanes_t barred = (value)[k] + outcome->bar;                                      \
            (to)[(i) + k] = LARGER(barred, (to)[(i) + k]);                                         \
        }

/* Up to 16 hands, from row i on of *to*, *after* and *own*. Step by step for all of them, because
 * what there is to do is the same for all.
 * met: of a showdown; all: that a fold meets, if the responder decides and may fold. */
BODY finish_hands(const int mine, const sweep_t *sweep, const int n, int i, const rows_of_t *rows,
                  lanes_t *met, const lanes_t *all, const uint16_t *buckets) {
    const outcome_t *outcome = &sweep->outcome;
    lanes_t *own = rows->own;
    const lanes_t *after = rows->after;
    if (mine) {
        if (own)
            for (int k = 0; k < n; k++) {
                lanes_t mean = sweep->showdown_chips * met[k];
                if (sweep->ends) {
                    const lanes_t *ends = sweep->ends + 2 * buckets[i + k];
                    mean = ends[1] * met[k];
                    if (sweep->folds) mean -= ends[0] * all[k];
                }
                own[i + k] += sweep->own_scale * mean;
            }
        for (int k = 0; k < n; k++) met[k] = sweep->showdown_chips * met[k];
        if (sweep->folds) {
            if (!sweep->shows)
                for (int k = 0; k < n; k++) met[k] = sweep->fold_chips * all[k];
            else
                for (int k = 0; k < n; k++) {
                    const lanes_t fold = sweep->fold_chips * all[k];
                    met[k] = LARGER(fold, met[k]);
                }
        }
        if (after)
            for (int k = 0; k < n; k++) met[k] = LARGER(after[i + k], met[k]);
    } else {
        /* Taken off with the hand's own, a fold comes back. */
        if (sweep->folds)
            for (int k = 0; k < n; k++)
                met[k] += sweep->ends[2 * buckets[i + k]] * rows->reach[i + k];
        if (own)
            for (int k = 0; k < n; k++)
                own[i + k] += sweep->own_scale * sweep->reach[buckets[i + k]] * met[k];
        if (after)
            for (int k = 0; k < n; k++) met[k] += after[i + k];
    }
    DELIVER(n, rows->to, i, met)
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
    const singles_t *singles = board->singles;
    for (int n = 0; n < singles->count; n++) {
        const lanes_t of_single = board->reach.singles[n] * table[singles->buckets[n] * stride];
        *total += of_single;
        cards[singles->highs[n]] += of_single;
        cards[singles->lows[n]] += of_single;
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

/* The ranks of an entry, one bit each. */
static inline unsigned ranks_of(const entry_t *entry) {
    if (entry->kind == SINGLE) return 1u << (entry->high >> 2) | 1u << (entry->low >> 2);
    return 1u << entry->high | 1u << entry->low;
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
    const singles_t *singles = board->singles;
    const lanes_t *reach = board->reach.slots, *single_reach = board->reach.singles;
    const lanes_t *table = mine ? sweep->reach : sweep->ends + 1;
    const int stride = mine ? sweep->reach_stride : 2;
    const int folds = mine && sweep->folds;
    const rows_of_t rows = {reach, sweep->outcome.to.slots, sweep->after.slots, sweep->own.slots};
    const rows_of_t of_singles = {
        single_reach, sweep->outcome.to.singles, rows.after ? sweep->after.singles : NULL,
        rows.own ? sweep->own.singles : NULL};
    lanes_t all, alls[NUM_DECK], total, cards[NUM_DECK], both, boths[NUM_DECK];
    lanes_t x[16], met[16];
    sum_all(&all, alls, board, mine ? sweep->reach : sweep->half, mine ? stride : 1);
    total = mine ? all * -0.5f : all;
    for (int c = 0; c < NUM_DECK; c++) cards[c] = mine ? alls[c] * -0.5f : alls[c];

#define LOOK_UP(first, n)                                                                          \
    for (int k_ = 0; k_ < (n); k_++)                                                               \
        x[k_] = reach[(first) + k_] * table[buckets[(first) + k_] * stride];
    const entry_t *entry = board->entries, *last = entry + board->num_entries;
    int single = 0;
    while (entry < last) {
        const entry_t *end = entry;
        const int alone = entry->kind == OF_TWO_RANKS && !entry->ties;
        if (alone) {
            LOOK_UP(entry->first, 16)
            pass_two_ranks(&total, cards + 4 * entry->high, cards + 4 * entry->low, x, &both,
                           boths + 4 * entry->high, boths + 4 * entry->low);
            end++;
        } else {
            /* Readings before and after, for the ranks of this strength. */
            unsigned ranks = ranks_of(end);
            while (end++->ties) ranks |= ranks_of(end);
            both = total;
            for (unsigned left = ranks; left; left &= left - 1) {
                const int card = 4 * __builtin_ctz(left);
                memcpy(boths + card, cards + card, 4 * sizeof both);
            }
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
                    x[0] = single_reach[n] * table[singles->buckets[n] * stride];
                    n++;
                    total += x[0];
                    cards[e->high] += x[0];
                    cards[e->low] += x[0];
                }
            }
            both += total;
            for (unsigned left = ranks; left; left &= left - 1) {
                const int card = 4 * __builtin_ctz(left);
                for (int c = card; c < card + 4; c++) boths[c] += cards[c];
            }
        }
        for (; entry < end; entry++) {
            const int first = entry->first, high = entry->high, low = entry->low;
            if (entry->kind == OF_TWO_RANKS) {
                if (!alone) LOOK_UP(first, 16)
                for (int s = 0; s < 4; s++) {
                    const lanes_t base = both - boths[4 * high + s];
                    for (int t = 0; t < 4; t++) met[4 * s + t] = base - boths[4 * low + t];
                }
                if (folds)
                    for (int s = 0; s < 4; s++) {
                        const lanes_t base = all - alls[4 * high + s];
                        for (int t = 0; t < 4; t++) x[4 * s + t] += base - alls[4 * low + t];
                    }
                finish_hands(mine, sweep, 16, first, &rows, met, x, buckets);
            } else if (entry->kind == OF_ONE_RANK) {
                LOOK_UP(first, 6)
                for (int s = 1, i = 0; s < 4; s++)
                    for (int t = 0; t < s; t++, i++) {
                        met[i] = both - boths[4 * high + s] - boths[4 * high + t];
                        if (folds) x[i] += all - alls[4 * high + s] - alls[4 * high + t];
                    }
                finish_hands(mine, sweep, 6, first, &rows, met, x, buckets);
            } else {
                met[0] = both - boths[high] - boths[low];
                if (folds)
                    x[0] = single_reach[single] * table[singles->buckets[single] * stride]
                           + (all - alls[high] - alls[low]);
                finish_hands(mine, sweep, 1, single, &of_singles, met, x, singles->buckets);
                single++;
            }
        }
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
    DELIVER(NUM_SLOTS, outcome->to.slots, 0, values->slots)
    DELIVER(num_singles, outcome->to.singles, 0, values->singles)
}
CLONED(deliver, (const rows_t *values, int num_singles, const outcome_t *outcome),
       (values, num_singles, outcome))

/* Move the reach of single hands from their slots to rows of their own; list them. */
static void part_singles(const last_board_t *board, singles_t *singles) {
    int n = 0;
    for (int e = 0; e < board->num_entries; e++) {
        const entry_t *entry = &board->entries[e];
        if (entry->kind != SINGLE) continue;
        singles->slots[n] = entry->first;
        singles->buckets[n] = board->buckets[entry->first];
        singles->highs[n] = entry->high;
        singles->lows[n] = entry->low;
        board->reach.singles[n] = board->reach.slots[entry->first];
        memset(board->reach.slots + entry->first, 0, sizeof(lanes_t));
        n++;
    }
    singles->count = n;
}
static void join_singles(const last_board_t *board) {
    for (int n = 0; n < board->singles->count; n++)
        board->reach.slots[board->singles->slots[n]] = board->reach.singles[n];
}

/* Before a board's values are added to *sums*: put aside what lies at the single hands' slots, and
 * begin with 0 in their own rows. Then: put it back, with what was added. */
static void part_sums(lanes_t *aside, const rows_t *sums, const singles_t *singles) {
    for (int n = 0; n < singles->count; n++) aside[n] = sums->slots[singles->slots[n]];
    memset(sums->singles, 0, sizeof(lanes_t) * singles->count);
}
static void join_sums(const lanes_t *aside, const rows_t *sums, const singles_t *singles) {
    for (int n = 0; n < singles->count; n++)
        sums->slots[singles->slots[n]] = aside[n] + sums->singles[n];
}

#endif

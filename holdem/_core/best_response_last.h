/* The last street of one board: what its decisions and showdowns are worth, NUM_LANES points side by
 * side.
 *
 * A point's value is found by one sweep over the hands in order of strength, which also combines it
 * with what follows the point and adds it to where it belongs. So no pass over all hands does
 * only one small thing, and what the opponent brings to a point is never written down: it is its
 * reach at the street's beginning times a probability by bucket, from a table.
 */
#ifndef HOLDEM_BEST_RESPONSE_LAST_H
#define HOLDEM_BEST_RESPONSE_LAST_H

#include "best_response_simd.h"

/* Hands that are stronger than the rest of their blocks. Their reach is not in their slots, which are
 * 0, and their values are not in theirs, which mean nothing: single hands have rows of their own. */
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

/* Which hands of a block of two ranks share a bucket, if they are possible and not single: all;
 * all but those with one card of the suit kind - SPLIT, which have a bucket for either card; or
 * none need to. */
enum { MIXED, WHOLE, SPLIT };
typedef struct {
    uint16_t kind;
    uint16_t buckets[3]; /* of most hands; with the high card of that suit; with the low one */
} part_t;

/* One board of the last street, with the opponent's reach where the street begins. */
typedef struct {
    rows_t reach;
    const uint16_t *buckets; /* (1326,), by slot */
    const part_t *parts;     /* (91,), by block */
    const entry_t *entries;  /* the weakest first, single hands after the rest of their block */
    const singles_t *singles;
    lanes_t (*sums)[9]; /* (91, 9): reach by suit of the high card and of the low one, and in all;
                           hands with a SPLIT's suit are left out of the other card's sums */
    int32_t num_entries;
} last_board_t;

/* The table where all buckets play alike. */
static const lanes_t ONES[1] = {{
    1, 1, 1, 1, 1, 1, 1, 1,
#if NUM_LANES > 8
    1, 1, 1, 1, 1, 1, 1, 1,
#endif
}};

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
 * last action are worth to a seat's hands by bucket:
 *
 *   reach: the probability that the seat that does not decide plays to here
 *   ends:  (buckets, 2) the probability that whoever decides here plays to here and folds, times
 *          the chips that it paid; and that it plays to here and to a showdown, times what each paid
 */
typedef struct {
    const lanes_t *reach;
    const lanes_t *ends;
    int32_t reach_stride;   /* 1; 0 for a single row that all buckets share */
    int32_t folds, shows;   /* whether such an action is there */
    lanes_t fold_chips;     /* net chips of the responder; only where it decides */
    lanes_t showdown_chips; /* what each seat paid */
    rows_t after;           /* value of the decisions that follow; slots is NULL if there is none */
    rows_t own;             /* the policy's own value is added here; slots is NULL if not wanted: */
    const lanes_t *own_table; /* of what value there is, that times own_scale, and where the
                                 responder decides, of a fold the row before it times own_fold */
    int32_t own_stride;
    lanes_t own_scale;
    lanes_t own_fold;
    outcome_t outcome;
} sweep_t;

/* Add values of n hands to where they go, from row i of *to* on. */
#define DELIVER(n, to, i, value)                                                                   \
    if (outcome->how == ADD)                                                                       \
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] += (value)[k_];                                   \
    else if (outcome->how == ADD_SCALED)                                                           \
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] += outcome->scale * (value)[k_];                  \
    else if (outcome->how == SET)                                                                  \
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] = (value)[k_] + outcome->bar;                     \
    else                                                                                           \
        for (int k_ = 0; k_ < (n); k_++) {                                                              \
            const lanes_t barred = (value)[k_] + outcome->bar;                                      \
            (to)[(i) + k_] = LARGER(barred, (to)[(i) + k_]);                                         \
        }

/* Tables of many buckets lie beyond the second cache: so many blocks ahead they are asked for. */
#define BLOCKS_AHEAD 12

/* Row *at* of a table; where *net*, half of what it has more than the next one. */
#define IN_TABLE(table, net, at) \
    ((net) ? ((table)[at] - (table)[(at) + 1]) * 0.5f : (table)[at])

/* Sums over a block of two ranks of reach times a table times *scale*, by suit of either card. */
BODY sums_of_block(lanes_t *high, lanes_t *low, lanes_t *sum, const last_board_t *board, int block,
                   const lanes_t *table, const int net, int stride, const lanes_t *scale) {
    const part_t *part = &board->parts[block];
    const lanes_t *sums = board->sums[block];
    const lanes_t *reach = board->reach.slots + BLOCKS[block].first;
    const uint16_t *buckets = board->buckets + BLOCKS[block].first;
    const lanes_t most = *scale * IN_TABLE(table, net, part->buckets[0] * stride);
    if (part->kind == WHOLE) {
        for (int s = 0; s < 4; s++) high[s] = most * sums[s];
        for (int t = 0; t < 4; t++) low[t] = most * sums[4 + t];
        *sum = most * sums[8];
        return;
    }
    if (part->kind >= SPLIT) {
        const int suit = part->kind - SPLIT;
        const lanes_t of_high = *scale * IN_TABLE(table, net, part->buckets[1] * stride);
        const lanes_t of_low = *scale * IN_TABLE(table, net, part->buckets[2] * stride);
        for (int s = 0; s < 4; s++) high[s] = most * sums[s] + of_low * reach[4 * s + suit];
        for (int t = 0; t < 4; t++) low[t] = most * sums[4 + t] + of_high * reach[4 * suit + t];
        high[suit] = of_high * sums[suit];
        low[suit] = of_low * sums[4 + suit];
    } else {
        for (int s = 0; s < 4; s++) {
            lanes_t x[4];
            for (int t = 0; t < 4; t++)
                x[t] = *scale * IN_TABLE(table, net, buckets[4 * s + t] * stride) * reach[4 * s + t];
            high[s] = (x[0] + x[1]) + (x[2] + x[3]);
            for (int t = 0; t < 4; t++) low[t] = s == 0 ? x[t] : low[t] + x[t];
        }
    }
    *sum = (high[0] + high[1]) + (high[2] + high[3]);
}

/* A table times *scale* for each hand of a block of two ranks, in 16 vectors at most: rows[s] has
 * those of the high card's suit s. */
BODY weights_of_block(lanes_t *weights, const lanes_t **rows, const last_board_t *board, int block,
                      const lanes_t *table, int stride, const lanes_t *scale) {
    const part_t *part = &board->parts[block];
    const uint16_t *buckets = board->buckets + BLOCKS[block].first;
    if (part->kind == MIXED) {
        for (int k = 0; k < 16; k++) weights[k] = *scale * table[buckets[k] * stride];
        for (int s = 0; s < 4; s++) rows[s] = weights + 4 * s;
        return;
    }
    const lanes_t most = *scale * table[part->buckets[0] * stride];
    for (int t = 0; t < 4; t++) weights[t] = most;
    for (int s = 0; s < 4; s++) rows[s] = weights;
    if (part->kind >= SPLIT) {
        const int suit = part->kind - SPLIT;
        const lanes_t of_high = *scale * table[part->buckets[1] * stride];
        weights[suit] = *scale * table[part->buckets[2] * stride];
        for (int t = 0; t < 4; t++) weights[4 + t] = of_high;
        rows[suit] = weights + 4;
    }
}

/* Ask for what `sums_of_block` will read of a table. */
BODY fetch_block(const last_board_t *board, int block, const lanes_t *table, const int net,
                 int stride) {
    const part_t *part = &board->parts[block];
    const uint16_t *buckets = board->buckets + BLOCKS[block].first;
    int count = part->kind == WHOLE ? 1 : 3;
    if (BLOCKS[block].high == BLOCKS[block].low) count = 6;
    else if (part->kind == MIXED) count = 16;
    else buckets = part->buckets;
    for (int k = 0; k < count; k++) {
        __builtin_prefetch(table + buckets[k] * stride);
        if (net) __builtin_prefetch(table + buckets[k] * stride + 1);
    }
}

/* total and cards = the sums of reach times a table, over all hands. */
BODY sum_all(lanes_t *total, lanes_t *cards, const last_board_t *board, const lanes_t *table,
             const int net, int stride) {
    const singles_t *singles = board->singles;
    lanes_t sum = {0};
    memset(cards, 0, sizeof(lanes_t) * NUM_DECK);
    for (int b = 0; b < BLOCKS_AHEAD; b++) fetch_block(board, b, table, net, stride);
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const block_t *block = &BLOCKS[b];
        if (b + BLOCKS_AHEAD < NUM_BLOCKS)
            fetch_block(board, b + BLOCKS_AHEAD, table, net, stride);
        lanes_t *high = cards + 4 * block->high, *low = cards + 4 * block->low;
        lanes_t of_high[4], of_low[4], of_block;
        if (high != low) {
            sums_of_block(of_high, of_low, &of_block, board, b, table, net, stride, ONES);
            for (int s = 0; s < 4; s++) high[s] += of_high[s];
            for (int t = 0; t < 4; t++) low[t] += of_low[t];
            sum += of_block;
        } else {
            const lanes_t *reach = board->reach.slots + block->first;
            const uint16_t *buckets = board->buckets + block->first;
            lanes_t x[6];
            for (int k = 0; k < 6; k++) x[k] = reach[k] * IN_TABLE(table, net, buckets[k] * stride);
            add_one_rank(&sum, high, x);
        }
    }
    for (int n = 0; n < singles->count; n++) {
        const lanes_t of_single =
            board->reach.singles[n] * IN_TABLE(table, net, singles->buckets[n] * stride);
        sum += of_single;
        cards[singles->highs[n]] += of_single;
        cards[singles->lows[n]] += of_single;
    }
    *total = sum;
}

#define BLOCK_OF(entry) ((entry)->high * ((entry)->high + 1) / 2 + (entry)->low)

/* One decision, or showdown, of the last street.
 *
 * Where the responder decides (*mine*), let x be what the opponent's hands bring: a showdown is
 * worth the weaker hands' x once more than that of all, and equal ones' half. Where the opponent
 * decides, with f and w its x by folds and by showdowns in chips, it is worth the sum of f - w over
 * the hands that are met, plus w twice over the weaker ones and once over equal ones. Either way
 * the sums begin with half of what all hands bring; each hand reads them before its strength's x or
 * w is added and again after it. Its own f - w + w was taken off twice: f comes back. */
BODY sweep_body(const int mine, const sweep_t *sweep, const last_board_t *board) {
    const outcome_t *outcome = &sweep->outcome;
    const singles_t *singles = board->singles;
    /* What is weaker and stronger is summed up in chips: of x, *scale* times this table's. */
    const lanes_t *table = mine ? sweep->reach : sweep->ends + 1;
    const int stride = mine ? sweep->reach_stride : 2;
    const lanes_t *scale = mine ? &sweep->showdown_chips : ONES;
    const int folds = sweep->folds;
    lanes_t all, alls[NUM_DECK], total, cards[NUM_DECK], both, boths[NUM_DECK];
    lanes_t weights[3][16];
    const lanes_t *fold_rows[4], *own_rows[4], *own_fold_rows[4];
    if (mine) {
        const lanes_t half = sweep->showdown_chips * -0.5f;
        sum_all(&all, alls, board, table, 0, stride);
        total = all * half;
        for (int c = 0; c < NUM_DECK; c++) cards[c] = alls[c] * half;
        all *= sweep->fold_chips;
        for (int c = 0; folds && c < NUM_DECK; c++) alls[c] *= sweep->fold_chips;
    } else sum_all(&total, cards, board, sweep->ends, 1, 2);

    const entry_t *entry = board->entries, *last = entry + board->num_entries;
    int single = 0;
    while (entry < last) {
        const entry_t *end = entry;
        if (entry->kind == OF_TWO_RANKS && !entry->ties) {
            /* Most strengths are one block: *both* and its cards' are the two readings as one. */
            lanes_t *high = cards + 4 * entry->high, *low = cards + 4 * entry->low;
            lanes_t *both_high = boths + 4 * entry->high, *both_low = boths + 4 * entry->low;
            lanes_t of_high[4], of_low[4], of_block;
            sums_of_block(of_high, of_low, &of_block, board, BLOCK_OF(entry), table, 0, stride,
                          scale);
            for (int s = 0; s < 4; s++) {
                const lanes_t passed = high[s] + of_high[s];
                both_high[s] = high[s] + passed;
                high[s] = passed;
            }
            for (int t = 0; t < 4; t++) {
                const lanes_t passed = low[t] + of_low[t];
                both_low[t] = low[t] + passed;
                low[t] = passed;
            }
            both = total + (total + of_block);
            total += of_block;
            end++;
        } else {
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
                    lanes_t of_high[4], of_low[4], of_block;
                    sums_of_block(of_high, of_low, &of_block, board, BLOCK_OF(e), table, 0,
                                  stride, scale);
                    for (int s = 0; s < 4; s++) high[s] += of_high[s];
                    for (int t = 0; t < 4; t++) low[t] += of_low[t];
                    total += of_block;
                } else if (e->kind == OF_ONE_RANK) {
                    const lanes_t *reach = board->reach.slots + e->first;
                    const uint16_t *buckets = board->buckets + e->first;
                    lanes_t x[6];
                    for (int k = 0; k < 6; k++)
                        x[k] = *scale * table[buckets[k] * stride] * reach[k];
                    add_one_rank(&total, high, x);
                } else {
                    const lanes_t x =
                        *scale * table[singles->buckets[n] * stride] * board->reach.singles[n];
                    n++;
                    total += x;
                    cards[e->high] += x;
                    cards[e->low] += x;
                }
            }
            both += total;
            for (unsigned left = ranks; left; left &= left - 1) {
                const int card = 4 * __builtin_ctz(left);
                for (int c = card; c < card + 4; c++) boths[c] += cards[c];
            }
        }
        for (; entry < end; entry++) {
            if (entry->kind == OF_TWO_RANKS) {
                const int block = BLOCK_OF(entry);
                const int high = 4 * entry->high, low = 4 * entry->low;
                if (folds)
                    weights_of_block(weights[0], fold_rows, board, block,
                                     mine ? table : sweep->ends, stride,
                                     mine ? &sweep->fold_chips : ONES);
                if (sweep->own.slots) {
                    weights_of_block(weights[1], own_rows, board, block, sweep->own_table,
                                     sweep->own_stride, &sweep->own_scale);
                    if (mine && folds)
                        weights_of_block(weights[2], own_fold_rows, board, block,
                                         sweep->own_table - 1, sweep->own_stride,
                                         &sweep->own_fold);
                }
#pragma GCC unroll 1
                for (int s = 0; s < 4; s++) {
                    const lanes_t *reach = board->reach.slots + entry->first + 4 * s;
                    const int i = entry->first + 4 * s;
                    const lanes_t base = both - boths[high + s];
                    lanes_t value[4], fold[4];
                    for (int t = 0; t < 4; t++) value[t] = base - boths[low + t];
                    if (folds) {
                        if (mine) {
                            const lanes_t of_all = all - alls[high + s];
                            for (int t = 0; t < 4; t++)
                                fold[t] = fold_rows[s][t] * reach[t] + (of_all - alls[low + t]);
                        } else
                            for (int t = 0; t < 4; t++) value[t] += fold_rows[s][t] * reach[t];
                    }
                    if (sweep->own.slots) {
                        lanes_t *own = sweep->own.slots + i;
                        for (int t = 0; t < 4; t++) own[t] += own_rows[s][t] * value[t];
                        if (mine && folds)
                            for (int t = 0; t < 4; t++) own[t] += own_fold_rows[s][t] * fold[t];
                    }
                    if (mine && folds) {
                        if (sweep->shows)
                            for (int t = 0; t < 4; t++) value[t] = LARGER(fold[t], value[t]);
                        else
                            for (int t = 0; t < 4; t++) value[t] = fold[t];
                    }
                    if (sweep->after.slots) {
                        const lanes_t *after = sweep->after.slots + i;
                        if (mine)
                            for (int t = 0; t < 4; t++) value[t] = LARGER(after[t], value[t]);
                        else
                            for (int t = 0; t < 4; t++) value[t] += after[t];
                    }
                    DELIVER(4, outcome->to.slots, i, value)
                }
                continue;
            }
            /* Hands by themselves: the six pairs of a rank, or a single one. */
            const int is_single = entry->kind == SINGLE;
            const int n = is_single ? 1 : 6, first = is_single ? single : entry->first;
            const lanes_t *reach = (is_single ? board->reach.singles : board->reach.slots) + first;
            const uint16_t *buckets = (is_single ? singles->buckets : board->buckets) + first;
            lanes_t *to = is_single ? outcome->to.singles : outcome->to.slots;
            single += is_single;
#pragma GCC unroll 1
            for (int k = 0; k < n; k++) {
                const int a = is_single ? entry->high : 4 * entry->high + PAIR_SUITS[k][0];
                const int b = is_single ? entry->low : 4 * entry->high + PAIR_SUITS[k][1];
                lanes_t value[1] = {both - boths[a] - boths[b]}, fold = {0};
                if (folds) {
                    if (mine)
                        fold = sweep->fold_chips * table[buckets[k] * stride] * reach[k]
                               + (all - alls[a] - alls[b]);
                    else value[0] += sweep->ends[2 * buckets[k]] * reach[k];
                }
                if (sweep->own.slots) {
                    lanes_t *own = (is_single ? sweep->own.singles : sweep->own.slots) + first + k;
                    const lanes_t *of_own = sweep->own_table + buckets[k] * sweep->own_stride;
                    *own += sweep->own_scale * of_own[0] * value[0];
                    if (mine && folds) *own += sweep->own_fold * of_own[-1] * fold;
                }
                if (mine && folds) value[0] = sweep->shows ? LARGER(fold, value[0]) : fold;
                if (sweep->after.slots) {
                    const lanes_t after =
                        (is_single ? sweep->after.singles : sweep->after.slots)[first + k];
                    value[0] = mine ? LARGER(after, value[0]) : value[0] + after;
                }
                DELIVER(1, to, first + k, value)
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

/* Fill in the sums by block, without the single hands. */
BODY sum_blocks_body(const last_board_t *board) {
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const part_t *part = &board->parts[b];
        if (BLOCKS[b].high == BLOCKS[b].low || part->kind == MIXED) continue;
        const int suit = part->kind - SPLIT; /* below 0 for none */
        const lanes_t *reach = board->reach.slots + BLOCKS[b].first;
        lanes_t *high = board->sums[b], *low = high + 4;
        for (int s = 0; s < 4; s++) high[s] = low[s] = (lanes_t){0};
        for (int s = 0; s < 4; s++)
            for (int t = 0; t < 4; t++) {
                if (t != suit) high[s] += reach[4 * s + t];
                if (s != suit) low[t] += reach[4 * s + t];
            }
        high[8] = (high[0] + high[1]) + (high[2] + high[3]);
    }
}
CLONED(sum_blocks, (const last_board_t *board), (board))

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

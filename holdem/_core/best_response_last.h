/* The last street of one board: what its decisions and showdowns are worth, NUM_LANES points side
 * by side.
 *
 * A point's value is found by one sweep over the hands in order of strength, which also combines it
 * with what follows the point and adds it to where it belongs. So no pass over all hands does
 * only one small thing, and what the opponent brings to a point is never written down hand by hand:
 * it is its reach at the street's beginning times a probability by bucket, from a table. Its sums
 * by block are worked out once, for all hands together and for the way through the strengths.
 */
#ifndef HOLDEM_BEST_RESPONSE_LAST_H
#define HOLDEM_BEST_RESPONSE_LAST_H

#include "best_response_simd.h"

/* Hands that are stronger than the rest of their blocks. Their reach is not in their slots, which
 * are 0, and their values are not in theirs, which mean nothing: single hands have rows of their
 * own. */
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

/* Tables of many buckets lie beyond the second cache: so many rows ahead they are asked for. */
#define ROWS_AHEAD 36

/* In which order a board's hands are summed up: blocks of one kind after those of another, so that
 * the processor need not guess at each what comes, and then the single hands. */
typedef struct {
    uint8_t blocks[NUM_BLOCKS];
    int32_t whole, split, mixed;               /* where these end; the rest are of one rank */
    uint16_t rows[2 * NUM_SLOTS + ROWS_AHEAD]; /* buckets as they are read, then any */
    singles_t singles;
} order_t;

/* One board of the last street, with the opponent's reach where the street begins. */
typedef struct {
    rows_t reach;
    const uint16_t *buckets; /* (1326,), by slot */
    const part_t *parts;     /* (91,), by block */
    const entry_t *entries;  /* the weakest first, single hands after the rest of their block */
    const order_t *order;
    lanes_t (*sums)[9]; /* (91, 9): reach by suit of the high card and of the low one, and in all;
                           hands with a SPLIT's suit are left out of the other card's sums */
    lanes_t (*brought)[9]; /* (91, 9): the same sums of what is brought, which a sweep adds; of a
                              block of one rank its six hands, and single hands by themselves: */
    lanes_t *brought_singles;
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
 *          the chips that it paid; and that it plays to here and to a showdown, times what each
 *          paid
 */
typedef struct {
    const lanes_t *reach;
    const lanes_t *ends;
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
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] += (value)[k_];                            \
    else if (outcome->how == ADD_SCALED)                                                           \
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] += outcome->scale * (value)[k_];           \
    else if (outcome->how == SET)                                                                  \
        for (int k_ = 0; k_ < (n); k_++) (to)[(i) + k_] = (value)[k_] + outcome->bar;              \
    else                                                                                           \
        for (int k_ = 0; k_ < (n); k_++) {                                                         \
            const lanes_t barred = (value)[k_] + outcome->bar;                                     \
            (to)[(i) + k_] = LARGER(barred, (to)[(i) + k_]);                                       \
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

/* Sums over a block of two ranks of reach times *most*, by suit of either card. */
BODY whole_sums(lanes_t *high, lanes_t *low, lanes_t *sum, const lanes_t *sums,
                const lanes_t *most) {
    for (int s = 0; s < 4; s++) high[s] = *most * sums[s];
    for (int t = 0; t < 4; t++) low[t] = *most * sums[4 + t];
    *sum = *most * sums[8];
}
/* The same where hands with one card of *suit* count otherwise: by the high one's weight, and by
 * the low one's. */
BODY split_sums(lanes_t *high, lanes_t *low, lanes_t *sum, const lanes_t *sums,
                const lanes_t *reach, int suit, const lanes_t *weights) {
    for (int s = 0; s < 4; s++) high[s] = weights[0] * sums[s] + weights[2] * reach[4 * s + suit];
    for (int t = 0; t < 4; t++)
        low[t] = weights[0] * sums[4 + t] + weights[1] * reach[4 * suit + t];
    high[suit] = weights[1] * sums[suit];
    low[suit] = weights[2] * sums[4 + suit];
    *sum = (high[0] + high[1]) + (high[2] + high[3]);
}

/* What a table says of a bucket, for the sums over all hands and for a sweep's. */
#define WEIGHTS(of_all, of_sweep, bucket)                                                          \
    {                                                                                              \
        const lanes_t *row_ = table + (bucket) * stride;                                           \
        (of_all) = net ? (row_[-1] - row_[0]) * 0.5f : row_[0];                                    \
        (of_sweep) = *scale * row_[0];                                                             \
    }
/* Ask for the next rows. */
#define ASK(n)                                                                                     \
    for (int n_ = 0; n_ < (n); n_++) {                                                             \
        const lanes_t *row_ = table + *row++ * stride;                                             \
        __builtin_prefetch(row_);                                                                  \
        if (net) __builtin_prefetch(row_ - 1);                                                     \
    }

/* total and cards = the sums over all hands of reach times a table, or, if *net*, times half of
 * what the row before has more. board->brought = those of each block by the table times *scale*. */
BODY sum_all(lanes_t *total, lanes_t *cards, const last_board_t *board, const lanes_t *table,
             const int net, const int stride, const lanes_t *scale) {
    const order_t *order = board->order;
    const singles_t *singles = &order->singles;
    const uint16_t *row = order->rows;
    lanes_t sum = {0};
    memset(cards, 0, sizeof(lanes_t) * NUM_DECK);
    ASK(ROWS_AHEAD)
    for (int i = 0; i < order->mixed; i++) {
        const int b = order->blocks[i];
        const part_t *part = &board->parts[b];
        const lanes_t *sums = board->sums[b];
        const lanes_t *reach = board->reach.slots + BLOCKS[b].first;
        lanes_t *high = cards + 4 * BLOCKS[b].high, *low = cards + 4 * BLOCKS[b].low;
        lanes_t *brought = board->brought[b];
        lanes_t of_high[4], of_low[4], of_block;
        if (i < order->whole) {
            lanes_t of_all, of_sweep;
            ASK(1)
            WEIGHTS(of_all, of_sweep, part->buckets[0])
            whole_sums(of_high, of_low, &of_block, sums, &of_all);
            whole_sums(brought, brought + 4, brought + 8, sums, &of_sweep);
        } else if (i < order->split) {
            const int suit = part->kind - SPLIT;
            lanes_t of_all[3], of_sweep[3];
            ASK(3)
            for (int k = 0; k < 3; k++) WEIGHTS(of_all[k], of_sweep[k], part->buckets[k])
            split_sums(of_high, of_low, &of_block, sums, reach, suit, of_all);
            split_sums(brought, brought + 4, brought + 8, sums, reach, suit, of_sweep);
        } else {
            const uint16_t *buckets = board->buckets + BLOCKS[b].first;
            lanes_t of_all[16], of_sweep[16];
            ASK(16)
            for (int k = 0; k < 16; k++) {
                WEIGHTS(of_all[k], of_sweep[k], buckets[k])
                of_all[k] *= reach[k];
                of_sweep[k] *= reach[k];
            }
            memset(of_high, 0, sizeof of_high);
            memset(of_low, 0, sizeof of_low);
            memset(brought, 0, 9 * sizeof *brought);
            of_block = (lanes_t){0};
            add_two_ranks(&of_block, of_high, of_low, of_all);
            add_two_ranks(brought + 8, brought, brought + 4, of_sweep);
        }
        for (int s = 0; s < 4; s++) high[s] += of_high[s];
        for (int t = 0; t < 4; t++) low[t] += of_low[t];
        sum += of_block;
    }
    for (int i = order->mixed; i < NUM_BLOCKS; i++) {
        const int b = order->blocks[i];
        const lanes_t *reach = board->reach.slots + BLOCKS[b].first;
        const uint16_t *buckets = board->buckets + BLOCKS[b].first;
        lanes_t *brought = board->brought[b], x[6];
        ASK(6)
        for (int k = 0; k < 6; k++) {
            WEIGHTS(x[k], brought[k], buckets[k])
            x[k] *= reach[k];
            brought[k] *= reach[k];
        }
        add_one_rank(&sum, cards + 4 * BLOCKS[b].high, x);
    }
    for (int n = 0; n < singles->count; n++) {
        lanes_t x, brought;
        WEIGHTS(x, brought, singles->buckets[n])
        x *= board->reach.singles[n];
        board->brought_singles[n] = brought * board->reach.singles[n];
        sum += x;
        cards[singles->highs[n]] += x;
        cards[singles->lows[n]] += x;
    }
    *total = sum;
}

/* The same where all buckets count alike: a hand that was run out. */
BODY sum_reach(lanes_t *total, lanes_t *cards, const last_board_t *board, const lanes_t *scale) {
    const singles_t *singles = &board->order->singles;
    lanes_t sum = {0};
    memset(cards, 0, sizeof(lanes_t) * NUM_DECK);
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const lanes_t *reach = board->reach.slots + BLOCKS[b].first;
        lanes_t *high = cards + 4 * BLOCKS[b].high, *low = cards + 4 * BLOCKS[b].low;
        lanes_t *brought = board->brought[b];
        if (high == low) {
            add_one_rank(&sum, high, reach);
            for (int k = 0; k < 6; k++) brought[k] = *scale * reach[k];
            continue;
        }
        lanes_t of_high[4] = {0}, of_low[4] = {0}, of_block = {0};
        add_two_ranks(&of_block, of_high, of_low, reach);
        for (int s = 0; s < 4; s++) brought[s] = *scale * of_high[s];
        for (int t = 0; t < 4; t++) brought[4 + t] = *scale * of_low[t];
        brought[8] = *scale * of_block;
        for (int s = 0; s < 4; s++) high[s] += of_high[s];
        for (int t = 0; t < 4; t++) low[t] += of_low[t];
        sum += of_block;
    }
    for (int n = 0; n < singles->count; n++) {
        const lanes_t x = board->reach.singles[n];
        board->brought_singles[n] = *scale * x;
        sum += x;
        cards[singles->highs[n]] += x;
        cards[singles->lows[n]] += x;
    }
    *total = sum;
}

/* Where an entry's block is, unless it is a single hand. */
#define BLOCK_OF(entry) ((entry)->high * ((entry)->high + 1) / 2 + (entry)->low)

/* Add x to a sum; *both* = the sum without it and with it. */
#define PASS(sum, both, x)                                                                         \
    {                                                                                              \
        const lanes_t passed_ = (sum) + (x);                                                       \
        (both) = (sum) + passed_;                                                                  \
        (sum) = passed_;                                                                           \
    }

/* A hand's weights, for `settle`. */
#define HAND_WEIGHTS(k, bucket)                                                                    \
    {                                                                                              \
        const int bucket_ = (bucket);                                                              \
        const lanes_t *of_own_ = sweep->own_table + bucket_ * sweep->own_stride;                   \
        if (mine && folds) weights[0][k] = sweep->fold_chips * table[bucket_ * stride];            \
        else if (folds) weights[0][k] = sweep->ends[2 * bucket_];                                  \
        if (sweep->own.slots) {                                                                    \
            weights[1][k] = sweep->own_scale * of_own_[0];                                         \
            if (mine && folds) weights[2][k] = sweep->own_fold * of_own_[-1];                      \
        }                                                                                          \
    }

/* Who decides; nobody where a hand was run out, and only its showdown counts. */
enum { RESPONDER, OTHERS, NOBODY };

/* Send what n hands from row i on are worth to where it goes. At first *value* is what a showdown
 * is worth to them, and *of_all*, where the responder decides, what a fold is: both before the
 * hand's own x of folds is added, see `sweep_body`. */
BODY settle(const int who, const int n, const sweep_t *sweep, const int single, int i,
            const lanes_t *reach, lanes_t *value, lanes_t *of_all, const lanes_t *fold_weights,
            const lanes_t *own_weights, const lanes_t *own_fold_weights) {
    const outcome_t *outcome = &sweep->outcome;
    const int folds = who != NOBODY && sweep->folds;
    const int mine = who != OTHERS;
    lanes_t *to = single ? outcome->to.singles : outcome->to.slots;
    lanes_t *fold = mine ? of_all : value;
    if (folds)
        for (int k = 0; k < n; k++) fold[k] += fold_weights[k] * reach[k];
    if (sweep->own.slots) {
        lanes_t *own = (single ? sweep->own.singles : sweep->own.slots) + i;
        for (int k = 0; k < n; k++) own[k] += own_weights[k] * value[k];
        if (mine && folds)
            for (int k = 0; k < n; k++) own[k] += own_fold_weights[k] * fold[k];
    }
    if (mine && folds) {
        if (sweep->shows)
            for (int k = 0; k < n; k++) value[k] = LARGER(fold[k], value[k]);
        else
            for (int k = 0; k < n; k++) value[k] = fold[k];
    }
    if (who != NOBODY && sweep->after.slots) {
        const lanes_t *after = (single ? sweep->after.singles : sweep->after.slots) + i;
        if (mine)
            for (int k = 0; k < n; k++) value[k] = LARGER(after[k], value[k]);
        else
            for (int k = 0; k < n; k++) value[k] += after[k];
    }
    DELIVER(n, to, i, value)
}

/* One decision, or showdown, of the last street.
 *
 * Where the responder or nobody decides, let x be what the opponent's hands bring: a showdown is
 * worth the weaker hands' x once more than that of all, and equal ones' half. Where the opponent
 * decides, with f and w its x by folds and by showdowns in chips, it is worth the sum of f - w over
 * the hands that are met, plus w twice over the weaker ones and once over equal ones. Either way
 * the sums begin with half of what all hands bring; each hand reads them before its strength's x or
 * w is added and again after it. Its own f - w + w was taken off twice: f comes back. */
BODY sweep_body(const int who, const sweep_t *sweep, const last_board_t *board) {
    const singles_t *singles = &board->order->singles;
    const int mine = who != OTHERS;
    /* What is weaker and stronger is summed up in chips: of x, *scale* times this table's. */
    const lanes_t *table = mine ? sweep->reach : sweep->ends + 1;
    const int stride = mine ? 1 : 2;
    const lanes_t *scale = mine ? &sweep->showdown_chips : ONES;
    const int folds = who != NOBODY && sweep->folds;
    lanes_t all, alls[NUM_DECK], total, cards[NUM_DECK], both, boths[NUM_DECK];
    lanes_t weights[3][16];
    const lanes_t *fold_rows[4], *own_rows[4], *own_fold_rows[4];
    if (mine) {
        const lanes_t half = sweep->showdown_chips * -0.5f;
        if (who == NOBODY) sum_reach(&all, alls, board, scale);
        else sum_all(&all, alls, board, table, 0, stride, scale);
        total = all * half;
        for (int c = 0; c < NUM_DECK; c++) cards[c] = alls[c] * half;
        if (folds) {
            all *= sweep->fold_chips;
            for (int c = 0; c < NUM_DECK; c++) alls[c] *= sweep->fold_chips;
        }
    } else sum_all(&total, cards, board, table, 1, stride, scale);

    const entry_t *entry = board->entries, *last = entry + board->num_entries;
    int single = 0;
    while (entry < last) {
        const entry_t *end = entry;
        if (!entry->ties) {
            /* Most strengths are one entry: *both* and its cards' are the two readings as one. */
            const int high = 4 * entry->high, low = 4 * entry->low;
            if (entry->kind == OF_TWO_RANKS) {
                const lanes_t *brought = board->brought[BLOCK_OF(entry)];
                for (int s = 0; s < 4; s++) PASS(cards[high + s], boths[high + s], brought[s])
                for (int t = 0; t < 4; t++) PASS(cards[low + t], boths[low + t], brought[4 + t])
                PASS(total, both, brought[8])
            } else if (entry->kind == OF_ONE_RANK) {
                lanes_t of_card[4] = {0}, of_block = {0};
                add_one_rank(&of_block, of_card, board->brought[BLOCK_OF(entry)]);
                for (int s = 0; s < 4; s++) PASS(cards[high + s], boths[high + s], of_card[s])
                PASS(total, both, of_block)
            } else {
                const lanes_t x = board->brought_singles[single];
                PASS(cards[entry->high], boths[entry->high], x)
                PASS(cards[entry->low], boths[entry->low], x)
                PASS(total, both, x)
            }
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
                    const lanes_t *brought = board->brought[BLOCK_OF(e)];
                    for (int s = 0; s < 4; s++) high[s] += brought[s];
                    for (int t = 0; t < 4; t++) low[t] += brought[4 + t];
                    total += brought[8];
                } else if (e->kind == OF_ONE_RANK) {
                    add_one_rank(&total, high, board->brought[BLOCK_OF(e)]);
                } else {
                    const lanes_t x = board->brought_singles[n++];
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
                    const int i = entry->first + 4 * s;
                    const lanes_t base = both - boths[high + s];
                    lanes_t value[4], of_all[4] = {{0}};
                    for (int t = 0; t < 4; t++) value[t] = base - boths[low + t];
                    if (mine && folds)
                        for (int t = 0; t < 4; t++)
                            of_all[t] = (all - alls[high + s]) - alls[low + t];
                    settle(who, 4, sweep, 0, i, board->reach.slots + i, value, of_all,
                           fold_rows[s], own_rows[s], own_fold_rows[s]);
                }
            } else if (entry->kind == OF_ONE_RANK) {
                const uint16_t *buckets = board->buckets + entry->first;
                const lanes_t *of = boths + 4 * entry->high, *of_alls = alls + 4 * entry->high;
                lanes_t value[6], of_all[6] = {{0}};
                for (int k = 0; k < 6; k++) {
                    const int a = PAIR_SUITS[k][0], b = PAIR_SUITS[k][1];
                    value[k] = both - of[a] - of[b];
                    if (mine && folds) of_all[k] = all - of_alls[a] - of_alls[b];
                    HAND_WEIGHTS(k, buckets[k])
                }
                settle(who, 6, sweep, 0, entry->first, board->reach.slots + entry->first, value,
                       of_all, weights[0], weights[1], weights[2]);
            } else {
                const int a = entry->high, b = entry->low;
                lanes_t value = both - boths[a] - boths[b], of_all = {0};
                if (mine && folds) of_all = all - alls[a] - alls[b];
                HAND_WEIGHTS(0, singles->buckets[single])
                settle(who, 1, sweep, 1, single, board->reach.singles + single, &value, &of_all,
                       weights[0], weights[1], weights[2]);
                single++;
            }
        }
    }
}
BODY sweep_mine_body(const sweep_t *sweep, const last_board_t *board) {
    sweep_body(RESPONDER, sweep, board);
}
BODY sweep_others_body(const sweep_t *sweep, const last_board_t *board) {
    sweep_body(OTHERS, sweep, board);
}
BODY sweep_shown_body(const sweep_t *sweep, const last_board_t *board) {
    sweep_body(NOBODY, sweep, board);
}
CLONED(sweep_mine, (const sweep_t *sweep, const last_board_t *board), (sweep, board))
CLONED(sweep_others, (const sweep_t *sweep, const last_board_t *board), (sweep, board))
CLONED(sweep_shown, (const sweep_t *sweep, const last_board_t *board), (sweep, board))

/* Values that are there already go where a point's value goes. */
BODY deliver_body(const rows_t *values, int num_singles, const outcome_t *outcome) {
    DELIVER(NUM_SLOTS, outcome->to.slots, 0, values->slots)
    DELIVER(num_singles, outcome->to.singles, 0, values->singles)
}
CLONED(deliver, (const rows_t *values, int num_singles, const outcome_t *outcome),
       (values, num_singles, outcome))

/* List the hands of a board, of which no more than its buckets, parts and entries is looked at. */
static void list_hands(const last_board_t *board, order_t *order) {
    singles_t *singles = &order->singles;
    singles->count = 0;
    for (int e = 0; e < board->num_entries; e++) {
        const entry_t *entry = &board->entries[e];
        if (entry->kind != SINGLE) continue;
        const int n = singles->count++;
        singles->slots[n] = entry->first;
        singles->buckets[n] = board->buckets[entry->first];
        singles->highs[n] = entry->high;
        singles->lows[n] = entry->low;
    }
    enum { OF_WHOLE, OF_SPLIT, OF_MIXED, OF_PAIRS, KINDS };
    uint8_t blocks[KINDS][NUM_BLOCKS];
    int counts[KINDS] = {0}, num_blocks = 0;
    uint16_t *row = order->rows;
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const int part = board->parts[b].kind;
        int kind = part == WHOLE ? OF_WHOLE : part == MIXED ? OF_MIXED : OF_SPLIT;
        if (BLOCKS[b].high == BLOCKS[b].low) kind = OF_PAIRS;
        blocks[kind][counts[kind]++] = (uint8_t)b;
    }
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < counts[kind]; i++) {
            static const int NUM_ROWS[KINDS] = {1, 3, 16, 6};
            const int b = blocks[kind][i];
            const uint16_t *buckets =
                kind < OF_MIXED ? board->parts[b].buckets : board->buckets + BLOCKS[b].first;
            for (int k = 0; k < NUM_ROWS[kind]; k++) *row++ = buckets[k];
            order->blocks[num_blocks++] = (uint8_t)b;
        }
    order->whole = counts[OF_WHOLE];
    order->split = order->whole + counts[OF_SPLIT];
    order->mixed = order->split + counts[OF_MIXED];
    for (int n = 0; n < singles->count; n++) *row++ = singles->buckets[n];
    for (int n = 0; n < ROWS_AHEAD; n++) row[n] = row[-1];
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

/* Move the reach of single hands from their slots to rows of their own, and back. */
static void part_singles(const last_board_t *board) {
    const singles_t *singles = &board->order->singles;
    for (int n = 0; n < singles->count; n++) {
        lanes_t *slot = board->reach.slots + singles->slots[n];
        board->reach.singles[n] = *slot;
        memset(slot, 0, sizeof *slot);
    }
}
static void join_singles(const last_board_t *board) {
    for (int n = 0; n < board->order->singles.count; n++)
        board->reach.slots[board->order->singles.slots[n]] = board->reach.singles[n];
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

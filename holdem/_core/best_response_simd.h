/* Passes over all hands of one board, 16 betting situations side by side.
 *
 * An array of lanes has one vector for each of the 1326 hands: lane l of every vector belongs to the same one of
 * 16 points of the betting tree that are alike but for their chips. So a pass is the same
 * arithmetic in every lane, and each lane's result is the same for every width of registers.
 */
#ifndef HOLDEM_BEST_RESPONSE_SIMD_H
#define HOLDEM_BEST_RESPONSE_SIMD_H

#include <stdint.h>
#include <string.h>

#define NUM_LANES 16
#define NUM_DECK 52
#define NUM_SLOTS 1326
#define NUM_BLOCKS 91
#define NUM_PER_CARD 51

typedef float lanes_t __attribute__((vector_size(64), aligned(64)));
typedef int32_t lane_bits_t __attribute__((vector_size(64), aligned(64)));

/* The larger of two vectors, lane by lane. A macro: vectors are not passed between functions. */
#define LARGER(a, b)                                                                               \
    ((lanes_t)((((a) > (b)) & (lane_bits_t)(a)) | (~((a) > (b)) & (lane_bits_t)(b))))

/* Hands have fixed *slots*, ordered in blocks of one pair of ranks each: 16 hands of two ranks, by
 * the suit of the higher rank and then that of the lower, or the 6 pairs of one rank. A hand that
 * a board makes impossible keeps its slot; its reach is 0 and its value means nothing. */
typedef struct {
    uint16_t first; /* slot */
    uint8_t high;   /* ranks */
    uint8_t low;
} block_t;

static block_t BLOCKS[NUM_BLOCKS];
static uint8_t SLOT_CARDS[NUM_SLOTS][2];
static uint16_t SLOTS_OF_CARD[NUM_DECK][NUM_PER_CARD];

static void fill_slots(void) {
    int slot = 0, block = 0, counts[NUM_DECK] = {0};
    for (int high = 0; high < 13; high++)
        for (int low = 0; low <= high; low++) {
            BLOCKS[block++] = (block_t){(uint16_t)slot, (uint8_t)high, (uint8_t)low};
            for (int s = 0; s < 4; s++)
                for (int t = 0; t < (high == low ? s : 4); t++) {
                    int cards[2] = {4 * high + s, 4 * low + t};
                    for (int c = 0; c < 2; c++) {
                        SLOT_CARDS[slot][c] = (uint8_t)cards[c];
                        SLOTS_OF_CARD[cards[c]][counts[cards[c]]++] = (uint16_t)slot;
                    }
                    slot++;
                }
        }
}

/* Hands of equal strength: those of a block that are not named singly, or one of them. */
enum { OF_TWO_RANKS, OF_ONE_RANK, SINGLE };
typedef struct {
    uint16_t first; /* slot */
    uint8_t high;   /* ranks; cards of a single hand */
    uint8_t low;
    uint8_t kind;
    uint8_t ties; /* 1 if the next entry has the same strength */
} entry_t;

/* The hands of one board. Entries only on the last street: the weakest first, single hands after
 * the rest of their block. */
typedef struct {
    const uint16_t *buckets; /* (1326,), by slot */
    const entry_t *entries;
    int32_t num_entries;
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

/* sums[i] += weight * terms[i] */
BODY add_weighted_body(lanes_t *sums, const lanes_t *terms, float weight) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] += weight * terms[i];
}
CLONED(add_weighted, (lanes_t *sums, const lanes_t *terms, float weight), (sums, terms, weight))

/* values[i] = the mean of values[i] and values[renamed[i]] over all renamings: rows of `table`. */
BODY symmetrise_body(lanes_t *values, lanes_t *copy, const uint16_t *table,
                     const uint8_t *renamings, int num_renamings) {
    memcpy(copy, values, sizeof(lanes_t) * NUM_SLOTS);
    for (int n = 0; n < num_renamings; n++) {
        const uint16_t *image = table + renamings[n] * NUM_SLOTS;
        for (int i = 0; i < NUM_SLOTS; i++) values[i] += copy[image[i]];
    }
    for (int i = 0; i < NUM_SLOTS; i++) values[i] *= 1.0f / (float)(num_renamings + 1);
}
CLONED(symmetrise,
       (lanes_t *values, lanes_t *copy, const uint16_t *table, const uint8_t *renamings,
        int num_renamings),
       (values, copy, table, renamings, num_renamings))

/* Copy the vectors of all hands that hold *card* to *aside*, or back. */
static void put_aside(lanes_t *aside, const lanes_t *values, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++) aside[i] = values[SLOTS_OF_CARD[card][i]];
}
static void put_back(lanes_t *values, const lanes_t *aside, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++) values[SLOTS_OF_CARD[card][i]] = aside[i];
}
static void clear_card(lanes_t *values, int card) {
    for (int i = 0; i < NUM_PER_CARD; i++)
        memset(values + SLOTS_OF_CARD[card][i], 0, sizeof(lanes_t));
}

/* Lane l of row i of *packed* is lane slots[l] % 16 of row i of the block slots[l] / 16 of
 * *blocks*, each of 1326 rows; a slot below 0 is no lane. */
static void unpack_lanes(float *blocks, const lanes_t *packed, const int32_t *slots) {
    float *to[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        to[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * NUM_SLOTS * NUM_LANES
                    + slots[l] % NUM_LANES;
    }
    for (int i = 0; i < NUM_SLOTS; i++) {
        const float *row = (const float *)(packed + i);
        for (int k = 0; k < num; k++) to[k][(int64_t)i * NUM_LANES] = row[lane[k]];
    }
}

static void pack_lanes(lanes_t *packed, const float *blocks, const int32_t *slots) {
    const float *from[NUM_LANES];
    int lane[NUM_LANES], num = 0;
    for (int l = 0; l < NUM_LANES; l++) {
        if (slots[l] < 0) continue;
        lane[num] = l;
        from[num++] = blocks + (int64_t)(slots[l] / NUM_LANES) * NUM_SLOTS * NUM_LANES
                      + slots[l] % NUM_LANES;
    }
    for (int i = 0; i < NUM_SLOTS; i++) {
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
    for (int i = 0; i < NUM_SLOTS; i++)
        played[i] = reach[i] * strategy[hands->buckets[i] * num_actions];
}
CLONED(play,
       (lanes_t *played, const lanes_t *reach, const lanes_t *strategy, int num_actions,
        int action, const hands_t *hands),
       (played, reach, strategy, num_actions, action, hands))

/* sums[i] += terms[i] */
BODY add_body(lanes_t *sums, const lanes_t *terms) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] += terms[i];
}
CLONED(add, (lanes_t *sums, const lanes_t *terms), (sums, terms))

/* sums[i] = first[i] + second[i] */
BODY set_sum_body(lanes_t *sums, const lanes_t *first, const lanes_t *second) {
    for (int i = 0; i < NUM_SLOTS; i++) sums[i] = first[i] + second[i];
}
CLONED(set_sum, (lanes_t *sums, const lanes_t *first, const lanes_t *second),
       (sums, first, second))

/* sums[i] += the probability of one action * terms[i] */
BODY add_played_body(lanes_t *sums, const lanes_t *terms, const lanes_t *strategy,
                     int num_actions, int action, const hands_t *hands) {
    strategy += action;
    for (int i = 0; i < NUM_SLOTS; i++)
        sums[i] += terms[i] * strategy[hands->buckets[i] * num_actions];
}
CLONED(add_played,
       (lanes_t *sums, const lanes_t *terms, const lanes_t *strategy, int num_actions, int action,
        const hands_t *hands),
       (sums, terms, strategy, num_actions, action, hands))

/* best[i] = the larger of best[i] and others[i] + bar; the bar, if there is one, is 0 or -inf. */
BODY raise_to_body(lanes_t *best, const lanes_t *others, const float *bar) {
    lanes_t least = {0};
    if (bar) memcpy(&least, bar, sizeof least);
    for (int i = 0; i < NUM_SLOTS; i++) {
        lanes_t other = others[i] + least;
        best[i] = LARGER(best[i], other);
    }
}
CLONED(raise_to, (lanes_t *best, const lanes_t *others, const float *bar), (best, others, bar))

/* ---- Where the hand ends ---- */

/* What a hand {h, l} meets of some reach: the sum over all hands, less those of its cards, plus
 * its own, which was taken off twice. */

/* total and cards += the sums of x over one block, by card. */
BODY add_two_ranks(lanes_t *total, lanes_t *high, lanes_t *low, const lanes_t *x) {
    lanes_t sum = {0}, columns[4] = {{0}, {0}, {0}, {0}};
    for (int s = 0; s < 4; s++) {
        const lanes_t *row = x + 4 * s;
        lanes_t of_row = (row[0] + row[1]) + (row[2] + row[3]);
        for (int t = 0; t < 4; t++) columns[t] += row[t];
        high[s] += of_row;
        sum += of_row;
    }
    for (int t = 0; t < 4; t++) low[t] += columns[t];
    *total += sum;
}
BODY add_one_rank(lanes_t *total, lanes_t *cards, const lanes_t *x) {
    cards[0] += x[0] + x[1] + x[3];
    cards[1] += x[0] + x[2] + x[4];
    cards[2] += x[1] + x[2] + x[5];
    cards[3] += x[3] + x[4] + x[5];
    *total += ((x[0] + x[1]) + (x[2] + x[3])) + (x[4] + x[5]);
}
BODY add_block(lanes_t *total, lanes_t *cards, const lanes_t *x, const block_t *block) {
    if (block->high != block->low)
        add_two_ranks(total, cards + 4 * block->high, cards + 4 * block->low, x + block->first);
    else add_one_rank(total, cards + 4 * block->high, x + block->first);
}

/* Run HAND(slot, base - both cards) for every hand of a block of which *highs* and *lows* are the
 * sums by card. */
#define FOR_TWO_RANKS(HAND, first_slot, base, highs, lows)                                         \
    {                                                                                              \
        const int first_ = (first_slot);                                                           \
        for (int s = 0; s < 4; s++) {                                                              \
            lanes_t base_ = (base) - (highs)[s];                                                   \
            for (int t = 0; t < 4; t++) HAND(first_ + 4 * s + t, base_ - (lows)[t])                \
        }                                                                                          \
    }
#define FOR_ONE_RANK(HAND, first_slot, base, four)                                                 \
    {                                                                                              \
        const int first_ = (first_slot);                                                           \
        for (int s = 1, n = 0; s < 4; s++)                                                         \
            for (int t = 0; t < s; t++, n++) HAND(first_ + n, (base) - (four)[s] - (four)[t])      \
    }
/* The same for an entry, unless it is a single hand. */
#define FOR_HANDS(HAND, entry, total, cards)                                                       \
    if ((entry)->kind == OF_TWO_RANKS) {                                                           \
        const lanes_t *highs = (cards) + 4 * (entry)->high, *lows = (cards) + 4 * (entry)->low;    \
        FOR_TWO_RANKS(HAND, (entry)->first, total, highs, lows)                                    \
    } else if ((entry)->kind == OF_ONE_RANK) {                                                     \
        const lanes_t *four = (cards) + 4 * (entry)->high;                                         \
        FOR_ONE_RANK(HAND, (entry)->first, total, four)                                            \
    }

/* Most strengths are one block of two ranks. Then the readings before and after its x is added
 * differ by the block's own sums, and are taken as one: *both*, of_high and of_low are the sums
 * of the two readings. */
BODY pass_two_ranks(lanes_t *total, lanes_t *high, lanes_t *low, const lanes_t *x, lanes_t *both,
                    lanes_t *of_high, lanes_t *of_low) {
    lanes_t sum = {0}, columns[4] = {{0}, {0}, {0}, {0}};
    for (int s = 0; s < 4; s++) {
        const lanes_t *row = x + 4 * s;
        lanes_t of_row = (row[0] + row[1]) + (row[2] + row[3]);
        for (int t = 0; t < 4; t++) columns[t] += row[t];
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

/* Take the single hands' x away, so that their blocks are without them. */
BODY set_singles_aside(lanes_t *aside, lanes_t *x, const hands_t *hands) {
    for (int e = 0, n = 0; e < hands->num_entries; e++)
        if (hands->entries[e].kind == SINGLE) {
            aside[n++] = x[hands->entries[e].first];
            memset(x + hands->entries[e].first, 0, sizeof(lanes_t));
        }
}

/* total and cards += the sums of x over the entries of one strength; returns singles passed. */
static inline __attribute__((always_inline)) int add_entries(
    lanes_t *total, lanes_t *cards, const lanes_t *x, const lanes_t *aside, const entry_t *entry,
    const entry_t *end) {
    int singles = 0;
    for (; entry < end; entry++) {
        if (entry->kind == OF_TWO_RANKS)
            add_two_ranks(total, cards + 4 * entry->high, cards + 4 * entry->low, x + entry->first);
        else if (entry->kind == OF_ONE_RANK)
            add_one_rank(total, cards + 4 * entry->high, x + entry->first);
        else {
            *total += aside[singles];
            cards[entry->high] += aside[singles];
            cards[entry->low] += aside[singles];
            singles++;
        }
    }
    return singles;
}

static inline __attribute__((always_inline)) const entry_t *end_of_ties(const entry_t *entry) {
    while (entry->ties) entry++;
    return entry + 1;
}

/* The opponent decides, and *reach* is what it came here with: values[i] is what the responder
 * gains by the opponent's actions that end the hand. work: (1326,); aside: (2, 1326).
 *
 * With f = reach * fold chips * p(fold) and w = reach * showdown chips * p(showdown), the value is
 * the sum of f - w over the hands that are met, plus w twice over the weaker ones and once over
 * equal ones. The sums begin with half of f - w; each hand reads them before its strength's w is
 * added and again after it. Of its own f - w + w, which was taken off twice, f comes back. */
BODY others_endings_body(lanes_t *values, lanes_t *work, lanes_t *aside, const lanes_t *reach,
                         const endings_t *endings, const hands_t *hands) {
    const int folds = endings->fold >= 0, shows = endings->showdown >= 0;
    const int num_actions = endings->num_actions;
    const lanes_t fold_chips = endings->fold_chips, showdown_chips = endings->showdown_chips;
    const lanes_t *fold_chance = endings->strategy + endings->fold;
    const lanes_t *showdown_chance = endings->strategy + endings->showdown;
    lanes_t cards[NUM_DECK], shown[NUM_DECK], total = {0}, all_shown = {0};
    memset(cards, 0, sizeof cards);
    memset(shown, 0, sizeof shown);
    for (int b = 0; b < NUM_BLOCKS; b++) {
        const block_t *block = &BLOCKS[b];
        const int start = block->first, end = start + (block->high == block->low ? 6 : 16);
        if (folds && shows)
            for (int i = start; i < end; i++) {
                const int row = hands->buckets[i] * num_actions;
                const lanes_t here = reach[i];
                values[i] = fold_chips * fold_chance[row] * here;
                work[i] = showdown_chips * showdown_chance[row] * here;
            }
        else if (folds)
            for (int i = start; i < end; i++)
                values[i] = fold_chips * fold_chance[hands->buckets[i] * num_actions] * reach[i];
        else
            for (int i = start; i < end; i++)
                work[i] = showdown_chips * showdown_chance[hands->buckets[i] * num_actions]
                          * reach[i];
        if (folds) add_block(&total, cards, values, block);
        if (shows) add_block(&all_shown, shown, work, block);
    }
#define ADD_MET(i, met) values[i] += met;
#define SET_VALUE(i, met) values[i] = met;
    if (!shows) {
        for (int b = 0; b < NUM_BLOCKS; b++) {
            const entry_t entry = {BLOCKS[b].first, BLOCKS[b].high, BLOCKS[b].low,
                                   BLOCKS[b].high == BLOCKS[b].low ? OF_ONE_RANK : OF_TWO_RANKS, 0};
            FOR_HANDS(ADD_MET, &entry, total, cards)
        }
        return;
    }
    total = (total - all_shown) * 0.5f;
    for (int c = 0; c < NUM_DECK; c++) cards[c] = (cards[c] - shown[c]) * 0.5f;
    lanes_t *of_single = aside, *value_of_single = aside + NUM_SLOTS;
    for (int e = 0, n = 0; e < hands->num_entries; e++)
        if (hands->entries[e].kind == SINGLE) {
            if (folds) value_of_single[n] = values[hands->entries[e].first];
            else memset(value_of_single + n, 0, sizeof(lanes_t));
            n++;
        }
    set_singles_aside(of_single, work, hands);
    const entry_t *entry = hands->entries, *last = entry + hands->num_entries;
    while (entry < last) {
        if (entry->kind == OF_TWO_RANKS && !entry->ties) {
            lanes_t both, of_high[4], of_low[4];
            const int first = entry->first;
            pass_two_ranks(&total, cards + 4 * entry->high, cards + 4 * entry->low, work + first,
                           &both, of_high, of_low);
            if (folds) FOR_TWO_RANKS(ADD_MET, first, both, of_high, of_low)
            else FOR_TWO_RANKS(SET_VALUE, first, both, of_high, of_low)
            entry++;
            continue;
        }
        const entry_t *end = end_of_ties(entry);
        int n = 0;
        for (const entry_t *e = entry; e < end; e++) {
            if (e->kind == SINGLE) {
                value_of_single[n++] += total - cards[e->high] - cards[e->low];
            } else if (folds) {
                FOR_HANDS(ADD_MET, e, total, cards)
            } else {
                FOR_HANDS(SET_VALUE, e, total, cards)
            }
        }
        add_entries(&total, cards, work, of_single, entry, end);
        n = 0;
        for (const entry_t *e = entry; e < end; e++) {
            FOR_HANDS(ADD_MET, e, total, cards)
            else {
                values[e->first] =
                    value_of_single[n] + (total - cards[e->high] - cards[e->low]);
                n++;
            }
        }
        of_single += n;
        value_of_single += n;
        entry = end;
    }
}
CLONED(others_endings,
       (lanes_t *values, lanes_t *work, lanes_t *aside, const lanes_t *reach,
        const endings_t *endings, const hands_t *hands),
       (values, work, aside, reach, endings, hands))

/* The responder decides against *reach*: best[i] is the best of its actions that end the hand,
 * and own[i], unless own is NULL, what those actions bring that its policy takes. If it may not
 * choose, best[i] is that too. Without a strategy the only action is the showdown. Single hands'
 * reach is taken away meanwhile. aside: (1326,) */
BODY own_endings_body(lanes_t *best, lanes_t *own, lanes_t *aside, lanes_t *reach, int chooses,
                      const endings_t *endings, const hands_t *hands) {
    const int folds = endings->fold >= 0, shows = endings->showdown >= 0;
    const int means = own || !chooses;
    const lanes_t fold_chips = endings->fold_chips, showdown_chips = endings->showdown_chips;
    lanes_t cards[NUM_DECK], total = {0};
    memset(cards, 0, sizeof cards);
    for (int b = 0; b < NUM_BLOCKS; b++) add_block(&total, cards, reach, &BLOCKS[b]);

/* With the showdown's value in best[i], if there is one, and all that is met by a fold. */
#define RAISE_TO_FOLD(i, met)                                                                      \
    {                                                                                              \
        lanes_t fold = fold_chips * ((met) + reach[i]);                                            \
        best[i] = LARGER(fold, best[i]);                                                           \
    }
#define SET_FOLD(i, met) best[i] = fold_chips * ((met) + reach[i]);
#define SET_MEAN(i, met)                                                                           \
    {                                                                                              \
        lanes_t fold = fold_chips * ((met) + reach[i]), show = best[i], mean = show;               \
        if (endings->strategy) {                                                                   \
            const lanes_t *chance =                                                                \
                endings->strategy + hands->buckets[i] * endings->num_actions;                      \
            mean = (lanes_t){0};                                                                   \
            if (folds) mean += fold * chance[endings->fold];                                       \
            if (shows) mean += show * chance[endings->showdown];                                   \
        }                                                                                          \
        if (!chooses) best[i] = mean;                                                              \
        else if (!shows) best[i] = fold;                                                           \
        else if (folds) best[i] = LARGER(fold, show);                                              \
        if (own) own[i] = mean;                                                                    \
    }
#define FINISH(entry)                                                                              \
    if (means) {                                                                                   \
        FOR_HANDS(SET_MEAN, entry, total, cards)                                                   \
    } else if (!shows) {                                                                           \
        FOR_HANDS(SET_FOLD, entry, total, cards)                                                   \
    } else if (folds) {                                                                            \
        FOR_HANDS(RAISE_TO_FOLD, entry, total, cards)                                              \
    }
    if (!shows) {
        for (int b = 0; b < NUM_BLOCKS; b++) {
            const entry_t entry = {BLOCKS[b].first, BLOCKS[b].high, BLOCKS[b].low,
                                   BLOCKS[b].high == BLOCKS[b].low ? OF_ONE_RANK : OF_TWO_RANKS, 0};
            FINISH(&entry)
        }
        return;
    }

    lanes_t weaker[NUM_DECK], below = total * -0.5f;
    for (int c = 0; c < NUM_DECK; c++) weaker[c] = cards[c] * -0.5f;
    set_singles_aside(aside, reach, hands);
    const entry_t *entry = hands->entries, *last = entry + hands->num_entries;
    while (entry < last) {
        if (entry->kind == OF_TWO_RANKS && !entry->ties) {
            lanes_t both, of_high[4], of_low[4];
            const int first = entry->first;
            pass_two_ranks(&below, weaker + 4 * entry->high, weaker + 4 * entry->low,
                           reach + first, &both, of_high, of_low);
#define SET_SHOWDOWN(i, met) best[i] = showdown_chips * (met);
            FOR_TWO_RANKS(SET_SHOWDOWN, first, both, of_high, of_low)
            FINISH(entry)
            entry++;
            continue;
        }
        const entry_t *end = end_of_ties(entry);
        for (const entry_t *e = entry; e < end; e++) {
#define SET_MET(i, met) best[i] = met;
            FOR_HANDS(SET_MET, e, below, weaker)
            else best[e->first] = below - weaker[e->high] - weaker[e->low];
        }
        aside += add_entries(&below, weaker, reach, aside, entry, end);
        for (const entry_t *e = entry; e < end; e++) {
#define ADD_MET_FOR_CHIPS(i, met) best[i] = showdown_chips * (best[i] + (met));
            FOR_HANDS(ADD_MET_FOR_CHIPS, e, below, weaker)
            else {
                ADD_MET_FOR_CHIPS(e->first, below - weaker[e->high] - weaker[e->low])
            }
            FINISH(e)
        }
        entry = end;
    }
    for (int e = hands->num_entries - 1; e >= 0; e--)
        if (hands->entries[e].kind == SINGLE) reach[hands->entries[e].first] = *--aside;
    if (!folds && !means) return;
    for (int e = 0; e < hands->num_entries; e++) {
        const entry_t *single = &hands->entries[e];
        if (single->kind != SINGLE) continue;
        if (means) SET_MEAN(single->first, total - cards[single->high] - cards[single->low])
        else RAISE_TO_FOLD(single->first, total - cards[single->high] - cards[single->low])
    }
}
CLONED(own_endings,
       (lanes_t *best, lanes_t *own, lanes_t *aside, lanes_t *reach, int chooses,
        const endings_t *endings, const hands_t *hands),
       (best, own, aside, reach, chooses, endings, hands))

#endif

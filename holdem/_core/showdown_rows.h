/* The endings of showdown_simd.h in vectors of WIDTH floats: to be included for each width. Rows
 * are of as many endings, padded to a multiple of 16 hands. */

#define IN_WIDTH(name) IN_WIDTH_OF(name, WIDTH)
#define IN_WIDTH_OF(name, width) NAME_OF_WIDTH(name, width)
#define NAME_OF_WIDTH(name, width) name##_##width
#define VECTOR IN_WIDTH(Endings)

typedef float VECTOR __attribute__((vector_size(4 * WIDTH), aligned(4 * WIDTH), may_alias));

/* As many hands' values, laid [hand][ending] at *values*, as pieces of rows times their worth. */
static inline __attribute__((always_inline)) void
IN_WIDTH(values_to_rows)(VECTOR *values, float *const *rows, const float *worth, int first, int wide) {
    const float *from[WIDTH];
    float *to[WIDTH];
    VECTOR scale;
    for (int i = 0; i < WIDTH; i++) scale[i] = worth[i];
    for (int i = 0; i < WIDTH; i++) {
        values[i] *= scale;
        from[i] = (const float *)&values[i];
        to[i] = rows[i] + first;
    }
    transpose_block(from, to, WIDTH, wide);
}

/* The endings of rows *lane* to *lane* + WIDTH. */
static inline __attribute__((always_inline)) void
IN_WIDTH(evaluate_rows)(const RankedHands *own, const RankedHands *opponent, int num_levels,
                        const uint16_t *same, const EndingRows *rows, int lane, float *scratch,
                        int wide) {
    VECTOR *reach = (VECTOR *)scratch, block[WIDTH];
    const uint8_t *cards = own->cards, *theirs = opponent->cards;
    const int num_own = own->num_hands, num_theirs = opponent->num_hands;
    const int own_rows = (num_own / 16 + 1) * 16, their_rows = (num_theirs / 16 + 1) * 16;
    VECTOR met[52], all_met = {0};
    for (int card = 0; card < 52; card++) met[card] = all_met;
    for (int first = 0; first < their_rows; first += WIDTH) {
        const float *from[WIDTH];
        float *to[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            from[i] = rows->reach[lane + i] + first;
            to[i] = (float *)(reach + first + i);
        }
        transpose_block(from, to, WIDTH, wide);
        for (int hand = first; hand < first + WIDTH && hand < num_theirs; hand++) {
            all_met += reach[hand];
            met[theirs[2 * hand]] += reach[hand];
            met[theirs[2 * hand + 1]] += reach[hand];
        }
    }
    if (rows->fold_worth)
        for (int first = 0; first < own_rows; first += WIDTH) {
            for (int i = 0; i < WIDTH; i++) {
                int hand = first + i;
                if (hand < num_own)
                    block[i] = all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]] + reach[same[hand]];
                else
                    block[i] = (VECTOR){0};
            }
            IN_WIDTH(values_to_rows)(block, rows->folds + lane, rows->fold_worth + lane, first, wide);
        }
    if (rows->showdown_worth) {
        float *const *to = rows->showdowns + lane;
        const float *worth = rows->showdown_worth + lane;
        /* From minus a half of all to plus a half: before a hand's equals and after them,
         * the two sums are what it beats less what beats it. Only with itself does a hand share
         * both cards, and that is an equal: what is left out twice cancels. */
        VECTOR *values = reach + their_rows;
        int begin = 0, next = 0, given = 0;
        all_met *= -0.5f;
        for (int card = 0; card < 52; card++) met[card] *= -0.5f;
        for (int level = 0; level < num_levels; level++) {
            int end = own->level_ends[level], their_end = opponent->level_ends[level];
            for (int hand = begin; hand < end; hand++)
                values[hand] = all_met - met[cards[2 * hand]] - met[cards[2 * hand + 1]];
            for (; next < their_end; next++) {
                all_met += reach[next];
                met[theirs[2 * next]] += reach[next];
                met[theirs[2 * next + 1]] += reach[next];
            }
            for (; begin < end; begin++)
                values[begin] += all_met - met[cards[2 * begin]] - met[cards[2 * begin + 1]];
            for (; given + WIDTH <= begin; given += WIDTH)
                IN_WIDTH(values_to_rows)(values + given, to, worth, given, wide);
        }
        for (int hand = num_own; hand < own_rows; hand++) values[hand] = (VECTOR){0};
        for (; given < own_rows; given += WIDTH)
            IN_WIDTH(values_to_rows)(values + given, to, worth, given, wide);
    }
}

#undef IN_WIDTH
#undef IN_WIDTH_OF
#undef NAME_OF_WIDTH
#undef VECTOR

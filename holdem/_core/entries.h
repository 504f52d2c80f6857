/* The hands of a river board in order of strength, block by block. */
#ifndef HOLDEM_ENTRIES_H
#define HOLDEM_ENTRIES_H

#include <stdint.h>

/* Hands of equal strength: those of a block that are not named singly, or one of them. A block of
 * two ranks has 16 rows, by the suit of the higher rank and then that of the lower; a block of one
 * rank has the 6 pairs of `PAIR_SUITS`. */
enum { OF_TWO_RANKS, OF_ONE_RANK, SINGLE };
typedef struct {
    uint16_t first; /* row */
    uint8_t high;   /* ranks; cards of a single hand */
    uint8_t low;
    uint8_t kind;
    uint8_t ties; /* 1 if the next entry has the same strength */
} entry_t;

/* The suits of the pairs of a rank, in the order of rows. */
static const uint8_t PAIR_SUITS[6][2] = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}};

/* The ranks of an entry, one bit each. */
static inline unsigned ranks_of(const entry_t *entry) {
    if (entry->kind == SINGLE) return 1u << (entry->high >> 2) | 1u << (entry->low >> 2);
    return 1u << entry->high | 1u << entry->low;
}

#endif

/* Meeting points of processes that map the same memory: a barrier and a ticket.
 *
 * Every word is a plain uint32_t of the mapping; zeros are a fresh barrier or ticket.
 * Waiting spins for a while if the caller lets it, then blocks in the kernel (Linux futex;
 * elsewhere it sleeps a little, and a little longer each time).
 *
 * Who sees what: an arrival is a read-modify-write of `arrived` that both acquires and
 * releases, so the last one to arrive has seen what all others wrote before; it then
 * releases `generation`, which every other one acquires. So whatever any party wrote
 * before it arrived, all parties see after the barrier.
 *
 * No lost wake-up: a sleeper counts itself in `sleepers` before the kernel compares the
 * word, and a waker changes the word before it looks at `sleepers`, both sequentially
 * consistent. Either the sleeper finds the new word or the waker finds the sleeper. A
 * sleeper that is killed stays counted; from then on each release makes one system call
 * too many, and nothing else.
 */
#ifndef HOLDEM_SYNC_FUTEX_H
#define HOLDEM_SYNC_FUTEX_H

#include <stdint.h>
#include <time.h>

#if defined(__linux__)
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* What a wait ends in. */
enum {
    SYNC_DONE = 0,        /* all have arrived; the ticket is high enough */
    SYNC_TIMED_OUT = 1,   /* the deadline has passed */
    SYNC_BROKEN = 2,      /* the barrier was aborted, or another party gave up */
    SYNC_INTERRUPTED = 3, /* a signal came: look at it, then wait again */
    SYNC_ARRIVED = 4,     /* not the last: now await the generation */
};

/* Words that are written and words that are spun on lie in cache lines of their own. */
enum {
    SYNC_ARRIVED_WORD = 0,     /* parties of this round so far */
    SYNC_GENERATION_WORD = 16, /* 2 * rounds completed, plus 1 once broken */
    SYNC_BARRIER_SLEEPERS = 17,
    SYNC_BARRIER_WORDS = 32,
    SYNC_TICKET_WORD = 0,
    SYNC_TICKET_SLEEPERS = 1,
    SYNC_TICKET_WORDS = 16,
    SYNC_CELL_WORDS = 8, /* int64: one counter in a cache line of its own */
};

static inline int64_t sync_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void sync_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

static inline uint32_t sync_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void sync_wake(uint32_t *word, const uint32_t *sleepers) {
#if defined(__linux__)
    if (__atomic_load_n(sleepers, __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
#else
    (void)word, (void)sleepers;
#endif
}

/* How long a waiter spins, in ns; its own, not shared. `now` follows what spinning brought:
 * on a busy machine the others do not run meanwhile, and a spin only delays them. */
typedef struct {
    int64_t most, now;
    uint32_t skipped;
} SyncSpin;

enum { SYNC_LEAST_SPIN = 1000, SYNC_SPIN_AGAIN = 64 /* waits without, then one more try */ };

/* Spin until *word is not `seen`, for a while at most. */
static inline void sync_spin(const uint32_t *word, uint32_t seen, SyncSpin *spin) {
    if (spin->most <= 0 || sync_load(word) != seen) return;
    if (spin->now < SYNC_LEAST_SPIN) {
        if (++spin->skipped < SYNC_SPIN_AGAIN) return;
        spin->skipped = 0;
        spin->now = spin->most;
    }
    int64_t until = sync_now() + spin->now;
    do {
        for (int i = 0; i < 16; i++) {
            sync_pause();
            if (sync_load(word) != seen) {
                spin->now = spin->most;
                return;
            }
        }
    } while (sync_now() < until);
    spin->now /= 2;
}

/* Block while *word is `seen`: SYNC_DONE (it may have changed: look), TIMED_OUT or INTERRUPTED.
 * `deadline` is on the clock of sync_now. */
static inline int sync_block(uint32_t *word, uint32_t seen, uint32_t *sleepers, int64_t deadline) {
#if defined(__linux__)
    struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    __atomic_fetch_add(sleepers, 1, __ATOMIC_SEQ_CST);
    /* Not FUTEX_PRIVATE: the sleepers are in other processes. BITSET, because only it
     * takes a point in time, which a signal on the way does not move. */
    long failed = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen, &until, NULL,
                          FUTEX_BITSET_MATCH_ANY);
    int reason = failed ? errno : 0;
    __atomic_fetch_sub(sleepers, 1, __ATOMIC_SEQ_CST);
    if (reason == EINTR) return SYNC_INTERRUPTED;
    if (reason == 0 || reason == EAGAIN) return SYNC_DONE;
    /* ETIMEDOUT; and where futexes are forbidden (a sandbox), sleep as below. */
    if (reason == ETIMEDOUT) return SYNC_TIMED_OUT;
#endif
    (void)sleepers;
    int64_t length = 20000;
    while (sync_load(word) == seen) {
        int64_t left = deadline - sync_now();
        if (left <= 0) return SYNC_TIMED_OUT;
        struct timespec nap = {0, length < left ? length : left};
        if (nanosleep(&nap, NULL)) return SYNC_INTERRUPTED;
        if (length < 1000000) length *= 2;
    }
    return SYNC_DONE;
}

/* A timeout for threads of one process, which end together: time runs on while it is stopped,
 * maybe for hours. */
#define SYNC_FOREVER ((int64_t)1 << 60)

/* Make every present and future wait end as BROKEN. */
static inline void sync_barrier_abort(uint32_t *words) {
    __atomic_fetch_or(words + SYNC_GENERATION_WORD, 1, __ATOMIC_SEQ_CST);
    sync_wake(words + SYNC_GENERATION_WORD, words + SYNC_BARRIER_SLEEPERS);
}

/* Arrive once in this round: DONE for the last, BROKEN, or ARRIVED: then await *generation. */
static inline int sync_barrier_arrive(uint32_t *words, uint32_t parties, uint32_t *generation) {
    /* Nobody can complete this round without us, so the generation is ours to read. */
    uint32_t mine = sync_load(words + SYNC_GENERATION_WORD);
    *generation = mine;
    if (mine & 1) return SYNC_BROKEN;
    uint32_t arrived = 1 + __atomic_fetch_add(words + SYNC_ARRIVED_WORD, 1, __ATOMIC_ACQ_REL);
    if (arrived < parties) return SYNC_ARRIVED;
    if (arrived > parties) { /* one more than was agreed on */
        sync_barrier_abort(words);
        return SYNC_BROKEN;
    }
    /* Zero before the release: who leaves may arrive for the next round at once. */
    __atomic_store_n(words + SYNC_ARRIVED_WORD, 0, __ATOMIC_RELAXED);
    if (!__atomic_compare_exchange_n(words + SYNC_GENERATION_WORD, &mine, mine + 2, 0,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return SYNC_BROKEN; /* somebody gave up just now */
    sync_wake(words + SYNC_GENERATION_WORD, words + SYNC_BARRIER_SLEEPERS);
    return SYNC_DONE;
}

/* Wait for the others: DONE, BROKEN, INTERRUPTED or TIMED_OUT; after these two, await again or
 * give up with sync_barrier_leave. */
static inline int sync_barrier_await(uint32_t *words, uint32_t generation, int64_t deadline,
                                     SyncSpin *spin) {
    uint32_t *word = words + SYNC_GENERATION_WORD;
    int outcome = SYNC_DONE;
    if (spin) sync_spin(word, generation, spin);
    for (;;) {
        uint32_t now = sync_load(word);
        if (now == (generation | 1)) return SYNC_BROKEN;
        /* Broken since, but only after this round was complete: it counts. */
        if (now != generation) return SYNC_DONE;
        if (outcome != SYNC_DONE) return outcome;
        outcome = sync_block(word, generation, words + SYNC_BARRIER_SLEEPERS, deadline);
    }
}

/* Give up a round: DONE if it was completed in this very moment, else the barrier is broken. */
static inline int sync_barrier_leave(uint32_t *words, uint32_t generation) {
    uint32_t expected = generation;
    if (!__atomic_compare_exchange_n(words + SYNC_GENERATION_WORD, &expected, generation | 1, 0,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return expected == (generation | 1) ? SYNC_BROKEN : SYNC_DONE;
    sync_wake(words + SYNC_GENERATION_WORD, words + SYNC_BARRIER_SLEEPERS);
    return SYNC_TIMED_OUT;
}

/* Arrive and wait, whatever signals come: DONE, TIMED_OUT (broken from now on) or BROKEN. */
static inline int sync_barrier_wait(uint32_t *words, uint32_t parties, int64_t timeout,
                                    SyncSpin *spin) {
    uint32_t generation;
    int outcome = sync_barrier_arrive(words, parties, &generation);
    if (outcome != SYNC_ARRIVED) return outcome;
    int64_t deadline = sync_now() + timeout;
    do {
        outcome = sync_barrier_await(words, generation, deadline, spin);
        spin = NULL;
    } while (outcome == SYNC_INTERRUPTED);
    return outcome == SYNC_TIMED_OUT ? sync_barrier_leave(words, generation) : outcome;
}

/* Tickets grow, and may wrap around: compared by their distance. */
static inline int sync_ticket_reached(uint32_t ticket, uint32_t value) {
    return (int32_t)(ticket - value) >= 0;
}

/* Raise the ticket to `value`, unless it is there already, and wake who waits. */
static inline void sync_ticket_signal(uint32_t *words, uint32_t value) {
    uint32_t *word = words + SYNC_TICKET_WORD;
    uint32_t now = sync_load(word);
    while (!sync_ticket_reached(now, value))
        if (__atomic_compare_exchange_n(word, &now, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
            sync_wake(word, words + SYNC_TICKET_SLEEPERS);
            return;
        }
}

/* Raise the ticket by `count`, wake who waits, and return the new ticket. */
static inline uint32_t sync_ticket_add(uint32_t *words, uint32_t count) {
    uint32_t now =
        count + __atomic_fetch_add(words + SYNC_TICKET_WORD, count, __ATOMIC_SEQ_CST);
    sync_wake(words + SYNC_TICKET_WORD, words + SYNC_TICKET_SLEEPERS);
    return now;
}

/* Wait until the ticket is at least `value`: DONE, TIMED_OUT or INTERRUPTED. */
static inline int sync_ticket_await(uint32_t *words, uint32_t value, int64_t deadline,
                                    SyncSpin *spin) {
    uint32_t *word = words + SYNC_TICKET_WORD;
    int outcome = SYNC_DONE;
    for (;;) {
        uint32_t now = sync_load(word);
        if (sync_ticket_reached(now, value)) return SYNC_DONE;
        if (outcome != SYNC_DONE) return outcome;
        if (spin) {
            sync_spin(word, now, spin);
            spin = NULL; /* once */
        } else {
            outcome = sync_block(word, now, words + SYNC_TICKET_SLEEPERS, deadline);
        }
    }
}

static inline int64_t sync_cell_load(const int64_t *cell) {
    return __atomic_load_n(cell, __ATOMIC_ACQUIRE);
}

static inline void sync_cell_store(int64_t *cell, int64_t value) {
    __atomic_store_n(cell, value, __ATOMIC_RELEASE);
}

static inline int64_t sync_cell_add(int64_t *cell, int64_t count) {
    return count + __atomic_fetch_add(cell, count, __ATOMIC_ACQ_REL);
}

#endif

/* The choice that stands before a subgame which is solved safely: to enter it or not.
 *
 * The player whom the search is up against could have had an alternative for each hand. It
 * chooses between that and playing on, hand by hand (Burch, Johanson & Bowling 2014), or
 * which one hand to enter with, where what counts is how much better than its alternative
 * that hand does (Moravcik et al. 2016). The choice is learnt as any other: regret
 * matching, and an average of what was chosen.
 */
#ifndef HOLDEM_RANGE_GADGET_H
#define HOLDEM_RANGE_GADGET_H

#include <stddef.h>

enum { NO_GADGET, RESOLVE, MAX_MARGIN };

typedef struct {
    int kind;
    int player;                /* who chooses */
    int num_hands;             /* of that player, in the range's order */
    const float *weights;      /* (hands,) */
    const float *alternatives; /* (hands,) chips times the other's reach that the hand can meet */
    const float *shares;       /* (hands,) one over that reach; 0 for a hand that meets none */
    float pairs;               /* weight of all pairs of hands that can meet */
    float *regrets;            /* (2, hands) of playing and of the alternative; or (hands,) */
    float *sums;               /* likewise, of the average */
    float *chosen;             /* (hands,) how likely each is played, or chosen, now */
    float *reach;              /* (hands + 1,) that enters */
} RangeGadget;

static inline float gain_of(float regret) { return regret > 0 ? regret : 0; }

static inline float faded(float regret, float fade_gains, float fade_losses) {
    return regret * (regret > 0 ? fade_gains : fade_losses);
}

/* Fill what is chosen now: by regret matching, evenly where nothing is regretted. */
static void choose_gadget(const RangeGadget *gadget) {
    const int count = gadget->num_hands;
    const float *restrict regrets = gadget->regrets, *restrict shares = gadget->shares;
    float *restrict chosen = gadget->chosen;
    if (gadget->kind == RESOLVE) {
        const float *restrict others = regrets + count;
        for (int hand = 0; hand < count; hand++) {
            float gain = gain_of(regrets[hand]), total = gain + gain_of(others[hand]);
            float play = gain / (total > 1e-30f ? total : 1.0f);
            chosen[hand] = total > 1e-30f ? play : 0.5f;
        }
        return;
    }
    double total = 0;
    int able = 0;
    for (int hand = 0; hand < count; hand++) {
        total += gain_of(regrets[hand]);
        able += shares[hand] > 0;
    }
    /* A hand that meets none has no regret, and cannot be chosen. */
    for (int hand = 0; hand < count; hand++)
        chosen[hand] = total > 1e-30 ? gain_of(regrets[hand]) / (float)total
                       : shares[hand] > 0 ? 1.0f / (float)able
                                          : 0.0f;
}

/* Fill the reach that enters; the average takes in what is chosen, by its weight. */
static void play_gadget(const RangeGadget *gadget, float keep, float weight) {
    const int count = gadget->num_hands;
    const float *restrict chosen = gadget->chosen, *restrict weights = gadget->weights;
    const float *restrict shares = gadget->shares;
    const float pairs = gadget->pairs;
    float *restrict sums = gadget->sums, *restrict reach = gadget->reach;
    choose_gadget(gadget);
    for (int hand = 0; hand < count; hand++)
        sums[hand] = sums[hand] * keep + chosen[hand] * weight;
    if (gadget->kind == RESOLVE) {
        float *restrict others = sums + count;
        for (int hand = 0; hand < count; hand++) {
            others[hand] = others[hand] * keep + (1 - chosen[hand]) * weight;
            reach[hand] = chosen[hand] * weights[hand];
        }
        return;
    }
    for (int hand = 0; hand < count; hand++) reach[hand] = chosen[hand] * shares[hand] * pairs;
}

/* Regrets fade and take in what the hands' values at the root, (hands,), were better. */
static void learn_gadget(const RangeGadget *gadget, float fade_gains, float fade_losses,
                         const float *values) {
    const int count = gadget->num_hands;
    const float *restrict chosen = gadget->chosen, *restrict shares = gadget->shares;
    const float *restrict alternatives = gadget->alternatives;
    float *restrict regrets = gadget->regrets;
    choose_gadget(gadget);
    if (gadget->kind == RESOLVE) {
        float *restrict others = regrets + count;
        for (int hand = 0; hand < count; hand++) {
            float better = values[hand] - alternatives[hand];
            regrets[hand] =
                faded(regrets[hand], fade_gains, fade_losses) + better * (1 - chosen[hand]);
            others[hand] = faded(others[hand], fade_gains, fade_losses) - better * chosen[hand];
        }
        return;
    }
    double mean = 0;
    for (int hand = 0; hand < count; hand++)
        mean += chosen[hand] * shares[hand] * (values[hand] - alternatives[hand]);
    for (int hand = 0; hand < count; hand++) {
        float margin = shares[hand] * (values[hand] - alternatives[hand]);
        /* Nothing is added to a hand that meets none. */
        float better = shares[hand] > 0 ? margin - (float)mean : 0.0f;
        regrets[hand] = faded(regrets[hand], fade_gains, fade_losses) + better;
    }
}

#endif

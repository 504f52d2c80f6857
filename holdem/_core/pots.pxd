# Who wins which chips: the main pot and the side pots, divided as `holdem.game.rules` does.
from libc.stdint cimport int32_t


cdef inline void divide_pots(
    const int32_t* stakes,             # IN   (num_players,), the uncalled bet returned
    int folded,                        # IN   bit p: seat p folded
    int num_players,
    const int32_t* strengths,          # IN   (num_players,), higher wins; not read of the folded
    int32_t* chips,                    # OUT  (num_players,), won or lost
) noexcept nogil:
    """Give the main pot and each side pot to the best hands that reach it.

    Odd chips go one at a time from seat 0 on, the first left of the button (see
    `holdem.game.rules`). The one seat that has not folded takes all.
    """
    cdef int32_t below = 0, level, top, last = 0, highest = 0, amount, best, share, odd
    cdef int seat, winners
    for seat in range(num_players):
        chips[seat] = -stakes[seat]
        highest = max(highest, stakes[seat])
        if not folded >> seat & 1:
            last = max(last, stakes[seat])
    while below < last:
        level = last
        best = -1
        winners = 0
        for seat in range(num_players):
            if not folded >> seat & 1 and below < stakes[seat] < level:
                level = stakes[seat]
        # What the folded put in above the last live seat belongs to the last pot.
        top = level if level < last else highest
        amount = 0
        for seat in range(num_players):
            amount += min(stakes[seat], top) - min(stakes[seat], below)
            if folded >> seat & 1 or stakes[seat] < level:
                continue
            if strengths[seat] > best:
                best = strengths[seat]
                winners = 0
            winners += strengths[seat] == best
        share = amount // winners
        odd = amount - share * winners
        for seat in range(num_players):
            if not folded >> seat & 1 and stakes[seat] >= level and strengths[seat] == best:
                chips[seat] += share + (odd > 0)
                odd -= 1
        below = level

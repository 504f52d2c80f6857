"""Who wins which chips, layer by layer: the slow and obvious settling of a hand."""

from collections import defaultdict
from collections.abc import Sequence


def settle(
    paid: Sequence[int],
    folded: Sequence[bool],
    strengths: Sequence[int],
    odd_chip_order: Sequence[int],
    *,
    like_pokerkit: bool = False,
) -> tuple[int, ...]:
    """Return the net chips of each seat.

    The first chip of every seat makes one layer, the second chips the next, and so on; layers
    with chips of the same seats are taken together. A layer of one seat was not called and goes
    back. Others go to the seats that are in them and have not folded; layers of the same such
    seats make one pot, and every pot is split on its own.

    Args:
        like_pokerkit: give all chips of a pot that do not divide to the first winner, not one
            each; and first throw away the hands that win nothing, so that two pots that the same
            winners share become one.
    """
    seats = range(len(paid))
    net = [-chips for chips in paid]
    pots: dict[tuple[int, ...], int] = defaultdict(int)
    claimants: tuple[int, ...] = tuple(s for s in seats if not folded[s])
    below = 0
    for level in sorted(set(paid)):
        layer = [s for s in seats if paid[s] >= level]
        chips, below = (level - below) * len(layer), level
        if len(layer) == 1:
            net[layer[0]] += chips
        else:
            claimants = tuple(s for s in layer if not folded[s]) or claimants
            pots[claimants] += chips

    def winners(contenders: Sequence[int]) -> list[int]:
        best = max(strengths[s] for s in contenders)
        return [s for s in odd_chip_order if s in contenders and strengths[s] == best]

    if like_pokerkit:
        winning = {seat for contenders in pots for seat in winners(contenders)}
        merged: dict[tuple[int, ...], int] = defaultdict(int)
        for contenders, chips in pots.items():
            merged[tuple(s for s in contenders if s in winning)] += chips
        pots = merged
    for contenders, chips in pots.items():
        sharing = winners(contenders)
        odd = chips % len(sharing)
        for place, seat in enumerate(sharing):
            net[seat] += chips // len(sharing)
            if like_pokerkit:
                net[seat] += odd if place == 0 else 0
            else:
                net[seat] += 1 if place < odd else 0
    return tuple(net)

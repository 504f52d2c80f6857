"""The regret table: regrets and average strategy of every row, and how they are weighted.

The row of (node, bucket) with k actions is 2k words: k regrets, then k sums of the
average strategy. It begins at word 2 * (first_slot + bucket * k).

Discounting costs nothing. Linear CFR scales everything that was added before by
t/(t+1) at the end of period t (Brown & Sandholm 2019). Instead, later periods are
given more weight: after the t-th discount new regrets count
prod_{s<=t} (s^alpha + 1) / s^alpha times and new strategies (t+1)^beta times. So the
words hold the true value times the weight of now, and regret matching and averages,
which look at proportions within a row, never need to know.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from holdem.errors import MismatchError
from holdem.game.tree import BettingTree
from holdem.types import MCCFRConfig

BYTES_PER_SLOT = 8
REBASE_ABOVE = 2.0**64
"""Weights grow; beyond this the words that count by them are scaled down by the same power of two,
which changes no digit of any number."""

UNSCALED = (1.0, 1.0)


class RegretTable:
    """Regrets and average-strategy sums of every (node, bucket, action).

    Attributes:
        words: float32, shape (2 * num_slots,), see the module's first lines.
        period: discounts so far.
        regret_weight: what an update of a regret counts now; a true regret in chips
            is its word divided by this.
        strategy_weight: likewise for the average strategy.
        total_weight: regret weights of all iterations, summed: a word divided by this is
            an average regret in chips per iteration.
    """

    def __init__(
        self,
        tree: BettingTree,
        *,
        discount_interval: int,
        alpha: float,
        beta: float,
        words: npt.NDArray[np.float32] | None = None,
        scales: bool = True,
    ) -> None:
        self._scales = scales
        # Zeroed by the system when first touched: rows that no walk reaches cost nothing.
        if words is None:
            words = np.zeros(2 * tree.num_slots, dtype=np.float32)
        self.words = words
        self._tree = tree
        self.period = 0
        self.regret_weight = 1.0
        self.strategy_weight = 1.0
        self.total_weight = 0.0
        self._interval = discount_interval
        self._alpha = alpha
        self._beta = beta

    @classmethod
    def for_config(
        cls,
        tree: BettingTree,
        config: MCCFRConfig,
        words: npt.NDArray[np.float32] | None = None,
        *,
        scales: bool = True,
    ) -> RegretTable:
        """Make the table of a run, over *words* (shared memory, zeroed) if given.

        Of several tables over the same words only one *scales* them when weights are
        rebased.
        """
        return cls(
            tree,
            discount_interval=config.period,
            alpha=config.regret_discount_alpha,
            beta=config.strategy_discount_beta,
            words=words,
            scales=scales,
        )

    def advance(self, iteration: int, count: int) -> tuple[float, float]:
        """Bring the weights to the period of *iteration*, which *count* iterations begin.

        Call it before each walk. Returns what regrets and sums were scaled by, `UNSCALED`
        nearly always: only an alpha far below 1 or a beta far above it makes weights so large.
        """
        of_regrets, of_sums = UNSCALED
        while self.period < iteration // self._interval:
            self.period += 1
            t = float(self.period)
            self.regret_weight *= (t**self._alpha + 1) / t**self._alpha
            self.strategy_weight *= ((t + 1) / t) ** self._beta
            if self.regret_weight > REBASE_ABOVE:
                self.regret_weight /= REBASE_ABOVE
                self.total_weight /= REBASE_ABOVE
                of_regrets /= REBASE_ABOVE
            if self.strategy_weight > REBASE_ABOVE:
                self.strategy_weight /= REBASE_ABOVE
                of_sums /= REBASE_ABOVE
        scaled = of_regrets, of_sums
        if self._scales and scaled != UNSCALED:
            self.scale(*scaled)
        self.total_weight += count * self.regret_weight
        return scaled

    def discounts(self) -> tuple[float, float]:
        """Return what the last discount scaled regrets and averages by; 1 before the first."""
        if self.period == 0:
            return 1.0, 1.0
        t = float(self.period)
        return t**self._alpha / (t**self._alpha + 1), (t / (t + 1)) ** self._beta

    def state(self) -> dict[str, float]:
        """Return what `restore` needs beside the words, as JSON can hold it exactly."""
        return {
            "period": self.period,
            "regret_weight": self.regret_weight,
            "strategy_weight": self.strategy_weight,
            "total_weight": self.total_weight,
        }

    def restore(self, words: npt.NDArray[np.float32], state: Mapping[str, float]) -> None:
        """Take over the *words* and the weights of a checkpoint."""
        if words.shape != self.words.shape or words.dtype != np.float32:
            raise MismatchError(
                f"the checkpoint's table has {words.size // 2:,} slots, "
                f"this game's {self.words.size // 2:,}",
                "resume with the game and the buckets that the run was started with",
            )
        np.copyto(self.words, words)
        self.restore_state(state)

    def restore_state(self, state: Mapping[str, float]) -> None:
        """Take over the weights of `state`."""
        self.period = int(state["period"])
        self.regret_weight = float(state["regret_weight"])
        self.strategy_weight = float(state["strategy_weight"])
        self.total_weight = float(state["total_weight"])

    def scale(self, of_regrets: float, of_sums: float) -> None:
        """Scale all regrets and all sums of the average strategy."""
        factors = np.array([of_regrets, of_sums], np.float32)[:, None]
        for node in self._tree.nodes[self._tree.nodes["num_actions"] > 0]:
            k = int(node["num_actions"])
            first = 2 * int(node["first_slot"])
            size = 2 * k * self._tree.bucket_counts[node["street"]]
            rows = self.words[first : first + size].reshape(-1, 2, k)
            rows *= factors

"""What ``holdem doctor`` is asked about: the run that shall be possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from holdem import machine
from holdem.cli.train_blueprint import bucket_bytes, buckets_of, cells_of
from holdem.config import RunConfig, load_config
from holdem.errors import HoldemError
from holdem.game.menu import parse_menu
from holdem.mccfr import costs


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The run that shall be possible.

    Attributes:
        config: the whole config; its defaults if none was given.
        config_given: whether it was.
        costs: what the run takes; why this cannot be told, if it cannot.
        num_workers: processes, at least 1.
        logdir: where the run shall go.
        buckets: the bucket set to check; None for none.
        checkpoint: the checkpoint, or the run whose newest is to be checked; None for none.
        clean: remove leaked segments.
        quick: reserve nothing and measure no speed.
    """

    config: RunConfig
    config_given: bool = False
    costs: costs.TrainingCosts | HoldemError
    num_workers: int
    logdir: Path
    buckets: Path | None = None
    checkpoint: Path | None = None
    clean: bool = False
    quick: bool = False

    @property
    def parallel(self) -> bool:
        """Whether there is more than one process that trains."""
        return self.num_workers > 1 and not self.against_responder

    @property
    def against_responder(self) -> bool:
        """Whether threads train, in memory of their own."""
        return self.config.training.opponent == "responder"


def make_plan(
    *,
    config_path: Path | None,
    buckets: Path | None,
    checkpoint: Path | None,
    logdir: Path | None,
    num_workers: int | None,
    clean: bool,
    quick: bool,
) -> Plan:
    """Return the plan of these options, each None if it was not given.

    Without a number of workers the config's counts; without a config all cores do.

    Raises:
        ConfigError: the config cannot be used.
    """
    options = {"buckets.path": buckets}
    config = load_config(
        config_path, options, option_names={"buckets.path": "--buckets"}, check_menu=parse_menu
    )
    if num_workers is None:
        num_workers = config.training.num_workers if config_path is not None else 0
    num_workers = num_workers or machine.usable_cores()
    config = replace(config, training=replace(config.training, num_workers=num_workers))
    return Plan(
        config=config,
        config_given=config_path is not None,
        costs=_costs(config),
        num_workers=num_workers,
        logdir=logdir or Path("runs"),
        buckets=config.buckets_path,
        checkpoint=checkpoint,
        clean=clean,
        quick=quick,
    )


def _costs(config: RunConfig) -> costs.TrainingCosts | HoldemError:
    try:
        chosen, counts = buckets_of(config)
        size, cells = bucket_bytes(config, chosen), cells_of(config)
        return costs.estimate(config.training, config.game, counts, size, cells)
    except HoldemError as error:  # a tree too large, a bucket set that is damaged: findings
        return error

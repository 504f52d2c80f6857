"""What ``holdem doctor`` is asked about: the run that shall be possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from holdem import machine
from holdem.cli.train_blueprint import bucket_bytes, buckets_of, cells_of, costs_of
from holdem.config import RunConfig, load_config
from holdem.errors import HoldemError
from holdem.game.menu import parse_menu
from holdem.mccfr import costs
from holdem.mccfr.instance_plan import folder_of
from holdem.mccfr.multi_instance_coordinator import require_instances


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The run that shall be possible.

    Attributes:
        config: the whole config; its defaults if none was given.
        config_given: whether it was.
        costs: what the run takes; why this cannot be told, if it cannot.
        num_workers: processes that share a table, at least 1.
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
    def num_processes(self) -> int:
        """Processes or threads that train: the instances of a run of many, or the workers."""
        return self.config.num_instances or self.num_workers

    @property
    def shares_memory(self) -> bool:
        """Whether there is more than one process that trains one table."""
        return self.num_workers > 1 and not self.against_responder

    @property
    def starts_processes(self) -> bool:
        """Whether training is others' work."""
        return self.shares_memory or self.config.num_instances is not None

    @property
    def run_folders(self) -> list[Path]:
        """Where the run, or each instance of it, has its checkpoints."""
        if self.config.num_instances is None:
            return [self.logdir]
        return [folder_of(self.logdir, i) for i in range(self.config.num_instances)]

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
    if config.num_instances is not None:
        training = replace(config.training, num_workers=num_workers)
        require_instances(training, config.num_instances)
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
        return costs_of(config, counts, size, config.num_instances or 0, cells)
    except HoldemError as error:  # a tree too large, a bucket set that is damaged: findings
        return error

"""Instances as tasks of a Dask cluster: any machine that sees the run's folder may run one.

The extra ``holdem[cluster]`` brings Dask. It decides which worker does what, and gives the
task of a worker that is lost to another one. All that an instance leaves, its progress
included, goes to the run's folder, which must be storage that the workers share; between
coordinator and tasks there is one small record in the scheduler, the word.

Invariants. A task that begins looks for checkpoints of its own in the run's folder first: so
one that was lost with its worker goes on where the last of them was written, and does
nothing twice. A task that has not heard from the coordinator for a while, or from the
scheduler, saves a checkpoint and ends: no instance outlives its run for long.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdem import storage
from holdem.abstraction.bucketing import KIND as BUCKETS
from holdem.errors import ConfigError, HoldemError, ResourceError, StorageError
from holdem.mccfr import instance_progress
from holdem.mccfr.instance import InstanceSpec, run_instance
from holdem.mccfr.instance_launcher import Ended
from holdem.mccfr.instance_plan import RunPlan
from holdem.mccfr.instance_resume import beginning
from holdem.mccfr.processes import signals_blocked

CONNECT_SECONDS = 30.0
"""For a scheduler to answer."""

WORKER_SECONDS = 60.0
"""For its first worker to be there."""

WORD_SECONDS = 1.0
"""Between two looks of a task at the word."""

BEAT_SECONDS = 5.0
"""Between two changes of the word, so that tasks know that the coordinator lives."""

PATIENCE = 60
"""Looks without a change of the word, after which a task takes itself for left alone.

Looks, not seconds: a task that was stopped for an hour, with all others, has missed nothing."""

_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a worker must find to be of use; the same for all of a run.

    Attributes:
        run: the run's folder.
        plan: what ``run.json`` in it says.
        buckets: the bucket set; None for games of one card.
    """

    run: Path
    plan: RunPlan
    buckets: Path | None

    def fault(self) -> str | None:
        """Say what is not to be seen from here; None if all is."""
        try:
            if not RunPlan.read(self.run).same_run(self.plan):
                return f"{self.run} is another run's folder there"
            if self.buckets is not None:
                storage.read_metadata(self.buckets, BUCKETS)
        except HoldemError as error:
            return str(error)
        return None


class DaskLauncher:
    """Runs each instance as a task of a Dask cluster. See `Launcher`.

    Args:
        scheduler: its address, such as ``tcp://10.0.0.1:8786``; None for a cluster of
            processes on this machine, made here and ended by `close`.
        num_instances: so many processes the cluster of this machine has.

    Raises:
        ConfigError: Dask is not installed, or *scheduler* is no address.
        ResourceError: the scheduler does not answer, or has no workers.
    """

    def __init__(self, scheduler: str | None, num_instances: int) -> None:
        self.is_here = scheduler is None
        self._cluster, self._client = _connect(scheduler, num_instances)
        # Other runs may use the same scheduler.
        self._name = f"holdem-{secrets.token_hex(4)}"
        self._word = _word(self._name, self._client)
        self._stops = 0
        self._next_beat = 0.0
        self._futures: dict[int, Any] = {}
        self._sight: _Sight | None = None
        self._ended: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._say()

    def start(self, spec: InstanceSpec) -> str:
        """See `Launcher`.

        Raises:
            StorageError: a worker does not see the run's folder or the buckets.
        """
        spec = replace(
            spec,
            run=spec.run.resolve(),
            buckets_path=spec.buckets_path and spec.buckets_path.resolve(),
            resume_from=spec.resume_from and spec.resume_from.resolve(),
        )
        if self._sight is None:
            self._sight = _Sight(spec.run, RunPlan.read(spec.run), spec.buckets_path)
            _require_sight(self._client, self._sight)
        key = f"{self._name}-instance-{spec.instance}-{secrets.token_hex(2)}"
        instance = spec.instance
        future = self._client.submit(_task, spec, self._sight, self._name, key=key, pure=False)
        self._futures[instance] = future
        future.add_done_callback(lambda _: self._ended.put(instance))
        return f"Dask task {key}"

    def wait(self, timeout: float) -> list[Ended]:
        """See `Launcher`."""
        self._say()
        try:
            instance = self._ended.get(timeout=timeout)
        except queue.Empty:
            return []
        return [] if instance is None else [self._end(instance)]

    def wake(self) -> None:
        """See `Launcher`."""
        self._ended.put(None)

    def stop(self) -> None:
        """See `Launcher`. Tasks that wait for a worker will end as soon as they have one."""
        self._stops += 1
        self._next_beat = 0.0
        self._say()

    def kill(self) -> None:
        """See `Launcher`. Workers of others are left alone; their tasks are on their way out."""
        self.stop()
        self._client.cancel(list(self._futures.values()), force=True)

    def close(self) -> None:
        """See `Launcher`. May be called again."""
        with _quiet():
            if self._futures:
                self._client.cancel(list(self._futures.values()), force=True)
                self._futures.clear()
            self._client.close(timeout=_CLOSE_SECONDS)
            if self._cluster is not None:
                self._cluster.close(timeout=_CLOSE_SECONDS)

    def _end(self, instance: int) -> Ended:
        future = self._futures.pop(instance)
        if future.status == "finished":
            return Ended(instance, int(future.result()))
        if future.status == "error":
            return Ended(instance, None, _reason(future.exception()))
        return Ended(instance, None, f"its task was {future.status}")

    def _say(self) -> None:
        """Renew the word: that the coordinator lives, and how often it was asked to stop."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            self._word.set([self._stops, now])


# -- on this side ------------------------------------------------------------------------------


def _connect(scheduler: str | None, num_instances: int) -> tuple[Any, Any]:
    """Return a cluster of this machine, if none is named, and a client of it."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ConfigError(
            "--launcher dask needs Dask, which is not installed",
            "pip install 'holdem[cluster]', or leave --launcher out",
        ) from None
    if scheduler is None:
        # Ctrl-C at the terminal is for the coordinator, which passes it on.
        with signals_blocked():
            cluster = LocalCluster(
                n_workers=num_instances,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any port: the usual one may be taken
                silence_logs=logging.CRITICAL,
            )
        return cluster, Client(cluster, set_as_default=False)
    _require_address(scheduler)
    try:
        with _quiet():
            client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"no Dask scheduler answers at {scheduler}: {error}",
            "start one with: dask scheduler; it prints its address, as in tcp://10.0.0.1:8786",
        ) from None
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        client.close()
        raise ResourceError(
            f"the Dask scheduler at {scheduler} has no workers",
            f"start some, one process per core: dask worker {scheduler} --nworkers auto "
            "--nthreads 1",
        ) from None
    return None, client


def _require_address(scheduler: str) -> None:
    """Refuse what a client could not even try to reach: it would wait for itself at exit."""
    from distributed.comm import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        protocol, place = parse_address(scheduler)
        get_backend(protocol)
        parse_host_port(place)
    except ValueError as error:
        raise ConfigError(
            f"--scheduler is {scheduler!r}, which is no address: {error}",
            "name what dask scheduler prints when it starts, as in tcp://10.0.0.1:8786",
        ) from None


def _require_sight(client: Any, sight: _Sight) -> None:
    """Refuse to begin where a worker would not find what it needs."""
    try:
        faults = client.run(sight.fault)
    except ImportError as error:
        raise ResourceError(
            f"a Dask worker cannot import holdem: {error}",
            "install the same version of holdem[cluster] on every machine",
        ) from None
    for worker, fault in faults.items():
        if fault is not None:
            raise StorageError(
                f"the Dask worker {worker} cannot take part: {fault}",
                "put --logdir and --buckets on storage that all machines share, by the same path",
            )


def _reason(error: BaseException) -> str:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return f"its workers died, {error.last_worker.address} the last of them"
    return f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log lines off the terminal: that a connection was lost is told once."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _word(name: str, client: Any) -> Any:
    from distributed import Variable

    return Variable(f"{name}-word", client=client)


# -- on a worker -------------------------------------------------------------------------------


def _task(spec: InstanceSpec, sight: _Sight, name: str) -> int:
    """Be one instance, from wherever it was left."""
    from distributed import get_client

    fault = sight.fault()
    if fault is not None:
        raise StorageError(fault)
    with _Ear(_word(name, get_client())) as ear:
        _wait_for_another(spec)
        return run_instance(_where_it_was_left(spec), ear.stop_signal)


def _wait_for_another(spec: InstanceSpec) -> None:
    """Wait until no lost worker is at work on the instance any more, as far as locks can tell.

    A worker may be lost to the scheduler and still be about to end; and a network disk
    keeps the lock of a dead machine for a while.
    """
    storage.make_folder(spec.folder)
    for _ in range(2 * PATIENCE):
        try:
            with storage.hold(spec.folder, f"instance {spec.instance}"):
                return
        except StorageError:
            time.sleep(WORD_SECONDS)


def _where_it_was_left(spec: InstanceSpec) -> InstanceSpec:
    """Return *spec* as it is after another worker has had a part in it."""
    begin = beginning(spec.run, spec.instance, RunPlan.read(spec.run), in_place=True)
    record = instance_progress.read(spec.run, spec.instance)
    if record is not None:
        spec = replace(
            spec,
            least_pct=max(spec.least_pct, record.progress_pct),
            elapsed_before=max(spec.elapsed_before, record.elapsed_seconds or 0.0),
        )
    if begin.checkpoint is None:
        return spec
    return replace(spec, resume_from=begin.checkpoint, iterations_before=begin.iterations)


class _Ear:
    """Listens for the word in a thread, as a context manager; see `DaskLauncher._say`."""

    def __init__(self, word: Any) -> None:
        self._word = word
        self._stop: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)

    def stop_signal(self) -> int | None:
        """The signal that asks the instance to end, if it is to end."""
        return self._stop

    def __enter__(self) -> _Ear:
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._over.set()

    def _listen(self) -> None:
        last, in_vain = None, 0
        while not self._over.wait(WORD_SECONDS):
            heard = self._hear()
            in_vain = in_vain + 1 if heard is None or heard == last else 0
            last = heard or last
            if heard is not None and heard[0]:
                self._stop = signal.SIGTERM
            elif in_vain > PATIENCE:
                self._stop = signal.SIGHUP

    def _hear(self) -> Any:
        try:
            return self._word.get(timeout=BEAT_SECONDS)
        except Exception:  # whatever Dask makes of a scheduler that is gone
            return None

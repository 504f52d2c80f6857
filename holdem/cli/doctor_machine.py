"""Checks of the machine: cores, memory, shared memory, limits, worker processes."""

from __future__ import annotations

import math
import os

from holdem import machine
from holdem.cli.doctor_plan import Plan
from holdem.cli.doctor_report import Finding, failed, ok, warning
from holdem.errors import HoldemError, ResourceError
from holdem.mccfr import segments
from holdem.mccfr.self_test import run_self_test
from holdem.storage import format_bytes

_NEARLY_ALL = 0.9
# Standard streams, the bucket set's arrays, logs, TensorBoard, a checkpoint: 26 at the
# most, counted in runs of 1, 2 and 4 workers, and 9, then 3 more for each worker.
_OPEN_FILES = 32
_OPEN_FILES_PER_WORKER = 4
_OPEN_FILES_PER_INSTANCE = 2
# Python's tracker of resources, TensorBoard's thread and two to spare. NumPy can do without
# the threads that its linear algebra would like to have.
_PROCESSES = 4
_SLOW_ROUND_SECONDS = 0.01


def check_cores(plan: Plan) -> Finding:
    """As many cores as workers."""
    cores = machine.cores()
    quota = "no quota" if cores.quota is None else f"quota {cores.quota:g}"
    found = f"{cores.usable} usable: machine {cores.machine}, affinity {cores.affinity}, {quota}"
    figures = {
        "usable": cores.usable,
        "machine": cores.machine,
        "affinity": cores.affinity,
        "quota": cores.quota,
        "num_workers": plan.num_workers,
    }
    if plan.num_processes > cores.usable:
        remedy = f"--num-workers {cores.usable}: more workers than cores wait for each other"
        if plan.config.num_instances is not None:
            remedy = f"with more instances than {cores.usable} here, each is slower"
        return warning(f"{found}; {_workers(plan)} wanted", remedy, **figures)
    if cores.usable == 1 < cores.machine:
        by = "affinity" if cores.affinity == 1 else "the control group's quota"
        return warning(
            found,
            f"{by} leaves one core: allow more (taskset, docker --cpus), or train with one worker",
            **figures,
        )
    return ok(found, **figures)


def check_memory(plan: Plan) -> Finding:
    """The run fits in the memory that is left."""
    memory = machine.memory()
    found = f"{format_bytes(memory.usable)} available of {format_bytes(memory.total)}"
    if memory.group_limit is not None:
        found += f", control group limit {format_bytes(memory.group_limit)}"
    figures: dict[str, object] = {
        "total": memory.total,
        "available": memory.available,
        "usable": memory.usable,
        "group_limit": memory.group_limit,
        "group_used": memory.group_used,
    }
    if isinstance(plan.costs, HoldemError):
        return failed(f"{found}; {plan.costs}", plan.costs.remedy, **figures)
    wanted = plan.costs.memory_bytes
    figures["wanted"] = wanted
    found += f"; {plan.config.game.name} takes {format_bytes(wanted)} at most"
    if wanted > memory.usable:
        return failed(
            found,
            f"{plan.costs.smaller}; end other programs; or a larger memory limit",
            **figures,
        )
    addresses = machine.address_space()
    if addresses.left is not None and plan.costs.address_bytes > addresses.left:
        return failed(
            f"{found}, {format_bytes(plan.costs.address_bytes)} of address space; "
            f"ulimit -v leaves {format_bytes(addresses.left)}",
            f"raise the limit that ulimit -v shows, or {plan.costs.smaller}",
            address_left=addresses.left,
            **figures,
        )
    if wanted > _NEARLY_ALL * memory.usable:
        return warning(found, "end other programs before a long run", **figures)
    return ok(found, **figures)


def check_shared_memory(plan: Plan) -> Finding:
    """The table, the copy that checkpoints are written from, and the log of a batch fit.

    Proved by reserving them.
    """
    folder = segments.segment_folder()
    bad = failed if plan.shares_memory else warning
    if not os.access(folder, os.W_OK | os.X_OK) or not folder.is_dir():
        return bad(
            f"{folder} is no folder that can be written to",
            f"mount a tmpfs there that this user can write to, or set {segments.FOLDER_VARIABLE} "
            "to one",
            folder=folder,
        )
    space = machine.space(folder)
    free = max(0, space.free - segments.spoken_for(folder))
    found = f"{folder}: {format_bytes(space.total)}, {format_bytes(free)} free"
    figures: dict[str, object] = {"folder": folder, "total": space.total, "free": free}
    if isinstance(plan.costs, HoldemError):
        return ok(found, **figures)
    if plan.against_responder:
        return ok(f"{found}; a run against a responder takes none", **figures)
    if plan.config.num_instances is not None:
        return ok(f"{found}; instances take none", **figures)
    least = plan.costs.shared_bytes
    wanted = least + plan.costs.table_bytes
    figures |= {"wanted": wanted, "least": least}
    found += f"; table, copy and log take {format_bytes(wanted)}"
    size = math.ceil(1.1 * wanted / 2**30)
    mostly_log = plan.costs.log_bytes > 2 * plan.costs.table_bytes
    remedy = (
        f"docker run --shm-size={size}g, or mount -o remount,size={size}g {folder}, "
        f"or {segments.FOLDER_VARIABLE} on a larger tmpfs, "
        f"or {'a smaller --batch-size' if mostly_log else 'fewer buckets'}"
    )
    if least > free:
        return bad(found, remedy, **figures)
    if wanted > free:
        return warning(
            f"{found}; without the copy, {format_bytes(least)}, "
            "training stops while a checkpoint is written",
            remedy,
            **figures,
        )
    if plan.quick or wanted > machine.available_memory():
        # What does not fit in memory is check_memory's to say; to reserve it would be to
        # make the system kill somebody.
        return ok(found, **figures)
    try:
        with segments.Segment.create("doctor", wanted, reserve=True):
            return ok(f"{found}, reserved", **figures)
    except ResourceError as error:
        return bad(f"{found}; {error}", error.remedy or remedy, **figures)


def check_open_files(plan: Plan) -> Finding:
    """As many files as a run has open."""
    limit = machine.open_files()
    wanted = _OPEN_FILES + _OPEN_FILES_PER_WORKER * plan.num_workers
    if plan.config.num_instances is not None:
        wanted += _OPEN_FILES_PER_INSTANCE * plan.config.num_instances
    figures = {"limit": limit.soft, "hard": limit.hard, "used": limit.used, "wanted": wanted}
    found = f"{_limit(limit.soft)} allowed; {_workers(plan)} take {wanted}"
    if limit.soft is not None and limit.soft < wanted:
        least = 1 << max(10, wanted.bit_length())
        hard = limit.hard is not None and limit.hard < wanted
        return failed(
            found,
            f"raise the hard limit of {limit.hard}: docker --ulimit nofile={least}, "
            "or /etc/security/limits.conf"
            if hard
            else f"ulimit -n {least}",
            **figures,
        )
    return ok(found, **figures)


def check_processes(plan: Plan) -> Finding:
    """As many processes as a run starts."""
    limit = machine.processes()
    wanted = _PROCESSES + plan.num_processes
    figures = {"limit": limit.soft, "used": limit.used, "wanted": wanted}
    found = f"{_limit(limit.soft)} allowed, {limit.used} used; {_workers(plan)}"
    if limit.left is not None and limit.left < wanted:
        bad = failed if plan.starts_processes else warning
        return bad(found, "ulimit -u, docker --pids-limit, or fewer workers", **figures)
    return ok(found, **figures)


def _workers(plan: Plan) -> str:
    what = "worker" if plan.config.num_instances is None else "instance"
    return f"1 {what}" if plan.num_processes == 1 else f"{plan.num_processes} {what}s"


def _limit(number: int | None) -> str:
    return "any number" if number is None else f"{number:,}"


def check_start_methods(plan: Plan) -> Finding:
    """Workers are started by spawn."""
    methods = machine.start_methods()
    found = ", ".join(methods) or "none"
    if "spawn" not in methods:
        bad = failed if plan.starts_processes else warning
        return bad(
            f"{found}; no spawn",
            "use a Python that can start processes, or --num-workers 1",
            methods=methods,
        )
    return ok(f"spawn, of {found}" if len(methods) > 1 else found, methods=methods)


def check_workers(plan: Plan) -> Finding:
    """Workers start, share memory and answer."""
    result = run_self_test(plan.num_workers)
    found = str(result)
    figures = {
        "num_workers": result.num_workers,
        "answered": result.num_answered,
        "start_seconds": result.start_seconds,
        "round_seconds": result.round_seconds,
        "faults": result.faults,
    }
    if not result.passed:
        bad = failed if plan.shares_memory else warning
        return bad(found, result.remedy, **figures)
    if result.round_seconds is not None and result.round_seconds > _SLOW_ROUND_SECONDS:
        return warning(
            found, "other programs hold the cores: end them, or use fewer workers", **figures
        )
    return ok(found, **figures)


def check_leaks(plan: Plan) -> Finding:
    """No segments of runs that are no more."""
    leaked = segments.remove_leaked() if plan.clean else segments.find_leaked()
    size = format_bytes(sum(one.num_bytes for one in leaked))
    figures = {
        "folder": segments.segment_folder(),
        "paths": [one.path for one in leaked],
        "removed": plan.clean,
    }
    if not leaked:
        return ok("none", **figures)
    if plan.clean:
        return ok(f"{len(leaked)} removed, {size}", **figures)
    return warning(
        f"{len(leaked)} of runs that were killed, {size}",
        "holdem doctor --clean; the next run removes them too",
        **figures,
    )

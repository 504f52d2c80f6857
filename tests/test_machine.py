"""What the machine gives is read from its own files: made-up machines, and this one."""

import os
import resource
import subprocess
import sys

import psutil
import pytest

from holdem import machine

MEMINFO = "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    9000 kB\n"
V1_NO_LIMIT = "9223372036854771712\n"


@pytest.fixture
def fake(tmp_path):
    """A function that writes a made-up machine's files and returns its root."""

    def write(files):
        for name, text in {"proc/meminfo": MEMINFO, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def groups_v2(path="/", **files):
    """A machine with control groups of version 2; files by ``group__file``, "" is the root."""
    written = {"proc/self/cgroup": f"0::{path}\n"}
    for name, text in files.items():
        group, _, file = name.rpartition("__")
        parts = [part for part in ("sys/fs/cgroup", group.replace("__", "/")) if part]
        written["/".join([*parts, file.replace("_", ".", 1)])] = text
    return written


# -- cores -------------------------------------------------------------------------------------


def test_this_machine_has_the_cores_that_the_system_says():
    found = machine.cores()

    assert found.machine == os.cpu_count()
    assert found.affinity == len(os.sched_getaffinity(0))
    assert 1 <= found.usable <= found.affinity
    assert machine.usable_cores() == found.usable


def test_affinity_limits_the_cores():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from holdem import machine; print(machine.cores().affinity, machine.usable_cores())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["1", "1"]


@pytest.mark.parametrize(
    ("text", "quota"),
    [("max 100000", None), ("150000 100000", 1.5), ("50000 100000", 0.5), ("", None)],
)
def test_quota_of_version_2(fake, text, quota):
    assert machine.cores(fake(groups_v2(cpu_max=text))).quota == quota


@pytest.mark.parametrize(
    ("quota", "usable"), [(None, 4), (0.5, 1), (1.9, 1), (2.0, 2), (3.5, 3), (64.0, 4)]
)
def test_usable_cores_are_whole_and_at_least_one(quota, usable):
    assert machine.Cores(machine=8, affinity=4, quota=quota).usable == usable


def test_a_group_further_out_may_be_tighter(fake):
    root = fake(
        groups_v2(
            "/a/b", a__cpu_max="200000 100000", a__b__cpu_max="max 100000", cpu_max="400000 100000"
        )
    )

    assert machine.cores(root).quota == 2.0


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_quota_of_version_1(fake, folder):
    root = fake(
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/docker/4f\n0::/\n",
            f"sys/fs/cgroup/{folder}/cpu.cfs_quota_us": "250000\n",
            f"sys/fs/cgroup/{folder}/cpu.cfs_period_us": "100000\n",
        }
    )

    # The path is the host's; the container sees its own group as the root.
    assert machine.cores(root).quota == 2.5


def test_version_1_without_a_quota(fake):
    root = fake(
        {
            "proc/self/cgroup": "3:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        }
    )

    assert machine.cores(root).quota is None


# -- memory ------------------------------------------------------------------------------------


def test_this_machine_has_the_memory_that_psutil_says():
    found, told = machine.memory(), psutil.virtual_memory()

    assert found.total == told.total
    assert abs(found.available - told.available) < 0.1 * told.total
    assert machine.available_memory() <= found.total


def test_memory_without_groups(fake):
    found = machine.memory(fake({}))

    assert (found.total, found.available) == (16_384_000, 9_216_000)
    assert (found.group_limit, found.group_used) == (None, None)
    assert found.usable == 9_216_000


def test_a_container_has_less_memory_than_the_machine(fake):
    root = fake(groups_v2(memory_max="5000000", memory_current="2000000"))

    assert machine.available_memory(root) == 3_000_000


def test_cached_files_can_be_dropped(fake):
    root = fake(
        groups_v2(
            memory_max="5000000",
            memory_current="4900000",
            memory_stat="anon 100\ninactive_file 3900000\nactive_file 7\n",
        )
    )

    assert machine.available_memory(root) == 4_000_000


def test_a_group_cannot_give_what_the_machine_has_not(fake):
    root = fake(groups_v2(memory_max="90000000", memory_current="1"))

    assert machine.available_memory(root) == 9_216_000


def test_a_full_group_leaves_nothing(fake):
    root = fake(groups_v2(memory_max="1000", memory_current="2000"))

    assert machine.available_memory(root) == 0


def test_the_group_that_leaves_least_counts(fake):
    root = fake(
        groups_v2(
            "/a/b",
            a__b__memory_max="3000000",
            a__b__memory_current="0",
            a__memory_max="8000000",
            a__memory_current="6000000",
            memory_max="max",
            memory_current="1",
        )
    )

    assert machine.memory(root).group_limit == 8_000_000
    assert machine.available_memory(root) == 2_000_000


def test_memory_of_version_1(fake):
    root = fake(
        {
            "proc/self/cgroup": "4:memory:/process/7\n3:cpuset:/\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": V1_NO_LIMIT,
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
            "sys/fs/cgroup/memory/process/7/memory.limit_in_bytes": "6000000\n",
            "sys/fs/cgroup/memory/process/7/memory.usage_in_bytes": "3000000\n",
            "sys/fs/cgroup/memory/process/7/memory.stat": "cache 1\ntotal_inactive_file 500000\n",
            "sys/fs/cgroup/unified/cgroup.procs": "1\n",
        }
    )

    assert machine.memory(root).group_limit == 6_000_000
    assert machine.available_memory(root) == 3_500_000


def test_a_path_out_of_the_namespace_is_not_followed(fake):
    root = fake(groups_v2("/../../other", memory_max="5000000", memory_current="0"))

    assert machine.available_memory(root) == 5_000_000


def test_without_proc_psutil_tells(tmp_path):
    assert machine.memory(tmp_path).total == psutil.virtual_memory().total


# -- space and limits --------------------------------------------------------------------------


def test_space_of_a_folder_that_is_not_there_yet(tmp_path):
    found, stat = machine.space(tmp_path / "runs" / "new"), os.statvfs(tmp_path)

    assert found.total == stat.f_blocks * stat.f_frsize
    assert 0 <= found.free <= found.total


def test_open_files_are_counted():
    before = machine.open_files()
    with open(os.devnull):
        after = machine.open_files()

    assert before.soft in (None, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    assert after.used == before.used + 1
    assert before.soft is None or before.left == before.soft - before.used


def test_address_space_is_what_the_system_says(fake):
    root = fake({"proc/self/status": "Name:\tpython\nVmPeak:\t  900 kB\nVmSize:\t  300 kB\n"})
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)

    found = machine.address_space(root)
    assert found.used == 300 * 1024
    assert found.soft == (None if soft == resource.RLIM_INFINITY else soft)


def test_no_limit_is_none():
    assert machine.Limit(soft=None, hard=None, used=7).left is None
    assert machine.Limit(soft=5, hard=5, used=7).left == 0


def test_processes_of_a_group(fake):
    root = fake(groups_v2("/a", a__pids_max="20", a__pids_current="15", pids_max="max"))
    found = machine.processes(root)

    assert (found.soft, found.used, found.left) == (20, 15, 5)


def test_processes_of_a_user(fake, monkeypatch):
    monkeypatch.setattr(machine.os, "getuid", lambda: 1000)
    monkeypatch.setattr(machine.resource, "getrlimit", lambda which: (10, 40))
    root = fake(
        {
            "proc/1/status": "Name:\tinit\nUid:\t0\t0\t0\t0\nThreads:\t9\n",
            "proc/7/status": "Name:\ta\nUid:\t1000\t1000\t1000\t1000\nThreads:\t3\n",
            "proc/8/status": "Name:\tb\nUid:\t1000\t0\t0\t0\nThreads:\t1\n",
        }
    )
    found = machine.processes(root)

    assert (found.soft, found.hard, found.used, found.left) == (10, 40, 4, 6)


def test_root_has_no_limit_of_processes(fake, monkeypatch):
    monkeypatch.setattr(machine.os, "getuid", lambda: 0)
    monkeypatch.setattr(machine.resource, "getrlimit", lambda which: (10, 40))

    assert machine.processes(fake({})).left is None


def test_spawn_is_a_start_method():
    assert "spawn" in machine.start_methods()


# -- processor ---------------------------------------------------------------------------------


def test_processor(fake):
    root = fake(
        {
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: Zuse Z3: relays\nflags\t\t: fpu avx2\n\n"
            "processor\t: 1\nmodel name\t: another\nflags\t\t: fpu\n\n"
        }
    )

    assert machine.processor(root) == machine.Processor(
        model="Zuse Z3: relays", features=frozenset({"fpu", "avx2"})
    )


def test_a_processor_that_is_not_told(tmp_path):
    assert machine.processor(tmp_path).features == frozenset()

"""Segments of shared memory: one owner, and nothing left behind however it ends."""

import contextlib
import fcntl
import gc
import multiprocessing
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from holdem.errors import ResourceError, StorageError
from holdem.mccfr import segments
from holdem.mccfr.segments import Segment, find_leaked, remove_leaked, segment_folder
from tests.files import small_disk

MB = 1 << 20

OWNER = """
import os, sys, time
from pathlib import Path
from holdem.mccfr.segments import Segment
segment = Segment.create("table", 100_000, reserve=True, folder=Path(sys.argv[1]))
segment.bytes[:4] = b"mine"
children = []
{before}
print(segment.path, *children, flush=True)
{then}
"""


@contextlib.contextmanager
def owner(folder, then="time.sleep(60)", before=""):
    """Another process, which owns a segment in *folder*; its words on standard output."""
    code = OWNER.format(before=before, then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        words = process.stdout.readline().split()
        assert words, process.stderr.read()
        yield process, Path(words[0]), [int(word) for word in words[1:]]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def folder(monkeypatch):
    """A folder of the test's own on the machine's shared memory."""
    path = segment_folder() / f"holdem-test-{os.getpid()}"
    path.mkdir()
    monkeypatch.setenv(segments.FOLDER_VARIABLE, str(path))
    yield path
    for left in path.iterdir():
        left.unlink()
    path.rmdir()


@pytest.fixture
def small_folder(tmp_path, monkeypatch):
    """A memory file system of 1 MB."""
    monkeypatch.setenv(segments.FOLDER_VARIABLE, str(tmp_path))
    with small_disk(tmp_path, "1m", mapped=True):
        yield tmp_path


def files(folder):
    return sorted(folder.iterdir())


# -- what a segment is -------------------------------------------------------------------------


@pytest.mark.parametrize("reserve", [True, False])
@pytest.mark.parametrize("num_bytes", [1, 4097, 2 * MB, 5 * MB + 1])
def test_a_segment_is_zeros_that_two_mappings_share(folder, num_bytes, reserve):
    with Segment.create("table", num_bytes, reserve=reserve) as mine:
        theirs = Segment.attach(mine.path)

        assert len(mine.bytes) == len(theirs.bytes) == mine.num_bytes == num_bytes
        assert not np.any(theirs.array(np.uint8, num_bytes))
        written = np.random.default_rng(1).integers(0, 256, num_bytes).astype(np.uint8)
        mine.array(np.uint8, num_bytes)[:] = written
        assert np.array_equal(written, theirs.array(np.uint8, num_bytes))
        assert bytes(theirs.bytes) == written.tobytes()


def test_the_name_tells_whose_it_is_and_only_they_may_open_it(folder):
    with Segment.create("log-3", 10, reserve=True) as segment:
        pattern = rf"holdem-{os.getuid()}-{os.getpid()}-[0-9a-f]{{16}}-log-3"

        assert re.fullmatch(pattern, segment.path.name)
        assert segment.path.parent == folder
        assert stat.S_IMODE(segment.path.stat().st_mode) == 0o600
        assert segment.owned
        assert not Segment.attach(segment.path).owned


def test_reserved_memory_is_taken_and_sparse_memory_is_not(folder):
    with (
        Segment.create("reserved", 5 * MB, reserve=True) as reserved,
        Segment.create("sparse", 5 * MB, reserve=False) as sparse,
    ):
        assert reserved.path.stat().st_blocks * 512 >= 5 * MB
        assert sparse.path.stat().st_blocks == 0
        sparse.array(np.float32, 1)[0] = 1
        assert 0 < sparse.path.stat().st_blocks * 512 <= 2 * MB


def test_arrays_are_views_with_bounds(folder):
    with Segment.create("table", 64, reserve=True) as segment:
        segment.bytes[8:12] = b"\x01\x02\x03\x04"
        rows = segment.array(np.uint16, (2, 3), 8)

        assert rows.tolist() == [[0x0201, 0x0403, 0], [0, 0, 0]]
        rows[1, 2] = 0xFFFF
        assert segment.bytes[18:20] == b"\xff\xff"
        for arguments in ((np.float32, 17), (np.float32, 16, 4), (np.float32, 2, -4)):
            with pytest.raises(ValueError, match=r"array needs|multiple of"):
                segment.array(*arguments)
        with pytest.raises(ValueError, match="multiple of 8"):
            segment.array(np.int64, 1, 4)


def test_large_segments_begin_where_a_huge_page_may(folder):
    with Segment.create("table", 3 * MB, reserve=True) as segment:
        for one in (segment, Segment.attach(segment.path), Segment.attach(segment.path)):
            assert one.array(np.uint8, 1).ctypes.data % (2 * MB) == 0


@pytest.mark.parametrize("purpose", ["", "Table", "a/b", "-a", "a b", "a\n"])
def test_other_purposes_are_refused(folder, purpose):
    with pytest.raises(ValueError, match="not a purpose"):
        Segment.create(purpose, 10, reserve=True)


def test_an_empty_segment_is_refused(folder):
    with pytest.raises(ValueError, match="at least 1 byte"):
        Segment.create("table", 0, reserve=True)
    assert files(folder) == []


# -- the end of a segment ----------------------------------------------------------------------


def test_removing_deletes_the_file_once_and_arrays_stay_good(folder):
    segment = Segment.create("table", 100, reserve=True)
    array = segment.array(np.int32, 25)
    array[:] = range(25)
    other = Segment.attach(segment.path)
    segment.remove()
    segment.remove()

    assert files(folder) == []
    assert not segment.owned
    assert array.tolist() == other.array(np.int32, 25).tolist() == list(range(25))
    with pytest.raises(ValueError, match="was removed"):
        segment.array(np.int32, 1)
    with pytest.raises(ValueError, match="was removed"):
        _ = segment.bytes


def test_an_exception_removes_it(folder):
    with pytest.raises(KeyError), Segment.create("table", 100, reserve=True):
        raise KeyError

    assert files(folder) == []


def test_garbage_is_removed(folder):
    segment = Segment.create("table", 100, reserve=True)
    assert len(files(folder)) == 1
    del segment
    gc.collect()

    assert files(folder) == []


def test_nothing_stays_open(folder):
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with Segment.create("table", 3 * MB, reserve=True) as segment:
            Segment.attach(segment.path).remove()
            assert len(os.listdir("/proc/self/fd")) <= len(before) + 1  # the lock
        find_leaked()
    del segment

    assert before == set(os.listdir("/proc/self/fd"))
    assert str(folder) not in Path("/proc/self/maps").read_text()


def test_attached_processes_delete_nothing(folder):
    code = "import sys\nfrom holdem.mccfr.segments import Segment\nwith Segment.attach(sys.argv[1])"
    with Segment.create("table", 100, reserve=True) as segment:
        for end in (" as s: s.bytes[0] += 1", ": pass\nraise SystemExit(3)"):
            subprocess.run([sys.executable, "-c", code + end, str(segment.path)], check=False)

        assert [segment.path] == files(folder)
        assert segment.bytes[0] == 1


def test_attaching_after_the_end_is_an_error(folder):
    with Segment.create("table", 100, reserve=True) as segment:
        pass

    with pytest.raises(StorageError, match="No such file") as caught:
        Segment.attach(segment.path)
    assert caught.value.remedy


def test_attaching_to_an_empty_file_is_an_error(folder):
    (folder / "empty").touch()
    with pytest.raises(StorageError, match="empty"):
        Segment.attach(folder / "empty")


@pytest.mark.parametrize("then", ["", "raise SystemExit(1)", "1 / 0"])
def test_an_owner_that_ends_leaves_nothing(folder, then):
    with owner(folder, then) as (process, _, _):
        process.wait()

        assert files(folder) == []


# -- forked and spawned children ---------------------------------------------------------------


def test_a_forked_child_removes_nothing(folder):
    with Segment.create("table", 100, reserve=True) as segment:
        child = os.fork()
        if child == 0:
            code = 2 * segment.owned
            segment.bytes[0] = 7
            segment.remove()
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0

        assert [segment.path] == files(folder)
        assert segment.bytes[0] == 7
        assert find_leaked() == []  # the child has not dropped the parent's lock


def test_a_forked_child_that_exits_in_the_usual_way_removes_nothing(folder):
    before = "child = os.fork()\nif child == 0: sys.exit()\nos.waitpid(child, 0)"
    with owner(folder, before=before) as (_, path, _):
        assert [path] == files(folder)
        assert find_leaked() == []


def test_a_forked_child_does_not_keep_a_dead_owners_segment(folder):
    before = """
ready, begun = os.pipe()
children.append(os.fork())
if children == [0]:
    os.write(begun, b"!")
    time.sleep(60)
os.read(ready, 1)"""
    with owner(folder, before=before) as (process, path, (child,)):
        process.kill()
        process.wait()

        os.kill(child, 0)  # it lives, and has the segment mapped
        assert [path] == [leaked.path for leaked in remove_leaked()]


def attach_and_write(path):
    with Segment.attach(path) as segment:
        segment.bytes[0] = 9


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_children_of_every_start_method_share_it(folder, method):
    with Segment.create("table", 100, reserve=True) as segment:
        context = multiprocessing.get_context(method)
        child = context.Process(target=attach_and_write, args=(str(segment.path),))
        child.start()
        child.join()

        assert child.exitcode == 0
        assert segment.bytes[0] == 9
        assert [segment.path] == files(folder)


# -- leaks -------------------------------------------------------------------------------------


def test_a_killed_owners_segment_is_found_and_removed(folder):
    with owner(folder) as (process, path, _):
        assert find_leaked() == []
        assert remove_leaked() == []
        process.kill()
        process.wait()
        (leaked,) = find_leaked()

        assert leaked.path == path
        assert leaked.num_bytes == 100_000
        assert 0 <= leaked.age < 60
        assert [leaked.path] == [removed.path for removed in remove_leaked()]
        assert files(folder) == []
        assert remove_leaked() == []


def test_killing_the_process_group_leaks_nothing_that_stays(folder):
    before = """
import multiprocessing
def main():
    context = multiprocessing.get_context("fork")
    for _ in range(2):
        process = context.Process(target=time.sleep, args=(60,))
        process.start()
        children.append(process.pid)
main()"""
    with owner(folder, before=before) as (process, path, children):
        assert len(children) == 2
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

        # A child that was killed before it let go of the lock has it until it is buried.
        until = time.monotonic() + 30
        while not find_leaked() and time.monotonic() < until:
            time.sleep(0.01)
        assert [leaked.path for leaked in find_leaked()] == [path]
        with Segment.create("next", 10, reserve=True) as segment:
            assert [segment.path] == files(folder)


def test_a_living_owners_segment_stays_also_when_it_is_stopped(folder):
    with owner(folder) as (process, path, _):
        os.kill(process.pid, signal.SIGSTOP)
        with Segment.create("mine", 10, reserve=True):
            assert remove_leaked() == []
        code = "from holdem.mccfr.segments import remove_leaked as r; print(r())"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

        assert told.stdout.strip() == "[]", told.stderr
        assert [path] == files(folder)
        assert Segment.attach(path).bytes[:4] == b"mine"


def test_other_files_are_no_leaks(folder):
    uid = os.getuid()
    names = [
        "holdem-notes",
        f"holdem-{uid}-1-table",
        f"holdem-{uid + 1}-1-0123456789abcdef-table",
        f"holdem-{uid}-1-0123456789abcdef-table.bak",
        f"other-{uid}-1-0123456789abcdef-table",
    ]
    for name in names:
        (folder / name).touch()
    (folder / f"holdem-{uid}-1-0123456789abcdef-folder").mkdir()
    (folder / f"holdem-{uid}-1-0123456789abcdef-link").symlink_to(folder / "holdem-notes")
    os.mkfifo(folder / f"holdem-{uid}-1-0123456789abcdef-pipe")
    before = files(folder)

    assert find_leaked() == []
    assert remove_leaked() == []
    assert before == files(folder)
    (folder / f"holdem-{uid}-1-0123456789abcdef-folder").rmdir()


def test_another_users_files_are_no_leaks(folder):
    if os.getuid() != 0:
        pytest.skip("giving a file away takes root")
    path = folder / "holdem-0-1-0123456789abcdef-table"
    path.touch()
    os.chown(path, 12345, 12345)

    assert remove_leaked() == []
    os.chown(path, 0, 0)
    assert [path] == [leaked.path for leaked in remove_leaked()]


def test_no_leaks_where_there_is_no_folder(tmp_path):
    assert find_leaked(tmp_path / "missing") == []
    assert remove_leaked(tmp_path / "missing") == []


def test_a_creator_that_is_overtaken_begins_again(folder, monkeypatch):
    """Between making its file and locking it, somebody else takes it for a leak."""
    overtakers = []

    def overtaken(descriptor):
        (path,) = files(folder)
        if not overtakers:  # locked by somebody else, who has yet to delete it
            overtakers.append(os.open(path, os.O_RDWR))
            fcntl.flock(overtakers[0], fcntl.LOCK_EX)
        elif len(overtakers) == 1:  # deleted, and the lock dropped
            overtakers.append(0)
            path.unlink()
        return try_lock(descriptor)

    try_lock = segments._try_lock
    monkeypatch.setattr(segments, "remove_leaked", lambda folder: [])
    monkeypatch.setattr(segments, "_try_lock", overtaken)
    with Segment.create("table", 10, reserve=True) as segment:
        assert len(overtakers) == 2
        assert [segment.path] == files(folder)
        monkeypatch.undo()
        assert find_leaked(folder) == []
    os.close(overtakers[0])


def test_creating_and_cleaning_at_once_removes_nothing_that_is_owned(folder):
    over = threading.Event()

    def clean():
        while not over.is_set():
            remove_leaked(folder)

    def create():
        for _ in range(200):
            with Segment.create("table", 4096, reserve=True) as segment:
                Segment.attach(segment.path).bytes[0] = 1
                assert segment.path.exists()
                assert segment.bytes[0] == 1

    with ThreadPoolExecutor(5) as pool:
        cleaners = [pool.submit(clean) for _ in range(2)]
        creators = [pool.submit(create) for _ in range(3)]
        try:
            assert [creator.result() for creator in creators] == [None] * 3
        finally:
            over.set()
        assert [cleaner.result() for cleaner in cleaners] == [None] * 2
    assert files(folder) == []


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reserve", [True, False])
def test_a_full_folder_says_what_it_has_and_what_is_wanted(small_folder, reserve):
    with pytest.raises(ResourceError) as caught:
        Segment.create("table", 20 * MB, reserve=reserve)

    assert f"{small_folder} has 1.0 MB free of 1.0 MB" in str(caught.value)
    assert "table takes 21 MB" in str(caught.value)
    assert "--shm-size" in caught.value.remedy
    assert files(small_folder) == []


@pytest.mark.parametrize("num_bytes", [900_000, 20 * MB])
def test_a_folder_that_fills_up_meanwhile_leaves_nothing_behind(
    small_folder, num_bytes, monkeypatch
):
    (small_folder / "other").write_bytes(bytes(500_000))
    monkeypatch.setattr(segments, "_require_space", lambda *_: None)
    with pytest.raises(ResourceError, match=r"has .* free of 1\.0 MB"):
        Segment.create("table", num_bytes, reserve=True)

    assert [small_folder / "other"] == files(small_folder)
    with Segment.create("table", 400_000, reserve=True) as segment:
        segment.array(np.uint8, 400_000)[:] = 1


def test_what_a_segment_has_yet_to_take_is_not_for_others(small_folder):
    """However little of it is written so far."""
    with Segment.create("log", 900_000, reserve=False) as log:
        with pytest.raises(ResourceError, match=r"90\d kB of it for other segments"):
            Segment.create("copy", 200_000, reserve=True)
        Segment.create("copy", 100_000, reserve=True).remove()
        log.array(np.uint8, 900_000)[:] = 1
        assert segments.spoken_for() == 0


def test_what_the_dead_have_left_counts_as_free(small_folder):
    with owner(small_folder) as (process, path, _):
        Segment.attach(path).array(np.uint8, 100_000)[:] = 1
        assert segments.spoken_for() == 0
        process.kill()
        process.wait()
        assert segments.spoken_for() == -path.stat().st_blocks * 512
        remove_leaked()


def test_a_limit_on_the_size_of_files_says_so(folder):
    code = """
import resource
from holdem.errors import ResourceError
from holdem.mccfr.segments import Segment
resource.setrlimit(resource.RLIMIT_FSIZE, (12_288, 12_288))
try:
    Segment.create("table", 100_000, reserve=True)
except ResourceError as error:
    print(error, "/", error.remedy)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "table takes 100 kB, and no file here may be so large" in told.stdout, told.stderr
    assert "ulimit -f" in told.stdout
    assert files(folder) == []


def test_a_leak_makes_room_for_the_next(small_folder):
    with owner(small_folder) as (process, path, _):
        process.kill()
        process.wait()
        os.truncate(path, 700_000)
        descriptor = os.open(path, os.O_RDWR)
        os.posix_fallocate(descriptor, 0, 700_000)
        os.close(descriptor)
        with Segment.create("table", 900_000, reserve=True) as segment:
            assert [segment.path] == files(small_folder)


def test_more_than_the_memory_is_refused(folder, monkeypatch):
    monkeypatch.setattr(segments, "available_memory", lambda: 3 * MB)
    with pytest.raises(ResourceError, match=r"takes 4\.2 MB; 3\.1 MB of memory is available"):
        Segment.create("table", 4 * MB, reserve=False)
    assert files(folder) == []


def test_a_missing_folder_says_how_to_have_one(tmp_path, monkeypatch):
    monkeypatch.setenv(segments.FOLDER_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(ResourceError, match="No such file") as caught:
        Segment.create("table", 10, reserve=True)
    assert segments.FOLDER_VARIABLE in caught.value.remedy


def test_too_few_open_files_say_so(folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Lowest free descriptor: from here on every open fails.
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(ResourceError, match="too many open files") as caught:
            Segment.create("table", 10, reserve=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "ulimit -n" in caught.value.remedy
    assert files(folder) == []


def test_too_little_address_space_leaves_nothing_behind(folder):
    code = """
import resource, sys
from holdem.errors import ResourceError
from holdem.mccfr.segments import Segment
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    Segment.create("table", 1 << 30, reserve=False)
except ResourceError as error:
    print(error, "/", error.remedy)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "refused 1.1 GB of shared memory for table" in told.stdout, told.stderr
    assert files(folder) == []

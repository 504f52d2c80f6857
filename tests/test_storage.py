"""Folders and files: what is read is what was written, or an error says why not."""

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import multiprocessing
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdem import storage
from holdem.errors import ResourceError, StorageError
from tests.files import small_disk

ARRAYS = {
    "regrets": np.arange(60, dtype=np.float32).reshape(6, 10),
    "counts": np.array([1, 2, 3], dtype=np.int64),
    "nodes": np.zeros(4, dtype=[("first_slot", "<i8"), ("street", "u1")]),
}
METADATA = {"seed": 42, "name": "Zürich ♠", "epsilon": 0.6, "stacks": (200, 100), "none": None}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "checkpoint"
    storage.write_folder(path, ARRAYS, METADATA, kind="checkpoint")
    return path


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


# -- what was written is read --------------------------------------------------------------------


@pytest.mark.parametrize("mmap", [True, False])
def test_a_folder_comes_back(folder, mmap):
    """Arrays, dtypes, records and metadata survive; arrays cannot be written through."""
    read = storage.read_folder(folder, "checkpoint", mmap=mmap)

    assert list(read.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(read.arrays[name], array)
        assert not read.arrays[name].flags.writeable
        assert isinstance(read.arrays[name], np.memmap) == mmap
    assert read.metadata == {**METADATA, "stacks": [200, 100]}
    assert read.kind == "checkpoint"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=hnp.arrays(
        st.one_of(
            hnp.integer_dtypes(),
            hnp.floating_dtypes(),
            hnp.unsigned_integer_dtypes(),
            st.just(np.dtype(bool)),
        ),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    fortran=st.booleans(),
)
def test_any_array_comes_back(tmp_path, array, fortran):
    """Any dtype, byte order, shape (empty and zero-dimensional too) and memory order."""
    given_array = array.copy(order="F") if fortran else array
    storage.write_folder(tmp_path / "any", {"a": given_array}, {}, kind="test")

    read = storage.read_folder(tmp_path / "any", "test").arrays["a"]

    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()


def test_a_large_array_spans_several_chunks(tmp_path):
    array = np.random.default_rng(1).integers(0, 255, 9_500_001, dtype=np.uint8)
    storage.write_folder(tmp_path / "big", {"a": array}, {}, kind="test")

    np.testing.assert_array_equal(storage.read_folder(tmp_path / "big", "test").arrays["a"], array)


def test_equal_contents_are_equal_bytes(tmp_path):
    """No time stamp, no host, no random name: two runs can be compared with `diff -r`."""
    for name in ("one", "two"):
        storage.write_folder(tmp_path / name, ARRAYS, METADATA, kind="checkpoint")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_checksums_are_those_of_sha256sum(folder):
    """A user can verify a folder without holdem."""
    document = json.loads((folder / "metadata.json").read_text())
    printed = subprocess.run(
        ["sha256sum", "regrets.npy"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    assert printed.split()[0] == document["arrays"]["regrets"]["sha256"]


def test_metadata_is_read_without_the_arrays(folder):
    (folder / "regrets.npy").unlink()
    assert storage.read_metadata(folder, "checkpoint")["seed"] == 42


def test_is_folder_knows_ours(folder, tmp_path):
    assert storage.is_folder(folder)
    assert storage.is_folder(folder, "checkpoint")
    assert not storage.is_folder(folder, "buckets")
    assert not storage.is_folder(tmp_path)
    assert not storage.is_folder(tmp_path / "missing")


def test_the_umask_decides_who_may_read(tmp_path):
    storage.write_folder(tmp_path / "f", {"a": np.zeros(1)}, {}, kind="test")
    storage.write_text(tmp_path / "t", "x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o777 & ~umask
    assert (tmp_path / "f" / "a.npy").stat().st_mode & 0o777 == 0o666 & ~umask
    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o666 & ~umask


# -- replacing and removing ----------------------------------------------------------------------


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "two steps"])
def test_a_folder_is_replaced(folder, exchange, monkeypatch):
    """The new contents, none of the old files, and nothing left beside it."""
    if not exchange:
        monkeypatch.setattr(storage, "_exchange", lambda one, other: False)
    storage.write_folder(folder, {"other": np.ones(2)}, {"seed": 7}, kind="checkpoint")

    assert names(folder) == ["metadata.json", "other.npy"]
    assert storage.read_folder(folder, "checkpoint").metadata == {"seed": 7}
    assert names(folder.parent) == ["checkpoint"]


def test_maps_of_a_replaced_folder_keep_the_old_numbers(folder):
    before = storage.read_folder(folder, "checkpoint").arrays["regrets"]
    storage.write_folder(folder, {"regrets": np.zeros((6, 10), np.float32)}, {}, kind="checkpoint")
    np.testing.assert_array_equal(before, ARRAYS["regrets"])


def test_a_foreign_folder_or_file_is_never_replaced(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    for path in (home, home / "thesis.txt"):
        with pytest.raises(StorageError, match="did not write") as caught:
            storage.write_folder(path, ARRAYS, {}, kind="test")
        assert caught.value.remedy
        with pytest.raises(StorageError, match="did not write"):
            storage.remove_folder(path)
    assert (home / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    storage.write_folder(tmp_path / "empty", ARRAYS, {}, kind="test")
    assert storage.is_folder(tmp_path / "empty", "test")


def test_a_link_is_followed(folder, tmp_path):
    (tmp_path / "latest").symlink_to(folder)
    storage.write_folder(tmp_path / "latest", {"a": np.ones(1)}, {}, kind="checkpoint")
    assert (tmp_path / "latest").is_symlink()
    assert names(folder) == ["a.npy", "metadata.json"]


@pytest.mark.parametrize(
    ("path", "neighbour"),
    [
        ("a", "a.part"),
        ("a.b/", "a.b.part"),
        ("x/a", "x/a.part"),
        (".", "{here}.part"),
        ("", "{here}.part"),
        ("x/..", "{here}.part"),
        ("/", "/.part"),
    ],
)
def test_every_folder_has_a_neighbour(tmp_path, monkeypatch, path, neighbour):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    assert storage.beside(path, ".part") == Path(neighbour.format(here=tmp_path))


def test_remove_folder(folder):
    storage.remove_folder(folder)
    storage.remove_folder(folder)  # a second time it is just not there
    assert names(folder.parent) == []


def test_an_error_in_the_middle_leaves_the_old_folder(folder, monkeypatch):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    with pytest.raises(ValueError, match="JSON"):
        storage.write_folder(folder, ARRAYS, {"bad": float("nan")}, kind="checkpoint")
    with pytest.raises(ValueError, match="JSON"):
        storage.write_folder(folder, ARRAYS, {"bad": object()}, kind="checkpoint")
    assert before == {name: (folder / name).read_bytes() for name in names(folder)}
    assert names(folder.parent) == ["checkpoint"]


def test_objects_and_bad_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="objects"):
        storage.write_folder(tmp_path / "x", {"a": np.array([{}])}, {}, kind="test")
    with pytest.raises(ValueError, match="name"):
        storage.write_folder(tmp_path / "x", {"../a": np.zeros(1)}, {}, kind="test")
    assert names(tmp_path) == []


# -- damage --------------------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_noticed(folder, data):
    """Anywhere, in any file of the folder."""
    path = folder / data.draw(st.sampled_from(names(folder)), label="file")
    good = path.read_bytes()
    place = data.draw(st.integers(0, len(good) * 8 - 1), label="bit")
    bad = bytearray(good)
    bad[place // 8] ^= 1 << place % 8
    path.write_bytes(bad)
    try:
        with pytest.raises(StorageError) as caught:
            storage.read_folder(folder, "checkpoint")
    finally:
        path.write_bytes(good)
    assert caught.value.remedy
    assert str(folder) in str(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), verify=st.booleans())
def test_any_truncation_is_noticed(folder, data, verify):
    """Even when nobody asked for the checksums."""
    path = folder / data.draw(st.sampled_from(names(folder)), label="file")
    good = path.read_bytes()
    path.write_bytes(good[: data.draw(st.integers(0, len(good) - 1), label="bytes left")])
    try:
        with pytest.raises(StorageError, match=r"truncated|damaged"):
            storage.read_folder(folder, "checkpoint", verify=verify)
    finally:
        path.write_bytes(good)


def test_a_flip_in_the_data_passes_only_without_verify(folder):
    path = folder / "regrets.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    storage.read_folder(folder, "checkpoint", verify=False)
    with pytest.raises(StorageError, match="damaged"):
        storage.read_folder(folder, "checkpoint")


def half_written(folder):
    (folder / "metadata.json").unlink()


def incomplete(folder):
    (folder / "counts.npy").unlink()


def longer(folder):
    with open(folder / "counts.npy", "ab") as file:
        file.write(b"x")


def pickled_metadata(folder):
    (folder / "metadata.json").write_bytes(pickle.dumps({"a": 1}))


def pickle_in_place(folder):
    shutil.rmtree(folder)
    folder.write_bytes(pickle.dumps({"a": 1}))


def old_pickle_in_place(folder):
    shutil.rmtree(folder)
    folder.write_bytes(pickle.dumps({"a": 1}, protocol=0))


def text_in_place(folder):
    shutil.rmtree(folder)
    folder.write_text("I am a text.")


def missing(folder):
    shutil.rmtree(folder)


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def other_json(folder):
    (folder / "metadata.json").write_text('{"format": "something else"}')


def list_json(folder):
    (folder / "metadata.json").write_text("[1, 2]")


def newer(folder):
    monkey = pytest.MonkeyPatch()
    monkey.setattr(storage, "FORMAT_VERSION", 99)
    monkey.setattr(storage, "__version__", "7.0.0")
    storage.write_folder(folder, ARRAYS, METADATA, kind="checkpoint")
    monkey.undo()


def other_kind(folder):
    storage.write_folder(folder, ARRAYS, METADATA, kind="buckets")


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (missing, "does not exist"),
        (half_written, "half written"),
        (incomplete, "incomplete: counts.npy is missing"),
        (longer, "damaged"),
        (empty, "no metadata.json"),
        (pickled_metadata, "pickle"),
        (pickle_in_place, "pickle"),
        (old_pickle_in_place, "pickle"),
        (text_in_place, "is a file; wanted a folder"),
        (other_json, "not written by holdem"),
        (list_json, "not written by holdem"),
        (newer, "format version 99"),
        (other_kind, "of kind buckets, not checkpoint"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_harm_is_named_with_its_remedy(folder, harm, found):
    """What is wrong, and the command that makes the right thing."""
    harm(folder)
    with pytest.raises(StorageError, match=found) as caught:
        storage.read_folder(folder, "checkpoint")
    assert "holdem train" in caught.value.remedy
    assert "\n" not in str(caught.value) + caught.value.remedy


def test_a_newer_format_names_the_version_that_reads_it(folder):
    newer(folder)
    with pytest.raises(StorageError) as caught:
        storage.read_folder(folder, "checkpoint")
    assert "holdem 7.0.0 or newer" in caught.value.remedy


def test_a_pickle_is_never_loaded(tmp_path):
    """The file would create a marker if anything unpickled it."""

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    path = tmp_path / "set"
    storage.write_folder(path, {"a": np.zeros(3)}, {}, kind="test")
    for victim in (path / "a.npy", path / "metadata.json"):
        good = victim.read_bytes()
        victim.write_bytes(pickle.dumps(Bomb()))
        for verify in (True, False):
            with pytest.raises(StorageError):
                storage.read_folder(path, "test", verify=verify)
        victim.write_bytes(good)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("mmap", [True, False])
def test_an_array_of_objects_is_never_loaded(tmp_path, mmap):
    """Not even where the manifest says what the file holds, checksums and all."""

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    path = tmp_path / "set"
    storage.write_folder(path, {"a": np.zeros(1)}, {}, kind="test")
    np.save(path / "a.npy", np.array([Bomb()]), allow_pickle=True)
    forged = (path / "a.npy").read_bytes()
    entry = {
        "dtype": "|O",
        "shape": [1],
        "bytes": len(forged),
        "sha256": hashlib.sha256(forged).hexdigest(),
    }
    (path / "metadata.json").write_text(storage._manifest_text("test", {"a": entry}, {}))

    with pytest.raises(StorageError, match=r"(?i)damaged: .*object"):
        storage.read_folder(path, "test", mmap=mmap)
    assert not (tmp_path / "exploded").exists()
    np.load(path / "a.npy", allow_pickle=True)
    assert (tmp_path / "exploded").exists()  # as it would have been


# -- places that cannot be written ---------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    """A real file system of 1 MiB."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        yield disk


def test_a_full_disk_is_foreseen(disk):
    with pytest.raises(StorageError, match="disk is full") as caught:
        storage.write_folder(disk / "a", {"a": np.zeros(1 << 20)}, {}, kind="test")
    assert "free some space" in caught.value.remedy
    assert names(disk) == []


def test_a_disk_that_fills_up_in_the_middle(disk, monkeypatch):
    """The old folder is whole, and the half of the new one is gone."""
    storage.write_folder(disk / "a", {"a": np.arange(1000)}, {"n": 1}, kind="test")
    monkeypatch.setattr(storage, "free_bytes", lambda path: 1 << 40)
    with pytest.raises(StorageError, match="disk is full"):
        storage.write_folder(disk / "a", {"a": np.zeros(1 << 20)}, {"n": 2}, kind="test")
    with pytest.raises(StorageError, match="disk is full"):
        storage.write_text(disk / "b", "x" * (2 << 20))
    assert storage.read_folder(disk / "a", "test").metadata == {"n": 1}
    assert names(disk) == ["a"]


def test_free_space_is_asked_before(disk):
    assert 0 < storage.free_bytes(disk / "not" / "yet") <= 1 << 20
    storage.require_free_space(disk, 1000, "a checkpoint")
    with pytest.raises(ResourceError, match=r"a checkpoint needs 4.0 MB at .* 1.0 MB is free"):
        storage.require_free_space(disk, 4_000_000, "a checkpoint")


def test_a_file_size_limit_is_a_storage_error(tmp_path):
    """Like a full disk, and it can be had without any rights."""

    def write(path, queue):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            storage.write_folder(path, {"a": np.zeros(1 << 20)}, {}, kind="test")
        except StorageError as error:
            queue.put((str(error), error.remedy))

    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=write, args=(tmp_path / "a", queue))
    process.start()
    message, remedy = queue.get()
    process.join()
    assert "larger than allowed" in message
    assert "ulimit" in remedy
    assert names(tmp_path) == []


def test_a_read_only_disk(disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for write in (
        lambda: storage.write_folder(disk / "a", ARRAYS, {}, kind="test"),
        lambda: storage.write_text(disk / "a", "x"),
        lambda: storage.make_folder(disk),
        lambda: storage.make_folder(disk / "runs" / "x"),
        lambda: storage.require_place(disk / "a", b"ours"),
        lambda: storage.require_place(disk / "runs" / "x", b"ours"),
    ):
        with pytest.raises(StorageError, match="read-only") as caught:
            write()
        assert caught.value.remedy


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may write anywhere, so for a while it is somebody else."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_place_that_belongs_to_others():
    # The folders of `tmp_path` lie in one that only their owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        for path in (Path(folder) / "a", Path(folder) / "runs" / "a"):
            with pytest.raises(StorageError, match="you may not write there") as caught, nobody():
                storage.require_place(path, b"ours")
            assert "rights" in caught.value.remedy
        assert names(Path(folder)) == []


def test_scratch_folder_is_gone_in_the_end(tmp_path):
    with storage.scratch_folder(tmp_path / "runs" / "new") as scratch:
        assert scratch.parent == tmp_path
        (scratch / "trial").mkdir()

    assert names(tmp_path) == []


def test_scratch_folder_lets_the_errors_of_its_body_be(tmp_path):
    with pytest.raises(OSError, match="mine"), storage.scratch_folder(tmp_path / "trial"):
        raise OSError("mine")

    assert names(tmp_path) == []


def test_scratch_folder_in_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="cannot write"),
        storage.scratch_folder(tmp_path / "file" / "trial"),
    ):
        pass


@pytest.mark.parametrize(
    "code", [errno.EACCES, errno.EPERM, errno.EDQUOT, errno.ENAMETOOLONG, errno.EIO]
)
def test_every_refusal_of_the_system_has_a_remedy(tmp_path, monkeypatch, code):
    def refuse(*args):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match="cannot write") as caught:
        storage.write_folder(tmp_path / "a", ARRAYS, {}, kind="test")
    assert caught.value.remedy
    assert names(tmp_path) == []


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "below", tmp_path / "file"):
        with pytest.raises(StorageError, match="file"):
            storage.make_folder(path)


def test_memory_that_is_short_is_no_fault_of_the_file(folder, monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(np, "memmap", refuse)
    with pytest.raises(StorageError, match="Cannot allocate memory") as caught:
        storage.read_folder(folder, "checkpoint")
    assert "ulimit -v" in caught.value.remedy


def test_an_unreadable_array_says_why(folder):
    (folder / "counts.npy").unlink()
    (folder / "counts.npy").mkdir()
    with pytest.raises(StorageError):
        storage.read_folder(folder, "checkpoint", verify=False)


# -- small files ---------------------------------------------------------------------------------


def test_a_device_is_written_to_and_never_replaced(tmp_path):
    """As root, a file in the place of /dev/null would spoil the machine."""
    master, slave = os.openpty()
    path = tmp_path / "device"
    path.symlink_to(os.ttyname(slave))
    with storage.atomic_write(path) as file:
        file.write(b"whole\n")
    assert os.read(master, 100) == b"whole\r\n"
    assert path.is_symlink()
    assert path.is_char_device()
    os.close(slave)
    os.close(master)


def test_a_pipe_is_written_to(tmp_path):
    """``--out >(jq .)``, too."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    storage.write_json(path, [1])
    assert json.loads(os.read(reader, 100)) == [1]
    assert path.is_fifo()
    os.close(reader)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("other", "holds something else"),
        ("short", "holds something else"),
        (".", "a folder stands where a file is wanted"),
        ("other/x", "a part of the path is a file"),
        ("x" * 300, "the name is too long"),
    ],
)
def test_a_place_where_a_file_cannot_go(tmp_path, path, found):
    (tmp_path / "other").write_text("others")
    (tmp_path / "short").write_text("ou")
    with pytest.raises(StorageError, match=found):
        storage.require_place(tmp_path / path, b"ours")


@pytest.mark.parametrize("path", ["empty", "ours", "new", "a/b/c/new", "/dev/null"])
def test_a_place_where_a_file_can_go(tmp_path, path):
    (tmp_path / "empty").touch()
    (tmp_path / "ours").write_text("ours, and more")
    storage.require_place(tmp_path / path, b"ours")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["x" * 255, "牌" * 80, "x" * 99 + "♠" * 50, "é" * 127])
def test_a_name_as_long_as_the_system_allows(tmp_path, name):
    """The name of the temporary is no longer, counted in bytes."""
    storage.write_text(tmp_path / name, "new")
    storage.write_folder(tmp_path / "in" / name, ARRAYS, METADATA, kind="test")

    assert (tmp_path / name).read_text() == "new"
    assert storage.is_folder(tmp_path / "in" / name)


def test_atomic_write_keeps_the_old_bytes_when_the_body_fails(tmp_path):
    path = tmp_path / "deep" / "file"
    storage.write_text(path, "old ♠")

    def fail():
        with storage.atomic_write(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old ♠"
    assert names(path.parent) == ["file"]


def test_what_fails_in_the_body_is_not_taken_for_the_file(tmp_path):
    """Such as output that nobody reads any more."""

    def print_to_nobody():
        with storage.atomic_write(tmp_path / "file") as file:
            file.write(b"new")
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        print_to_nobody()
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_what_cannot_be_written_is_told_with_its_name(size):
    """Few bytes fail when they leave the buffer, many at once."""

    def fill():
        with storage.atomic_write("/dev/full") as file:
            file.write(bytes(size))

    with pytest.raises(StorageError, match="cannot write /dev/full: the disk is full"):
        fill()


def test_json_holds_what_configs_hold(tmp_path):
    from holdem.types import BetMenu

    storage.write_json(
        tmp_path / "x.json",
        {"a": np.float32(0.5), "b": np.arange(2), "p": Path("/x"), "m": BetMenu(streets=(("a",),))},
    )
    assert storage.read_json(tmp_path / "x.json") == {
        "a": 0.5,
        "b": [0, 1],
        "p": "/x",
        "m": {"streets": [["a"]]},
    }


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "does not exist"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "too deep"),
        (b'{"a":' * 100_000, "too deep"),
        (pickle.dumps(1), "pickle"),
    ],
)
def test_bad_json_is_a_storage_error(tmp_path, content, found):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=found):
        storage.read_json(path)


def test_a_folder_with_a_manifest_too_deep_is_damaged(tmp_path):
    storage.write_folder(tmp_path / "x", ARRAYS, METADATA, kind="test")
    (tmp_path / "x" / storage.METADATA_NAME).write_bytes(b"[" * 100_000)

    assert not storage.is_folder(tmp_path / "x")
    with pytest.raises(StorageError, match=r"metadata\.json is damaged: .*too deep"):
        storage.read_metadata(tmp_path / "x", "test")


# -- logs ----------------------------------------------------------------------------------------


def logger_to(path):
    logger = logging.Logger("test")
    handler = storage.open_log(path)
    logger.addHandler(handler)
    return logger, handler


def test_a_log_is_appended_to_with_the_time(tmp_path):
    for text in ("first ♠", "second"):
        logger, handler = logger_to(tmp_path / "deep" / "train.log")
        logger.info(text)
        handler.close()
    lines = (tmp_path / "deep" / "train.log").read_text().splitlines()
    assert [line.split("INFO")[1].strip() for line in lines] == ["first ♠", "second"]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line) for line in lines)


def test_a_log_that_cannot_be_opened(tmp_path):
    (tmp_path / "train.log").mkdir()
    with pytest.raises(StorageError, match="cannot write") as caught:
        storage.open_log(tmp_path / "train.log")
    assert caught.value.remedy


def test_lines_are_there_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "deep" / "match.log"
    with storage.LineFile(path, new=True) as file:
        file.write("first ♠")
        assert path.read_text() == "first ♠\n"
    with storage.LineFile(path) as file:
        file.write("second\nthird")
    assert path.read_text().splitlines() == ["first ♠", "second", "third"]
    with pytest.raises(StorageError, match="is there already"):
        storage.LineFile(path, new=True)
    with pytest.raises(StorageError, match="cannot write"):
        storage.LineFile(tmp_path)


def test_lines_on_a_full_disk(disk):
    with storage.LineFile(disk / "match.log") as file:
        file.write("whole")
        with pytest.raises(StorageError, match="the disk is full"):
            file.write("x" * (2 << 20))
        assert (disk / "match.log").read_text() == "whole\n"
        file.write("as is this")
    assert (disk / "match.log").read_text() == "whole\nas is this\n"


def test_a_line_on_a_full_disk_ends_nothing(disk, capsys):
    logger, handler = logger_to(disk / "train.log")
    logger.info("x" * (2 << 20))
    logger.info("on it goes")
    with contextlib.suppress(OSError):
        handler.close()
    assert capsys.readouterr().err == ""


# -- killed writers ------------------------------------------------------------------------------

_SLOW_WRITER = """
import sys, time
import numpy as np
from holdem import storage
write_array = storage._write_array
def slow(path, array):
    entry = write_array(path, array)
    print("writing", flush=True)
    time.sleep(60)
    return entry
storage._write_array = slow
storage.write_folder(sys.argv[1], {"a": np.ones(1000), "b": np.ones(10)}, {"n": 2}, kind="test")
"""


def test_a_killed_writer_leaves_the_old_folder_and_its_temporary_is_cleaned(tmp_path):
    path = tmp_path / "a"
    storage.write_folder(path, {"a": np.zeros(1000)}, {"n": 1}, kind="test")
    with subprocess.Popen(
        [sys.executable, "-c", _SLOW_WRITER, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"writing\n"
        assert len(names(tmp_path)) == 3  # the temporary has its lock beside it
        assert storage.clean_stale(tmp_path) == []  # it lives, so its temporary is its own
        writer.send_signal(signal.SIGKILL)
    assert storage.read_folder(path, "test").metadata == {"n": 1}
    assert len(names(tmp_path)) == 3

    storage.write_text(tmp_path / "other", "any write here cleans up")

    assert names(tmp_path) == ["a", "other"]


@pytest.mark.parametrize("name", ["metadata.json", "regrets.npy"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(StorageError, match=f"{name} is no file"):
        storage.read_folder(folder, "checkpoint")


def test_clean_stale_leaves_everything_else_alone(tmp_path):
    (tmp_path / ".hidden").write_text("mine")
    (tmp_path / ".a.holdem-tmp-0").write_text("stale")
    for name in (".b.holdem-tmp-1", ".c.holdem-tmp-2"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.lock").touch()
    descriptor = os.open(tmp_path / ".b.holdem-tmp-1.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert sorted(storage.clean_stale(tmp_path)) == [
            tmp_path / ".a.holdem-tmp-0",
            tmp_path / ".c.holdem-tmp-2.lock",
        ]
    finally:
        os.close(descriptor)
    assert names(tmp_path) == [".b.holdem-tmp-1", ".b.holdem-tmp-1.lock", ".hidden"]


@pytest.fixture
def locks_of_nfs(monkeypatch):
    """flock(2): over NFS only a file that is opened for writing can be locked."""
    lock = fcntl.flock

    def flock(descriptor, operation):
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("locks_of_nfs")
def test_network_disks_hold_folders_and_are_cleaned(tmp_path):
    with (
        storage.hold(tmp_path, "the run"),
        pytest.raises(StorageError, match=r"another process is at work on the run"),
        storage.hold(tmp_path, "the run"),
    ):
        pass
    with storage.hold(tmp_path, "the run"):
        storage.write_folder(tmp_path / "a", {"a": np.zeros(10)}, {}, kind="test")
    (tmp_path / ".b.holdem-tmp-1").mkdir()
    (tmp_path / ".b.holdem-tmp-1.lock").touch()

    storage.write_text(tmp_path / "other", "any write here cleans up")

    assert names(tmp_path) == [storage.LOCK_NAME, "a", "other"]


def _write_often(path, value, stop):
    while not stop.is_set():
        storage.write_folder(path, {"a": np.full(2000, value)}, {"value": value}, kind="test")


def test_readers_see_the_old_or_the_new_never_half(tmp_path):
    """Two writers replace one folder all the time; every read is whole."""
    path = tmp_path / "a"
    storage.write_folder(path, {"a": np.full(2000, 0)}, {"value": 0}, kind="test")
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    writers = [
        context.Process(target=_write_often, args=(path, v, stop), daemon=True) for v in (1, 2)
    ]
    for writer in writers:
        writer.start()
    seen = set()
    while not {1, 2} <= seen:
        assert all(writer.is_alive() for writer in writers)
        # A reader opens several files, so it may straddle a replacement; the
        # checksums tell it, and then it reads again.
        try:
            read = storage.read_folder(path, "test", mmap=False)
        except StorageError:
            continue
        assert set(read.arrays["a"].tolist()) == {read.metadata["value"]}
        seen.add(read.metadata["value"])
    stop.set()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (276_543_210, "277 MB"),
        (9_960_000, "10 MB"),
        (1.5e9, "1.5 GB"),
        (2.345e15, "2,345.0 TB"),
    ],
)
def test_sizes_read_as_people_write_them(size, text):
    assert storage.format_bytes(size) == text

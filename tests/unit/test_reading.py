"""A user's file is read completely and within a limit, or refused: place, reason, fix."""

import os
import socket
import threading
from contextlib import suppress

import pytest

from toyisa.files import reading
from toyisa.files.reading import Unreadable, read

LIMIT = 1 << 20


def refusal(path, limit=LIMIT):
    with pytest.raises(Unreadable) as raised:
        read(path, limit, say=pytest.fail)
    text = str(raised.value)
    assert text.startswith(f"{path}: ")
    assert raised.value.reason
    assert raised.value.fix
    return text


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_a_file_of_any_size_up_to_the_limit(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert read(tmp_path / "file", LIMIT) == data


def test_a_larger_one_is_not_read_at_all(tmp_path, monkeypatch):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    monkeypatch.setattr(os, "read", pytest.fail)
    assert "sparse: is larger than 1 MB" in refusal(tmp_path / "sparse")


def test_a_file_of_the_kernel_that_says_it_is_empty():
    assert b"\0" in read("/proc/self/cmdline", LIMIT)
    assert "is larger than" in refusal("/proc/self/maps", 10)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "/dev/full", "/dev/mem"])
def test_devices_are_refused_unopened(name, monkeypatch):
    if not os.path.exists(name):
        pytest.skip(f"this system has no {name}")
    monkeypatch.setattr(os, "open", pytest.fail)
    assert "is a device" in refusal(name)


def test_the_null_device_is_empty():
    assert read(os.devnull, LIMIT) == b""


def test_what_is_no_file(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "guest.elf").touch()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    for name, reason in (
        ("", "is a directory; name a file in it"),
        ("socket", "is a socket"),
        ("missing", "no such file; check the path"),
        ("guest.efl", "no such file; did you mean"),
        ("guest.elf/x", r"cannot be read (Not a directory)"),
        ("loop", "cannot be read"),
        ("x" * 300, "cannot be read (File name too long)"),
        ("a\0b", "cannot be read"),
    ):
        assert reason in refusal(tmp_path / name)
    listener.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read(tmp_path):
    (tmp_path / "file").touch(mode=0o200)
    assert "Permission denied" in refusal(tmp_path / "file")


def fed(path, *pieces):
    """Write the pieces to a FIFO, in a thread, which is returned."""

    def write():
        with suppress(BrokenPipeError), open(path, "wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_fifo_is_waited_for_with_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", 0.01)
    os.mkfifo(tmp_path / "fifo")
    said, threads = [], []

    def say(line):
        said.append(line)
        threads.append(fed(tmp_path / "fifo", b"first", b"x" * 100_000))

    assert read(tmp_path / "fifo", LIMIT, say) == b"first" + b"x" * 100_000
    assert said == [f"waiting for data from {tmp_path / 'fifo'} ..."]
    threads[0].join()


def test_a_fifo_whose_writer_says_nothing(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    thread = fed(tmp_path / "fifo")
    assert read(tmp_path / "fifo", LIMIT, lambda _line: None) == b""
    thread.join()


def test_a_fifo_without_end_is_read_to_the_limit(tmp_path):
    os.mkfifo(tmp_path / "fifo")

    thread = fed(tmp_path / "fifo", *[b"x" * 1000] * 2000)
    with pytest.raises(Unreadable, match="is larger than 1 MB"):
        read(tmp_path / "fifo", LIMIT, lambda _line: None)
    thread.join()


def test_a_pipe_by_its_descriptor():
    out, into = os.pipe()
    os.write(into, b"data")
    os.close(into)
    assert read(f"/dev/fd/{out}", LIMIT) == b"data"
    os.close(out)

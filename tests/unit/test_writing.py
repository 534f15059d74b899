"""Outputs are checked before the work; what is not a regular file is not replaced."""

import os
import socket
import stat

import pytest

from toyisa.files import writing
from toyisa.files.writing import Outputs, Unwritable, place, write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_by_commit_alone(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    wanted = [("--a", tmp_path / "new"), ("--b", tmp_path / "old"), ("--c", None)]
    with Outputs(wanted) as out:
        out.put(tmp_path / "new", b"one")
        out.open(tmp_path / "old").write(b"two")
        assert (tmp_path / "old").read_bytes() == b"old"
        assert not (tmp_path / "new").exists()
    assert names(tmp_path) == ["old"]
    with Outputs(wanted) as out:
        out.put(tmp_path / "new", b"one")
        out.open(tmp_path / "old").write(b"two")
        out.commit()
    assert names(tmp_path) == ["new", "old"]
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == [b"one", b"two"]


def test_if_one_cannot_be_written_none_appears(tmp_path, monkeypatch):
    with Outputs([("--a", tmp_path / "a"), ("--b", tmp_path / "b")]) as out:
        out.put(tmp_path / "a", b"data")
        out.open(tmp_path / "b").write(b"data")  # still in the buffer
        os.close(out._open[1].file.fileno())
        with pytest.raises(Unwritable, match=r"cannot write .*b: Bad file descriptor"):
            out.commit()
    assert names(tmp_path) == []


REFUSED = {
    "folder": "is a directory; name a file in it",
    "socket": "is a socket",
    "missing/file": "No such file or directory; make its directory first",
    "file/file": "Not a directory; a part of the path is a file",
    "loop": "Too many levels of symbolic links",
    "x" * 300: "File name too long; give it a shorter name",
    "a\0b": "null",
    "to_zero": "is a device",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to_zero").symlink_to("/dev/zero")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    before = names(tmp_path)
    with pytest.raises(Unwritable, match=REFUSED[name]) as raised:
        place(tmp_path / name)
    assert str(raised.value).startswith(f"cannot write {tmp_path / name}: ")
    assert "; " in str(raised.value)
    assert names(tmp_path) == before
    listener.close()


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/full", "/dev/mem", "/", "/proc/self"])
def test_devices_are_not_even_opened(name, monkeypatch):
    if not os.path.exists(name):
        pytest.skip(f"this system has no {name}")
    monkeypatch.setattr(os, "open", pytest.fail)
    with pytest.raises(Unwritable):
        place(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written(tmp_path):
    (tmp_path / "old").touch(mode=0o400)
    (tmp_path / "folder").mkdir(mode=0o500)
    for name in ("old", "folder/new"):
        with pytest.raises(Unwritable):
            place(tmp_path / name)


def test_an_input_is_not_an_output_under_any_name(tmp_path):
    (tmp_path / "input").write_bytes(b"input")
    (tmp_path / "link").symlink_to("input")
    os.link(tmp_path / "input", tmp_path / "hard")
    os.mkfifo(tmp_path / "fifo")
    for name in ("input", "link", "hard", "../" + tmp_path.name + "/input", "fifo"):
        with pytest.raises(Unwritable, match="--out would replace what the command reads"):
            Outputs([("--out", tmp_path / name)], [tmp_path / "input", tmp_path / "fifo"])
    Outputs([("--out", os.devnull)], [os.devnull])


def test_standard_input_is_an_input(tmp_path):
    (tmp_path / "input").write_bytes(b"input")
    saved = os.dup(0)
    try:
        with (tmp_path / "input").open() as file:
            os.dup2(file.fileno(), 0)
        with pytest.raises(Unwritable, match="what the command reads"):
            Outputs([("--out", tmp_path / "input")])
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_two_outputs_are_two_files(tmp_path):
    (tmp_path / "old").touch()
    (tmp_path / "link").symlink_to("new")
    (tmp_path / "hard").hardlink_to(tmp_path / "old")
    (tmp_path / "folder").mkdir()
    for a, b in (("new", "new"), ("new", "link"), ("old", "hard"), ("new", "folder/../new")):
        with pytest.raises(Unwritable, match="--a and --b are the same file; name two files"):
            Outputs([("--a", tmp_path / a), ("--b", tmp_path / b)])
    Outputs([("--a", os.devnull), ("--b", os.devnull)])


def test_the_null_device_is_written_through():
    number = os.stat(os.devnull).st_rdev
    with Outputs([("--a", os.devnull)]) as out:
        out.put(os.devnull, b"data")
        out.commit()
    write(os.devnull, b"data")
    assert os.stat(os.devnull).st_rdev == number


def test_a_fifo_is_written_through(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with Outputs([("--a", tmp_path / "fifo")]) as out:
        out.put(tmp_path / "fifo", b"data")
        out.commit()
    assert os.read(reader, 10) == b"data"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    assert names(tmp_path) == ["fifo"]


def test_what_stdout_is_is_neither_replaced_nor_cut(tmp_path, capfd):
    """`toyvmm run --json-file /dev/stdout >>file`."""
    (tmp_path / "out").write_bytes(b"before ")
    saved = os.dup(1)
    try:
        with (tmp_path / "out").open("ab") as file:
            os.dup2(file.fileno(), 1)
        number = (tmp_path / "out").stat().st_ino
        for name in ("/dev/stdout", tmp_path / "out"):
            write(name, b"data ")
    finally:
        os.dup2(saved, 1)
        os.close(saved)
    assert (tmp_path / "out").read_bytes() == b"before data data "
    assert (tmp_path / "out").stat().st_ino == number


def test_links_stay_links_also_those_that_lead_nowhere(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/new")
    write(tmp_path / "link", b"data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "new").read_bytes() == b"data"


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "old").write_bytes(b"old")

    def full(_self, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing._Sink, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "old", b"new")
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]

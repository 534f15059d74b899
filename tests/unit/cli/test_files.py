"""A file is written completely or not at all, and what it replaces keeps its kind."""

import os
import stat

import pytest

from vmm.cli import files
from vmm.cli.files import Refusal


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path):
    old = os.umask(0o027)
    try:
        files.write(tmp_path / "out", b"data")
    finally:
        os.umask(old)
    assert (tmp_path / "out").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Refusal, match=r"cannot write .*out: No space left on device"):
        files.write(out, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert out.read_bytes() == b"old"


def test_a_device_is_written_and_not_replaced(tmp_path):
    """`-o /dev/null` as root: the device must still be there."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    files.write(fifo, b"data")
    assert os.read(reader, 10) == b"data"
    os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    files.write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["no/such/folder/out", "", "a\0b", "x" * 300])
def test_where_nothing_can_be_written(tmp_path, name):
    with pytest.raises(Refusal, match="cannot write"):
        files.write(tmp_path / name, b"data")


@pytest.mark.parametrize("name", ["missing", "", "a\0b", "x" * 300])
def test_what_cannot_be_read(tmp_path, name):
    with pytest.raises(Refusal):
        files.read(tmp_path / name)

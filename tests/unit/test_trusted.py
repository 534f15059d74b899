"""Code is kept only where nobody except us and root could have put it."""

import os
import stat

import pytest

from toyisa.files import trusted
from toyisa.files.trusted import Untrusted

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another's files")


def test_what_is_made_is_for_us_alone(tmp_path):
    tmp_path.chmod(0o755)
    old = os.umask(0)
    try:
        made = trusted.require(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert made == tmp_path / "a" / "b"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (made, made.parent)] == [0o700] * 2
    assert trusted.require(made) == made


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_a_directory_that_others_can_write(tmp_path, mode):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    with pytest.raises(Untrusted, match=r"cache can be written by others.*; delete it"):
        trusted.require(tmp_path / "cache")


@pytest.mark.parametrize("mode", [0o711, 0o750])
def test_a_private_one_that_others_can_look_into(tmp_path, mode):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    trusted.require(tmp_path / "cache")
    with pytest.raises(Untrusted):
        trusted.require(tmp_path / "cache", private=True)


def test_a_parent_that_others_can_write(tmp_path):
    parent = tmp_path / "parent"
    (parent / "cache").mkdir(parents=True, mode=0o700)
    for mode, is_good in ((0o777, False), (0o1777, True), (0o755, True)):
        parent.chmod(mode)
        if is_good:
            trusted.require(parent / "cache")
        else:
            with pytest.raises(Untrusted, match=r"parent can be written by others"):
                trusted.require(parent / "cache")


def test_links_of_ours_are_followed_and_what_they_lead_to_is_looked_at(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    assert trusted.require(tmp_path / "link" / "cache") == tmp_path / "real" / "cache"
    (tmp_path / "real").chmod(0o777)
    with pytest.raises(Untrusted, match="real can be written by others"):
        trusted.require(tmp_path / "link" / "cache")


def test_what_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "file/cache", "loop", "x" * 300):
        with pytest.raises(OSError):  # noqa: PT011  which one depends on the name
            trusted.require(tmp_path / name)


@as_root
@pytest.mark.parametrize("what", ["leaf", "parent", "link"])
def test_what_belongs_to_another(tmp_path, what):
    (tmp_path / "leaf").mkdir(mode=0o700)
    (tmp_path / "parent" / "cache").mkdir(parents=True, mode=0o700)
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "target").mkdir(mode=0o700)
    os.chown(tmp_path / what, NOBODY, NOBODY, follow_symlinks=False)
    place = tmp_path / what / "cache" if what == "parent" else tmp_path / what
    with pytest.raises(Untrusted, match=r"nobody.*TOYVMM_CACHE_DIR"):
        trusted.require(place)

"""A program from the cache is the one that would be assembled now; otherwise it is not used."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asm import assembler, kept
from asm.errors import AsmErrors

MAIN = '.include "part.inc"\n_start: li a0, VALUE\n.incbin "data.bin"\n'


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A source of three files, as old as files of an installed program are."""
    monkeypatch.setattr(kept, "GRAIN", -1 << 60)
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "later").mkdir()
    (folder / "later" / "part.inc").write_text(".equ VALUE, 1\n")
    (folder / "later" / "data.bin").write_bytes(b"1234")
    (folder / "main.S").write_text(MAIN)
    return folder / "main.S"


@pytest.fixture
def store(tmp_path):
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


@pytest.fixture
def assembled(monkeypatch):
    """The sources that were assembled."""
    done = []
    real = assembler.assemble
    monkeypatch.setattr(
        assembler, "assemble", lambda path, **how: done.append(path) or real(path, **how)
    )
    return done


def get(store, source, **how):
    return kept.program(store, source, [source.parent / "first", source.parent / "later"], **how)


def test_it_is_assembled_once(source, store, assembled):
    first, second = get(store, source), get(store, source)
    assert assembled == [source]
    assert first == second
    assert first.elf == get(None, source).elf
    folder = source.parent
    assert set(first.files) == {
        str(source), str(folder / "later" / "part.inc"), str(folder / "later" / "data.bin")
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "main.S").write_text(MAIN.replace("a0", "a1")),
        lambda folder: (folder / "later" / "part.inc").write_text(".equ VALUE, 2\n"),
        lambda folder: (folder / "later" / "data.bin").write_bytes(b"4321"),
        lambda folder: (folder / "part.inc").write_text(".equ VALUE, 3\n"),
        lambda folder: (
            (folder / "first").mkdir(), (folder / "first" / "data.bin").write_bytes(b"12345678")
        ),
    ],
    ids=["main", "included", "binary", "file-before-it-beside", "file-before-it-in-a-folder"],
)  # fmt: skip
def test_any_change_is_seen(source, store, assembled, change):
    """Also a file that is now found before the one that was read."""
    first = get(store, source)
    change(source.parent)
    second = get(store, source)
    assert assembled == [source, source]
    assert second.elf != first.elf
    assert second.elf == get(None, source).elf


def test_other_options_are_another_program(source, store, assembled):
    plain = get(store, source)
    assert get(store, source, defines={"OTHER": 1}).elf != plain.elf  # it has a symbol more
    kept.program(store, source, [source.parent / "later"])
    assert len(assembled) == 3


def test_a_file_that_goes_is_missed(source, store):
    get(store, source)
    (source.parent / "later" / "part.inc").unlink()
    with pytest.raises(AsmErrors, match=r"part\.inc"):
        get(store, source)


def test_another_assembler_assembles_anew(source, store, assembled, tmp_path, monkeypatch):
    get(store, source)
    other = tmp_path / "expand.py"
    other.write_text("changed = True\n")
    monkeypatch.setattr(kept, "sources", lambda: [other])
    kept._assembler.cache_clear()
    try:
        get(store, source)
    finally:
        kept._assembler.cache_clear()
    assert len(assembled) == 2


def test_the_assembler_is_all_that_it_imports():
    code = (
        "import pkgutil, sys, asm\n"
        "for found in pkgutil.iter_modules(asm.__path__): __import__(f'asm.{found.name}')\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith(('asm.', 'toyisa.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    listed = set(map(str, kept.sources()))
    apart = {"reading.py", "writing.py", "__init__.py"}  # files in and out: no byte of a program
    missed = {path for path in done.stdout.split() if path not in listed}
    assert {Path(path).name for path in missed} <= apart


def test_what_was_edited_while_it_was_assembled_is_not_kept(source, store, monkeypatch):
    monkeypatch.undo()  # the grain of the clock counts again: the files are new
    get(store, source)
    assert list(store.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data.replace(b"elf", b"fle", 1),
        lambda data: kept.MAGIC + b"[]\n" + data,
        lambda data: kept.MAGIC + json.dumps({"elf": kept._digest(b""), "files": 1}).encode(),
        lambda data: b"\xff" * 100,
    ],
    ids=["empty", "short", "a bit", "a key", "no table", "no files", "no text"],
)
def test_a_damaged_entry_is_made_anew(source, store, assembled, damage):
    first = get(store, source)
    (entry,) = store.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(damage(good))
    assert get(store, source) == first
    assert len(assembled) == 2
    assert entry.read_bytes() == good


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_where_nothing_can_be_written_it_is_assembled(source, store):
    store.chmod(0o500)
    assert get(store, source).elf == get(None, source).elf


def test_a_store_that_is_gone_is_no_error(source, store):
    store.rmdir()
    assert get(store, source).elf == get(None, source).elf


def test_the_oldest_go(source, store, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 3)
    for n in range(5):
        get(store, source, defines={f"N{n}": n})
        for age, path in enumerate(sorted(store.iterdir(), key=os.path.getmtime, reverse=True)):
            os.utime(path, (1e9 - age, 1e9 - age))  # whatever the clock's grain
    assert kept.size(store)[0] == 3
    monkeypatch.setattr(kept, "ROOM", 1)
    get(store, source, defines={"LAST": 1})
    assert kept.size(store) == (0, 0)


def test_only_programs_are_cleared(source, store):
    get(store, source)
    mine = store / "mine.elf", store / ("0" * 32 + ".elf")
    for path in mine:
        path.write_bytes(b"\x7fELF and so on")
    assert kept.clear(store) > 0
    assert sorted(store.iterdir()) == sorted(mine)
    assert kept.clear(store / "nowhere") == 0


def test_the_package_says_what_it_has():
    """Names that are imported when they are asked for are those that are promised."""
    import asm

    tree = ast.parse(Path(asm.__file__).read_text())
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        for alias in node.names if (node.module or "").startswith("asm.")
    }  # fmt: skip
    assert imported == set(asm.__all__)
    for name in asm.__all__:
        assert getattr(asm, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = asm.nothing

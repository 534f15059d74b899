"""Compiled code is never stale, never damaged, and compiled by one process only.

The mechanism really runs, in child processes, on a copy of its own files with a machine of
three lines: `caller` compiles a call to `callee` in another module.
"""

import contextlib
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest

import toyisa
from toyisa.compiled import entries, jitcache, manifest

REAL = Path(toyisa.__file__).parent
COPIED = ("compiled", "files")
CALLEE = "from toyisa.compiled.njit import njit\n\n\n@njit\ndef callee(x):\n    return x + 1\n"
CALLER = """\
import sys
from pathlib import Path
from toyisa.compiled import jitcache
from toyisa.compiled.njit import entry
from toyisa.callee import callee


@entry
def caller(x):
    return callee(x) * 10


def compile_it(cold):
    if len(sys.argv) > 1:  # hold the lock until the test has seen what it waits for
        print("compiling", flush=True)
        while not Path(sys.argv[1]).exists():
            pass
    caller(1)


jitcache.warm("the toy", compile_it, 1)
print(caller(1))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the mechanism, with a small package around it."""
    folder = tmp_path / "src" / "toyisa"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for name in COPIED:
        shutil.copytree(REAL / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "callee.py").write_text(CALLEE)
    (folder / "caller.py").write_text(CALLER)
    return folder


def environment(package, cache):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "TOYVMM_"))}
    return env | {
        "PYTHONPATH": str(package.parent),
        "TOYVMM_CACHE_DIR": str(cache),
        "TMPDIR": str(package.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def start(package, cache, *arguments, code="import toyisa.caller"):
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *arguments],
        env=environment(package, cache),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(package, cache):
    """Run the package; its standard output and error, which must be a success."""
    child = start(package, cache)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    return out, err


def test_second_run_is_silent_and_leaves_the_cache_alone(package, tmp_path):
    out, err = run(package, tmp_path / "cache")
    assert out == "20\n"
    assert "compiling the toy (once) ..." in err
    assert "compiled the toy in" in err
    (directory,) = (p for p in (tmp_path / "cache" / "jit").iterdir() if p.is_dir())
    before = manifest.listing(directory)
    assert {Path(name).suffix for name in before} == {".o"}
    assert run(package, tmp_path / "cache") == ("20\n", "")
    assert manifest.listing(directory) == before


def test_numba_is_imported_only_for_what_the_front_end_leaves(package, tmp_path):
    """To import it is most of a start."""
    seen = "import sys; print('numba' in sys.modules)"
    with (package / "caller.py").open("a") as file:
        file.write(f"{seen}\nif len(sys.argv) > 1:\n    print(caller(1.5))\n    {seen}\n")
    assert run(package, tmp_path / "cache")[0] == "20\nFalse\n"
    assert run(package, tmp_path / "cache") == ("20\nFalse\n", "")
    child = start(package, tmp_path / "cache", str(tmp_path))
    assert child.communicate(timeout=120) == ("compiling\n20\nFalse\n25.0\nTrue\n", "")


MADE = """
from toyisa.compiled import entries
import toyisa.caller
print([unit.split("-")[0] for unit in entries.compiled])
"""


def made(package, cache):
    """What the package prints, and the units that it had to compile."""
    child = start(package, cache, code=MADE)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    return out.split("\n", 1)[0], out.splitlines()[-1]


def test_only_what_a_unit_is_made_of_compiles_it_again(package, tmp_path):
    """Not a comment, nor another module: what its functions do, and constants that they use."""
    cache, callee = tmp_path / "cache", package / "callee.py"
    mine = "['toyisa.caller.caller']"
    assert made(package, cache) == ("20", mine)
    (package / "crash.py").write_text("# another module\n")
    assert made(package, cache) == ("20", "[]")
    callee.write_text(CALLEE.replace("    return", "    # why\n    return"))
    assert made(package, cache) == ("20", "[]")
    callee.write_text(CALLEE.replace("\n\n\n", "\n\nONE = 1\n\n", 1).replace("x + 1", "x + ONE"))
    assert made(package, cache) == ("20", "[]")
    callee.write_text(callee.read_text().replace("ONE = 1", "ONE = 2"))
    assert made(package, cache) == ("30", mine)


def test_code_of_another_version_is_taken_only_as_its_manifest_has_it(package, tmp_path):
    cache = tmp_path / "cache"
    made(package, cache)
    for damage in (truncate, flip):
        for path in cache.rglob("toyisa.caller.caller*.o"):
            damage(path)
        (package / "crash.py").write_text(f"# {damage}\n")
        assert made(package, cache) == ("20", "['toyisa.caller.caller']"), damage
    for path in cache.rglob("toyisa.caller.caller*.o"):
        path.parent.chmod(0o755)
    (package / "crash.py").write_text("# again\n")
    assert made(package, cache) == ("20", "['toyisa.caller.caller']")


def test_editing_a_callee_gives_fresh_code(package, tmp_path):
    """Even when size and time of the file stay the same."""
    run(package, tmp_path / "cache")
    callee = package / "callee.py"
    was = callee.stat()
    callee.write_text(CALLEE.replace("x + 1", "x + 2"))
    os.utime(callee, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert run(package, tmp_path / "cache")[0] == "30\n"


def test_two_cold_processes_compile_once(package, tmp_path):
    go = tmp_path / "go"
    first = start(package, tmp_path / "cache", str(go))
    assert first.stdout.readline() == "compiling\n"
    second = start(package, tmp_path / "cache")
    assert "waiting for another process" in second.stderr.readline()
    go.touch()
    results = [child.communicate(timeout=120) for child in (first, second)]
    assert [out for out, _ in results] == ["20\n", "20\n"]
    assert "compiled the toy" in results[0][1]
    assert results[1][1] == ""


@contextlib.contextmanager
def held(cache):
    """The lock, held by another process."""
    with (cache / "jit" / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def unlisted(cache):
    """Leave a file that no manifest lists, for which the next process needs the lock."""
    (directory,) = (p for p in (cache / "jit").iterdir() if p.is_dir())
    (directory / "stray.nbc").touch()


def test_a_short_wait_is_not_told(package, tmp_path):
    run(package, tmp_path / "cache")
    unlisted(tmp_path / "cache")
    with held(tmp_path / "cache"):
        child = start(package, tmp_path / "cache",
                      code="import time, fcntl; flock = fcntl.flock; looks = []\n"
                           "def counted(*how): looks.append(how); flock(*how)\n"
                           "def slept(_): print('waits', flush=True); input()\n"
                           "fcntl.flock, time.sleep = counted, slept\n"
                           "import toyisa.caller; print(len(looks))")  # fmt: skip
        killed = threading.Timer(60, child.kill)  # who tells at once then waits for us
        killed.start()
        assert child.stdout.readline() == "waits\n"
        killed.cancel()
    assert child.communicate("\n", timeout=120) == ("20\n2\n", "")


def test_nobody_waits_to_exit(package, tmp_path):
    code = "from toyisa.caller import caller; input('begun\\n'); caller(1.5)"
    child = start(package, tmp_path / "cache", code=code)
    lines = [child.stdout.readline() for _ in range(2)]
    assert lines == ["20\n", "begun\n"]
    with held(tmp_path / "cache"):
        out, err = child.communicate("\n", timeout=120)
    assert child.returncode == 0
    assert (out, "waiting" in err) == ("", False)


def test_a_file_under_two_names_is_kept_for_each(package, tmp_path):
    """The code names its module, and another program may have another name for it."""
    (tmp_path / "mine.py").write_text(CALLER)
    (tmp_path / "other.py").write_text(
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('another', sys.path[-1] + '/mine.py')\n"
        "sys.modules['another'] = module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
    )
    for module in ("mine", "other", "mine"):
        code = f"import sys; sys.path.append({str(tmp_path)!r}); import {module}"
        out, err = start(package, tmp_path / "cache", code=code).communicate(timeout=120)
        assert (out, "cannot load" in err) == ("20\n", False), err


def fallback(package):
    """Where code is kept if its usual place cannot be used: `environment` sets TMPDIR."""
    return package.parent / f"toyvmm-{os.geteuid()}"


def test_where_nothing_can_be_kept_a_private_folder_serves_and_is_warm(package, tmp_path):
    (tmp_path / "file").touch()
    out, err = run(package, tmp_path / "file" / "cache")
    assert out == "20\n"
    assert "cannot keep compiled code in" in err
    assert "(Not a directory): it goes to" in err
    assert "set TOYVMM_CACHE_DIR" in err
    assert stat.S_IMODE(fallback(package).stat().st_mode) == 0o700
    assert run(package, tmp_path / "file" / "cache") == ("20\n", "")


def test_a_folder_that_is_no_private_one_is_not_used(package, tmp_path):
    """The name can be guessed: in a shared folder anybody may have made it."""
    (tmp_path / "file").touch()
    fallback(package).mkdir()
    fallback(package).chmod(0o777)
    out, err = run(package, tmp_path / "file" / "cache")
    assert out == "20\n"
    assert "it serves this run only" in err
    assert list(fallback(package).iterdir()) == []
    assert not list(package.parent.glob("toyvmm-[!0-9]*")), "the temporary directory stays behind"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_survived(package, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o500)
    out, err = run(package, cache)
    assert out == "20\n"
    assert "(Permission denied)" in err


def test_a_directory_that_others_can_write_is_refused(package, tmp_path):
    """Whoever can write a pickle there can run programs as us."""
    run(package, tmp_path / "cache")
    before = sorted((tmp_path / "cache").rglob("*"))
    (tmp_path / "cache" / "jit").chmod(0o775)
    out, err = run(package, tmp_path / "cache")
    assert out == "20\n"
    assert "can be written by others" in err
    assert "compiling the toy" in err, "the code there is used all the same"
    assert sorted((tmp_path / "cache").rglob("*")) == before
    assert "can be written by others" in run(package, tmp_path / "cache")[1], "told once only"


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def test_damaged_entries_are_compiled_again(package, tmp_path):
    run(package, tmp_path / "cache")
    for damage in (truncate, flip, Path.unlink):
        (path,) = (tmp_path / "cache").rglob("toyisa.caller.caller*.o")
        damage(path)
        out, err = run(package, tmp_path / "cache")
        assert out == "20\n", damage
        assert "compiling the toy" in err, damage
    assert run(package, tmp_path / "cache") == ("20\n", "")


def test_damage_that_the_manifest_vouches_for_is_survived(package, tmp_path):
    run(package, tmp_path / "cache")
    for path in (tmp_path / "cache").rglob("toyisa.caller.caller*.o"):
        truncate(path)
    (path,) = (tmp_path / "cache").rglob(manifest.NAME)
    manifest.write(path.parent, ["the toy"])
    out, err = run(package, tmp_path / "cache")
    assert out == "20\n"
    assert "cannot load the toy" in err
    assert run(package, tmp_path / "cache") == ("20\n", "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"units": 1, "files": {}}'])
def test_a_damaged_manifest_vouches_for_nothing(tmp_path, text):
    (tmp_path / "code.nbc").write_bytes(b"code")
    (tmp_path / manifest.NAME).write_text(text)
    assert not manifest.holds(tmp_path)
    manifest.enforce(tmp_path)
    assert manifest.holds(tmp_path)
    assert manifest.listing(tmp_path) == {}


def test_an_unlisted_file_goes_but_breaks_no_unit(tmp_path):
    (tmp_path / "code.nbc").write_bytes(b"code")
    manifest.write(tmp_path, ["unit"])
    (tmp_path / "stray.nbc").write_bytes(b"stray")
    manifest.enforce(tmp_path)
    assert list(manifest.listing(tmp_path)) == ["code.nbc"]
    assert manifest.read(tmp_path)["units"] == ["unit"]


def version(cache, number):
    """The code of an older version, as it is kept."""
    folder = cache / "jit" / f"{number:016x}" / "toyisa_0"
    folder.mkdir(parents=True)
    (folder / "code.nbc").write_bytes(b"code")
    manifest.write(folder.parent, ["a unit"])
    os.utime(folder.parent, (1000 - number, 1000 - number))
    return folder.parent


def test_only_code_that_a_manifest_vouches_for_is_pruned(package, tmp_path):
    """`TOYVMM_CACHE_DIR` may be a folder with other things in it, such as HOME."""
    cache = tmp_path / "cache"
    versions = [version(cache, n) for n in range(7)]
    mine = [cache / "mine" / "a", cache / "jit" / "mine" / "a", cache / "jit" / "a",
            cache / "jit" / ("f" * 16) / "a.nbc",  # no manifest
            versions[4] / "a", versions[5] / "toyisa_0" / "a.nbc"]  # not listed
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (versions[6] / "toyisa_0" / "code.nbc").write_text("changed since")
    for path in (cache / "jit").iterdir():
        if path.is_dir():
            os.utime(path, (100, 100))
    for n, path in enumerate(versions):
        os.utime(path, (1000 - n, 1000 - n))
    run(package, cache)
    assert all(path.read_text() == "mine" for path in mine)
    assert (versions[6] / "toyisa_0" / "code.nbc").exists()
    assert [(path / "toyisa_0" / "code.nbc").exists() for path in versions[:6]] == [
        True] * (jitcache.KEPT - 1) + [False] * 3  # fmt: skip
    assert not versions[3].exists()


@pytest.mark.parametrize("name", ["../other.nbc", "link/other.nbc", "/other.nbc", "mine.txt"])
def test_a_manifest_vouches_for_nothing_elsewhere(tmp_path, name):
    folder = tmp_path / ("0" * 16)
    folder.mkdir()
    outside = tmp_path / "other.nbc"
    for path in (outside, folder / "mine.txt"):
        path.write_text("mine")
    (folder / "link").symlink_to(tmp_path)
    name = str(outside) if name == "/other.nbc" else name
    (folder / manifest.NAME).write_text(
        json.dumps({"units": [], "files": {name: manifest.fingerprint(outside)}}))
    assert manifest.remove(folder) == 0
    assert outside.exists()
    assert (folder / "mine.txt").exists()


def test_settings_that_change_code_change_the_key(monkeypatch):
    monkeypatch.setattr(jitcache, "sources", list)
    before = jitcache.key()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    assert jitcache.key() == before
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert jitcache.key() != before


@pytest.mark.parametrize("package", ["numba", "llvmlite", "numpy"])
def test_another_version_changes_the_key(package):
    """Each file that is read says the version that is installed."""
    assert metadata.version(package).encode() in jitcache._version(package)


def test_what_no_compiled_code_depends_on_is_no_source():
    found = {path.relative_to(REAL.parent).as_posix() for path in jitcache.sources()}
    assert {"toyisa/tables/cost.toml", "toyisa/core/execute.py", "vmm/exit/loop.py"} <= found
    assert not {name for name in found if name.startswith(("vmm/cli/", "vmm/fuzz/", "asm/"))}
    assert {path.suffix for path in jitcache.sources()} == {".py", ".toml"}


def test_a_terminal_shows_how_far_it_is(tmp_path, monkeypatch):
    """Finished files are counted, whichever process writes them."""
    shown = threading.Semaphore(0)
    lines = []
    monkeypatch.setattr(jitcache, "_directory", tmp_path)
    monkeypatch.setattr(jitcache.progress, "live", lambda: True)
    monkeypatch.setattr(jitcache.progress, "PERIOD", 0.001)
    monkeypatch.setattr(
        jitcache.progress, "show", lambda line: lines.append(line) or shown.release()
    )
    monkeypatch.setattr(jitcache, "say", lines.append)

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "of another unit.nbc").touch()

    def compile_it(_cold):
        for n in range(3):
            (tmp_path / "folder" / f"{n}.nbc").touch()
            while shown.acquire(blocking=False):
                pass
            for _ in range(2):
                shown.acquire()  # the second look began after the file was there

    jitcache.warm("the toy", compile_it, 3)
    far = dict.fromkeys(line.split(": ")[1].split(",")[0] for line in lines[:-1])
    assert list(far)[-3:] == ["1 of 3 parts", "2 of 3 parts", "3 of 3 parts"]
    assert lines[-1].startswith("compiled the toy in ")


def test_every_compiled_function_goes_through_the_one_door():
    """A function cached before `enable` would be kept beside its source, and become stale."""
    strays = [
        path.name
        for path in jitcache.sources()
        if path.name != "numbajit.py"
        and any(
            word in path.read_text(encoding="utf-8")
            for word in ("from numba import njit", "numba.njit", "numba.jit", "cache=True")
        )
    ]
    assert strays == []


def test_a_machine_that_is_made_compiles_no_more():
    """What is not compiled under the lock would be compiled by each process, unsaid."""
    import guests
    from asm.assembler import assemble
    from toyisa.machine import Exit, Machine

    source = guests.catalogue()["hello"].source
    elf = assemble(source, include_dirs=guests.include_dirs(source)).elf()
    Machine()
    before = list(entries.compiled)
    machine = Machine(mem=1 << 20, cost="modern", clock="icount")
    machine.load(elf)
    assert machine.run(1_000_000) is Exit.HALTED
    assert machine.output()
    assert sum(machine.cycles_by_class().values()) == machine.cycles
    machine.poke(0x8000_0000, b"code")
    machine.feed(b"input")
    machine.traps_by_cause()
    machine.digest()
    assert entries.compiled == before

"""Who compiles: what the variables choose, and that every choice computes the same."""

import os
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

from tests.compilers import needs_front_end
from toyisa.compiled import choice, entries, jitcache, native
from toyisa.compiled.front.kinds import I64, kind_of
from toyisa.compiled.front.program import Program
from vmm.cli import main
from vmm.cli.status import Status

NUMBAS = ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK")


@pytest.fixture
def chosen(monkeypatch):
    """Set variables, where no other choice is made; return who compiles."""

    def choose(**variables):
        for name in (*NUMBAS, choice.VARIABLE, choice.CALLS):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return choice.compiler()

    return choose


def test_the_variables_choose(chosen):
    assert chosen() == chosen(TOYVMM_COMPILER="native") == chosen(TOYVMM_COMPILER="") == "front"
    assert chosen(TOYVMM_COMPILER="numba") == chosen(NUMBA_BOUNDSCHECK="1") == "numba"
    assert chosen(TOYVMM_COMPILER="native", NUMBA_BOUNDSCHECK="1") == "numba"
    assert chosen(TOYVMM_COMPILER="numba", NUMBA_DISABLE_JIT="1") == "plain"


def test_each_choice_has_code_of_its_own(chosen, monkeypatch):
    monkeypatch.setattr(jitcache, "sources", list)
    keys = set()
    for variables in ({}, {"TOYVMM_COMPILER": "numba"}, {"TOYVMM_CALLS": "portable"}):
        chosen(**variables)
        keys.add(jitcache.key())
    assert len(keys) == 3
    chosen(TOYVMM_COMPILER="native", TOYVMM_CALLS="fast")
    assert jitcache.key() in keys


@pytest.mark.parametrize("variable", [choice.VARIABLE, choice.CALLS])
def test_an_unknown_value_is_refused(variable):
    environment = {**os.environ, variable: "gcc"}
    done = subprocess.run([sys.executable, "-m", "vmm", "run", "hello"], env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (Status.USAGE, "")
    assert done.stderr.startswith(f"toyvmm: {variable}: 'gcc' is not known; set it to ")


def doubled(a):
    return a + a


@pytest.mark.parametrize("error", [RuntimeError("LLVM IR parsing error\nline 1"), TypeError("no")])
def test_llvmlite_that_fails_is_named_with_the_way_out(error, monkeypatch, capfd):
    """No traceback: a line with the unit, the version, the reason and what to set."""

    def fails(_text):
        raise error

    monkeypatch.setattr(native, "emit", fails)
    monkeypatch.setattr(entries.objects, "adopt", lambda _name: None)
    monkeypatch.setattr(entries.objects, "find", lambda _unit: None)
    with pytest.raises(choice.NoCompiler, match=r"test_choice.doubled: llvmlite \d.*=numba"):
        entries.entry(doubled)(3)
    from vmm.cli import examples

    monkeypatch.setattr(examples.examples, "callback", lambda **_: entries.entry(doubled)(3))
    assert main.invoke(["examples"]) == Status.USAGE
    assert choice.VARIABLE in capfd.readouterr().err


@needs_front_end
@pytest.mark.parametrize("calling", ["preserve_nonecc", "fastcc"])
@pytest.mark.parametrize("triple", ["aarch64-linux-gnu", "x86_64-linux-gnu"])
def test_the_interpreter_can_be_compiled_for_other_hosts(triple, calling, monkeypatch):
    from toyisa.core import emit, execute, state, threaded
    from toyisa.core.memory import new_memory

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"this llvmlite was built without the target {triple}")
    monkeypatch.setattr(emit, "CALLING", calling)
    monkeypatch.setattr(threaded, "CALLING", calling)
    program = Program()
    records = state.new_hart(), new_memory(4096).record
    program.unit(execute.execute.py_func, (*map(kind_of, records), I64, I64, I64))
    module = llvm.parse_assembly(program.named("unit"))
    module.verify()
    module.triple = triple
    text = target.create_target_machine(opt=1).emit_assembly(module)
    assert ("\tbr\t" if triple.startswith("aarch64") else "\tjmpq\t*") in text


def outcome(tmp_path, *command, **variables):
    """What a command prints and how it ends, with these variables and a cache of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "TOYVMM_"))}
    environment |= variables | {"TOYVMM_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "vmm", *command], env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    return done.returncode, done.stdout, "error" in done.stderr


COMMANDS = [("run", "hello"), ("stat", "nano/in", "--json"), ("boot", "hello", "--engine", "bt")]


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"TOYVMM_COMPILER": "numba"}, {"TOYVMM_CALLS": "portable"}])
def test_guests_run_alike_whoever_compiles(variables, tmp_path):
    for command in COMMANDS:
        usual = outcome(tmp_path, *command)
        assert usual[0] == 0
        assert outcome(tmp_path, *command, **variables) == usual


@pytest.mark.slow
def test_laws_hold_in_code_of_numbas():
    environment = {**os.environ, "TOYVMM_COMPILER": "numba"}
    tests = ["tests/laws/test_virtual_traps.py", "tests/laws/test_random_kernels.py"]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "0", *tests],
                          env=environment, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout.decode()[-3000:]

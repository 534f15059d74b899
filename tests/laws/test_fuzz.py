"""Campaigns find faults, shrink them and keep them; and what they kept holds now."""

import signal
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import Phase, given, settings

from toyisa.core.coverage import BY_S, TO_ROOT, attach, new_map, traps
from toyisa.core.memory import RAM_BASE, UART
from toyisa.devices.bus import Bus
from toyisa.look import inspect
from toyisa.machine import Machine
from toyisa.tables.exits import Reason
from toyisa.tables.insns import BY_NAME as INSNS
from toyisa.testing.model import alu
from vmm.abi.hypercalls import CALLS_END, FIRST, ROWS, Row
from vmm.fuzz import hunt as fuzz
from vmm.fuzz.apart import checks
from vmm.fuzz.campaign import Campaign, Plan
from vmm.fuzz.case import BadCase, Case, Violation
from vmm.fuzz.corpus import Failure, load, replay, violated
from vmm.fuzz.hunt import Stop, hunt
from vmm.fuzz.lawguests import NATIVE, hostile, machine, run
from vmm.fuzz.laws import LAWS
from vmm.fuzz.pvguests import patched_kernels
from vmm.fuzz.pvoperands import arguments
from vmm.fuzz.seen import Seen, never
from vmm.hosting.domain import Domain
from vmm.machine import VirtualMachine

BASE_PPN = RAM_BASE >> 12
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_was_found_once_holds(path, request):
    """A file whose `known` gives a reason is not fixed yet."""
    failure = load(path)
    if failure.known:
        request.applymarker(pytest.mark.xfail(reason=failure.known, strict=True, raises=Violation))
    replay(failure)


def hunted(law, engine=NATIVE, chunk=0, before=lambda case: None):
    seen = Seen()
    failure, whole = hunt(LAWS[law], engine, 0, chunk, seen, before)
    return failure, whole, seen


A_FEW = [(name, NATIVE if law.native else "trap") for name, law in LAWS.items()
         if name != "equivalence"]  # fmt: skip
PATCHED = [(name, "pv") for name, law in LAWS.items() if law.patched]


@pytest.mark.parametrize(("law", "engine"), [*A_FEW, *PATCHED])
def test_a_few_cases_of_each_law_hold(law, engine):
    count = 0

    def before(_case):
        nonlocal count
        count += 1
        if count > 15:
            raise Stop

    failure, whole, _ = hunted(law, engine, 0, before)
    assert failure is None
    assert not whole
    assert count == 16


@pytest.fixture
def wrong_after_illegal(monkeypatch):
    """A monitor whose guest ends in another state if it has executed an illegal instruction."""
    right = VirtualMachine.guest_digest

    def wrong(self):
        return "wrong" if "illegal" in self.traps_by_cause() else right(self)

    monkeypatch.setattr(VirtualMachine, "guest_digest", wrong)


@pytest.mark.compiled
def test_a_fault_is_found_and_shrunk_and_written(wrong_after_illegal, monkeypatch, tmp_path):
    found = (hunted("equivalence", "trap", chunk) for chunk in range(10))
    failure, whole, seen = next(answer for answer in found if answer[0])
    assert whole
    assert failure.actual == {"guest_digest": "wrong"}
    lines = failure.case.listing.splitlines()
    # The beginning of every body, and one act.
    assert lines.index("finish:") - lines.index("body:") - 1 <= 12 + 8
    assert any(line.endswith("illegal") for line in seen.names()["traps_to_s"])
    back = load(failure.save(tmp_path))
    assert back == failure
    assert violated(back) is not None
    monkeypatch.undo()
    assert violated(back) is None


def test_the_same_chunk_draws_the_same_cases_and_another_one_others():
    def drawn(chunk):
        cases = []
        hunted("roundtrip", chunk=chunk, before=lambda case: cases.append(case.image))
        return cases

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_laws_can_fail(monkeypatch):
    """Each law fails by a fault in what it checks, and only then."""
    quick = settings(fuzz.SETTINGS, max_examples=20, phases=[Phase.generate])
    monkeypatch.setattr(fuzz, "SETTINGS", quick)

    def fails(law, engine):
        failure, _, _ = hunted(law, engine)
        return failure is not None

    counts = iter(range(10**6))
    with monkeypatch.context() as patch:
        patch.setattr(Machine, "cycles", property(lambda self: next(counts)))
        assert fails("determinism", NATIVE)
        assert fails("conservation", NATIVE)
        assert fails("slices", NATIVE)
        assert fails("determinism", "pv")
        assert fails("conservation", "pv")
    with monkeypatch.context() as patch:  # a guest that sleeps on a host sleeps for too long
        longer = Domain.sleep_on
        patch.setattr(Domain, "sleep_on", lambda self, cycles: longer(self, cycles + 1))
        assert fails("company", "trap")
    with monkeypatch.context() as patch:
        patch.setitem(alu.COMPUTE, "xor", alu.COMPUTE["or"])
        failure, _, _ = hunted("semantics")
        assert "xor" in failure.where.splitlines()[1]
        assert "model: " in failure.where
    with monkeypatch.context() as patch:
        patch.setattr("vmm.fuzz.laws.MOST", 100)
        assert fails("looks", NATIVE)
        assert fails("looks", "pv")
    slice_ = Machine.slice

    def shown(self):
        reason = slice_(self)
        self.hart.clock.idle += reason == Reason.LOOK
        return reason

    with monkeypatch.context() as patch:
        patch.setattr(Machine, "slice", shown)
        assert fails("looks", NATIVE)
    right = VirtualMachine.run

    def spills(self, budget=None):
        end = right(self, budget)
        self.host.ram[-1] ^= 1  # the frame behind the guest's
        return end

    def looks(self, budget=None):
        self.hart.x[5] = self.hart.x[9] = self.host.ram[-1]
        return right(self, budget)

    for broken in (spills, looks):
        with monkeypatch.context() as patch:
            patch.setattr(VirtualMachine, "run", broken)
            assert fails("containment", "trap")
            assert fails("containment", "pv")
            assert fails("edges", "trap")
            assert fails("edges", "pv")
    with monkeypatch.context() as patch:  # as gdb is answered beyond RAM
        patch.setattr(inspect, "read_physical", lambda *_: 1 // 0)
        assert fails("edges", NATIVE)


def test_laws_look_at_the_tables_that_a_patched_guest_runs_on(monkeypatch):
    """A wrong entry, a wrong count, a stray translation: each is found in a machine that has
    run.
    """
    cases = []

    def first(case):
        cases.append(case)
        if len(cases) == 20:
            raise Stop

    hunted("containment", "pv", before=first)
    case, right = cases[-1], VirtualMachine.run

    def wrong(law, spoil):
        """What the law says of the case, if `spoil` is done to the machine after the run."""

        def run(self, budget=None):
            end = right(self, budget)
            spoil(self, self.host.ram.view("<u4").reshape(-1, 1024))
            return end

        with monkeypatch.context() as patch:
            patch.setattr(VirtualMachine, "run", run)
            try:
                LAWS[law].check(case, Seen())
            except Violation as violation:
                return str(violation)
        return ""

    def root(machine):
        return (int(machine.host.hart.csr.satp) & 0x3FFFFF) - BASE_PPN

    def leads_astray(machine, words):
        words[root(machine), 5] = BASE_PPN << 10 | 1  # the monitor's first frame

    def shows_the_window(machine, words):
        words[int(machine.vm.direct.region), -1] |= 0x10  # to U

    def remembers(machine, words):
        machine.host.hart.tlb.dkey[0], machine.host.hart.tlb.dpte[0] = 7, BASE_PPN << 10 | 3

    def changes_a_map(machine, words):
        words[int(machine.vm.own), 3] ^= 1 << 10

    def miscounts(machine, words):
        machine.host.frames["uses"][int(machine.vm.direct.root)] += 1

    def nothing(machine, words):
        pass

    assert not wrong("containment", nothing)
    assert not wrong("conservation", nothing)
    assert "foreign table" in wrong("containment", leads_astray)
    assert "root[1023]" in wrong("containment", shows_the_window)
    assert "TLB" in wrong("containment", remembers)
    assert "maps" in wrong("containment", changes_a_map)
    assert "kind, uses" in wrong("containment", miscounts)
    assert "kind, uses" in wrong("conservation", miscounts)


CHECKED = """
import sys
from vmm.fuzz import guarded
from vmm.fuzz.hunt import hunt
from vmm.fuzz.laws import LAWS
from vmm.fuzz.seen import Seen

guarded.install()
for chunk in range(3):
    failure, _ = hunt(LAWS["edges"], sys.argv[1], 0, chunk, Seen(), lambda case: None)
    if failure:
        sys.exit(f"{failure.case.listing}\\n{failure.expected}\\n{failure.actual}\\n{failure.where}")
"""


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("engine", [NATIVE, "trap", "bt", "pv"])
def test_edges_hold_with_bounds_checks(engine):
    """In a process of its own, as in a campaign."""
    with checks(True):
        done = subprocess.run([sys.executable, "-c", CHECKED, engine], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


GUARDED = """
import ctypes, sys
from toyisa.core.memory import PAGE, new_memory
from vmm.fuzz import guarded

guarded.install()
mem, ram, _ = new_memory(3 * PAGE)
ram[:] = 1
at = {"before": -1, "first": 0, "last": ram.size - 1, "behind": ram.size}[sys.argv[1]]
print(ctypes.c_uint8.from_address(int(mem.ram) + at).value)
"""


@pytest.mark.parametrize(("place", "code"), [
    ("before", -signal.SIGSEGV), ("first", 0), ("last", 0), ("behind", -signal.SIGSEGV),
])  # fmt: skip
def test_ram_lies_between_guards(place, code):
    done = subprocess.run([sys.executable, "-c", GUARDED, place], capture_output=True)
    assert done.returncode == code


def test_patched_guests_make_every_hypercall():
    """Those in the table, and one that is not in it."""
    words = set()

    @settings(fuzz.SETTINGS, max_examples=300, phases=[Phase.generate], derandomize=True)
    @given(patched_kernels(), arguments(Row(CALLS_END, "new", "gva, thing", "-", True, "")))
    def draw(kernel, operands):
        words.update(word for (word,) in struct.iter_unpack("<I", kernel[0][: len(kernel[0]) & ~3]))
        assert len(operands) == 3

    draw()
    makes = {row.name: INSNS["addi"].encode(17, 17, (FIRST + row.number) & 0xFFF) for row in ROWS}
    missing = [name for name, word in makes.items() if word not in words]
    assert missing == []


@pytest.mark.compiled
def test_hostile_guests_reach_devices_paged_and_not(monkeypatch):
    """Devices in Python, by address; for the console it is enough that there are exits for it."""
    wanted = {(name, paged) for name in ("plic", "virtio") for paged in (False, True)}
    touched, running, seen, right = set(), [], Seen(), Bus.answer

    def answer(self):
        paged = bool(running[-1].hart.csr.satp >> 31)
        touched.add(("plic" if self.dma.memory.request.pa < UART else "virtio", paged))
        return right(self)

    monkeypatch.setattr(Bus, "answer", answer)

    def mmio():
        return any(name.startswith("mmio") for name in seen.names()["exits"])

    @settings(fuzz.SETTINGS, max_examples=2000, phases=[Phase.generate], derandomize=True)
    @given(hostile("trap"))
    def try_one(case):
        running[:] = [machine(case, seen, "cycles")]
        run(running[0], case, seen)
        if touched == wanted and mmio():
            raise Stop  # about 150 are enough

    with pytest.raises(Stop):
        try_one()


def test_a_case_that_is_none():
    with pytest.raises(BadCase):
        Case.from_json({"image": "???", "settings": {}})


def test_the_map_says_who_took_which_trap_from_where():
    """As counted: every cause that S took, and no other."""
    cases = []

    def first(case):
        cases.append(case)
        raise Stop

    hunted("determinism", "trap", before=first)
    case, seen = cases[0], Seen()
    made = machine(case, seen, "icount")
    made.run(10_000)
    taken = {cause for _, _, cause in traps(seen.traps, BY_S)}
    assert taken == made.traps_by_cause().keys() - {"ecall_s"}
    to_root = traps(seen.traps, TO_ROOT)
    assert ("csrrw", "S", "illegal") in to_root
    assert ("-", "S", "irq_timer") in traps(seen.traps, BY_S)
    seen.note(made)
    names = seen.names()
    assert "csr illegal" in names["exits"]
    assert "hypercall" in never(names, virtual=True)["exits"]
    assert "csrrw" not in never(names, virtual=True)["instructions"]


def test_a_snapshot_leaves_the_map_where_it_is(tmp_path):
    made, seen = Machine(mem=1 << 20), new_map()
    attach(seen, made.hart)
    address = int(made.hart.covers)
    made.save(tmp_path / "state")
    assert int(Machine.restore(tmp_path / "state").hart.covers) == 0
    made.load_snapshot(tmp_path / "state")
    assert int(made.hart.covers) == address


@pytest.mark.parametrize(("stopping", "given"), [(False, [1]), (True, [])])
def test_a_campaign_that_stops_gives_nothing_more(tmp_path, stopping, given):
    """A process that has already read the end would never receive it."""
    campaign = Campaign(Plan("roundtrip", NATIVE, 60, 1, tmp_path), lambda result: None)
    sent = []
    job = SimpleNamespace(pipe=SimpleNamespace(send=sent.append), task=0)
    campaign.jobs, campaign.stopping = [job], stopping
    campaign._hear(job, ("done", 0))
    assert sent == given


def test_a_name_is_the_cases():
    names = {Failure("roundtrip", NATIVE, Case(image, {}), 0, 1).name for image in (b"a", b"b")}
    assert len(names) == 2

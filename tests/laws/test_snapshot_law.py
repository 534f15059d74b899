"""The law of snapshots can fail: if a file is trusted, or if a record is not sound."""

import numpy as np
import pytest
from hypothesis import Phase, settings

from toyisa.core.memory import CODE, RAM_BASE, TOHOST
from toyisa.machine import Machine
from toyisa.snapshots import snapchecks, snapfields
from vmm.fuzz import hartcheck, hunt, snaplaw
from vmm.fuzz.case import Violation
from vmm.fuzz.lawguests import NATIVE
from vmm.fuzz.laws import LAWS
from vmm.fuzz.seen import Seen

LOOP = bytes.fromhex("130515006ff0dfff")  # addi a0,a0,1; j .-4


def hunted(monkeypatch, count):
    quick = settings(hunt.SETTINGS, max_examples=count, phases=[Phase.generate])
    monkeypatch.setattr(hunt, "SETTINGS", quick)
    failure, _ = hunt.hunt(LAWS["snapshots"], NATIVE, 1, 0, Seen(), lambda case: None)
    return failure


@pytest.mark.compiled
def test_some_files_hold(monkeypatch):
    assert hunted(monkeypatch, 20) is None


@pytest.mark.compiled
def test_a_file_that_is_believed_is_found(monkeypatch):
    monkeypatch.setattr(snapchecks, "check", lambda data, size, machine: None)
    assert hunted(monkeypatch, 40) is not None


@pytest.mark.compiled
def test_tags_that_a_file_could_bring_are_found(monkeypatch):
    """As before format 3, when tags came from the file: the guest reads what is behind RAM."""
    right = snapfields.scatter

    def wrong(data, hart, memory):
        right(data, hart, memory)
        tlb, places = hart.tlb, np.arange(int(hart.tlb.dmask) + 1)
        tlb.rtag[places] = tlb.ctx_r | RAM_BASE + 4096 * places
        tlb.frame_at[places] = memory.ram_size

    with monkeypatch.context() as patch:
        patch.setattr(snapfields, "scatter", wrong)
        assert "tags of RAM" in str(hunted(monkeypatch, 10).expected)
        patch.setattr(hartcheck, "check", lambda machine: None)
        assert "digest" in hunted(monkeypatch, 40).expected  # it depends on the fence


def running():
    made = Machine(mem=1 << 20, cost="p4")
    made.boot(RAM_BASE, 0)
    made.poke(RAM_BASE, LOOP)
    made.run(100)
    return made


def spoil(path, value, index=None):
    def act(made):
        record = made
        *parents, name = path.split(".")
        for part in parents:
            record = getattr(record, part)
        if index is None:
            record[name] = value
        else:
            record[name][index] = value

    return act


@pytest.mark.parametrize("act", [
    spoil("hart.priv", 3), spoil("hart.x", 1, 0), spoil("hart.tlb.ctx_w", 5),
    spoil("hart.tlb.dmask", 1023), spoil("hart.tlb.imask", 0), spoil("hart.tlb.frame_at", 1, 0),
    spoil("hart.tlb.rtag", 5, 1023), spoil("hart.tlb.xslot", 1 << 40, 0),
    spoil("hart.fetch.frame", 256), spoil("hart.fetch.frame", -1),
    spoil("memory.ram_size", 2 << 20), spoil("memory.ram", 0),
    spoil("host.pool.slots", 2), spoil("host.pool.n_free", 1), spoil("host.pool.owner", 300, 0),
    spoil("host.pool.slot", 0, 0), spoil("host.pool.slot", 7, 9),
    spoil("memory.frame_flags", CODE, 3), spoil("memory.frame_flags", CODE | TOHOST, 0),
    spoil("hart.stale", 1 << 20), spoil("hart.tlb.epoch", 1 << 20),
    spoil("hart.tlb.contexts.count", 200),
    spoil("memory.console.rx_tail", 5000),
    spoil("memory.console.tx_len", 1 << 17), spoil("memory.console.tohost", RAM_BASE),
    spoil("memory.plic.urgent", 2), spoil("memory.plic.enabled", 1),
    spoil("hart.clock.cycles", 5), spoil("hart.resv.addr", 4),
])  # fmt: skip
def test_a_record_that_is_not_sound_is_seen(act):
    made = running()
    made.hart.tlb.rtag[0] = made.hart.tlb.xtag[0] = 0  # in use
    made.cycles_by_class()  # so that counts are folded
    hartcheck.check(made)
    act(made)
    with pytest.raises(Violation):
        hartcheck.check(made)


def test_a_store_outside_ram_is_seen():
    made = running()
    whole = snaplaw.fence(made, 0xA5)
    assert made.run(100).name == "BUDGET"
    assert made.hart.x[10] == 100
    for at in (snaplaw.FENCE - 1, snaplaw.FENCE + made.ram.size):
        assert whole[at] == 0xA5
    assert np.shares_memory(whole, made.ram)

"""What each instruction does to a hart, by mnemonic.

Must not know how traps are taken (`trap.py`) nor how addresses translate
(`mmu.py`).  Raises `Trap` before it has changed anything.
"""

from toyisa.tables.causes import Exc
from toyisa.tables.insns import Cost, Insn
from toyisa.tables.levels import Level, Profile, STraps
from toyisa.testing.model import alu, csr
from toyisa.testing.model.mmu import Access, translate
from toyisa.testing.model.state import Effects, State
from toyisa.testing.model.trap import Trap, leave

M32 = 0xFFFFFFFF
SIZES = {"b": 1, "h": 2, "w": 4}


def run(hart: State, row: Insn, fx: Effects) -> int:
    """Execute `row`, whose word is `fx.insn`; the next pc."""
    f = {field.name: field.extract(fx.insn) for field in row.fields}
    return _BY_CLASS.get(row.cost, _system)(hart, row.name, f, fx)


def _target(pc: int) -> int:
    pc &= M32
    # "An instruction-address-misaligned exception is generated on a taken branch or
    # unconditional jump if the target address is not IALIGN-bit aligned", and is
    # "reported on the branch or jump instruction, not on the target".
    if pc & 3:
        raise Trap(Exc.INSN_MISALIGNED, pc)
    return pc


def _alu(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    x = hart.x
    if name == "lui":
        value = f["imm20"] << 12
    elif name == "auipc":
        value = hart.pc + (f["imm20"] << 12)
    else:
        second = x[f["rs2"]] if "rs2" in f else f.get("imm12", f.get("shamt", 0)) & M32
        value = alu.COMPUTE[name](x[f["rs1"]], second)
    hart.store_reg(f["rd"], value, fx)
    return hart.pc + 4


def _jump(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    if name == "jal":
        target = _target(hart.pc + f["jump"])
    else:
        target = _target((hart.x[f["rs1"]] + f["imm12"]) & ~1)
    hart.store_reg(f["rd"], hart.pc + 4, fx)
    return target


def _branch(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    if alu.TAKEN[name](hart.x[f["rs1"]], hart.x[f["rs2"]]):
        return _target(hart.pc + f["branch"])
    return hart.pc + 4


def _data(hart: State, va: int, size: int, access: Access, base: int, *, ram: bool = False) -> int:
    """The physical address of a data access; with `ram` it must not be a device."""
    store = access is Access.STORE
    beyond = va < hart.s_base or (hart.s_limit and va >= hart.s_limit)
    passes = base == 0 and not ram  # a plain load or store by x0, as root's own code makes them
    if hart.priv == Level.S and hart.s_traps and beyond and not passes:
        raise Trap(access.value[1], va, root=True)
    if va % size:
        raise Trap(Exc.STORE_MISALIGNED if store else Exc.LOAD_MISALIGNED, va)
    pa = translate(hart, va, access)
    if not (hart.bus.is_ram(pa, size) if ram else hart.bus.exists(pa, size)):
        raise Trap(access.value[1], va)
    return pa


def _load(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    size = SIZES[name[1]]
    va = (hart.x[f["rs1"]] + f["imm12"]) & M32
    value = hart.bus.load(_data(hart, va, size, Access.LOAD, f["rs1"]), size)
    fx.load = (va, value, size)
    if not name.endswith("u") and value >> (8 * size - 1):
        value -= 1 << 8 * size
    hart.store_reg(f["rd"], value, fx)
    return hart.pc + 4


def _store(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    size = SIZES[name[1]]
    va = (hart.x[f["rs1"]] + f["simm12"]) & M32
    value = hart.x[f["rs2"]] & ((1 << 8 * size) - 1)
    hart.bus.store(_data(hart, va, size, Access.STORE, f["rs1"]), size, value)
    fx.store = (va, value, size)
    return hart.pc + 4


def _atomic(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    va = hart.x[f["rs1"]]
    access = Access.LOAD if name == "lr.w" else Access.STORE
    pa = _data(hart, va, 4, access, f["rs1"], ram=True)
    if name == "lr.w":
        value = hart.bus.load(pa, 4)
        hart.bus.reserved = pa
        fx.load = (va, value, 4)
    elif name == "sc.w":
        value = int(hart.bus.reserved != pa)
        # "executing an SC.W instruction invalidates any reservation held by this hart"
        hart.bus.reserved = None
        if not value:
            hart.bus.store(pa, 4, hart.x[f["rs2"]])
            fx.store = (va, hart.x[f["rs2"]], 4)
    else:
        value = hart.bus.load(pa, 4)
        new = alu.AMO[name](value, hart.x[f["rs2"]])
        hart.bus.store(pa, 4, new)
        fx.load, fx.store = (va, value, 4), (va, new, 4)
    hart.store_reg(f["rd"], value, fx)
    return hart.pc + 4


def _csr(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    kind = name[4]  # w, s or c
    operand = f["zimm"] if name.endswith("i") else hart.x[f["rs1"]]
    field = f.get("zimm", f.get("rs1"))
    read, write = kind != "w" or f["rd"] != 0, kind == "w" or field != 0
    row, holed = csr.access(hart, f["csr"], fx.insn, read=read, write=write)
    old = csr.load(hart, row)
    if write and not holed:
        # A read-modify-write of sip works on the stored value, without the timer's line.
        new = {"w": operand, "s": old | operand, "c": old & ~operand}[kind]
        csr.store(hart, row, new)
    if read:
        hart.store_reg(f["rd"], old, fx)
    return hart.pc + 4


def _fence(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    return hart.pc + 4  # there is one hart, in order, without caches, so every fence holds already


_NEEDS = {"sret": STraps.SRET, "wfi": STraps.WFI, "sfence.vma": STraps.SATP}


def _system(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    if name == "ecall":
        raise Trap(Exc.ECALL_S if hart.priv == Level.S else Exc.ECALL_U, 0)
    if name == "ebreak":
        raise Trap(Exc.BREAKPOINT, hart.pc)
    if name.startswith("probe."):
        return _probe(hart, name, f, fx)
    if hart.priv < Level.S:
        raise Trap(Exc.ILLEGAL, fx.insn)
    if hart.s_traps & _NEEDS[name]:
        raise Trap(Exc.ILLEGAL, fx.insn, root=True)
    if name == "sret":
        return leave(hart)
    if name == "wfi" and not hart.wake():
        fx.idle = True
        return hart.pc
    return hart.pc + 4  # sfence.vma: nothing is cached


def _probe(hart: State, name: str, f: dict[str, int], fx: Effects) -> int:
    if hart.priv == Level.U and hart.profile != Profile.LEAKY_USER:
        raise Trap(Exc.ILLEGAL, fx.insn)
    deprivileged = hart.priv == Level.S and hart.s_traps & STraps.CSR
    if deprivileged and hart.profile == Profile.STRICT:
        raise Trap(Exc.ILLEGAL, fx.insn, root=True)
    access = Access.LOAD if name == "probe.r" else Access.STORE
    try:
        translate(hart, hart.x[f["rs1"]], access, mark=False)
        may = 1  # by the tables; they do not say whether anything is there
    except Trap:
        may = 0
    hart.store_reg(f["rd"], may, fx)
    return hart.pc + 4


_BY_CLASS = {
    Cost.ALU: _alu,
    Cost.MUL: _alu,
    Cost.DIV: _alu,
    Cost.LOAD: _load,
    Cost.STORE: _store,
    Cost.BRANCH: _branch,
    Cost.JUMP: _jump,
    Cost.ATOMIC: _atomic,
    Cost.CSR: _csr,
    Cost.FENCE: _fence,
}

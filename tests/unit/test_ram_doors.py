"""Who may store into RAM: a host write that skips the door leaves stale code behind.

The source is read.  Every store to an element of a view of RAM, and every view that is passed
on, must be in the list here, which says why nothing derived from RAM becomes stale.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
VIEWS = {"ram_words", "ram_halves", "ram_bytes"}  # functions that return a view of RAM
ARRAYS = {"ram"}                                  # attributes that are a view of RAM
SAME = {"view", "reshape"}                        # methods that return a view of their view
PLAIN = {"len", "sha256", "ascontiguousarray", "memoryview", "_filled", "digest"}  # read

DOORS = {
    ("toyisa/core/memory.py", "write_ram"): "of its callers: `CALLERS`",
    ("toyisa/core/handlers.py", "write_byte"): "a frame without code, reservation, tohost",
    ("toyisa/core/handlers.py", "write_half"): "the same",
    ("toyisa/core/handlers.py", "write_word"): "the same",
    ("toyisa/core/mmu.py", "write_word"): "A and D: notes code in `stale`, ends a reservation",
    ("toyisa/devices/bus.py", "write"): "Dma.write, the door of devices, people, boot and gdb",
    ("vmm/memory/guestram.py", "write"): "GuestDma.write, the same of a virtual machine",
    ("toyisa/snapshots/snapshot.py", "put"): "all of the machine, whose pool is flushed before",
    # Passed on to functions that are themselves in the list:
    ("toyisa/machine.py", "_assemble"): "the array, to its Dma",
    ("vmm/machine.py", "_assemble"): "where it lies, to the guest's record",
    ("vmm/memory/guestram.py", "__init__"): "the array, to its Dma",
    ("toyisa/devices/virtio.py", "_notify"): "a Dma, which is called `ram` there",
    ("vmm/domain/host.py", "give_back"): "frames of a domain that is no more: tells the pool",
    # The monitor's own frames, which no guest executes or maps:
    ("vmm/paging/shadow/link.py", "set_entry"): "shadow tables",
    ("vmm/paging/shadow/protect.py", "write_protect"): "shadow tables",
    ("vmm/paging/shadow/link.py", "unmap"): "shadow tables",
    ("vmm/paging/shadow/frames.py", "take"): "shadow tables",
    ("vmm/engines/bt/__init__.py", "install"): "the window's table, before the guest runs",
    ("vmm/engines/bt/cache.py", "patch"): "translated code: `write_code` tells the pool",
    ("vmm/engines/bt/cache.py", "place"): "translated code: `write_code` tells the pool",
    ("vmm/engines/bt/targets.py", "_predict"): "translated code: `write_code` tells the pool",
    ("vmm/engines/bt/buckets.py", "fill"): "translated code: tells the pool",
    ("vmm/engines/bt/enter.py", "_put_state"): "the window's words",
    ("vmm/engines/pv/__init__.py", "install"): "the window's table, before the guest runs",
    ("vmm/engines/pv/state.py", "put_state"): "the window's words",
    ("vmm/paging/direct/build.py", "build_tables"): "the first tables, before the guest runs",
}
CALLERS = {("toyisa/core/access.py", "store_ram")}  # of `write_ram`
LOOKED_AT = [
    path for part in ("toyisa", "vmm") for path in (ROOT / part).rglob("*.py")
    if "testing" not in path.parts
]  # fmt: skip


def is_view(node, names):
    """Whether an expression is a view of RAM; `names` are variables that hold one."""
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=ast.Name(id=name)) if name in VIEWS:
            return True
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in SAME:
            return is_view(inner, names)
        case ast.Attribute(attr=name):
            return name in ARRAYS
        case ast.Subscript(value=inner):
            return is_view(inner, names) and isinstance(node.slice, ast.Slice)
    return False


def stores(function):
    """The lines of a function that store into a view of RAM, or hand one on."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = zip(target.elts, node.value.elts) if (
                    isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                ) else [(target, node.value)]  # fmt: skip
                names |= {t.id for t, v in pairs if isinstance(t, ast.Name) and is_view(v, names)}
    for node in ast.walk(function):
        targets = (node.targets if isinstance(node, ast.Assign)
                   else [node.target] if isinstance(node, ast.AugAssign) else [])  # fmt: skip
        for target in targets:
            for place in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(place, ast.Subscript) and is_view(place.value, names):
                    yield node.lineno
        if isinstance(node, ast.Call) and called(node) not in PLAIN | VIEWS | SAME:
            if any(is_view(argument, names) for argument in node.args):
                yield node.lineno


def called(call):
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def found():
    """(file, function) of each store; and those that call `write_ram`."""
    places, callers = {}, set()
    for path in sorted(LOOKED_AT):
        name = str(path.relative_to(ROOT))
        if "/testing/" in name or name.startswith("vmm/fuzz/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for line in stores(node):
                    places.setdefault((name, node.name), []).append(line)
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and called(call) == "write_ram":
                        callers.add((name, node.name))
    return places, callers


def test_only_these_store_into_ram():
    places, callers = found()
    assert {f"{file}:{lines} {name}" for (file, name), lines in places.items()
            if (file, name) not in DOORS} == set()  # fmt: skip
    assert {*DOORS} == {*places}, "a place that stores no more is to be taken off the list"
    assert callers == CALLERS


def test_a_store_is_seen():
    """The list is worth something: each way to store is found."""
    for line in (
        "ram_words(mem)[5] = 1", "words = ram_bytes(mem); words[a:b] = 0", "self.ram[0] = 1",
        "machine.host.ram.view(np.uint32)[a:b] = t", "a, w = 1, ram_words(mem); w[1] += 2",
        "ram = machine.ram.reshape(-1, PAGE); ram[5] = 0", "obey(console, ram_words(mem)[4:])",
        "x, machine.ram[3] = 1, 2",
        "words = machine.ram[4:]; rows = words.view('u4'); rows[0] = 1",
    ):  # fmt: skip
        (function,) = ast.parse(f"def f():\n    {line}").body
        assert list(stores(function)), line
    for line in ("x = ram_words(mem)[5]", "x[5] = machine.ram[3]", "n = len(machine.ram)"):
        (function,) = ast.parse(f"def f():\n    {line}").body
        assert not list(stores(function)), line

"""Answers for random hostile kernels patched for `pv`, as a Hypothesis strategy.

A kernel boots, sets its trap entry, and repeats random acts.  If an instruction traps, it is
skipped, or the next act begins; a timer comes again and again.  Must not know what runs it.
"""

import struct

from hypothesis import strategies as st

from toyisa.core.memory import RAM_BASE
from toyisa.testing.code import Code, text
from toyisa.testing.images import write_elf
from vmm.engines.pv import MARK
from vmm.fuzz.pvacts import acts, words
from vmm.fuzz.pvoperands import LIST, USER
from vmm.fuzz.pvruntime import boot, handler


@st.composite
def patched_kernels(draw: st.DrawFn, max_size: int = 24) -> tuple[bytes, str]:
    """An ELF, and its body as text."""
    code = Code()
    handler(code)
    boot(code)
    code.label("body")
    some = st.lists(acts(), max_size=-(-max_size // 3))
    # A single list would usually be short
    for act in [act for _ in range(3) for act in draw(some)]:
        code.put(act)
    code.to("body").label("end")
    image, places = code.words(), code.labels
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))):
        image[draw(st.integers(0, len(image) - 1))] = draw(words)
    user = draw(st.lists(words, min_size=1, max_size=12))
    ranges = ("handler", "leave", "leave", "boot")
    data = {
        RAM_BASE: image, USER: [*user, Code().e("ecall").words()[0]],
        LIST: [RAM_BASE + places[name] for name in ranges],
    }  # fmt: skip
    packed = {at: struct.pack(f"<{len(values)}I", *values) for at, values in data.items()}
    symbols = {name: RAM_BASE + place for name, place in places.items()} | {MARK: LIST}
    lines = [f"  {RAM_BASE + at:08x}: {image[at // 4]:08x}  {text(image[at // 4], RAM_BASE + at)}"
             for at in range(places["body"], places["end"], 4)]  # fmt: skip
    return write_elf(packed, symbols["boot"], symbols), "\n".join(lines)

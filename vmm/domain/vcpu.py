"""Answers for what the monitor keeps of one virtual processor: its hart, and the exit that is
being handled.

The virtual hart *is* a hart record, of the machine's own type.  So a virtual register `vsepc`
is `vm.vcpu.hart.csr.sepc`.  While the guest runs, its registers and pc are in the real hart.
Must not know the virtual machine whose processor it is (`record.py`).
"""

from toyisa.core.memory import ASIDE
from toyisa.core.state import HART, record
from toyisa.tables.cost import Event

# What the last walk of the guest's tables has read.
WALK = record(
    ("pte1", "i8"),   # the entry in the root table
    ("table", "i8"),  # the second-level table's gfn, or -1: pte1 is a leaf
    ("was", "i8"),    # the leaf before the walk set A or D in it, or -1
)

# What a real hart has of a guest, and is exchanged when another one gets the hart.
OF_GUEST = ("csr", "resv", "root", "exit", "pending", "trail")
OF_GUEST_AT = [  # the places of their words in the hart's record
    word
    for name in OF_GUEST
    for kind, at in [HART.fields[name][:2]]
    for word in range(at // 4, (at + kind.itemsize) // 4)
]

# The same while another guest runs.
KEPT = record(("words", "u4", len(OF_GUEST_AT)), ("aside", ASIDE))

VCPU = record(
    ("hart", HART), ("walk", WALK), ("kept", KEPT),
    ("kind", "i8"),                    # what the exit that is being handled is for
    ("unfinished", "i8"),              # the reason of an exit that waits for input or a look, or 0
    ("began", "i8"),                   # and the cycle at which it began
    ("partial", "i8"),                 # it is half done: what has been done must not be done again
    ("looking", "i8"),                 # root has the hart between two entries; of the last exit:
    ("counted", "i8"), ("left", "i8"),  # whether it was counted, and where it left the guest
    ("again", "i8"),                   # the guest is entered after a look, and not after an exit
    # not so if input has come, the budget is another one, or a debugger has changed the hart
    ("fed", "i8"), ("budget", "i8"), ("seen", "i8"),
    # The deadline with which the real hart was last entered: as devices and the timer need it,
    # and as the engine has set it.
    ("due", "i8"), ("deadline", "i8"),
    ("saved", "i8", len(Event)),       # counts of events before the exit was handled
    ("barren", "i8"),                  # exits in a row without an instruction retired
    ("retired", "i8"),                 # instructions at the last entry, emulated ones included
)  # fmt: skip

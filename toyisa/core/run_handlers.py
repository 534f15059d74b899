"""Answers for how the loop reaches the handlers: by threaded code, or in Python without a compiler.

What writes the threaded code (`threaded.py`) is imported only when it is written: finished
code does not need it, and a start waits for it.  Must not know any handler.
"""

from typing import TYPE_CHECKING

from toyisa.compiled.njit import compiler, special

if TYPE_CHECKING:
    from toyisa.compiled.front.expressions import Expressions
    from toyisa.compiled.front.kinds import Value


def _write(body: "Expressions", hart: "Value", mem: "Value") -> "Value":
    """Go on with `hart.run` until an instruction needs more than a handler; return why."""
    from toyisa.core.threaded import write

    return write(body, hart, mem)


match compiler:
    case "plain":
        from toyisa.core.plain import run_handlers
    case "numba":
        from toyisa.core.checked import intrinsic
        from toyisa.core.threaded import enter

        run_handlers = intrinsic(enter)
    case "front":
        run_handlers = special(_write)

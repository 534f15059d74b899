"""Answers for handlers in code that numba compiles: with `NUMBA_BOUNDSCHECK=1`.

Must not know what handlers do (`handlers.py`), nor how they are written (`emit.py`).
"""

from collections.abc import Callable

import numba
from llvmlite import ir
from numba.core import types

from toyisa.core.emit import Frame, constant
from toyisa.tables.leaves import Leave


class _Calls:
    """Calls of functions that numba has compiled."""

    def __init__(self, context: object, **records: types.Record):
        self.checks = bool(numba.config.BOUNDSCHECK)
        self._context, self._records = context, records

    def call(
        self, builder: ir.IRBuilder, function: Callable, values: list[ir.Value], records: list[str]
    ) -> tuple[ir.Value, ir.Value | None]:
        """The result of a function, and whether it has raised an error."""
        context = self._context
        kinds = tuple(self._records[name] if name else types.int64 for name in records)
        function.compile(kinds)
        compiled = function.overloads[kinds]
        context.active_code_library.add_linking_library(compiled.library)
        status, result = context.call_internal_no_propagate(
            builder, compiled.fndesc, compiled.signature, values
        )
        kind = compiled.signature.return_type
        if isinstance(kind, types.Integer):
            result = context.cast(builder, result, kind, types.int64)
        return result, status.is_error if self.checks else None


def intrinsic(enter: Callable) -> Callable:
    """`run_handlers` for numba: what `enter` writes, as an intrinsic."""

    @numba.extending.intrinsic
    def run_handlers(typing_context, hart, mem):
        """Go on with `hart.run` until an instruction needs more than a handler; why."""

        def generate(context, builder, signature, arguments):
            calls = _Calls(context, hart=hart, mem=mem)
            event = enter(Frame(builder.module, calls, hart.dtype, mem.dtype), builder, *arguments)
            if calls.checks:
                outside = builder.icmp_signed("==", event, constant(Leave.OUT_OF_BOUNDS))
                with builder.if_then(outside):
                    context.call_conv.return_user_exc(builder, IndexError, ("of a handler",))
            return event

        return types.int64(hart, mem), generate

    return run_handlers

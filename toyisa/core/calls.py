"""Answers for how handlers call compiled functions in code that the front end writes.

Must not know what handlers do (`handlers.py`), nor how they are written (`emit.py`).
"""

from collections.abc import Callable

from llvmlite import ir

from toyisa.compiled.front import kinds
from toyisa.compiled.front.program import Program

_PARTS = {"i64": ir.IntType(64), "i1": ir.IntType(1), "ptr": ir.PointerType()}


class Written:
    """Calls of functions of the same program, which stand beside the handlers' module."""

    checks = False

    def __init__(self, program: Program, module: ir.Module, **records: kinds.Record):
        self._program, self._module, self._records = program, module, records
        self._declared: dict[str, ir.Function] = {}

    def call(
        self, builder: ir.IRBuilder, function: Callable, values: list[ir.Value], records: list[str]
    ) -> tuple[ir.Value, None]:
        """The result of a function; it never fails."""
        passed = tuple(self._records[name] if name else kinds.I64 for name in records)
        callee = self._program.instance(function.py_func, passed)
        name = callee.name.strip('"')
        if name not in self._declared:
            (result,) = callee.result.parts or ("",)
            kind = _PARTS[result] if result else ir.VoidType()
            shape = ir.FunctionType(kind, [_PARTS[part] for k in passed for part in k.parts])
            self._declared[name] = ir.Function(self._module, shape, name)
        result = builder.call(self._declared[name], values)
        if callee.result is kinds.BOOL:
            result = builder.zext(result, _PARTS["i64"])
        return result, None

"""LLVM's text becomes machine code that can be called, and people are told how far it is."""

import ctypes

from toyisa.compiled import native

TEXT = """
define i64 @half(i64 %n) {
  %r = call i64 @twice(i64 %n)
  %q = sdiv i64 %r, 4
  ret i64 %q
}
define internal i64 @twice(i64 %n) {
  %r = add i64 %n, %n
  ret i64 %r
}
declare i64 @labs(i64)
"""


def test_a_function_is_compiled_and_called_and_told_of(monkeypatch):
    stages = []
    monkeypatch.setattr(native.progress, "stage", stages.append)
    address = native.load(native.emit(TEXT), "half")
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(-84) == -42
    assert stages == ["optimising 2 functions", "writing 2 functions"]

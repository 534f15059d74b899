"""Answers for machine code: making an object of LLVM's text, and loading it.

Must not know where objects are kept, nor what they are for.
"""

import platform
from functools import cache

import llvmlite
import llvmlite.binding as llvm

from toyisa.files import progress

VERSION = llvmlite.__version__
LEVEL = 3  # of optimisation
INLINED = 50  # the cost, 5 an instruction, up to which a function is inlined wherever it is called


def emit(text: str) -> bytes:
    """The object that LLVM makes of a module: machine code for this host."""
    module = llvm.parse_assembly(text)
    module.verify()  # wrong text may otherwise become code that does something else
    machine = _machine()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    count = sum(not function.is_declaration for function in module.functions)
    progress.stage(f"optimising {count} functions")
    options = llvm.create_pipeline_tuning_options(speed_level=LEVEL)
    options.loop_vectorization, options.inlining_threshold = True, INLINED
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    progress.stage(f"writing {count} functions")
    return machine.emit_object(module)


def load(data: bytes, symbol: str) -> int:
    """Load an object for the rest of the process; return the address of one of its functions."""
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    return engine.get_function_address(symbol)


def host() -> list[str]:
    """The CPU for which code is made, by LLVM's name."""
    return [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]


@cache
def _machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = host()
    x86 = platform.machine().lower() in ("x86_64", "amd64", "i686")
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu, features=features, opt=LEVEL, codemodel="jitdefault", jit=True,
        reloc="static" if x86 else "default",
    )  # fmt: skip


@cache
def _engine() -> llvm.ExecutionEngine:
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())

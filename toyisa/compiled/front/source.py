"""Answers for the text of a function, and for what its names mean in its module.

Must not know what is made of it.
"""

import ast
import builtins
import inspect
import textwrap
from functools import cache

from toyisa.compiled.front.kinds import Unsupported

MISSING = object()


@cache
def _module(path: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """The functions of a file, by name and first line; a decorator's line, if there is one."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    return {
        (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
        for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }  # fmt: skip


def tree(function) -> ast.FunctionDef:
    """The syntax tree of a function.  Unsupported if its source cannot be found."""
    code = function.__code__
    try:
        return _module(code.co_filename)[function.__name__, code.co_firstlineno]
    except (OSError, SyntaxError, KeyError):
        pass
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, SyntaxError, TypeError, ValueError) as error:
        raise Unsupported("its source is not at hand") from error
    if not isinstance(node, ast.FunctionDef):
        raise Unsupported("it is no plain function")
    return node


def parameters(node: ast.FunctionDef) -> list[str]:
    """The names of a function's parameters.  Unsupported: defaults, keywords."""
    a = node.args
    if a.vararg or a.kwarg or a.kwonlyargs or a.defaults or a.posonlyargs:
        raise Unsupported("its parameters have defaults, or are not plain")
    return [argument.arg for argument in a.args]


def assigned(node: ast.FunctionDef) -> set[str]:
    """The names to which a function assigns."""
    return {
        inner.id for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }  # fmt: skip


def meaning(function, name: str) -> object:
    """What a name stands for if it is not local, or MISSING."""
    code = function.__code__
    if name in code.co_freevars:
        cell = function.__closure__[code.co_freevars.index(name)]
        return cell.cell_contents
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)

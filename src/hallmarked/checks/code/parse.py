"""Parse Python within bounds (https://docs.python.org/3/library/ast.html), and take notebooks apart.

The grammar is held to that of the oldest Python this project runs on, so that the result does not depend on the Python
that runs it: newer syntax is reported as not readable.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_json

SOURCE_BYTES = 1 << 21
"""Longest source that is parsed."""
_GRAMMAR = (3, 11)
_DEPTH = 300
_NODES = 2_000_000

_STATEMENTS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NOTEBOOK = re.compile(rb'"nbformat"\s*:')


def parse_python(source: str) -> ast.Module:
    """Return the syntax tree of a source.

    Raises:
        FormatError: When it is not Python.
        LimitExceeded: When it is too long or too deeply nested.
    """
    if len(source) > SOURCE_BYTES:
        raise LimitExceeded(f"source of {len(source):,} characters, more than {SOURCE_BYTES:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, feature_version=_GRAMMAR)
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise FormatError(f"not Python {_GRAMMAR[0]}.{_GRAMMAR[1]}: syntax error{line}") from error
    except (RecursionError, MemoryError) as error:
        raise LimitExceeded("source nested too deeply") from error
    _check_tree(tree)
    return tree


def _check_tree(tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        count += len(level)
        if not level:
            return
        if count > _NODES:
            break
    raise LimitExceeded("source nested too deeply, or too long")


def does_something(tree: ast.Module) -> bool:
    """Say whether a text that happens to be valid Python is a program: it imports, defines or calls."""
    if not any(isinstance(node, (*_STATEMENTS, ast.Call)) for node in ast.walk(tree)):
        return False
    # Prose such as "see (1)" parses as a call of a name; a program has a statement, or calls something by attribute.
    return any(isinstance(node, _STATEMENTS) for node in ast.walk(tree)) or any(
        isinstance(node, ast.Call) and (isinstance(node.func, ast.Attribute | ast.Call) or node.args)
        for node in ast.walk(tree)
    )


@dataclass(slots=True)
class Notebook:
    """The code of a notebook."""

    source: str
    commands: list[tuple[int, str]] = field(default_factory=list)
    """Lines for the shell, with their line in ``source``."""


def is_notebook(data: bytes) -> bool:
    """Say whether bytes look like a Jupyter notebook (https://nbformat.readthedocs.io/)."""
    return data.lstrip()[:1] == b"{" and _NOTEBOOK.search(data) is not None and b'"cells"' in data


def read_notebook(data: bytes) -> Notebook:
    """Return the code cells of a notebook as one source.

    Raises:
        FormatError: When it is not a notebook.
    """
    document = read_json(data, Budget(len(data)), constants=True)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise FormatError("a notebook without cells")
    lines: list[str] = []
    commands: list[tuple[int, str]] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        text = _joined(cell.get("source"))
        if text.lstrip().startswith(("%%bash", "%%sh", "%%script", "%%!")):
            commands.append((len(lines) + 1, text))
            continue
        for line in text.splitlines():
            lines.append(_plain_line(line, len(lines) + 1, commands))
    return Notebook("\n".join(lines) + "\n", commands)


def _joined(source: object) -> str:
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _plain_line(line: str, number: int, commands: list[tuple[int, str]]) -> str:
    """Return a line as Python: what is for the shell or the notebook itself becomes ``pass``."""
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    if bare.startswith("!"):
        commands.append((number, bare.lstrip("!")))
        return indent + "pass"
    if re.match(r"%{1,2}[a-zA-Z]", bare) or re.match(r"\?{1,2}[\w.]+$|[\w.]+\?{1,2}$", bare):
        return indent + "pass"
    if match := re.match(r"[\w, ]+=\s*([!%])(.*)", bare):
        if match[1] == "!":
            commands.append((number, match[2]))
        return indent + "pass"
    return line

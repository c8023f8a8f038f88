"""Tell by content whether a file is code, and of what kind."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.checks.code.parse import (
    SOURCE_BYTES,
    Notebook,
    does_something,
    is_notebook,
    parse_python,
    read_notebook,
)
from hallmarked.checks.content import decode
from hallmarked.core.errors import FormatError

_SHELL = re.compile(r"#!\s*\S*(?:/|\benv\s+)(?:ba|z|da|k|c)?sh\b")
_OTHER_SCRIPT = re.compile(r"#!\s*\S*(?:/|\benv\s+(?:-S\s+)?)(?:perl|ruby|node|php|lua|pwsh|osascript)\b")
_PYTHON = re.compile(r"#!\s*\S*python")
_CONTAINER = re.compile(r"\s*(?:#[^\n]*\n\s*|ARG\s[^\n]*\n\s*)*FROM\s+\S+[^\n]*\n")
_CONTAINER_STEP = re.compile(r"(?m)^\s*(?:RUN|CMD|ENTRYPOINT|COPY|ADD|WORKDIR)\s")
_POWERSHELL = re.compile(
    r"(?im)^\s*(?:param\s*\(|\$\w+\s*=\s*(?:New-Object|Get-|Invoke-)|Invoke-(?:Expression|WebRequest)\b|Set-ExecutionPolicy\b)"
)
_BATCH = re.compile(r"(?i)@echo\s+off\b")
_CALLS = re.compile(r"__\w+__|\b(?:exec|eval|getattr|globals)\s*\(")


SCRIPT_CHARACTERS = 1_000_000
"""Longest script of which every line is judged."""


class Kind(StrEnum):
    """Kinds of code."""

    PYTHON = "python"
    NOTEBOOK = "notebook"
    SHELL = "shell"
    CONTAINER = "container"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Code:
    """A file that is code."""

    kind: Kind
    text: str
    tree: ast.Module | None = None
    notebook: Notebook | None = None
    problem: str = ""
    """Why it cannot be judged; empty when it can."""


def read_code(path: str, data: bytes) -> Code | None:
    """Return a text file as code, or ``None`` when it is none.

    The name decides only whether a text that is not Python was meant to be.
    """
    if is_notebook(data):
        return _notebook(data)
    text = decode(data)
    start = text[:4096].lstrip("\ufeff")
    if _SHELL.match(start):
        return Code(Kind.SHELL, text, problem=_too_long(text))
    if _OTHER_SCRIPT.match(start) or _POWERSHELL.search(start) or _BATCH.match(start.lstrip()):
        return Code(Kind.SCRIPT, text, problem=_too_long(text))
    if _CONTAINER.match(start) and _CONTAINER_STEP.search(text):
        return Code(Kind.CONTAINER, text, problem=_too_long(text))
    return _python(path, text)


def _too_long(text: str) -> str:
    return "script of more than a million characters" if len(text) > SCRIPT_CHARACTERS else ""


def _notebook(data: bytes) -> Code:
    try:
        notebook = read_notebook(data)
    except FormatError as error:
        return Code(Kind.NOTEBOOK, "", problem=str(error))
    try:
        return Code(Kind.NOTEBOOK, notebook.source, parse_python(notebook.source), notebook)
    except FormatError as error:
        return Code(Kind.NOTEBOOK, notebook.source, None, notebook, str(error))


def _python(path: str, text: str) -> Code | None:
    meant = path.endswith((".py", ".pyw", ".pyi")) or _PYTHON.match(text) is not None
    path_file = path.endswith(".pth") and re.search(r"(?m)^import[ \t]", text) is not None
    if not (meant or path_file or _could_be_python(text)):
        return None
    try:
        tree = parse_python(text)
    except FormatError as error:
        if meant:
            return Code(Kind.PYTHON, text, problem=str(error))
        return _path_file(text) if path_file else None
    return Code(Kind.PYTHON, text, tree) if meant or does_something(tree) else None


def _could_be_python(text: str) -> bool:
    """Rule out cheaply what is no program: nothing is called, or it is too long, or it is a document."""
    if "(" not in text or len(text) > SOURCE_BYTES // 4:
        return False
    return text.lstrip()[:1] not in {"{", "[", "<", "-"} or _CALLS.search(text) is not None


def _path_file(text: str) -> Code | None:
    """Read a file that adds folders to Python's path: lines that begin with ``import`` are run at every start."""
    lines = "\n".join(line for line in text.splitlines() if line.startswith(("import ", "import\t")))
    try:
        return Code(Kind.PYTHON, lines, parse_python(lines)) if lines else None
    except FormatError as error:
        return Code(Kind.PYTHON, lines, problem=str(error))

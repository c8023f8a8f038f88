"""Rules of the pickle examiner."""

from __future__ import annotations

from hallmarked.core.evidence import Level, Rule

GADGET = Rule(
    "PKL001",
    Level.ERROR,
    "Loading the file runs code that can harm",
    "Do not load the file. Ask its author for weights in a format that cannot run code, such as safetensors.",
)
UNVETTED_CALL = Rule(
    "PKL002",
    Level.WARNING,
    "Loading the file calls functions that nobody vetted",
    "Load the file only if you trust its author, and in an isolated environment; better, ask for safetensors.",
)
UNVETTED_IMPORT = Rule(
    "PKL003",
    Level.WARNING,
    "Loading the file imports names that nobody vetted",
    "Importing a module runs its code. Check that the named packages are the ones you expect.",
)
OVERWRITES = Rule(
    "PKL004",
    Level.ERROR,
    "Loading the file changes modules or classes of the program",
    "Do not load the file: no ordinary writer of pickles produces this.",
)
COMPUTED = Rule(
    "PKL005",
    Level.WARNING,
    "What loading the file calls cannot be known in advance",
    "Treat the file as a program: load it only in an isolated environment.",
)
ARGUMENTS = Rule(
    "PKL006",
    Level.WARNING,
    "A known function is called in an unusual way",
    "The file was not written by the usual tools, or is damaged. Ask its author how it was made.",
)
OUT_OF_BOUNDS = Rule(
    "PKL007",
    Level.ERROR,
    "The file describes tensors outside of their data",
    "Do not load the file: readers that do not check would read or write foreign memory.",
)
OUTSIDE = Rule(
    "PKL008",
    Level.WARNING,
    "The file is not complete by itself",
    "Find out which program and which other files are needed to read it.",
)
TRAILING = Rule(
    "PKL009",
    Level.WARNING,
    "There are bytes behind the end of the pickle",
    "The rest may be damage, padding or hidden content; ask the author.",
)
CONTENT = Rule(
    "PKL010",
    Level.WARNING,
    "A constant in the pickle looks like code or like another pickle",
    "Loading the file does not run it, but a program that uses the value might. Look at what it is for.",
)
BROKEN = Rule(
    "PKL011",
    Level.WARNING,
    "The pickle cannot be followed to its end",
    "It is damaged, or was made to confuse checks. Do not load it.",
)

ALL = (
    GADGET,
    UNVETTED_CALL,
    UNVETTED_IMPORT,
    OVERWRITES,
    COMPUTED,
    ARGUMENTS,
    OUT_OF_BOUNDS,
    OUTSIDE,
    TRAILING,
    CONTENT,
    BROKEN,
)

INTERNALS = frozenset(
    {
        "__base__",
        "__bases__",
        "__builtins__",
        "__call__",
        "__class__",
        "__code__",
        "__dict__",
        "__getattribute__",
        "__globals__",
        "__import__",
        "__init__",
        "__loader__",
        "__mro__",
        "__reduce__",
        "__self__",
        "__spec__",
        "__subclasses__",
        "__wrapped__",
        "func_globals",
        "gi_frame",
        "load_module",
        "exec_module",
        "modules",
    }
)
"""Attributes that lead from a harmless object to Python's machinery."""

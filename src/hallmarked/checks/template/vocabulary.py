"""What templates of well-known models use, and the names that lead out of a template.

The allowlists decide what is vouched for. The names in ``HOSTILE_NAMES`` only grade what is not: they are what
published template injections reach for (https://portswigger.net/web-security/server-side-template-injection).
"""

from __future__ import annotations

from jinja2 import nodes


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


NODES: frozenset[type[nodes.Node]] = frozenset(
    {
        *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.NSRef),
        *(
            nodes.For,
            nodes.If,
            nodes.Assign,
            nodes.AssignBlock,
            nodes.ExprStmt,
            nodes.With,
            nodes.Break,
            nodes.Continue,
        ),
        *(nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Call, nodes.Keyword),
        *(nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice),
        *(nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair),
        *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Concat),
        *(nodes.Neg, nodes.Pos, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.CondExpr),
    }
)
"""Node kinds that compute on what they are given and reach nothing else."""

LOADING_NODES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
"""Node kinds that pull in another template."""

FILTERS = _words(
    "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape",
    "format groupby indent int items join last length list lower map max min pprint reject rejectattr",
    "replace reverse round safe select selectattr slice sort string striptags sum title tojson trim",
    "truncate unique upper urlencode wordcount wordwrap",
)
"""Built-in filters that work on the value alone. ``attr`` is not among them: it fetches an attribute by name."""

ATTRIBUTE_FILTERS = frozenset(
    {"selectattr", "rejectattr", "map", "sort", "groupby", "sum", "unique", "max", "min", "join"}
)
"""Filters of which an argument names an attribute."""

TESTS = _words(
    "!= < <= == > >= boolean callable defined divisibleby eq equalto escaped even false filter float ge",
    "greaterthan gt in integer iterable le lessthan lower lt mapping ne none number odd sameas sequence",
    "string test true undefined upper",
)
"""Every test Jinja has; tests answer yes or no and reach nothing."""

FUNCTIONS = frozenset({"raise_exception", "strftime_now", "namespace", "range", "dict", "joiner", "cycler", "caller"})
"""Functions that loaders put at a template's disposal and that give nothing away."""

LOOP_METHODS = frozenset({"cycle", "changed", "next", "reset"})

METHODS = LOOP_METHODS | _words(
    "capitalize casefold count endswith expandtabs find index isalnum isalpha isascii isdecimal isdigit",
    "islower isnumeric isspace istitle isupper join lower lstrip partition removeprefix removesuffix",
    "replace rfind rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title upper",
    "zfill ljust rjust center append clear copy extend fromkeys get insert items keys pop remove reverse",
    "setdefault sort update values strftime isoformat",
)
"""Methods of text, lists and mappings, which compute on what they are called on."""

HOSTILE_NAMES = _words(
    "popen Popen system spawn exec eval execfile compile open read read_text read_bytes write",
    "import_module check_output check_call getoutput subclasses mro builtins globals locals getattr",
    "setattr __import__ func_globals func_code gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await",
    "cr_origin ag_frame ag_code f_globals f_locals f_builtins f_back f_code tb_frame tb_next co_code",
    "im_func im_self application subprocess sys os importlib",
)
"""Names of which the call, or for frames and code objects the mere access, leads into the interpreter."""

WALKING_NAMES = _words(
    "__class__ __mro__ __base__ __bases__ __subclasses__ __globals__ __builtins__ __import__",
    "__getattribute__ __code__ __closure__ __reduce__ __reduce_ex__ __init__ __self__ __func__ __loader__",
    "__wrapped__ gi_frame cr_frame f_globals f_builtins f_back func_globals",
)
"""Those of them that no template of any kind has another use for."""

INTERNAL_NAMES = _words(
    "__class__ __mro__ __base__ __bases__ __subclasses__ __init__ __new__ __globals__ __builtins__",
    "__import__ __dict__ __getattribute__ __getattr__ __setattr__ __delattr__ __getitem__ __self__",
    "__func__ __code__ __closure__ __wrapped__ __call__ __reduce__ __reduce_ex__ __loader__ __spec__",
    "__main__ __module__ __subclasshook__ __init_subclass__ __set_name__ __get__ __weakref__ __defaults__",
    "__kwdefaults__ __annotations__ __qualname__ __str__ __repr__ __format__ __doc__ __name__ __file__",
    "__path__ __package__ __cached__ __dir__ __traceback__ __context__ __cause__ mro",
)
"""The names by which one walks from any object to the whole interpreter."""

FRAME_NAMES = (
    *(
        "func_code",
        "func_globals",
        "gi_frame",
        "gi_code",
        "gi_yieldfrom",
        "cr_frame",
        "cr_code",
        "cr_await",
        "cr_origin",
    ),
    *("ag_frame", "ag_code", "f_globals", "f_locals", "f_builtins", "f_back", "f_code", "tb_frame", "tb_next"),
    *("im_func", "im_self"),
)
"""Attributes of Python's functions, generators, frames and tracebacks that hold code or globals."""

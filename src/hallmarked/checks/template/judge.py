"""Judge a template by its syntax tree: vouched for, unproven, or reaching out of the template."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from hallmarked.checks.template import vocabulary
from hallmarked.checks.template.value import Scope
from hallmarked.core.evidence import Level, Rule

INTERNALS = Rule(
    "TPL001",
    Level.ERROR,
    "A template reaches for the interpreter's internals",
    "Do not load this model with a library that renders the template; ask the publisher why it is there.",
)
COMPUTED = Rule(
    "TPL002",
    Level.ERROR,
    "A template builds the name of an attribute out of pieces",
    "Names of attributes belong in the template as they are. Treat a hidden one as hostile until explained.",
)
LOADING = Rule(
    "TPL003",
    Level.ERROR,
    "A template pulls in another template",
    "A chat template stands alone. Put what it needs into it.",
)
ENDLESS = Rule(
    "TPL004",
    Level.ERROR,
    "A template repeats something without a sensible bound",
    "Rendering it could exhaust memory or time. Loop over what is given instead.",
)
UNPROVEN = Rule(
    "TPL005",
    Level.WARNING,
    "A template uses something that templates of this kind do not use",
    "Look at the line. What is not on the list of known constructs cannot be vouched for.",
)

REPEATS = 100_000
"""Most iterations of a literal loop, the limit of Jinja's own sandbox."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing seen in a template."""

    rule: Rule
    level: Level
    what: str
    """Ends the sentence "the template …"."""
    line: int


def judge(tree: nodes.Template) -> list[Mark]:
    """Return what is wrong with a template, each kind of thing once, in order of lines."""
    scope = Scope(tree)
    seen: dict[tuple[str, str], Mark] = {}
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        for mark in _marks(node, scope):
            seen.setdefault((mark.rule.id, mark.what), mark)
        pending.extend(reversed(list(node.iter_child_nodes())))
    return sorted(seen.values(), key=lambda mark: (mark.line, mark.rule.id, mark.what))


def talks(tree: nodes.Template) -> bool:
    """Say whether a template is about a conversation, which is what chat templates are."""
    return any(name.name == "messages" and name.ctx == "load" for name in tree.find_all(nodes.Name))


def names_internals(tree: nodes.Template) -> bool:
    """Say whether a template spells out a name that only a walk through the interpreter needs."""
    spelled = {node.attr for node in tree.find_all(nodes.Getattr)}
    spelled |= {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
    return not spelled.isdisjoint(vocabulary.WALKING_NAMES)


def _marks(node: nodes.Node, scope: Scope) -> Iterator[Mark]:
    if isinstance(node, vocabulary.LOADING_NODES):
        yield Mark(LOADING, Level.ERROR, f"pulls in another template with “{type(node).__name__.lower()}”", node.lineno)
    elif type(node) not in vocabulary.NODES:
        yield _unproven(f"has a construct of kind “{type(node).__name__}”", node)
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        yield from handler(node, scope)


def _unproven(what: str, node: nodes.Node) -> Mark:
    return Mark(UNPROVEN, Level.WARNING, what, node.lineno)


def _name_marks(name: str, node: nodes.Node) -> Iterator[Mark]:
    """Judge the name of an attribute that the template reads or sets."""
    if name in vocabulary.INTERNAL_NAMES or name in vocabulary.FRAME_NAMES:
        yield Mark(INTERNALS, Level.ERROR, f"reaches for {_quoted(name)}", node.lineno)
    elif name.startswith("_"):
        yield Mark(INTERNALS, Level.WARNING, f"reaches for the private name {_quoted(name)}", node.lineno)


def _quoted(name: str) -> str:
    shown = name if len(name) <= 60 else name[:59] + "…"
    return f"“{shown.encode('unicode_escape').decode('ascii') if not shown.isprintable() else shown}”"


def _key_marks(key: nodes.Node, scope: Scope, node: nodes.Node) -> Iterator[Mark]:
    """Judge an expression whose text names an attribute."""
    value = scope.value(key)
    for text in sorted(value.texts):
        yield from _name_marks(text, node)
    if value.leads:
        level = Level.ERROR if value.marks > 1 else Level.WARNING
        yield Mark(COMPUTED, level, "glues a name with underscores together and looks it up", node.lineno)


def _getattr(node: nodes.Getattr, _: Scope) -> Iterator[Mark]:
    yield from _name_marks(node.attr, node)


def _nsref(node: nodes.NSRef, _: Scope) -> Iterator[Mark]:
    yield from _name_marks(node.attr, node)


def _getitem(node: nodes.Getitem, scope: Scope) -> Iterator[Mark]:
    if not isinstance(node.arg, nodes.Slice):
        yield from _key_marks(node.arg, scope, node)


def _name(node: nodes.Name, _: Scope) -> Iterator[Mark]:
    if node.name.startswith("__"):
        yield from _name_marks(node.name, node)
    elif node.name in {"lipsum", "self"} and node.ctx == "load":
        yield _unproven(f"uses {_quoted(node.name)}, which is no part of a conversation", node)


def _const(node: nodes.Const, _: Scope) -> Iterator[Mark]:
    # Wherever it goes from here, a text that is nothing but such a name has one use only.
    if isinstance(node.value, str) and node.value in vocabulary.INTERNAL_NAMES:
        yield from _name_marks(node.value, node)


def _keyword_names(node: nodes.Call, _: Scope) -> Iterator[Mark]:
    for keyword in node.kwargs:
        yield from _name_marks(keyword.key, node)


def _call(node: nodes.Call, scope: Scope) -> Iterator[Mark]:
    yield from _keyword_names(node, scope)
    target = node.node
    if scope.names_macro(target):
        return
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield _unproven("calls something with arguments it unpacks", node)
    if isinstance(target, nodes.Getattr):
        yield from _method(target.attr, node, scope)
    elif isinstance(target, nodes.Name):
        if target.name == "range":
            yield from _range(node)
        elif target.name not in vocabulary.FUNCTIONS | {"loop"}:
            yield _called(target.name, node)
    else:
        yield _unproven("calls the result of an expression", node)


def _called(name: str, node: nodes.Node) -> Mark:
    if name in vocabulary.HOSTILE_NAMES:
        return Mark(INTERNALS, Level.ERROR, f"calls {_quoted(name)}", node.lineno)
    return _unproven(f"calls {_quoted(name)}", node)


def _method(name: str, node: nodes.Call, scope: Scope) -> Iterator[Mark]:
    receiver = node.node.node if isinstance(node.node, nodes.Getattr) else None
    if name in {"format", "format_map"}:
        yield from _format(receiver, node, scope)
    elif name in vocabulary.HOSTILE_NAMES or name not in vocabulary.METHODS:
        # A name that the template itself gave to a macro or a loop helper is as good as the helper.
        yield _called(name, node)


def _format(receiver: nodes.Node | None, node: nodes.Call, scope: Scope) -> Iterator[Mark]:
    """Judge ``text.format(…)``, which walks attributes named in the text: ``{0.__class__}``."""
    value = scope.value(receiver)
    if value.open or any("{" in text and ("." in text or "[" in text) for text in value.texts):
        hostile = value.underscores > 1
        level = Level.ERROR if hostile else Level.WARNING
        yield Mark(
            INTERNALS if hostile else UNPROVEN,
            level,
            "fills a text with “format”, which can fetch attributes",
            node.lineno,
        )


def _filter(node: nodes.Filter, scope: Scope) -> Iterator[Mark]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield _unproven("filters with arguments it unpacks", node)
    if node.name == "attr":
        yield Mark(COMPUTED, Level.ERROR, "fetches an attribute with the filter “attr”", node.lineno)
    elif node.name not in vocabulary.FILTERS:
        yield _unproven(f"uses the filter {_quoted(node.name)}", node)
    elif node.name in vocabulary.ATTRIBUTE_FILTERS:
        yield from _attribute_arguments(node, scope)


def _attribute_arguments(node: nodes.Filter, scope: Scope) -> Iterator[Mark]:
    """Judge the arguments of a filter that name attributes, filters or tests."""
    names = [keyword.value for keyword in node.kwargs if keyword.key == "attribute"]
    if node.name in {"selectattr", "rejectattr", "groupby"}:
        names += node.args[:1]
    elif node.name in {"sum", "min", "max", "unique", "join", "sort"}:
        names += node.args[1:]
    for name in names:
        yield from _dotted_marks(name, scope, node)
    if node.name == "map" and node.args:
        applied = node.args[0].value if isinstance(node.args[0], nodes.Const) else None
        if applied == "attr":
            yield Mark(COMPUTED, Level.ERROR, "fetches attributes with “map('attr')”", node.lineno)
        elif applied not in vocabulary.FILTERS:
            yield _unproven("applies a filter that it names in a way that cannot be followed", node)
        elif applied == "map":
            yield _unproven("applies “map” by name", node)


def _dotted_marks(key: nodes.Node, scope: Scope, node: nodes.Node) -> Iterator[Mark]:
    if isinstance(key, nodes.Const) and isinstance(key.value, str):
        for part in key.value.replace(",", ".").split("."):
            yield from _name_marks(part.strip(), node)
    elif not isinstance(key, nodes.Const):
        value = scope.value(key)
        if any(part.startswith("_") for text in value.texts for part in text.split(".")) or value.marks:
            yield Mark(COMPUTED, Level.ERROR, "names an attribute for a filter out of pieces", node.lineno)


def _test(node: nodes.Test, _: Scope) -> Iterator[Mark]:
    if node.name not in vocabulary.TESTS:
        yield _unproven(f"uses the test {_quoted(node.name)}", node)


_ARITHMETIC: dict[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.FloorDiv: lambda left, right: left // right if right else 0,
}


def _number(node: nodes.Node) -> float | None:
    """Return the value of arithmetic on literals, infinite when it is too large to matter, ``None`` when unknown."""
    if isinstance(node, nodes.Const):
        return min(node.value, 10**30) if isinstance(node.value, int | float) else None
    if isinstance(node, nodes.Neg):
        inner = _number(node.node)
        return None if inner is None else -inner
    if isinstance(node, nodes.BinExpr):
        left, right = _number(node.left), _number(node.right)
        if left is None or right is None:
            return None
        if isinstance(node, nodes.Pow):
            return float("inf") if abs(left) > 1 and right > 60 else float(min(abs(left), 1e4) ** min(right, 60))
        action = _ARITHMETIC.get(type(node))
        return float(max(-1e30, min(1e30, action(left, right)))) if action else None
    return None


def _with_parts(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Expr)


def _range(node: nodes.Call) -> Iterator[Mark]:
    for argument in node.args:
        number = _number(argument)
        if number is not None and abs(number) > REPEATS:
            yield Mark(ENDLESS, Level.ERROR, "counts to a number no conversation needs", node.lineno)
        elif any(isinstance(part, nodes.Pow | nodes.Mul) for part in _with_parts(argument)):
            yield _unproven("counts to a product, which can be very large", node)


def _product(node: nodes.Mul, _: Scope) -> Iterator[Mark]:
    for part, other in ((node.left, node.right), (node.right, node.left)):
        number = _number(part)
        if number is not None and number > REPEATS and not isinstance(_number(other), float | int):
            yield Mark(ENDLESS, Level.ERROR, "repeats something more often than any conversation needs", node.lineno)


def _power(node: nodes.Pow, _: Scope) -> Iterator[Mark]:
    number = _number(node)
    if number is None or number > 1e18:
        yield _unproven("computes a power, which can be very large", node)


def _loops(node: nodes.For, _: Scope) -> Iterator[Mark]:
    """Find loops over literal ranges inside each other whose product is out of bounds."""
    total, current = 1.0, [node]
    while current and total <= REPEATS:
        factor = max((_iterations(loop) for loop in current), default=1.0)
        if factor == 1.0:
            break
        total *= factor
        current = [inner for loop in current for part in loop.body for inner in _inner_loops(part)]
    if total > REPEATS:
        yield Mark(ENDLESS, Level.ERROR, "nests loops that count to very large numbers together", node.lineno)


def _inner_loops(node: nodes.Node) -> list[nodes.For]:
    return [node] if isinstance(node, nodes.For) else list(node.find_all(nodes.For))


def _iterations(loop: nodes.For) -> float:
    call = loop.iter
    if not (isinstance(call, nodes.Call) and isinstance(call.node, nodes.Name) and call.node.name == "range"):
        return 1.0
    numbers = [number for number in map(_number, call.args) if number is not None]
    return max([1.0, *map(abs, numbers)]) if len(numbers) == len(call.args) else 1.0


_HANDLERS: dict[type[nodes.Node], Callable[[Any, Scope], Iterator[Mark]]] = {
    nodes.Getattr: _getattr,
    nodes.NSRef: _nsref,
    nodes.Getitem: _getitem,
    nodes.Name: _name,
    nodes.Const: _const,
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Mul: _product,
    nodes.Pow: _power,
    nodes.For: _loops,
}

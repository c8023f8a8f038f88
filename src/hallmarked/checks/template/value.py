"""What strings a template can build: an abstract interpretation that runs nothing.

A computed subscript such as ``arguments[name]`` is ordinary as long as the name comes from the data. It is a way out
of the sandbox when the template itself glues the name together. So every expression gets a ``Value`` that says which
texts it can be, and whether underscores that the template itself supplies can end up in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import nodes

_MANY = 16
_LONG = 400
_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression can be."""

    texts: frozenset[str] = frozenset()
    """Texts it can be, letter by letter."""
    open: bool = False
    """It can be other texts too: the conversation's, or a mixture of them and the template's."""
    marks: int = 0
    """Underscores that the template supplies to those other texts: 0, 1, or 2 for two and more."""
    leads: bool = False
    """Such an underscore can come first."""
    container: bool = False
    """It is a list, tuple or mapping; the rest speaks of its elements."""

    @property
    def underscores(self) -> int:
        """All underscores the template supplies to it, at most 2."""
        return min(2, max([self.marks, *(text.count("_") for text in self.texts)]))

    def blurred(self, extra: int = 0) -> Value:
        """Return it after an operation that keeps the letters but not their places."""
        marks = min(2, self.underscores + extra)
        return Value(frozenset(), True, marks, marks > 0)


NOTHING = Value()
"""No value at all: the start of a union."""
DATA = Value(open=True)
"""Something that comes from the conversation or from Python; none of its underscores are the template's doing."""
HOSTILE = Value(open=True, marks=2, leads=True)


def join(values: Iterable[Value]) -> Value:
    """Return what is one of ``values``."""
    result = NOTHING
    for value in values:
        texts, more = result.texts | value.texts, result.open or value.open
        marks, leads = max(result.marks, value.marks), result.leads or value.leads
        if len(texts) > _MANY:
            marks = max(marks, *(min(2, text.count("_")) for text in texts))
            leads = leads or any(text.startswith("_") for text in texts)
            texts, more = frozenset(), True
        result = Value(texts, more, marks, leads, result.container or value.container)
    return result


def concat(parts: list[Value]) -> Value:
    """Return what ``parts`` glued together can be."""
    exact = [""]
    for part in parts:
        if part.open or part.container:
            break
        exact = [left + right for left in exact for right in part.texts]
        if len(exact) > _MANY or any(len(text) > _LONG for text in exact):
            break
    else:
        return Value(frozenset(exact))
    marks = min(2, sum(part.underscores for part in parts))
    # A literal that comes first, and does not begin with an underscore, keeps later ones from leading.
    first = parts[0]
    guarded = not first.open and all(text and not text.startswith("_") for text in first.texts)
    return Value(frozenset(), True, marks, marks > 0 and not guarded)


class Scope:
    """Every name of a template with all it can be, whatever the order of execution.

    Args:
        tree: The template.
    """

    def __init__(self, tree: nodes.Template) -> None:
        self.names: defaultdict[str, Value] = defaultdict(Value)
        self.attributes: defaultdict[str, Value] = defaultdict(Value)
        self.macros: dict[str, nodes.Macro] = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
        self.outputs: dict[str, Value] = dict.fromkeys(self.macros, NOTHING)
        self._sources = list(
            tree.find_all((nodes.Assign, nodes.AssignBlock, nodes.For, nodes.With, nodes.Macro, nodes.Call))
        )
        self._assigned: defaultdict[str, list[nodes.Node]] = defaultdict(list)
        for source in self._sources:
            if isinstance(source, nodes.Assign) and isinstance(source.target, nodes.Name):
                self._assigned[source.target.name].append(source.node)
        for _ in range(_ROUNDS):
            before = (dict(self.names), dict(self.attributes), dict(self.outputs))
            for source in self._sources:
                self._learn(source)
            if before == (self.names, self.attributes, self.outputs):
                break

    def _learn(self, node: nodes.Node) -> None:
        """Take in what one statement or call gives to names."""
        if isinstance(node, nodes.Assign):
            self._bind(node.target, self.value(node.node))
        elif isinstance(node, nodes.AssignBlock):
            self._bind(node.target, self._output(node.body))
        elif isinstance(node, nodes.For):
            items = self.value(node.iter)
            self._bind(node.target, replace(items, container=False) if items.container else items.blurred())
        elif isinstance(node, nodes.With):
            for target, value in zip(node.targets, node.values, strict=False):
                self._bind(target, self.value(value))
        elif isinstance(node, nodes.Macro):
            for name, default in zip(reversed(node.args), reversed(node.defaults), strict=False):
                self._bind(name, self.value(default))
            self.outputs[node.name] = join([self.outputs[node.name], self._output(node.body)])
        elif isinstance(node, nodes.Call):
            self._learn_call(node)

    def _learn_call(self, node: nodes.Call) -> None:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name in {"namespace", "dict"}:
            for keyword in node.kwargs:
                self._keep(self.attributes, keyword.key, self.value(keyword.value))
        if isinstance(node.node, nodes.Getattr) and node.node.attr in _FILLERS:
            given = [self.value(part) for part in (*node.args, *(keyword.value for keyword in node.kwargs))]
            self._bind(node.node.node, replace(join([NOTHING, *given]), container=True))
        macro = self.macros.get(name)
        if macro is not None:
            for parameter, argument in zip(macro.args, node.args, strict=False):
                self._bind(parameter, self.value(argument))
            for keyword in node.kwargs:
                self._keep(self.names, keyword.key, self.value(keyword.value))

    def _bind(self, target: nodes.Node, value: Value) -> None:
        if isinstance(target, nodes.Name):
            self._keep(self.names, target.name, value)
        elif isinstance(target, nodes.NSRef | nodes.Getattr):
            self._keep(self.attributes, target.attr, value)
        elif isinstance(target, nodes.Tuple):
            for item in target.items:
                self._bind(item, replace(value, container=False) if value.container else value)

    @staticmethod
    def _keep(table: defaultdict[str, Value], name: str, value: Value) -> None:
        table[name] = join([table[name], value])

    def _output(self, body: list[nodes.Node]) -> Value:
        """Return what a piece of template can write."""
        parts = [
            Value(frozenset({piece.data})) if isinstance(piece, nodes.TemplateData) else self.value(piece)
            for statement in body
            for output in ([statement] if isinstance(statement, nodes.Output) else statement.find_all(nodes.Output))
            for piece in output.nodes
        ]
        plain = all(isinstance(statement, nodes.Output) for statement in body)
        return concat(parts) if plain else concat([DATA, *parts]).blurred()

    def names_macro(self, node: nodes.Node) -> bool:
        """Say whether an expression can only be a macro of this template, or one of a list of them."""
        if isinstance(node, nodes.Getitem):
            return self.names_macro(node.node)
        if not isinstance(node, nodes.Name):
            return False
        return node.name in self.macros or self._only_macros(node.name)

    def _only_macros(self, name: str) -> bool:
        leaves = list(self._assigned.get(name, ()))
        for leaf in leaves:
            if isinstance(leaf, nodes.Add):
                leaves += [leaf.left, leaf.right]
            elif isinstance(leaf, nodes.List | nodes.Tuple):
                leaves += leaf.items
            elif isinstance(leaf, nodes.Call) and isinstance(leaf.node, nodes.Name):
                if leaf.node.name not in {"joiner", "cycler"}:
                    return False
            elif not isinstance(leaf, nodes.Name) or (leaf.name not in self.macros and leaf.name != name):
                return False
        return bool(leaves)

    def value(self, node: nodes.Node | None) -> Value:
        """Return what an expression can be."""
        handler = _HANDLERS.get(type(node)) if node is not None else None
        return handler(self, node) if handler is not None else DATA


_FILLERS = frozenset({"append", "extend", "insert", "update", "setdefault"})
_CALLABLES = frozenset({"lipsum", "cycler", "joiner", "range", "dict", "self", "namespace"})
_RESHAPED = frozenset({"list", "split", "rsplit", "splitlines", "partition", "rpartition", "batch", "slice"})


def _const(_: Scope, node: nodes.Const) -> Value:
    return Value(frozenset({node.value})) if isinstance(node.value, str) else DATA


def _name(scope: Scope, node: nodes.Name) -> Value:
    # Whatever a name was set to, it can be undefined or come from outside on another path.
    known = join([scope.names.get(node.name, NOTHING), DATA])
    # The text form of a function is full of underscores.
    return HOSTILE if node.name in _CALLABLES or node.name in scope.macros else known


def _many(scope: Scope, node: nodes.List | nodes.Tuple) -> Value:
    return replace(join([scope.value(item) for item in node.items]), container=True)


def _dict(scope: Scope, node: nodes.Dict) -> Value:
    parts = [scope.value(part) for pair in node.items for part in (pair.key, pair.value)]
    return replace(join(parts), container=True)


def _getattr(scope: Scope, node: nodes.Getattr) -> Value:
    inner = scope.value(node.node)
    return join([replace(inner, container=False), scope.attributes.get(node.attr, NOTHING), DATA])


def _getitem(scope: Scope, node: nodes.Getitem) -> Value:
    inner = scope.value(node.node)
    key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    if inner.container:
        return replace(inner, container=isinstance(node.arg, nodes.Slice))
    if isinstance(key, str):
        return join([inner, scope.attributes.get(key, NOTHING), DATA])
    if isinstance(key, int) and not inner.open:
        return Value(frozenset(text[key] for text in inner.texts if -len(text) <= key < len(text)))
    return inner.blurred()


def _concat(scope: Scope, node: nodes.Concat) -> Value:
    return concat([scope.value(part) for part in node.nodes])


def _add(scope: Scope, node: nodes.Add) -> Value:
    parts: list[nodes.Node] = []
    left: nodes.Node = node
    while isinstance(left, nodes.Add):
        parts.append(left.right)
        left = left.left
    values = [scope.value(part) for part in (left, *reversed(parts))]
    if any(value.container for value in values):
        return replace(join(values), container=True)
    return concat(values)


def _repeat(scope: Scope, node: nodes.Mul) -> Value:
    values = join([scope.value(node.left), scope.value(node.right)])
    return HOSTILE if values.underscores else DATA


def _percent(scope: Scope, node: nodes.Mod) -> Value:
    return _formatted([scope.value(node.left), scope.value(node.right)])


def _formatted(values: list[Value]) -> Value:
    """Return what comes of filling a pattern; ``%c`` can make any letter out of a number."""
    if any("%c" in text or ":c}" in text for value in values for text in value.texts):
        return HOSTILE
    marks = min(2, sum(value.underscores for value in values))
    return Value(frozenset(), True, marks, marks > 0)


def _choice(scope: Scope, node: nodes.CondExpr) -> Value:
    return join([scope.value(node.expr1), scope.value(node.expr2)])


def _either(scope: Scope, node: nodes.BinExpr) -> Value:
    return join([scope.value(node.left), scope.value(node.right)])


_EXACT: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "title": str.title,
    "capitalize": str.capitalize,
    "string": str,
    "safe": str,
}
_NUMBERS = frozenset(
    {"length", "count", "int", "float", "round", "abs", "wordcount", "sum", "find", "index", "startswith", "endswith"}
)
_GLUE = frozenset({"join", "replace", "format", "indent", "center", "ljust", "rjust", "zfill", "wordwrap", "truncate"})
_SELECT = frozenset(
    {"list", "first", "last", "sort", "unique", "select", "reject", "selectattr", "rejectattr", "map", "max", "min"}
)
_FETCH = frozenset({"default", "d", "get", "pop", "setdefault"})


def _applied(name: str, value: Value, arguments: list[Value]) -> Value:  # noqa: PLR0911 -- one line per kind
    """Return what a filter or method of that name makes of a value."""
    if name in _NUMBERS:
        return DATA
    if name in _EXACT and not arguments:
        if value.marks or value.container:
            return value.blurred()
        return replace(value, texts=frozenset(_EXACT[name](text) for text in value.texts))
    if name == "format":
        return _formatted([value, *arguments])
    if name in _FETCH:
        return join([replace(value, container=False) if value.container else value, *arguments])
    if name in _SELECT and value.container:
        return replace(value, container=name not in {"first", "last", "max", "min"})
    if name == "cycle":
        return join(arguments)
    if name in {"items", "keys", "values", "dictsort"}:
        return replace(value, container=True) if value.container else DATA
    if name in _GLUE:
        # Glue can be applied many times over, and so can what is joined.
        total = min(
            2, value.underscores * (2 if name == "join" else 1) + 2 * sum(part.underscores for part in arguments)
        )
        return Value(frozenset(), True, total, total > 0)
    return replace(value.blurred(), container=name in _RESHAPED)


def _filter(scope: Scope, node: nodes.Filter) -> Value:
    if node.node is None:
        return DATA
    arguments = [scope.value(part) for part in (*node.args, *(keyword.value for keyword in node.kwargs))]
    return _applied(node.name, scope.value(node.node), arguments)


def _call(scope: Scope, node: nodes.Call) -> Value:  # noqa: PLR0911 -- one line per kind
    arguments = [scope.value(part) for part in (*node.args, *(keyword.value for keyword in node.kwargs))]
    if isinstance(node.node, nodes.Getattr):
        return _applied(node.node.attr, scope.value(node.node.node), arguments)
    if not isinstance(node.node, nodes.Name):
        return DATA
    name = node.node.name
    if name in scope.outputs:
        return scope.outputs[name].blurred()
    if name in {"dict", "namespace"}:
        keys = Value(frozenset(keyword.key for keyword in node.kwargs))
        return replace(join([keys, *arguments]), container=True)
    if name in {"caller", "lipsum", "cycler", "joiner"}:
        return HOSTILE
    if name == "strftime_now":
        return join(arguments).blurred()
    return DATA


_HANDLERS: dict[type[nodes.Node], Callable[[Scope, Any], Value]] = {
    nodes.Const: _const,
    nodes.Name: _name,
    nodes.List: _many,
    nodes.Tuple: _many,
    nodes.Dict: _dict,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Concat: _concat,
    nodes.Add: _add,
    nodes.Mul: _repeat,
    nodes.Mod: _percent,
    nodes.CondExpr: _choice,
    nodes.And: _either,
    nodes.Or: _either,
    nodes.Filter: _filter,
    nodes.Call: _call,
}

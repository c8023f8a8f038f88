"""Follow names to what they stand for, and constant expressions to their value, without running anything.

Enough to see through ``import os as o``, ``from os import system as s``, ``getattr(__import__("o" + "s"), "sys" +
"tem")`` and variables that are set to such things. It does not follow control flow: a name stands for everything that
it is ever set to.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from hallmarked.checks.code import vocabulary

_DEPTH = 25
_LONG = 1 << 16
_MANY = 8
_DYNAMIC_IMPORTS = frozenset({"builtins.__import__", "importlib.import_module", "importlib.__import__"})


@dataclass(frozen=True, slots=True)
class Ref:
    """What a name stands for."""

    name: str
    """Dotted, with builtins under ``builtins``."""
    hidden: bool = False
    """It is reached by looking a name up at run time instead of writing it."""


Binding = tuple[int, str]
"""A variable: the function it belongs to (0 for the module, -1 for attributes of ``self``) and its name."""


class Names:
    """All names of a module.

    Args:
        tree: The module.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._imported: defaultdict[str, set[str]] = defaultdict(set)
        self.values: defaultdict[Binding, list[ast.expr]] = defaultdict(list)
        self._parameters: set[Binding] = set()
        self._defined: set[str] = set()
        self._scopes: dict[int, int] = {}
        self._parents: dict[int, int] = {}
        self._shared: set[Binding] = set()
        # A name may be set in terms of itself; while it is being followed it stands for nothing.
        self._known: dict[int | Binding, set[Ref]] = {}
        self._folded: dict[Binding, str | bytes | int | None] = {}
        nodes = list(self._scoped(tree))
        self._shared = {(scope, name) for node, scope in nodes if isinstance(node, ast.Global) for name in node.names}
        for node, scope in nodes:
            self._take(node, scope)

    def _scoped(self, tree: ast.Module) -> Iterator[tuple[ast.AST, int]]:
        """Yield every node with the function it stands in."""
        pending: list[tuple[ast.AST, int]] = [(tree, 0)]
        while pending:
            node, scope = pending.pop()
            yield node, scope
            if isinstance(node, ast.Name):
                self._scopes[id(node)] = scope
            inner = scope
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = id(node)
                self._parents[inner] = scope
            pending += [(child, inner) for child in ast.iter_child_nodes(node)]

    def _take(self, node: ast.AST, scope: int) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                self._imported[alias.asname or name].add(name)
        elif isinstance(node, ast.ImportFrom):
            self._take_from(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value, scope)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._defined.add(node.name)
        elif isinstance(node, ast.arg):
            self._parameters.add((scope, node.arg))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr, scope)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(node.target, node.iter, scope)

    def _take_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                for name in vocabulary.STAR_IMPORTS.get(module, ()):
                    self._imported[name].add(f"{module}.{name}")
            else:
                self._imported[alias.asname or alias.name].add(f"{module}.{alias.name}")

    def _bind(self, target: ast.expr, value: ast.expr, scope: int) -> None:
        if isinstance(target, ast.Name):
            key = (0, target.id) if (scope, target.id) in self._shared else (scope, target.id)
            self.values[key].append(value)
        elif (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id in {"self", "cls"}
        ):
            self.values[-1, target.attr].append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = (
                value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
            )
            for index, item in enumerate(target.elts):
                self._bind(item, parts[index] if parts else value, scope)

    def binding(self, node: ast.expr) -> Binding | None:
        """Return which variable a name, or an attribute of ``self``, is; ``None`` when nothing here sets it."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
            return (-1, node.attr) if (-1, node.attr) in self.values else None
        if not isinstance(node, ast.Name):
            return None
        scope = self._scopes.get(id(node), 0)
        while True:
            if (scope, node.id) in self.values or (scope, node.id) in self._parameters:
                return scope, node.id
            if scope == 0:
                return None
            scope = self._parents.get(scope, 0)

    def resolve(self, node: ast.expr, depth: int = 0) -> set[Ref]:
        """Return everything an expression can stand for by name; empty when it is not a name of anything known."""
        if isinstance(node, ast.Name):
            return self._resolve_name(node.id, depth, self.binding(node))
        if depth > _DEPTH:
            return set()
        if id(node) not in self._known:
            self._known[id(node)] = set()
            self._known[id(node)] = self._resolve(node, depth)
        return self._known[id(node)]

    def _resolve(self, node: ast.expr, depth: int) -> set[Ref]:  # noqa: PLR0911 -- one line per kind
        if isinstance(node, ast.Attribute):
            return {self._member(ref, node.attr) for ref in self.resolve(node.value, depth + 1)}
        if isinstance(node, ast.Call):
            return self._resolve_call(node, depth)
        if isinstance(node, ast.Subscript):
            return self._resolve_item(node, depth)
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.resolve(node.value, depth + 1)
        if isinstance(node, ast.IfExp):
            return self.resolve(node.body, depth + 1) | self.resolve(node.orelse, depth + 1)
        if isinstance(node, ast.BoolOp):
            return set().union(*(self.resolve(value, depth + 1) for value in node.values[:_MANY]))
        return set()

    def _resolve_name(self, name: str, depth: int, binding: Binding | None) -> set[Ref]:
        key = binding or (0, name)
        if key in self._known:
            return self._known[key]
        self._known[key] = set()
        refs = {Ref(target) for target in self._imported.get(name, ())}
        for value in self.values.get(key, ())[:_MANY]:
            refs |= self.resolve(value, depth + 1)
        if not refs and binding is None and name in vocabulary.BUILTINS and name not in self._defined:
            refs.add(Ref(f"builtins.{name}"))
        if name == "__builtins__":
            refs.add(Ref("builtins", hidden=True))
        self._known[key] = set(sorted(refs, key=lambda ref: (ref.name, ref.hidden))[:_MANY])
        return self._known[key]

    @staticmethod
    def _member(ref: Ref, name: str) -> Ref:
        # A member of a module's table of names is a member of the module.
        if ref.name.endswith("__dict__") and name in {"get", "__getitem__", "pop"}:
            return ref
        return Ref("builtins" if name == "__builtins__" else f"{ref.name}.{name}", ref.hidden)

    def _resolve_call(self, node: ast.Call, depth: int) -> set[Ref]:
        found: set[Ref] = set()
        for ref in self.resolve(node.func, depth + 1):
            if ref.name in _DYNAMIC_IMPORTS and node.args:
                found |= self._named(node.args[0], depth, "", top=ref.name != "importlib.import_module")
            elif ref.name == "builtins.getattr" and len(node.args) >= 2:
                found |= self._attribute(node.args[0], node.args[1], depth)
            elif ref.name == "builtins.vars" and node.args:
                found |= {Ref(f"{inner.name}.__dict__", hidden=True) for inner in self.resolve(node.args[0], depth + 1)}
            elif ref.name in {"builtins.globals", "builtins.locals"}:
                found.add(Ref("__dict__", hidden=True))
            elif ref.name.endswith("__dict__") and node.args:
                found |= self._looked_up(ref, node.args[0], depth)
            elif ref.name in {"functools.partial", "operator.attrgetter"} and node.args:
                found |= self.resolve(node.args[0], depth + 1)
            else:
                # What a class or function returns goes by the name of its maker: ``socket.socket().connect``.
                found.add(ref)
        return found

    def _attribute(self, owner: ast.expr, key: ast.expr, depth: int) -> set[Ref]:
        refs = self.resolve(owner, depth + 1)
        name = self.fold(key, depth + 1)
        if isinstance(name, str):
            return {Ref(f"{ref.name}.{name}", hidden=True) for ref in refs}
        return {Ref(f"{ref.name}.?", hidden=True) for ref in refs if ref.name in vocabulary.SENSITIVE_MODULES}

    def _named(self, key: ast.expr, depth: int, prefix: str, *, top: bool = False) -> set[Ref]:
        name = self.fold(key, depth + 1)
        if not isinstance(name, str):
            return set()
        return {Ref(prefix + (name.partition(".")[0] if top else name), hidden=True)}

    def _looked_up(self, table: Ref, key: ast.expr, depth: int) -> set[Ref]:
        """Return what a table of names holds under a key; the table without a module is the one of this module."""
        if table.name == "__dict__":
            name = self.fold(key, depth + 1)
            if name == "__builtins__":
                return {Ref("builtins", hidden=True)}
            return (
                {Ref(ref.name, hidden=True) for ref in self._resolve_name(name, depth, None)}
                if isinstance(name, str)
                else set()
            )
        return self._named(key, depth, f"{table.name.removesuffix('.__dict__')}.")

    def _resolve_item(self, node: ast.Subscript, depth: int) -> set[Ref]:
        found: set[Ref] = set()
        for ref in self.resolve(node.value, depth + 1):
            if ref.name == "sys.modules":
                found |= self._named(node.slice, depth, "")
            elif ref.name.endswith("__dict__") or ref.name == "builtins":
                found |= self._looked_up(ref, node.slice, depth)
        if not found and isinstance(node.value, ast.Dict | ast.List | ast.Tuple):
            parts = node.value.values if isinstance(node.value, ast.Dict) else node.value.elts
            found = set().union(*(self.resolve(part, depth + 1) for part in parts[:_MANY]))
        return found

    def fold(self, node: ast.expr, depth: int = 0) -> str | bytes | int | None:  # noqa: PLR0911 -- one line per kind
        """Return the value of an expression that only puts constants together; ``None`` when it does more."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str | bytes | int) else None
        if isinstance(node, ast.Name | ast.Attribute):
            return self._fold_name(self.binding(node), depth)
        if isinstance(node, ast.BinOp):
            return self._fold_operation(node, depth)
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.fold(part.value if isinstance(part, ast.FormattedValue) else part, depth + 1)
                for part in node.values
            ]
            return "".join(map(str, parts)) if None not in parts else None
        if isinstance(node, ast.Subscript):
            return self._fold_slice(node, depth)
        return self._fold_call(node, depth) if isinstance(node, ast.Call) else None

    def _fold_name(self, binding: Binding | None, depth: int) -> str | bytes | int | None:
        values = self.values.get(binding, ()) if binding is not None else ()
        if binding is None or len(values) != 1 or binding in self._parameters:
            return None
        if binding not in self._folded:
            self._folded[binding] = None
            self._folded[binding] = self.fold(values[0], depth + 1)
        return self._folded[binding]

    def _fold_operation(self, node: ast.BinOp, depth: int) -> str | bytes | int | None:
        left, right = self.fold(node.left, depth + 1), self.fold(node.right, depth + 1)
        if isinstance(node.op, ast.Add):
            if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) <= _LONG:
                return left + right
            if isinstance(left, bytes) and isinstance(right, bytes) and len(left) + len(right) <= _LONG:
                return left + right
        if isinstance(left, int) and isinstance(right, int) and max(abs(left), abs(right)) < _LONG:
            actions = {ast.Add: left + right, ast.Sub: left - right, ast.BitXor: left ^ right, ast.Mult: left * right}
            return actions.get(type(node.op))
        return None

    def _fold_slice(self, node: ast.Subscript, depth: int) -> str | bytes | int | None:
        value = self.fold(node.value, depth + 1)
        if not isinstance(value, str | bytes):
            return None
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if part is None else _integer(part)
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return None if bounds[2] == 0 else value[slice(*bounds)]
        index = _integer(node.slice)
        return value[index : index + 1 or None] if index is not None and isinstance(value, str) else None

    def _fold_call(self, node: ast.Call, depth: int) -> str | bytes | int | None:
        if isinstance(node.func, ast.Name) and node.func.id == "chr" and len(node.args) == 1:
            number = self.fold(node.args[0], depth + 1)
            return chr(number) if isinstance(number, int) and 0 <= number < 0x110000 else None
        if isinstance(node.func, ast.Name) and node.func.id in {"bytes", "bytearray"} and len(node.args) == 1:
            numbers = self._numbers(node.args[0], depth)
            return bytes(numbers) if numbers is not None and all(number < 256 for number in numbers) else None
        decoded = self._fold_decoder(node, depth)
        if decoded is not None or not isinstance(node.func, ast.Attribute):
            return decoded
        if node.func.attr == "join" and len(node.args) == 1:
            return self._fold_join(node.func.value, node.args[0], depth)
        if node.func.attr == "fromhex" and node.args:
            text = self.fold(node.args[0], depth + 1)
            return _unhex(text) if isinstance(text, str) else None
        return self._fold_method(node.func, [self.fold(argument, depth + 1) for argument in node.args[:3]], depth)

    def _fold_decoder(self, node: ast.Call, depth: int) -> str | bytes | None:
        names = {ref.name for ref in self.resolve(node.func, depth + 1)} & vocabulary.DECODE
        value = self.fold(node.args[0], depth + 1) if names and node.args else None
        if not isinstance(value, str | bytes) or len(value) > _LONG:
            return None
        raw = value.encode("utf-8", "replace") if isinstance(value, str) else value
        name = min(names)
        if name in {"base64.b64decode", "base64.urlsafe_b64decode", "base64.standard_b64decode", "binascii.a2b_base64"}:
            try:
                return base64.b64decode(raw.translate(bytes.maketrans(b"-_", b"+/")))
            except binascii.Error:
                return None
        if name in {"binascii.unhexlify", "binascii.a2b_hex", "builtins.bytes.fromhex", "base64.b16decode"}:
            return _unhex(raw.decode("latin-1"))
        if name == "codecs.decode" and isinstance(value, str) and len(node.args) > 1:
            return codecs.decode(value, "rot13") if self.fold(node.args[1], depth + 1) in {"rot13", "rot_13"} else None
        return None

    def _fold_join(self, glue: ast.expr, parts: ast.expr, depth: int) -> str | bytes | None:
        between = self.fold(glue, depth + 1)
        if isinstance(parts, ast.List | ast.Tuple):
            folded = [self.fold(part, depth + 1) for part in parts.elts[:_LONG]]
            texts = [part for part in folded if isinstance(part, str)]
            return between.join(texts)[:_LONG] if isinstance(between, str) and len(texts) == len(folded) else None
        numbers = self._numbers(parts, depth)
        if isinstance(between, str) and numbers is not None:
            return between.join(chr(number) for number in numbers)
        text = self.fold(parts.args[0], depth + 1) if _is_call(parts, "reversed") else self.fold(parts, depth + 1)
        if not isinstance(between, str) or not isinstance(text, str):
            return None
        return between.join(reversed(text) if _is_call(parts, "reversed") else text)

    def _numbers(self, node: ast.expr, depth: int) -> list[int] | None:
        """Return the numbers of ``[…]``, ``map(chr, […])`` or ``(chr(x) for x in […])``."""
        if depth > _DEPTH:
            return None
        binding = self.binding(node)
        if binding is not None and len(self.values.get(binding, ())) == 1:
            return self._numbers(self.values[binding][0], depth + 1)
        if isinstance(node, ast.Call) and _is_call(node, "map") and len(node.args) == 2:
            return self._numbers(node.args[1], depth + 1)
        if isinstance(node, ast.GeneratorExp | ast.ListComp) and _is_call(node.elt, "chr"):
            return self._numbers(node.generators[0].iter, depth + 1)
        if not isinstance(node, ast.List | ast.Tuple) or len(node.elts) > _LONG:
            return None
        numbers = [part.value if isinstance(part, ast.Constant) else None for part in node.elts]
        valid = [number for number in numbers if isinstance(number, int) and 0 <= number < 0xD800]
        return valid if valid and len(valid) == len(numbers) else None

    def _fold_method(
        self, function: ast.Attribute, arguments: list[str | bytes | int | None], depth: int
    ) -> str | bytes | None:
        value = self.fold(function.value, depth + 1)
        if isinstance(value, bytes) and function.attr == "decode":
            return value.decode("utf-8", "replace")
        if isinstance(value, str) and function.attr == "encode":
            return value.encode("utf-8", "replace")
        if not isinstance(value, str):
            return None
        if function.attr in {"lower", "upper", "strip", "title", "capitalize", "swapcase"} and not arguments:
            return str(getattr(str, function.attr)(value))
        if function.attr == "replace" and len(arguments) == 2:
            old, new = arguments
            if isinstance(old, str) and isinstance(new, str) and old and value.count(old) * len(new) <= _LONG:
                return value.replace(old, new)
        return None


def _is_call(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and bool(node.args)


def _integer(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _integer(node.operand)
        return None if inner is None else -inner
    return None


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None

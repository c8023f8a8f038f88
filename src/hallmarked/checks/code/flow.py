"""When code runs, and where its values come from.

Code at the top of a module runs as soon as anything imports it; a function runs when somebody calls it. Values are
followed by name, without regard to order: a variable carries the mark of everything it is ever set to.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum

from hallmarked.checks.code import vocabulary
from hallmarked.checks.code.names import Binding, Names

_ROUNDS = 6
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__call__", "__init_subclass__", "__enter__"})
_ROT = frozenset({"rot13", "rot_13", "hex", "hex_codec", "base64", "base64_codec", "zlib", "zip", "bz2", "uu"})

SECRET_PATH = re.compile(
    r"\.ssh[/\\]|\bid_(?:rsa|dsa|ed25519|ecdsa)\b|\.aws[/\\]credentials|\.netrc\b|/etc/shadow"
    r"|\.docker[/\\]config\.json|\.kube[/\\]config|\.git-credentials"
    r"|\.pypirc\b|\.npmrc\b|wallet\.dat|Login Data|cookies\.sqlite|/proc/self/environ"
    r"|169\.254\.169\.254|application_default_credentials|\.config[/\\]gcloud|keychain-db"
)
"""Places where credentials are kept."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Part = ast.Subscript | ast.Attribute | ast.Name | ast.Call | ast.Constant


class Tag(StrEnum):
    """Where a value comes from."""

    DECODED = "decoded"
    NETWORK = "network"
    FILE = "file"
    ENVIRONMENT = "environment"
    CREDENTIAL = "credential"


def timed_nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node of a module and whether it runs when the module is imported."""
    functions: defaultdict[str, list[Function]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            functions[node.name].append(node)
        elif isinstance(node, ast.ClassDef):
            functions[node.name] += [
                part for part in node.body if isinstance(part, Function) and part.name in _CONSTRUCTORS
            ]
    seen: set[int] = set()
    pending: list[ast.AST] = [tree]
    deferred: list[ast.AST] = []
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node, True
        now, later = _parts(node)
        pending += now
        deferred += later
        for name in _called_names(node):
            for function in functions.get(name, ()):
                pending += function.body
    pending = deferred
    while pending:
        node = pending.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node, False
            pending += ast.iter_child_nodes(node)


def _parts(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """Return what of a node runs with it, and what runs later."""
    if isinstance(node, Function):
        return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)], [*node.body]
    if isinstance(node, ast.If) and _is_main(node.test):
        return [*node.orelse], [*node.body]
    return [*ast.iter_child_nodes(node)], []


def _is_main(test: ast.expr) -> bool:
    """Recognise ``__name__ == "__main__"``."""
    if not isinstance(test, ast.Compare) or not isinstance(test.left, ast.Name) or test.left.id != "__name__":
        return False
    return isinstance(test.ops[0], ast.Eq) and any(
        isinstance(part, ast.Constant) and part.value == "__main__" for part in test.comparators
    )


def _called_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        target = node.func
        if isinstance(target, ast.Name):
            return [target.id]
        return (
            [target.attr] if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name | ast.Call) else []
        )
    if isinstance(node, Function | ast.ClassDef):
        return [part.id for part in node.decorator_list if isinstance(part, ast.Name)]
    return []


class Flow:
    """Where the values of a module's names come from.

    Args:
        tree: The module.
        names: What its names stand for.
    """

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self._names = names
        self._tags: defaultdict[Binding, set[Tag]] = defaultdict(set)
        self._returns: defaultdict[str, set[Tag]] = defaultdict(set)
        self._parts: dict[int, list[_Part]] = {}
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
        returned = {
            name: [part.value for part in ast.walk(function) if isinstance(part, ast.Return) and part.value is not None]
            for name, function in self._functions.items()
        }
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        for _ in range(_ROUNDS):
            before = self._size()
            for binding, values in names.values.items():
                for value in values:
                    self._tags[binding] |= self.tags(value)
            for name, parts in returned.items():
                self._returns[name] |= self.tags(*parts)
            for call in calls:
                self._pass_arguments(call)
            if self._size() == before:
                break

    def _size(self) -> int:
        return sum(map(len, self._tags.values())) + sum(map(len, self._returns.values()))

    def _pass_arguments(self, call: ast.Call) -> None:
        function = self._functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if function is None:
            return
        for parameter, argument in zip(function.args.args, call.args, strict=False):
            self._tags[id(function), parameter.arg] |= self.tags(argument)
        for keyword in call.keywords:
            if keyword.arg is not None:
                self._tags[id(function), keyword.arg] |= self.tags(keyword.value)

    def tags(self, *nodes: ast.AST) -> set[Tag]:
        """Return where the values that go into expressions come from."""
        found: set[Tag] = set()
        single: set[int] = set()
        for root in nodes:
            for node in self._telling(root):
                if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr in {"get", "pop"}):
                    single.add(id(node.value))  # one variable of the environment is not the environment
                binding = self._names.binding(node) if isinstance(node, ast.Name | ast.Attribute) else None
                if binding is not None:
                    found |= self._tags.get(binding, set()) - ({Tag.ENVIRONMENT} if id(node) in single else set())
                elif isinstance(node, ast.Call):
                    found |= self._call_tags(node)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SECRET_PATH.search(node.value):
                    found.add(Tag.CREDENTIAL)
                elif isinstance(node, ast.Subscript) and self._reverses(node):
                    found.add(Tag.DECODED)
                if isinstance(node, ast.Attribute | ast.Name) and id(node) not in single and self._is_environment(node):
                    found.add(Tag.ENVIRONMENT)
        return found

    def _telling(self, root: ast.AST) -> list[_Part]:
        """Return the parts of an expression that can carry a tag; values are looked at in every round."""
        if id(root) not in self._parts:
            self._parts[id(root)] = [node for node in ast.walk(root) if isinstance(node, _Part)]
        return self._parts[id(root)]

    def _reverses(self, node: ast.Subscript) -> bool:
        """Recognise text that is written backwards: ``"…"[::-1]``."""
        backwards = isinstance(node.slice, ast.Slice) and isinstance(node.slice.step, ast.UnaryOp)
        return backwards and isinstance(self._names.fold(node.value), str | bytes)

    def _is_environment(self, node: ast.Attribute | ast.Name) -> bool:
        if isinstance(node, ast.Attribute) and node.attr not in {"environ", "environb"}:
            return False
        return any(ref.name in vocabulary.ENVIRONMENT for ref in self._names.resolve(node))

    def _call_tags(self, node: ast.Call) -> set[Tag]:
        found: set[Tag] = set()
        for ref in self._names.resolve(node.func):
            if ref.name in vocabulary.DECODE or ref.name == "builtins.chr":
                found.add(Tag.DECODED)
            elif vocabulary.is_network(ref.name) and not ref.name.startswith("socket."):
                found.add(Tag.NETWORK)
            elif ref.name in {"builtins.open", "io.open", "codecs.open"}:
                found.add(Tag.FILE)
        if isinstance(node.func, ast.Name):
            found |= self._returns.get(node.func.id, set())
        elif isinstance(node.func, ast.Attribute):
            codec = self._names.fold(node.args[0]) if node.args else None
            if node.func.attr in {"decrypt", "fromhex"} or (node.func.attr == "decode" and codec in _ROT):
                found.add(Tag.DECODED)
            elif node.func.attr in {"recv", "recvfrom"}:
                found.add(Tag.NETWORK)
            elif node.func.attr in {"read_text", "read_bytes"}:
                found.add(Tag.FILE)
            if isinstance(node.func.value, ast.Name) and node.func.value.id in {"self", "cls"}:
                found |= self._returns.get(node.func.attr, set())
        return found

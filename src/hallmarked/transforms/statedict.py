"""Find the weights in what a checkpoint holds: names with tensors, and a list of everything else.

A checkpoint has no layout that everybody keeps to. What is unambiguous is taken; where several parts could be meant,
the caller has to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError, InputError, LimitExceeded
from hallmarked.formats.pickle.values import Array, Call, Dict, Set, Span, Value
from hallmarked.transforms.rebuild import MAPPINGS, is_empty, is_tensor, rebuild
from hallmarked.transforms.tensor import Tensor

WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "params", "weights")
"""Keys under which training frameworks put the weights beside other things."""
MAX_DEPTH = 50
"""Containers within containers."""
MAX_ENTRIES = 1_000_000
"""Names with values; the header of the result could hold few more."""

_SCALARS = frozenset({type(None), bool, int, float, str, bytes})


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something of the source that is not in the result."""

    name: str
    """Its path in the checkpoint, keys joined by dots."""
    what: str
    """What it is."""
    reason: str


@dataclass(slots=True)
class Weights:
    """What goes into the result."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    """In the order of the source."""
    dropped: list[Dropped] = field(default_factory=list)


def find_weights(root: Value, select: str | None = None) -> Weights:
    """Find the weights in a checkpoint.

    Args:
        root: What the checkpoint's pickle builds.
        select: Key of the part that is meant, when there are several.

    Raises:
        InputError: When there is no such part.
        FormatError: When the weights cannot be told from the rest, or one of them cannot be converted.
    """
    survey, weights, path = _Survey(), Weights(), ""
    mapping = root
    while (key := _wrapped(survey, mapping, select)) is not None:
        path += f"{key}."
        for name, value in survey.pairs(mapping):
            if name != key:
                reason = f"not part of the weights, which are in {path[:-1]}"
                weights.dropped.append(Dropped(_text(name), survey.describe(value), reason))
        mapping, select = dict(survey.text_pairs(mapping))[key], None
        if path.count(".") > MAX_DEPTH:
            raise LimitExceeded(f"more than {MAX_DEPTH} mappings within mappings")
    _Flattening(survey, weights).add_mapping(mapping, "")
    if not weights.tensors:
        raise FormatError("it holds no tensors by name")
    return weights


def _wrapped(survey: _Survey, mapping: Value, select: str | None) -> str | None:
    """Return the key under which the weights lie, or None when the mapping itself is the weights.

    Raises:
        InputError: When ``select`` is not a key with weights.
        FormatError: When several parts could be meant.
    """
    if not is_mapping(mapping):
        raise FormatError(f"it holds {survey.describe(mapping)}, not tensors by name")
    parts = [key for key, value in survey.text_pairs(mapping) if survey.holds_weights(value)]
    if select is not None:
        if select not in parts:
            raise InputError(f"no weights under {select!r}; there are some under: {', '.join(parts) or 'no key'}")
        return select
    usual = [key for key in parts if key in WRAPPERS]
    if len(usual) == 1:
        return usual[0]
    direct = any(is_tensor(value) for _, value in survey.text_pairs(mapping))
    if not parts or (not direct and len(parts) == 1):
        return parts[0] if parts else None
    if not usual and survey.only_tensors(mapping):
        return None
    raise FormatError(f"it holds several sets of tensors ({', '.join(parts)}); select the one that is meant")


@dataclass(slots=True)
class _Flattening:
    """Joins the names of nested mappings with dots."""

    survey: _Survey
    weights: Weights
    entries: int = 0

    def add_mapping(self, mapping: Value, prefix: str, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"more than {MAX_DEPTH} mappings within mappings")
        if isinstance(mapping, Call) and any(not is_empty(state) for state in mapping.states):
            self._drop(f"{prefix}_metadata", "attributes of the mapping, such as versions of modules", "not tensors")
        for key, value in self.survey.pairs(mapping):
            self.entries += 1
            if self.entries > MAX_ENTRIES:
                raise LimitExceeded(f"more than {MAX_ENTRIES:,} names")
            name = prefix + _text(key)
            if is_tensor(value):
                self._add_tensor(name, key, value)
            elif type(key) is str and self.survey.holds_weights(value):
                self.add_mapping(value, f"{name}.", depth + 1)
            elif self.survey.is_plain(value):
                self._drop(name, self.survey.describe(value), "not a tensor")
            else:
                what = self.survey.describe(value)
                raise FormatError(f"{name} is {what}, which is neither a tensor nor plain data")

    def _drop(self, name: str, what: str, reason: str) -> None:
        self.weights.dropped.append(Dropped(name, what, reason))

    def _add_tensor(self, name: str, key: Value, value: Call) -> None:
        if type(key) is not str:
            raise FormatError(f"a tensor has the name {_text(key)}, which is not text")
        if name in self.weights.tensors:
            raise FormatError(f"two tensors would be named {name}")
        try:
            rebuilt = rebuild(value)
        except FormatError as error:
            raise FormatError(f"{name}: {error}", offset=error.offset) from error
        self.weights.tensors[name] = rebuilt.tensor
        if not is_empty(rebuilt.attributes):
            self._drop(name, "attributes of the tensor object", "the format holds numbers only")


def is_mapping(value: Value) -> bool:
    """Say whether a value is a ``dict`` or one of its kin."""
    return isinstance(value, Dict) or (isinstance(value, Call) and value.target() in MAPPINGS)


class _Survey:
    """Questions about values, each answered once: values may share parts many times over."""

    def __init__(self) -> None:
        self._pairs: dict[int, list[tuple[Value, Value]]] = {}
        self._answers: dict[tuple[str, int], bool] = {}

    def pairs(self, mapping: Value) -> list[tuple[Value, Value]]:
        """Return a mapping's entries as a reader sees them: each key once, at its first place, with its last value."""
        if id(mapping) not in self._pairs:
            pairs = [*_initial_pairs(mapping), *mapping.pairs()]
            seen: dict[object, tuple[Value, Value]] = {}
            for key, value in pairs:
                seen[(type(key), key) if type(key) in _SCALARS else id(key)] = (key, value)
            self._pairs[id(mapping)] = list(seen.values())
        return self._pairs[id(mapping)]

    def text_pairs(self, mapping: Value) -> list[tuple[str, Value]]:
        """Return the entries whose key is text."""
        return [(key, value) for key, value in self.pairs(mapping) if type(key) is str]

    def holds_weights(self, value: Value, depth: int = 0) -> bool:
        """Say whether a value is a mapping with tensors under text keys, however deep."""
        if not is_mapping(value):
            return False
        return self._answer(
            "holds",
            value,
            depth,
            lambda: any(is_tensor(part) or self.holds_weights(part, depth + 1) for _, part in self.text_pairs(value)),
        )

    def only_tensors(self, value: Value, depth: int = 0) -> bool:
        """Say whether a value is a mapping of text to tensors and to mappings of the same kind."""
        if not is_mapping(value):
            return False
        return self._answer(
            "only",
            value,
            depth,
            lambda: all(
                type(key) is str and (is_tensor(part) or self.only_tensors(part, depth + 1))
                for key, part in self.pairs(value)
            ),
        )

    def is_plain(self, value: Value, depth: int = 0) -> bool:
        """Say whether a value is made of numbers, texts and containers only."""
        if type(value) in _SCALARS or isinstance(value, Span):
            return True
        parts: list[Value]
        if is_mapping(value):
            parts = [part for pair in self.pairs(value) for part in pair]
        elif type(value) in {tuple, list}:
            parts = list(value)
        elif isinstance(value, Set):
            parts = value.items
        else:
            return False
        return self._answer("plain", value, depth, lambda: all(self.is_plain(part, depth + 1) for part in parts))

    def _answer(self, question: str, value: Value, depth: int, answer: Callable[[], bool]) -> bool:
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"more than {MAX_DEPTH} containers within containers")
        known = self._answers.get((question, id(value)))
        if known is None:
            known = self._answers[question, id(value)] = answer()
        return known

    def describe(self, value: Value) -> str:
        """Say in a few words what a value is, without showing texts."""
        if is_mapping(value) and not is_tensor(value):
            tensors = sum(is_tensor(part) for _, part in self.pairs(value))
            entries = len(self.pairs(value))
            return f"a mapping of {entries} entries" + (f", {tensors} of them tensors" if tensors else "")
        if isinstance(value, Call):
            target = value.target()
            shown = f"an object of {'.'.join(target)}" if target else "an object"
            return "a tensor" if is_tensor(value) else shown
        if type(value) in _SCALARS:
            return f"the value {value}" if type(value) not in {str, bytes} else f"text or data of length {len(value)}"
        if type(value) in {tuple, list}:
            return f"a list of length {len(value)}"
        words: dict[type, str] = {Array: "an array", Set: "a set", Span: "long data"}
        return words.get(type(value), "an object")


def _initial_pairs(mapping: Value) -> list[tuple[Value, Value]]:
    """Return the pairs of ``OrderedDict([[key, value], …])``, as Python 2 wrote it."""
    if not isinstance(mapping, Call) or mapping.target() != ("collections", "OrderedDict") or mapping.args == ():
        return []
    arguments = mapping.args
    pairs = arguments[0] if type(arguments) is tuple and len(arguments) == 1 else None
    if type(pairs) is not list or any(type(pair) not in {list, tuple} or len(pair) != 2 for pair in pairs):
        raise FormatError("a mapping is built in a way that is not understood here", offset=mapping.offset)
    return [(pair[0], pair[1]) for pair in pairs]


def _text(key: Value) -> str:
    return key if type(key) is str else str(key) if type(key) in {int, float, bool} else "(a key that is not text)"

"""Judge what an evaluated pickle does against the vetted set.

Soundness: whatever is not recognised is a gap. The order of judgement does not matter, since containers of the trace
only grow: everything that was ever in them is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hallmarked.checks.serialization import pickle_rules as rules
from hallmarked.checks.serialization import pickle_torch  # registers its rules
from hallmarked.checks.serialization.pickle_arguments import RULES, SKIPPED_FUNCTIONS
from hallmarked.checks.serialization.pickle_policy import Entry, Gadget, Policy, load_policy
from hallmarked.checks.serialization.pickle_states import STATES
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.joblib import WRAPPERS
from hallmarked.formats.pickle.machine import Trace
from hallmarked.formats.pickle.tensor import BoundsError, StorageRef, read_storage
from hallmarked.formats.pickle.torchfile import evaluate_legacy
from hallmarked.formats.pickle.values import Array, Call, Dict, Global, Persistent, Set, Span, Unknown, Value, children

assert pickle_torch

MAX_SHOWN = 50
"""Findings per rule and pickle; the rest is counted."""

MAX_LABEL = 100
"""Characters of a name in a message."""

Item = Finding | Gap
_FILLS = {"appended": "append", "items": "set", "added": "add"}


@dataclass(slots=True)
class Vet:
    """The judgement of one trace. ``run`` yields findings and gaps; ``blobs`` are files inside of it."""

    blob: Blob
    budget: Budget
    trace: Trace
    root: Value
    storages: Mapping[str, int] | None = None
    """Bytes of each storage that persistent ids may name; None when there are none."""
    said: set[tuple[str, str]] = field(default_factory=set)
    """Sentences said already; shared by the judgements of one file."""
    blobs: list[Blob] = field(default_factory=list)
    """Files inside of constants that a reader would load."""
    loaded: set[int | bytes] = field(default_factory=set)
    """Those constants, by offset or content."""
    data_known: dict[int, bool] = field(default_factory=dict)
    """Answers of ``is_data`` by identity."""
    _shown: dict[str, int] = field(default_factory=dict)
    _nested: dict[int, Blob] = field(default_factory=dict)
    _calls: dict[int, list[Call]] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The vetted set."""
        return load_policy()

    def run(self) -> Iterator[Item]:
        """Judge everything the stream does."""
        for call in self.trace.calls:
            self._calls.setdefault(id(call.func), []).append(call)
        passed = self._passed_globals()
        for found in self.trace.globals:
            yield from self._judge_import(found, id(found) in self._calls, id(found) in passed)
        for call in self.trace.calls:
            yield from self._judge_call(call)
        for what, offset in self.trace.misuses:
            yield from self._say(rules.OVERWRITES, what, offset)
        for unknown in self.trace.unknown:
            yield from self._say(rules.COMPUTED, f"it uses {unknown.reason}", unknown.offset)
        for offset in self.trace.out_of_band[:1]:
            yield from self._say(rules.OUTSIDE, "it uses buffers that are not in the file", offset)
        for value in self.trace.persistent:
            yield from self._judge_persistent(value)
        yield from self._judge_escapes()
        for rule, count in sorted(self._shown.items()):
            if count > MAX_SHOWN:
                yield Gap(f"{count - MAX_SHOWN:,} further findings of rule {rule} are not listed", self._at(None))

    # Imports.

    def _passed_globals(self) -> set[int]:
        """Identify imports that are handed to a call or a state, directly or inside of containers."""
        passed: set[int] = set()
        seen: set[int] = set()
        todo: list[Value] = []
        for call in self.trace.calls:
            todo.extend((call.args, call.kwargs, *call.states))
        while todo:
            value = todo.pop()
            if isinstance(value, Global):
                passed.add(id(value))
            elif isinstance(value, (tuple, list, Dict, Set)) and id(value) not in seen:
                seen.add(id(value))
                todo.extend(children(value))
        return passed

    def _judge_import(self, found: Global, called: bool, passed: bool) -> Iterator[Item]:
        entries = [self.policy.entry(name) for name in found.readings]
        entry = entries[-1] if found.protocol < 3 else next((e for e in entries if e is None), entries[0])
        if entry is not None and "." not in found.name:
            return
        gadget = self._gadget(found)
        label = shown(found.label)
        if gadget is not None and (called or passed):
            strong = gadget.strong or self._is_hostile_use(found)
            rule = rules.GADGET if strong else rules.UNVETTED_CALL
            verb = "calls" if called else "hands over"
            yield from self._say(rule, f"it {verb} {label}, which can {gadget.what}", found.offset, label)
        elif called:
            yield from self._say(
                rules.UNVETTED_CALL, f"it calls {label}, which {self._why(found)}", found.offset, label
            )
        else:
            more = f" and can {gadget.what}" if gadget is not None else ""
            text = f"it imports {label}, which {self._why(found)}{more}"
            yield from self._say(rules.UNVETTED_IMPORT, text, found.offset, label)

    def _gadget(self, found: Global) -> Gadget | None:
        for module, name in found.readings:
            gadget = self.policy.gadget(module, name)
            if gadget is not None:
                return gadget
        return None

    def _why(self, found: Global) -> str:
        if "." in found.name:
            return "is an attribute of something else"
        reason = next((self.policy.explained[name] for name in found.readings if name in self.policy.explained), None)
        return f"is not vetted: {reason}" if reason else "is not vetted"

    def _is_hostile_use(self, found: Global) -> bool:
        """Say whether a helper such as ``getattr`` is used on a gadget or towards Python's internals."""
        for call in self._calls.get(id(found), ()):
            for arg in call.args if type(call.args) is tuple else ():
                if isinstance(arg, Global) and self._gadget(arg) is not None:
                    return True
                if type(arg) is str and any(
                    part in rules.INTERNALS or part in self.policy.names or part in self.policy.modules
                    for part in arg.split(".")
                ):
                    return True
                if isinstance(arg, Call) and isinstance(arg.func, Global) and self._gadget(arg.func) is not None:
                    return True
        return False

    # Calls.

    def _judge_call(self, call: Call) -> Iterator[Item]:
        if not isinstance(call.func, Global):
            yield from self._say(rules.COMPUTED, "it calls something that the stream itself computes", call.offset)
            return
        name = call.func.resolved
        entry = self.policy.entry(name)
        if entry is None or "." in call.func.name:
            return  # reported with the import
        label = shown(call.func.label)
        complaint = self._call_complaint(call, entry)
        if isinstance(complaint, BoundsError):
            yield from self._say(rules.OUT_OF_BOUNDS, f"{complaint}", call.offset)
        elif complaint is not None:
            gadget = self._gadget(call.func)
            hostile = gadget is not None and (gadget.strong or self._is_hostile_use(call.func))
            rule = rules.GADGET if hostile else rules.ARGUMENTS
            yield from self._say(rule, f"it calls {label}, but {complaint}", call.offset, label)
        effective = self._effective(call, entry)
        for number, state in enumerate(call.states):
            reason = self._state_complaint(state, call, effective) if number == 0 else "with a second state"
            if reason is not None:
                yield from self._say(rules.ARGUMENTS, f"it sets the state of {label}, but {reason}", call.offset, label)
        for attribute, fill in _FILLS.items():
            if getattr(call, attribute) and fill not in effective.fill:
                text = f"it puts values into what {label} made, which is not a vetted container"
                yield from self._say(rules.ARGUMENTS, text, call.offset, label)

    def _call_complaint(self, call: Call, entry: Entry) -> str | BoundsError | None:
        creates = call.kind in ("newobj", "newobj_ex") or (call.kind in ("obj", "inst") and not call.args)
        # OBJ and INST without arguments create an instance of a class, but call a function.
        name = (entry.new or (entry.call if call.kind in ("obj", "inst") else None)) if creates else entry.call
        if name is None:
            return "it is not vetted to be created like that" if creates else "it is not vetted to be called"
        if type(call.args) is not tuple or (call.kwargs is not None and not isinstance(call.kwargs, Dict)):
            return "without plain arguments"
        if isinstance(call.kwargs, Dict) and call.kwargs.items:
            return "with keyword arguments"
        try:
            return RULES[name](call, self)
        except BoundsError as error:
            return error
        except FormatError as error:
            return f"describing {error}"

    def _effective(self, call: Call, entry: Entry) -> Entry:
        """Return the entry of the class that an instance has, when the call names it."""
        return self.policy.entry(call.instance_of()) or entry

    def _state_complaint(self, state: Value, call: Call, entry: Entry) -> str | None:
        if entry.state is None:
            return "it is not vetted to take one"
        try:
            return STATES[entry.state](state, call, self)
        except FormatError as error:
            return f"describing {error}"

    # Functions that are only vetted to be called must not be kept where something else may call them.

    def _judge_escapes(self) -> Iterator[Item]:
        seen: set[int] = set()
        todo: list[Value] = [self.root, *self.trace.calls]
        while todo:
            value = todo.pop()
            if isinstance(value, Global):
                entry = self.policy.entry(value.resolved)
                if entry is not None and "only_called" in entry.role:
                    label = shown(value.label)
                    text = f"it keeps {label} as a value, which is vetted only to be called with known arguments"
                    yield from self._say(rules.ARGUMENTS, text, value.offset, label)
            elif isinstance(value, Call) and id(value) not in seen:
                seen.add(id(value))
                todo.extend(part for part in self._kept_parts(value) if type(part) not in _PLAIN)
            elif isinstance(value, (tuple, list, Dict, Set, Array, Persistent)) and id(value) not in seen:
                seen.add(id(value))
                todo.extend(part for part in children(value) if type(part) not in _PLAIN)

    def _kept_parts(self, call: Call) -> Iterator[Value]:
        entry = self.policy.entry(call.target())
        skipped = SKIPPED_FUNCTIONS.get(entry.call or "", ()) if entry is not None else ()
        if type(call.args) is tuple:
            yield from (arg for number, arg in enumerate(call.args) if number not in skipped)
        yield call.kwargs
        if call.instance_of() in WRAPPERS:  # the class of an array is given to numpy's own constructor
            yield from (item for state in call.states for key, item in _pairs(state) if key != "subclass")
        else:
            yield from call.states
        for part in (call.appended, call.items, call.added):
            yield from part
        if isinstance(call.func, Call | Unknown | Persistent):
            yield call.func

    # Objects outside of the stream.

    def _judge_persistent(self, value: Persistent) -> Iterator[Item]:
        if self.storages is None:
            yield from self._say(rules.OUTSIDE, "it refers to objects that only a special reader knows", value.offset)
            return
        try:
            storage = read_storage(value)
        except BoundsError as error:
            yield from self._say(rules.OUT_OF_BOUNDS, f"{error}", value.offset)
            return
        except FormatError as error:
            yield from self._say(rules.OUTSIDE, f"it uses {error}", value.offset)
            return
        size = self.storages.get(storage.key)
        if size is None:
            text = f"it refers to storage {shown(storage.key)}, which is not in the file"
            yield from self._say(rules.OUTSIDE, text, value.offset)
        elif storage.nbytes > size:
            text = f"storage {shown(storage.key)} is announced with {storage.nbytes:,} bytes but has {size:,}"
            yield from self._say(rules.OUT_OF_BOUNDS, text, value.offset)

    # Files inside of constants.

    def nested(self, call: Call) -> str | None:
        """Hand bytes that a reader would load as a file of its own to the router; None when that is possible."""
        blob = self._nested_blob(call)
        if blob is None:
            return "with bytes that cannot be found in the file"
        self.blobs.append(blob)
        return None

    def nested_storage(self, call: Call) -> StorageRef | None:
        """Return the storage that such bytes hold, or None when they hold something else."""
        blob = self._nested_blob(call)
        if blob is None:
            return None
        inner = evaluate_legacy(blob, self.budget)
        return read_storage(inner.root) if inner.error is None and isinstance(inner.root, Persistent) else None

    def _nested_blob(self, call: Call) -> Blob | None:
        if id(call) not in self._nested:
            content = call.args[0] if type(call.args) is tuple and call.args else None
            name = f"bytes@{call.offset}"
            if isinstance(content, Call) and content.target() == ("_codecs", "encode"):
                content = self._encoded(content)
            if isinstance(content, Span) and content.kind in ("bytes", "bytearray"):
                window = self.blob.window(content.offset, content.length, name)
                self._nested[id(call)] = replace(window, depth=self.blob.depth + 1)
                self.loaded.add(content.offset)
            elif type(content) is bytes:
                path = f"{self.blob.path}!{name}"
                self._nested[id(call)] = Blob.of_bytes(path, content, self.blob.depth + 1)
                self.loaded.add(content)
            else:
                return None
        return self._nested[id(call)]

    def _encoded(self, call: Call) -> Value:
        """Return the bytes that ``_codecs.encode`` of a constant gives, or None."""
        args = call.args
        if type(args) is not tuple or len(args) != 2 or args[1] not in ("latin1", "latin-1"):
            return None
        text = args[0]
        if isinstance(text, Span) and text.kind == "str":
            if text.length > self.budget.limits.text:
                return None
            text = self.blob.window(text.offset, text.length).head(text.length).decode("utf-8", "replace")
        if type(text) is not str or any(character > "\xff" for character in text):
            return None
        return text.encode("latin-1")

    # Output.

    def _at(self, offset: int | None) -> Location:
        return Location(self.blob.path, offset)

    def _say(self, rule: Rule, text: str, offset: int, label: str = "") -> Iterator[Item]:
        """Yield a finding and, since nothing here is vetted, a gap; each sentence once."""
        if (rule.id, text) in self.said:
            return
        self._shown[rule.id] = self._shown.get(rule.id, 0) + 1
        if self._shown[rule.id] > MAX_SHOWN:
            return  # counted, and reported as one gap
        self.said.add((rule.id, text))
        opening = "In this pickle" if text.startswith(("a ", "storage ")) else "When this pickle is loaded"
        data = {"global": label} if label else {}
        yield Finding(rule.id, rule.level, f"{opening}, {text}.", self._at(offset), data)
        yield Gap(f"pickle: {text}", self._at(offset))


def _pairs(state: Value) -> Iterator[tuple[Value, Value]]:
    return state.pairs() if isinstance(state, Dict) else iter([(None, state)])


def shown(text: str) -> str:
    """Make a name from a hostile file fit for a message: printable and short."""
    if text.isascii() and text.isprintable() and len(text) <= MAX_LABEL:
        return text
    clean = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    clean = clean.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= MAX_LABEL else f"{clean[: MAX_LABEL - 3]}..."


_PLAIN = frozenset({type(None), bool, int, float, str, bytes, Span})

"""Judge Python by what it calls, from its syntax tree alone.

The grade follows three questions: does it run as soon as the file is imported, is the file one that a library loads by
itself, and is what it does hidden or hostile in its own right. Ordinary modelling code yields nothing here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hallmarked.checks.code import rules, vocabulary
from hallmarked.checks.code.command import Command, judge_command
from hallmarked.checks.code.flow import Flow, Tag, timed_nodes
from hallmarked.checks.code.names import Names, Ref
from hallmarked.checks.code.parse import parse_python
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Level, Rule

_NESTED = 2
_STARTUP_PATH = re.compile(
    r"\.bashrc|\.zshrc|\.bash_profile|(?:^|/)\.profile|authorized_keys|/etc/cron|/var/spool/cron|/etc/ld\.so\.preload"
    r"|systemd/(?:system|user)|LaunchAgents|LaunchDaemons|Start Menu.{0,40}Startup|sitecustomize|usercustomize"
    r"|site-packages.{0,80}\.pth$|/etc/passwd|/etc/sudoers|\.config/autostart|/etc/profile|/etc/rc\.local|/etc/hosts$"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing seen in a source."""

    rule: Rule
    level: Level
    what: str
    """Ends the sentence "the code …"."""
    line: int
    name: str = ""
    """The function concerned, dotted."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A call and when it runs."""

    call: ast.Call
    on_import: bool
    loaded: bool
    """The file is one that a library imports by itself when it loads the model."""
    depth: int

    @property
    def when(self) -> str:
        return "as soon as it is imported" if self.on_import else "when a function is called"

    def grade(self) -> Level:
        """Return how much running something unusual at this place matters, when it is neither hidden nor hostile."""
        if self.on_import and self.loaded:
            return Level.ERROR
        return Level.WARNING if self.on_import or self.loaded else Level.NOTE

    def mild(self) -> Level:
        """Return the same, for what honest code does now and then."""
        return Level.WARNING if self.on_import or self.loaded else Level.NOTE


def judge_python(tree: ast.Module, *, loaded: bool = False, depth: int = 0) -> list[Mark]:
    """Return what a module does that deserves a look, each kind of thing once.

    Args:
        tree: The module.
        loaded: A library imports this file by itself when it loads the model.
        depth: How many texts that are run as code it lies in.
    """
    judge = _Judge(tree, loaded or is_loaded_kind(tree), depth)
    best: dict[tuple[str, str], Mark] = {}
    for mark in judge.marks():
        key = (mark.rule.id, mark.name or mark.what)
        if key not in best or (mark.level.rank, -mark.line) > (best[key].level.rank, -best[key].line):
            best[key] = mark
    return sorted(best.values(), key=lambda mark: (mark.line, mark.rule.id, mark.name))


def is_loaded_kind(tree: ast.Module) -> bool:
    """Say whether a module defines what libraries load from a repository: a model, a tokenizer, a handler."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
            if node.name in vocabulary.LOADED_CLASSES or not bases.isdisjoint(vocabulary.LOADED_BASES):
                return True
    return False


class _Judge:
    """Looks at every call of one module."""

    def __init__(self, tree: ast.Module, loaded: bool, depth: int) -> None:
        self._names = Names(tree)
        self._flow = Flow(tree, self._names)
        timed = list(timed_nodes(tree))
        self._places = [
            _Place(node, on_import, loaded, depth) for node, on_import in timed if isinstance(node, ast.Call)
        ]
        self._timed = timed
        self._loaded = loaded
        self._refs = {id(place.call): self._names.resolve(place.call.func) for place in self._places}
        self._called = {ref.name for refs in self._refs.values() for ref in refs}

    def marks(self) -> Iterator[Mark]:
        """Yield a mark for everything worth one, in no order."""
        for place in self._places:
            for ref in sorted(self._refs[id(place.call)], key=lambda ref: ref.name):
                yield from self._hidden(place, ref)
                for applies, look in self._looks:
                    if applies(ref.name):
                        yield from look(self, place, ref)
            yield from self._written(place)
        yield from self._handed_on()

    def _handed_on(self) -> Iterator[Mark]:
        """Report functions that run programs or code and are passed to something else instead of being called."""
        called = {id(place.call.func) for place in self._places}
        notes = {id(part) for node, _ in self._timed for part in _annotations(node)}
        reduces = {
            id(part)
            for node, _ in self._timed
            if isinstance(node, ast.FunctionDef) and node.name in {"__reduce__", "__reduce_ex__"}
            for part in ast.walk(node)
        }
        for node, on_import in self._timed:
            if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            if id(node) in called or id(node) in notes:
                continue
            for ref in self._names.resolve(node):
                if ref.name in (vocabulary.PROCESS | {"builtins.exec", "builtins.eval"}) - {"subprocess.Popen"}:
                    yield self._handed(node, ref, on_import, id(node) in reduces)

    def _handed(self, node: ast.expr, ref: Ref, on_import: bool, reduces: bool) -> Mark:
        if reduces:
            what = f"makes objects that call “{_plain(ref.name)}” when they are loaded"
            return Mark(rules.PROCESS, Level.ERROR, what, node.lineno, ref.name)
        level = Level.ERROR if ref.hidden else Level.WARNING if on_import or self._loaded else Level.NOTE
        rule = rules.HIDDEN if ref.hidden else rules.EXECUTE if ref.name.startswith("builtins.") else rules.PROCESS
        return Mark(rule, level, f"hands “{_plain(ref.name)}” to something that may call it", node.lineno, ref.name)

    def _hidden(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        """Report a call of a sensitive function whose name is looked up at run time."""
        if not ref.hidden:
            return
        if ref.name.endswith(".?"):
            key = (
                place.call.func.args[1]
                if isinstance(place.call.func, ast.Call) and len(place.call.func.args) > 1
                else None
            )
            built = key is not None and not isinstance(key, ast.Name | ast.Attribute)
            level = Level.ERROR if built else Level.WARNING
            yield Mark(
                rules.HIDDEN, level, f"calls a function of “{ref.name[:-2]}” by a name it computes", place.call.lineno
            )
        elif (
            ref.name in vocabulary.PROCESS | vocabulary.PLAIN_EXECUTE | vocabulary.LISTEN
            or ref.name == "builtins.compile"
        ):
            what = f"calls “{_plain(ref.name)}” in a roundabout way that hides it"
            yield Mark(rules.HIDDEN, Level.ERROR, what, place.call.lineno, ref.name)

    def _process(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        call = place.call
        command = self._command(call)
        tags = self._flow.tags(*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "args"))
        kind = judge_command(command)
        if Tag.DECODED in tags or Tag.NETWORK in tags:
            source = "from the network" if Tag.NETWORK in tags else "that it decodes first"
            yield Mark(rules.DECODED, Level.ERROR, f"starts a program with a command {source}", call.lineno, ref.name)
        elif kind is Command.HOSTILE:
            yield Mark(rules.PROCESS, Level.ERROR, f"starts a hostile command {place.when}", call.lineno, ref.name)
        elif "socket.socket" in self._called and ({"os.dup2", "pty.spawn"} & self._called):
            yield Mark(rules.PROCESS, Level.ERROR, "hands a shell to a network connection", call.lineno, ref.name)
        else:
            level = place.mild() if kind is Command.INSTALLS or _installs(call, self._names) else place.grade()
            if kind is Command.FETCHES:
                level = max(level, Level.WARNING, key=lambda level: level.rank)
            if "os.chmod" in self._called and any(map(vocabulary.is_network, self._called)):
                level = Level.ERROR if place.on_import else Level.WARNING
            shown = " that runs what it downloads" if kind is Command.FETCHES else ""
            what = f"starts a program{shown} with “{_plain(ref.name)}” {place.when}"
            yield Mark(rules.PROCESS, level, what, call.lineno, ref.name)

    def _command(self, call: ast.Call) -> str:
        """Return the words of a command line as far as they are constants."""
        words: list[str] = []
        for argument in call.args[:3]:
            parts = argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]
            for part in parts:
                value = self._names.fold(part)
                if isinstance(value, str | bytes):
                    words.append(value if isinstance(value, str) else value.decode("utf-8", "replace"))
                else:
                    words += [
                        n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                    ]
        return " ".join(words)

    def _execute(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        call = place.call
        tags = self._flow.tags(*call.args)
        if Tag.DECODED in tags or Tag.NETWORK in tags:
            source = "downloads" if Tag.NETWORK in tags else "decodes"
            what = f"{source} something and runs it as code with “{_plain(ref.name)}”"
            yield Mark(rules.DECODED, Level.ERROR, what, call.lineno, ref.name)
            return
        if ref.name not in vocabulary.PLAIN_EXECUTE:
            return
        text = self._names.fold(call.args[0]) if call.args else None
        if isinstance(text, str) and place.depth < _NESTED:
            yield from _nested(text, place)
        if isinstance(text, str) and ref.name == "builtins.eval":
            return
        yield Mark(
            rules.EXECUTE,
            place.mild(),
            f"runs text as code with “{_plain(ref.name)}” {place.when}",
            call.lineno,
            ref.name,
        )

    def _import(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        call = place.call
        if not call.args or isinstance(self._names.fold(call.args[0]), str):
            return
        tags = self._flow.tags(call.args[0])
        if Tag.DECODED in tags or Tag.NETWORK in tags:
            yield Mark(rules.HIDDEN, Level.ERROR, "imports a module whose name it decodes first", call.lineno, ref.name)
        elif ref.name == "builtins.__import__":
            yield Mark(rules.HIDDEN, place.mild(), "imports a module whose name it computes", call.lineno, ref.name)

    def _network(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        call = place.call
        sent = [*call.args, *(k.value for k in call.keywords if k.arg not in {"headers", "auth", "cert", "verify"})]
        tags = self._flow.tags(*sent)
        if Tag.ENVIRONMENT in tags or Tag.CREDENTIAL in tags:
            stolen = "the whole environment" if Tag.ENVIRONMENT in tags else "what lies where credentials are kept"
            yield Mark(rules.EXFILTRATE, Level.ERROR, f"sends {stolen} to another machine", call.lineno, ref.name)
        elif {"os.dup2", "pty.spawn"} & self._called and "socket.socket" in self._called:
            yield Mark(rules.PROCESS, Level.ERROR, "hands its input and output to a network connection", call.lineno)
        elif place.on_import:
            what = f"reaches another machine with “{_plain(ref.name)}” as soon as it is imported"
            yield Mark(rules.NETWORK, Level.WARNING, what, call.lineno, ref.name)
        elif ref.name in vocabulary.LISTEN and place.loaded:
            yield Mark(rules.NETWORK, Level.WARNING, "opens a raw network connection", call.lineno, ref.name)

    def _deserialize(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        tags = self._flow.tags(*place.call.args)
        source = " from the network" if Tag.NETWORK in tags else ""
        what = f"loads data{source} with “{_plain(ref.name)}”, which runs what the data names"
        yield Mark(rules.DESERIALIZE, Level.WARNING, what, place.call.lineno, ref.name)

    def _load(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        """Judge loaders whose arguments decide whether data can run code."""
        call = place.call
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if ref.name == "torch.load":
            restricted = given.get("weights_only")
            if isinstance(restricted, ast.Constant) and restricted.value is True:
                return
            off = isinstance(restricted, ast.Constant)
            how = "with “weights_only=False”" if off else "without saying “weights_only=True”"
            yield Mark(
                rules.DESERIALIZE,
                Level.WARNING if off else Level.NOTE,
                f"calls “torch.load” {how}",
                call.lineno,
                ref.name,
            )
        elif ref.name == "numpy.load":
            allowed = given.get("allow_pickle")
            if isinstance(allowed, ast.Constant) and allowed.value is True:
                yield Mark(
                    rules.DESERIALIZE,
                    Level.WARNING,
                    "calls “numpy.load” with “allow_pickle=True”",
                    call.lineno,
                    ref.name,
                )
        elif ref.name in {"yaml.load", "yaml.load_all"}:
            loader = given.get("Loader", call.args[1] if len(call.args) > 1 else None)
            name = loader.attr if isinstance(loader, ast.Attribute) else getattr(loader, "id", "")
            if name not in {"SafeLoader", "CSafeLoader", "BaseLoader"}:
                yield Mark(
                    rules.DESERIALIZE,
                    Level.WARNING,
                    "calls “yaml.load” without the restricted loader",
                    call.lineno,
                    ref.name,
                )

    def _native(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        if vocabulary.INJECTION_NAMES.intersection(ref.name.split(".")):
            what = f"turns data into machine code with “{ref.name.rpartition('.')[2]}”"
            yield Mark(rules.NATIVE, Level.ERROR, what, place.call.lineno, ref.name)
        elif ref.name in vocabulary.NATIVE and ref.name.rpartition(".")[2] not in {"cast", "CFUNCTYPE", "string_at"}:
            level = Level.WARNING if place.loaded or place.on_import else Level.NOTE
            yield Mark(
                rules.NATIVE, level, f"calls machine code through “{_plain(ref.name)}”", place.call.lineno, ref.name
            )

    def _remove(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        if place.on_import:
            what = f"removes or moves files with “{_plain(ref.name)}” as soon as it is imported"
            yield Mark(rules.WRITES, Level.WARNING, what, place.call.lineno, ref.name)

    def _pulls(self, place: _Place, ref: Ref) -> Iterator[Mark]:
        yield Mark(
            rules.ELSEWHERE,
            Level.WARNING,
            "runs code of another repository with “torch.hub.load”",
            place.call.lineno,
            ref.name,
        )

    def _written(self, place: _Place) -> Iterator[Mark]:
        """Judge a call by its form: writing to places that run by themselves, switching on remote code."""
        call = place.call
        for keyword in call.keywords:
            if (
                keyword.arg == "trust_remote_code"
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value is True
            ):
                yield Mark(
                    rules.ELSEWHERE, place.mild(), "loads another model with “trust_remote_code=True”", call.lineno
                )
        if not self._writes(call):
            return
        texts = {text for argument in call.args[:1] if isinstance(text := self._names.fold(argument), str)}
        for part in (call, *call.args[:1], getattr(call.func, "value", call)):
            binding = self._names.binding(part) if isinstance(part, ast.expr) else None
            for value in (part, *self._names.values.get(binding or (0, ""), ())[:4]):
                texts |= {n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        if any(len(text) < 300 and _STARTUP_PATH.search(text) for text in texts):
            yield Mark(
                rules.WRITES,
                Level.ERROR,
                "writes to a place from which programs are started by themselves",
                call.lineno,
            )

    def _writes(self, call: ast.Call) -> bool:
        names = {ref.name for ref in self._refs[id(call)]}
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"write_text", "write_bytes"}:
            return True
        if names & {
            "shutil.copy",
            "shutil.copyfile",
            "shutil.copy2",
            "shutil.move",
            "os.rename",
            "os.replace",
            "os.symlink",
        }:
            return True
        opens = bool(names & {"builtins.open", "io.open", "codecs.open"})
        if not opens and not (isinstance(call.func, ast.Attribute) and call.func.attr == "open"):
            return False
        modes = [*call.args[0 if not opens else 1 :][:1], *(k.value for k in call.keywords if k.arg == "mode")]
        return any(
            isinstance(m, ast.Constant) and isinstance(m.value, str) and set(m.value) & set("wax+") for m in modes
        )

    _looks: tuple[tuple[Callable[[str], bool], Callable[[_Judge, _Place, Ref], Iterator[Mark]]], ...] = (
        (vocabulary.PROCESS.__contains__, _process),
        (vocabulary.EXECUTE.__contains__, _execute),
        ({"builtins.__import__", "importlib.import_module"}.__contains__, _import),
        (vocabulary.is_network, _network),
        (vocabulary.DESERIALIZE.__contains__, _deserialize),
        ({"torch.load", "numpy.load", "yaml.load", "yaml.load_all"}.__contains__, _load),
        (lambda name: name.startswith(("ctypes.", "cffi.", "_ctypes.")), _native),
        (vocabulary.REMOVE.__contains__, _remove),
        ({"torch.hub.load"}.__contains__, _pulls),
    )


def _nested(text: str, place: _Place) -> Iterator[Mark]:
    """Judge a constant text that is run as code, as if it stood there."""
    try:
        tree = parse_python(text.strip())
    except FormatError:
        return
    for mark in judge_python(tree, loaded=place.loaded, depth=place.depth + 1):
        level = mark.level if place.on_import or mark.level is not Level.ERROR else place.mild()
        hostile = mark.rule in {rules.HIDDEN, rules.DECODED, rules.EXFILTRATE}
        yield replace(mark, line=place.call.lineno, level=mark.level if hostile else level)


def _annotations(node: ast.AST) -> list[ast.AST]:
    """Return every part of the annotations of a node; they are not run for their value."""
    notes: list[ast.expr | None] = []
    if isinstance(node, ast.AnnAssign | ast.arg):
        notes = [node.annotation]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        notes = [node.returns]
    return [part for note in notes if note is not None for part in ast.walk(note)]


def _installs(call: ast.Call, names: Names) -> bool:
    """Recognise ``[sys.executable, "-m", "pip", "install", …]``."""
    if not call.args or not isinstance(call.args[0], ast.List | ast.Tuple):
        return False
    words = [names.fold(part) for part in call.args[0].elts]
    return "install" in words and bool({"pip", "pip3", "uv", "conda", "apt-get", "apt"} & set(words))


def _plain(name: str) -> str:
    return name.removeprefix("builtins.")

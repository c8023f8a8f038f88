"""Keras configurations: which classes and functions would loading look up, and do they bring code or open files?

``.keras`` archives as described at https://keras.io/guides/serialization_and_saving/, the older HDF5 and JSON forms at
https://keras.io/api/models/model_saving_apis/. A configuration is a tree of objects that each name a class; loading
imports and instantiates them. Only classes and functions of Keras itself that compute on tensors are vouched for; they
are listed in ``data/keras.json``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.checks.serialization.vocabulary import danger, leaves_folder, load, shown
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import Path, read_json, walk

KRS001 = Rule(
    "KRS001",
    Level.ERROR,
    "The model carries Python code that runs when it is loaded or used",
    "Ask the author for a version without Lambda layers, or rebuild the layer from its published source.",
)
KRS002 = Rule(
    "KRS002",
    Level.WARNING,
    "A Lambda layer runs a function that is not in the file",
    "Find out where the function comes from before you supply it to the loader.",
)
KRS003 = Rule(
    "KRS003",
    Level.ERROR,
    "The model asks for a function that can run programs or open files",
    "Do not load the file; report it to whoever hosts it.",
)
KRS004 = Rule(
    "KRS004",
    Level.ERROR,
    "A layer deserialises a Python object or runs a foreign program",
    "Do not load the file; ask the author for plain Keras layers.",
)
KRS005 = Rule(
    "KRS005",
    Level.WARNING,
    "The model needs a class or function that is not part of Keras",
    "Read the source of the named class or function before you install or register it.",
)
KRS006 = Rule(
    "KRS006",
    Level.ERROR,
    "The configuration makes the loader read a file or address outside of the model",
    "Do not load the file; ask the author to store the vocabulary itself.",
)
KRS007 = Rule(
    "KRS007",
    Level.WARNING,
    "The configuration names another file that the loader reads",
    "Check that the named file belongs to the model.",
)
RULES = (KRS001, KRS002, KRS003, KRS004, KRS005, KRS006, KRS007)

_HOMES = frozenset({"keras", "tf_keras", "tensorflow", "keras_core"})
_DATA = frozenset(
    {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__"}
)
_FOREIGN = {
    "TorchModuleWrapper": "unpickles a PyTorch module",
    "JaxLayer": "runs functions that are not part of Keras",
    "FlaxLayer": "runs functions that are not part of Keras",
    "ModuleWrapper": "runs a TensorFlow module",
}
# Arguments under which layers of Keras accept the path of a file.
_FILE_KEYS = frozenset({"vocabulary", "idf_weights", "filepath", "vocabulary_file", "merges_file", "vocab_file"})
# Functions of TensorFlow, for the TFOpLambda layer of older releases, that do more than compute on tensors.
_TF_DANGEROUS = re.compile(
    r"(?:compat\.v[12]\.)?(?:io|raw_ops|saved_model|train|data|distribute|debugging|load|test|lite)\b"
)
_TF_PYTHON = re.compile(r"(?:.*\.)?(?:py_func|py_function|numpy_function|eager_py_func|print|load_\w+)$")
# How older forms name a function that the user's program must have registered.
_REGISTERED = re.compile(r"\w{1,80}>\w{1,80}")
_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_NAME_KEYS = frozenset({"class_name", "registered_name", "name", "spec_name"})
_DOTTED = re.compile(r"[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in a configuration something was seen."""

    location: Location
    path: Path

    def __str__(self) -> str:
        return "the configuration" + (f" at {shown('/'.join(str(key) for key in self.path), 200)}" if self.path else "")


def examine_keras(members: Mapping[str, Blob], budget: Budget) -> Iterator[Seen]:
    """Examine the members of a ``.keras`` archive; those that are not configurations are yielded to be routed.

    Raises:
        FormatError: When a configuration is broken.
    """
    config = members.get("config.json")
    rest = [member for name, member in members.items() if member not in (config, members.get("metadata.json"))]
    yield from rest
    if config is None:
        names = ", ".join(sorted(members)[:3])
        yield Gap(f"no config.json among the members ({shown(names)}), so the classes it needs are unknown")
    else:
        yield from examine_keras_config(config, budget)
    if metadata := members.get("metadata.json"):
        yield from examine_keras_config(metadata, budget)


def examine_keras_config(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a Keras configuration in JSON, alone or as a member.

    Raises:
        FormatError: When it is broken.
    """
    yield from judge_config(blob.read_all(budget), Location(blob.path), budget)


def looks_like_config(text: bytes) -> bool:
    """Say whether text may be a Keras configuration, whatever it is called and however its keys are spelled."""
    if text.lstrip()[:1] != b"{":
        return False
    plain = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)
    return b'"class_name"' in plain or b"__lambda__" in plain


@brief
def judge_config(text: bytes, location: Location, budget: Budget) -> Iterator[Seen]:
    """Judge the text of a Keras configuration.

    Raises:
        FormatError: When it is not JSON.
    """
    document = read_json(text, budget, constants=True)
    if not isinstance(document, dict | list):
        raise FormatError("Keras configuration that is neither an object nor a list")
    for path, node in walk(document):
        if isinstance(node, dict) and "class_name" in node:
            yield from _judge_object(node, _Spot(location, path))
        elif (
            isinstance(node, str)
            and path
            and isinstance(path[-1], str)
            and path[-1] not in _NAME_KEYS
            and _REGISTERED.fullmatch(node)
        ):
            yield from _unknown(f"function {shown(node)}", node, None, _Spot(location, path))


def _judge_object(node: dict[str, object], spot: _Spot) -> Iterator[Seen]:
    name = node["class_name"]
    if not isinstance(name, str):
        raise FormatError(f"Keras class name that is not text in {spot}")
    config = node.get("config")
    if name == "__lambda__":
        yield Finding.of(KRS001, f"{spot} holds a marshalled Python function", spot.location)
    elif name == "__typespec__":
        yield from _judge_class(node, str(node.get("spec_name", "")), spot)
    elif name == "function":
        yield from _judge_function(node, config, spot)
    elif name not in _DATA:
        yield from _judge_class(node, name, spot)
        if isinstance(config, dict):
            yield from _judge_arguments(name.rpartition(">")[2], config, spot)


def _judge_class(node: dict[str, object], name: str, spot: _Spot) -> Iterator[Seen]:
    """Judge the class that would be looked up, by its names and by where it is said to live."""
    module = node.get("module")
    dotted = f"{module}.{name}" if isinstance(module, str) and module else name
    registered = node.get("registered_name")
    if reason := danger(dotted):
        yield Finding.of(KRS003, f"{spot} asks for {shown(dotted)}, which {reason}", spot.location, name=dotted)
        yield Gap(f"it is not known what {shown(dotted)} would do", spot.location)
    elif name == "Lambda":
        yield from _judge_lambda(node.get("config"), spot)
    elif name in _FOREIGN:
        level = Level.ERROR if name == "TorchModuleWrapper" else Level.WARNING
        message = f"{spot} has a {name} layer, which {_FOREIGN[name]}"
        yield Finding.of(KRS004, message, spot.location, level=level, name=dotted)
        yield Gap(f"it is not known what the {name} layer would run", spot.location)
    elif name == "TFSMLayer":
        yield Finding.of(KRS004, f"{spot} has a TFSMLayer, which runs a SavedModel", spot.location, level=Level.WARNING)
        yield Gap("it is not known what the SavedModel of a TFSMLayer would run", spot.location)
    elif name == "TFOpLambda":
        yield from _judge_tensorflow_op(node.get("config"), spot)
    elif not _is_known(name, module, registered, functions=False):
        yield from _unknown(f"class {shown(dotted)}", dotted, registered, spot)


def _judge_function(node: dict[str, object], config: object, spot: _Spot) -> Iterator[Seen]:
    module, registered = node.get("module"), node.get("registered_name")
    # Releases differ in which of the two names they look up, so both count.
    for name in dict.fromkeys(n for n in (config, registered) if isinstance(n, str)):
        dotted = f"{module}.{name}" if isinstance(module, str) and module else name
        if (reason := danger(dotted)) or (module in (None, "", "builtins") and (reason := danger(f"builtins.{name}"))):
            yield Finding.of(KRS003, f"{spot} asks for {shown(dotted)}, which {reason}", spot.location, name=dotted)
            yield Gap(f"it is not known what {shown(dotted)} would do", spot.location)
        elif not (module == "builtins" and name in _known("function")) and not _is_known(
            name, module, None, functions=True
        ):
            yield from _unknown(f"function {shown(dotted)}", dotted, registered, spot)


def _judge_lambda(config: object, spot: _Spot) -> Iterator[Seen]:
    """Judge a Lambda layer: code in the file, or a function that must come from elsewhere."""
    fields = config if isinstance(config, dict) else {}
    for key in ("function", "output_shape", "mask"):
        value = fields.get(key)
        # Older releases store marshalled code as text, alone or with defaults and closure behind it.
        marshalled = isinstance(value, list) and bool(value) and isinstance(value[0], str)
        raw = fields.get(f"{key}_type") in ("lambda", "raw") and isinstance(value, str | list)
        if marshalled or raw:
            yield Finding.of(KRS001, f"{spot} has a Lambda layer with a marshalled Python function", spot.location)
    if not isinstance(fields.get("function"), dict | list):
        function = fields.get("function")
        named = f" named {shown(function)}" if isinstance(function, str) else ""
        yield Finding.of(KRS002, f"{spot} has a Lambda layer with a function{named}", spot.location)
    yield Gap("it is not known what a Lambda layer would run", spot.location)


def _judge_tensorflow_op(config: object, spot: _Spot) -> Iterator[Seen]:
    function = config.get("function") if isinstance(config, dict) else None
    name = function if isinstance(function, str) else "(none)"
    if _TF_DANGEROUS.match(name) or _TF_PYTHON.match(name):
        message = f"{spot} asks for the TensorFlow function {shown(name)}, which reads, writes or runs something"
        yield Finding.of(KRS003, message, spot.location, name=name)
    else:
        yield Finding.of(KRS005, f"{spot} asks for the TensorFlow function {shown(name)}", spot.location, name=name)
    yield Gap(f"it is not known what the TensorFlow function {shown(name)} would do", spot.location)


def _judge_arguments(name: str, config: dict[str, object], spot: _Spot) -> Iterator[Seen]:
    """Look for files that a layer would read: a vocabulary may be a list of words or a path."""
    for key in sorted(_FILE_KEYS & config.keys()):
        value = config[key]
        if not isinstance(value, str) or not value:
            continue
        message = f"{spot} makes the layer {shown(name)} read {shown(value)}"
        if leaves_folder(value):
            yield Finding.of(KRS006, message, spot.location, target=value[:200])
        else:
            yield Finding.of(KRS007, message, spot.location, target=value[:200])
            yield Reference(value, spot.location)


def _unknown(what: str, dotted: str, registered: object, spot: _Spot) -> Iterator[Seen]:
    alias = f" registered as {shown(registered)}" if isinstance(registered, str) and registered not in dotted else ""
    yield Finding.of(KRS005, f"{spot} asks for the {what}{alias}", spot.location, name=dotted)
    yield Gap(f"it is not known what the {what} would do", spot.location)


@functools.cache
def _known(kind: str) -> frozenset[str]:
    """Return the vetted names: of functions, or of everything (``all``)."""
    table = load("keras")["known"]
    kinds = table if kind == "all" else {kind}
    return frozenset(name for k in kinds for name in table[k]["names"])


def _is_known(name: str, module: object, registered: object, *, functions: bool) -> bool:
    """Say whether Keras itself would resolve this to something vetted.

    A registered name is looked up first, so it must be the plain name. Older files have no module at all.
    """
    if registered not in (None, "", name):
        return False
    if name not in _known("function" if functions else "all"):
        return False
    if module in (None, ""):
        return True
    return isinstance(module, str) and bool(_DOTTED.fullmatch(module)) and module.split(".")[0] in _HOMES

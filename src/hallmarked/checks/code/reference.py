"""References to code in configurations: what a library imports because a file names it.

``auto_map`` as in https://huggingface.co/docs/transformers/custom_models, custom components of a diffusers
``model_index.json``, modules of sentence-transformers, ``trust_remote_code``, and configurations that name the function
to call (``_target_``, YAML tags for Python).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from hallmarked.checks.code import vocabulary
from hallmarked.formats.document import Path, Tagged, walk

MENTIONS = re.compile(
    rb"auto_map|trust_remote_code|custom_pipeline|--[\w.]+\.|_target_|!!?python|_class_name|\"type\"|\bcustom_generate\b"
)
"""What a document mentions that can hold a reference."""

_CLASS = re.compile(r"(?:(?P<repository>[\w.-]+/[\w.-]+)--)?(?P<module>[\w/]+(?:\.\w+)*)\.(?P<name>\w+)")
_REMOTE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)--(?P<target>\w+(?:\.\w+)+)")
_KNOWN = (
    "sentence_transformers",
    "transformers",
    "diffusers",
    "torch",
    "onnxruntime",
    "flax",
    "peft",
    "optimum",
    "keras",
)
_MANY = 200


class Kind(Enum):
    """What a reference asks for."""

    OWN = auto()
    """A class of a module of this repository."""
    OTHER = auto()
    """A class of another repository."""
    TRUST = auto()
    """That remote code be trusted."""
    HOSTILE = auto()
    """A function that runs programs or code."""


@dataclass(frozen=True, slots=True)
class CodeReference:
    """One reference from a configuration to code."""

    kind: Kind
    target: str
    """As written: ``modeling_x.XModel`` or ``owner/name--modeling_x.XModel``."""
    place: str
    """Where in the document."""
    module: str = ""
    """Path of the module below the folder of the document, without suffix; for ``OWN``."""
    repository: str = ""


def references(document: object) -> Iterator[CodeReference]:
    """Yield the references of a document."""
    for count, reference in enumerate(_references(document)):
        if count == _MANY:
            return
        yield reference


def _references(document: object) -> Iterator[CodeReference]:
    for path, node in walk(document):
        place = ".".join(map(str, path))[:120]
        if isinstance(node, Tagged):
            yield from _tagged(node, place)
        if isinstance(node, str):
            yield from _text(path, node, place)
        elif node is True and path and path[-1] == "trust_remote_code":
            yield CodeReference(Kind.TRUST, "trust_remote_code", place)
    if isinstance(document, dict):
        yield from _components(document)


def _text(path: Path, text: str, place: str) -> Iterator[CodeReference]:
    keys = [part for part in path if isinstance(part, str)]
    last = keys[-1] if keys else ""
    if match := _REMOTE.fullmatch(text):
        yield CodeReference(Kind.OTHER, text, place, repository=match["repository"])
    elif "auto_map" in keys or "custom_pipelines" in keys:
        match = _CLASS.fullmatch(text)
        if match and ("auto_map" in keys or last == "impl"):
            yield CodeReference(Kind.OWN, text, place, match["module"].replace(".", "/"))
    elif last in {"_target_", "_target", "target", "__target__"} and _runs(text):
        yield CodeReference(Kind.HOSTILE, text, place)
    elif last == "type" and len(path) == 2 and isinstance(path[0], int):
        # modules.json of sentence-transformers: a list of modules with the class of each
        match = _CLASS.fullmatch(text)
        if match and not text.startswith(_KNOWN):
            yield CodeReference(Kind.OWN, text, place, match["module"].replace(".", "/"))


def _runs(name: str) -> bool:
    """Say whether a dotted name is that of a function that runs programs or code."""
    known = vocabulary.PROCESS | vocabulary.EXECUTE | vocabulary.DESERIALIZE | vocabulary.REMOVE
    return name in known or f"builtins.{name}" in known or name.endswith((".os.system", ".subprocess.Popen"))


def _tagged(node: Tagged, place: str) -> Iterator[CodeReference]:
    tag = node.tag.removeprefix("!").removeprefix("!").removeprefix("tag:yaml.org,2002:")
    if not tag.startswith("python/"):
        return
    kind, _, name = tag.partition(":")
    if kind in {"python/object/apply", "python/object/new"} or _runs(name):
        yield CodeReference(Kind.HOSTILE, name or tag, place)


def _components(document: dict[object, object]) -> Iterator[CodeReference]:
    """Read a diffusers pipeline: ``"unet": ["module", "Class"]`` names a module here unless it is a library."""
    if not isinstance(document.get("_class_name"), str | list):
        return
    for name, value in document.items():
        if not (isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)):
            continue
        module, target = str(value[0]), str(value[1])
        if module.partition(".")[0] in _KNOWN or not re.fullmatch(r"\w+", module):
            continue
        folder = "" if name == "_class_name" else f"{name}/"
        yield CodeReference(Kind.OWN, f"{module}.{target}", str(name)[:120], f"{folder}{module}")

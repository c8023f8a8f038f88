"""NeMo archives: what would loading instantiate because the configuration says so?

https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/core/core.html and
https://hydra.cc/docs/advanced/instantiate_objects/overview/. A ``.nemo`` file is a tar archive of weights and YAML;
a mapping with a ``_target_`` in it is a call of whatever that names (CVE-2025-23304).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.vocabulary import danger, load, shown
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import Path, Tagged, read_yaml, walk

NEM001 = Rule(
    "NEM001",
    Level.ERROR,
    "The configuration calls a function that can run programs or open files",
    "Do not load the file; report it to whoever hosts it.",
)
NEM002 = Rule(
    "NEM002",
    Level.WARNING,
    "The configuration calls a class or function that is not on the list of vetted ones",
    "Read the source of the named class or function before you load the file.",
)
NEM003 = Rule(
    "NEM003",
    Level.ERROR,
    "The configuration asks a YAML loader to create Python objects",
    "Do not load the file; report it to whoever hosts it.",
)
NEM004 = Rule(
    "NEM004",
    Level.WARNING,
    "The configuration holds something that is worked out only when it is loaded",
    "Check what the named tag or resolver does on the machine that loads the file.",
)
RULES = (NEM001, NEM002, NEM003, NEM004)

# Hydra calls the first; NeMo imports the class that the second names; the third is its older spelling.
_TARGETS = frozenset({"_target_", "target", "cls"})
_CALL = "_target_"
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
# Resolvers of OmegaConf and Hydra that reach outside of the configuration.
_RESOLVER = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*:")


def examine_nemo(members: Mapping[str, Blob], budget: Budget) -> Iterator[Seen]:
    """Examine the members of a NeMo archive; all but the YAML files are yielded to be routed.

    Raises:
        FormatError: When a configuration is broken.
    """
    configs = [member for name, member in members.items() if name.lower().endswith((".yaml", ".yml"))]
    yield from (member for member in members.values() if member not in configs)
    if not configs:
        yield Gap("no YAML among the members, so what loading would call is unknown")
    for config in configs:
        yield from examine_hydra(config, budget)


@brief
def examine_hydra(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a YAML configuration of Hydra or OmegaConf.

    Raises:
        FormatError: When it is broken.
    """
    location = Location(blob.path)
    for path, node in walk(read_yaml(blob.read_all(budget), budget)):
        if isinstance(node, Tagged):
            yield from _judge_tag(node, path, location)
        elif isinstance(node, dict):
            for key in sorted(_TARGETS & {key for key in node if isinstance(key, str)}):
                yield from _judge_target(key, node[key], path, location)
        elif isinstance(node, str) and "${" in node:
            yield from _judge_resolvers(node, path, location)


def _where(path: Path) -> str:
    return f"the configuration at {shown('/'.join(map(str, path)) or '(root)', 200)}"


def _judge_target(key: str, target: object, path: Path, location: Location) -> Iterator[Seen]:
    name = target.value if isinstance(target, Tagged) else target
    if not isinstance(name, str) or (key != _CALL and not _DOTTED.fullmatch(name)):
        # Only the name that Hydra calls must be one; the others are ordinary words as well.
        if key == _CALL and name is not None:
            raise FormatError(f"{_where(path)} has a target that is not a name")
        return
    if "${" in name:
        yield Finding.of(NEM004, f"{_where(path)} calls {shown(name)}, which is put together when loaded", location)
        yield Gap(f"it is not known what {shown(name)} would call", location)
    elif reason := danger(name) or danger(f"builtins.{name}"):
        yield Finding.of(NEM001, f"{_where(path)} calls {shown(name)}, which {reason}", location, name=name[:200])
        yield Gap(f"it is not known what {shown(name)} would do", location)
    elif name not in _known():
        yield Finding.of(NEM002, f"{_where(path)} calls {shown(name)}", location, name=name[:200])
        yield Gap(f"it is not known what {shown(name)} would do", location)


def _judge_tag(node: Tagged, path: Path, location: Location) -> Iterator[Seen]:
    tag = shown(node.tag)
    if "python/" in node.tag:
        yield Finding.of(NEM003, f"{_where(path)} has the tag {tag}", location, tag=node.tag[:200])
    else:
        yield Finding.of(NEM004, f"{_where(path)} has the tag {tag}", location, tag=node.tag[:200])
    yield Gap(f"it is not known what the tag {tag} would create", location)


def _judge_resolvers(text: str, path: Path, location: Location) -> Iterator[Seen]:
    for name in sorted(set(_RESOLVER.findall(text))):
        message = f"{_where(path)} uses the resolver {shown(name)} in {shown(text)}"
        yield Finding.of(NEM004, message, location, resolver=name[:200])
        yield Gap(f"it is not known what the resolver {shown(name)} returns", location)


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(name for group in load("nemo")["known"].values() for name in group["names"])

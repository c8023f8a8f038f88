"""Gather what an artifact says about its own licence: metadata and licence files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from hallmarked.checks.documentation.check import find_card, read_file
from hallmarked.checks.documentation.claims import local_target, scalars
from hallmarked.checks.licence.catalogue import Licence, catalogue, resolve
from hallmarked.checks.licence.texts import Recognised, recognise
from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Gap, Location
from hallmarked.formats import readme
from hallmarked.formats.blob import Budget, Limits

MAX_TEXT = 1 << 20
"""Bytes of a licence file that is read."""
MAX_FILES = 20
"""Licence files looked at."""
MAX_DECLARED = 100
"""Licence ids and base models of the metadata looked at."""

_NAME = re.compile(r"^(?:un|model[-_ ]?)?(?:licen[cs]es?|copying|copyright)(?:[._ -].*)?$", re.IGNORECASE)
_PROGRAM = re.compile(r"\.(?:py|js|ts|json|ya?ml|toml|sh|png|jpe?g|svg|pdf|safetensors|bin)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declared:
    """A licence named in the metadata."""

    written: str
    line: int
    licences: tuple[Licence, ...]
    """What it stands for; empty when unknown."""


@dataclass(slots=True)
class Terms:
    """What an artifact says about its licence."""

    card: str = ""
    """Path of the card; empty when there is none."""
    declared: list[Declared] = field(default_factory=list)
    name: str = ""
    """``license_name``, which ``license: other`` needs."""
    link: str = ""
    """``license_link``."""
    texts: dict[str, tuple[Recognised, ...]] = field(default_factory=dict)
    """Licences recognised in each licence file; empty for a text nobody here knows."""
    bases: list[str] = field(default_factory=list)
    """Repositories the metadata names as base models."""
    gaps: list[Gap] = field(default_factory=list)

    @property
    def given(self) -> list[str]:
        """Ids that the metadata declares, without ``other`` and ``unknown``, which say nothing."""
        ids = [licence.id for item in self.declared for licence in item.licences if licence.family != "unknown"]
        return list(dict.fromkeys(ids))

    @property
    def found(self) -> list[str]:
        """Ids recognised in licence files."""
        return list(dict.fromkeys(item.id for text in self.texts.values() for item in text))

    @property
    def effective(self) -> list[Licence]:
        """What applies as far as can be told: what is declared, and what the files hold."""
        return [catalogue()[name] for name in dict.fromkeys([*self.given, *self.found])]

    @property
    def opaque(self) -> bool:
        """Say whether the terms are ones nobody here can judge: a custom licence, or only a text nobody knows."""
        if self.declared:
            return not self.effective and any(item.written.casefold() != "unknown" for item in self.declared)
        return bool(self.texts) and not self.found

    @property
    def says_nothing(self) -> bool:
        """Say whether there is neither a declaration nor a licence file."""
        return not self.declared and not self.texts


def gather(artifact: Artifact) -> Terms:
    """Read the card's metadata and the licence files of an artifact."""
    terms = Terms()
    _read_card(artifact, terms)
    paths = list(_licence_files(artifact))
    linked = local_target(terms.card, terms.link) if terms.link else None
    sizes: Mapping[str, int] = {file.path: file.size for file in artifact.files}
    if linked is not None and linked in sizes and linked not in paths:
        paths.insert(0, linked)
    for path in paths[:MAX_FILES]:
        if sizes[path] > MAX_TEXT:
            terms.gaps.append(Gap(f"{path} is too long for a licence and was not read", Location(path)))
            continue
        with artifact.open(path) as stream:
            data = stream.read(MAX_TEXT)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")  # the words that matter are ASCII; only names and © differ
        terms.texts[path] = recognise(text)
    if len(paths) > MAX_FILES:
        terms.gaps.append(Gap(f"{len(paths) - MAX_FILES} of {len(paths)} licence files were not read"))
    return terms


def _licence_files(artifact: Artifact) -> Iterator[str]:
    """Yield licence files of the whole: in the top folder or a folder of licences, not those of vendored code."""
    for file in artifact.files:
        folder, _, name = file.path.rpartition("/")
        if _PROGRAM.search(name) or not file.size:
            continue
        if (not folder and _NAME.match(name)) or folder.casefold() in {"licenses", "licences", "license", "licence"}:
            yield file.path


def _read_card(artifact: Artifact, terms: Terms) -> None:
    card = find_card(artifact)
    if card is None:
        return
    terms.card = card.path
    budget = Budget(card.size, Limits(text=readme.MAX_FRONT + 4 * readme.MAX_MARKDOWN))
    try:
        front, _, _ = readme.split(readme.decode(read_file(artifact, card, budget)))
        data = readme.read_metadata(front, budget)
    except FormatError as error:
        terms.gaps.append(Gap(f"the licence in {card.path} could not be read: {error}", Location(card.path)))
        return
    if front is None:
        return
    for key in ("license", "licenses"):
        for written in islice(scalars(data.get(key)), MAX_DECLARED + 1):
            shown = " ".join(written[:200].split())
            terms.declared.append(Declared(shown, front.line_of(key), resolve(shown)))
    if len(terms.declared) > MAX_DECLARED:
        place = Location(card.path)
        terms.gaps.append(Gap(f"{card.path} declares more than {MAX_DECLARED} licences; the rest was not read", place))
        del terms.declared[MAX_DECLARED:]
    terms.bases = [" ".join(name[:200].split()) for name in islice(scalars(data.get("base_model")), MAX_DECLARED)]
    name, link = data.get("license_name"), data.get("license_link")
    terms.name = name if isinstance(name, str) else ""
    terms.link = link if isinstance(link, str) else ""

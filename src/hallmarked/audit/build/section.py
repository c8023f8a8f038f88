"""Open what the sections of a recipe name: lists of consents, benchmarks, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import read_private
from hallmarked.corpus.personal.redact import KEY_BYTES
from hallmarked.corpus.provenance.document import Origin
from hallmarked.corpus.signal.model import EDITION
from hallmarked.ledger.strict import format_time
from hallmarked.transforms.dataset.consent import describe_consent, open_list
from hallmarked.transforms.dataset.plan import Given
from hallmarked.transforms.dataset.recipe import Recipe
from hallmarked.transforms.dataset.section import Redaction
from hallmarked.transforms.dataset.section import describe as describe_section


@dataclass(frozen=True, slots=True)
class Sections:
    """What the sections name, opened."""

    plan: Given
    said: Mapping[str, Any]
    """What a statement says of them."""
    used: Sequence[Origin] = ()
    """What was read besides sources: benchmarks, and the list of consents."""
    benchmarks: Sequence[LocalArtifact] = field(default=())

    def confirm_unchanged(self) -> None:
        """Make sure that all processes saw the same.

        Raises:
            InputError: When they did not.
        """
        for each in self.benchmarks:
            each.confirm_unchanged()


def open_sections(recipe: Recipe) -> Sections:
    """Open what the sections of a recipe name.

    Raises:
        InputError: When something of it cannot be used.
        VerificationError: When a list of consents does not hold.
        BackendError: When something cannot be read.
    """
    said: dict[str, Any] = {"duplicates": {"exact": recipe.copies.exact, "near": recipe.copies.near}}
    if recipe.copies.near:
        settings = recipe.copies.settings
        said["duplicates"] |= {
            name: getattr(settings, name) for name in ("words", "bands", "rows", "threshold", "seed")
        }
    used: list[Origin] = []
    consent = None
    if recipe.consent is not None:
        opened = open_list(recipe.consent)
        consent = describe_consent(recipe.consent, opened, recipe.name)
        heading = opened.heading
        said["consent"] = describe_section(recipe.consent) | {
            "registry": heading.registry,
            "issued": format_time(heading.issued),
            "policy": heading.policy,
            "logSize": heading.log_size,
            "list": {"sha256": opened.sha256},
        }
        used.append(Origin("list of consents", {"sha256": opened.sha256}))
    if recipe.signals is not None:
        said["signals"] = describe_section(recipe.signals) | {"edition": EDITION}
    benchmarks = [(each.name, open_artifact(each.path)) for each in recipe.benchmarks]
    used += [Origin(f"benchmark {name}", artifact.subject.digest) for name, artifact in benchmarks]
    redaction = None
    if recipe.redaction is not None:
        said["redaction"] = describe_section(recipe.redaction)
        redaction = {
            "mode": recipe.redaction.mode,
            "kinds": list(recipe.redaction.kinds),
            "columns": list(recipe.redaction.columns),
            "key": _key(recipe.redaction),
        }
    described = tuple((name, describe(artifact)) for name, artifact in benchmarks)
    return Sections(Given(consent, described, redaction), said, used, [artifact for _, artifact in benchmarks])


def _key(redaction: Redaction) -> str:
    """Return the key of pseudonyms as hexadecimal digits: what stands in its file, hashed to one length."""
    if redaction.key is None:
        return ""
    text = read_private(redaction.key).strip()
    if len(text) < KEY_BYTES:
        raise InputError(f"the key {redaction.key} is too short: it needs at least {KEY_BYTES} characters of chance")
    return hashlib.sha256(text.encode()).hexdigest()

"""The two editions of NIST AI 600-1: https://doi.org/10.6028/NIST.AI.600-1 and the draft that came before it.

Ids, subcategories, risks and pages are NIST's. Summaries, answers and the map between the editions are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from hallmarked.profiles.framework import Framework
from hallmarked.profiles.mapping import EditionMap, read_map
from hallmarked.profiles.registry import Family, read_package

PACKAGE = "hallmarked.profiles.nist"
FINAL = "final-2024-07"
DRAFT = "ipd-2024-04"


def load(edition: str) -> Framework:
    """Read an edition."""
    return read_package(PACKAGE, "answers.toml", f"{edition}.toml", f"{edition}.es.toml")


def maps() -> Sequence[EditionMap]:
    """Read the map between the editions."""
    return (read_map((files(PACKAGE) / "draft-to-final.toml").read_bytes()),)


FAMILY = Family(
    "nist-ai-600-1",
    {
        "en": "NIST AI 600-1, the risk profile for generative AI",
        "es": "NIST AI 600-1, el perfil de riesgos de la IA generativa",
    },
    {
        FINAL: {"en": "final, July 2024: 212 actions", "es": "final, julio de 2024: 212 acciones"},
        DRAFT: {"en": "draft, April 2024: 466 actions", "es": "borrador, abril de 2024: 466 acciones"},
    },
    load,
    maps,
)
"""What the entry point names."""

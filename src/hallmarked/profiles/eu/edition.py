"""The two forms for general-purpose models: documentation of the model, and the public summary of training content.

Their official wording was not obtained whole: the fields are ours, and each says how well its wording is known.
"""

from __future__ import annotations

from hallmarked.profiles.framework import Framework
from hallmarked.profiles.registry import Family, read_package

PACKAGE = "hallmarked.profiles.eu"
EDITION = "2025-07"


def load_documentation(edition: str) -> Framework:
    """Read an edition of the documentation of a model."""
    return read_package(PACKAGE, f"documentation-{edition}.toml")


def load_summary(edition: str) -> Framework:
    """Read an edition of the summary of training content."""
    return read_package(PACKAGE, f"summary-{edition}.toml")


DOCUMENTATION = Family(
    "eu-gpai-documentation",
    {"en": "EU: documentation of a general-purpose model", "es": "UE: documentación de un modelo de uso general"},
    {EDITION: {"en": "July 2025, as we understand it", "es": "julio de 2025, según lo entendemos"}},
    load_documentation,
)
"""What the entry point names."""
SUMMARY = Family(
    "eu-training-summary",
    {"en": "EU: public summary of training content", "es": "UE: resumen público del contenido de entrenamiento"},
    {EDITION: {"en": "July 2025, as we understand it", "es": "julio de 2025, según lo entendemos"}},
    load_summary,
)
"""What the entry point names."""

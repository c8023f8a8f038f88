"""State how a version of a data set came about, what it commits to, and what was deleted.

The first is SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hallmarked import __version__
from hallmarked.core.evidence import Statement, Subject
from hallmarked.corpus.proof.proof import PREDICATE_TYPE as COMMITMENT_TYPE
from hallmarked.corpus.provenance.document import Document
from hallmarked.transforms.provenance import PREDICATE_TYPE

BUILD_TYPE = "urn:hallmarked:build:dataset:v1"
BUILDER = "urn:hallmarked:builder:dataset:v1"
DELETION_TYPE = "urn:hallmarked:deletion:v1"


def describe_build(
    outputs: Mapping[str, str], document: Document, recipe: Mapping[str, Any], account: Mapping[str, Any]
) -> Statement:
    """Make the provenance statement of a build; the caller signs it.

    Args:
        outputs: SHA-256 of each file that was written, by path.
        document: What was read.
        recipe: What the recipe says, by its digest and in short.
        account: What became of the rows.
    """
    origins = [origin for each in document.inputs for origin in (each.origin, *each.learned)] + [*document.used]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(recipe),
            "resolvedDependencies": [{"name": each.name, "digest": dict(each.digest)} for each in origins],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"hallmarked": __version__}},
            "byproducts": [{"name": "account", "annotations": dict(account)}],
        },
    }
    return Statement(_subjects(outputs), PREDICATE_TYPE, predicate)


def describe_commitment(outputs: Mapping[str, str], commitment: Mapping[str, Any]) -> Statement:
    """Make the statement of what a version holds, see ``corpus.proof``."""
    return Statement(_subjects(outputs), COMMITMENT_TYPE, dict(commitment))


def describe_deletion(
    outputs: Mapping[str, str], as_of: str, rows: Mapping[str, int], still: int, commitment: Mapping[str, Any]
) -> Statement:
    """Make the receipt of what was left out of a version because it may not be kept any more.

    Args:
        outputs: SHA-256 of each file that was written, by path.
        as_of: The day for which it was judged.
        rows: How many rows of each source.
        still: How many of their contents other rows hold, which may be kept.
        commitment: To the contents of these rows, so that it can be shown of each that it was among them.
    """
    return Statement(
        _subjects(outputs),
        DELETION_TYPE,
        {
            "asOf": as_of,
            "rows": dict(rows),
            "total": sum(rows.values()),
            "contentsStillHeld": still,
            "commitment": dict(commitment),
        },
    )


def _subjects(outputs: Mapping[str, str]) -> tuple[Subject, ...]:
    return tuple(Subject(path, {"sha256": digest}) for path, digest in sorted(outputs.items()))

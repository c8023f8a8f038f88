"""State how a conversion came about: SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hallmarked import __version__
from hallmarked.core.evidence import Statement, Subject

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:hallmarked:build:convert-to-safetensors:v1"
BUILDER = "urn:hallmarked:builder:convert:v1"


def describe_build(
    outputs: Mapping[str, str], inputs: Mapping[str, str], parameters: Mapping[str, Any], report: Mapping[str, Any]
) -> Statement:
    """Make the provenance statement of a conversion; the caller signs it.

    Args:
        outputs: SHA-256 of each file that was written, by name.
        inputs: SHA-256 of each file that was read, by path.
        parameters: What the caller asked for.
        report: What became of each tensor; plain JSON.
    """
    canonical = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(parameters),
            "resolvedDependencies": [{"name": path, "digest": {"sha256": digest}} for path, digest in inputs.items()],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"hallmarked": __version__}},
            "byproducts": [
                {
                    "name": "conversion-report.json",
                    "mediaType": "application/json",
                    "digest": {"sha256": hashlib.sha256(canonical).hexdigest()},
                    "annotations": dict(report),
                }
            ],
        },
    }
    subjects = tuple(Subject(name, {"sha256": digest}) for name, digest in outputs.items())
    return Statement(subjects, PREDICATE_TYPE, predicate)

"""The GGUF examiner."""

import pytest

from hallmarked.checks.serialization.gguf import examine_gguf
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget
from tests.formats.test_gguf import ARRAY, PAIRS, STRING, TENSORS, VALID, write


def examine(data: bytes):
    items = list(examine_gguf(Blob.of_bytes("m.gguf", data), Budget(len(data))))
    return [i.rule for i in items if isinstance(i, Finding)], [i for i in items if isinstance(i, Gap)]


def test_an_ordinary_file_gives_no_finding():
    """Metadata, a template and aligned tensors yield neither finding nor gap."""
    assert examine(VALID) == ([], [])


def test_a_file_with_metadata_alone_is_fine():
    """Vocabulary files have no tensors."""
    assert examine(write(PAIRS[:1])) == ([], [])


def test_code_in_a_description_is_a_warning():
    """Payload text is reported wherever it is kept, in arrays too."""
    data = write([("general.description", STRING, "import os; os.system('x')")])
    items = [i for i in examine_gguf(Blob.of_bytes("m", data), Budget(len(data))) if isinstance(i, Finding)]
    assert items
    assert all(i.rule == "GUF001" and i.level is Level.WARNING for i in items)
    assert examine(write([("general.tags", ARRAY, (STRING, ["a", "<script>"]))]))[0] == ["GUF001"]


def test_vocabularies_and_templates_are_not_payloads():
    """Words of a vocabulary and the template are left to others."""
    words = ("tokenizer.ggml.tokens", ARRAY, (STRING, ["<script>", "exec(", "os.system"]))
    template = ("tokenizer.chat_template.tool", STRING, "{{ '<script>' }}")
    assert examine(write([words, template])) == ([], [])


@pytest.mark.parametrize(
    "data",
    [
        write(PAIRS, TENSORS, alignment=64, tail=bytes(64)),
        write([], [("w", [1], 0, 64, 4)]),
        write([], [("v", [1], 0, 0, 4), ("w", [1], 0, 128, 4)]),
        write(PAIRS[:1], tail=bytes(64)),
    ],
)
def test_bytes_outside_of_tensors_are_reported(data):
    """Holes and bytes after the end are a warning."""
    assert examine(data)[0] == ["GUF002"]


@pytest.mark.parametrize("data", [write(version=1), b"GGUF\0\0\0\3" + bytes(16), write([], [("w", [8], 340, 0, 9)])])
def test_what_we_cannot_vouch_for_is_a_gap(data):
    """Old, big-endian and unknown-type files are gaps, not passes."""
    assert len(examine(data)[1]) == 1

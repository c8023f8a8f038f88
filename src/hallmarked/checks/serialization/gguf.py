"""GGUF files: structure and bounds, text payloads, bytes outside of the tensors.

Chat templates are programs and are judged by the template check, which takes them from ``read_gguf``.
"""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.payload import find_payloads
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.gguf import Gguf, read_gguf, unread_variant

GUF_PAYLOAD = Rule(
    "GUF001",
    Level.WARNING,
    "The description of the weights contains text that looks like program code or a fetching link",
    "Nothing runs by loading the file, but code has no purpose there: ask who wrote it, or convert the model again.",
)
GUF_HIDDEN = Rule(
    "GUF002",
    Level.WARNING,
    "The file has bytes that belong to no tensor",
    "Readers skip them, so they can carry hidden content: convert the model again, or ask what they are.",
)

RULES = (GUF_PAYLOAD, GUF_HIDDEN)

_TEMPLATE = "tokenizer.chat_template"
_VOCABULARY = "tokenizer."
"""Vocabularies hold pieces of code as ordinary words; only their single texts are looked at."""


def examine_gguf(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a GGUF file; reads its header only.

    Raises:
        FormatError: When a reader would refuse it or step outside of it.
    """
    variant = unread_variant(blob)
    if variant:
        yield Gap(f"{variant} is not read, so nothing is known about {blob.path}.", Location(blob.path))
        return
    header = read_gguf(blob, budget)
    yield from _payloads(blob, header)
    unknown = sorted({tensor.type for tensor in header.tensors if tensor.nbytes is None})
    if unknown:
        kinds = ", ".join(map(str, unknown[:8]))
        yield Gap(f"{blob.path} has tensors of types that are not known ({kinds}), so their ranges cannot be checked.")
    else:
        yield from _hidden(blob, header)
    yield Measurement("tensors", str(len(header.tensors)), slice={"path": blob.path})


def _payloads(blob: Blob, header: Gguf) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for key, text in header.texts():
        if key.startswith(_TEMPLATE) or (key.startswith(_VOCABULARY) and not isinstance(header.metadata[key], str)):
            continue
        for what in (*find_payloads(text, key), *find_payloads(key)):
            if (key, what) not in seen:
                seen.add((key, what))
                message = f"Metadata {key[:80]!r} of {blob.path} contains {what}."
                yield Finding.of(GUF_PAYLOAD, message, Location(blob.path), key=key[:200], kind=what)


def _hidden(blob: Blob, header: Gguf) -> Iterator[Finding]:
    end = 0
    for tensor in sorted(header.tensors, key=lambda t: t.offset):
        if tensor.offset > end:
            message = (
                f"{tensor.offset - end} bytes before tensor {tensor.name[:80]!r} of {blob.path} belong to no tensor."
            )
            yield Finding.of(GUF_HIDDEN, message, Location(blob.path, offset=header.data_offset + end))
            return
        end = -(-(tensor.offset + (tensor.nbytes or 0)) // header.alignment) * header.alignment
    rest = blob.size - header.data_offset - end
    if rest > 0 and (header.tensors or rest >= header.alignment):
        message = f"{rest} bytes after the last tensor of {blob.path} belong to no tensor."
        yield Finding.of(GUF_HIDDEN, message, Location(blob.path, offset=header.data_offset + end))

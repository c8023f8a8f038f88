"""Preferences on usage: ``Content-Usage`` and ``Content-Signal``.

``Content-Usage`` is a dictionary of structured fields (RFC 9651) with a vocabulary that is still a draft:
https://datatracker.ietf.org/doc/draft-ietf-aipref-vocab/. Labels of all its editions up to 06 are known.
``Content-Signal`` (https://contentsignals.org/) is written likewise, with ``yes`` and ``no``.
"""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.corpus.signal.model import Decision, Said

VOCABULARY = "draft-ietf-aipref-vocab-06"
"""The newest edition whose labels are known."""
TRAINING = frozenset({"ai", "ai-train", "all", "bots", "genai", "tdm", "train", "train-ai", "train-genai"})
"""Labels of uses that training is one of."""
OTHER_USES = frozenset({"ai-input", "ai-use", "search", "substitute"})
"""Labels of uses that training is none of."""
YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no"})


def read_usage(name: str, value: str) -> Iterator[Said]:
    """Say what a preference means for training.

    Args:
        name: What it is called, for people.
        value: ``train-ai=n, search=y``.
    """
    for part in value.split(","):
        label, equals, rest = part.strip().partition("=")
        label, said = label.strip().lower(), rest.partition(";")[0].strip().strip('"').lower()
        if not label and not equals:
            continue
        if label in OTHER_USES:
            continue
        if label in TRAINING:
            yield _said(name, label, said)
        elif not label or " " in label:
            yield Said(Decision.UNKNOWN, f"{name} cannot be understood")
        elif said in NO:
            yield Said(Decision.DENIED, f"{name} refuses a use that is not known here, {label[:40]}")


def _said(name: str, label: str, said: str) -> Said:
    if said in YES:
        return Said(Decision.ALLOWED, f"{name} allows {label}")
    if said in NO:
        return Said(Decision.DENIED, f"{name} refuses {label}")
    return Said(Decision.DENIED, f"{name} says something of {label} that is not known here, which counts as a refusal")

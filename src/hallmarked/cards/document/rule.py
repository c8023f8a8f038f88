"""What may be wrong with a card as a document."""

from __future__ import annotations

from hallmarked.core.evidence import Level, Rule

BROKEN = Rule(
    "CRD001",
    Level.ERROR,
    "The card cannot be read",
    "Correct the file: UTF-8 text, metadata as “key: value” lines between two lines of three hyphens, then Markdown.",
)
WRONG = Rule(
    "CRD002",
    Level.ERROR,
    "A field holds something it cannot hold",
    "Write what the message asks for.",
)
TWICE = Rule(
    "CRD003",
    Level.ERROR,
    "Two claims have one id",
    "Give each claim an id of its own, so that reports can point to it.",
)
IMPOSSIBLE = Rule(
    "CRD004",
    Level.ERROR,
    "A claim asks for something that can never be compared",
    "Choose an operator and a value that go together.",
)
CONFLICT = Rule(
    "CRD005",
    Level.ERROR,
    "Two claims cannot both be true",
    "Remove one of them, or say to which part of the data each applies.",
)
UNKNOWN = Rule(
    "CRD006",
    Level.WARNING,
    "A field is not one that hallmarked knows",
    "Check the spelling. The field is kept as it is, and means nothing here.",
)
DANGLING = Rule(
    "CRD007",
    Level.ERROR,
    "The text asks for a claim that the card does not make",
    "Add the claim to the metadata, or correct its name in the text.",
)
UNUSUAL = Rule(
    "CRD008",
    Level.WARNING,
    "A field of the Hub holds something that the Hub does not expect",
    "Write what the message asks for, so that programs and people can find the card.",
)
HELD = Rule(
    "CRD009",
    Level.WARNING,
    "The metadata hold something that readers understand differently",
    "Write it out plainly, so that every reader sees the same.",
)
UNANSWERED = Rule(
    "CRD010",
    Level.WARNING,
    "The card leaves something open that its template asks for",
    "Answer the question in the section, field or claim it names. If nothing is known, say so in a sentence.",
)

RULES = (BROKEN, WRONG, TWICE, IMPOSSIBLE, CONFLICT, UNKNOWN, DANGLING, UNUSUAL, HELD, UNANSWERED)

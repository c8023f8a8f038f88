"""What may be wrong with a scope, and with what it is about."""

from __future__ import annotations

from hallmarked.core.evidence import Level, Rule

WRONG = Rule(
    "SCO001",
    Level.ERROR,
    "A clause of the scope holds something it cannot hold",
    "Write what the message asks for.",
)
TWICE = Rule(
    "SCO002",
    Level.ERROR,
    "Two clauses of the scope have one id",
    "Give each clause an id of its own, so that reports can point to it.",
)
UNKNOWN = Rule(
    "SCO003",
    Level.WARNING,
    "The scope has a field that hallmarked does not know",
    "Check the spelling. The field is kept as it is, and means nothing here.",
)
DEVIATION = Rule(
    "SCO004",
    Level.ERROR,
    "What was measured is worse than the scope says",
    "Treat it as a flaw: correct the model, or say in the scope what it can do, and tell those who rely on it.",
)
RULES = (WRONG, TWICE, UNKNOWN, DEVIATION)

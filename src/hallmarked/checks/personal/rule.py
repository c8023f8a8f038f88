"""What the check for personal data finds fault with."""

from __future__ import annotations

from hallmarked.core.evidence import Level, Rule

PERSON = Rule(
    "PER001",
    Level.WARNING,
    "The texts hold details of people",
    "Redact them, or say on what ground and for what purpose they are kept; models repeat what they have learned.",
)
NUMBER = Rule(
    "PER002",
    Level.WARNING,
    "The texts hold numbers of people, cards or accounts",
    "Redact them and look where they come from; whoever has such a number can pose as its owner.",
)
SECRET = Rule(
    "PER003",
    Level.ERROR,
    "The texts hold passwords, tokens or keys",
    "Have them revoked by whoever issued them first, then redact them; copies of the data keep them.",
)
MACHINE = Rule(
    "PER004",
    Level.NOTE,
    "The texts hold addresses of machines",
    "Redact them if they are of people's own machines; together with a time they lead to a person.",
)
UNEVEN = Rule(
    "PER005",
    Level.WARNING,
    "Personal data are found in some groups much more often",
    "Look at samples before rows are dropped or redacted: a group may lose more than others, or be misread.",
)
RULES = (PERSON, NUMBER, SECRET, MACHINE, UNEVEN)

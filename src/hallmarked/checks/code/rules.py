"""The rules of the code check."""

from __future__ import annotations

from hallmarked.core.evidence import Level, Rule

LOADED = Rule(
    "COD001",
    Level.NOTE,
    "This model runs code from its repository",
    "Read the named files before you allow it, and pin the revision you read.",
)
CARRIED = Rule(
    "COD002",
    Level.NOTE,
    "The repository carries code",
    "Nothing to do as long as you do not run it.",
)
ELSEWHERE = Rule(
    "COD003",
    Level.WARNING,
    "Code of another repository is run",
    "Copy the code into this repository, so that the same digest covers it. What lies elsewhere can change any time.",
)
DECODED = Rule(
    "COD004",
    Level.ERROR,
    "Something decoded or downloaded is run",
    "Do not run it. Honest code is readable where it stands.",
)
EXECUTE = Rule(
    "COD005",
    Level.WARNING,
    "Text is run as code",
    "Check where the text comes from; look values up in a table instead.",
)
PROCESS = Rule(
    "COD006",
    Level.WARNING,
    "A program is started",
    "Check what it starts and when. Code that belongs to a model has no need of other programs.",
)
HIDDEN = Rule(
    "COD007",
    Level.ERROR,
    "The code hides what it calls",
    "Do not run it until somebody explained why the name is not simply written down.",
)
DESERIALIZE = Rule(
    "COD008",
    Level.WARNING,
    "Data is loaded in a way that can run code",
    "Use safetensors, or a loader that is restricted to data.",
)
NETWORK = Rule(
    "COD009",
    Level.WARNING,
    "The network is reached",
    "Loading a model needs no network of its own. Check the address and what is sent.",
)
EXFILTRATE = Rule(
    "COD010",
    Level.ERROR,
    "Secrets of the machine are sent away",
    "Do not run it. If it ran somewhere, replace every credential of that machine.",
)
WRITES = Rule(
    "COD011",
    Level.WARNING,
    "Files elsewhere are changed",
    "Code that belongs to a model writes to nothing but its cache.",
)
NATIVE = Rule(
    "COD012",
    Level.WARNING,
    "Machine code is called",
    "Machine code cannot be read here. Check which library it is and where it comes from.",
)
UNREADABLE = Rule(
    "COD013",
    Level.WARNING,
    "Code cannot be read",
    "Correct it, or remove it: what cannot be parsed cannot be judged.",
)
CONFIGURED = Rule(
    "COD014",
    Level.ERROR,
    "A configuration names a function that runs programs or code",
    "Do not load it. A configuration names models and numbers.",
)
TRUSTING = Rule(
    "COD015",
    Level.WARNING,
    "A configuration switches remote code on by itself",
    "Whether code of a repository may run is for the user to say, not for the repository.",
)
MISSING = Rule(
    "COD016",
    Level.WARNING,
    "A configuration names code that is not here",
    "Add the file, so that the code that runs is the code that was examined.",
)

ALL = (
    *(LOADED, CARRIED, ELSEWHERE, DECODED, EXECUTE, PROCESS, HIDDEN, DESERIALIZE, NETWORK, EXFILTRATE, WRITES, NATIVE),
    *(UNREADABLE, CONFIGURED, TRUSTING, MISSING),
)

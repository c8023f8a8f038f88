"""``hallmarked card``: write, check, show and exchange cards."""

from __future__ import annotations

from hallmarked.cli.lazy import LazyCommands

command = LazyCommands(
    name="card",
    help="Write, check, show and exchange the cards of models, data sets and systems.",
    lazy={
        "export": ("hallmarked.cli.card.exchange", "export", "Write what is known in the format of another standard."),
        "gaps": ("hallmarked.cli.card.gaps", "command", "Show what nobody evaluated."),
        "history": ("hallmarked.cli.card.history", "command", "Tell how a claim stood over time."),
        "prompts": ("hallmarked.cli.card.prompts", "command", "Compare what different system prompts lead to."),
        "scope": ("hallmarked.cli.card.scope", "command", "Show what a thing is for, and how each clause stands."),
        "status": ("hallmarked.cli.card.status", "command", "Say how each claim of a card stands right now."),
        "diff": ("hallmarked.cli.card.diff", "command", "Say what changed between two versions of a card."),
        "lint": ("hallmarked.cli.card.lint", "command", "Say what is wrong with a card, and what it leaves open."),
        "new": ("hallmarked.cli.card.new", "command", "Write a first version of a card from what is known."),
        "import": ("hallmarked.cli.card.exchange", "import_", "Make a README.md from a document of another standard."),
        "render": ("hallmarked.cli.card.render", "render", "Show a card with the status of everything it claims."),
        "translate": ("hallmarked.cli.card.translate", "translate", "Begin a translation of a card, or update one."),
    },
)

"""``hallmarked profile``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

from hallmarked.cli.lazy import LazyCommands

command = LazyCommands(
    name="profile",
    help="Answer what frameworks ask from evidence, with the gaps named.",
    lazy={
        "list": ("hallmarked.cli.profile.list", "command", "List the frameworks and their editions."),
        "map": (
            "hallmarked.cli.profile.map",
            "command",
            "Say what an id means, and what it became in another edition.",
        ),
        "package": (
            "hallmarked.cli.profile.package",
            "command",
            "Put forms and their evidence into a package that verifies itself.",
        ),
        "show": (
            "hallmarked.cli.profile.show",
            "command",
            "Answer every control of an edition for a model or data set.",
        ),
        "verify": ("hallmarked.cli.profile.verify", "command", "Check such a package, without a network."),
    },
)

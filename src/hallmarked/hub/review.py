"""Whether others may get a revision: what its state means, and what policy adds."""

from __future__ import annotations

from hallmarked.hub.revision import Entry
from hallmarked.hub.setting import Policy

CODE = (".py", ".pyc", ".so", ".dll", ".ipynb", ".sh", ".js")
"""Text that loaders import as code, whatever its bytes look like; nobody else loads it by another name."""


def is_lenient(policy: Policy, entry: Entry) -> bool:
    """Whether policy lets others have a file although the audit of its revision is not in."""
    if policy.while_checked == "all":
        return True
    return policy.while_checked == "passive" and entry.passive and not entry.path.lower().endswith(CODE)

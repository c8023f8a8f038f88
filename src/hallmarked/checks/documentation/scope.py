"""Write down the scope that lies beside a card: what the thing is for, and what it must not be used for.

``scope.yaml`` is data, so that evaluations and reports can point to a clause. Its clauses are recorded word for word,
like the claims of the card; whether each makes sense is for views to say:

==========================  ===========================================================================================
``scope.digest``            SHA-256 of the file; ``version`` as it says
``scope.clause``            id of a clause; ``group`` (``floors``, ``uses``, …), the row in ``row``
==========================  ===========================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from hallmarked.checks.documentation.claims import cut
from hallmarked.checks.documentation.declared import record_rows
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Item, Level, Measurement, Rule
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_yaml
from hallmarked.formats.position import Lines, read_places

UNREADABLE = Rule(
    "DOC013",
    Level.WARNING,
    "The file that states the scope cannot be read",
    "Correct scope.yaml: “key: value” lines, with lists of clauses that each have an id.",
)
SCOPE = "scope.yaml"
"""Where the scope lies, beside the card."""
GROUPS = ("uses", "users", "languages", "inputs", "out_of_scope", "refusals", "floors")
"""Lists of clauses, in the order in which people should read them."""


def look(path: str, data: bytes, budget: Budget) -> Iterator[Item]:
    """Yield what a scope says.

    Raises:
        FormatError: When it is not a YAML mapping, or costs more than the budget.
    """
    document = read_yaml(data, budget)
    if not isinstance(document, dict):
        raise FormatError("the scope is not a list of “key: value” lines")
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    line_of = Lines(text, 1, read_places(text))
    version = document.get("version")
    said = {"version": cut(str(version))} if isinstance(version, str | int | float) else {}
    yield Measurement("scope.digest", hashlib.sha256(data).hexdigest(), slice={"path": path, **said})
    for group in GROUPS:
        yield from record_rows("scope.clause", path, document.get(group), (group,), line_of, group=group)

"""Policy files: TOML with contexts and their requirements. The form is described in docs/how-to/contexts.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.evidence import Level
from hallmarked.ledger.trust import SIGNER_ROLES
from hallmarked.policy.context import RISKS, Context, Demand
from hallmarked.policy.harm import Harms, merge_harms, read_harms
from hallmarked.policy.inheritance import Draft, resolve
from hallmarked.policy.known import Vocabulary
from hallmarked.policy.requirement import THIRD_PARTY, TRUSTED, WORST, Operator, Requirement, decimal
from hallmarked.policy.table import MOST_BYTES, Source, Table

_CONTEXT = ("title", "risk", "extends", "fail_on", "checks", "may_be_unknown", "waived_by", "require")
_REQUIRE = (
    "id", "claim", "slice", "op", "value", "harm", "threshold", "min_n", "max_age", "by", "check", "maps_to", "why",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_AGE = re.compile(r"([1-9]\d{0,4})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9.-]*/[A-Za-z0-9][\w.:-]*#\S+")
_ROLES = (*sorted(SIGNER_ROLES), THIRD_PARTY, TRUSTED)
_OPERATORS = {operator.value: operator for operator in Operator}
_LEVELS = {level.value: level for level in Level}
MOST_N = 10**12
MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything some policy files say."""

    contexts: Mapping[str, Context]
    harms: Harms


def contexts(data: bytes | None = None, name: str = "policy file") -> dict[str, Context]:
    """Return the contexts that are shipped, and those of a policy file.

    Args:
        data: The bytes of a policy file, whose contexts may extend those that are shipped.
        name: How messages call it.

    Raises:
        InputError: When the file does not hold contexts; the message names the line.
    """
    shipped = load_shipped()
    return dict(shipped.contexts if data is None else load([Source(data, name)], shipped, Vocabulary()).contexts)


def load_shipped() -> Policy:
    """Return the contexts and definitions of harms that are shipped.

    Raises:
        InputError: When this installation is damaged.
    """
    folder = files("hallmarked.policy")
    found = [
        each
        for part in ("contexts", "harms")
        for each in sorted((folder / part).iterdir(), key=lambda each: each.name)
        if each.name.endswith(".toml")
    ]
    return load([Source(each.read_bytes(), each.name) for each in found], Policy({}, {}), None)


def read_policy(path: Path, *, instead: bool = False) -> Policy:
    """Read a policy file, or every ``.toml`` in a folder, beside what is shipped.

    Args:
        path: The file or folder.
        instead: Let its contexts and harms take the place of shipped ones of the same name, as a changed copy of these
            does that is compared with another one.

    Raises:
        InputError: When it cannot be read, or does not hold what it should; the message names file and line.
    """
    sources, beside = read_sources(path), load_shipped()
    if instead:
        own = [source.root.get(part) for source in sources for part in ("context", "harm")]
        named = {name for tables in own if isinstance(tables, dict) for name in tables}
        kept = {name: context for name, context in beside.contexts.items() if name not in named}
        beside = Policy(kept, {name: versions for name, versions in beside.harms.items() if name not in named})
    return load(sources, beside, Vocabulary())


def read_sources(path: Path) -> list[Source]:
    """Read a TOML file, or every one in a folder.

    Raises:
        InputError: When there is none, or one is no TOML.
        BackendError: When one cannot be read.
    """
    try:
        found: Sequence[Traversable] = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not found or len(found) > MOST_FILES:
            what = "more files than a policy has" if found else "no file that ends in .toml"
            raise InputError(f"{path} holds {what}")
        return [Source(_read(Path(str(each))), str(each)) for each in found]
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise BackendError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def load(sources: Iterable[Source], beside: Policy, vocabulary: Vocabulary | None) -> Policy:
    """Read policy files.

    Args:
        sources: The files.
        beside: What they may extend and refer to. It is part of the result.
        vocabulary: What can be stated. Without it that is not looked at, which takes loading checks.

    Raises:
        InputError: When one does not hold what it should; the message names file and line.
    """
    drafts: dict[str, Draft] = {}
    listed = list(sources)
    for source in listed:
        root = source.table(("context", "harm"))
        if not root.values:
            raise InputError(f"{source.name}: this is not a policy file: it has neither [context.NAME] nor [harm.NAME]")
        for name, table in root.tables("context", _CONTEXT).items():
            taken = drafts[name].place if name in drafts else "what is shipped" if name in beside.contexts else ""
            if taken:
                table.fail("", f"a context is called {name} already, in {taken}")
            drafts[name] = _draft(name, table, vocabulary)
    harms = merge_harms([beside.harms, *(read_harms(source) for source in listed)])
    return Policy({**beside.contexts, **resolve(drafts, harms, beside.contexts)}, harms)


def _draft(name: str, table: Table, vocabulary: Vocabulary | None) -> Draft:
    if not _NAME.fullmatch(name):
        table.fail("", f"{name!r} is no name of a context: lower-case letters, digits, - and _")
    title = table.languages("title")
    if not title:
        table.fail("title", "title is missing")
    waived_by = table.texts("waived_by")
    for role in waived_by:
        if role not in SIGNER_ROLES:
            table.fail("waived_by", f"{role!r} is no role; there are: {', '.join(sorted(SIGNER_ROLES))}")
    demands = [_demand(name, row, vocabulary) for row in table.rows("require", _REQUIRE)]
    seen: dict[str, str] = {}
    for demand in demands:
        if (id_ := demand.requirement.id) in seen:
            raise InputError(f"{demand.place}: the id {id_} is used twice; first in {seen[id_]}")
        seen[id_] = demand.place
    return Draft(
        name,
        table.place,
        title,
        table.choice("risk", {risk: risk for risk in RISKS}, RISKS[0]) if "risk" in table else None,
        table.texts("extends"),
        table.choice("fail_on", _LEVELS, Level.ERROR) if "fail_on" in table else None,
        _checks(table, "checks", vocabulary),
        _checks(table, "may_be_unknown", vocabulary) if "may_be_unknown" in table else None,
        waived_by if "waived_by" in table else None,
        tuple(demands),
        {key: table.source.place((*table.path, key)) for key in table.values},
    )


def _checks(table: Table, key: str, vocabulary: Vocabulary | None) -> tuple[str, ...]:
    found = table.texts(key)
    for check in found:
        if vocabulary is not None and (why := vocabulary.problem_with(f"check.{check}", "")):
            table.fail(key, why)
    return found


def _demand(context: str, row: Table, vocabulary: Vocabulary | None) -> Demand:
    id_, path = row.text("id"), row.text("claim")
    if not _ID.fullmatch(id_):
        row.fail("id", f"{id_!r} is no id: lower-case letters, digits and -")
    check = row.text("check", "")
    if vocabulary is not None and (why := vocabulary.problem_with(path, check)):
        row.fail("claim", why)
    op = row.choice("op", _OPERATORS, Operator.PRESENT)
    _check_combination(row, op)
    references = row.texts("maps_to")
    for each in references:
        if not _REFERENCE.fullmatch(each):
            row.fail("maps_to", f"{each!r} has to name its edition, as in nist-ai-600-1/final-2024-07#MS-2.5-005")
    requirement = Requirement(
        id_, path, op, _value(row, op), _slice(row), _number(row), _age(row), _roles(row) or (TRUSTED,), check
    )
    why_text = row.languages("why")
    harm, threshold = row.text("harm", ""), row.text("threshold", "")
    return Demand(requirement, context, why_text, references, harm, threshold, place=row.place)


def _check_combination(row: Table, op: Operator) -> None:
    """Refuse what no evidence could ever satisfy, or what means nothing."""
    if op in {Operator.PRESENT, Operator.ABSENT}:
        for key in ("value", "threshold"):
            if key in row:
                row.fail(key, f"{op} compares with nothing, so that {key} means nothing here")
    if op is Operator.ABSENT:
        if "check" not in row:
            row.fail("op", "absent needs check: which check has to have looked, and come to its end")
        if "min_n" in row:
            row.fail("min_n", "absent counts nothing, so that min_n means nothing here")
    if "threshold" in row:
        if "harm" not in row:
            row.fail("threshold", "threshold needs harm: whose threshold it is")
        if "value" in row:
            row.fail("value", "value and threshold exclude each other")
        if not op.orders:
            row.fail("op", f"a threshold is compared by size, not by {op}")


def _value(row: Table, op: Operator) -> str | tuple[str, ...]:
    if op in {Operator.PRESENT, Operator.ABSENT} or "threshold" in row:
        return ""
    if op is Operator.IN:
        values = row.texts("value")
        return values or row.fail("value", "in needs value: a list of the texts that are accepted")
    value = row.text("value")
    if op.orders and decimal(value) is None:
        row.fail("value", f"{value!r} is no number, so that nothing can be {op} it")
    return value


def _slice(row: Table) -> Mapping[str, str] | str:
    value = row.values.get("slice", {})
    if isinstance(value, str):
        return value if value == WORST else row.fail("slice", f"slice is {value!r}; {WORST} is the only word there is")
    return row.words("slice")


def _number(row: Table) -> int:
    value = row.values.get("min_n", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_N:
        row.fail("min_n", f"min_n is {value!r}, and has to be a whole number from 0 on")
    return value


def _age(row: Table) -> timedelta | None:
    if "max_age" not in row:
        return None
    found = _AGE.fullmatch(row.text("max_age"))
    if found is None:
        row.fail("max_age", f"max_age is {row.text('max_age')!r}, and has to be hours, days or weeks, such as 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _roles(row: Table) -> tuple[str, ...]:
    roles = row.texts("by")
    for role in roles:
        if role not in _ROLES:
            row.fail("by", f"{role!r} is no role; there are: {', '.join(_ROLES)}")
    if "by" in row and not roles:
        row.fail("by", "by names nobody, so that nothing could ever satisfy it")
    return roles

"""Records, and who signed them, made for tests."""

from __future__ import annotations

import hashlib
import string
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.records.decision import Decision, Option
from hallmarked.records.field import Say, declared
from hallmarked.records.record import Record
from hallmarked.records.run_plan import Filer, RunPlan

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SUBJECT = Subject("model", {"dirHash": "ab" * 32})
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
SUBJECTS = st.builds(Subject, st.sampled_from(["", "a", "données/été.csv"]), HEX.map(lambda digest: {"sha256": digest}))
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0)
)
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n"), min_size=1, max_size=40)


def signed(said: Record | Statement, *, role: str = "maker", signer: str = "", at: datetime = NOW) -> Attestation:
    """Return a statement as signed by somebody; who has no name gets one after the role."""
    statement = said if isinstance(said, Statement) else said.to_statement(SUBJECT)
    name = signer or (f"the {role}" if role else "")
    digest = hashlib.sha256(statement_bytes(statement)).hexdigest()
    key = hashlib.sha256(f"{name} {role}".encode()).hexdigest()
    return Attestation(statement, f"sha256:{digest}", at, role, name if role else "", key)


def of_kind(kind: type) -> st.SearchStrategy[Any]:
    """Return a strategy for records of a kind, of which some leave out what may be left out."""
    made = {}
    names = {each.name: each for each in fields(kind)}
    for each in declared(kind):
        value = _of_type(each.kind, each.say)
        default = names[each.name].default if not each.required else None
        if not each.required:
            empty = names[each.name].default_factory() if callable(names[each.name].default_factory) else default
            value = st.one_of(st.just(empty), value)
        made[each.name] = value
    return st.builds(kind, **made)


def _of_type(kind: Any, say: Say) -> st.SearchStrategy[Any]:
    origin = get_origin(kind)
    if origin is tuple:
        return st.lists(_of_type(get_args(kind)[0], say), max_size=min(3, say.count)).map(tuple)
    if kind is Subject:
        return SUBJECTS
    if is_dataclass(kind):
        return of_kind(kind)  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    marks = string.printable[:94] + "éя中"
    text = st.from_regex(say.pattern, fullmatch=True, alphabet=marks) if say.pattern else TEXTS
    text = text.filter(lambda said: said.strip() and len(said) <= say.most)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        datetime: MOMENTS,
        int: st.integers(0, (1 << 53) - 1),
        bool: st.booleans(),
        str: text,
    }
    return plain[kind] if origin is None else st.dictionaries(TEXTS.filter(str.strip), text, max_size=3)


def any_record(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Return a strategy for records of a kind whose fields go together."""
    made = of_kind(kind)
    if kind is Decision:
        made = made.map(_choose)
    if kind is RunPlan:
        made = made.map(_fit)
    return made.filter(lambda record: not list(record.problems()))


def _choose(decision: Decision) -> Decision:
    """Let a decision be one between two options at least, all with different names."""
    options = {option.name: option for option in (*decision.options, Option(name="wait"), Option(name="go"))}
    return replace(decision, options=tuple(options.values()), chosen="go")


def _fit(record: RunPlan) -> RunPlan:
    """Let fields of a run plan go together, of which chance finds hardly any: shares that are 1 together."""
    end = record.end and max(record.start, record.end)
    filers = (
        Filer(name="Example Lab", contact="lab@example.org", share="0.4"),
        Filer(name="b", contact="c", share="0.6"),
    )
    return replace(record, filers=filers, delegate="b", end=end, sequence=max(1, record.sequence))

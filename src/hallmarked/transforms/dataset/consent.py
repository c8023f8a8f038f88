"""Which rows their owners refused, by the list of a registry."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.consent.key import load_key
from hallmarked.corpus.consent.list import MAX_LIST, ConsentList
from hallmarked.corpus.consent.match import Decision, Row
from hallmarked.corpus.consent.record import Said, Use
from hallmarked.corpus.text.column import strings
from hallmarked.ledger.trust import load_trust
from hallmarked.transforms.dataset.filter import column_at
from hallmarked.transforms.dataset.plan import Plan
from hallmarked.transforms.dataset.recipe import REFUSED, UNASKED, UNCLEAR
from hallmarked.transforms.dataset.section import PLACES, Consent


def open_list(consent: Consent) -> ConsentList:
    """Open a registry's list, and verify who signed it.

    Raises:
        VerificationError: When it does not hold.
        InputError: When a file of it cannot be used.
        BackendError: When one cannot be read.
    """
    try:
        data, trust = _read(consent.list), _read(consent.trust)
    except OSError as error:
        raise BackendError(f"cannot read {error.filename}: {(error.strerror or '').lower()}") from error
    return ConsentList.load(data, load_key(consent.key), load_trust(trust))


def _read(path: Path) -> bytes:
    """Read a file that is not larger than a list may be.

    Raises:
        InputError: When it is.
        OSError: When it cannot be read.
    """
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size > MAX_LIST:
            raise InputError(f"{path} is too large for a list of consents")
        return stream.read()


def describe_consent(consent: Consent, opened: ConsentList, into: str) -> dict[str, Any]:
    """Tell another process how to open the same list."""
    return {
        "list": str(consent.list.absolute()),
        "key": str(consent.key.absolute()),
        "trust": str(consent.trust.absolute()),
        "sha256": opened.sha256,
        "opt_in": consent.opt_in,
        "use": consent.use,
        "drop_unread": consent.drop_unread,
        "into": into,
    }


@lru_cache(maxsize=1)
def _opened(path: str, key: str, trust: str, sha256: str) -> ConsentList:
    data = _read(Path(path))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError("the consent list changed while it was used")
    return ConsentList.load(data, load_key(Path(key)), load_trust(Path(trust).read_bytes()))


def mark_refused(plan: Plan, batch: pa.RecordBatch, texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Mark the rows that may not be used by what their owners said."""
    said = plan.consent
    assert said is not None
    opened = _opened(said["list"], said["key"], said["trust"], said["sha256"])
    decisions = opened.decide_all(_rows(plan, batch, texts), Use(said["use"]), said["into"])
    marks = [_mark(plan, said, decision) for decision in decisions]
    return np.array(marks, np.uint8)


def _rows(plan: Plan, batch: pa.RecordBatch, texts: Sequence[str]) -> Iterator[Row]:
    """Say of each row whose it is: by its own word, else by that of its source."""
    columns = {name: _values(batch, column) for name, column in plan.columns.items()}
    single = _cells(batch, plan.texts) if len(plan.texts) > 1 else None
    for index, text in enumerate(texts):
        place = {**plan.place, **{name: values[index] for name, values in columns.items() if values[index]}}
        account, repository, domain, url = (place.get(name, "") for name in PLACES)
        yield Row(account, repository, domain, url, text, texts=single[index] if single else ())


def _cells(batch: pa.RecordBatch, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the texts of each row one by one: a work that was refused may be one of them."""
    found: list[list[str]] = [[] for _ in range(batch.num_rows)]
    for each in strings(batch, columns):
        for row, value in zip(each.rows.tolist(), each.values.to_pylist(), strict=True):
            found[row].append(value)
    return [tuple(texts) for texts in found]


def _values(batch: pa.RecordBatch, column: str) -> list[str]:
    try:
        return ["" if value is None else str(value) for value in column_at(batch, column).to_pylist()]
    except KeyError:
        return [""] * batch.num_rows


def _mark(plan: Plan, said: Mapping[str, Any], decision: Decision) -> int:
    if decision.said in (Said.DENIED, Said.PARTIAL):
        return plan.mark(REFUSED)
    if decision.said is Said.NONE and decision.unread and said["drop_unread"]:
        return plan.mark(UNCLEAR)
    return 0 if decision.may_use(opt_in=said["opt_in"]) else plan.mark(UNASKED)

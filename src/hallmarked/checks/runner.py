"""Turn a check's stream into a result, whatever happens to the check.

This is the only place that catches ``Exception``: a check that raises, runs out of time or memory or is killed yields
``unknown`` with the reason and keeps what it had seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import IO, Any

from hallmarked.checks.earlier import Assembly, Earlier, Edition, Look, Said, follow
from hallmarked.checks.part import speaker
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Check, Note
from hallmarked.core.errors import Error
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Outcome, Statement, Subject
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.frame import ANSWER
from hallmarked.corpus.engine.model import Serve

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
MAX_ITEMS = 1_000_000
MAX_LINE = 1 << 20
MAX_BYTES = 256 << 20
"""All that one check may say; a check that is taken over could otherwise fill our memory."""
MAX_NUMBER = 1 << 53
"""Larger numbers cannot be written down without loss; offsets come from hostile files."""
TOO_MANY = f"more than {MAX_ITEMS:,} results; the rest was left out"
TOO_MUCH = f"more than {MAX_BYTES >> 20} MiB of results; the rest was left out"
MAX_REASON = 500
ENVIRONMENT = ("HALLMARKED_CLAMD", "SYSTEMROOT")
"""What a check's process sees of the environment."""


@dataclass(slots=True)
class Result:
    """What a check saw, and whether it could finish."""

    check: str
    version: str
    findings: list[Finding] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    broke: str = ""
    """Why the check did not finish; empty when it did."""
    applied: bool = True
    """False when there was nothing for this check to look at; then there is nothing to attest."""
    seconds: float = 0.0
    isolation: tuple[str, ...] = ()
    looks: Mapping[str, Look] = field(default_factory=dict)
    """What was newly said of single files, by path, when it was asked for."""
    edition: str = ""
    """Of the check that said it."""
    _open: set[Gap] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def outcome(self) -> Outcome:
        """``fail`` when there is an error, else ``unknown`` when something could not be established, else ``pass``."""
        if any(finding.level is Level.ERROR for finding in self.findings):
            return Outcome.FAIL
        return Outcome.UNKNOWN if self.broke or self.gaps else Outcome.PASS

    @property
    def reason(self) -> str:
        """Why the outcome is ``unknown``, in one sentence; empty otherwise."""
        if self.broke:
            return self.broke
        if not self.gaps:
            return ""
        more = f" (and {len(self.gaps) - 1} more)" if len(self.gaps) > 1 else ""
        return f"{self.gaps[0].reason}{more}"

    def add(self, item: Item) -> None:
        """Keep what the check yielded; what could not be established for two reasons is said once."""
        if isinstance(item, Finding):
            self.findings.append(item)
        elif isinstance(item, Measurement):
            self.measurements.append(item)
        elif item not in self._open:
            self._open.add(item)
            self.gaps.append(item)

    def to_statement(self, subject: Subject, rule_set: str) -> Statement:
        """Write the result as an in-toto test-result, extended with findings, measurements and gaps.

        It holds nothing of the machine or the moment, so that equal bytes and rules give an equal statement.

        Args:
            subject: What was checked.
            rule_set: SHA-256 of the rules, see ``ruleset``.
        """
        by_level: dict[Level, list[str]] = {level: [] for level in Level}
        for rule, level in sorted({(finding.rule, finding.level) for finding in self.findings}):
            by_level[level].append(rule)
        predicate: dict[str, Any] = {
            "result": _result(self.outcome, bool(by_level[Level.WARNING])),
            "configuration": [
                {
                    "name": f"hallmarked/checks/{self.check}",
                    "digest": {"sha256": rule_set},
                    "annotations": {"version": self.version},
                }
            ],
            "failedTests": by_level[Level.ERROR],
            "warnedTests": by_level[Level.WARNING],
            "outcome": self.outcome.value,
            "reason": self.reason,
            "findings": [compact(finding) for finding in self.findings],
            "measurements": [compact(measurement) for measurement in self.measurements],
            "gaps": [compact(gap) for gap in self.gaps],
        }
        return Statement((subject,), PREDICATE_TYPE, {key: value for key, value in predicate.items() if value})


def _result(outcome: Outcome, warned: bool) -> str:
    if outcome is Outcome.FAIL:
        return "FAILED"
    return "WARNED" if warned or outcome is Outcome.UNKNOWN else "PASSED"


def compact(item: Item) -> dict[str, Any]:
    """Return an item as a JSON object without its empty members."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            cleaned = ((key, clean(inner)) for key, inner in value.items())
            return {key: inner for key, inner in cleaned if inner not in (None, "", {}, [])}
        return list(value) if isinstance(value, tuple) else value

    result: dict[str, Any] = clean(asdict(item))
    return result


def run(check: Check, artifact: Artifact, earlier: Earlier | None = None) -> Result:
    """Run a check in this process.

    Args:
        check: The check.
        artifact: What to look at.
        earlier: What is known of single files; by default nothing, and what is said of them is not kept apart.
    """
    result = Result(check.id, check.version)
    assembly = Assembly(earlier or Earlier(), result.add)
    edition, notes = (None, {}) if earlier is None else (earlier.edition, earlier.notes)
    started = time.perf_counter()
    result.applied, result.broke = watch(check, artifact, assembly.take, edition, notes)
    result.seconds = time.perf_counter() - started
    keep(result, assembly, not result.broke)
    return result


def keep(result: Result, assembly: Assembly, whole: bool) -> None:
    """Put what was said of single files into the result.

    Args:
        result: The result.
        assembly: What took all that was said.
        whole: Whether the check came to its end.
    """
    assembly.finish(whole)
    result.looks, result.edition = assembly.looks, assembly.edition or ""


def watch(
    check: Check,
    artifact: Artifact,
    take: Callable[[Said], object],
    edition: str | None = None,
    notes: Mapping[str, Note] | None = None,
) -> tuple[bool, str]:
    """Hand everything a check yields to ``take``.

    Args:
        check: The check.
        artifact: What it looks at.
        take: Gets what it says.
        edition: Of the check whose notes are known; None when what it says of single files is not asked for.
        notes: What is known, by path.

    Returns:
        Whether the check applied, and why it did not finish (empty when it did).
    """
    veiled = speaker(check)
    try:
        if not check.applies(artifact):
            return False, ""
        for count, said in enumerate(follow(check, artifact, edition, notes or {})):
            if count == MAX_ITEMS:
                return True, TOO_MANY
            take(veiled(said))
    except MemoryError:
        return True, "the check ran out of memory"
    except Error as error:  # says in a sentence for people what was wrong with the files
        return True, veiled(Gap(f"could not be done: {error}"[:500])).reason
    except Exception as error:  # noqa: BLE001 -- the one place where a broken check becomes "unknown"
        return True, veiled(Gap(f"the check broke: {type(error).__name__}: {error}"[:500])).reason
    return True, ""


def run_isolated(
    check_id: str,
    version: str,
    description: Mapping[str, Any],
    limits: Limits,
    serve: Serve | None = None,
    earlier: Earlier | None = None,
) -> Result:
    """Run a check in a child process that can neither write nor start programs nor (but for a daemon) reach a network.

    Args:
        check_id: The check.
        version: Its version, for the result of a child that says nothing at all.
        description: How the child reaches the artifact, see ``hallmarked.artifacts.source.describe``.
        limits: What the child may use.
        serve: Gives the child ranges of files that it cannot open. The only thing it can ask for, so that a child that
            was taken over learns nothing but what lies in this artifact.
        earlier: What is known of single files; by default nothing, and what is said of them is not kept apart.
    """
    result = Result(check_id, version)
    assembly = Assembly(earlier or Earlier(), result.add)
    started = time.perf_counter()
    request: dict[str, Any] = {"check": check_id, "artifact": description}
    if earlier is not None:
        request |= {"edition": earlier.edition, "notes": {path: look.data for path, look in earlier.looks.items()}}
    converse([request], limits, result, assembly, serve)
    result.seconds = time.perf_counter() - started
    keep(result, assembly, not result.broke)
    return result


def converse(
    said: Iterable[Mapping[str, Any]],
    limits: Limits,
    result: Result,
    assembly: Assembly,
    serve: Serve | None = None,
    hear: Mapping[str, Callable[[Any], object]] | None = None,
) -> None:
    """Start a child, tell it what to do, and take what it says until it is done or ended.

    Args:
        said: The request, and what follows it, a line each.
        limits: What the child may use; they are added to the request.
        result: Keeps why the child did not finish, and how it was confined.
        assembly: Takes what the check says.
        serve: Gives the child ranges of files that it cannot open.
        hear: What takes messages of other kinds.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "hallmarked.checks.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    ) as child:
        assert child.stdin
        assert child.stdout
        timer = threading.Timer(limits.wall_seconds, child.kill)
        timer.start()
        try:
            _send(child.stdin, said, limits)
            finished = _receive(child.stdout, result, assembly, partial(_serve, child.stdin, serve), hear or {})
        finally:
            timer.cancel()
            child.kill()
            child.wait()
            with suppress(BrokenPipeError):
                child.stdin.close()
    if not finished and not result.broke:
        late = time.perf_counter() - started >= limits.wall_seconds
        result.broke = f"the check was ended after {limits.wall_seconds} s" if late else _ending(child.returncode)


def _send(stream: IO[bytes], said: Iterable[Mapping[str, Any]], limits: Limits) -> None:
    more: Mapping[str, Any] = {"limits": asdict(limits)}
    try:
        for line in said:
            stream.write(json.dumps({**line, **more}).encode() + b"\n")
            more = {}
        stream.flush()
    except BrokenPipeError:
        return  # the child died early; its silence is reported


def _serve(stream: IO[bytes], serve: Serve | None, wanted: Any) -> None:
    """Give the child a range it asks for, or say why not: a length and that many bytes.

    Raises:
        ValueError: When the child asks for what it cannot have.
    """
    if serve is None or not isinstance(wanted, list) or len(wanted) != 3:
        raise ValueError("nothing is served")
    try:
        failed, data = 0, serve(*wanted)
    except Error as error:
        failed, data = 1, str(error).encode()[:MAX_REASON]
    with suppress(BrokenPipeError):  # a child that died while it waited; its silence is reported
        stream.write(ANSWER.pack(failed, len(data)) + data)
        stream.flush()


def _refuse(wanted: Any) -> None:
    raise ValueError(f"nothing is served, but {str(wanted)[:50]} was asked for")


def _receive(
    stream: IO[bytes],
    result: Result,
    assembly: Assembly,
    answer: Callable[[Any], None] = _refuse,
    hear: Mapping[str, Callable[[Any], object]] | None = None,
) -> bool:
    """Collect what a child says; True when it said that it was done. Trust none of it: the child may be hijacked."""
    said = messages = 0
    while messages < MAX_ITEMS + 2:
        line = stream.readline(MAX_LINE)
        said += len(line)
        if not line:
            return False
        if said > MAX_BYTES:
            result.broke = TOO_MUCH
            return True
        try:
            kind, count = _take(line, messages, result, assembly, {**(hear or {}), "read": answer})
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
            result.broke = "the check's process sent something that is not a result"
            return True
        if kind == "done":
            return True
        messages += count
    result.broke = TOO_MANY
    return True


def _take(
    line: bytes, number: int, result: Result, assembly: Assembly, hear: Mapping[str, Callable[[Any], object]]
) -> tuple[str, int]:
    """Take one message, and say of which kind it was and for how much it counts."""
    message = json.loads(line)
    if b"\\u" in line:
        json.dumps(message, ensure_ascii=False).encode()  # raises for half characters, which cannot be signed
    kind, body = message["kind"], message["body"]
    if kind == "done":
        result.applied, result.broke = body["applied"] is True, str(body["broke"])[:500]
    elif kind in hear:
        hear[kind](body)
    elif kind == "isolation" and number == 0:  # later ones come from a process that has read hostile bytes
        result.isolation = tuple(map(str, body))
    elif kind in ASIDE:
        return kind, 1 + assembly.take(ASIDE[kind](body))
    else:
        assembly.take(READ[kind](body))
    return str(kind), int(kind != "read")


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the check's process was ended by signal {-code} (out of time or memory)"
    return f"the check's process ended early with status {code}"


def _location(data: Mapping[str, Any] | None) -> Location | None:
    if data is None:
        return None
    return Location(str(data["path"]), _number(data.get("offset")), _number(data.get("line")))


def _number(value: Any) -> int | None:
    """Read a position or count; what no file can have is left out."""
    number = None if value is None else int(value)
    return number if number is not None and 0 <= number < MAX_NUMBER else None


def _strings(data: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (data or {}).items()}


def _finding(body: Mapping[str, Any]) -> Finding:
    data = _strings(body.get("data"))
    return Finding(str(body["rule"]), Level(body["level"]), str(body["message"]), _location(body.get("location")), data)


def _measurement(body: Mapping[str, Any]) -> Measurement:
    interval = body.get("interval")
    return Measurement(
        str(body["metric"]),
        str(body.get("value", "")),
        str(body.get("unit", "")),
        _number(body.get("n")),
        None if interval is None else (str(interval[0]), str(interval[1])),
        _strings(body.get("slice")),
    )


def _gap(body: Mapping[str, Any]) -> Gap:
    return Gap(str(body["reason"]), _location(body.get("location")))


READ: Mapping[str, Callable[[Mapping[str, Any]], Item]] = {
    "Finding": _finding,
    "Measurement": _measurement,
    "Gap": _gap,
}
"""How each kind of item is read back from a child."""


def _note(body: Mapping[str, Any]) -> Note:
    return Note(str(body["path"]), dict(body["data"]), body["alone"] is True)


ASIDE: Mapping[str, Callable[[Mapping[str, Any]], Note | Edition]] = {
    "Note": _note,
    "Edition": lambda body: Edition(str(body["name"])),
}
"""The same for what is no item."""


def write_item(item: Item) -> dict[str, Any]:
    """Return an item as a JSON object that :func:`read_item` reads back."""
    return {"kind": type(item).__name__, "body": compact(item)}


def read_item(written: Mapping[str, Any]) -> Item:
    """Read what :func:`write_item` wrote.

    Raises:
        ValueError: When it is something else; LookupError and TypeError likewise.
    """
    return READ[written["kind"]](written["body"])


def items(statement: Statement) -> Iterator[Item]:
    """Read the findings, measurements and gaps of a statement back."""
    for member, kind in (("findings", "Finding"), ("measurements", "Measurement"), ("gaps", "Gap")):
        for body in statement.predicate.get(member, ()):
            yield READ[kind](body)

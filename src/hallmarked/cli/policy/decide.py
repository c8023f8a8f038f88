"""``hallmarked policy decide``: the gate, for a person or a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.token import find_login
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.asked import ask, fetch_evidence
from hallmarked.audit.attested import beside, gather
from hallmarked.audit.audit import write
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import read_file
from hallmarked.cli.attested import EVIDENCE, machine_trust
from hallmarked.cli.option import FORMAT
from hallmarked.cli.policy.option import MARKS, POLICY, context_of, policy_of
from hallmarked.cli.setting import PATH, PATH_OR_ADDRESS, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import Trust, dump_trust, load_trust
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Decision, Ruling
from hallmarked.policy.decide import decide as decide_by
from hallmarked.policy.fact import Facts
from hallmarked.policy.remedy import remedy
from hallmarked.policy.statement import to_statement

CLOCKS = timedelta(minutes=5)
"""How far the clock of a log may be ahead."""
EXIT = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 2}
WORDS = {
    Outcome.PASS: "✔ pass: every requirement is met or waived",
    Outcome.FAIL: "✖ fail: something is known that forbids it",
    Outcome.UNKNOWN: "? unknown: not everything that has to be known is known",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    name: str
    file: Path | None
    evidence: Sequence[Path]
    trust_file: Path | None
    at: str | None
    form: str
    sign: bool
    output: Path | None
    keys: Sequence[str]
    endpoint: str | None


@click.command()
@click.argument("path", type=PATH_OR_ADDRESS, metavar="PATH|hf://OWNER/NAME[@REVISION]")
@click.option("--context", "name", required=True, metavar="NAME", help="What it is decided for.")
@POLICY
@EVIDENCE
@click.option("--trust", "trust_file", type=PATH, metavar="FILE", help="Whom to trust [this machine's trust file].")
@click.option("--key", "keys", multiple=True, metavar="ID", help="Of a hub: the id of its signing key, to trust it.")
@click.option("--endpoint", metavar="URL", help="The hub that hf:// means [HF_ENDPOINT, or the public one].")
@click.option("--at", metavar="TIME", help="Decide for this moment, by what was stated then, such as 2026-01-31.")
@FORMAT
@click.option("--sign", is_flag=True, help="Sign and log the decision; needs --output.")
@click.option("--output", type=PATH, metavar="FILE", help="Write the signed decision here.")
@click.pass_context
def decide(ctx: click.Context, /, path: Path | Address, **options: object) -> None:
    """Decide whether what lies at PATH may be used in a context, by the evidence about exactly these bytes.

    Nothing is checked anew. Evidence is PATH.hallmarked/evidence.json, where an audit left one, and what --evidence
    names; statements count as far as the trust file knows their signers.

    Of a revision on a hub, only the evidence is fetched, and held against the log that the hub shows to everybody. It
    is decided here all the same; what the hub decides is told beside it.

    Exit status: 0 every requirement is met or waived, 1 something fails, 2 something is not known or could not be done.
    """
    chosen = Options(**options)  # type: ignore[arg-type]  # click has checked them
    if chosen.sign != (chosen.output is not None):
        raise InputError("--sign and --output go together")
    context, time = context_of(policy_of(chosen.file), chosen.name), _moment(chosen.at)
    trust = machine_trust() if chosen.trust_file is None else load_trust(read_file(chosen.trust_file))
    beneath: list[str] = []
    if isinstance(path, Address):
        subject, fetched, beneath = _fetch(path, chosen, context, trust)
        stated = [*_early(fetched, time), *_stated(chosen.evidence, trust, time)]
    else:
        if chosen.keys or chosen.endpoint:
            raise InputError("--key and --endpoint are for a revision on a hub; name one as hf://owner/name@revision")
        subject = open_artifact(path).subject
        stated = _stated((*beside(path), *chosen.evidence), trust, time)
    decision = decide_by(Facts(stated, subject), context, time)
    statement = _statement(decision, subject, stated)
    if chosen.output is not None:
        _sign(statement, chosen.output, time)
    if chosen.form == "json":
        click.echo(json_text(statement.to_dict()), nl=False)
    else:
        click.echo("\n".join(clean(line) for line in (*_lines(decision, subject, len(stated)), *beneath)))
    ctx.exit(EXIT[decision.outcome])


def _fetch(
    address: Address, chosen: Options, context: Context, trust: Trust
) -> tuple[Subject, Sequence[Attestation], list[str]]:
    """Return a revision on a hub, what is stated about it, and sentences about the hub."""
    login = find_login(chosen.endpoint)
    found = fetch_evidence(login, address, tuple(chosen.keys), dump_trust(trust))
    answer = ask(login, address, context.name, found.subject.digest["gitCommit"])
    lines = [f"  of a hub: {login.endpoint}, whose evidence stands in the log that it shows to everybody"]
    if not found.whole:
        lines.append("  ? not every signer is known, or something may have been left out; see hallmarked verify")
    if not answer.outcome:
        lines.append(f"  ? the hub does not say what it decides for {context.name}: {answer.why}")
    elif answer.policy != context.digest:
        lines.append(f"  ? the hub decides {answer.outcome}, by another policy (sha256 {answer.policy})")
    else:
        lines.append(f"  the hub decides {answer.outcome}, by the same policy")
    return found.subject, found.stated, lines


def _stated(files: Sequence[Path], trust: Trust, time: datetime) -> list[Attestation]:
    return _early(gather(files, trust), time)


def _early(stated: Sequence[Attestation], time: datetime) -> list[Attestation]:
    """Return what had been stated by then. Clocks differ: what is a moment ahead of this machine's is not left out."""
    return [one for one in stated if one.time <= time + CLOCKS]


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InputError(f"--at is {at!r}, and has to be a day or a time, such as 2026-01-31T12:00:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _statement(decision: Decision, subject: Subject, stated: Sequence[Attestation]) -> Statement:
    used = set(decision.evidence)
    return to_statement(decision, subject, outside=[one for one in stated if one.id in used])


def _sign(statement: Statement, output: Path, time: datetime) -> None:
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        bundle = ledger.export_bundle(ledger.attest([statement], time=time))
    write(output.parent, {output.name: bundle})


def _lines(decision: Decision, subject: Subject, stated: int) -> Iterator[str]:
    context = decision.context
    yield f"{subject.name}  {', '.join(f'{name} {value}' for name, value in subject.digest.items())}"
    yield f"judged for {context.name}: {context.title.get('en', '')}"
    yield ""
    order = sorted(decision.rulings, key=lambda ruling: ruling.outcome.rank)
    for ruling in order:
        yield from _ruling(ruling, context)
    yield ""
    yield f"{WORDS[decision.outcome]}  ({len(decision.rulings)} requirements, {stated:,} statements)"
    if decision.until is not None:
        decided, until = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (decision.time, decision.until))
        yield f"  decided for {decided}; by time alone it may change from {until} on"
    yield f"  policy sha256 {context.digest}"


def _ruling(ruling: Ruling, context: Context) -> Iterator[str]:
    outcome = ruling.outcome.value
    yield f"{MARKS[outcome]} {outcome.replace('_', ' '):15} {ruling.id}"
    yield f"    {ruling.judged.reason}"
    if ruling.excuse is not None:
        waiver = ruling.excuse.waiver
        raw = ruling.raw.value.replace("_", " ")
        yield f"    without the waiver: {raw}; waived by {waiver.by} until {waiver.until:%Y-%m-%d}: {waiver.reason}"
    if ruling.outcome.passes and ruling.excuse is None:
        return
    if ruling.demand is not None and ruling.demand.why:
        yield f"    why: {ruling.demand.why.get('en', '')}"
    yield f"    → {remedy(ruling, context.waived_by)}"

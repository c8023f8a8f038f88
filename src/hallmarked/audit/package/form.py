"""The forms of a package: views over its evidence, so that whoever verifies it can fill them in again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from hallmarked.audit.attested import from_files
from hallmarked.audit.report.view import json_text
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.ledger.trust import Trust
from hallmarked.ledger.verify import verify_bundle
from hallmarked.profiles.document import to_document
from hallmarked.profiles.framework import Audience, Framework
from hallmarked.profiles.language import LANGUAGES
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import Profile
from hallmarked.profiles.registry import namesakes_of
from hallmarked.profiles.run.pack import Pack
from hallmarked.profiles.run.page import Shown as RunShown
from hallmarked.profiles.run.page import render_page as render_run
from hallmarked.profiles.run.rebuttal import recompute
from hallmarked.profiles.run.render import rebuttal_document, review_document
from hallmarked.profiles.run.review import review
from hallmarked.records.record import records
from hallmarked.records.run_rebuttal import RunRebuttal

RULES = "run-rules/"
"""Begins the name of a form that is a rule pack which planned runs were held against."""


def fill_forms(framework: Framework, profile: Profile, subject: Subject, time: datetime) -> dict[str, bytes]:
    """Return a form as JSON and as a page in each language, by path."""
    name, alike = framework.name.replace("/", "-"), namesakes_of(framework)
    made = {f"forms/{name}.json": json_text(to_document(profile, subject, time, alike)).encode()}
    for language in LANGUAGES:
        command = "hallmarked profile verify ."
        page = render_page(profile, Shown(subject, time, language, alike, command))
        made[f"forms/{name}.{language}.html"] = page.encode()
    return made


def may_see_runs(audience: Audience | None) -> bool:
    """Say whether planned runs are for this audience: for authorities, not for providers downstream or everybody."""
    return audience in {None, Audience.AUTHORITY, Audience.AI_OFFICE}


def fill_runs(held: Sequence[Attestation], packs: Sequence[Pack], time: datetime) -> dict[str, bytes]:
    """Return the forms of the planned runs among statements."""
    made: dict[str, bytes] = {}
    for at, one in enumerate(review(held, packs, time) if packs else (), 1):
        rebuttals = [each.record for each in records(RunRebuttal, held) if each.record.plan == one.plan.source.id]
        compared = [recompute(each, held, time) for each in rebuttals]
        document = {**review_document(one), "rebuttals": [rebuttal_document(each) for each in compared]}
        made[f"forms/run-{at}.json"] = json_text(document).encode()
        for language in LANGUAGES:
            known = one.plan.record, one.projection, one.decisions, one.reminders
            page = render_run(RunShown(*known, time, language, one, compared, "hallmarked profile verify ."))
            made[f"forms/run-{at}.{language}.html"] = page.encode()
    return made


def evidence_of(contents: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the evidence files of a package."""
    return {path: data for path, data in sorted(contents.items()) if path.startswith("evidence/")}


def statements_of(evidence: Mapping[str, bytes], trust: Trust) -> tuple[Attestation, ...]:
    """Return the statements of evidence files, each once, oldest first.

    Raises:
        VerificationError: When evidence does not hold.
    """
    return from_files(verify_bundle(data, trust) for data in evidence.values())

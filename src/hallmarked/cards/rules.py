"""One rule for each kind of claim: what it is compared with, and what the comparison comes to.

A rule may say *supported* or *contradicted* only from a measurement it names. Where nothing was measured it says
*self-asserted* or *not-evaluated* and what would settle it. Whether the check could finish is settled afterwards, for
all rules alike, in ``claim``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hallmarked.cards.dataset import examples, spoken
from hallmarked.cards.numbers import interval
from hallmarked.cards.record import Evidence, Record, Report
from hallmarked.cards.status import Judgement, Status
from hallmarked.checks.documentation.claims import is_weights
from hallmarked.checks.licence.catalogue import resolve

Rule = Callable[[Evidence, Record], Judgement]
"""Judges one claim as the documentation check recorded it."""

BREACHES = ("LIC004", "LIC007", "LIC008")
"""Findings of the licence check that contradict a declared licence: another text, lost restrictions, lost terms."""
PACKED_SHARE = 0.05
"""From this share of whole numbers on, weights may be packed several to an element, and elements are no parameters."""
SAME_SHARE = 0.1
"""Share of bit-identical tensors that shows kinship; fewer may be constants that any two models share."""
SHAPE_SHARE = 0.9
"""Share of tensors of equal name and shape that shows the same architecture; a new head changes a few."""

_INTEGER = re.compile(r"parameters\.(?:u?int\d+|[ui]\d+|bool)", re.IGNORECASE)
_TAG = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-[A-Za-z0-9]{1,8})*"
)
_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}/[\w][\w.-]{0,95}")
_VIEW = re.compile(r"^(?:blob|resolve|raw|tree)/[^/]+(?:/|$)")
_HUB_PAGE = re.compile(r"^(?:discussions|commits?|settings|tree|blob)(?:/|$)")


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("comparisons.toml").read_text("utf-8"))


def _not_run(check: str, what: str) -> Judgement:
    return Judgement(Status.NOT_EVALUATED, f"{what}: there is no report of the check {check}")


def _asserted(reason: str, *evidence: Evidence) -> Judgement:
    return Judgement(Status.SELF_ASSERTED, reason, evidence)


def licence(claim: Evidence, record: Record) -> Judgement:
    """Compare with the licence texts, and with what the licence check found wrong."""
    report = record.reports.get("licences")
    if report is None:
        return _not_run("licences", "no licence text was read")
    named = resolve(claim.value)
    breaches = [item for item in report.findings if item.metric in BREACHES]
    if breaches and claim.slice.get("source") == "metadata":
        return Judgement(Status.CONTRADICTED, breaches[0].value, tuple(breaches))
    if not named or all(item.family == "unknown" for item in named):
        return _asserted("nobody but a person can compare a licence that has no id")
    texts = [item for item in report.values("licence.text") if item.slice.get("how") == "text"]
    agreeing = [item for item in texts if any(one.stands_for(item.value) for one in named)]
    if agreeing:
        return Judgement(Status.SUPPORTED, f"{_path(agreeing[0])} is the text of {agreeing[0].value}", tuple(agreeing))
    if texts:
        found = ", ".join(f"{_path(item)} is the text of {item.value}" for item in texts)
        return Judgement(Status.CONTRADICTED, found, tuple(texts))
    return _asserted("no licence text was found beside the card; add it as LICENSE")


def base_model(claim: Evidence, record: Record) -> Judgement:
    """Supported when tensors are bit-identical to the base that was given, or name and shape of nearly all agree."""
    report = record.reports.get("facts")
    if report is None:
        return _not_run("facts", "nothing was compared")
    total, same, shaped = (report.number(f"base.tensors.{name}") for name in ("total", "identical", "same_shape"))
    if total is None or same is None or not int(total.value):
        return _named_base(claim, report)
    count = int(total.value)
    used = tuple(item for item in (same, shaped, total) if item is not None)
    reason = f"{int(same.value):,} of {count:,} tensors are bit-identical to the base that was given"
    status = Status.SELF_ASSERTED
    if int(same.value) / count >= SAME_SHARE:
        status = Status.SUPPORTED
    elif shaped is None:
        reason += "; training changes tensors, so that this settles nothing"
    else:
        reason += f", {int(shaped.value):,} have the same name and shape"
        if int(shaped.value) / count >= SHAPE_SHARE:
            status = Status.SUPPORTED
        elif not int(shaped.value):
            status = Status.CONTRADICTED
    return Judgement(status, reason, used)


def _named_base(claim: Evidence, report: Report) -> Judgement:
    """Without the base itself, compare with the name in the configuration; only an adapter's is binding."""
    named = report.values("model.base")
    advice = "the base was not at hand to compare with; give it with --base"
    if any(item.value.casefold() == claim.value.casefold() for item in named):
        return _asserted(f"the configuration names it as well; {advice}", *named)
    binding = [item for item in named if _REPOSITORY.fullmatch(item.value)] if report.values("model.adapter") else []
    if binding and claim.slice.get("source") == "metadata":
        return Judgement(Status.CONTRADICTED, f"the adapter's configuration names {binding[0].value}", tuple(binding))
    return _asserted(advice, *named)


def parameters(claim: Evidence, record: Record) -> Judgement:
    """Compare with the counted parameters, within what the written number covers; see ``numbers``."""
    report = record.reports.get("facts")
    if report is None:
        return _not_run("facts", "no parameters were counted")
    total = report.number("parameters.total")
    covered = interval(claim.slice.get("written", claim.value))
    if total is None or covered is None or not int(total.value):
        return _asserted("no parameters were counted in the files")
    written = claim.slice.get("written", claim.value)
    others = report.number("parameters.non_embedding")
    counts = [total, *filter(None, [others])]
    integers = sum(int(item.value) for item in _integers(report))
    counted = f"{int(total.value):,} were counted"
    if others is not None:
        counted += f" ({int(others.value):,} without embeddings)"
    reason = f"{counted}; “{written}” covers {_span(*covered)}"
    # Other whole numbers beside the weights may be no parameters; some pages count what is known to be none as well.
    buffers = report.number("buffers.total")
    stored = int(total.value) + (int(buffers.value) if buffers is not None else 0)
    candidates = [*(int(item.value) for item in counts), int(total.value) - integers, stored]
    if any(covered[0] <= candidate <= covered[1] for candidate in candidates):
        return Judgement(Status.SUPPORTED, reason, tuple(counts))
    excuse = ""
    if claim.slice.get("about") == "unclear":
        excuse = "the sentence may speak of another model or of a part"
    elif report.values("model.adapter"):
        excuse = "these are the weights of an adapter, and the number may be its base model's"
    elif integers >= PACKED_SHARE * int(total.value):
        excuse = "packed weights hold several parameters in one element"
    elif _another_count_fits(claim, record, int(total.value)):
        excuse = "another number in the card covers that"
    if excuse:
        return _asserted(f"{reason}, but {excuse}", *counts)
    return Judgement(Status.CONTRADICTED, reason, tuple(counts))


def _span(low: int, high: int) -> str:
    return f"only {low:,}" if low == high else f"{low:,} to {high:,}"


def _integers(report: Report) -> list[Evidence]:
    names = {item.metric for item in report.measurements if _INTEGER.fullmatch(item.metric)}
    return [number for name in sorted(names) if (number := report.number(name)) is not None]


def _another_count_fits(claim: Evidence, record: Record, total: int) -> bool:
    """A card of a family of models gives one number for each; only one of them can be this one's."""
    card = record.reports[claim.check]
    spans = [interval(item.slice.get("written", "")) for item in card.values("claim.parameters")]
    return any(span is not None and span[0] <= total <= span[1] for span in spans)


def library(claim: Evidence, record: Record) -> Judgement:
    """Compare with the library that the files are written for."""
    report = record.reports.get("facts")
    if report is None:
        return _not_run("facts", "nothing was measured")
    measured = report.values("model.library")
    if not measured:
        return _asserted("the files do not show which library they are for")
    claimed = claim.value.casefold()
    known = _table()["libraries"]
    shown = ", ".join(sorted({item.value for item in measured}))
    if any(item.value.casefold() in known.get(claimed, [claimed]) for item in measured):
        return Judgement(Status.SUPPORTED, f"the files are for {shown}", tuple(measured))
    formats = set(_table()["formats"]["shared"])
    named = {item.value.casefold() for item in measured} - formats
    if claimed in known and named and named <= _all_libraries():
        return Judgement(Status.CONTRADICTED, f"the files are for {shown}", tuple(measured))
    return _asserted(f"the files are for {shown}, which cannot be compared with {claim.value}", *measured)


@cache
def _all_libraries() -> frozenset[str]:
    known: Mapping[str, list[str]] = _table()["libraries"]
    return frozenset(known).union(*known.values())


def pipeline_tag(claim: Evidence, record: Record) -> Judgement:
    """Compare with what the architecture named in the configuration can do."""
    report = record.reports.get("facts")
    if report is None:
        return _not_run("facts", "nothing was measured")
    named = report.values("model.architecture")
    judged = [(item, tasks) for item in named if (tasks := _tasks(item.value))]
    if not judged:
        return _asserted("the files name no architecture that is made for one kind of task", *named)
    used = tuple(item for item, _ in judged)
    shown = ", ".join(item.value for item in used)
    if any(claim.value in tasks for _, tasks in judged):
        return Judgement(Status.SUPPORTED, f"the configuration names {shown}, which does that", used)
    does = ", ".join(judged[0][1][:3])
    return Judgement(Status.CONTRADICTED, f"the configuration names {shown}, which is for {does}", used)


def _tasks(name: str) -> list[str]:
    endings: Mapping[str, list[str]] = _table()["tasks"]
    fitting = [ending for ending in endings if name.endswith(ending)]
    return endings[max(fitting, key=len)] if fitting else []


def architecture(claim: Evidence, record: Record) -> Judgement:
    """Compare the family named in prose with the model type and class of the configuration."""
    report = record.reports.get("facts")
    if report is None:
        return _not_run("facts", "nothing was measured")
    measured = [*report.values("model.type"), *report.values("model.architecture")]
    if not measured:
        return _asserted("the files do not name an architecture")
    said = _names(claim.value)
    shown = ", ".join(dict.fromkeys(item.value for item in measured))
    types = {_stem(item.value) for item in report.values("model.type")}
    classes = {_squeeze(item.value) for item in report.values("model.architecture")}
    if {_stem(name) for name in said} & types or said & classes:
        return Judgement(Status.SUPPORTED, f"the configuration says {shown}", tuple(measured))
    families = {_stem(name) for name in _table()["families"]["words"]}
    claimed = {_stem(name) for name in said} & families
    if claimed and types and types <= families:
        return Judgement(Status.CONTRADICTED, f"the configuration says {shown}", tuple(measured))
    return _asserted(f"the configuration says {shown}; the words cannot be compared", *measured)


def _squeeze(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _stem(name: str) -> str:
    """Drop a version at the end ("qwen2", "llama4") where enough of a name is left."""
    squeezed = _squeeze(name)
    stem = squeezed.rstrip("0123456789")
    return stem if len(stem) >= 3 else squeezed


def _names(prose: str) -> set[str]:
    """Return words, and neighbouring words joined ("GPT-2", "Vision Transformer"), that may name a family."""
    words = [_squeeze(word) for word in re.split(r"[\s\W_]+", prose) if word][:60]
    joined = {"".join(words[at : at + size]) for size in range(1, 7) for at in range(len(words) - size + 1)}
    synonyms: Mapping[str, str] = _table()["families"]["synonyms"]
    return joined | {synonyms[name] for name in joined if name in synonyms}


def language(claim: Evidence, record: Record) -> Judgement:
    """Compare with the languages of texts, where there are any; what is no code cannot even be looked for."""
    code = claim.value.strip()
    table = _table()["languages"]
    first = code.split("-", 1)[0].lower()
    valid = _TAG.fullmatch(code) and (first in table["two"].split() if len(first) == 2 else True)
    if valid or code.lower() in table["special"]:
        return spoken(code, record) or _asserted("the code is well formed; nothing measured which languages it handles")
    reason = f"“{code}” is no language code of ISO 639 or BCP 47, so programs cannot find it; write “en” or “pt-BR”"
    return Judgement(Status.UNKNOWN, reason)


def file(claim: Evidence, record: Record) -> Judgement:
    """Look for the file the card points to."""
    present = record.files()
    if present is None:
        return _not_run("inventory", "the files were not listed")
    report, target = record.reports["inventory"], claim.value
    if target not in present and _VIEW.match(target):
        target = _VIEW.sub("", target) or "."
    listed = tuple(item for item in report.values("file.present") if item.slice.get("path") == target)
    if listed:
        return Judgement(Status.SUPPORTED, "the file is there", listed)
    counted = tuple(report.values("files.total"))
    if target == "." or any(path.startswith(target + "/") for path in present):
        return Judgement(Status.SUPPORTED, "the folder is there", counted)
    return _absent(target, claim.slice.get("how", ""), counted)


def _absent(target: str, how: str, counted: tuple[Evidence, ...]) -> Judgement:
    """Judge a path that leads to nothing: only a link, or the name of a weight file, can mean no other place."""
    if _HUB_PAGE.match(target):
        return _asserted("the link leads to a page of the Hub, not to a file")
    if target.startswith(".."):
        return Judgement(Status.CONTRADICTED, "the link leads out of the repository", counted)
    if how in {"named", "loaded"} and not is_weights(target):
        return _asserted("there is no such file here; the text may mean one elsewhere", *counted)
    return Judgement(Status.CONTRADICTED, "there is no such file", counted)


def evaluation(claim: Evidence, _record: Record) -> Judgement:
    """Leave a result to the card: only a run that somebody attested can support it."""
    token = "; its verification token cannot be checked offline" if claim.slice.get("verified") else ""
    return _asserted(f"no evaluation run was attested{token}")


def _nothing_measures(reason: str) -> Rule:
    """Return the rule for claims that no check speaks to yet."""
    return lambda _claim, _record: _asserted(reason)


RULES: Mapping[str, Rule] = {
    "claim.license": licence,
    "claim.base_model": base_model,
    "claim.parameters": parameters,
    "claim.library": library,
    "claim.pipeline_tag": pipeline_tag,
    "claim.architecture": architecture,
    "claim.language": language,
    "claim.file": file,
    "claim.evaluation": evaluation,
    "claim.emissions": _nothing_measures("no energy or emissions measurement was attested"),
    "claim.dataset": _nothing_measures("no statement says how it was made"),
    "claim.examples": examples,
}
"""By metric of the documentation check."""


def _path(item: Evidence) -> str:
    return item.slice.get("path", "a licence file")

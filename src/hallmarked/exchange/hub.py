"""README files as hubs read them: YAML front matter, then Markdown.

https://huggingface.co/docs/hub/model-cards. What hubs have a key for stands under it; results as ``model-index``.
Everything else that was imported is said in the text, so that a reader sees it, and nothing is put into keys of ours.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ruamel.yaml import YAML

from hallmarked.checks.documentation.claims import items, one, scalars
from hallmarked.checks.documentation.sections import Template, answers, kind_of, template
from hallmarked.core.text import clean
from hallmarked.exchange.licence import to_hub, to_spdx
from hallmarked.exchange.sheet import Energy, Part, Result, Sheet, read_slice, slice_text
from hallmarked.formats.blob import Budget
from hallmarked.formats.readme import MAX_MARKDOWN, Readme, Section, decode, read_readme, split

_MAKES = {"model": {"base-model": "base_model", "dataset": "datasets"}, "dataset": {"dataset": "source_datasets"}}


def write(sheet: Sheet) -> bytes:
    """Write a sheet as a README.md."""
    made = _MAKES.get(sheet.kind, {})
    metadata: dict[str, Any] = {
        "license": _one_or_list([to_hub(one) for one in sheet.licences]),
        "language": [*sheet.languages],
        "library_name": sheet.library if sheet.kind == "model" else "",
        "pipeline_tag": sheet.task if sheet.kind == "model" else "",
        "task_categories": [sheet.task] if sheet.task and sheet.kind == "dataset" else [],
        "tags": [*sheet.tags],
        **{key: _one_or_list(list(sheet.named(kind))) for kind, key in made.items()},
        "co2_eq_emissions": _emissions(sheet),
        "model-index": _index(sheet) if sheet.kind == "model" else [],
    }
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 10_000
    yaml.allow_unicode = True
    yaml.dump({key: value for key, value in metadata.items() if value not in ("", [], {}, None)}, stream)
    return f"---\n{stream.getvalue()}---\n\n{_body(sheet)}".encode()


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else [*values]


def _emissions(sheet: Sheet) -> dict[str, Any]:
    for energy in sheet.energy:
        if energy.activity == "training" and (grams := _number(energy.grams)) is not None:
            return {"emissions": grams, "source": energy.basis}
    return {}


def _number(written: str) -> int | float | None:
    try:
        value = Decimal(written)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 15:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _index(sheet: Sheet) -> list[dict[str, Any]]:
    results = []
    for result in sheet.results:
        value = _number(result.value)
        dataset = {"name": result.dataset or "not stated", "type": result.dataset or "not-stated"}
        if result.slice:
            dataset["args"] = slice_text(result.slice)
        metric = {"type": result.metric, "value": result.value if value is None else value}
        task = {"type": sheet.task or "other"}
        results.append({"task": task, "dataset": dataset, "metrics": [metric]})
    return [{"name": sheet.name.rpartition("/")[2] or "model", "results": results}] if results else []


def _body(sheet: Sheet) -> str:
    asked = {entry.id: entry.title for entry in template(_template(sheet.kind)).entries}
    lines = [f"# {clean(' '.join(sheet.name.split()))}", ""]
    if sheet.description:
        lines += [sheet.description, ""]
    for section, written in sheet.sections:
        lines += [f"## {asked.get(section, section)}", "", written, ""]
    return "\n".join(lines)


def _template(kind: str) -> str:
    return "dataset" if kind == "dataset" else "model"


def read(data: bytes) -> Sheet:
    """Read a README.md.

    Raises:
        FormatError: When it cannot be read as hubs do; names the line.
        LimitExceeded: When it is too large.
    """
    card = read_readme(data, Budget(len(data)))
    declared = one(card.data.get("hallmarked")).get("kind")
    kind = declared if declared in {"model", "dataset", "system"} else kind_of(card.data, card.sections)
    metadata = card.data
    return Sheet(
        kind=str(kind),
        name=_title(card.sections),
        digest=(),
        created="",
        description=text_of(metadata, "description") or _lead(card.sections),
        licences=tuple(to_spdx(licence) for licence in scalars(metadata.get("license"))),
        languages=tuple(scalars(metadata.get("language"))),
        tags=tuple(scalars(metadata.get("tags"))),
        library=text_of(metadata, "library_name"),
        task=text_of(metadata, "pipeline_tag") or next(iter(scalars(metadata.get("task_categories"))), ""),
        sections=tuple(_sections(data, card, template(_template(str(kind))))),
        results=tuple(_results(metadata)),
        parts=tuple(_parts(metadata, str(kind))),
        energy=tuple(_energy(metadata)),
    )


def text_of(metadata: Mapping[Any, object], key: str) -> str:
    """Return a text of the metadata; empty when it is missing or something else."""
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _title(sections: Sequence[Section]) -> str:
    first = next((section.title for section in sections if section.level == 1), "")
    for start in ("Model Card for ", "Dataset Card for "):
        first = first.removeprefix(start)
    return first


def _lead(sections: Sequence[Section]) -> str:
    """Return the first paragraph under the title."""
    for section in sections:
        for block in section.blocks:
            if block.kind == "text" and section.level <= 1:
                return block.text
    return ""


def _sections(data: bytes, card: Readme, asked: Template) -> Iterator[tuple[str, str]]:
    """Yield what is written for each section that the template asks for, as Markdown, in the order of the card."""
    _, body, first = split(decode(data))
    lines = body[:MAX_MARKDOWN].split("\n")
    heads = [section for section in card.sections if section.level]
    found = {answer.line: answer.entry.id for answer in answers(asked, card.sections) if answer.filled and answer.line}
    for number, section in enumerate(heads):
        name = found.get(section.line)
        if name is None:
            continue
        deeper = (other.line for other in heads[number + 1 :] if other.level <= section.level)
        end = next(deeper, first + len(lines))
        written = "\n".join(lines[section.line - first + 1 : end - first]).strip()
        if written:
            yield name, written


def _results(metadata: Mapping[str, object]) -> Iterator[Result]:
    for model in items(metadata.get("model-index")):
        for result in items(model.get("results")):
            dataset = one(result.get("dataset"))
            on = text_of(dataset, "name") or text_of(dataset, "type")
            part = read_slice(text_of(dataset, "args"))
            for metric in items(result.get("metrics")):
                named = text_of(metric, "type") or text_of(metric, "name")
                if named and metric.get("value") is not None:
                    on_known = "" if on == "not stated" else on
                    yield Result(named, str(metric["value"]), slice=part, dataset=on_known)


def _parts(metadata: Mapping[str, object], kind: str) -> Iterator[Part]:
    for part, key in _MAKES.get(kind, {}).items():
        for name in scalars(metadata.get(key)):
            yield Part(part, name)


def _energy(metadata: Mapping[str, object]) -> Iterator[Energy]:
    given = metadata.get("co2_eq_emissions")
    said = given if isinstance(given, Mapping) else {"emissions": given}
    grams = said.get("emissions")
    if isinstance(grams, int | float) and not isinstance(grams, bool):
        basis = said.get("source")
        known = str(basis) if basis in {"measured", "modelled"} else "declared"
        yield Energy("training", grams=str(grams), basis=known)

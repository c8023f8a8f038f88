"""The card of a version that was built: facts only, in the form every hub reads (``README.md`` with YAML in front)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML

from hallmarked.corpus.provenance.document import Document
from hallmarked.transforms.dataset.plan import Plan
from hallmarked.transforms.dataset.recipe import Recipe

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
         (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip
"""Categories of the Hub (https://huggingface.co/docs/hub/datasets-cards)."""
REASONS: Mapping[str, str] = {
    "unread": "could not be read",
    "expired": "may not be kept any more",
    "not-sampled": "not drawn for the sample",
    "opted-out": "refused by their owners",
    "not-opted-in": "not allowed by their owners",
    "consent-unclear": "whose they are could not be read",
    "reserved": "reserved by what their sites or pages say for machines",
    "signal-unclear": "what their sites or pages say for machines could not be read",
    "benchmark": "hold items of a benchmark",
    "copy": "say the same as another row",
    "near-copy": "say nearly the same as another row",
}
"""Reasons in words; those of filters are what their authors called them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says."""

    recipe: Recipe
    document: Document
    licences: Sequence[str]
    """Ids of the hub."""
    changed: int
    """Rows in which personal data or secrets were replaced."""
    redacted: Mapping[str, int]
    """How many values of each kind."""
    notes: Sequence[str]
    """What somebody who uses the data should know: what is missing, what does not fit."""
    uneven: Sequence[str] = ()
    """Which groups the choices cost more rows than others, in one sentence each."""


def write_card(facts: Facts) -> bytes:
    """Write the card."""
    recipe, document = facts.recipe, facts.document
    rows = sum(document.rows.values())
    lines = [f"# {_cell(recipe.name)}", ""]
    if recipe.purpose:
        lines += [_cell(recipe.purpose), ""]
    read = sum(each.read for each in document.inputs)
    lines += [
        "## How this was made",
        "",
        f"{rows:,} rows of {read:,} that were read. `hallmarked corpus build` wrote this card, from the recipe in "
        "`recipe.toml`; `changes.gz` names every row that was left out or changed, and why; `provenance.json` and "
        "`evidence.json` are the signed account.",
        "",
        "| source | licence | rows read | rows kept |",
        "|---|---|---:|---:|",
        *(
            f"| {_cell(each.origin.name)} | {_cell(each.licence or 'not said')} | {each.read:,} | {each.kept:,} |"
            for each in document.inputs
        ),
        "",
    ]
    if any(document.removed.values()):
        lines += ["| rows left out | because |", "|---:|---|"]
        lines += [f"| {count:,} | {_cell(REASONS.get(why, why))} |" for why, count in document.removed.items() if count]
        lines.append("")
    lines += _collected(document)
    share = "not known" if document.share is None else f"{document.share:.1%}"
    depth = "not known" if document.depth is None else str(document.depth)
    lines += [f"Rows that models wrote: {share}; generations of models behind them: {depth}.", ""]
    if recipe.decided_by or recipe.note:
        said = f"{_cell(recipe.note)} " if recipe.note else ""
        by = f"Decided by {_cell(recipe.decided_by)}." if recipe.decided_by else ""
        lines += ["### Choices", "", f"{said}{by}".strip(), ""]
    lines += [*_personal(facts), *_limits(facts)]
    if facts.notes:
        lines += ["### To know", "", *(f"- {_cell(note)}" for note in facts.notes), ""]
    return (_front(facts, rows) + "\n".join(lines)).encode()


def _personal(facts: Facts) -> list[str]:
    """Say what was done about personal data, and what was not."""
    asked = facts.recipe.redaction
    lines = ["## Personal and Sensitive Information", ""]
    if asked is None:
        return [*lines, "Personal data and secrets were not looked for when this was made.", ""]
    lines.append(
        f"These kinds were looked for by their patterns and replaced ({asked.mode}): {', '.join(asked.kinds)}."
    )
    kinds = ", ".join(f"{count:,} of the kind {kind}" for kind, count in facts.redacted.items())
    found = f"In {facts.changed:,} rows values were found: {_cell(kinds)}." if kinds else "None was found."
    rest = (
        "Names of people were not looked for. What is written in another way than the patterns expect is still there."
    )
    return [*lines, f"{found} {rest}", ""]


def _limits(facts: Facts) -> list[str]:
    """Say whom the choices cost rows, as far as that was counted."""
    lines = ["## Bias, Risks, and Limitations", ""]
    if not facts.recipe.group:
        said = "No group columns were named in the recipe, so that it is not known whom its choices cost rows."
        return [*lines, said, ""]
    columns = ", ".join(_cell(name) for name in facts.recipe.group)
    if not facts.uneven:
        return [*lines, f"By {columns}, no group lost more rows to the choices than others beyond chance.", ""]
    return [*lines, *(f"- {_cell(sentence)}" for sentence in facts.uneven), ""]


def _collected(document: Document) -> list[str]:
    lines = []
    for each in document.inputs:
        if each.collected:
            said = "; ".join(
                f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
                for key, value in each.collected.items()
            )
            lines.append(f"- **{_cell(each.origin.name)}**: {_cell(said)}")
    return ["### Collection", "", *lines, ""] if lines else []


def _front(facts: Facts, rows: int) -> str:
    size = next((name for bound, name in SIZES if rows < bound), "n>1B")
    front: dict[str, object] = {}
    if facts.licences:
        front["license"] = facts.licences[0] if len(facts.licences) == 1 else list(facts.licences)
    front["size_categories"] = [size]
    if facts.document.rows:
        kind = "parquet" if facts.recipe.output.format == "parquet" else "json"
        front["configs"] = [
            {"config_name": "default", "data_files": [{"split": "train", "path": f"data/*.{_END[kind]}"}]}
        ]
    out = io.StringIO()
    YAML().dump(front, out)
    return f"---\n{out.getvalue()}---\n\n"


_END = {"parquet": "parquet", "json": "jsonl.zst"}


def _cell(text: str) -> str:
    """Write words of others so that they stay in their place: on one line, without marks that mean something."""
    plain = " ".join(text.split())
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#" else each for each in plain)


def declare(recipe: Recipe, plans: Sequence[Plan], columns: Sequence[str]) -> bytes:
    """Write ``dataset.toml``: what the columns are for, so that whoever measures the version need not guess.

    Args:
        recipe: Says it.
        plans: Of the sources, which know the columns that hold texts.
        columns: Those that were written.
    """

    def there(name: str) -> bool:
        return name in columns or name.partition(".")[0] in columns

    texts = [name for name in dict.fromkeys(name for plan in plans for name in plan.texts) if there(name)]
    said: dict[str, object] = {"text": texts, "group": [name for name in recipe.group if there(name)]}
    said |= {name: recipe.places[name] for name in ("account", "url") if there(recipe.places.get(name, ""))}
    if recipe.retention and there(recipe.retention.column):
        said["date"] = recipe.retention.column
    if recipe.output.source_column:
        said["source"] = recipe.output.source_column
    # A text of JSON is one of TOML, but for one character that JSON lets stand.
    lines = [
        f"{name} = {json.dumps(value).replace(chr(127), chr(92) + 'u007f')}" for name, value in said.items() if value
    ]
    return "\n".join(["[columns]", *lines, ""]).encode()

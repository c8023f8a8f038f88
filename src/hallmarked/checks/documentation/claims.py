"""Write down what a card claims, word for word, without judging it.

Each claim is a measurement of the statement, so that its status can be derived later from statements alone. The
vocabulary (metric: value):

==========================  ===========================================================================================
``claim.license``           licence id as written; in ``name`` and ``link`` what ``license: other`` names
``claim.base_model``        repository this one says it was made from; ``relation`` as in ``base_model_relation``
``claim.parameters``        number of parameters; ``written`` ("124M"), ``about`` (``this`` model or ``unclear``)
``claim.library``           ``library_name``
``claim.pipeline_tag``      task of a model
``claim.architecture``      what a line "Architecture: …" or "Model type: …" says
``claim.language``          one language code (or name, where people write one)
``claim.file``              path of a file the card points to; ``how``: ``link``, ``image``, ``loaded`` (by code in
                            the card), ``named`` (in backticks), ``metadata``
``claim.repository``        repository that the card's code loads
``claim.dataset``           data set a model says it was trained on, or source a data set says it was made from
``claim.evaluation``        result as written; ``task``, ``dataset``, ``metric``, its ``type``, ``split``, ``config``,
                            ``verified`` (a token is given)
``claim.emissions``         grams of CO2 equivalent as written
``claim.examples``          records in a split of a data set; ``split``, ``config``
==========================  ===========================================================================================

Every slice also has ``path`` and ``line`` (where it is written), ``text`` (the sentence or field as written, cut at 240
characters) and ``source`` (``metadata``, ``prose``, ``table``, ``code`` or ``results``).
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import unquote

from hallmarked.checks.documentation.parameters import counts
from hallmarked.checks.documentation.sections import content, labels, normalise, table
from hallmarked.core.evidence import Gap, Item, Location, Measurement
from hallmarked.formats.readme import Link, Readme, Section

MAX_TEXT = 240
MAX_CLAIMS = 5000
"""Claims recorded for each metric of one card; the largest real cards list some three thousand results."""

_SIMPLE = {
    "library_name": "claim.library",
    "pipeline_tag": "claim.pipeline_tag",
    "language": "claim.language",
    "languages": "claim.language",
    "language_details": "claim.language",
    "datasets": "claim.dataset",
    "source_datasets": "claim.dataset",
}
_LABELS = {
    "license": "claim.license",
    "licence": "claim.license",
    "architecture": "claim.architecture",
    "model architecture": "claim.architecture",
    "model type": "claim.architecture",
    "finetuned from model": "claim.base_model",
    "finetuned from": "claim.base_model",
    "fine tuned from": "claim.base_model",
    "base model": "claim.base_model",
}
_FILE = re.compile(r"(?:\./)?[\w.+@-]{1,200}(?:/[\w.+@-]{1,200}){0,20}\.(?P<ending>[A-Za-z0-9]{1,12})")
_REPOSITORY = re.compile(r"[\w][\w.-]{0,95}/[\w][\w.-]{0,95}")
_LOADS = re.compile(
    r"(?:from_pretrained|pipeline|snapshot_download|hf_hub_download|load_dataset|SentenceTransformer|from_hub|model)"
    r"(?:\(|\s?=\s?)\s{0,80}(?:[\w]{1,40}\s?=\s?)?[\"'](?P<name>[^\"'\n]{1,200})[\"']"
)
_FILENAME = re.compile(
    r"\b(?:filename|gguf_file|file_name|weight_name|model_file)\s?=\s?[\"'](?P<name>[^\"'\n]{1,200})[\"']"
)
SHOWN = re.compile(r"\{\{\s{0,9}claim\s")
"""A place where a value is shown from evidence: the card does not say it itself."""
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:|^//|^#|^\?|^\{|^<|^$")


class Claims:
    """The claims of one card.

    Args:
        path: Path of the card.
        readme: The card.
    """

    def __init__(self, path: str, readme: Readme) -> None:
        self._path, self._front, self._data, self._sections = path, readme.front, readme.data, readme.sections

    def __iter__(self) -> Iterator[Item]:
        """Yield every claim, and a gap when there are more than are kept."""
        seen: Counter[str] = Counter()
        for claim in (*self._metadata(), *self._results(), *self._prose(), *self._files()):
            seen[claim.metric] += 1
            if seen[claim.metric] <= MAX_CLAIMS:
                yield claim
        for metric, count in seen.items():
            if count > MAX_CLAIMS:
                where = Location(self._path)
                yield Gap(f"{self._path} makes {count:,} claims of kind {metric}; {MAX_CLAIMS:,} were recorded", where)

    def _claim(self, metric: str, value: object, key: str, /, **more: object) -> Measurement:
        """Make a claim from a metadata field."""
        line = self._front.line_of(key) if self._front else 1
        text = more.pop("text", None) or f"{key}: {value}"
        return record(metric, value, path=self._path, line=line, text=text, source="metadata", **more)

    def _metadata(self) -> Iterator[Measurement]:
        data = self._data
        for key in ("license", "licenses"):
            for value in scalars(data.get(key)):
                name, link = data.get("license_name"), data.get("license_link")
                yield self._claim("claim.license", value, key, name=name, link=link)
        for value in scalars(data.get("base_model")):
            yield self._claim("claim.base_model", value, "base_model", relation=data.get("base_model_relation"))
        for key, metric in _SIMPLE.items():
            for value in scalars(data.get(key)):
                yield self._claim(metric, value, key)
        yield from self._figures()
        yield from self._data_files()

    def _figures(self) -> Iterator[Measurement]:
        """Read emissions (https://huggingface.co/docs/hub/model-cards-co2) and the sizes a data set gives itself."""
        emissions = self._data.get("co2_eq_emissions")
        given = emissions if isinstance(emissions, Mapping) else {"emissions": emissions}
        if is_number(given.get("emissions")):
            method = given.get("source")
            yield self._claim("claim.emissions", given["emissions"], "co2_eq_emissions", method=method)
        for info in items(self._data.get("dataset_info")):
            for part in items(info.get("splits")):
                if is_number(part.get("num_examples")):
                    split, config = part.get("name"), info.get("config_name")
                    text = f"{split}: {part['num_examples']} examples"
                    detail = {"text": text, "split": split, "config": config}
                    yield self._claim("claim.examples", part["num_examples"], "dataset_info", **detail)

    def _data_files(self) -> Iterator[Measurement]:
        """Read the files that metadata names."""
        named = [("license_link", "license_link", target) for target in scalars(self._data.get("license_link"))]
        for config in items(self._data.get("configs")):
            named += [("configs", "data_files", target) for target in data_files(config.get("data_files"))]
        for key, field, target in named:
            if local := local_target(self._path, target):
                yield self._claim("claim.file", local, key, how="metadata", text=f"{field}: {target}")

    def _results(self) -> Iterator[Measurement]:
        """Read ``model-index``: https://huggingface.co/docs/hub/model-cards#evaluation-results."""
        for model in items(self._data.get("model-index")):
            for result in items(model.get("results")):
                task, dataset = one(result.get("task")), one(result.get("dataset"))
                for metric in items(result.get("metrics")):
                    name = metric.get("name") or metric.get("type")
                    on = dataset.get("name") or dataset.get("type")
                    yield self._claim(
                        "claim.evaluation",
                        metric.get("value"),
                        "model-index",
                        text=f"{name} = {metric.get('value')} on {on}",
                        task=task.get("type"),
                        dataset=on,
                        metric=name,
                        type=metric.get("type"),
                        split=dataset.get("split"),
                        config=dataset.get("config"),
                        verified="token" if metric.get("verifyToken") else None,
                    )

    def _prose(self) -> Iterator[Measurement]:
        for count in counts(self._sections):
            yield record(
                "claim.parameters",
                count.value,
                path=self._path,
                line=count.line,
                text=count.sentence,
                source=count.source,
                written=count.written,
                about=count.about,
            )
        for section in self._sections:
            for label, value, line in labels(section):
                metric = _LABELS.get(normalise(label))
                if metric and content(value) and not SHOWN.search(value):
                    text = f"{label.strip()}: {value}"
                    yield record(metric, value, path=self._path, line=line, text=text, source="prose")

    def _files(self) -> Iterator[Measurement]:
        """Files and repositories that links, code and backticks point to; each once."""
        seen: set[tuple[str, str]] = set()
        for metric, value, line, text, how in self._pointers():
            if (metric, value) not in seen:
                seen.add((metric, value))
                source = "code" if how == "loaded" else "prose"
                yield record(metric, value, path=self._path, line=line, text=text, source=source, how=how)

    def _pointers(self) -> Iterator[tuple[str, str, int, str, str]]:
        for section in self._sections:
            for link in section.links:
                if target := local_target(self._path, link.target):
                    yield "claim.file", target, link.line, _written(link), "image" if link.image else "link"
            yield from self._code(section)
            for span in section.spans:
                if (target := _file_name(self._path, span.text)) is not None:
                    yield "claim.file", target, span.line, f"`{span.text}`", "named"

    def _code(self, section: Section) -> Iterator[tuple[str, str, int, str, str]]:
        for block in section.blocks:
            if block.kind != "code":
                continue
            for number, row in enumerate(block.text.split("\n")):
                for pattern in (_LOADS, _FILENAME):
                    for match in pattern.finditer(row[:2000]):
                        name, line, text = match["name"], block.line + number, row.strip()
                        if pattern is _LOADS and _REPOSITORY.fullmatch(name) and not is_weights(name):
                            yield "claim.repository", name, line, text, "loaded"
                        elif (target := _file_name(self._path, name)) is not None:
                            yield "claim.file", target, line, text, "loaded"


def results_file(path: str, document: object) -> Iterator[Measurement]:
    """Yield the claims of a file ``.eval_results/*.yaml`` (https://huggingface.co/docs/hub/eval-results)."""
    for entry in items(document):
        dataset = one(entry.get("dataset"))
        yield record(
            "claim.evaluation",
            entry.get("value"),
            path=path,
            line=1,
            text=f"{dataset.get('id')}, {dataset.get('task_id')}: {entry.get('value')}",
            source="results",
            task=dataset.get("task_id"),
            dataset=dataset.get("id"),
            verified="token" if entry.get("verifyToken") else None,
        )


def record(metric: str, value: object, /, *, path: str, line: int, text: object, **more: object) -> Measurement:
    """Make the measurement that records a claim; empty details are left out."""
    details = {key: cut(str(detail)) for key, detail in more.items() if detail not in (None, "")}
    unit = {"claim.emissions": "g", "claim.parameters": "parameter", "claim.examples": "record"}.get(metric, "")
    place = {"path": path, "line": str(line), "text": cut(str(text)), **details}
    return Measurement(metric, cut(str(value)), unit, slice=place)


def local_target(path: str, target: str) -> str | None:
    """Return the path in the artifact that a link in the card at ``path`` leads to; ``None`` when it leads elsewhere.

    A target that leaves the artifact keeps its ``..``, so that it can never be found.
    """
    if _SCHEME.match(target) or "://" in target:
        return None
    plain = unquote(target.split("#", 1)[0].split("?", 1)[0]).strip()
    if not plain or len(plain) > 1000 or not plain.isprintable():
        return None
    if plain.startswith("/"):
        return None  # relative to the host that shows the card, not to the artifact
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), plain))


def scalars(value: object) -> Iterator[str]:
    """Yield a text or number, or those in a list."""
    for item in value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]:
        if isinstance(item, str) and item.strip():
            yield item.strip()
        elif is_number(item):
            yield str(item)


def items(value: object) -> Iterator[Mapping[object, object]]:
    """Yield a mapping, or those in a list."""
    for item in value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]:
        if isinstance(item, Mapping):
            yield item


def one(value: object) -> Mapping[object, object]:
    """Return the mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def is_number(value: object) -> bool:
    """Say whether a YAML value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def data_files(value: object) -> Iterator[str]:
    """Yield the paths of a ``data_files`` entry; patterns name no single file and are left out."""
    paths = [entry.get("path") for entry in items(value)] or [value]
    for path in paths:
        yield from (name for name in scalars(path) if not any(mark in name for mark in "*?[{"))


def cut(text: str) -> str:
    """Return one line of at most ``MAX_TEXT`` characters."""
    line = " ".join(text[: 4 * MAX_TEXT].split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def is_weights(path: str) -> bool:
    """Say whether a path ends as files of weights do."""
    return "." in path and path.rpartition(".")[2].lower() in _endings("weights")


@cache
def _endings(kind: str) -> frozenset[str]:
    return frozenset(table()["files"][kind])


def _file_name(path: str, text: str) -> str | None:
    """Return the path a bare file name stands for, when the text has the form of one."""
    match = _FILE.fullmatch(text.strip())
    if match is None or match["ending"].lower() not in _endings("weights") | _endings("other"):
        return None
    return local_target(path, text.strip())


def _written(link: Link) -> str:
    return f"{'!' if link.image else ''}[{link.text}]({link.target})"

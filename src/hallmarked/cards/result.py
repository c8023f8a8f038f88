"""Results of evaluations as hubs write them: files ``.eval_results/*.yaml``, and ``model-index`` in a card's metadata.

https://huggingface.co/docs/hub/eval-results and https://huggingface.co/docs/hub/model-cards#evaluation-results. Both
are read into one dataclass. A result is what somebody says; nothing here makes it evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.cards.document.scalar import listed
from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import Path, read_yaml
from hallmarked.formats.position import Lines, read_places

MAX_RESULTS = 20_000
MAX_TEXT = 20_000
"""Characters of one text; tokens take some thousand."""
Value = str | int | float
NOWHERE = Lines("", 1, None)
"""Stands for metadata whose text is not at hand."""


@dataclass(frozen=True, slots=True)
class Result:
    """One value that an evaluation came to, as somebody says."""

    dataset: str
    """Id of the data set or benchmark."""
    task: str
    """Task of the benchmark (``task_id``), or kind of task (``task.type``)."""
    value: Value
    """As written: a number, or a text such as ``20.0 ± 1.2``."""
    metric: str = ""
    """Id of the metric; files of results leave it to the benchmark."""
    model: str = ""
    """Name in the model index."""
    task_name: str = ""
    dataset_name: str = ""
    config: str = ""
    split: str = ""
    revision: str = ""
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    metric_name: str = ""
    metric_config: str = ""
    metric_args: Mapping[str, Any] = field(default_factory=dict)
    verified: bool | None = None
    """Said to be verified; the token would have to show it."""
    token: str = ""
    date: str = ""
    """When it was run, ISO 8601."""
    source_url: str = ""
    source_name: str = ""
    source_user: str = ""
    source_org: str = ""
    notes: str = ""


def read_results(data: bytes, file: str) -> tuple[Result, ...]:
    """Read a file ``.eval_results/*.yaml``.

    Raises:
        InputError: When it is not a list of results; the message names the line.
    """
    try:
        document = read_yaml(data, Budget(len(data)))
        text = data.decode("utf-8-sig")
        reader = _Reader(file, Lines(text, 1, read_places(text)), ())
    except FormatError as error:
        raise InputError(f"{file}: {error}") from error
    return tuple(_entry(reader, row, path) for path, row in reader.rows(document, ()))


def write_results(results: Sequence[Result]) -> bytes:
    """Write a file ``.eval_results/*.yaml``; what it has no place for (metric, split, names) is left out.

    Raises:
        InputError: When a result names a source without its address, which hubs refuse.
    """
    rows = [line for result in results for line in listed(_to_entry(result))]
    return ("\n".join(rows) + "\n" if rows else "[]\n").encode()


def read_index(value: object, lines: Lines = NOWHERE, file: str = "README.md") -> tuple[Result, ...]:
    """Read ``model-index`` from the metadata of a card.

    Args:
        value: What the key holds.
        lines: Where each part of the metadata stands (``Head.line_of``).
        file: Name of the card, for messages.

    Raises:
        InputError: When it is not a model index; the message names the line.
    """
    reader = _Reader(file, lines, ("model-index",))
    found: list[Result] = []
    for above, model in reader.rows(value, ()):
        name = reader.text(model, above, "name")
        for path, row in reader.rows(model.get("results"), (*above, "results")):
            found += _of_model(reader, row, path, name)
            if len(found) > MAX_RESULTS:
                raise reader.error(path, f"there are more than {MAX_RESULTS:,} results")
    return tuple(found)


def write_index(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what ``model-index`` holds for some results, those of one run on one data set together, in their order.

    Where a file of results named no metric or data set name, the task and the id stand in: hubs ask for both.
    """
    models: dict[str, dict[str, Any]] = {}
    last: tuple[str, dict[str, Any]] | None = None
    for result in results:
        model = models.setdefault(result.model, {"name": result.model or "model", "results": []})
        head = _head(result)
        if last is None or last[0] != result.model or {**last[1], "metrics": None} != {**head, "metrics": None}:
            last = (result.model, head)
            model["results"].append(head)
        last[1]["metrics"].append(_metric(result))
    return list(models.values())


def _entry(reader: _Reader, row: Mapping[str, Any], path: Path) -> Result:
    dataset, source = reader.group(row, path, "dataset"), reader.group(row, path, "source", needed=False)
    place, origin = (*path, "dataset"), (*path, "source")
    result = Result(
        reader.text(dataset, place, "id"),
        reader.text(dataset, place, "task_id"),
        reader.value(row, path),
        revision=reader.maybe(dataset, place, "revision"),
        token=reader.maybe(row, path, "verifyToken"),
        date=reader.maybe(row, path, "date"),
        source_url=reader.maybe(source, origin, "url"),
        source_name=reader.maybe(source, origin, "name"),
        source_user=reader.maybe(source, origin, "user"),
        source_org=reader.maybe(source, origin, "org"),
        notes=reader.maybe(row, path, "notes"),
    )
    if source and not result.source_url:
        raise reader.error(origin, "a source needs its url")
    return result


def _to_entry(result: Result) -> dict[str, Any]:
    source = {"url": result.source_url, "name": result.source_name}
    source |= {"user": result.source_user, "org": result.source_org}
    source = {key: text for key, text in source.items() if text}
    if source and not result.source_url:
        raise InputError(f"the result on {result.dataset} names a source without its address")
    dataset = {"id": result.dataset, "task_id": result.task, "revision": result.revision}
    optional = {"verifyToken": result.token, "date": result.date, "source": source, "notes": result.notes}
    return {
        "dataset": {key: text for key, text in dataset.items() if text},
        "value": result.value,
        **{key: item for key, item in optional.items() if item},
    }


def _of_model(reader: _Reader, row: Mapping[str, Any], path: Path, model: str) -> Iterator[Result]:
    task, dataset = reader.group(row, path, "task"), reader.group(row, path, "dataset")
    source = reader.group(row, path, "source", needed=False)
    places = {key: (*path, key) for key in ("task", "dataset", "source", "metrics")}
    common: dict[str, Any] = {
        "dataset": reader.text(dataset, places["dataset"], "type"),
        "task": reader.text(task, places["task"], "type"),
        "model": model,
        "task_name": reader.maybe(task, places["task"], "name"),
        "dataset_name": reader.maybe(dataset, places["dataset"], "name"),
        **{key: reader.maybe(dataset, places["dataset"], key) for key in ("config", "split", "revision")},
        "dataset_args": reader.arguments(dataset, places["dataset"]),
        "source_url": reader.maybe(source, places["source"], "url"),
        "source_name": reader.maybe(source, places["source"], "name"),
    }
    for at, metric in reader.rows(row.get("metrics"), places["metrics"]):
        verified = metric.get("verified")
        yield Result(
            **common,
            value=reader.value(metric, at),
            metric=reader.text(metric, at, "type"),
            metric_name=reader.maybe(metric, at, "name"),
            metric_config=reader.maybe(metric, at, "config"),
            metric_args=reader.arguments(metric, at),
            verified=verified if isinstance(verified, bool) else None,
            token=reader.maybe(metric, at, "verifyToken"),
        )


def _head(result: Result) -> dict[str, Any]:
    task = {"type": result.task, "name": result.task_name}
    dataset: dict[str, Any] = {"type": result.dataset, "name": result.dataset_name or result.dataset}
    dataset |= {"config": result.config, "split": result.split, "revision": result.revision}
    source = {"name": result.source_name, "url": result.source_url}
    head: dict[str, Any] = {
        "task": {key: text for key, text in task.items() if text},
        "dataset": {key: text for key, text in dataset.items() if text},
        "metrics": [],
    }
    if result.dataset_args:
        head["dataset"]["args"] = dict(result.dataset_args)
    if result.source_url or result.source_name:
        head["source"] = {key: text for key, text in source.items() if text}
    return head


def _metric(result: Result) -> dict[str, Any]:
    metric: dict[str, Any] = {"type": result.metric or result.task, "value": result.value}
    texts = {"name": result.metric_name, "config": result.metric_config}
    metric |= {key: text for key, text in texts.items() if text}
    if result.metric_args:
        metric["args"] = dict(result.metric_args)
    if result.verified is not None:
        metric["verified"] = result.verified
    return metric | ({"verifyToken": result.token} if result.token else {})


class _Reader:
    """Takes rows apart, and names the line of what is wrong."""

    def __init__(self, file: str, lines: Lines, above: Path) -> None:
        self._file, self._lines, self._above = file, lines, above

    def error(self, path: Path, message: str) -> InputError:
        """Return an error that names the line."""
        return InputError(f"{self._file}, line {self._lines((*self._above, *path))}: {message}")

    def rows(self, value: object, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Yield the groups of a list."""
        name = path[-1] if path else "the whole"
        if not isinstance(value, list) or len(value) > MAX_RESULTS:
            raise self.error(path, f"{name} should be a list of at most {MAX_RESULTS:,} results")
        for index, row in enumerate(value):
            if not isinstance(row, Mapping):
                raise self.error((*path, index), "an entry of the list is not a group of “key: value” lines")
            yield (*path, index), row

    def group(self, row: Mapping[str, Any], path: Path, key: str, *, needed: bool = True) -> Mapping[str, Any]:
        """Return a group in a row; empty when there is none and none is needed."""
        value = row.get(key)
        if value is None and not needed:
            return {}
        if not isinstance(value, Mapping):
            raise self.error((*path, key), f"a result needs {key}, a group of “key: value” lines")
        return value

    def text(self, row: Mapping[str, Any], path: Path, key: str) -> str:
        """Return a text that has to be there."""
        found = self.maybe(row, path, key)
        if not found:
            raise self.error((*path, key), f"{'.'.join(map(str, path[-1:]))} {key} is missing".strip())
        return found

    def maybe(self, row: Mapping[str, Any], path: Path, key: str) -> str:
        """Return a text, or empty when there is none; a number counts as its text."""
        value = row.get(key)
        if value is None:
            return ""
        if isinstance(value, bool | list | Mapping) or not isinstance(value, str | int | float):
            raise self.error((*path, key), f"{key} should be a text")
        if len(str(value)) > MAX_TEXT:
            raise self.error((*path, key), f"{key} is longer than {MAX_TEXT:,} characters")
        if isinstance(value, str):
            return value
        # NOTE: a revision such as 12345e6 is a number to YAML 1.2; what counts is how it is written.
        return self._lines.written((*self._above, *path, key)) or str(value)

    def value(self, row: Mapping[str, Any], path: Path) -> Value:
        """Return the value of a result."""
        value = row.get("value")
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            raise self.error((*path, "value"), "a result needs value, a number or a text")
        return value

    def arguments(self, row: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
        """Return the arguments of a data set or metric."""
        value = row.get("args")
        if value is None or isinstance(value, Mapping):
            return {str(key): item for key, item in (value or {}).items()}
        if isinstance(value, str | int | float):  # older cards write the configuration's name here
            return {"args": value}
        raise self.error((*path, "args"), "args should be a group of “key: value” lines")

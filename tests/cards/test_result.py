"""Results are read and written as hubs do, and the hub's own client reads the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from huggingface_hub import EvalResultEntry
from huggingface_hub._eval_results import eval_result_entries_to_yaml, parse_eval_result_entries
from huggingface_hub.repocard_data import EvalResult, eval_results_to_model_index, model_index_to_eval_results
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hallmarked.cards.document.document import read_document
from hallmarked.cards.document.edit import set_key
from hallmarked.cards.result import Result, read_index, read_results, write_index, write_results
from hallmarked.core.errors import InputError

FILE = """\
- dataset:
    id: cais/hle
    task_id: default
    revision: 5503434
  value: 20.90
  verifyToken: abc
  date: "2025-01-15T10:30:00Z"
  source: {url: https://example.org, name: Logs, org: acme}
  notes: no tools
- {dataset: {id: a/b, task_id: c}, value: "20.0 ± 1.2"}
""".encode()

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs", "Cc")), max_size=15)
NEEDED = TEXT.filter(bool)
WORDS = NEEDED.filter(lambda text: text[0].isalpha())  # YAML 1.1 and 1.2 disagree on what else is a number
VALUE = st.one_of(st.integers(-(10**15), 10**15), st.floats(allow_nan=False), WORDS)
ARGUMENTS = st.dictionaries(NEEDED, st.one_of(st.integers(0, 9), NEEDED), max_size=2)
ENTRIES = st.builds(
    Result,
    dataset=NEEDED,
    task=NEEDED,
    value=VALUE,
    revision=TEXT,
    token=TEXT,
    date=TEXT,
    source_url=NEEDED,
    source_name=TEXT,
    source_user=TEXT,
    source_org=TEXT,
    notes=TEXT,
)
ROWS = st.builds(
    Result,
    dataset=NEEDED,
    task=NEEDED,
    value=VALUE,
    metric=NEEDED,
    model=st.just("m"),
    task_name=TEXT,
    dataset_name=NEEDED,
    config=TEXT,
    split=TEXT,
    revision=TEXT,
    dataset_args=ARGUMENTS,
    metric_name=TEXT,
    metric_config=TEXT,
    metric_args=ARGUMENTS,
    verified=st.sampled_from([None, True, False]),
    token=TEXT,
    source_url=NEEDED,
    source_name=TEXT,
)


def theirs(result: Result) -> EvalResultEntry:
    """The same in the words of the hub's client, which knows nothing from empty."""
    named: dict[str, Any] = {
        "dataset_revision": result.revision,
        "verify_token": result.token,
        "date": result.date,
        "source_url": result.source_url,
        "source_name": result.source_name,
        "source_user": result.source_user,
        "source_org": result.source_org,
        "notes": result.notes,
    }
    given = {key: text or None for key, text in named.items()}
    return EvalResultEntry(result.dataset, result.task, result.value, **given)


def of_index(result: Result) -> EvalResult:
    named: dict[str, Any] = {
        "task_name": result.task_name,
        "dataset_config": result.config,
        "dataset_split": result.split,
        "dataset_revision": result.revision,
        "dataset_args": dict(result.dataset_args),
        "metric_name": result.metric_name,
        "metric_config": result.metric_config,
        "metric_args": dict(result.metric_args),
        "verify_token": result.token,
        "source_url": result.source_url,
        "source_name": result.source_name,
    }
    return EvalResult(
        result.task,
        result.dataset,
        result.dataset_name,
        result.metric,
        result.value,
        verified=result.verified,
        **{key: text or None for key, text in named.items()},
    )


def test_a_file_of_results() -> None:
    """Every field is read, and the hub's client reads from our file what it reads from the original."""
    first, second = read_results(FILE, "r.yaml")
    assert (first.dataset, first.task, first.value, first.revision) == ("cais/hle", "default", 20.9, "5503434")
    assert (first.source_org, first.source_user, first.notes) == ("acme", "", "no tools")
    assert second == Result("a/b", "c", "20.0 ± 1.2")
    original = parse_eval_result_entries(yaml.safe_load(FILE))
    original[0].dataset_revision = str(original[0].dataset_revision)  # they take the unquoted one for a number
    assert parse_eval_result_entries(yaml.safe_load(write_results([first, second]))) == original
    assert write_results([]) == b"[]\n"


NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
"""What YAML 1.2 takes for a number. The client writes YAML 1.1, where some of these are texts without quotes."""


def test_a_text_that_looks_like_a_number_stays_as_written() -> None:
    """A revision of a data set may be all digits and an e; no number is made of it on the way."""
    data = b"- {dataset: {id: a/b, task_id: 007, revision: 5503e34}, value: 1, notes: 0E0}\n"
    (read,) = read_results(data, "r.yaml")
    assert (read.task, read.revision, read.notes) == ("007", "5503e34", "0E0")
    assert read_results(write_results([read]), "r.yaml") == (read,)


@given(st.lists(ENTRIES, max_size=4))
@example([Result("0E0", "1e5", "0E0", revision="0x1f", source_url="u", notes="0E0")])
@settings(max_examples=80, deadline=None)
def test_files_round_trip(results: list[Result]) -> None:
    """What is written is read again, by us and by the hub's own parser; what its client writes we read as well."""
    data = write_results(results)
    assert read_results(data, "r.yaml") == tuple(results)
    parsed = parse_eval_result_entries(yaml.safe_load(data))
    assert parsed == [theirs(result) for result in results]
    clear = [each for each in results if not (isinstance(each.value, str) and NUMBER.fullmatch(each.value))]
    rows = eval_result_entries_to_yaml([theirs(each) for each in clear])
    other = yaml.safe_dump(rows, allow_unicode=True, sort_keys=False).encode()
    assert read_results(other, "r.yaml") == tuple(clear)


@given(st.lists(ROWS, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_model_index_round_trips(results: list[Result]) -> None:
    """A model index in a card is read by us and by the hub's own parser as it was written."""
    card = set_key(b"# Title\n", ("model-index",), write_index(results))
    document = read_document(card)
    assert read_index(document.data["model-index"], document.head.line_of) == tuple(results)
    front = document.head.front
    assert front
    name, parsed = model_index_to_eval_results(yaml.safe_load(front.text)["model-index"])
    assert name == "m"
    assert parsed == [of_index(result) for result in results]


@given(st.lists(ROWS, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_what_the_client_writes_is_read(results: list[Result]) -> None:
    """The model index that the hub's client makes is read as the results it was made from."""
    plain = [replace(one, dataset_args={}, metric_args={}) for one in results]
    keys = [(one.task, one.dataset, one.config, one.split, one.revision) for one in plain]
    assume(len(set(keys)) == len(keys))  # it joins results of one data set and keeps one source for them
    made = eval_results_to_model_index("m", [of_index(one) for one in plain])
    assert sorted(read_index(made), key=repr) == sorted(plain, key=repr)


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"a: 1\n", 1, "should be a list"),
        (b"- 1\n", 1, "not a group"),
        (b"- value: 1\n", 1, "a result needs dataset"),
        (b"- value: 1\n  dataset:\n    id: x\n", 2, "dataset task_id is missing"),
        (b"- value: true\n  dataset: {id: x, task_id: y}\n", 1, "a result needs value"),
        (b"- value: 1\n  dataset: {id: x, task_id: y}\n  source: {name: z}\n", 3, "a source needs its url"),
        (b"- value: 1\n  dataset: {id: [x], task_id: y}\n", 2, "id should be a text"),
        (b"- a: 1\n  a: 2\n", 2, "appears twice"),
    ],
)
def test_what_is_wrong_names_its_line(data: bytes, line: int, said: str) -> None:
    """A file that is no list of results is refused in one sentence with its line."""
    with pytest.raises(InputError, match=rf"line {line}\b") as caught:
        read_results(data, "r.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("r.yaml")


def test_texts_stay_as_they_are_written() -> None:
    """A revision or date that looks like a number to some readers is the text that was written."""
    data = b"- {dataset: {id: 0E0, task_id: 007, revision: 12345e6}, value: 0.50, date: 2025}\n"
    (result,) = read_results(data, "r.yaml")
    assert (result.dataset, result.task, result.revision, result.date) == ("0E0", "007", "12345e6", "2025")
    assert result.value == 0.5


def test_a_source_without_an_address_is_not_written() -> None:
    """What hubs refuse is refused here first."""
    with pytest.raises(InputError, match="names a source without its address"):
        write_results([Result("a", "b", 1, source_name="c")])

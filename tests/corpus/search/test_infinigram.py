"""The same questions, answered by infini-gram."""

from __future__ import annotations

import random
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import FormatError, InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.index import Index  # noqa: E402
from hallmarked.corpus.search.infinigram import InfiniGram, advice  # noqa: E402
from hallmarked.corpus.search.line import DOCUMENTS, FOLDER  # noqa: E402
from hallmarked.corpus.search.manifest import Options  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.corpus.search.open import open_index  # noqa: E402
from hallmarked.corpus.search.word import MASK, fold_words  # noqa: E402

FOR_IT = Options(backend="infini-gram", keywords=False, licence="MIT")


def _rows(texts: list[str]) -> list[Document]:
    return [
        Document(f"{row % 3}.jsonl", row, text, fold_words(text), f"shelf {row}", "" if row % 2 else "CC0-1.0")
        for row, text in enumerate(texts, 1)
    ]


@pytest.mark.slow
def test_both_engines_give_the_same_answers(tmp_path: Path) -> None:
    """Passages, counts, rows, sources and licences are the same, whichever engine searches."""
    pytest.importorskip("infini_gram", reason="infini-gram is not installed")
    rng = random.Random(3)
    texts = [" ".join(rng.choices(["he", "the", "cat", "Sat", "é", "on"], k=rng.randint(0, 30))) for _ in range(60)]
    texts += [f"the cat {MASK} sat on", "the cat sat"]
    build(tmp_path / "ours", _rows(texts), Options(licence="MIT"))
    build(tmp_path / "theirs", _rows(texts), FOR_IT)
    command = shlex.split(advice(tmp_path / "theirs").replace("--cpus 8 --mem 32", "--cpus 1 --mem 1 --ulimit 1024"))
    subprocess.run([sys.executable, *command[1:]], check=True, capture_output=True)
    ours, theirs = open_index(tmp_path / "ours"), open_index(tmp_path / "theirs")
    assert isinstance(theirs, InfiniGram)
    for _ in range(60):
        query = " ".join(rng.choices(["he", "the", "cat", "Sat", "é", "on"], k=25))
        for least in (2, 4):
            mine, other = ours.attribute(query, least, most=99), theirs.attribute(query, least, most=99)
            assert mine.copied == other.copied
            assert [(each.first, each.words, each.occurrences, each.documents) for each in mine.passages] == [
                (each.first, each.words, each.occurrences, each.documents) for each in other.passages
            ]
            assert [set(each.places) for each in mine.passages] == [set(each.places) for each in other.passages]
        assert ours.holds(query.lower().split()[:3]) == theirs.holds(query.lower().split()[:3])
    assert not theirs.holds(["cat", "sat", "sat", "sat", "cat", "é", "é", "é"])


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """An index that the engine has not made yet names the command; one that was changed is refused."""
    build(tmp_path / "index", _rows(["the cat sat"]), FOR_IT)
    with pytest.raises(InputError, match=r"has not indexed .* yet: python -m infini_gram.indexing"):
        open_index(tmp_path / "index")
    with pytest.raises(InputError, match="for another engine: infini-gram"):
        Index.open(tmp_path / "index")
    (tmp_path / "index" / FOLDER / DOCUMENTS).write_text('{"text": " another "}\n')
    with pytest.raises(FormatError, match="is not the file that was written"):
        open_index(tmp_path / "index")
    with pytest.raises(InputError, match="without keywords"):
        build(tmp_path / "other", [], Options(backend="infini-gram"))

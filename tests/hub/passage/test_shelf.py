"""Indexes that are open in a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import FormatError, InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.manifest import Options  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.hub.passage import shelf as shelves  # noqa: E402
from hallmarked.hub.passage.shelf import Shelf  # noqa: E402


def _folders(tmp_path: Path, count: int) -> list[Path]:
    folders = [tmp_path / str(number) for number in range(count)]
    for folder in folders:
        words = f"word of {folder.name} "
        build(folder, [Document("a", 1, words, words.encode())], Options(keywords=False))
    return folders


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted as Linux shows them")
def test_files_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many indexes are asked, few files stay open, and each index answers for itself."""
    monkeypatch.setattr(shelves, "MOST_FILES", 12)
    folders, shelf = _folders(tmp_path, 10), Shelf()
    before = _open_files()
    for folder in [*folders, *folders]:
        assert shelf.take(folder).holds(["of", folder.name])
        assert not shelf.take(folder).holds(["of", "another"])
    assert _open_files() - before <= 12
    assert shelf.take(folders[-1]) is shelf.take(folders[-1])


def test_a_damaged_index_is_not_taken(tmp_path: Path) -> None:
    """The first time an index is opened, its files are compared with their digests."""
    (folder,) = _folders(tmp_path, 1)
    (folder / "0000.words").write_bytes(b"wyrd of 0 \n")
    with pytest.raises(FormatError, match="damaged"):
        Shelf().take(folder)
    with pytest.raises(InputError, match="there is no index"):
        Shelf().take(tmp_path / "missing")

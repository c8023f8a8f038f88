"""A refused work is left out wherever it stands in a row, and whoever's the row is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import create_key, save_key
from hallmarked.corpus.consent.list import Heading, write_list
from hallmarked.corpus.consent.record import Mode, Scope, make_entry
from hallmarked.corpus.consent.selector import Kind, text_digest
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import dump_trust
from tests.audit.build.test_build import NOW, World, write_rows

WORK = "a short work of one line that somebody refused"
RECIPE = """recipe = 1
[dataset]
name = "acme/titled"
decided-by = "The data steward"
[[source]]
name = "mirror"
path = "mirror"
licence = "CC-BY-4.0"
[source.collected]
who = "The archive"
[columns]
text = ["title", "text"]
account = "user"
[consent]
list = "consents"
key = "registry.key"
trust = "trust.json"
"""


@pytest.mark.slow
def test_a_copy_under_a_new_id_and_a_title_is_left_out(tmp_path: Path) -> None:
    """The exact work in one of two columns, under another account and number, is counted as opted out."""
    rows = [
        {"id": 901, "title": "the copy of another person", "text": WORK.upper(), "user": "mallory"},
        {
            "id": 902,
            "title": "something else as a title",
            "text": "a text that nobody refused at all",
            "user": "mallory",
        },
    ]
    write_rows(tmp_path / "mirror" / "rows.jsonl", rows)
    with Ledger.open(tmp_path / "home") as ledger:
        registry = create_key()
        save_key(tmp_path / "registry.key", registry)
        (tmp_path / "trust.json").write_bytes(dump_trust(ledger.trust))
        entry = make_entry(registry, Kind.CONTENT, text_digest(WORK), Scope(Mode.OPT_OUT), since=NOW)
        heading = Heading("registry.example", NOW, "1", 1)
        (tmp_path / "consents").write_bytes(write_list([entry], heading, registry, ledger.key))
        built = World(tmp_path, ledger).build(RECIPE, "built")
    assert built.document.removed["opted-out"] == 1
    assert sum(built.document.rows.values()) == 1
    kept = b"".join(path.read_bytes() for path in (built.folder / "data").rglob("*") if path.is_file())
    assert WORK.upper().encode() not in kept


def test_a_misspelt_column_stops_the_build(tmp_path: Path) -> None:
    """A recipe whose account column is in no row would keep what people refused, so nothing is built."""
    write_rows(
        tmp_path / "mirror" / "rows.jsonl", [{"title": "a", "text": "b", "user": "mallory", "meta": {"day": ""}}]
    )
    recipe = RECIPE.partition("[consent]")[0].replace('"user"', '"usr"')
    recipe += 'url = "meta.dy"\ndomain = "meta.day"\n[[filter]]\nname = "old"\ncolumn = "scor"\nmost = 3\n'
    with Ledger.open(tmp_path / "home") as ledger, pytest.raises(InputError, match="no row has") as caught:
        World(tmp_path, ledger).build(recipe, "built")
    said = str(caught.value)
    assert "columns.account = 'usr'" in said
    assert "columns.url = 'meta.dy'" in said
    assert "the column of filter old = 'scor'" in said
    assert "there are: meta, text, title, user" in said
    assert "domain" not in said
    assert not (tmp_path / "built").exists()

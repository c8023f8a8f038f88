"""Routing: polyglots, nesting, references between files, limits, repeated findings."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization import router
from hallmarked.checks.serialization.contract import Known, Reference
from hallmarked.checks.serialization.registry import HANDLERS, Handler
from hallmarked.checks.serialization.resolve import Scope, resolve
from hallmarked.core.evidence import Finding, Gap, Level, Location, Outcome
from hallmarked.formats.blob import Blob, Limits
from hallmarked.formats.identify import INERT
from tests.checks.serialization.routing import (
    EVIL,
    EVIL4,
    PLAIN,
    check,
    errors,
    formats,
    rules,
    tarred,
    torch_zip,
    verdicts,
    zipped,
)
from tests.formats import r_writer
from tests.formats.test_npy import save

TENSORS = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
SAFETENSORS = struct.pack("<Q", len(TENSORS)) + TENSORS + bytes(8)


@pytest.mark.parametrize(
    ("data", "both"),
    [
        (b"\x80\x02ccollections\nOrderedDict\n)R." + zipped({"a": b"text"}), {"pickle", "zip"}),
        (save(np.ones(4)) + zipped({"a": b"text"}), {"npy", "zip"}),
        (SAFETENSORS + zipped({"a": b"text"}), {"safetensors", "zip"}),
        (gzip.compress(b"x" * 99, mtime=0) + zipped({"a": b"text"}), {"gzip", "zip"}),
    ],
)
def test_polyglots_are_reported_and_read_both_ways(data: bytes, both: set[str]) -> None:
    """A file that two readers accept is malformed, and each reading is examined."""
    result = check(data)
    assert "SER002" in rules(result)
    assert verdicts(result)["file"] == "malformed"
    assert set(formats(result)["file"].split("+")) == both
    assert result.outcome is Outcome.UNKNOWN


def test_what_hides_in_the_second_reading_is_found() -> None:
    """The archive behind an array or tensors is looked into."""
    for front in (save(np.ones(4)), SAFETENSORS, PLAIN, b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + bytes(60)):
        assert check(front + zipped({"a": EVIL})).outcome is Outcome.FAIL


def test_the_inside_of_everything_is_routed() -> None:
    """A pickle is found behind every compression and in every container, whatever it is called there."""
    wrapped = [
        gzip.compress(EVIL),
        bz2.compress(EVIL),
        lzma.compress(EVIL),
        lzma.compress(EVIL, lzma.FORMAT_ALONE),
        zlib.compress(EVIL),
        zipped({"README.md": EVIL}),
        zipped({"README.md": EVIL}, 8),
        tarred({"README.md": EVIL}),
        gzip.compress(tarred({"a": zipped({"b": bz2.compress(EVIL)})})),
        save(np.ones(2)) + EVIL,
        gzip.compress(save(np.ones(2))) + gzip.compress(EVIL),
    ]
    for data in wrapped:
        assert check(data).outcome is Outcome.FAIL, data[:20]


def test_containers_within_containers_are_followed_to_a_limit() -> None:
    """The depth at which reading stops is a finding and a gap, never a pass."""
    data = EVIL
    for _ in range(Limits().depth):
        data = zipped({"a": data})
    assert check(data).outcome is Outcome.FAIL
    deeper = check(zipped({"a": data}))
    assert deeper.outcome is Outcome.UNKNOWN
    assert "SER004" in rules(deeper)
    assert verdicts(deeper)["file"] == "malformed"


def test_a_verdict_includes_what_is_inside() -> None:
    """A container is as bad as the worst thing in it."""
    result = check(zipped({"good": PLAIN, "evil": EVIL}))
    assert verdicts(result) == {"file!good": "proven", "file!evil": "unproven", "file": "unproven"}


def test_parts_that_nobody_knows_are_gaps() -> None:
    """Unknown bytes inside of an archive leave the archive unproven and the outcome unknown."""
    result = check(zipped({"good": PLAIN, "noise": b"\xf7\x01\x02\x03" * 40}))
    assert result.outcome is Outcome.UNKNOWN
    assert verdicts(result)["file!noise"] == "not-examined"
    assert verdicts(result)["file"] == "unproven"


def test_known_formats_that_are_not_read_are_gaps() -> None:
    """A format that is recognised but has no examiner is not examined, and the outcome is unknown."""
    for head in (b"Rar!\x1a\x07\x01\x00", b"\x04\x22\x4d\x18"):
        result = check(head + bytes(range(100)))
        assert result.outcome is Outcome.UNKNOWN
        assert verdicts(result) == {"file": "not-examined"}


def test_raw_numbers_are_followed_up_only_when_unmistakable() -> None:
    """A storage may look like anything by accident, but an archive, program or harmful pickle in it is examined."""
    assert verdicts(check(torch_zip(data_0=b"{i\x01a" + bytes(60)))) == {"file!m/data.pkl": "proven", "file": "proven"}
    for evil in (EVIL, EVIL4, zipped({"x": EVIL}), gzip.compress(EVIL), bytes(600) + zipped({"x": EVIL})):
        result = check(torch_zip(data_0=evil))
        assert result.outcome is Outcome.FAIL, evil[:20]
    program = check(torch_zip(data_0=b"\x7fELF" + bytes(60)))
    assert (program.outcome, rules(program)) == (Outcome.UNKNOWN, {"LLF001"})


def test_objects_in_arrays_are_judged_as_pickles_whatever_they_look_like() -> None:
    """NumPy unpickles what follows the header of an object array; it never passes for text."""
    array = save(np.array([{"a": 1}], "O"))
    at = array.index(b"\n", 10) + 1
    result = check(array[:at] + b"just words")
    assert verdicts(result)["file!pickle"] == "malformed"
    assert result.outcome is Outcome.UNKNOWN
    assert check(array[:at] + EVIL).outcome is Outcome.FAIL


def test_bytes_that_torch_would_load_again_are_judged() -> None:
    """What a pickle hands to ``torch.storage._load_from_bytes`` is a file of its own."""
    call = b"\x80\x03ctorch.storage\n_load_from_bytes\nC%c%b\x85R."
    for inner in (EVIL, EVIL4):
        assert check(call % (len(inner), inner)).outcome is Outcome.FAIL
    words = b"a few plain words"
    assert check(call % (len(words), words)).outcome is Outcome.UNKNOWN


def test_repeated_findings_are_counted() -> None:
    """A file with very many findings of a kind lists some and says how many there are."""
    names = {f"../m{n}": b"text" for n in range(router.REPEATS + 10)}
    found = [f for f in check(zipped(names)).findings if f.rule == "ZIP005"]
    assert len(found) == router.REPEATS + 1
    assert found[-1].message.startswith("10 more")
    assert found[-1].level is Level.ERROR


def test_a_file_that_cannot_be_read_is_a_gap() -> None:
    """A file that vanishes or fails while it is read does not pass."""

    class Broken:
        name, omitted, excluded, container, base = "x", (), (), None, None

        def open(self, path: str) -> None:
            raise OSError("input/output error")

    routed = router.Router.__new__(router.Router)
    broken = Broken()
    broken.files = ()  # type: ignore[attr-defined]
    routed.__init__(broken)  # type: ignore[misc]
    items = list(routed.examine_file(router.File("m.pkl", 10)))
    assert any(isinstance(item, Gap) for item in items)


def test_known_members_are_examined_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member whose reading its place determines is also examined as what its bytes say."""

    def place(blob: Blob, _: object) -> object:
        yield Finding("TST001", Level.NOTE, "by its place", Location(blob.path))

    def container(blob: Blob, _: object) -> object:
        yield Known(Blob.of_bytes(f"{blob.path}!x", EVIL, 1), "special", place)

    monkeypatch.setitem(HANDLERS, "png", Handler(container))  # type: ignore[arg-type]
    monkeypatch.setattr(router, "INERT", INERT - {"png"})
    result = check(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
    assert "TST001" in rules(result)
    assert "PKL001" in errors(result)


# -- references ----------------------------------------------------------------------------------------------------


def index(*shards: str) -> str:
    return json.dumps({"metadata": {}, "weight_map": {f"w{n}": shard for n, shard in enumerate(shards)}})


@pytest.mark.parametrize("name", ["model.safetensors.index.json", "pytorch_model.bin.index.json", "x"])
@pytest.mark.parametrize(
    ("target", "rule", "outcome"),
    [
        ("part.safetensors", None, Outcome.PASS),
        ("./part.safetensors", None, Outcome.PASS),
        ("gone.safetensors", "SER006", Outcome.UNKNOWN),
        ("../../part.safetensors", "SER005", Outcome.FAIL),
        ("/etc/passwd", "SER005", Outcome.FAIL),
        ("C:\\windows\\x", "SER005", Outcome.FAIL),
        ("..\\..\\part.safetensors", "SER005", Outcome.FAIL),
        ("file:///etc/passwd", "SER005", Outcome.FAIL),
        ("https://example.org/part.safetensors", "SER007", Outcome.UNKNOWN),
    ],
)
def test_shards_that_an_index_names_are_looked_for(name: str, target: str, rule: str | None, outcome: Outcome) -> None:
    """An index names files of its own folder; others are missing, elsewhere or outside."""
    files = {f"sub/{name}": index("part.safetensors", target), "sub/part.safetensors": SAFETENSORS}
    files["part.safetensors"] = SAFETENSORS
    result = check(files)
    assert result.outcome is outcome
    assert rules(result) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        (Reference("b", Location("z!d/a")), None),
        (Reference("../e", Location("z!d/a")), None),
        (Reference("../../e", Location("z!d/a")), "SER005"),
        (Reference("~/e", Location("z!d/a")), "SER005"),
        (Reference("b", Location("z!d/a"), 5, 5), None),
        (Reference("b", Location("z!d/a"), 5, 6), "SER006"),
        (Reference("b", Location("z!d/a"), -1, 1), "SER006"),
        (Reference("b", Location("z!d/a"), 11), "SER006"),
        (Reference("s3://bucket/b", Location("z!d/a")), "SER007"),
    ],
)
def test_references_stay_within_their_archive(reference: Reference, rule: str | None) -> None:
    """A member may name others of its archive, inside of their bounds."""
    items = list(resolve(reference, Scope("z!", {"z!d/b": 10, "z!e": 3, "d/b": 99})))
    assert [item.rule for item in items if isinstance(item, Finding)] == ([rule] if rule else [])


# -- documents -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "model:\n  _target_: os.system\n  command: id\n",
        "- _target_: subprocess.Popen\n  args: [id]\n",
        '{"model": {"_target_": "builtins.eval"}}',
        "{_target_: os.system}\n",
        "x: !!python/object/apply:os.system [id]\n",
        "x: !<tag:yaml.org,2002:python/object/apply:os.system> [id]\n",
        "x: !!pyth%6fn/object/apply:os.system [id]\n",
        "%TAG !p! tag:yaml.org,2002:pyth\n---\nx: !p!on/object/apply:os.system [id]\n",
        "---\na: 1\n---\nx: !!python/object/apply:os.system [id]\n",
        '"_t\\x61rget_": os.system\n',
        "? _target_\n: os.system\n",
        "&a _target_: os.system\n",
    ],
)
def test_calls_in_configurations_are_found(text: str) -> None:
    """YAML and JSON that makes its loader call something is judged, in every encoding that loaders read."""
    assert check({"notes.txt": text}).outcome is Outcome.FAIL
    if not text.startswith("{"):
        assert check({"config.yaml": text.encode("utf-16")}).outcome is Outcome.FAIL


def test_ordinary_text_is_left_alone() -> None:
    """Documents, programs and plain configurations are not examined as configurations that call something."""
    texts = [
        "a: 1\nb: [x, y]\n",
        "# Use\n\nPut the `_target_` of your class into the file.\n",
        'config = {"_target_": "os.system"}\nprint(config)\n',
        "target: cpu\ncls: x\n",
        "key: !Ref other\nwhen: !important now\n",
    ]
    for text in texts:
        assert check({"x": text}).findings == [], text


def test_broken_configurations_with_calls_are_reported() -> None:
    """Text that names calls like a configuration, but cannot be followed, is a warning."""
    for text in ("a: 1\na: 2\nb:\n  _target_: os.system\n", "_target_: os.system\n#" + "x" * 1_000_000):
        result = check({"x": text})
        assert [(f.rule, f.level) for f in result.findings] == [("SER008", Level.WARNING)]
        assert result.outcome is Outcome.UNKNOWN
    manual = check({"x": "# Use\n```yaml\nmodel:\n  _target_: a.B\n```\n"})
    assert (rules(manual), manual.outcome) == ({"SER008"}, Outcome.PASS)


def test_names_in_configurations_are_no_errors() -> None:
    """A tag that only names a Python object, as manuals are built with, is a warning."""
    result = check({"mkdocs.yml": "x: !!python/name:material.extensions.emoji.twemoji\n"})
    assert [(f.rule, f.level) for f in result.findings] == [("NEM003", Level.WARNING)]
    assert result.outcome is Outcome.UNKNOWN


def test_models_in_documents_are_examined() -> None:
    """XGBoost's JSON, R's objects and PMML reach their examiners by content."""
    tree = {"left_children": [7, -1], "right_children": [1, -1]}
    model = {"learner": {"gradient_booster": {"model": {"trees": [tree]}}}}
    assert "UBJ001" in errors(check({"x": json.dumps(model)}))
    promise = r_writer.file(r_writer.vector(r_writer.promise(r_writer.call("system", r_writer.text("id")))), 3)
    assert "RDS001" in errors(check({"x": gzip.compress(promise)}))
    assert "RDS001" in errors(check({"x": gzip.compress(b"RDX3\n" + promise)})) or rules(check({"x": promise}))
    entity = '<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]><PMML>&x;</PMML>'
    assert "PMM001" in errors(check({"x": entity}))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"{", b"\x0a"]))
def test_any_bytes_get_an_answer(data: bytes, head: bytes) -> None:
    """Whatever the bytes, the check ends without an exception and says what it did."""
    result = check(head + data)
    assert result.outcome in set(Outcome)

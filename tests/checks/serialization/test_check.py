from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.check import SerializationCheck
from hallmarked.checks.serialization.registry import HANDLERS
from hallmarked.checks.serialization.router import REPEATS
from hallmarked.core.artifact import File
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement
from tests.support import DATA, MemoryArtifact, needs_data

EVIL = b"cos\nsystem\n(S'id'\ntR."


@dataclass
class Seen:
    """What a check yielded, sorted."""

    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def rules(self) -> set[str]:
        return {finding.rule for finding in self.findings}

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is Level.ERROR]


def sort(items: Iterable[Item]) -> Seen:
    seen = Seen()
    for item in items:
        if isinstance(item, Finding):
            seen.findings.append(item)
        elif isinstance(item, Gap):
            seen.gaps.append(item)
        elif item.metric == "file.verdict":
            seen.verdicts[item.slice["path"]] = item.value
        elif item.metric == "file.format":
            seen.formats[item.slice["path"]] = item.value
        elif item.metric.startswith("files."):
            seen.counts[item.metric.removeprefix("files.")] = int(item.value)
    return seen


def run(contents: dict[str, bytes | str]) -> Seen:
    return sort(SerializationCheck().run(MemoryArtifact(contents)))


def one(data: bytes, name: str = "f") -> Seen:
    return run({name: data})


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_documents_get_no_verdict() -> None:
    """Text, JSON and media are listed as inert; nothing is said about them."""
    seen = run({"README.md": "# Model\n", "config.json": '{"a": 1}', "labels.txt": "cat\ndog\n", "empty": b""})
    assert (seen.findings, seen.gaps, seen.verdicts) == ([], [], {})
    assert seen.counts == {"examined": 0, "inert": 4, "not-examined": 0}


def test_plain_pickles_are_proven() -> None:
    """A pickle of plain data is proven, whatever it is called."""
    for name in ("model.pkl", "README.md", "weights.safetensors"):
        seen = one(pickle.dumps({"a": [1, 2.0, "x"]}), name)
        assert (seen.verdicts, seen.formats, seen.gaps) == ({name: "proven"}, {name: "pickle"}, [])


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda data: data, id="bare"),
        pytest.param(lambda data: zipped({"x": data}), id="zip"),
        pytest.param(lambda data: zipped({"x": data}, zipfile.ZIP_DEFLATED), id="deflated"),
        pytest.param(lambda data: zipped({"m/data.pkl": b"N.", "m/data/0": data}), id="torch storage"),
        pytest.param(lambda data: zipped({"m/data.pkl": data}), id="torch object"),
        pytest.param(lambda data: zipped({"m/data.pkl": b"N.", "m/extra": data}), id="torch extra"),
        pytest.param(lambda data: zipped({"m/data.pkl": b"N.", "m/constants.pkl": data}), id="torchscript"),
        pytest.param(lambda data: zipped({"a.npy": data}), id="npz"),
        pytest.param(lambda data: zipped({"config.json": b"{}", "metadata.json": b"{}", "x": data}), id="keras"),
        pytest.param(lambda data: zipped({"schema.json": b"{}", "x": data}), id="skops"),
        pytest.param(lambda data: tarred({"model_config.yaml": b"a: 1\n", "x.ckpt": data}), id="nemo"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda data: gzip.compress(tarred({"a": gzip.compress(data)})), id="nested"),
        pytest.param(lambda data: b"#!/bin/sh\nexit\n" + zipped({"x": data}), id="program with archive"),
    ],
)
def test_a_harmful_pickle_is_found_wherever_it_is(wrap: Any) -> None:
    """Every member is routed by content, so no container and no name hides a call of a known dangerous function."""
    seen = one(wrap(EVIL))
    assert seen.errors
    assert seen.verdicts["f"] in {"unproven", "malformed"}


def test_renaming_changes_nothing() -> None:
    """The verdict depends on bytes, not on names."""
    for data in (EVIL, zipped({"x": EVIL}), pickle.dumps([1])):
        results = [one(data, name) for name in ("a.pkl", "a.txt", "a.bin")]
        assert len({tuple(seen.verdicts.values()) for seen in results}) == 1
        assert len({tuple(sorted(seen.rules)) for seen in results}) == 1


def test_a_container_is_as_bad_as_its_worst_member() -> None:
    """The verdict of an archive is the worst of what is inside."""
    assert one(zipped({"a": b"text", "b": pickle.dumps([1])})).verdicts["f"] == "proven"
    assert one(zipped({"a": pickle.dumps([1]), "b": EVIL})).verdicts["f"] == "unproven"
    assert one(zipped({"a": pickle.dumps([1]), "b": b"\x80\x04garbage"})).verdicts["f"] == "malformed"


def test_locations_name_the_member() -> None:
    """A finding says in which member of which archive it is."""
    seen = one(gzip.compress(zipped({"folder/x": EVIL})), "a.gz")
    assert {finding.location.path for finding in seen.errors if finding.location} == {"a.gz!content!folder/x"}


def test_unknown_bytes_are_said_to_be_unknown() -> None:
    """A file of no known kind is noted; when nothing could be examined, that is a gap."""
    junk = b"\x00\x01\x02\x03" * 9
    seen = one(junk)
    assert (seen.rules, seen.verdicts, seen.counts["not-examined"]) == ({"SER003"}, {"f": "not-examined"}, 1)
    assert seen.gaps
    assert not run({"f": junk, "g": pickle.dumps([1])}).gaps


def test_formats_without_reader_are_a_gap() -> None:
    """A format that is recognised but not read here leaves its file unexamined, visibly."""
    assert "rar" not in HANDLERS
    seen = run({"f": b"Rar!\x1a\x07\x01\x00" + bytes(20), "g": pickle.dumps([1])})
    assert seen.verdicts["f"] == "not-examined"
    assert any("rar" in gap.reason for gap in seen.gaps)


def test_broken_files_are_malformed_and_others_still_examined() -> None:
    """A file that cannot be followed is malformed; the next one is examined all the same."""
    seen = run({"a": b"\x80\x04garbage", "b": pickle.dumps([1])})
    assert seen.verdicts == {"a": "malformed", "b": "proven"}
    assert "SER001" in seen.rules
    assert not seen.errors


def test_polyglots_are_malformed_with_both_names() -> None:
    """A file that two readers accept is examined as both, and malformed."""
    seen = one(EVIL + zipped({"x": pickle.dumps([1])}))
    (finding,) = [finding for finding in seen.findings if finding.rule == "SER002"]
    assert "pickle" in finding.message
    assert "zip" in finding.message
    assert seen.verdicts["f"] == "malformed"
    assert seen.errors


def test_a_zip_at_the_end_of_a_tar_is_no_contradiction() -> None:
    """A tar archive whose last member is a zip archive can be read as either; nothing is hidden by that."""
    seen = one(tarred({"a": b"text", "b.zip": zipped({"x": b"text"})}))
    assert "SER002" not in seen.rules


def test_nesting_is_limited() -> None:
    """Containers within containers are followed to a limit, and what lies deeper is not called clean."""
    data = EVIL
    for _ in range(7):
        data = zipped({"x": data})
    seen = one(data)
    assert "SER004" in seen.rules
    assert seen.verdicts["f"] == "malformed"


@pytest.mark.slow
def test_bombs_are_stopped() -> None:
    """Nested compression that unfolds to more than its size allows is malformed, in bounded time."""
    layer = gzip.compress(bytes(64 << 20))
    for _ in range(2):
        layer = zipped({str(n): layer for n in range(6)}, zipfile.ZIP_DEFLATED)
    seen = one(layer)
    assert "SER004" in seen.rules
    assert seen.verdicts["f"] == "malformed"


def test_an_archive_that_contains_itself_ends() -> None:
    """The reading of an archive that unfolds to ever more archives ends at the limits."""
    data = zipped({"a": b"x"})
    for _ in range(12):
        data = zipped({"a": data, "b": data}, zipfile.ZIP_DEFLATED)
    assert one(data).verdicts["f"] == "malformed"


def test_repeated_findings_are_counted() -> None:
    """A file full of the same problem does not drown the report."""
    seen = one(zipped({f"../{n}": b"x" for n in range(100)}))
    assert sum(finding.rule == "ZIP005" for finding in seen.findings) == REPEATS + 1
    assert any("more findings" in finding.message for finding in seen.findings)


def test_a_packed_artifact_is_examined_as_the_archive() -> None:
    """When the artifact is an archive, the archive itself is examined, so that its tricks are seen."""
    data = zipped({"model.pkl": EVIL, "../x": b"text"})
    artifact = MemoryArtifact({"model.pkl": EVIL, "outer.zip": data})
    artifact.container = File("outer.zip", len(data))
    seen = sort(SerializationCheck().run(artifact))
    assert {"ZIP005", "PKL001"} <= seen.rules
    assert all(path.startswith("outer.zip") for path in seen.verdicts)


# -- references ----------------------------------------------------------------------------------------------------


def index(target: str) -> str:
    return json.dumps({"metadata": {}, "weight_map": {"w": target}})


SHARD = (33).to_bytes(8, "little") + b'{"__metadata__":{"format":"pt"}}' + b" "


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("shard.safetensors", None),
        ("./shard.safetensors", None),
        ("../other/shard.safetensors", None),
        ("missing.safetensors", "SER006"),
        ("../../shard.safetensors", "SER005"),
        ("/etc/passwd", "SER005"),
        ("C:\\Windows\\x", "SER005"),
        ("..\\..\\x", "SER005"),
        ("file:///etc/passwd", "SER005"),
        ("https://example.org/x", "SER007"),
    ],
)
def test_references_are_resolved(target: str, rule: str | None) -> None:
    """A name of another file must stay inside of the artifact and lead to a file."""
    seen = run({"m/index.json": index(target), "m/shard.safetensors": SHARD, "other/shard.safetensors": SHARD})
    assert seen.rules & {"SER005", "SER006", "SER007"} == ({rule} if rule else set())
    assert bool(seen.gaps or seen.errors) == bool(rule)


def test_references_inside_an_archive_mean_its_members() -> None:
    """Within an archive, names are resolved among its members."""
    assert "SER006" not in one(zipped({"m/i.json": index("s").encode(), "m/s": SHARD})).rules
    assert "SER006" in one(zipped({"m/i.json": index("s").encode(), "s": SHARD})).rules
    assert "SER005" in one(zipped({"m/i.json": index("../../s").encode(), "s": SHARD})).rules


def test_reads_beyond_the_end_are_reported() -> None:
    """External data of an ONNX model must lie within its file."""
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", dims=[100], data_type=1, data_location=1)
    for key, value in {"location": "w.bin", "offset": "0", "length": "400"}.items():
        tensor.external_data.add(key=key, value=value)
    model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [tensor])).SerializeToString()
    assert "SER006" not in run({"m.onnx": model, "w.bin": bytes(400)}).rules
    assert "SER006" in run({"m.onnx": model, "w.bin": bytes(399)}).rules


# -- everything ----------------------------------------------------------------------------------------------------


def test_every_finding_cites_a_declared_rule() -> None:
    """Rules have unique ids, and each is declared by the check."""
    ids = [rule.id for rule in SerializationCheck.rules]
    assert len(ids) == len(set(ids))
    assert all(rule.title and rule.help for rule in SerializationCheck.rules)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [
            EVIL,
            zipped({"m/data.pkl": EVIL, "m/data/0": bytes(64), "m/version": b"3\n"}),
            zipped({"a": pickle.dumps([1])}, zipfile.ZIP_DEFLATED),
            tarred({"model_config.yaml": b"a: 1\n", "w": EVIL}),
            gzip.compress(EVIL),
        ]
    ),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.integers(0, 10_000),
)
def test_damage_never_raises(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    """Whatever is done to a file, the check gets to its end."""
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    for variant in (bytes(changed), bytes(changed[: cut % len(changed)])):
        ids = {rule.id for rule in SerializationCheck.rules}
        assert one(variant).rules <= ids


def test_truncation_never_makes_a_file_proven() -> None:
    """Whatever is cut off a torch file, it is not proven any more."""
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(20.0)}, buffer)
    data = buffer.getvalue()
    assert one(data).verdicts["f"] == "proven"
    for size in range(0, len(data), 13):
        assert one(data[:size]).verdicts.get("f") not in {"proven", None} or size == 0


def test_appending_never_makes_a_verdict_better() -> None:
    """Bytes behind a file never turn a worse verdict into a better one."""
    rank = {"proven": 0, "not-examined": 1, "unproven": 1, "malformed": 2}
    for data in (zipped({"a": EVIL}), tarred({"a": EVIL}), gzip.compress(EVIL), EVIL):
        before = rank[one(data).verdicts["f"]]
        for tail in (b"x", b"\0" * 600, zipped({"b": b"text"}), b"N."):
            assert rank[one(data + tail).verdicts["f"]] >= before


@needs_data
def test_development_corpus() -> None:
    """No malicious file of the corpus passes, and no benign one is graded an error."""
    root = DATA / "model-files"
    rows = json.loads((root / "labels.json").read_text())["files"]
    assert len(rows) > 90
    for row in rows:
        seen = one((root / row["path"]).read_bytes(), row["path"].rsplit("/", 1)[-1])
        if row["label"] == "malicious":
            assert seen.errors, row["path"]
        elif row["label"] == "benign":
            assert not seen.errors, row["path"]
            assert not seen.gaps or "encrypted" in seen.gaps[0].reason, row["path"]
        elif row["label"] == "junk":
            assert seen.gaps, row["path"]


def test_many_small_files_are_cheap() -> None:
    """Thousands of small files are listed without a word about each."""
    seen = run({f"{n}.txt": f"{n}\n" for n in range(2000)})
    assert seen.counts["inert"] == 2000
    assert not seen.findings


def test_metrics_are_named() -> None:
    """Formats and verdicts are measurements of the file they speak about."""
    items = list(SerializationCheck().run(MemoryArtifact({"m": pickle.dumps([1])})))
    metrics = {(item.metric, item.slice.get("path")) for item in items if isinstance(item, Measurement)}
    assert {("file.format", "m"), ("file.verdict", "m"), ("files.examined", None)} <= metrics

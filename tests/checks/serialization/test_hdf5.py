"""Examining HDF5 files."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hallmarked.checks.serialization.contract import FileVerdict, Seen
from hallmarked.checks.serialization.hdf5 import examine_hdf5
from hallmarked.core.evidence import Finding, Level
from tests.checks.serialization.examining import blobs, examine, references, rules, verdict
from tests.support import DATA, needs_data

h5py = pytest.importorskip("h5py")


def written(fill: Callable[[Any], None], **options: Any) -> list[Seen]:
    """Write a file with h5py and examine it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        fill(file)
    return examine(examine_hdf5, stream.getvalue())


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_plain_arrays_are_proven(version: str) -> None:
    """Weights with usual compression and soft links need no word."""

    def fill(file: Any) -> None:
        for i in range(20):
            file.create_dataset(f"layer/{i}", data=np.ones((50, 50)), compression="gzip", chunks=(10, 10))
        file["alias"] = h5py.SoftLink("/layer/0")
        file.attrs["note"] = "Weights of a model, written in 2024. Version 1."

    assert written(fill, libver=version) == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../up.h5", "C:\\x.h5", "https://example.org/x.h5", "a/../../b"])
def test_reading_outside_of_the_folder_is_an_error(target: str) -> None:
    """External links, external storage and virtual sources that leave the folder are errors."""

    def link(file: Any) -> None:
        file["x"] = h5py.ExternalLink(target, "/")

    def storage(file: Any) -> None:
        file.create_dataset("x", shape=(4,), dtype="u1", external=[(target, 0, 4)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout(shape=(4,), dtype="u1")
        layout[:] = h5py.VirtualSource(target, "x", shape=(4,))
        file.create_virtual_dataset("x", layout)

    for fill in (link, storage, virtual):
        seen = written(fill)
        assert rules(seen) == ["HDF001"], fill
        assert references(seen) == []


def test_files_beside_are_named_to_the_router() -> None:
    """Data in a neighbouring file is a warning and a reference."""

    def fill(file: Any) -> None:
        file["x"] = h5py.ExternalLink("part/b.h5", "/")

    seen = written(fill)
    assert (rules(seen), references(seen)) == (["HDF002"], ["part/b.h5"])


def test_unknown_filters_leave_a_gap() -> None:
    """An array behind a filter outside of the list cannot be vouched for."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("x", data=np.zeros(1000), chunks=(100,), compression="lzf")
    name = stream.getvalue().replace(
        (32000).to_bytes(2, "little") + b"\x08\x00", (777).to_bytes(2, "little") + b"\x08\x00"
    )
    seen = examine(examine_hdf5, name)
    assert rules(seen) == ["HDF003"]
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_arrays_that_unfold_are_reported() -> None:
    """A huge array of nothing is a warning, with a gap."""

    def fill(file: Any) -> None:
        file.create_dataset("x", shape=(1 << 20, 1 << 20), dtype="f8", chunks=(1024, 1024), compression="gzip")

    seen = written(fill)
    assert rules(seen) == ["HDF004"]
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_pickles_in_attributes_are_handed_on() -> None:
    """What PyTables would unpickle is routed as a blob, and ordinary text is not."""
    value = pickle.dumps({"a": [1, 2]}, protocol=0)

    def fill(file: Any) -> None:
        file.create_group("g").attrs["info"] = np.bytes_(value)
        file.attrs["TITLE"] = np.bytes_(b"(A title) with a full stop.")
        file.attrs["VERSION"] = np.bytes_(b"2.1.")

    assert blobs(written(fill)) == {"file!/g@info": value}


@pytest.mark.parametrize("layout", ["contiguous", "compact", "string", "user block"])
def test_pickles_in_arrays_are_handed_on(layout: str) -> None:
    """A pickle stored as an array of bytes or as text is routed, wherever the data lies in the file."""
    value = pickle.dumps({"a": list(range(9))}, protocol=4)

    def fill(file: Any) -> None:
        if layout == "string":
            file.create_dataset("g/x", data=np.void(value))
        elif layout == "compact":
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_layout(h5py.h5d.COMPACT)
            space = h5py.h5s.create_simple((len(value),))
            group = file.create_group("g")
            data = h5py.h5d.create(group.id, b"x", h5py.h5t.NATIVE_UINT8, space, creation)
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.frombuffer(value, "u1"))
        else:
            file.create_dataset("g/x", data=np.frombuffer(value, "u1"))
        file.create_dataset("weights", data=np.zeros(100, "u1"))

    options = {"userblock_size": 512} if layout == "user block" else {}
    assert blobs(written(fill, **options)) == {"file!/g/x": value}


def test_objects_of_pytables_leave_a_gap() -> None:
    """Arrays of pickled rows are reported, since their data is not read."""

    def fill(file: Any) -> None:
        file.create_dataset("x", data=[1]).attrs["PSEUDOATOM"] = np.bytes_("object")

    assert rules(written(fill)) == ["HDF005"]


def test_keras_configurations_are_judged_wherever_they_are() -> None:
    """A configuration is found by what it is, in any attribute, as fixed or variable text."""
    config = json.dumps(
        {"class_name": "Lambda", "config": {"function": ["4wEA", None, None], "function_type": "lambda"}}
    )

    def fixed(file: Any) -> None:
        file.create_group("any").attrs["thing"] = config.encode()

    def variable(file: Any) -> None:
        file.attrs["model_config"] = config

    assert rules(written(fixed)) == rules(written(variable)) == ["KRS001"]


@needs_data
def test_development_corpus() -> None:
    """The suspicious sample is reported without an error, the benign one is proven."""
    folder = DATA / "model-files" / "modelaudit-keras"
    seen = examine(examine_hdf5, (folder / "malicious_lambda.h5").read_bytes())
    assert rules(seen) == ["KRS002"]
    assert verdict(seen) == FileVerdict.UNPROVEN
    assert not [item for item in seen if isinstance(item, Finding) and item.level == Level.ERROR]
    assert examine(examine_hdf5, (folder / "safe_model.h5").read_bytes()) == []

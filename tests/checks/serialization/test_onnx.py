"""The ONNX examiner."""

from pathlib import Path

import pytest

from hallmarked.checks.serialization.contract import Reference
from hallmarked.checks.serialization.onnx import examine_onnx
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.onnx import is_onnx

onnx = pytest.importorskip("onnx")

from tests.formats.test_onnx import external, model, weight  # noqa: E402 -- needs the library above


def examine(made):
    data = made.SerializeToString()
    return list(examine_onnx(Blob.of_bytes("m.onnx", data), Budget(len(data))))


def rules(items):
    return {i.rule for i in items if isinstance(i, Finding)}


def gaps(items):
    return [i for i in items if isinstance(i, Gap)]


def node(operator, domain="", **attributes):
    return onnx.helper.make_node(operator, ["x"], ["y"], domain=domain, **attributes)


def test_standard_models_are_proven():
    """Standard operators, in both spellings of the default domain, and the model's own functions need no finding."""
    function = onnx.helper.make_function("own", "F", ["x"], ["y"], [node("Relu")], [])
    nodes = [node("Relu"), node("Relu", "ai.onnx"), node("LinearRegressor", "ai.onnx.ml"), node("F", "own")]
    items = examine(model([*nodes, node("Gelu", "com.microsoft")], [weight()], functions=[function]))
    assert not rules(items)
    assert not gaps(items)


@pytest.mark.parametrize(("operator", "domain"), [("Evil", "my.ops"), ("Evil", ""), ("F", "other"), ("Relu", "my.ops")])
def test_operators_from_elsewhere_are_a_gap(operator, domain):
    """An operator that is neither standard nor defined in the model is a warning and cannot be vouched for."""
    items = examine(model([node(operator, domain)]))
    assert rules(items) == {"ONX002"}
    assert gaps(items)


def test_python_operators_are_a_gap():
    """Operators that call Python are reported, in any domain and inside branches."""
    branch = onnx.helper.make_graph([node("PythonOp", "com.microsoft")], "b", [], [])
    items = examine(model([onnx.helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)]))
    assert rules(items) == {"ONX003"}
    assert gaps(items)


def test_external_files_are_referenced_with_their_range():
    """Each file is named once, with the furthest byte that is read."""
    tensors = [external("../../x", offset="0"), external("w.bin", offset="4096"), external("w.bin")]
    found = {i.target: (i.offset, i.length) for i in examine(model([], tensors)) if isinstance(i, Reference)}
    assert found == {"../../x": (0, 8), "w.bin": (0, 4104)}


def test_memory_addresses_are_hostile():
    """A location that stands for the reader's own memory is an error."""
    items = examine(model([], [external("*/_ORT_MEM_ADDR_/*", offset="140000000")]))
    assert [i.level for i in items if isinstance(i, Finding)] == [Level.ERROR]


def test_compiled_programs_are_named():
    """A compiled program in a file is a reference and a gap; one inside is a gap."""
    items = examine(model([node("EPContext", "com.microsoft", embed_mode=0, ep_cache_context="../engine.bin")]))
    assert [i.target for i in items if isinstance(i, Reference)] == ["../engine.bin"]
    assert gaps(items)
    assert gaps(examine(model([node("EPContext", "com.microsoft", embed_mode=1, ep_cache_context=b"\0\1")])))


def test_payload_text_is_a_warning():
    """Code in properties and descriptions is reported."""
    made = model()
    made.metadata_props.add(key="hook", value="import os; os.system('x')")
    made.graph.doc_string = "<script>"
    found = [i for i in examine(made) if isinstance(i, Finding)]
    assert {i.rule for i in found} == {"ONX004"}
    assert {i.level for i in found} == {Level.WARNING}


LIBRARY = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data").rglob("*.onnx"))


@pytest.mark.skipif(not LIBRARY, reason="this build of the library ships no models")
def test_models_of_the_library_are_proven():
    """Models that come with the ONNX library, written by many exporters, give neither finding nor gap."""
    for path in LIBRARY:
        blob = Blob.of_bytes(path.name, path.read_bytes())
        assert is_onnx(blob), path
        assert not [i for i in examine_onnx(blob, Budget(blob.size)) if isinstance(i, Finding | Gap)], path

"""The examiner of TensorFlow graphs."""

from pathlib import Path

import pytest

from hallmarked.checks.serialization.contract import Reference
from hallmarked.checks.serialization.savedmodel import examine_savedmodel, known_operations
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget
from tests.formats.test_savedmodel import KERAS, VALID
from tests.formats.wire import function, graph, node, part, saved_model, text_constant
from tests.support import DATA, needs_data

ASSETS = Path(__file__).parents[2] / "assets" / "tensorflow"


def examine(data: bytes):
    return list(examine_savedmodel(Blob.of_bytes("saved_model.pb", data), Budget(len(data))))


def rules(items):
    return {i.rule for i in items if isinstance(i, Finding)}


def gaps(items):
    return [i for i in items if isinstance(i, Gap)]


def wrapped(*nodes: bytes):
    """The same nodes in a graph, a function and a frozen graph."""
    first = node("first", "NoOp")
    return [
        saved_model(graph(first, *nodes)),
        saved_model(graph(first, functions=(function("f", *nodes),))),
        graph(first, *nodes),
    ]


def test_ordinary_graphs_are_proven():
    """Arithmetic, variables, lookups from assets, checkpoints and own functions give no finding."""
    ops = [
        "Const",
        "VarHandleOp",
        "MatMul",
        "InitializeTableFromTextFileV2",
        "SaveV2",
        "RestoreV2",
        "MergeV2Checkpoints",
    ]
    nodes = [node(f"n{i}", op, "saver_filename") for i, op in enumerate(ops)]
    call = node("call", "StatefulPartitionedCall", f=part(10, part(1, "f")))
    items = examine(saved_model(graph(*nodes, call, functions=(function("f", node("x", "Relu")),))))
    assert not rules(items)
    assert not gaps(items)


@pytest.mark.parametrize(
    ("op", "rule", "level"),
    [
        ("PyFunc", "TFS001", Level.WARNING),
        ("EagerPyFunc", "TFS001", Level.WARNING),
        ("WriteFile", "TFS002", Level.ERROR),
        ("ReadFile", "TFS003", Level.WARNING),
        ("MatchingFiles", "TFS003", Level.WARNING),
        ("TFRecordDatasetV2", "TFS003", Level.WARNING),
        ("DataServiceDatasetV4", "TFS004", Level.WARNING),
        ("Addons>Rotate", "TFS005", Level.WARNING),
    ],
)
def test_what_an_operation_reaches(op, rule, level):
    """An operation that reaches out is reported wherever it is, and the file is not proven."""
    for data in wrapped(node("x", op)):
        items = examine(data)
        assert [(i.rule, i.level) for i in items if isinstance(i, Finding)] == [(rule, level)]
        assert gaps(items)


def test_an_operation_used_as_a_function_is_seen():
    """Naming an operation where a function is expected does not hide it."""
    items = examine(graph(node("a", "MapDataset", f=part(10, part(1, "ReadFile")))))
    assert rules(items) == {"TFS003"}


def test_a_function_does_not_hide_an_operation():
    """A function called like a dangerous operation changes nothing."""
    items = examine(graph(node("a", "ReadFile"), functions=(function("ReadFile", node("b", "NoOp")),)))
    assert rules(items) == {"TFS003"}


def test_own_functions_are_not_foreign():
    """A node whose operation is a function of the file is known."""
    assert not rules(examine(graph(node("a", "mine"), functions=(function("mine", node("b", "NoOp")),))))


@pytest.mark.parametrize("op", ["SaveV2", "RestoreV2", "CacheDataset"])
def test_a_constant_path_out_of_the_folder_is_seen(op):
    """Even an ordinary file operation is reported when its path is a constant that leaves."""
    for data in wrapped(text_constant("p", "/home/x/.profile"), node("s", op, "p:output:0")):
        items = examine(data)
        assert rules(items) == {"TFS006"}
        assert gaps(items)
    for data in wrapped(text_constant("p", "model"), node("s", op, "p")):
        assert not rules(examine(data))


def test_printing_into_files_and_servers_is_seen():
    """Targets of printing and debugging operations are read from their attributes."""
    assert rules(examine(graph(node("p", "PrintV2", output_stream=part(2, "file:///x"))))) == {"TFS006"}
    assert rules(examine(graph(node("p", "DebugIdentityV2", debug_urls=part(1, part(2, "grpc://h:1")))))) == {"TFS004"}
    assert not rules(examine(graph(node("p", "PrintV2", output_stream=part(2, "stderr")))))


def test_programs_within_the_program_are_a_gap():
    """A module in another language is not read, and that is said."""
    items = examine(graph(node("m", "XlaCallModule")))
    assert not rules(items)
    assert len(gaps(items)) == 1


def test_assets_and_objects_are_handed_on():
    """Assets become references below the assets folder; descriptions of objects become documents."""
    items = examine(VALID)
    assert [i.target for i in items if isinstance(i, Reference)] == ["assets/vocab.txt"]
    assert [i.head() for i in items if isinstance(i, Blob)] == [b'{"class_name": "Lambda"}']
    assert [i.head() for i in examine(KERAS) if isinstance(i, Blob)] == [b'{"x": 1}']


def test_the_list_of_operations_has_each_class():
    """The data file is read whole and its classes are the ones the examiner acts on."""
    known = known_operations()
    assert len(known) > 1500
    assert set(known.values()) == {"", "python", "write", "open", "network", "checkpoint", "print", "opaque"}


@needs_data
def test_development_corpus():
    """The sample with a Python operation is reported, the one without is not."""
    folder = DATA / "model-files" / "modelaudit-tensorflow"
    assert rules(examine((folder / "malicious_pyfunc" / "saved_model.pb").read_bytes())) == {"TFS001"}
    benign = examine((folder / "safe_savedmodel" / "saved_model.pb").read_bytes())
    assert not rules(benign)
    assert not gaps(benign)


@pytest.mark.parametrize("name", ["linear.pb", "frozen.pb"])
def test_real_models_are_proven(name):
    """What TensorFlow writes for an ordinary model gives neither finding nor gap."""
    items = examine((ASSETS / name).read_bytes())
    assert not rules(items)
    assert not gaps(items)


def test_real_models_that_reach_out_are_seen():
    """Files, printing and Python are found where TensorFlow puts them, inside of functions."""
    assert rules(examine((ASSETS / "python.pb").read_bytes())) == {"TFS001"}
    items = examine((ASSETS / "files.pb").read_bytes())
    assert rules(items) == {"TFS002", "TFS003", "TFS006"}
    paths = {i.data["path"] for i in items if isinstance(i, Finding) and i.rule == "TFS006"}
    assert paths == {"/nowhere/written", "file:///nowhere/printed", "/nowhere/read"}

"""The examiners of TensorFlow Lite and ExecuTorch programs."""

import pytest

from hallmarked.checks.serialization.flatbuffer import examine_executorch, examine_tflite
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget
from tests.formats.test_executorch import program
from tests.formats.test_tflite import REAL, model

EXECUTORCH = REAL.parent / "executorch"


def examine(examiner, data: bytes):
    items = list(examiner(Blob.of_bytes("m", data), Budget(len(data))))
    findings = [i for i in items if isinstance(i, Finding)]
    assert all(i.level is not Level.ERROR for i in findings)
    return [i.rule for i in findings], [i for i in items if isinstance(i, Gap)]


@pytest.mark.parametrize("name", ["linear.tflite", "flex.tflite"])
def test_converted_models_are_proven(name):
    """Built-in operators and harmless ones of TensorFlow give no finding."""
    assert examine(examine_tflite, (REAL / name).read_bytes()) == ([], [])


@pytest.mark.parametrize(
    ("name", "rule"), [("Mine", "EXT001"), ("FlexMine", "EXT001"), ("FlexReadFile", "EXT002"), ("FlexPyFunc", "EXT002")]
)
def test_other_operators_are_a_gap(name, rule):
    """Operators from elsewhere, and TensorFlow's that reach out, cannot be vouched for."""
    rules, gaps = examine(examine_tflite, model(codes=[{0: (1, 32), 1: name}]))
    assert rules == [rule]
    assert gaps


def test_operators_of_the_runtime_are_known():
    """An operator found by name that comes with the runtime is fine."""
    assert examine(examine_tflite, model(codes=[{0: (1, 32), 1: "TFLite_Detection_PostProcess"}])) == ([], [])


def test_payload_text_is_a_warning():
    """Code in the description is reported."""
    assert examine(examine_tflite, model(codes=[{}], root={3: "import os; os.system('x')"}))[0]


def test_delegates_are_a_gap():
    """Programs for a backend are named and not vouched for."""
    rules, gaps = examine(examine_executorch, program())
    assert rules == ["EXT003"]
    assert len(gaps) == 1


def test_a_portable_program_is_proven():
    """A program of the runtime's own operators gives no finding."""
    assert examine(examine_executorch, program({7: []}, instructions=[])) == ([], [])


def test_operators_from_elsewhere_are_a_gap():
    """An operator of another namespace is a warning and a gap."""
    rules, gaps = examine(examine_executorch, program({6: [{0: "mine::op"}], 7: []}, instructions=[]))
    assert rules == ["EXT001"]
    assert gaps


def test_data_in_another_file_is_a_gap():
    """Tensors that the caller supplies are not in the file."""
    tensor = {0: (1, 5), 1: {9: {1: "w", 2: (1, 1)}}}
    rules, gaps = examine(examine_executorch, program({2: [tensor], 7: []}, instructions=[]))
    assert rules == []
    assert gaps


def test_real_programs():
    """What ExecuTorch writes is read; with a backend's program inside it is a gap."""
    assert examine(examine_executorch, (EXECUTORCH / "linear.pte").read_bytes()) == ([], [])
    rules, gaps = examine(examine_executorch, (EXECUTORCH / "delegated.pte").read_bytes())
    assert rules == ["EXT003"]
    assert len(gaps) == 1

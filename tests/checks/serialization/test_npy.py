"""The examiner of NumPy files."""

import numpy as np
import pytest

from hallmarked.checks.serialization.contract import Known
from hallmarked.checks.serialization.npy import examine_npy
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Level
from hallmarked.formats.blob import Blob, Budget
from tests.formats.test_npy import save


def examine(data: bytes):
    return list(examine_npy(Blob.of_bytes("a.npy", data), Budget(len(data))))


def test_plain_arrays_are_proven():
    """An array that fills its file gives no finding and contains nothing."""
    assert not [i for i in examine(save(np.ones(3))) if isinstance(i, Finding | Blob)]


def test_the_pickle_of_objects_is_handed_on():
    """Everything after the header of an object array goes on as a pickle."""
    items = examine(save(np.array([{}], "O")))
    assert [i.level for i in items if isinstance(i, Finding)] == [Level.NOTE]
    [known] = [i for i in items if isinstance(i, Known)]
    inner = known.blob
    assert known.format == "pickle"
    assert inner.path == "a.npy!pickle"
    assert inner.head(2) == b"\x80\x04" or inner.head(1) == b"\x80"
    assert inner.tail(1) == b"."


def test_bytes_after_the_array_are_handed_on():
    """What follows is reported and looked at."""
    items = examine(save(np.ones(3)) + b"cos\nsystem\n")
    assert [i.rule for i in items if isinstance(i, Finding)] == ["NPY002"]
    assert [i.head() for i in items if isinstance(i, Blob)] == [b"cos\nsystem\n"]


def test_several_arrays_in_one_file_are_ordinary():
    """A second array is handed on without a finding."""
    items = examine(save(np.ones(3)) + save(np.zeros(2)))
    assert not [i for i in items if isinstance(i, Finding)]
    assert [i.head(6) for i in items if isinstance(i, Blob)] == [b"\x93NUMPY"]


def test_damage_is_a_format_error():
    """A file that is too short cannot be vouched for."""
    with pytest.raises(FormatError):
        examine(save(np.ones(3))[:-1])

from __future__ import annotations

import contextlib
import io
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization import torch as archives
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Gap
from hallmarked.formats.blob import Blob, Budget
from tests.checks.serialization.test_check import EVIL, Seen, one, tarred, zipped

torch = pytest.importorskip("torch")


def saved(obj: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


def scripted(module: Any) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def rewrite(data: bytes, changes: dict[str, bytes]) -> bytes:
    """Return an archive with members replaced or added, by the end of their name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = archive.namelist()[0].split("/", 1)[0]
        members = {name: archive.read(name) for name in archive.namelist()}
    return zipped(members | {f"{root}/{name}": content for name, content in changes.items()})


STATE = {"w": torch.arange(100.0), "b": torch.zeros(3, dtype=torch.bfloat16), "i": torch.ones(2, 2, dtype=torch.int8)}


class Net(torch.nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.stack = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.GELU())
        self.heads = torch.nn.ModuleDict({"a": torch.nn.Linear(36, 3)})

    def forward(self, x: torch.Tensor, repeat: int = 2) -> dict[str, torch.Tensor]:
        out: dict[str, torch.Tensor] = {}
        for n in range(repeat):
            out[str(n)] = self.heads["a"](torch.flatten(self.stack(x), 1))
        assert len(out) > 0, "nothing"
        return out


class Reader(torch.nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, "copy")
        return torch.from_file("secret", False, 10)


def test_state_dicts_are_proven() -> None:
    """What torch.save writes for tensors is proven, members and all."""
    seen = one(saved(STATE))
    assert seen.verdicts["f"] == "proven"
    assert (seen.findings, seen.gaps) == ([], [])


def test_legacy_files_are_proven() -> None:
    """The layout before 2020 is followed to its end."""
    seen = one(saved(STATE, _use_new_zipfile_serialization=False))
    assert (seen.verdicts["f"], seen.gaps) == ("proven", [])


def test_unexpected_members_are_noted_and_examined() -> None:
    """A member that PyTorch does not write is noted, and looked at like any other file."""
    seen = one(rewrite(saved(STATE), {"notes.txt": b"text", "hook": EVIL}))
    assert sum(finding.rule == "TOR003" for finding in seen.findings) == 2
    assert seen.errors


@pytest.mark.parametrize("content", [EVIL + bytes(400), pickle.dumps(print), zipped({"x": EVIL})])
def test_files_among_the_numbers_are_found(content: bytes) -> None:
    """What should be raw numbers of a tensor but is a file is not passed over."""
    seen = one(rewrite(saved(STATE), {"data/0": content}))
    assert seen.verdicts["f"] != "proven"
    assert any("raw numbers" in gap.reason for gap in seen.gaps)


def test_short_storages_are_refused() -> None:
    """A tensor that is larger than its storage is memory corruption in the loader."""
    seen = one(rewrite(saved({"w": torch.arange(100.0)}), {"data/0": bytes(8)}))
    assert seen.verdicts["f"] != "proven"


# -- TorchScript ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scripts() -> dict[str, bytes]:
    net = Net().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch announces the end of TorchScript
        return {
            "scripted": scripted(torch.jit.script(net)),
            "traced": scripted(torch.jit.trace(net.stack, torch.zeros(1, 1, 8, 8))),
            "frozen": scripted(torch.jit.freeze(torch.jit.script(net.stack))),
            "reader": scripted(torch.jit.script(Reader())),
        }


@pytest.mark.parametrize("name", ["scripted", "traced", "frozen"])
def test_ordinary_programs_are_proven(scripts: dict[str, bytes], name: str) -> None:
    """A program that only computes on tensors is proven, whichever way it was made."""
    seen = one(scripts[name])
    assert (seen.verdicts["f"], seen.gaps) == ("proven", [])


def test_programs_that_touch_files_are_reported(scripts: dict[str, bytes]) -> None:
    """Reading and writing files is named, and the program is not proven."""
    seen = one(scripts["reader"])
    assert {finding.data["operator"] for finding in seen.findings if finding.rule == "TOR001"} == {
        "aten::from_file",
        "aten::save",
    }
    assert seen.verdicts["f"] == "unproven"


def test_python_objects_in_a_program_are_found(scripts: dict[str, bytes]) -> None:
    """A pickle of a TorchScript archive that names Python objects is examined as an ordinary pickle."""
    for member in ("data.pkl", "constants.pkl", "code/x.debug_pkl", "extra/files"):
        assert one(rewrite(scripts["traced"], {member: EVIL})).errors, member


def test_cut_programs_are_malformed(scripts: dict[str, bytes]) -> None:
    """Code that cannot be parsed is not proven."""
    seen = one(rewrite(scripts["traced"], {"code/__torch__.py": b"def forward(self:\n"}))
    assert seen.verdicts["f"] == "malformed"


def operators(source: str | bytes) -> set[str]:
    data = source.encode() if isinstance(source, str) else source
    return set(archives.script_operators(Blob.of_bytes("x.py", data), Budget(len(data))))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = torch.add(a, b, alpha=1)", {"aten::add"}),
        ("x = ops.prim.NumToTensor(y)", {"prim::NumToTensor"}),
        ("x = ops.mine.run(y)", {"mine::run"}),
        ("f = ops.mine.run\nf(y)", {"mine::run"}),
        ("_0 = __torch__.torch.nn.functional.relu\nx = _0(y, )", set()),
        ("x = (self.linear).forward(y, )", set()),
        ("x = annotate(List[int], [1, 2])\ny = len(x)", set()),
        ("x = eval('1')", {"::eval"}),
        ("def f(self: __torch__.torch.classes.mine.Thing) -> int:\n  return 1", {"classes::mine.Thing"}),
        ("x = __torch__.torch.classes.quantized.LinearPackedParamsBase(y)", set()),
        ("with torch.from_file('x'):\n  pass", {"aten::from_file"}),
    ],
)
def test_operators_are_listed(source: str, names: set[str]) -> None:
    """Every operator, unknown function and foreign compiled class is named, wherever it is used."""
    assert operators(source) == names


def test_custom_operators_are_reported() -> None:
    """Operators of other libraries are not vouched for."""
    items = list(archives.examine_script(Blob.of_bytes("x.py", b"y = ops.mine.run(x)\n"), Budget(20)))
    assert any(isinstance(item, Gap) and "mine::run" in item.reason for item in items)


def test_deep_source_is_refused() -> None:
    """Nesting that would exhaust a parser is refused before parsing."""
    with pytest.raises(LimitExceeded):
        operators("x = " + "(" * 500 + ")" * 500)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_arbitrary_source_raises_only_format_errors(source: bytes) -> None:
    """No source makes the reader raise anything else."""
    with contextlib.suppress(FormatError):
        operators(source)


def test_vetted_operators_touch_nothing_outside() -> None:
    """The list of vetted operators has none of those that are reported."""
    vetted = archives._operators()
    assert len(vetted) > 1000
    assert not vetted & archives._ACCESS
    assert not {name for name in vetted if any(word in name for word in ("file", "rpc", "PythonOp"))}


def test_old_tar_layout_is_a_gap() -> None:
    """The layout of 2017 is recognised and said not to be followed."""
    seen = one(tarred({"pickle": pickle.dumps([1]), "storages": b"x", "tensors": b"y", "sys_info": pickle.dumps({})}))
    assert any("2017" in gap.reason for gap in seen.gaps)


def every(seen: Seen) -> Iterator[str]:
    yield from (finding.message for finding in seen.findings)
    yield from (gap.reason for gap in seen.gaps)


def test_messages_promise_nothing() -> None:
    """No message calls anything safe."""
    for data in (saved(STATE), rewrite(saved(STATE), {"x": EVIL})):
        assert not any("safe" in text.lower() for text in every(one(data)))

"""PyTorch archives through the whole check: every member is routed, and code is judged by what it reaches."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import pytest

from hallmarked.core.evidence import Outcome
from tests.checks.serialization.routing import (
    EVIL,
    EVIL4,
    PLAIN,
    check,
    errors,
    rules,
    torch_zip,
    verdicts,
    zipped,
)

CONSTANTS = b"\x80\x02)."
OBJECT = b"\x80\x02c__torch__\nM\nq\x00)\x81}X\x08\x00\x00\x00training\x89sb."


def script(code: bytes = b"", **members: bytes) -> bytes:
    """Write a TorchScript archive with the given source."""
    source = b"class M(Module):\n  training : bool\n  def forward(self, x: Tensor) -> Tensor:\n" + (
        code or b"    return x\n"
    )
    standard = {"data.pkl": OBJECT, "code/__torch__.py": source, "constants.pkl": CONSTANTS, "version": b"3\n"}
    return zipped({f"m/{name}": data for name, data in {**standard, **members}.items()})


def saved(obj: Any, **options: Any) -> bytes:
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


# -- torch.save ----------------------------------------------------------------------------------------------------


def test_real_weights_are_proven() -> None:
    """State dictionaries that PyTorch writes, in both layouts, are proven without a finding."""
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).state_dict()
    state["tied"], state["half"] = state["0.weight"], torch.ones(5, dtype=torch.bfloat16)
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        result = check(saved(state, **options))
        assert (result.outcome, result.findings) == (Outcome.PASS, [])
        assert verdicts(result)["file"] == "proven"


def test_modules_with_code_of_their_own_are_not_proven() -> None:
    """A whole module names its class, which is code from elsewhere."""
    torch = pytest.importorskip("torch")
    result = check(saved(torch.nn.Linear(2, 2)))
    assert result.outcome is not Outcome.FAIL
    assert verdicts(result)["file"] in {"proven", "unproven"}


@pytest.mark.parametrize(
    "name", ["m/data.pkl", "m/data/0", "m/version", "m/byteorder", "m/extra/x", "other", "m/.data/serialization_id"]
)
def test_every_member_is_routed_by_content(name: str) -> None:
    """A pickle that calls something is found in every place of an archive."""
    members = {"m/data.pkl": PLAIN, "m/data/1": bytes(64), "m/version": b"3\n", "m/byteorder": b"little"}
    for evil in (EVIL, EVIL4, zipped({"x": EVIL})):
        result = check(zipped({**members, name: evil}))
        assert result.outcome is Outcome.FAIL or (name == "m/data.pkl" and evil.startswith(b"PK")), name
        assert verdicts(result)["file"] != "proven"


def test_members_that_pytorch_does_not_write_are_noted() -> None:
    """An additional member is mentioned, and examined like any other file."""
    result = check(zipped({"m/data.pkl": PLAIN, "m/version": b"3\n", "m/notes.txt": b"words"}))
    assert rules(result) == {"TOR003"}
    assert result.outcome is Outcome.PASS


def test_storages_must_have_the_size_that_the_object_says() -> None:
    """A tensor that reaches beyond its storage is found, whatever the archive says."""
    torch = pytest.importorskip("torch")
    data = saved({"w": torch.arange(64, dtype=torch.float32)})
    import_zip = {}
    with pytest.importorskip("zipfile").ZipFile(io.BytesIO(data)) as archive:
        import_zip = {name: archive.read(name) for name in archive.namelist()}
    key = next(name for name in import_zip if "/data/" in name)
    assert verdicts(check(zipped(import_zip)))["file"] == "proven"
    import_zip[key] = import_zip[key][:-4]
    assert check(zipped(import_zip)).outcome is not Outcome.PASS


def test_several_models_in_one_archive_are_all_read() -> None:
    """Every folder with an object is examined, as a reader may be pointed to any of them."""
    result = check(zipped({"a/data.pkl": PLAIN, "b/data.pkl": EVIL, "a/data/0": b"", "b/data/0": bytes(8)}))
    assert result.outcome is Outcome.FAIL


def test_stacked_pickles_behind_the_object_are_seen() -> None:
    """PyTorch reads one pickle of the member; another one behind it is judged all the same."""
    assert check(torch_zip(PLAIN + EVIL)).outcome is Outcome.FAIL
    assert verdicts(check(torch_zip(PLAIN + b"junk")))["file"] != "proven"


# -- TorchScript ---------------------------------------------------------------------------------------------------


def compiled() -> list[bytes]:
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU()])
            self.cell = torch.nn.LSTM(4, 3)

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            out, _ = self.cell(x.flatten(1).unsqueeze(0)[..., :4])
            return torch.softmax(out, -1)

    result = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in (
            torch.jit.trace(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU()), torch.ones(1, 3)),
            torch.jit.trace(Net().eval(), torch.ones(1, 1, 8, 8)),
        ):
            buffer = io.BytesIO()
            torch.jit.save(module, buffer)
            result.append(buffer.getvalue())
    return result


def test_real_programs_are_proven() -> None:
    """What PyTorch compiles from layers is proven."""
    for data in compiled():
        result = check(data)
        assert (result.outcome, result.findings) == (Outcome.PASS, [])
        assert verdicts(result)["file"] == "proven"


def test_the_small_archive_of_these_tests_is_one() -> None:
    """The archive that the other tests change is proven as it is."""
    result = check(script())
    assert (result.outcome, result.findings) == (Outcome.PASS, [])


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (b"    ops.aten.save(x, 'a')\n    return x\n", "TOR001"),
        (b"    return torch.from_file('/etc/passwd', False, 9)\n", "TOR001"),
        (b"    f = torch.from_file\n    return f('/etc/passwd', False, 9)\n", "TOR001"),
        (b"    return ops.mine.run(x)\n", "TOR002"),
        (b"    f = ops.mine.run\n    return f(x)\n", "TOR002"),
        (b"    return [ops.mine.run][0](x)\n", "TOR002"),
        (b"    return open('x')\n", "TOR002"),
        (b"    y = __torch__.torch.classes.mine.Thing(x)\n    return x\n", "TOR002"),
    ],
)
def test_operators_that_reach_out_are_found(code: bytes, rule: str) -> None:
    """Operators of files, machines and other libraries are found, called at once or through a variable."""
    result = check(script(code))
    assert rule in rules(result)
    assert result.outcome is Outcome.UNKNOWN
    assert not errors(result)


@pytest.mark.parametrize("name", ["data.pkl", "constants.pkl", "attributes.pkl", "code/__torch__.pkl", "extra/x", "z"])
def test_pickles_of_programs_that_name_python_are_judged_as_pickles(name: str) -> None:
    """A pickle in a TorchScript archive that names Python objects is judged like any other."""
    for evil in (EVIL, EVIL4):
        result = check(script(**{name: evil}))
        assert result.outcome is Outcome.FAIL
        assert "PKL001" in errors(result)


# -- arrays --------------------------------------------------------------------------------------------------------


def test_archives_of_arrays(tmp_path: Path) -> None:
    """Arrays of numbers are proven; one with objects is judged by its pickle, and anything else is routed."""
    numpy = pytest.importorskip("numpy")
    numpy.savez(tmp_path / "a.npz", x=numpy.ones(3), y=numpy.arange(4))
    good = check((tmp_path / "a.npz").read_bytes())
    assert (good.outcome, good.findings) == (Outcome.PASS, [])
    numpy.savez(tmp_path / "b.npz", x=numpy.array([{"a": 1}, None], dtype=object))
    objects = check((tmp_path / "b.npz").read_bytes())
    assert rules(objects) == {"NPY001"}
    assert objects.outcome is Outcome.PASS
    assert check(zipped({"x.npy": EVIL})).outcome is Outcome.FAIL

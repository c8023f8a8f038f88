"""Plans and logs that people write, and what else may stand in such a file."""

from __future__ import annotations

import contextlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.profiles.run.file import read_plan
from hallmarked.profiles.run.log import read_log

FORM = (files("hallmarked.profiles.run") / "form.toml").read_text("utf-8")
MINIMAL = """
model = "m"
purpose = "p"
start = 2026-12-15
data = "text"
[[filers]]
name = "Example Lab"
contact = "c"
"""


def refused(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_plan(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_form_is_a_plan(tmp_path: Path) -> None:
    """What hallmarked run new writes can be read as it is."""
    (tmp_path / "p.toml").write_text(FORM)
    file = read_plan(tmp_path / "p.toml")
    assert file.plan.tokens == "2000000000000"
    assert file.subject.name == "example-lab/new-model"


def test_yaml_says_the_same_as_toml(tmp_path: Path) -> None:
    """A plan in YAML is the same plan."""
    (tmp_path / "p.toml").write_text(MINIMAL)
    said = "model: m\npurpose: p\nstart: 2026-12-15\ndata: text\nfilers: [{name: Example Lab, contact: c}]\n"
    (tmp_path / "p.yaml").write_text(said)
    assert read_plan(tmp_path / "p.toml").plan == read_plan(tmp_path / "p.yaml").plan


@pytest.mark.parametrize("written", ["15e12", "1.5e13", "15000000000000", '"15e12"', '"15000000000000"'])
def test_large_numbers_as_people_write_them(tmp_path: Path, written: str) -> None:
    """Tokens may be written as 15e12."""
    (tmp_path / "p.toml").write_text(f"tokens = {written}\n{MINIMAL}")
    assert read_plan(tmp_path / "p.toml").plan.tokens == "15000000000000"


def test_configuration_beside_the_plan(tmp_path: Path) -> None:
    """The architecture is taken from a config.json, and stated in numbers."""
    config = {"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 2, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "p.toml").write_text(f'config = "config.json"\n{MINIMAL}')
    found = read_plan(tmp_path / "p.toml").plan.architecture
    assert found is not None
    assert found.decoder is not None
    assert (found.decoder.layers, found.decoder.ff, found.vocabulary) == (2, 256, 100)
    assert "both config and architecture" in refused(
        tmp_path / "q.toml", f'config = "config.json"\n{MINIMAL}[architecture]\nvocabulary = 5\n'
    )
    (tmp_path / "config.json").write_text('{"model_type": "llama", "model_type": "gpt2"}')
    assert "twice" in refused(tmp_path / "q.toml", f'config = "config.json"\n{MINIMAL}')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL.replace('"text"', '"words"'), "p.toml, line 5: data must be one of"),
        (MINIMAL.replace('contact = "c"', 'contact = ""'), "p.toml, line 8: filers[0].contact is empty"),
        (MINIMAL.replace("start = 2026-12-15", 'start = "soon"'), "p.toml, line 4: start must be"),
        (f"tokens = -5\n{MINIMAL}", "p.toml, line 1: tokens"),
        (f"tokens = 1e400\n{MINIMAL}", "p.toml, line 1: tokens"),
        (f"color = 1\n{MINIMAL}", "p.toml, line 1: color is no field here"),
        (f"measurements = []\n{MINIMAL}", "measurements are computed"),
        ("model = ", "not TOML"),
        ("x = " + "[" * 9999, "not TOML"),
        ("x = " + "9" * 9999, "not TOML"),
        (b"\xff", "not TOML"),
        (b"#" * (1 << 21), "larger than"),
        ("", "model is missing"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    """Each mistake is one sentence with the line it stands on, as far as it has one."""
    assert said in refused(tmp_path / "p.toml", text)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "model: !!python/object/apply:os.system [id]",
        "model: m\nmodel: n",
        "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [" + "*b," * 5000 + "]",
        "[" * 5000,
        "- list",
        "1: x",
        "start: 9" + "9" * 5000,
    ],
    ids=lambda text: repr(text[:30]),
)
def test_hostile_yaml(tmp_path: Path, text: str) -> None:
    """Bombs, tags, duplicate keys, cycles and deep nesting end in one sentence."""
    assert "p.yaml" in refused(tmp_path / "p.yaml", text)


@settings(max_examples=50)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["p.toml", "p.yaml"]))
def test_anything_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    """No bytes make anything but a plan, a log, or a sentence."""
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data)
    for read in (read_plan, read_log):
        with contextlib.suppress(InputError):
            read(path)


def test_log_of_segments_and_of_steps(tmp_path: Path) -> None:
    """A log of hardware and one of steps are both read."""
    path = tmp_path / "log.toml"
    path.write_text('[[segment]]\naccelerator = "1e15"\ncount = 10\nhours = 1\nutilisation = 0.5\n')
    assert read_log(path).estimate.operations == 18 * 10**18
    config = {"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 2, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(config))
    path.write_text('config = "config.json"\nsteps = 10\ntokens = 1024\nsequence = 128\nattention = "plain"\n')
    layers = 2 * 10240 * 2 * 12 * 64 * 64
    attention = 2 * 10240 * 4 * 128 * 64
    assert read_log(path).estimate.parts[0][1] == 3 * layers
    assert dict(read_log(path).estimate.parts)["attention"] == 3 * attention


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither"),
        ("segment = 5", "segment"),
        ("segment = []", "segment"),
        ("[[segment]]\nx = 1", "'x' is not known"),
        ('[[segment]]\naccelerator = "1e15"\ncount = 1\nhours = "soon"', "hours"),
        ('[[segment]]\naccelerator = "abacus"\ncount = 1\nhours = 1', "abacus"),
        ('config = "config.json"\nsteps = 1', "config.json"),
        ("segment = [{}]\nsteps = 1", "'steps'"),
    ],
)
def test_logs_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    """What is missing or unknown in a log is named."""
    path = tmp_path / "log.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_log(path)
    assert said in str(caught.value)

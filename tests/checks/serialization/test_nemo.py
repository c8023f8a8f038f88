"""Examining NeMo archives."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict, Seen
from hallmarked.checks.serialization.nemo import examine_nemo
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Level
from tests.checks.serialization.examining import blobs, examine_members, rules, verdict

MODEL = b"""
name: QuartzNet
target: nemo.collections.asr.models.ctc_models.EncDecCTCModel
sample_rate: &rate 16000
cls: token
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  sample_rate: *rate
  labels: [" ", a, 'no', "${model.labels}"]
optim:
  _target_: torch.optim.AdamW
  betas: [0.9, 0.999]
"""


def judge(config: bytes) -> list[Seen]:
    return examine_members(examine_nemo, {"./model_config.yaml": config, "./model_weights.ckpt": b"PK"})


def test_published_layout_is_proven() -> None:
    """A usual configuration needs no word, and the weights are handed on."""
    seen = judge(MODEL)
    assert rules(seen) == []
    assert verdict(seen) == FileVerdict.PROVEN
    assert blobs(seen) == {"file!./model_weights.ckpt": b"PK"}


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (b"a: {b: [{_target_: os.system, command: id}]}", "NEM001"),
        (b"_target_: subprocess.Popen", "NEM001"),
        (b"_target_: builtins.eval", "NEM001"),
        (b"_target_: eval", "NEM001"),
        (b"target: os.system", "NEM001"),
        (b"cls: shutil.rmtree", "NEM001"),
        (b"a: &x {_target_: os.system}\nb: {<<: *x, y: 1}", "NEM001"),
        (b"_target_: !!str os.system", "NEM001"),
        (b"_target_: torch.hub.load", "NEM001"),
        (b"_target_: hydra.utils.instantiate", "NEM001"),
        (b"a: !!python/object/apply:os.system [id]", "NEM003"),
        (b"a: !!python/name:os.system ''", "NEM003"),
    ],
)
def test_hostile_configurations_are_errors(config: bytes, rule: str) -> None:
    """Calls of dangerous functions and tags that create objects are errors, wherever they stand."""
    seen = judge(config)
    assert rule in {item.rule for item in seen if isinstance(item, Finding) and item.level == Level.ERROR}
    assert verdict(seen) == FileVerdict.UNPROVEN


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (b"_target_: my_package.Model", "NEM002"),
        (b"_target_: nemo.collections.asr.models.Unheard", "NEM002"),
        (b"target: my_package.Model", "NEM002"),
        (b"a: ${oc.env:HOME}", "NEM004"),
        (b"_target_: ${x}.y", "NEM004"),
        (b"a: !custom x", "NEM004"),
    ],
)
def test_what_is_not_known_is_a_warning_and_a_gap(config: bytes, rule: str) -> None:
    """Targets outside of the list, tags and resolvers cannot be vouched for, and are no error."""
    seen = judge(config)
    assert rules(seen) == [rule]
    assert {item.level for item in seen if isinstance(item, Finding)} == {Level.WARNING}
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_broken_configurations_are_malformed() -> None:
    """Ambiguous or exploding YAML is refused."""
    for config in (b"a: 1\na: 2", b"[", b"_target_: [os.system]", b"_target_: 1", b"\xff"):
        with pytest.raises(FormatError):
            judge(config)
    with pytest.raises(LimitExceeded):
        judge(b"[" * 1_000)


def test_an_archive_without_a_configuration_leaves_a_gap() -> None:
    """Weights alone say nothing about what would be called."""
    assert verdict(examine_members(examine_nemo, {"x.ckpt": b""})) == FileVerdict.UNPROVEN


@settings(deadline=None)
@given(st.text("_target:os.sy\n -{}[]&*<!$'\"", max_size=80).map(str.encode))
def test_any_text_gets_an_answer(config: bytes) -> None:
    """Configurations of any shape are judged or refused, never anything else."""
    with contextlib.suppress(FormatError):
        judge(config)

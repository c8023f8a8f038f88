"""The plan comes to the same result here and on a cluster, and tells nobody that it was computed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("daft", reason="plans are computed with the extra data")

from hallmarked.artifacts.source import open_artifact
from hallmarked.checks import registry
from hallmarked.checks.runner import run
from hallmarked.core.check import Extent
from hallmarked.corpus.engine.plan import portions_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of a few files, one of them broken."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in range(6):
        rows = [{"text": f"row {n} of file {name} says that it is one", "label": n % 3, "n": n / 7} for n in range(400)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "broken.parquet").write_bytes(b"PAR1 no footer")
    return folder


def start(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script of these tests in a process of its own."""
    command = [sys.executable, "-B", "-m", f"tests.corpus.engine.{script}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the trap exists on Linux")
def test_nothing_reaches_for_the_network(data: Path) -> None:
    """Neither Daft nor we ask for a socket; a process that does would be ended."""
    assert start("quiet", "try").returncode < 0
    done = start("quiet", data)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout == "2400"


@pytest.mark.slow
def test_a_cluster_comes_to_the_same_bytes(data: Path) -> None:
    """Two workers of a real cluster come to the statements that one process comes to, for all checks in parts."""
    pytest.importorskip("ray", reason="needs the extra cluster")
    loaded = [registry.load(name)[0] for name in registry.available()]
    checks = [check for check in loaded if check.extent is Extent.PARTS]
    done = start("cluster", data, *(check.id for check in checks))
    assert done.returncode == 0, done.stderr[-3_000:]
    said = json.loads(done.stdout.splitlines()[-1])
    artifact = open_artifact(data)
    for check in checks:
        here = run(check, artifact).to_statement(artifact.subject, "00").to_dict()
        assert json.dumps(said["statements"][check.id], sort_keys=True) == json.dumps(here, sort_keys=True)
    assert said["workers"] == 2
    assert said["usage"] is False
    assert said["quiet"]["DO_NOT_TRACK"] == "1"
    assert said["quiet"]["DAFT_ANALYTICS_ENABLED"] == "0"
    assert "another engine" in said["refused"]


@pytest.mark.parametrize(("parts", "processors", "portions"), [(1, 2, 1), (6, 2, 6), (20, 2, 8), (1_000, 2, 125)])
def test_parts_are_divided_for_a_cluster(parts: int, processors: int, portions: int) -> None:
    """Every processor gets some, and what travels together stays small."""
    assert portions_of(parts, processors) == portions

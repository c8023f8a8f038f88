"""Auditing a repository on a hub before anybody downloads it."""

from __future__ import annotations

import json
import os
import pickle
import random
import struct
from pathlib import Path

import pytest

from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from tests.artifacts.remote.endpoint import COMMIT, Endpoint, Reply, served, told
from tests.cli.support import Shell
from tests.hubs import serve_test_hub

pytestmark = pytest.mark.enable_socket


class Command:
    """Calls a function when it is unpickled; only ever written here, never read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def weights(count: int) -> bytes:
    """Write a safetensors file with random numbers."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + random.Random(0).randbytes(4 * count)


@pytest.fixture
def files() -> dict[str, bytes | Path]:
    return {
        "README.md": b"---\nlicense: mit\n---\n# A model\n\nIt does little.\n",
        "config.json": b'{"model_type": "bert", "architectures": ["BertModel"]}',
        "model.safetensors": weights(5 << 20),
    }


@pytest.fixture(autouse=True)
def alone(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the user's token, endpoint and scanner out of it."""
    shell.set(HF_TOKEN=None, HF_ENDPOINT=None, HF_HOME=str(tmp_path / "hf"), HALLMARKED_CLAMD=f"unix:{tmp_path}/none")
    monkeypatch.chdir(tmp_path)


def download(files: dict[str, bytes | Path], folder: Path) -> Path:
    folder.mkdir()
    for name, content in files.items():
        assert isinstance(content, bytes)
        (folder / name).write_bytes(content)
    return folder


def test_a_remote_model_is_audited_and_the_evidence_checked_after_the_download(
    shell: Shell, files: dict[str, bytes | Path], tmp_path: Path
) -> None:
    """Parts are read, the evidence says which; whoever downloads later verifies the files, and a swap is found out."""
    with served(Endpoint(files)) as hub:
        shell.set(HF_ENDPOINT=hub.url)
        done = shell("audit", "hf://acme/tiny@main", "--allow-unknown")
        assert done.status == 0, done
        assert "parameters 5,242,880" in done.out
        assert f"gitCommit {COMMIT}" in done.out
        assert f"Read from {hub.url}" in done.out
        assert "2 of 3 files were read whole and verified" in done.out
        size = sum(len(content) for content in files.values() if isinstance(content, bytes))
        assert hub.sent < size / 2
    evidence = tmp_path / "tiny.hallmarked" / "evidence.json"
    folder = download(files, tmp_path / "downloaded")
    verified = shell("verify", evidence, folder, *shell.keys())
    assert verified.status == 0, verified
    assert "2 files in downloaded that the audit read whole, and 1 of which it read parts" in verified.out
    large = folder / "model.safetensors"
    with large.open("r+b") as stream:  # a byte that was not read: the stated digest gives it away
        stream.seek(-1_000_000, 2)
        stream.write(b"!")
    changed = shell("verify", evidence, folder, *shell.keys())
    assert changed.status == 1
    assert "changed: model.safetensors" in changed.out


def test_evidence_of_a_hub_that_shows_auditors_something_else(
    shell: Shell, files: dict[str, bytes | Path], tmp_path: Path
) -> None:
    """A hub that serves a harmless beginning and states the digest of another file is found out by the parts read."""
    harmless = files["model.safetensors"]
    assert isinstance(harmless, bytes)
    evil = b"\x10" + harmless[1:]
    with served(Endpoint({**files, "model.safetensors": evil}, swap={"model.safetensors": harmless})) as hub:
        assert shell("audit", "hf://acme/tiny", "--endpoint", hub.url, "--allow-unknown").status == 0
    folder = download({**files, "model.safetensors": evil}, tmp_path / "downloaded")
    found = shell("verify", tmp_path / "tiny.hallmarked" / "evidence.json", folder, *shell.keys())
    assert found.status == 1
    assert "changed: model.safetensors" in found.out


def test_a_hostile_pickle_is_found_without_downloading_it(shell: Shell, files: dict[str, bytes | Path]) -> None:
    """Findings are those a local audit would make."""
    with served(Endpoint({**files, "model.pkl": pickle.dumps(Command())}, kind="dataset")) as hub:
        done = shell("audit", "hf://datasets/acme/tiny", "--endpoint", hub.url, "--no-output", "--format", "json")
    assert done.status == 1
    rules = {finding["rule"] for statement in done.json for finding in statement["predicate"].get("findings", [])}
    assert "PKL001" in rules


def test_a_hub_that_serves_other_bytes_than_it_lists_is_refused(
    shell: Shell, files: dict[str, bytes | Path], tmp_path: Path
) -> None:
    """Nothing is reported about files that are not what the list says."""
    with served(
        Endpoint(files, swap={"config.json": b'{"model_type": "gpt2", "architectures": ["BertModel"]}'})
    ) as hub:
        sentence = shell("audit", "hf://acme/tiny", "--endpoint", hub.url).refused()
    assert "config.json holds other bytes than the hub's own list says" in sentence
    assert not (tmp_path / "tiny.hallmarked").exists()


def test_what_cannot_be_had_stays_unknown(shell: Shell, files: dict[str, bytes | Path]) -> None:
    """A file that the hub refuses to give makes checks unknown, never a pass."""

    def refuse(path: str, _headers: dict[str, str]) -> Reply | None:
        return told(403, "held back: being checked") if path.endswith("model.safetensors") else None

    with served(Endpoint(files, odd=refuse)) as hub:
        done = shell("audit", "hf://acme/tiny", "--endpoint", hub.url, "--no-output")
    assert done.status == 2
    assert "held back: being checked" in done.out


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("hf://acme", "has no model acme"),
        ("hf://acme/other", "has no model acme/other, or it needs a token"),
        ("hf://acme/tiny@v9", "has no revision v9 of acme/tiny"),
        ("hf://a/b/c", "names no repository"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    shell: Shell, files: dict[str, bytes | Path], address: str, words: str
) -> None:
    """Missing repositories and revisions, and addresses that are none, end with status 2."""
    with served(Endpoint(files)) as hub:
        assert words in shell("audit", address, "--endpoint", hub.url).refused()


def test_a_base_needs_the_whole_model(shell: Shell, tmp_path: Path) -> None:
    """Comparing with a base reads all weights, which is not done over a network."""
    assert "download it first" in shell("audit", "hf://acme/tiny", "--base", tmp_path).refused()


def test_a_hub_of_ours_is_audited(shell: Shell, files: dict[str, bytes | Path], tmp_path: Path) -> None:
    """A private model on a hub like this one is audited with a token; the evidence names the commit it has there."""
    with serve_test_hub(tmp_path) as hub:
        actor = hub.actor("ada")
        large = files["model.safetensors"]
        assert isinstance(large, bytes)
        with hub.hub.blobs.receive() as incoming:
            incoming.write(large)
            stored = incoming.finish()
        with hub.hub.database.write() as db:
            add_blob(db, stored.sha256, stored.size, passive=True, account_id=actor.account_id)
            repo = create(db, actor, "model", "tiny", visibility="private")
            small = [Put(name, content) for name, content in files.items() if isinstance(content, bytes)][:2]
            long = Put("notes.txt", b"A line of text.\n" * 100_000)
            made = commit(
                db, repo, actor, [*small, long, PutLarge("model.safetensors", stored.sha256)], Message("files")
            )
        address = ("audit", "hf://ada/tiny", "--endpoint", hub.url, "--no-output", "--allow-unknown")
        assert "has no model ada/tiny" in shell(*address).refused()
        shell.set(HF_TOKEN="hm_wrong")
        assert "does not accept the token" in shell(*address).refused()
        shell.set(HF_TOKEN=hub.tokens["ada"])
        done = shell(*address)
    assert done.status == 0, done
    assert f"gitCommit {made.oid}" in done.out
    assert "parameters 5,242,880" in done.out


@pytest.mark.slow
def test_a_large_model_is_audited_with_less_than_one_percent_of_its_bytes(shell: Shell, tmp_path: Path) -> None:
    """1 GiB of safetensors and 200 MB of PyTorch weights: what is fetched is a small part, and is counted."""
    torch = pytest.importorskip("torch")
    folder = tmp_path / "large"
    folder.mkdir()
    layers = {f"layer.{number}.weight": (2048, 4096) for number in range(64)}
    size, header = 2 * 2048 * 4096, {}
    for number, (name, shape) in enumerate(layers.items()):
        offsets = [number * size, (number + 1) * size]
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": offsets}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with (folder / "model.safetensors").open("wb") as stream:
        stream.write(struct.pack("<Q", len(encoded)) + encoded)
        stream.truncate(8 + len(encoded) + 64 * size)
    tensors = {"embedding.weight": torch.randn(20_000, 768)}
    for number in range(6):
        for part, shape in enumerate([(768, 768)] * 4 + [(3072, 768), (768, 3072)]):
            tensors[f"layer.{number}.{part}.weight"] = torch.randn(*shape)
            tensors[f"layer.{number}.{part}.bias"] = torch.randn(shape[0])
    torch.save(tensors, folder / "pytorch_model.bin")
    files: dict[str, bytes | Path] = {path.name: path for path in folder.iterdir()}
    total = sum((folder / name).stat().st_size for name in files)
    files["config.json"] = b'{"model_type": "bert", "architectures": ["BertModel"]}'
    with served(Endpoint(files)) as hub:
        done = shell("audit", "hf://acme/tiny", "--endpoint", hub.url, "--no-output", "--allow-unknown")
    assert done.status == 0, done
    assert "parameters 536,870,912" in done.out
    print(f"{hub.sent:,} of {total:,} bytes, {hub.sent / total:.2%}, in {len(hub.asked)} requests")  # noqa: T201
    assert hub.sent < total / 100

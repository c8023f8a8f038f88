"""Libraries and programs of the ecosystem against a hub, unmodified.

Each runs in a process of its own, with only the address of the hub and a token set.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.hub.setting import Policy, Settings, Storage
from tests.hubs import RunningHub, serve_test_hub

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    settings = Settings(storage=Storage(data=str(folder / "data")), policy=Policy(while_checked="all"))
    with serve_test_hub(folder, settings) as running:
        running.person("ada")
        running.person("bob")
        yield running


def run(hub: RunningHub, folder: Path, *command: str, who: str = "ada", fails: bool = False) -> str:
    """Run a program as somebody, and return what it says."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    environment |= {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.person(who),
        "HF_HOME": str(folder / "home"),
        "HF_XET_CACHE": str(folder / "xet"),
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr[-3000:]
    return done.stdout + (done.stderr if fails else "")


def python(hub: RunningHub, folder: Path, code: str, *modules: str, who: str = "ada") -> str:
    """Run a program in Python, if the libraries it needs are here."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    return run(hub, folder, sys.executable, "-c", code, who=who)


def test_transformers_pushes_and_loads_a_model(hub: RunningHub, tmp_path: Path) -> None:
    """A tiny model with weights and tokenizer is pushed, then loaded by somebody else, and computes the same."""
    push = """
from transformers import BertConfig, BertModel, BertTokenizer
import torch
open("vocab.txt", "w").write("\\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world"]))
torch.manual_seed(7)
config = BertConfig(vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
model = BertModel(config).eval()
model.push_to_hub("ada/tiny-bert")
BertTokenizer("vocab.txt").push_to_hub("ada/tiny-bert")
print(float(model(torch.tensor([[2, 5, 6, 3]])).last_hidden_state.sum()))
"""
    load = """
from transformers import AutoConfig, AutoModel, AutoTokenizer
model, tokenizer = AutoModel.from_pretrained("ada/tiny-bert").eval(), AutoTokenizer.from_pretrained("ada/tiny-bert")
assert AutoConfig.from_pretrained("ada/tiny-bert").hidden_size == 8
tokens = tokenizer("hello world", return_tensors="pt")
assert tokens["input_ids"].tolist() == [[2, 5, 6, 3]], tokens
print(float(model(**tokens).last_hidden_state.sum()))
"""
    (tmp_path / "push").mkdir()
    (tmp_path / "load").mkdir()
    pushed = python(hub, tmp_path / "push", push, "transformers", "torch")
    loaded = python(hub, tmp_path / "load", load, "transformers", "torch", who="bob")
    assert float(pushed) == pytest.approx(float(loaded), abs=1e-4)


def test_datasets_pushes_loads_and_streams(hub: RunningHub, tmp_path: Path) -> None:
    """A data set with two splits is pushed, then loaded whole and streamed by somebody else."""
    push = """
from datasets import Dataset, DatasetDict
sizes = {"train": 500, "test": 20}
rows = {split: Dataset.from_dict({"n": list(range(size))}) for split, size in sizes.items()}
DatasetDict(rows).push_to_hub("ada/rows")
"""
    load = """
from datasets import get_dataset_split_names, load_dataset
assert get_dataset_split_names("ada/rows") == ["train", "test"]
assert load_dataset("ada/rows", split="train")["n"] == list(range(500))
streamed = load_dataset("ada/rows", split="test", streaming=True)
assert [row["n"] for row in streamed] == list(range(20))
"""
    (tmp_path / "push").mkdir()
    (tmp_path / "load").mkdir()
    python(hub, tmp_path / "push", push, "datasets")
    python(hub, tmp_path / "load", load, "datasets", who="bob")


def test_the_command_line_client(hub: RunningHub, tmp_path: Path) -> None:
    """``hf`` uploads a folder, downloads it, opens a discussion, answers and closes it, and lists what there is."""
    pytest.importorskip("huggingface_hub", minversion="2")
    hf = (sys.executable, "-c", "from huggingface_hub.cli.hf import main; main()")
    source = tmp_path / "source"
    source.mkdir()
    (source / "README.md").write_text("---\nlicense: mit\n---\n# By command line\n")
    (source / "weights.safetensors").write_bytes(os.urandom(300_000))
    run(hub, tmp_path, *hf, "upload", "ada/by-command", str(source), ".")
    run(hub, tmp_path, *hf, "download", "ada/by-command", "--local-dir", str(tmp_path / "copy"), who="bob")
    for name in ("README.md", "weights.safetensors"):
        assert (tmp_path / "copy" / name).read_bytes() == (source / name).read_bytes()
    run(hub, tmp_path, *hf, "discussions", "create", "ada/by-command", "--title", "A question", who="bob")
    assert "A question" in run(hub, tmp_path, *hf, "discussions", "list", "ada/by-command")
    run(hub, tmp_path, *hf, "discussions", "comment", "ada/by-command", "1", "--body", "An answer")
    run(hub, tmp_path, *hf, "discussions", "close", "ada/by-command", "1", "--yes")
    assert "A question" not in run(hub, tmp_path, *hf, "discussions", "list", "ada/by-command")
    assert "not found" in run(hub, tmp_path, *hf, "download", "ada/nothing", fails=True).lower()


def test_the_file_system_client(hub: RunningHub, tmp_path: Path) -> None:
    """Files are written, listed, read in part, copied, moved and removed as in a folder."""
    code = """
from huggingface_hub import HfApi, HfFileSystem
HfApi().create_repo("ada/folder", repo_type="dataset")
fs, root = HfFileSystem(), "datasets/ada/folder"
with fs.open(f"{root}/data/a.csv", "w") as file:
    file.write("n\\n1\\n2\\n")
with fs.open(f"{root}/data/b.bin", "wb") as file:
    file.write(bytes(range(256)) * 1000)
assert fs.ls(f"{root}/data", detail=False) == [f"{root}/data/a.csv", f"{root}/data/b.bin"]
assert fs.read_text(f"{root}/data/a.csv") == "n\\n1\\n2\\n"
with fs.open(f"{root}/data/b.bin", block_size=4096) as file:
    file.seek(100_000)
    assert file.read(3) == bytes([160, 161, 162])
assert fs.info(f"{root}/data/b.bin")["size"] == 256_000
assert fs.glob(f"{root}/**/*.csv") == [f"{root}/data/a.csv"]
fs.cp_file(f"{root}/data/b.bin", f"{root}/copy.bin")
fs.mv(f"{root}/data/a.csv", f"{root}/a.csv")
fs.rm(f"{root}/data/b.bin")
fs.invalidate_cache()
assert sorted(fs.ls(root, detail=False)) == [f"{root}/.gitattributes", f"{root}/a.csv", f"{root}/copy.bin"]
assert fs.cat_file(f"{root}/copy.bin", start=256, end=258) == bytes([0, 1])
"""
    python(hub, tmp_path, code, "huggingface_hub", "fsspec")

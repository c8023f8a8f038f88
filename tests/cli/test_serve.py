"""``hallmarked serve``, as whoever runs a hub meets it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.support import Shell

PATIENCE = 120


@pytest.mark.enable_socket
def test_a_port_that_is_taken(shell: Shell, tmp_path: Path) -> None:
    """One sentence says that another program has the port; no hub is made and no link is given out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = shell("serve", "--data", tmp_path / "data", "--port", port)
        assert done.refused() == (
            f"another program already listens on port {port} of 127.0.0.1; choose another port with --port"
        )
    assert not (tmp_path / "data").exists()


@pytest.mark.enable_socket
def test_an_address_of_another_machine(shell: Shell, tmp_path: Path) -> None:
    """An address that this machine does not have is refused in one sentence."""
    said = shell("serve", "--data", tmp_path / "data", "--host", "192.0.2.1", "--port", "0").refused()
    assert "192.0.2.1 cannot be listened on" in said


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.parametrize("workers", [1, 2])
def test_where_it_serves(tmp_path: Path, workers: int) -> None:
    """It says where it serves, also with a port it chose itself, and the link it prints works there."""
    program = subprocess.Popen(
        [sys.executable, "-m", "hallmarked", "serve", "--data", tmp_path / "data",
         "--port", "0", "--workers", str(workers)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        said = [program.stdout.readline() for _ in range(3)]
        match = re.fullmatch(r"Serving (http://127\.0\.0\.1:\d+) from .*\n", said[2])
        assert match, said
        assert said[1].startswith(f"{match[1]}/welcome?ticket=")
        assert "Make the first account" in httpx.get(said[1].strip(), timeout=PATIENCE).text
        assert httpx.get(f"{match[1]}/health/ready", timeout=PATIENCE).status_code == 200
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=PATIENCE)
        assert program.returncode == 0
    finally:
        program.kill()
        program.communicate()

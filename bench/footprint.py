"""What an installation weighs, and what asking for help loads."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.table import markdown

PROJECT = Path(__file__).parents[1]
COUNT = "import sys; from hallmarked.cli.main import main\ntry: main(['--help'])\nfinally: print(len(sys.modules))"


def report() -> str:
    """Install the core into an empty folder and measure."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, str(PROJECT)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        sizes = {"all": 0, "numpy": 0}
        for path in Path(folder).rglob("*"):
            if path.is_file():
                size = path.stat().st_size
                sizes["all"] += size
                sizes["numpy"] += size * path.relative_to(folder).parts[0].startswith("numpy")
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=False)
    rows = [
        ["modules loaded by `hallmarked --help`", "≤ 250", done.stdout.split()[-1]],
        ["core installation besides numpy", "≤ 60 MB", f"{(sizes['all'] - sizes['numpy']) / 1e6:.0f} MB"],
        ["numpy", "", f"{sizes['numpy'] / 1e6:.0f} MB"],
    ]
    return markdown(["what", "target", "measured"], rows)

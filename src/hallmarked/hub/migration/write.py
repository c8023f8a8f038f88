"""Write the next step of the schema from what the code expects: ``python -m hallmarked.hub.migration.write "message"``.

Until the first release there is one step only, which ``--initial`` writes anew.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from hallmarked.hub.database import Database
from hallmarked.hub.migration.upgrade import HERE, configuration


def main(arguments: list[str]) -> None:
    """Write a step."""
    versions = HERE / "versions"
    if arguments == ["--initial"]:
        for path in versions.glob("0*.py"):
            path.unlink()
        arguments = ["The tables of a new hub"]
    number = f"{len(list(versions.glob('0*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder, 'hub')}").write() as db:
        found = configuration(db)
        found.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        if number != "0001":
            command.upgrade(found, "head")
        command.revision(found, arguments[0], autogenerate=True, rev_id=number)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", str(versions)], check=True)  # noqa: S603 - fixed


if __name__ == "__main__":
    main(sys.argv[1:])

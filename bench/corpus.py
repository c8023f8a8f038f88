"""Write benign model files with the libraries people write them with: ``python bench/corpus.py OUT_DIR [FAMILY ...]``.

Always run as a program, so that what it pickles does not depend on who imports it. Each family has its own folder;
``corpus.json`` lists every file with its family and kind. Contents are seeded. A family whose library is missing is
left out and the reason printed.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import sys
import warnings
from pathlib import Path

FAMILIES = {
    "torch": "benign.torch_weights",
    "numpy": "benign.arrays",
    "pandas": "benign.frames",
    "sklearn": "benign.estimators",
    "boosting": "benign.boosters",
    "transformers": "benign.hub_models",
    "training": "benign.training",
    "formats": "benign.formats",
}


def write_corpus(folder: Path, families: list[str]) -> list[dict[str, str]]:
    """Write the families below ``folder`` and return one row (path, family, kind) per file."""
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    for family in families:
        home = folder / family
        try:
            module = importlib.import_module(FAMILIES[family])
        except ImportError as missing:
            print(f"left out: {family}, {missing}", file=sys.stderr)
            continue
        home.mkdir(exist_ok=True)
        rows += [{"path": f"{family}/{name}", "family": family, "kind": kind} for name, kind in module.write(home)]
    (folder / "corpus.json").write_text(json.dumps(rows, indent=1))
    return rows


def main() -> None:
    """Write the corpus and print how many files of each family and kind it has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all when left out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # some of what people still save is deprecated
    rows = write_corpus(arguments.out_dir, arguments.families or list(FAMILIES))
    counts = collections.Counter((row["family"], row["kind"]) for row in rows)
    print("| family | kind | files |\n|---|---|---|")
    for (family, kind), count in sorted(counts.items()):
        print(f"| {family} | {kind} | {count} |")
    print(f"| all | | {len(rows)} |")


if __name__ == "__main__":
    main()

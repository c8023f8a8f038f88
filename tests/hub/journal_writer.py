"""Attest through a journal from several threads and print each index once it is acknowledged; run by the tests."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hallmarked.hub.journal import Journal
from tests.ledger.support import make_statement


def main() -> None:
    folder, url, seed = Path(sys.argv[1]), sys.argv[2] or None, int(sys.argv[3])
    with Journal.open(folder, url=url, name="Hub") as journal, ThreadPoolExecutor(4) as pool:

        def attest(number: int) -> None:
            receipts = journal.attest([make_statement(seed * 1000 + number * 2 + part) for part in range(2)])
            os.write(1, "".join(f"{receipt.index}\n" for receipt in receipts).encode())

        list(pool.map(attest, range(20)))


if __name__ == "__main__":
    main()

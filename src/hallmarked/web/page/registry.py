"""Every page there is, in the order in which addresses are tried."""

from __future__ import annotations

from hallmarked.web.page import file, history, ledger, listing, proof, repository

PAGES = (
    *listing.FIRST,
    *ledger.PAGES,
    *file.PAGES,
    *history.PAGES,
    *proof.PAGES,
    *repository.PAGES,
    *listing.LAST,
)
"""Fixed addresses first: a repository could otherwise be meant."""

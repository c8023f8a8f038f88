"""Every page there is, in the order in which addresses are tried, and the forms they send."""

from __future__ import annotations

from hallmarked.web.page import (
    access,
    account,
    community,
    file,
    guide,
    history,
    ledger,
    listing,
    operation,
    proof,
    repository,
)

PAGES = (
    *listing.FIRST,
    *ledger.PAGES,
    *account.PAGES,
    *operation.PAGES,
    *guide.PAGES,
    *community.PAGES,
    *access.PAGES,
    *file.PAGES,
    *history.PAGES,
    *proof.PAGES,
    *repository.PAGES,
    *listing.LAST,
)
"""Fixed addresses first: a repository could otherwise be meant."""
FORMS = (*account.FORMS, *community.FORMS, *access.FORMS, *operation.FORMS)

"""Every page there is, in the order in which addresses are tried, and the forms they send."""

from __future__ import annotations

from hallmarked.web.page import (
    access,
    account,
    card,
    community,
    consent,
    deletion,
    file,
    guide,
    history,
    ledger,
    like,
    listing,
    operation,
    organisation,
    passage,
    proof,
    webhook,
)

PAGES = (
    *passage.PAGES,
    *listing.FIRST,
    *ledger.PAGES,
    *account.PAGES,
    *webhook.PAGES,
    *deletion.PAGES,
    *organisation.PAGES,
    *like.PAGES,
    *operation.PAGES,
    *guide.PAGES,
    *consent.PAGES,
    *community.PAGES,
    *access.PAGES,
    *file.PAGES,
    *history.PAGES,
    *proof.PAGES,
    *card.PAGES,
    *listing.LAST,
)
"""Fixed addresses first: a repository could otherwise be meant."""
FORMS = (
    *passage.FORMS,
    *account.FORMS,
    *webhook.FORMS,
    *deletion.FORMS,
    *organisation.FORMS,
    *like.FORMS,
    *community.FORMS,
    *access.FORMS,
    *operation.FORMS,
    *consent.FORMS,
)

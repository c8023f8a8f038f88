"""The statements that a command looks at: those an audit wrote beside the files, and those somebody named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.attested import beside, gather
from hallmarked.cli.setting import PATH, home
from hallmarked.core.errors import NotFound
from hallmarked.core.evidence import Attestation
from hallmarked.ledger.ledger import read_trust
from hallmarked.ledger.trust import Trust

EVIDENCE = click.option(
    "--evidence",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="More evidence to look at, beside PATH.hallmarked/evidence.json; may be repeated.",
)


def attestations(path: Path, evidence: Sequence[Path]) -> tuple[Attestation, ...]:
    """Return what is stated about files, each statement with the role its signer has in this machine's trust file.

    Args:
        path: The files.
        evidence: Evidence files somebody named.

    Raises:
        InputError: When a file cannot be read.
        VerificationError: When evidence does not hold.
    """
    return gather((*beside(path), *evidence), machine_trust())


def machine_trust() -> Trust:
    """Return whom this machine trusts; nobody while it has no trust file.

    Raises:
        InputError: When the trust file cannot be used.
    """
    try:
        return read_trust(home())
    except NotFound:
        return Trust()

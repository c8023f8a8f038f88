"""The statements that a command looks at: those an audit wrote beside the files, and those somebody named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.attested import beside, gather
from hallmarked.audit.verify import read_file
from hallmarked.cli.setting import PATH, home
from hallmarked.core.errors import NotFound
from hallmarked.core.evidence import Attestation
from hallmarked.ledger.ledger import read_trust
from hallmarked.ledger.trust import Trust, load_trust

EVIDENCE = click.option(
    "--evidence",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="More evidence to look at, beside PATH.hallmarked/evidence.json; may be repeated.",
)
TRUST = click.option("--trust", "trust_file", type=PATH, help="A trust file beside that of this machine.")


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


def machine_trust(trust_file: Path | None = None) -> Trust:
    """Return whom this machine trusts; nobody while it has no trust file.

    Args:
        trust_file: Another trust file, whose keys count beside those of this machine, which come first.

    Raises:
        InputError: When a trust file cannot be used.
    """
    try:
        trust = read_trust(home())
    except NotFound:
        trust = Trust()
    if trust_file is None:
        return trust
    known = {key.public for key in trust.keys}
    theirs = load_trust(read_file(trust_file)).keys
    return Trust((*trust.keys, *(key for key in theirs if key.public not in known)))

"""A folder with keys, a log and a trust file: all that one machine needs to make evidence."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import leaf_bytes, statement_bytes
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.key import SigningKey, create_key, load_key, load_or_create_key
from hallmarked.ledger.log import Entry, Log, Receipt
from hallmarked.ledger.sqlite import SqliteStore
from hallmarked.ledger.trust import Role, Trust, TrustedKey, dump_trust, load_trust, rotate

LOG, LOG_KEY, MAKER_KEY, NEXT_KEY, TRUST = "log.sqlite3", "log.pem", "maker.pem", "maker-next.pem", "trust.json"


class Ledger:
    """Signs statements, logs them and hands out evidence files. Use :meth:`open`.

    A context manager; may be shared between threads.
    """

    def __init__(self, folder: Path, log: Log, key: SigningKey, trust: Trust, passphrase: str | None) -> None:
        self.folder, self.log, self.key, self.trust = folder, log, key, trust
        self._passphrase = passphrase

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = True,
        passphrase: str | None = None,
        name: str = "",
        role: Role = Role.MAKER,
    ) -> Ledger:
        """Open the ledger in a folder, or make one there.

        Args:
            folder: Holds ``log.sqlite3``, ``log.pem``, ``maker.pem`` and ``trust.json``.
            create: Make what is missing.
            passphrase: Opens the keys, or protects new ones.
            name: Who signs, for the trust file of a new ledger.
            role: As what, likewise.

        Raises:
            NotFound: When there is none and none shall be made.
            InputError: When a key is readable by others or does not open, or a file is something else.
            BackendError: When something cannot be read or written, or the log is damaged.
        """
        read = load_or_create_key if create else load_key
        if not create and not (folder / LOG).is_file():
            raise NotFound(f"there is no ledger at {folder}")
        log_key, key = read(folder / LOG_KEY, passphrase), read(folder / MAKER_KEY, passphrase)
        origin = f"hallmarked.internal/{log_key.keyid[:16]}"
        log = Log(SqliteStore(folder / LOG, origin if create else None), log_key)
        try:
            trust = _load_trust_file(folder / TRUST)
            if trust is not None:
                key = _finish_rotation(folder, key, trust, passphrase)
            else:
                maker = TrustedKey(key.public, role, name or f"key {key.keyid[:8]}")
                trust = Trust((maker, TrustedKey(log_key.public, Role.LOG, log.origin)))
                _replace_file(folder / TRUST, dump_trust(trust))
        except BaseException:
            log.close()
            raise
        return cls(folder, log, key, trust, passphrase)

    def attest(
        self, statements: Sequence[Statement], *, time: datetime, blind_secret: bytes | None = None
    ) -> list[Receipt]:
        """Sign statements and log them in one commit.

        Args:
            statements: What was seen.
            time: When.
            blind_secret: Hide from readers of the log what the statements are about.

        Raises:
            InputError: When a statement cannot be written as canonical JSON, or the key is not valid at that time.
            BackendError: When the log cannot be written; then nothing was logged.
        """
        if time.tzinfo is None:
            raise InputError("a time needs a time zone")
        self.trust = _load_trust_file(self.folder / TRUST) or self.trust
        known = self.trust.find(self.key.keyid)
        if known is None or known.refuses(time):
            why = known.refuses(time) if known else "the signing key is not in the ledger's trust file"
            raise InputError(f"{why}; if it was replaced meanwhile, open the ledger again")
        return self.log.append([self.sign(statement, time, blind_secret=blind_secret) for statement in statements])

    def sign(self, statement: Statement, time: datetime, *, blind_secret: bytes | None = None) -> Entry:
        """Sign a statement so that it can be logged.

        Raises:
            InputError: When it cannot be written as canonical JSON.
        """
        envelope = sign_envelope(statement_bytes(statement), self.key)
        return Entry(
            envelope, self.key.public, leaf_bytes(envelope, statement.to_dict(), time, blind_secret=blind_secret)
        )

    def export_bundle(self, receipts: Sequence[Receipt]) -> bytes:
        """Write the evidence file of entries.

        Raises:
            InputError: When there are none, or one's envelope was erased.
            BackendError: When the log is damaged.
        """
        return export_bundle(self.log, [receipt.index for receipt in receipts], self.trust)

    def rotate_key(self, time: datetime) -> SigningKey:
        """Replace the signing key: a new one signs from ``time`` on, and the old one's window ends there.

        The old private key is kept beside it under its id, for its owner to destroy.

        Raises:
            InputError: When the current key is not valid any more.
            BackendError: When a file cannot be written.
        """
        old, path = self.key, self.folder / MAKER_KEY
        fresh = path.with_name(NEXT_KEY)
        new = create_key(fresh, self._passphrase)
        try:
            trust = rotate(self.trust, old.keyid, new.public, time)
        except InputError:
            fresh.unlink()
            raise
        # Trust first: after a crash in between, opening the ledger puts the listed key in place.
        _replace_file(self.folder / TRUST, dump_trust(trust))
        _take_over(self.folder, old.keyid)
        self.key, self.trust = new, trust
        return new

    def close(self) -> None:
        """Let go of the log."""
        self.log.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _load_trust_file(path: Path) -> Trust | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BackendError(f"cannot read {path}: {error.strerror}") from error
    try:
        return load_trust(data)
    except VerificationError as error:
        raise InputError(f"{path} cannot be used: {error}") from error


def _finish_rotation(folder: Path, key: SigningKey, trust: Trust, passphrase: str | None) -> SigningKey:
    """Finish, or undo, a rotation that was interrupted."""
    fresh = folder / NEXT_KEY
    if not fresh.exists():
        return key
    new = load_key(fresh, passphrase)
    if trust.find(new.keyid) is None:
        fresh.unlink()  # it never became known to anybody
        return key
    _take_over(folder, key.keyid)
    return new


def _take_over(folder: Path, old: str) -> None:
    """Put the next key in the place of the current one, which is kept under its id."""
    path = folder / MAKER_KEY
    try:
        shutil.copy2(path, path.with_name(f"maker-{old[:16]}.pem"))
        (folder / NEXT_KEY).replace(path)
    except OSError as error:
        raise BackendError(f"cannot replace the key {path}: {error.strerror}") from error


def _replace_file(path: Path, data: bytes) -> None:
    """Replace a file by new content so that a reader or a crash sees the old or the new one, whole."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise BackendError(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)

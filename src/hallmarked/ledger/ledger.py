"""A folder with keys, a log and a trust file: all that one machine needs to make evidence."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.bundle import export_bundle, import_bundle
from hallmarked.ledger.canonical import leaf_bytes, statement_bytes
from hallmarked.ledger.dsse import Envelope, sign_envelope
from hallmarked.ledger.key import SigningKey, create_key, load_key, load_or_create_key
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.log import Entry, Log, Receipt
from hallmarked.ledger.place import open_store
from hallmarked.ledger.statement import list_digests, read_statement
from hallmarked.ledger.trust import Role, Trust, TrustedKey, dump_trust, load_trust, rotate

LOG, LOG_KEY, MAKER_KEY, TRUST = "log.sqlite3", "log.pem", "maker.pem", "trust.json"


def read_log(folder: Path, url: str | None = None) -> Log:
    """Open the log of a ledger for reading, which needs no key.

    Args:
        folder: Holds the log, unless a database does.
        url: That database.

    Raises:
        NotFound: When there is none.
        InputError: When the file is something else.
        BackendError: When it cannot be read, or is damaged.
    """
    return Log(open_store(url or folder / LOG))


def read_trust(folder: Path) -> Trust:
    """Read the trust file of a ledger.

    Raises:
        NotFound: When there is none.
        InputError: When it cannot be used.
        BackendError: When it cannot be read.
    """
    trust = _load_trust_file(folder / TRUST)
    if trust is None:
        raise NotFound(f"there is no trust file at {folder / TRUST}")
    return trust


def change_trust(folder: Path, change: Callable[[Trust], Trust]) -> Trust:
    """Change the trust file of a ledger, which may be in use meanwhile; one change at a time.

    Args:
        folder: Of the ledger.
        change: Makes the new keys of those there are.

    Raises:
        NotFound: When there is none.
        InputError: When it cannot be used, or the change is refused.
        BackendError: When it cannot be read or written.
    """
    with _locked(folder / TRUST):
        made = change(read_trust(folder))
        _replace_file(folder / TRUST, dump_trust(made))
    return made


class KeyReplaced(InputError):
    """A key of the ledger does not sign any more: somebody replaced it while the ledger was open."""


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
        url: str | None = None,
        origin: str = "",
    ) -> Ledger:
        """Open the ledger in a folder, or make one there.

        Args:
            folder: Holds ``log.pem``, ``maker.pem``, ``trust.json``, and ``log.sqlite3`` unless a database has the log.
            create: Make what is missing.
            passphrase: Opens the keys, or protects new ones.
            name: Who signs, for the trust file of a new ledger.
            role: As what, likewise.
            url: The database that has the log, as ``postgresql://user@host/name``.
            origin: What a new log is called; where it is served, without scheme, when anybody is to read it there.

        Raises:
            NotFound: When there is none and none shall be made.
            InputError: When a key is readable by others or does not open, or a file is something else.
            BackendError: When something cannot be read or written, or the log is damaged.
        """
        read = load_or_create_key if create else load_key
        if not create and not os.path.isfile(folder / (MAKER_KEY if url else LOG)):  # unlike pathlib, false when hidden
            raise NotFound(f"there is no ledger at {folder}")
        log_key, key = read(folder / LOG_KEY, passphrase), read(folder / MAKER_KEY, passphrase)
        trust = _load_trust_file(folder / TRUST)
        if trust is not None:
            log_key = _finish_rotation(folder / LOG_KEY, log_key, trust, passphrase)
            key = _finish_rotation(folder / MAKER_KEY, key, trust, passphrase)
        origin = origin or f"hallmarked.internal/{log_key.keyid[:16]}"
        log = _open_log(url or folder / LOG, origin if create else None, log_key)
        try:
            if trust is None:
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
        return self.log.append(self.prepare(statements, time=time, blind_secret=blind_secret))

    def prepare(
        self, statements: Sequence[Statement], *, time: datetime, blind_secret: bytes | None = None
    ) -> list[Entry]:
        """Sign statements so that they can be logged and will verify.

        Args:
            statements: What was seen.
            time: When.
            blind_secret: Hide from readers of the log what the statements are about.

        Raises:
            InputError: When a statement cannot be written as canonical JSON.
            KeyReplaced: When the key is not valid at that time.
        """
        if time.tzinfo is None:
            raise InputError("a time needs a time zone")
        self.trust = _load_trust_file(self.folder / TRUST) or self.trust
        self._refuse_replaced_keys(time)
        return [self.sign(statement, time, blind_secret=blind_secret) for statement in statements]

    def adopt(self, data: bytes, trust: Trust, time: datetime) -> list[Receipt]:
        """Log statements that others signed, in one commit; those that are in the log already are passed over.

        Args:
            data: Their evidence file.
            trust: Whom to trust; all of it must be by them.
            time: When.

        Raises:
            VerificationError: When a link of the chain of evidence is broken.
            InputError: When a statement is not by somebody trusted, or their key does not speak for this time.
            BackendError: When the log cannot be written; then nothing was logged.
        """
        verified, envelopes = import_bundle(data, trust)
        new = []
        for entry, envelope in zip(verified.entries, envelopes, strict=True):
            key = trust.find(entry.keyid)
            if key is None or not entry.trusted:
                raise InputError(f"entry {entry.index} is not taken over: {entry.reason}")
            if why := key.refuses(time):
                raise InputError(f"entry {entry.index} is not taken over: {why}")
            if not self._has(envelope):
                hide = secrets.token_bytes(32) if entry.blinded else None  # what they hid is not for us to show
                new.append(Entry.of(envelope, key.public, time, blind_secret=hide))
        return self.log.append(new)

    def _has(self, envelope: Envelope) -> bool:
        """Say whether an envelope was logged."""
        subject = list_digests(read_statement(envelope.payload))[0]
        return any(read_leaf(self.log.leaf(index)).env == envelope.digest for index in self.log.find(subject))

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
        self.key = self._rotate(MAKER_KEY, self.key.keyid, time, lambda _key: None)
        return self.key

    def rotate_log_key(self, time: datetime) -> SigningKey:
        """Replace the key that signs checkpoints; the log keeps its name and its entries.

        The old private key is kept beside it under its id, for its owner to destroy.

        Raises:
            InputError: When the current key is not valid any more.
            BackendError: When a file or the log cannot be written.
        """
        return self._rotate(LOG_KEY, self.log.keyid, time, self.log.rotate_key)

    def _rotate(self, name: str, old: str, time: datetime, announce: Callable[[SigningKey], None]) -> SigningKey:
        path = self.folder / name
        fresh = _successor(path)
        new = create_key(fresh, self._passphrase)
        try:
            if _load_trust_file(self.folder / TRUST) not in (None, self.trust):
                raise InputError("the trust file was changed meanwhile; open the ledger again")
            trust = rotate(self.trust, old, new.public, time)
        except InputError:
            fresh.unlink()
            raise
        announce(new)
        # Trust first: after a crash in between, opening the ledger puts the listed key in place.
        _replace_file(self.folder / TRUST, dump_trust(trust))
        _take_over(path, old)
        self.trust = trust
        return new

    def _refuse_replaced_keys(self, time: datetime) -> None:
        """Make sure that what gets signed now will verify.

        Raises:
            KeyReplaced: When a key does not speak for this time, for example because another process replaced it.
        """
        known = self.trust.find(self.key.keyid)
        why = known.refuses(time) if known else "the signing key is not in the ledger's trust file"
        log_key = self.trust.find(self.log.keyid)
        if log_key is not None and not why:
            # A log's key may be younger than what it signs.
            why = log_key.refuses(max(time, log_key.not_before or time))
        if why:
            raise KeyReplaced(f"{why}; if it was replaced meanwhile, open the ledger again")

    def close(self) -> None:
        """Let go of the log."""
        self.log.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_log(place: Path | str, origin: str | None, key: SigningKey) -> Log:
    store = open_store(place, origin)
    try:
        return Log(store, key)
    except BaseException:
        store.close()
        raise


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


def _finish_rotation(path: Path, key: SigningKey, trust: Trust, passphrase: str | None) -> SigningKey:
    """Finish, or undo, a rotation of a key that was interrupted."""
    fresh = _successor(path)
    if not fresh.exists():
        return key
    new = load_key(fresh, passphrase)
    if trust.find(new.keyid) is None:
        fresh.unlink()  # it never became known to anybody
        return key
    _take_over(path, key.keyid)
    return new


def _successor(path: Path) -> Path:
    """Return where the next key lies until it takes over."""
    return path.with_name(f"{path.stem}-next{path.suffix}")


def _take_over(path: Path, old: str) -> None:
    """Put the next key in the place of the current one, which is kept under its id."""
    try:
        shutil.copy2(path, path.with_name(f"{path.stem}-{old[:16]}{path.suffix}"))
        _successor(path).replace(path)
    except OSError as error:
        raise BackendError(f"cannot replace the key {path}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let nobody else change a file meanwhile; it is replaced, so a file beside it is what gets locked."""
    try:
        with path.with_name(f".{path.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise BackendError(f"cannot change {path}: {error.strerror}") from error


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

"""Settings: one TOML file, and the environment over it; each is declared here once, with its meaning."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from hallmarked.core.errors import InputError

PREFIX = "HALLMARKED"
DATABASE = "hub.sqlite3"
"""File of the database in the data folder, when there is no other one."""


def setting(default: Any, meaning: str) -> Any:
    """Declare a setting with its default and its meaning, from which the documentation is made."""
    return field(default=default, metadata={"help": meaning})


@dataclass(frozen=True)
class Server:
    """How the hub is reached."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8474, "Port to listen on.")
    url: str = setting("", "Address that people and clients use, when a proxy stands in front; else as they asked.")
    workers: int = setting(1, "Processes that answer requests.")
    name: str = setting("hallmarked", "What this hub is called, on its pages and in its evidence.")
    hosts: tuple[str, ...] = setting((), "Names this hub answers to besides the one in url; * for any.")
    metrics_token: str = setting("", "Token with which other machines may read /metrics; without it only this one may.")
    accelerate: str = setting("", "Internal location of a proxy that sends files (X-Accel-Redirect), e.g. /blobs/.")


@dataclass(frozen=True)
class Storage:
    """Where things are kept."""

    data: str = setting("hallmarked-data", "Folder for the database, files, keys and the ledger.")
    database: str = setting("", "postgresql://… ; empty for SQLite in the data folder.")
    blobs: str = setting("", "s3://bucket/prefix ; empty for a folder in the data folder.")
    endpoint: str = setting("", "Address of the S3 service, when it is not the usual one.")


@dataclass(frozen=True)
class Limit:
    """What one caller may use."""

    file_gib: int = setting(512, "Largest file, GiB.")
    whole_mib: int = setting(4096, "Files from this size on are sent in parts by Git LFS clients that can, MiB.")
    commit_mib: int = setting(256, "Largest body of a commit, MiB; large files are not in it.")
    restore_days: int = setting(30, "How long a deleted repository can be restored.")
    sign_ins: int = setting(10, "Wrong passwords and tokens from one address, and for one account, a minute.")
    changes: int = setting(6_000, "Changing requests by one account or address, a minute; 0 for any number.")
    reads: int = setting(60_000, "Other requests by one account or address, a minute; 0 for any number.")


@dataclass(frozen=True)
class Policy:
    """What the hub does with what the checks found."""

    context: str = setting("", "Context that pushes are judged for; empty for the default one.")
    folder: str = setting("", "Folder with policy files of this hub's own, beside the contexts that are shipped.")
    required: tuple[str, ...] = setting(
        (), "Contexts in which everybody's files have to pass before others get them, besides that of pushes."
    )
    allow_unknown: tuple[str, ...] = setting(
        ("malware",), "Checks whose answer 'unknown' keeps no revision back, or `all`."
    )
    release: str = setting(
        "administrators", "Who releases what is held back: administrators (one of two), or reviewers."
    )
    while_checked: str = setting("passive", "What others may get before the audit is in: none, passive or all.")
    superseded: str = setting(
        "refuse", "What downloads of a superseded revision get after its day: refuse (410), or warn in headers only."
    )


@dataclass(frozen=True)
class Job:
    """How audits run."""

    in_server: bool = setting(True, "Whether `hallmarked serve` audits too; false when `hallmarked worker` does it.")
    threads: int = setting(2, "Audits at once in one process; one account never has more than one going on at once.")
    processes: int = setting(1, "Parts of a data set that one audit reads at once; 0: one per core, at most 4.")
    check_minutes: int = setting(15, "How long one check may take, minutes.")
    check_memory_mib: int = setting(2048, "Memory of one check, MiB.")
    attempts: int = setting(3, "How often an audit is begun again after a crash before it is given up as unknown.")
    recheck_per_minute: int = setting(6, "Older revisions audited again per minute after the rules changed.")
    grace_seconds: int = setting(20, "How long a process that is told to stop waits for audits; they resume later.")
    benchmarks: str = setting("", "Folder with a file or folder per benchmark to look for in data sets; empty: none.")


@dataclass(frozen=True)
class Terms:
    """What people agree to before they change anything."""

    version: str = setting("", "Version in force, e.g. 2026-11; empty: there are no terms. A new one is accepted anew.")
    text: str = setting("", "The terms, as Markdown, or the path of a file that has them.")


@dataclass(frozen=True)
class Login:
    """Signing in through another service (OpenID Connect), beside passwords."""

    issuer: str = setting("", "Address of the service, as it names itself; empty for none.")
    client: str = setting("", "Name by which the service knows this hub (client id).")
    secret: str = setting("", "Secret that goes with it.")
    label: str = setting("", "What the button says the service is called; empty for its host.")
    create: bool = setting(False, "Make an account for whoever comes from there the first time.")
    register: bool = setting(False, "Let anybody make an account with a password.")


@dataclass(frozen=True)
class Outbound:
    """Where the hub sends requests that other people cause: webhooks, imports."""

    ports: tuple[str, ...] = setting(("443",), "Ports on the public internet that such requests may go to.")
    plain: bool = setting(False, "Also allow http:// there, which is not encrypted.")
    hosts: tuple[str, ...] = setting((), "Internal hosts they may go to as well, as host or host:port.")


@dataclass(frozen=True)
class Search:
    """Looking for passages in the texts of data sets whose owners allow it."""

    questions: int = setting(30, "Questions of one account, and of one address, an hour; 0 for none.")
    folder: str = setting("", "Where indexes are kept, shared by all machines of a hub; empty: in the data folder.")
    block_mib: int = setting(64, "Size of their blocks, MiB; making one takes about eight times as much memory.")


@dataclass(frozen=True)
class Consent:
    """The registry in which people allow or refuse the use of their data."""

    policy: str = setting("1", "Version of the policy that requests fall under; it stands in every receipt.")
    keys: str = setting("", "Folder of the registry's keys; empty for one in the data folder.")
    due_days: int = setting(30, "Days until a confirmed request holds for every new version.")
    lookups: int = setting(100, "Identifiers one account or network may look up privately, a day; each is one guess.")
    smtp: str = setting("", "Mail server for codes, as host or host:port; empty: codes by e-mail are not offered.")
    smtp_security: str = setting("starttls", "How the mail server is spoken to: starttls, tls or none.")
    smtp_user: str = setting("", "Name at the mail server; empty for none.")
    smtp_password: str = setting("", "Password at the mail server.")
    smtp_from: str = setting("", "Address that mails come from.")


@dataclass(frozen=True)
class Settings:
    """All settings, by section."""

    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    limit: Limit = field(default_factory=Limit)
    policy: Policy = field(default_factory=Policy)
    job: Job = field(default_factory=Job)
    terms: Terms = field(default_factory=Terms)
    login: Login = field(default_factory=Login)
    outbound: Outbound = field(default_factory=Outbound)
    search: Search = field(default_factory=Search)
    consent: Consent = field(default_factory=Consent)

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.storage.data)

    @property
    def scratch(self) -> Path:
        """Where audits keep temporary files."""
        return self.data / "scratch"

    @property
    def indexes(self) -> Path:
        """Where indexes of data sets are kept."""
        return Path(self.search.folder) if self.search.folder else self.data / "search"

    @property
    def database_url(self) -> str:
        """Address of the database."""
        return self.storage.database or f"sqlite:///{self.data.absolute() / DATABASE}"


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Args:
        path: The TOML file; None for defaults and environment alone.
        environment: ``HALLMARKED_SECTION_KEY`` overrides ``key`` in ``[section]``.

    Raises:
        InputError: When the file cannot be read, or names something that is not a setting.
    """
    try:
        data = tomllib.loads(path.read_text()) if path is not None else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the settings {path} cannot be read: {error}") from error
    sections = {item.name: item.default_factory for item in fields(Settings)}
    if unknown := sorted(set(data) - set(sections)):
        raise InputError(f"{path}: there is no section [{unknown[0]}]; there are {', '.join(sections)}")
    made = {name: _section(kind, name, data.get(name, {}), environment) for name, kind in sections.items()}
    return Settings(**made)


def settings_from(data: Mapping[str, Any]) -> Settings:
    """Read settings back from what :func:`dataclasses.asdict` made of them.

    Raises:
        InputError: When they are not that.
    """
    kinds = {item.name: item.default_factory for item in fields(Settings)}
    return Settings(**{name: _section(kind, name, data.get(name, {}), {}) for name, kind in kinds.items()})


def _section(kind: Any, name: str, given: Any, environment: Mapping[str, str]) -> Any:
    types = get_type_hints(kind)
    known = {item.name for item in fields(kind)}
    if not isinstance(given, dict) or (unknown := sorted(set(given) - known)):
        raise InputError(
            f"[{name}] has no setting {unknown[0]}" if isinstance(given, dict) else f"[{name}] is no section"
        )
    values = {key: _value(types[key], f"{name}.{key}", value) for key, value in given.items()}
    for key in known:
        text = environment.get(f"{PREFIX}_{name}_{key}".upper())
        if text is not None:
            values[key] = _from_text(types[key], f"{name}.{key}", text)
    return kind(**values)


def _value(kind: Any, name: str, value: Any) -> Any:
    if kind not in (str, int, bool):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(f"the setting {name} has to be a list of texts")
        return tuple(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"the setting {name} has to be a {kind.__name__}")
    return value


def _from_text(kind: Any, name: str, text: str) -> Any:
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise InputError(f"the setting {name} has to be true or false")
        return text.lower() == "true"
    if kind is int:
        try:
            return int(text)
        except ValueError as error:
            raise InputError(f"the setting {name} has to be a number") from error
    return tuple(part.strip() for part in text.split(",") if part.strip())

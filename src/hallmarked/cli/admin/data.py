"""``hallmarked admin backup|restore|check|migrate|purge|collect-garbage``: the data of a hub."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import click

from hallmarked.cli.admin.place import with_settings
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.core.text import clean
from hallmarked.hub.database import Database
from hallmarked.hub.hub import open_hub
from hallmarked.hub.migration.upgrade import migrate
from hallmarked.hub.setting import Settings
from hallmarked.hub.upkeep.backup import Copied, back_up, restore
from hallmarked.hub.upkeep.garbage import Terms, collect_garbage
from hallmarked.hub.upkeep.integrity import check_hub
from hallmarked.hub.upkeep.purge import purge


@click.command(name="backup")
@click.argument("target", type=PATH)
@with_settings()
def backup_command(settings: Settings, target: Path) -> None:
    """Copy everything a hub keeps into the empty folder TARGET; the hub may go on serving.

    On the same disk, large files are only given a second name there. Keep the copy secret: it holds the hub's keys.
    """
    with open_hub(settings, passphrase()) as hub:
        _say("Copied", back_up(hub, target))


@click.command(name="restore")
@click.argument("source", type=PATH)
@with_settings(new=True)
def restore_command(settings: Settings, source: Path) -> None:
    """Make a hub from the backup SOURCE where there is none; prove it then with `hallmarked admin check --deep`."""
    _say("Restored", restore(source, settings))


@click.command(name="check")
@click.option("--deep", is_flag=True, help="Read every large file and compare its digest.")
@with_settings()
def check_command(settings: Settings, deep: bool) -> None:
    """Prove that database, files and ledger agree.

    Exit status: 0 they do, 1 they do not, 2 it could not be told.
    """
    faults = 0
    with open_hub(settings, passphrase()) as hub:
        for fault in check_hub(hub, deep=deep):
            faults += 1
            click.echo(clean(fault))
    click.echo(f"{faults} faults" if faults else "Database, files and ledger agree.", err=bool(faults))
    click.get_current_context().exit(1 if faults else 0)


@click.command(name="migrate")
@with_settings()
def migrate_command(settings: Settings) -> None:
    """Bring the database to the version this program needs. Stop the hub and make a backup first."""
    with contextlib.closing(Database(settings.database_url)) as database:
        before, after = migrate(database)
    click.echo(f"The database is of version {after}, as before." if before == after else f"{before} → {after}")


@click.command(name="purge")
@click.option("--days", type=click.IntRange(0), help="Deleted at least so long ago [limit.restore_days].")
@with_settings()
def purge_command(settings: Settings, days: int | None) -> None:
    """Forget repositories for good that were deleted long ago; what the ledger says of them stays."""
    with open_hub(settings, passphrase()) as hub:
        count = purge(hub.database, settings.limit.restore_days if days is None else days)
    click.echo(f"{count} repositories are gone for good.")


@click.command(name="collect-garbage")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@with_settings()
def collect_command(settings: Settings, dry_run: bool) -> None:
    """Remove files that no repository has, and repositories that cannot be restored; the hub may go on serving.

    What came lately stays: clients remember for weeks what they sent, and do not send it again.
    """
    with open_hub(settings, passphrase()) as hub:
        terms = Terms(restore=timedelta(days=settings.limit.restore_days), dry_run=dry_run)
        done = collect_garbage(hub, terms)
    click.echo(
        f"{'Would remove' if dry_run else 'Removed'} {done.repositories:,} repositories and {done.files:,} files"
        f" ({done.size:,} bytes); {done.waiting:,} unused files are too young."
    )


def _say(what: str, copied: Copied) -> None:
    click.echo(
        f"{what} {copied.rows:,} rows, {copied.entries:,} entries of the ledger and {copied.blobs:,} large files"
        f" ({copied.size:,} bytes)."
    )

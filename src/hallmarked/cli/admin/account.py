"""``hallmarked admin``: accounts. For whoever may read the hub's data anyway; each act is in the audit trail."""

from __future__ import annotations

import click

from hallmarked.cli.admin.place import with_settings
from hallmarked.cli.setting import passphrase
from hallmarked.hub.account.account import find_account
from hallmarked.hub.account.password import check_password, hash_password
from hallmarked.hub.account.session import set_password as keep_password
from hallmarked.hub.account.ticket import Person, enrol, make_setup
from hallmarked.hub.hub import open_hub
from hallmarked.hub.setting import Settings
from hallmarked.hub.upkeep.closure import disable_account, enable_account
from hallmarked.hub.upkeep.closure import set_administrator as let_manage
from hallmarked.web.address import setup_address

PASSWORD = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="HALLMARKED_NEW_PASSWORD",
    help="Asked for when it is not given; HALLMARKED_NEW_PASSWORD keeps it out of the list of processes.",
)  # fmt: skip


@click.command()
@click.argument("name")
@click.option("--full-name", default="", help="What the person is called.")
@click.option("--email", default="", help="Where they are reached.")
@click.option("--administrator", is_flag=True, help="Let them manage everything.")
@PASSWORD
@with_settings(new=True)
def create_user(settings: Settings, name: str, full_name: str, email: str, administrator: bool, password: str) -> None:
    """Make an account for somebody."""
    kept = hash_password(check_password(password, name, email))
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        made = enrol(db, Person(name, "", full_name, email), kept, administrator=administrator)
    click.echo(f"made the account {made.name}", err=True)


@click.command()
@click.argument("name")
@PASSWORD
@with_settings()
def set_password(settings: Settings, name: str, password: str) -> None:
    """Give an account a new password; everybody who is signed in to it has to sign in again."""
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        found = find_account(db, name, kind="user")
        keep_password(db, found.id, hash_password(check_password(password, found.name, found.email)))
    click.echo(f"{found.name} has a new password", err=True)


@click.command()
@click.argument("name")
@click.option("--no", "off", is_flag=True, help="No longer.")
@with_settings()
def set_administrator(settings: Settings, name: str, off: bool) -> None:
    """Let somebody manage everything, or no longer."""
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        let_manage(db, find_account(db, name, kind="user").id, not off)


@click.command()
@click.argument("name")
@with_settings()
def disable_user(settings: Settings, name: str) -> None:
    """Let an account do nothing any more; nothing of it is deleted."""
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        disable_account(db, find_account(db, name).id)


@click.command()
@click.argument("name")
@with_settings()
def enable_user(settings: Settings, name: str) -> None:
    """Undo disable-user."""
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        enable_account(db, find_account(db, name, disabled=True).id)


@click.command()
@with_settings(new=True)
def setup_link(settings: Settings) -> None:
    """Print a link that makes the first administrator's account, once; earlier links work no more."""
    with open_hub(settings, passphrase()) as hub, hub.database.write() as db:
        click.echo(setup_address(settings.server, make_setup(db)))

"""``hallmarked witness``: watch other people's logs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, read_file
from hallmarked.audit.witness import Look, Watcher
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.ledger.contradiction import judge as judge_contradiction
from hallmarked.ledger.contradiction import read_contradiction
from hallmarked.ledger.note import MAX_NOTE, NoteKey, read_note_key

KEY = click.option("--key", "keys", multiple=True, metavar="KEY", help="The log's key, name+id+key; may be repeated.")


def _watcher(name: str = "") -> closing[Watcher]:
    return closing(Watcher(home() / "witness", passphrase=passphrase(), name=name))


@click.group()
def command() -> None:
    """Watch other people's logs: nobody can change what was signed once somebody has seen it.

    A witness looks at a hub's log from time to time, makes sure that it only grew, cosigns its checkpoint, and keeps
    every hash. When a log takes back, rewrites or shows different people different entries, the witness says so, ends
    with status 1, and keeps a file with which anybody who has the log's public key can judge for themselves.
    """


@command.command()
@click.argument("url")
@KEY
@click.option("--name", default="", help="What this witness is called, the first time.")
@click.pass_context
def add(ctx: click.Context, url: str, keys: Sequence[str], name: str) -> None:
    """Watch the log of the hub, or the log, at URL.

    Get the log's key from its operator by a way you trust; a hub prints it at /ledger/key. Give it again with another
    key when the operator has replaced the log's key.
    """
    if not keys:
        raise InputError("name the log's key with --key; a key that comes with the log would vouch for nothing")
    with _watcher(name) as watcher:
        look = watcher.add(url, [read_note_key(key) for key in keys], datetime.now(UTC))
        click.echo(f"this witness is {watcher.key}", err=True)
        _say(ctx, [look])


@command.command("list")
def show_list() -> None:
    """List the logs that are watched: name, address, and the file with the last checkpoint seen."""
    with _watcher() as watcher:
        for log in watcher.logs():
            click.echo(f"{clean(log.origin)}  {clean(log.url)}  {watcher.checkpoint_file(log.origin)}")


@command.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Look at every log once.

    Exit status: 0 each continues what was seen, 1 one contradicts itself, 2 one could not be looked at.
    """
    with _watcher() as watcher:
        _say(ctx, _look_at_all(watcher, threading.Event()))


@command.command()
@click.option("--interval", type=click.IntRange(1), default=300, show_default=True, help="Seconds between two rounds.")
@click.option("--once", is_flag=True, help="One round, as check does.")
@click.pass_context
def run(ctx: click.Context, interval: int, once: bool) -> None:
    """Look at every log again and again, until told to stop.

    Ends with status 1 after a round in which a log contradicted itself. A log that cannot be reached is tried again in
    the next round.
    """
    with _watcher() as watcher, _stopping() as stop:
        while True:
            looks = _look_at_all(watcher, stop)
            _say(ctx, looks, finish=once or any(look.status == BROKEN for look in looks))
            if stop.wait(interval):
                return


@command.command()
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@KEY
@click.option("--url", help="Where the log is, when it is not among those watched.")
@click.pass_context
def compare(ctx: click.Context, files: Sequence[Path], keys: Sequence[str], url: str | None) -> None:
    """Compare checkpoints that different people saw: FILE is the checkpoint a witness keeps.

    Exit status: 0 they are of one history, 1 the log showed different ones, 2 it could not be told.
    """
    with _watcher() as watcher:
        notes = [_text(path) for path in files]
        _say(ctx, watcher.compare(notes, [read_note_key(key) for key in keys], url))


@command.command()
@click.argument("file", type=PATH)
@KEY
@click.pass_context
def judge(ctx: click.Context, file: Path, keys: Sequence[str]) -> None:
    """Judge FILE, in which a witness says that a log contradicts itself. Needs no network and no trust in the witness.

    Exit status: 1 it is proven, 2 it rests on the witness's word, or you named no key of the log. A file that proves
    nothing is refused.
    """
    contradiction, stated = read_contradiction(read_file(file))
    known: list[NoteKey] = [read_note_key(key) for key in keys]
    judgement = judge_contradiction(contradiction, known or stated)
    if not known:
        click.echo("? The log's key comes from the file itself; name the one you know with --key")
    if judgement.proven:
        click.echo(f"✖ Proven: {clean(judgement.origin)} contradicts itself: {clean(judgement.sentence)}")
    else:
        click.echo(f"? Not proven: {clean(judgement.origin)}: {clean(judgement.sentence)}")
    ctx.exit(BROKEN if judgement.proven and known else OPEN)


def _text(path: Path) -> str:
    data = read_file(path)
    try:
        if len(data) <= MAX_NOTE:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise InputError(f"{path} is not a checkpoint")


def _look_at_all(watcher: Watcher, stop: threading.Event) -> list[Look]:
    logs = watcher.logs()
    if not logs:
        raise InputError("no log is watched yet; begin with: hallmarked witness add URL --key KEY")
    return [watcher.look(log, datetime.now(UTC)) for log in logs if not stop.is_set()]


def _say(ctx: click.Context, looks: Sequence[Look], *, finish: bool = True) -> None:
    """Print what came of it, and end with the worst status: a contradiction is worse than not knowing."""
    for look in looks:
        click.echo(f"{'✔✖?'[look.status]} {clean(look.sentence)}")
        if look.proof is not None:
            click.echo(f"  The proof is in {look.proof}; anybody can judge it with: hallmarked witness judge FILE")
    statuses = {look.status for look in looks}
    if finish:
        ctx.exit(BROKEN if BROKEN in statuses else max(statuses, default=HOLDS))


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Give an event that is set when somebody asks this program to stop."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

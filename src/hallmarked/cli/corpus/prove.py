"""``hallmarked corpus prove`` and ``verify-proof``: is a content in a version?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.build.proof import check_content, prove_content, read_content
from hallmarked.audit.verify import read_file, trust_of
from hallmarked.cli.setting import PATH, home
from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.proof.key import load_row_key

KEY = "rows.pem"


@click.command()
@click.argument("folder", type=PATH)
@click.option("--content", type=PATH, required=True, help="Text file with the content somebody asks about.")
@click.option("--output", type=PATH, required=True, help="New file for the proof.")
@click.option("--deleted", is_flag=True, help="Ask whether it was deleted because of its age instead.")
@click.option("--rows-key", type=PATH, help="Key the version was built with [the one in the home folder].")
def prove(folder: Path, content: Path, output: Path, deleted: bool, rows_key: Path | None) -> None:
    """Make a proof that a version holds a content, or that it does not.

    FOLDER is a version that hallmarked corpus build made. The proof is for whoever has the content: it lets them test
    guesses of one in 16,384 other contents, so give it to nobody else.

    Exit status: 0 the proof was written, whatever it shows, 2 could not do it.
    """
    key = load_row_key(rows_key or home() / KEY)
    proof, there = prove_content(folder, read_content(content), key, deleted=deleted)
    try:
        with output.open("xb") as out:
            out.write(proof)
    except FileExistsError:
        raise InputError(f"{output} is there already; nothing is overwritten, choose another --output") from None
    except OSError as error:
        raise BackendError(f"cannot write {output}: {(error.strerror or '').lower()}") from error
    what = "among what was deleted" if deleted else "in the version"
    click.echo(f"The content is {what}." if there else f"The content is not {what}.")
    click.echo(f"Give {output} and {folder / 'evidence.json'} to whoever asked, and say which keys are yours")
    click.echo("(hallmarked key show prints their ids). With their text they check it by")
    click.echo("  hallmarked corpus verify-proof PROOF EVIDENCE --content FILE --key ID --key ID")


@click.command(name="verify-proof")
@click.argument("proof", type=PATH)
@click.argument("evidence", type=PATH)
@click.option("--content", type=PATH, required=True, help="Text file with the content.")
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def verify_proof(
    ctx: click.Context,
    proof: Path,
    evidence: Path,
    content: Path,
    keys: Sequence[str],
    trust_file: Path | None,
    form: str,
) -> None:
    """Say whether a content was left out of a version, by a proof that its owner gave. Needs no network.

    PROOF is what hallmarked corpus prove wrote, EVIDENCE the evidence.json of the version.

    Exit status: 0 it is shown that the content was left out, or deleted, 1 that it was not, or the proof does not hold,
    2 it is not shown by anybody you trust.
    """
    data = read_file(evidence)
    trust = trust_of(data, keys, read_file(trust_file) if trust_file else None)
    shown = check_content(read_file(proof), data, trust, read_content(content))
    if form == "json":
        said = {"status": shown.status, "there": shown.there, "deleted": shown.deleted, "summary": shown.lines}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(shown.lines))
    ctx.exit(shown.status)

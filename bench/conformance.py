"""Run the tests of ``huggingface_hub`` itself against a hub on this machine: ``python -m bench.conformance``.

For each generation of the client: an environment of its own, its source distribution (which holds the tests; it is
downloaded, not kept), our plugin with the fixtures the tests name (``bench/conformance_plugin.py``), and a fresh hub
with the accounts the tests expect.

A test is *applicable* when all of these hold; everything else is counted as left out, with the rule that left it out:

* it asks the hub something (tests of the client alone say nothing about a hub);
* it asks no other host, and is not marked as a test of the public hub;
* it is not about a service this hub does not offer: see ``NOT_OFFERED``;
* the suite itself does not skip it.

The hub runs with ``while_checked = "all"``: the tests download what they pushed a moment ago, before an audit is in;
and with ``whole_mib = 16``: the tests expect files of 18 MB to be sent in parts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.hubs import RunningHub, serve_test_hub

from bench.table import markdown
from hallmarked.hub.access import Role
from hallmarked.hub.account.account import create_account, find_account, set_role
from hallmarked.hub.schema.account import account
from hallmarked.hub.setting import Limit, Policy, Settings, Storage

GENERATIONS = ("0.36.2", "1.19.0", "2.4.0")
MAIN = ("test_hf_api.py", "test_snapshot_download.py", "test_repocard.py", "test_cli_discussions.py")
"""The files whose figure is promised."""
MORE = (
    "test_hf_file_system.py",
    "test_file_download.py",
    "test_commit_api.py",
    "test_commit_scheduler.py",
    "test_copy_files.py",
    "test_xet_upload.py",
    "test_xet_download.py",
    "test_lfs.py",
    "test_hub_mixin.py",
    "test_upload_pipeline.py",
    "test_upload_large_folder.py",
    "test_verification.py",
    "test_tree_cache.py",
    "test_eval_results.py",
    "test_cli.py",
    "test_cache_layout.py",
    "test_cache_no_symlinks.py",
    "test_auth.py",
    "test_login_utils.py",
)
NOT_OFFERED = re.compile(
    r"bucket|kernel|inference|job|sandbox|collection|paper|leaderboard|volume|secret|hardware", re.I
)
"""Services that this hub does not have, as the tests' names spell them; nothing uploaded is ever run here."""
_ELSEWHERE = re.compile(r"/api/(?:buckets|collections|daily_papers|jobs|kernels|papers|sandboxes|scheduled-jobs)")
"""Their addresses."""
LIBRARIES = (
    "pytest", "pytest-mock", "pytest-timeout", "pytest-vcr", "pytest-rerunfailures", "pytest-asyncio", "pytest-env",
    "Jinja2", "jedi", "Pillow", "numpy", "fsspec", "soundfile", "typer", "hf-xet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    test: str
    outcome: str
    """``passed``, ``failed`` or ``skipped``."""
    reason: str
    left_out: str
    """The rule by which it is not applicable; empty when it is."""


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generation", nargs="+", default=GENERATIONS, help="versions of the client")
    parser.add_argument("--work", type=Path, help="folder for environments and tests, kept for the next run")
    parser.add_argument("--file", nargs="+", default=[*MAIN, *MORE], help="test files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(report(arguments.work or Path(folder), arguments.generation, arguments.file))


def report(work: Path, generations: Sequence[str] = GENERATIONS, files: Sequence[str] = (*MAIN, *MORE)) -> str:
    """Run the tests of every generation and write what came of them as Markdown."""
    return "\n".join(_generation(work, generation, files) for generation in generations)


def _generation(work: Path, generation: str, files: Sequence[str]) -> str:
    python = _environment(work / f"env-{generation}", generation)
    suite = _suite(work / f"suite-{generation}", generation, python)
    chosen = [name for name in files if (suite / "tests" / name).exists()]
    rows, failures = [], []
    for group, names in (("promised", MAIN), ("more", MORE)):
        for name in [name for name in names if name in chosen]:
            outcomes = _run(python, suite, name)
            counted = [one for one in outcomes if not one.left_out]
            passed = sum(one.outcome == "passed" for one in counted)
            print(f"{generation} {name}: {passed} of {len(counted)}", file=sys.stderr, flush=True)
            left_out = Counter(one.left_out for one in outcomes if one.left_out)
            rows.append(
                [name, group, f"{passed}/{len(counted)}", ", ".join(f"{n} {why}" for why, n in left_out.items())]
            )
            failures += [[name, one.test, one.reason.replace("|", "/")] for one in counted if one.outcome == "failed"]
    parts = [f"### huggingface_hub {generation}\n", markdown(["file", "group", "passed/applicable", "left out"], rows)]
    for group in ("promised", "more"):
        done = [row[2].split("/") for row in rows if row[1] == group]
        passed, counted_all = (sum(int(pair[place]) for pair in done) for place in (0, 1))
        if counted_all:
            parts.append(f"{group}: {passed} of {counted_all} applicable pass ({passed / counted_all:.1%}).\n")
    if failures:
        parts.append(markdown(["file", "test", "what it says"], failures))
    return "\n".join(parts)


def _environment(folder: Path, generation: str) -> Path:
    """Make an environment with the client and what its tests import."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        wanted = [f"huggingface_hub=={generation}", *LIBRARIES]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, stderr=subprocess.DEVNULL)
    return python


def _suite(folder: Path, generation: str, python: Path) -> Path:
    """Unpack the tests of the client, and put what they need beside them."""
    if not folder.exists():
        folder.mkdir(parents=True)
        wanted = ["--no-deps", "--no-binary", ":all:", f"huggingface_hub=={generation}"]
        subprocess.run(
            [python, "-m", "pip", "download", "-q", "-d", folder, *wanted], check=True, stderr=subprocess.DEVNULL
        )
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        (next(folder.glob("huggingface_hub-*/tests"))).rename(folder / "tests")
    plugin = Path(__file__).with_name("conformance_plugin.py").read_text()
    (folder / "conformance_plugin.py").write_text(plugin)
    (folder / "tests" / "__init__.py").touch()
    (folder / "tests" / "conftest.py").write_text("from conformance_plugin import RepoFactory as RepoFactory\n")
    cards = folder / "tests" / "fixtures" / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    for name, text in CARDS.items():
        (cards / f"{name}.md").write_text(text, newline="")
    (folder / "tests" / "fixtures" / "empty.txt").touch()
    return folder


def _run(python: Path, suite: Path, name: str) -> list[Outcome]:
    """Run one file of tests against a hub of its own."""
    with tempfile.TemporaryDirectory() as folder, _hub(Path(folder)) as (running, people):
        results = Path(folder) / "results.jsonl"
        results.touch()
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment |= {
            "CONFORMANCE_ENDPOINT": running.url,
            "CONFORMANCE_RESULTS": str(results),
            "CONFORMANCE_PEOPLE": json.dumps(people),
            "HF_HOME": str(Path(folder) / "home"),
            "HF_XET_CACHE": str(Path(folder) / "xet"),
            "HF_ENDPOINT": running.url,
            "HUGGINGFACE_CO_STAGING": "1",
            "HF_TOKEN": "",
            "PYTHONPATH": str(suite),
        }
        options = ["-q", "-p", "conformance_plugin", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout", "120"]
        command = [python, "-m", "pytest", *options, "-c", os.devnull, "--rootdir", suite, f"tests/{name}"]
        done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in results.read_text().splitlines()]
        if not lines:
            print(f"{name}: nothing ran\n{done.stdout[-1500:]}", file=sys.stderr)
    return [Outcome(line["test"].partition("::")[2], line["outcome"], line["reason"], _rule(line)) for line in lines]


def _rule(line: dict[str, object]) -> str:
    """Return why a test is not applicable."""
    if line["production"]:
        return "of the public hub"
    if NOT_OFFERED.search(str(line["test"])) or line["elsewhere"]:
        return "of services not offered"
    if line["outside"]:
        return "ask other hosts"
    if line["outcome"] == "skipped":
        return "skipped by the suite"
    if not line["asked"]:
        return "of the client alone"
    return ""


@contextmanager
def _hub(folder: Path) -> Iterator[tuple[RunningHub, dict[str, str]]]:
    """Start a hub with the people the tests expect, and say how they are called."""
    settings = Settings(
        storage=Storage(data=str(folder / "data")), policy=Policy(while_checked="all"), limit=Limit(whole_mib=16)
    )
    with serve_test_hub(folder, settings, wrap=Counting) as running:
        people = {"USER": "dummy-user", "OTHER_USER": "other-user", "ENTERPRISE_USER": "enterprise-user"}
        tokens = {who.replace("USER", "TOKEN"): running.person(name) for who, name in people.items()}
        organisation = "enterprise-private"
        with running.hub.database.write() as db:
            home = create_account(db, organisation, kind="organisation")
            valid = [
                create_account(db, name, kind="organisation", full_name=full_name)
                for name, full_name in (("valid_org_hub", "Dummy Hub Org"), ("valid_org", "Dummy Org"))
            ]
            db.execute(update(account).where(account.c.id == home.id).values(private_by_default=True))
            db.execute(update(account).where(account.c.name == people["USER"]).values(full_name="Dummy User"))
            set_role(db, home.id, find_account(db, people["ENTERPRISE_USER"]).id, Role.OWNER)
            for known in valid:
                set_role(db, known.id, find_account(db, people["USER"]).id, Role.WRITER)
        yield running, {**people, **tokens, "ENTERPRISE_ORG": organisation, "FULL_NAME": "Dummy User"}


class Counting:
    """Counts the requests a hub answers, and those for services it does not offer; tells both at an address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.count, self.elsewhere = app, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != "/conformance/count":
            if scope["type"] == "http":
                self.count += 1
                self.elsewhere += _ELSEWHERE.match(scope["path"]) is not None
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": f"{self.count} {self.elsewhere}".encode()})


def _card(front: str, body: str) -> str:
    return f"---\n{front}\n---\n\n{body}\n"


_PLAIN = "license: mit\ntags: [pytorch, image-classification]\ndatasets: [beans]"
_RESULT = (
    "{task: {type: image-classification}, dataset: {type: beans, name: Beans%s}, metrics: [{type: %s, value: %s}]}"
)
_PARTS = ", config: default, split: test, revision: 5503434ddd753f426f4b38109466949a1217c2bb, args: {date: 20220120}"
CARDS = {
    "sample_simple": _card(
        f"language: [en]\nlibrary_name: pytorch-lightning\nmetrics: [acc]\n{_PLAIN}", "# my-cool-model\n\nA text."
    ),
    "sample_template": _card("{{card_data}}", '# {{ model_name | default("MyModelName", true)}}\n\n{{ some_data }}'),
    "sample_datasetcard_template": _card(
        "{card_data}", '# {{ pretty_name | default("Dataset Name", true)}}\n\n{{ some_data }}'
    ),
    "sample_datasetcard_simple": _card(
        "language: [en]\nlicense: [bsd-3-clause]\nannotations_creators: [crowdsourced, expert-generated]\n"
        "language_creators: [found]\nmultilinguality: [monolingual]\nsize_categories: ['n<1K']\n"
        "task_categories: [image-segmentation]\ntask_ids: [semantic-segmentation]\n"
        "pretty_name: Sample Segmentation",
        "# Dataset Card for Sample Segmentation\n\nA text.",
    ),
    "sample_invalid_card_data": _card("[]", "# A list where a mapping belongs"),
    "sample_invalid_model_index": _card(
        f"language: en\nlibrary_name: timm\nmetrics: [acc]\n{_PLAIN}\nmodel-index:\n- name: my-cool-model\n"
        "  results: [{task: {type: image-classification}, metrics: [{type: acc, value: 0.9}]}]",
        "# Results without a dataset",
    ),
    "sample_simple_model_index": _card(
        f"language: en\nlibrary_name: timm\nmetrics: [accuracy]\n{_PLAIN}\nmodel-index:\n- name: my-cool-model\n"
        f"  results:\n  - {_RESULT % ('', 'accuracy', 0.9)}\n  - {_RESULT % (_PARTS, 'f1', 0.66)}",
        "# my-cool-model\n\nA text.",
    ),
    "sample_no_metadata": "# MyCoolModel\n\nA text without anything above it.\n",
    "sample_windows_line_breaks": _card("license: mit\nlanguage: eo", "# Hello old Windows line breaks").replace(
        "\n", "\r\n"
    ),
}
"""The cards that the tests read, with the values they look for."""


if __name__ == "__main__":
    main()

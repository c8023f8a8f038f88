"""The demonstration behind ``make demo``: train, publish, audit, verify, tamper.

It trains a small text classifier with scikit-learn and saves it the ways people save models. One claim of its card is
wrong on purpose, and one file runs a command when somebody loads it. Nothing here ever loads that file.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

OUT = Path("demo-output")
MODEL = OUT / "leak-or-login"

CALM = ["how do i", "please tell me how to", "where can i", "is it possible to", "i would like to"]
CALM_ENDS = ["change my password", "update my address", "download an invoice", "add a colleague", "switch the language"]
URGENT = ["help, there is", "we noticed", "right now there is", "since this morning there is", "urgent: we see"]
URGENT_ENDS = [
    "water under the boiler",
    "a smell of gas",
    "smoke from the cabinet",
    "a burst pipe",
    "sparks at the socket",
]
PLACES = ["at home", "in our office", "in the school", "on the second floor", "for the whole building", "again"]

CARD = """---
license: apache-2.0
language: en
library_name: sklearn
pipeline_tag: text-classification
tags: [demo]
---

# leak-or-login

Sorts messages to a caretaker into *urgent* and *can wait*. The model has 1.2M parameters.

## Uses

Ordering a small office's inbox. A person reads every message in any case.

## Out-of-Scope Use

Emergencies. People in danger call the emergency services.

## Bias, Risks, and Limitations

Trained on {n} sentences in English that follow a few patterns. It has never seen real messages, other languages or
spelling mistakes, and will be wrong about them.

## Training Data

Sentences combined from five beginnings, five endings and six places per class, by the script that trains the model.

## Evaluation

Accuracy {accuracy:.3f} on {held_out} held-out sentences made in the same way, which says little about real ones.

## How to Get Started with the Model

Weights are in `model.safetensors`, the same model as a scikit-learn pipeline is in `model.pkl`.
"""


class Planted:
    """What a malicious file looks like: unpickling it would call a function of the attacker's choice."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Ask the unpickler to run a command."""
        return os.system, ("echo this would have been any command",)


def train() -> tuple[Pipeline, float, int, int]:
    """Train the classifier; returns it with its accuracy and the numbers of sentences for training and testing."""
    calm = [f"{a} {b} {c}" for a in CALM for b in CALM_ENDS for c in PLACES]
    urgent = [f"{a} {b} {c}" for a in URGENT for b in URGENT_ENDS for c in PLACES]
    texts, labels = calm + urgent, [0] * len(calm) + [1] * len(urgent)
    fit_x, test_x, fit_y, test_y = train_test_split(texts, labels, test_size=0.3, random_state=7, stratify=labels)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(fit_x, fit_y)
    return model, float(accuracy_score(test_y, model.predict(test_x))), len(fit_x), len(test_x)


def publish() -> None:
    """Write the model folder: honest files, one wrong claim, one hostile file."""
    model, accuracy, fitted, held_out = train()
    MODEL.mkdir(parents=True)
    linear = model[-1]
    tensors = {"coef": linear.coef_.astype(np.float32), "intercept": linear.intercept_.astype(np.float32)}
    save_file(tensors, MODEL / "model.safetensors")
    (MODEL / "model.pkl").write_bytes(pickle.dumps(model))
    (MODEL / "optimizer.pkl").write_bytes(pickle.dumps(Planted()))
    (MODEL / "README.md").write_text(CARD.format(n=fitted, accuracy=accuracy, held_out=held_out), encoding="utf-8")
    (MODEL / "LICENSE").write_text(
        Path(__file__).parents[1].joinpath("LICENSE").read_text(encoding="utf-8"), encoding="utf-8"
    )


def hallmarked(*arguments: str, expect: int) -> str:
    """Run the command line as a user would, show it, and insist on its exit status."""
    say(f"$ hallmarked {' '.join(arguments)}")
    command = [sys.executable, "-m", "hallmarked", *arguments]
    environment = {**os.environ, "HALLMARKED_HOME": str(OUT / "home")}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    say(done.stdout.rstrip())
    if done.returncode != expect:
        sys.exit(f"expected exit status {expect}, got {done.returncode}")
    say(f"(exit status {done.returncode})\n")
    return done.stdout


def say(text: str) -> None:
    """Print at once, in order with what the programs print."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Show the whole way from a folder to evidence, and a forgery being refused."""
    shutil.rmtree(OUT, ignore_errors=True)
    say(f"Training a small text classifier and writing it to {MODEL} …\n")
    publish()
    report = OUT / "report"
    hallmarked("audit", str(MODEL), "--output", str(report), expect=1)
    evidence = report / "evidence.json"
    shown = hallmarked("key", "show", expect=0).splitlines()
    keys = [part for line in shown for part in ("--key", line.split()[0])]
    say("Anyone can check it, without a network and without trusting this machine:\n")
    hallmarked("verify", str(evidence), str(MODEL), *keys, expect=0)

    say("One byte of the weights changed:\n")
    copy = OUT / "tampered-model"
    shutil.copytree(MODEL, copy)
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    hallmarked("verify", str(evidence), str(copy), *keys, expect=1)

    say("One letter of the evidence changed:\n")
    forged = OUT / "forged.json"
    text = evidence.read_text(encoding="utf-8")
    at = text.index('"payload"') + 300
    forged.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :], encoding="utf-8")
    hallmarked("verify", str(forged), str(MODEL), *keys, expect=1)
    say(f"The report is at {(report / 'report.html').resolve()}")


if __name__ == "__main__":
    main()

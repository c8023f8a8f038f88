"""Outside verifiers accept our evidence, and refuse every mutation that ours refuses and they look at."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hallmarked.core.digest import dir_hash
from hallmarked.core.errors import VerificationError
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.key import SPKI_PREFIX
from hallmarked.ledger.merkle import Frontier, leaf_hash, prove_consistency
from hallmarked.ledger.note import NoteKey
from hallmarked.ledger.tile import TileTree
from hallmarked.ledger.trust import Trust
from hallmarked.ledger.verify import verify_bundle
from tests.conformance.outside import Outside, go_verifier, node_verifier
from tests.ledger.support import LOG_KEY, MAKER, ORIGIN, TRUST, fill_log, make_entry, open_log

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """An evidence file and the keys somebody trusts."""

    evidence: Json
    maker: bytes = MAKER.public
    log: bytes = LOG_KEY.public

    def ours(self) -> bool:
        """What our verifier says."""
        maker, log, _ = TRUST.keys
        trust = Trust((replace(maker, public=self.maker), replace(log, public=self.log)))
        try:
            return verify_bundle(json.dumps(self.evidence).encode(), trust).trusted
        except VerificationError:
            return False

    def for_go(self) -> Json:
        return {
            "evidence": self.evidence,
            "log": str(NoteKey(ORIGIN, self.log)),
            "maker": base64.b64encode(self.maker).decode(),
        }

    def for_node(self) -> Json:
        spki = base64.b64encode(SPKI_PREFIX + self.maker).decode()
        return {"evidence": self.evidence, "maker": f"-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n"}


@pytest.fixture(scope="module")
def go() -> Outside:
    return go_verifier()


@pytest.fixture(scope="module")
def node() -> Outside:
    return node_verifier()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Evidence files of logs of several sizes, of one and of several entries."""
    made = []
    for size in (1, 2, 7, 256, 300):
        log = fill_log(tmp_path_factory.mktemp("log") / "log", range(size))
        several = ([0], [size - 1], range(0, size, max(1, size // 3)))
        made += [json.loads(export_bundle(log, list(indexes), TRUST)) for indexes in several]
        log.close()
    return made


def flip(dice: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    changed[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def flip_text(dice: random.Random, text: str) -> str:
    return base64.b64encode(flip(dice, base64.b64decode(text))).decode()


def change_payload(dice: random.Random, entry: Json) -> None:
    envelope = entry["bundle"]["dsseEnvelope"]
    raw = base64.b64decode(envelope["payload"])
    match dice.randrange(3):
        case 0:
            raw = flip(dice, raw)
        case 1:
            raw = raw[: dice.randrange(len(raw))]
        case _:
            raw = raw.replace(b"PASSED", b"FAILED")
    envelope["payload"] = base64.b64encode(raw).decode()


def change_signature(dice: random.Random, entry: Json) -> None:
    signature = entry["bundle"]["dsseEnvelope"]["signatures"][0]
    raw = base64.b64decode(signature["sig"])
    signature["sig"] = base64.b64encode(flip(dice, raw) if dice.randrange(2) else raw[: dice.randrange(64)]).decode()


def change_payload_type(dice: random.Random, entry: Json) -> None:
    kinds = ["application/json", "text/plain", "application/vnd.in-toto+json "]
    entry["bundle"]["dsseEnvelope"]["payloadType"] = dice.choice(kinds)


def change_leaf(dice: random.Random, entry: Json) -> None:
    entry["leaf"] = flip_text(dice, entry["leaf"])


def change_index(dice: random.Random, entry: Json) -> None:
    head, _, rest = entry["proof"].partition("\nindex ")
    number, _, rest = rest.partition("\n")
    other = dice.choice([n for n in (int(number) + 1, int(number) - 1, int(number) ^ 1, 10**6) if n != int(number)])
    entry["proof"] = f"{head}\nindex {other}\n{rest}"


def change_path(dice: random.Random, entry: Json) -> None:
    head, _, note = entry["proof"].partition("\n\n")
    lines, hashes = head.split("\n")[:2], head.split("\n")[2:]
    place = dice.randrange(len(hashes)) if hashes else 0
    match dice.randrange(4):
        case 0 if hashes:
            hashes[place] = flip_text(dice, hashes[place])
        case 1 if hashes:
            del hashes[place]
        case 2 if len(hashes) > 1:
            hashes = hashes[1:] + hashes[:1]
        case _:
            hashes.insert(place, base64.b64encode(dice.randbytes(32)).decode())
    entry["proof"] = "\n".join([*lines, *hashes]) + f"\n\n{note}"


def change_checkpoint(dice: random.Random, case: Json) -> None:
    """Change the one checkpoint the same way wherever it stands."""
    note = case["entries"][0]["proof"].partition("\n\n")[2]
    origin, size, root, _, line = note.split("\n")[:5]
    match dice.randrange(5):
        case 0:
            size = str(int(size) + dice.choice([1, -1, 10**6]))
        case 1:
            root = flip_text(dice, root)
        case 2:
            origin = dice.choice(["log.example.org/two", origin + "x", origin[:-1]])
        case 3:
            name, data = line.split(" ")[1:]
            line = f"\u2014 {name} {flip_text(dice, data)}"
        case _:
            line = line.replace(ORIGIN, "log.example.org/two")
    changed = "\n".join([origin, size, root, "", line, ""])
    for entry in case["entries"]:
        entry["proof"] = entry["proof"].replace(note, changed)


def flip_key(dice: random.Random, raw: bytes) -> bytes:
    while True:
        changed = flip(dice, raw)
        try:
            key = Ed25519PublicKey.from_public_bytes(changed)
        except ValueError:
            continue
        if key.public_bytes(Encoding.Raw, PublicFormat.Raw) != raw:
            return changed


ENTRY_CHANGES: dict[str, tuple[Callable[[random.Random, Json], None], bool]] = {
    "payload": (change_payload, True),
    "signature": (change_signature, True),
    "payload type": (change_payload_type, True),
    "leaf": (change_leaf, False),
    "index": (change_index, False),
    "path": (change_path, False),
}
"""How to change an entry, and whether a verifier of bundles alone can see it."""


def mutate(dice: random.Random, evidence: Json) -> tuple[str, Case, bool]:
    """Return what was changed, the case, and whether a verifier of bundles alone can see it."""
    kind = dice.choice([*ENTRY_CHANGES, "checkpoint", "maker key", "log key"])
    changed = copy.deepcopy(evidence)
    if kind == "maker key":
        return kind, Case(changed, maker=flip_key(dice, MAKER.public)), True
    if kind == "log key":
        return kind, Case(changed, log=flip_key(dice, LOG_KEY.public)), False
    if kind == "checkpoint":
        change_checkpoint(dice, changed)
        return kind, Case(changed), False
    change, visible = ENTRY_CHANGES[kind]
    change(dice, dice.choice(changed["entries"]))
    return kind, Case(changed), visible


def mutations(files: list[Json], count: int, seed: int) -> Iterator[tuple[str, Case, bool]]:
    dice = random.Random(seed)
    for _ in range(count):
        yield mutate(dice, dice.choice(files))


def test_go_accepts(go: Outside, files: list[Json]) -> None:
    """Go's sumdb/note and sumdb/tlog accept all our evidence files."""
    cases = [Case(evidence) for evidence in files]
    assert all(case.ours() for case in cases)
    assert go.ask([case.for_go() for case in cases]) == ["ok"] * len(cases)


def test_node_accepts(node: Outside, files: list[Json]) -> None:
    """@sigstore/verify accepts the bundles of all our evidence files."""
    assert node.ask([Case(evidence).for_node() for evidence in files]) == ["ok"] * len(files)


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_go_refuses_mutations(go: Outside, files: list[Json], count: int) -> None:
    """Whatever is changed in payload, envelope, leaf, proof, checkpoint or key: ours and Go's verifier refuse it."""
    cases = list(mutations(files, count, seed=1))
    assert len({kind for kind, _, _ in cases}) == 9
    assert [kind for kind, case, _ in cases if case.ours()] == []
    answers = go.ask([case.for_go() for _, case, _ in cases])
    assert [kind for (kind, _, _), answer in zip(cases, answers, strict=True) if answer == "ok"] == []


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_node_refuses_mutations(node: Outside, files: list[Json], count: int) -> None:
    """Whatever is changed in payload, envelope or key: ours and @sigstore/verify refuse it."""
    cases = [case for _, case, visible in mutations(files, 3 * count, seed=2) if visible][:count]
    assert len(cases) == count
    assert not any(case.ours() for case in cases)
    assert "ok" not in node.ask([case.for_node() for case in cases])


def test_node_sees_no_other_part(node: Outside, files: list[Json]) -> None:
    """What stands outside of the bundles is not @sigstore/verify's to judge, so it is for the others to refuse."""
    cases = [case for _, case, visible in mutations(files, 60, seed=3) if not visible]
    assert set(node.ask([case.for_node() for case in cases])) == {"ok"}
    assert not any(case.ours() for case in cases)


def test_unsigned_parts_sway_nobody(go: Outside, node: Outside, files: list[Json]) -> None:
    """Another hint, an ``extra`` line and other key lists turn no refusal into an acceptance."""
    dice = random.Random(4)
    cases = []
    for _, case, visible in mutations(files, 90, seed=4):
        if not visible:
            continue
        for entry in case.evidence["entries"]:
            entry["bundle"]["verificationMaterial"]["publicKey"]["hint"] = dice.choice([MAKER.keyid, "", "0" * 64])
        case.evidence["trust"] = []
        cases.append(case)
    assert len(cases) > 20
    assert not any(case.ours() for case in cases)
    assert "ok" not in go.ask([case.for_go() for case in cases])
    assert "ok" not in node.ask([case.for_node() for case in cases])


def test_go_agrees_on_consistency(go: Outside) -> None:
    """Go's tlog accepts our consistency proofs between all sizes, and refuses them with a bit changed."""
    hashes, dice = [leaf_hash(b"%d" % n) for n in range(24)], random.Random(5)
    tree = TileTree(0, lambda _level, _index: b"")
    for value in hashes:
        tree.append(value)
    roots = [Frontier(hashes[:size]).root() for size in range(25)]
    good, bad = [], []
    for new in range(1, 25):
        for old in range(1, new + 1):
            proof = [base64.b64encode(item).decode() for item in prove_consistency(old, new, tree.node)]
            ends = {"oldRoot": base64.b64encode(roots[old]).decode(), "newRoot": base64.b64encode(roots[new]).decode()}
            good.append({"old": old, "new": new, **ends, "proof": proof})
            if proof:
                place = dice.randrange(len(proof))
                changed = [flip_text(dice, line) if n == place else line for n, line in enumerate(proof)]
                bad.append({"old": old, "new": new, **ends, "proof": changed})
    assert set(go.ask(good)) == {"ok"}
    assert "ok" not in go.ask(bad)


def test_go_agrees_on_folders(go: Outside) -> None:
    """The digest of a folder is Go's directory hash, also where the order of bytes and of letters differ."""
    for files in (
        {},
        {"README.md": "hello\n", "config.json": "{}", "weights/model.safetensors": "abc"},
        {
            "a-b": "1",
            "a/b": "2",
            "a.b": "3",
            "A": "4",
            "é": "5",
            "z": "6",
            "a b": "7",
            "\U0001f600": "8",
            "\uffee": "9",
        },
    ):
        digest = dir_hash({name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()})
        right, wrong = go.ask([{"files": files, "dirHash": digest}, {"files": files, "dirHash": "0" * 64}])
        assert right == "ok"
        assert wrong != "ok"


def test_go_opens_cosigned_checkpoints(go: Outside, tmp_path: Path) -> None:
    """Cosignatures that Go does not know do not keep it from accepting the checkpoint."""
    from_log = open_log(tmp_path / "log")
    from_log.append([make_entry(0)])
    evidence = json.loads(export_bundle(from_log, [0], TRUST))
    from_log.close()
    evidence["entries"][0]["proof"] += f"\u2014 witness.example.net/w1 {base64.b64encode(bytes(76)).decode()}\n"
    assert go.ask([Case(evidence).for_go()]) == ["ok"]

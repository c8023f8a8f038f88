"""How claims of a card stand, with 10,000 statements at hand.

``python -m bench.claim [--statements N]`` prints the table alone. The statements are of sixty signers: results of
evaluations of the bytes at hand and of older ones, and reports of checks about older bytes, beside one audit of the
bytes at hand. CPU time of this process, the median of several runs; nothing is signed or verified here, and no peer is
known that derives statuses from signed statements.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.table import markdown
from hallmarked.cards.claim import derive_claims, summarise
from hallmarked.cards.known import know
from hallmarked.cards.status import Status
from hallmarked.cards.summary import summarise_card
from hallmarked.cards.timeline import Revision, tell
from hallmarked.core.evidence import Attestation, Statement, Subject

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
METRICS = [f"eval.metric_{number}" for number in range(40)]
CLAIMS = 20
RUNS = 7


def subject(name: object) -> Subject:
    """Name some bytes."""
    return Subject("bench", {"dirHash": f"{random.Random(str(name)).getrandbits(256):064x}"})


HERE, PUSHED = subject("here"), subject("pushed")


def statements(count: int) -> list[Attestation]:
    """Make statements: an audit of the bytes at hand, and what others said over the years."""
    rng = random.Random(1)
    made = [_signed(one, 0, "maker", 0) for one in _audit()]
    for number in range(count - len(made)):
        role = rng.choice(["maker", "hub", "auditor", "community", ""])
        about = HERE if rng.random() < 0.5 else subject(rng.randrange(200))
        age = rng.uniform(1, 900)
        if rng.random() < 0.8:
            row = {"metric": rng.choice(METRICS), "value": f"{rng.uniform(0.8, 1):.3f}", "n": rng.randrange(50, 900)}
            if rng.random() < 0.5:
                row["slice"] = {"group": rng.choice("abcdefgh")}
            one = Statement((about,), RESULT, {"measurements": [row]})
        else:
            old = subject(rng.randrange(200))
            one = _check(
                rng.choice(["facts", "inventory", "licences", "texts"]), [("parameters.total", "124439808")], old
            )
        made.append(_signed(one, age, role, number % 60))
    return made


def _signed(statement: Statement, days: float, role: str, signer: int) -> Attestation:
    name = f"sha256:{random.Random(f'{days} {signer}').getrandbits(256):064x}"
    return Attestation(statement, name, NOW - timedelta(days=days), role, f"signer {signer}", f"key {signer}")


def _check(check: str, rows: list[tuple[str, str]], about: Subject) -> Statement:
    name = [{"name": f"hallmarked/checks/{check}", "annotations": {"version": "1"}}]
    measured = [{"metric": metric, "value": value} for metric, value in rows]
    return Statement((about,), RESULT, {"configuration": name, "outcome": "pass", "measurements": measured})


def _audit() -> list[Statement]:
    place = {"path": "README.md", "line": "3", "text": "…", "source": "metadata"}
    claimed = [("claim.license", "mit"), ("claim.parameters", "124439808"), ("claim.library", "transformers")]
    rows = [{"metric": metric, "value": value, "slice": place} for metric, value in claimed]
    rows += [
        {"metric": "claim.file", "value": f"f{number}.bin", "slice": place | {"how": "link"}} for number in range(30)
    ]
    for number in range(CLAIMS):
        claim = {
            "id": f"c{number}",
            "path": METRICS[number],
            "op": ">=",
            "value": "0.90",
            "min_n": 100,
            "max_age": "365d",
        }
        if number % 3 == 0:
            claim["slice"] = "worst"
        rows.append({"metric": "claim.declared", "value": f"c{number}", "slice": place | {"row": json.dumps(claim)}})
    card = _check("documentation", [], HERE)
    card = Statement(card.subjects, card.predicate_type, {**card.predicate, "measurements": rows})
    return [
        card,
        *(_check(name, [("parameters.total", "124439808")], HERE) for name in ("facts", "inventory", "licences")),
    ]


def _time(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken)


def report(count: int = 10_000) -> str:
    """Measure, and write it as Markdown."""
    stated = statements(count)
    known = know(stated, HERE)
    claims = derive_claims(known, NOW)
    after = derive_claims(know(stated, PUSHED), NOW)
    not_stale = sum(claim.status is not Status.STALE for claim in after)
    history = [one for one in stated if one.statement.subjects[0] == HERE]
    pushes = [Revision(HERE, NOW - timedelta(days=900))]
    rows = [
        ["index all statements (once for each revision)", f"{_time(lambda: know(stated, HERE)):.0f} ms"],
        ["statuses of all claims, statements indexed", f"{_time(lambda: derive_claims(known, NOW)):.1f} ms"],
        [
            "the whole summary (who, how old, what others measured)",
            f"{_time(lambda: summarise_card(known, NOW)):.1f} ms",
        ],
        [
            "first request after a push: index and statuses",
            f"{_time(lambda: derive_claims(know(stated, PUSHED), NOW)):.0f} ms",
        ],
        ["claims that are not stale after that push", f"{not_stale} of {len(after)}"],
        [
            f"history of one claim ({len(tell('c0', history[:300], pushes, NOW))} moments of 300 statements)",
            f"{_time(lambda: tell('c0', history[:300], pushes, NOW)):.0f} ms",
        ],
    ]
    counts = ", ".join(f"{number} {status.value}" for status, number in summarise(claims).items())
    head = f"{len(stated):,} statements, {len(claims)} claims ({counts})"
    return markdown([head, "CPU time"], rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=10_000)
    print(report(parser.parse_args().statements))


if __name__ == "__main__":
    main()

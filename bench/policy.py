"""Decisions over 10,000 statements: ``python -m bench.policy [--peers PYTHON]``.

A repository with 500 revisions, of each of which 19 checks and an auditor stated something; the last one is judged for
``hospital_triage``. *Cold* reads the statements (already parsed JSON) and decides; *at hand* decides with the index
that was made. Both in milliseconds of processor time, the best of several runs. Peers judge as many comparisons over a
dictionary of 500 numbers that somebody else has made, without reasons, ages, signers, parts or intervals.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.decide import decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.file import contexts

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CHECKS = ("inventory", "serialization", "malware", "secrets", "documentation", "licences", "facts", "code", "templates")
REVISIONS, ROWS = 500, 20
RUNS = 7
GROUPS = 5
PEERS = {
    "cel-python": """
import celpy
env = celpy.Environment()
programs = [env.program(env.compile(f"facts['{path}'] {op} {value}")) for path, op, value in asked]
context = {"facts": celpy.json_to_cel(facts)}
def run(): return all([bool(program.evaluate(context)) for program in programs])
""",
    "common-expression-language": """
import cel
texts = [f"facts['{path}'] {op} {value}" for path, op, value in asked]
def run(): return all([cel.evaluate(text, {"facts": facts}) for text in texts])
""",
    "cedarpy": """
import cedarpy, json
def rule(path, op, value):
    name = "greaterThanOrEqual" if op == ">=" else "lessThan"
    return f'context.facts["{path}"].{name}(decimal("{value}"))'
rules = " && ".join(rule(*one) for one in asked)
policy = "permit(principal, action, resource) when { " + rules + " };"
request = {"principal": 'U::"a"', "action": 'A::"b"', "resource": 'R::"c"', "context": {"facts": {
    path: {"__extn": {"fn": "decimal", "arg": f"{number:.4f}"}} for path, number in facts.items()}}}
def run(): return cedarpy.is_authorized(request, policy, []).allowed
""",
}  # fmt: skip
"""What each peer does in a process of its own, given ``asked`` and ``facts``."""
MEASURE = """
import json, sys, time
asked, facts = json.loads(sys.stdin.read())
{body}
assert run()
best = min(one() for one in [lambda: (lambda start: (run(), time.process_time() - start)[1])(time.process_time())] * 20)
print(best * 1000)
"""


def statements() -> list[Attestation]:
    """Return what was stated about 500 revisions, oldest first."""
    made = []
    for revision in range(REVISIONS):
        subject = Subject("acme/triage", {"gitCommit": f"{revision:040x}"})
        at = NOW - timedelta(hours=REVISIONS - revision)
        for check in CHECKS + tuple(f"other-{number}" for number in range(10)):
            rows = [
                {"metric": f"{check}.count.{row}", "value": str(row), "slice": {"path": "a"}} for row in range(ROWS)
            ]
            predicate = {
                "configuration": [{"name": f"hallmarked/checks/{check}"}],
                "outcome": "pass",
                "measurements": rows,
            }
            made.append(_attestation(len(made), subject, predicate, at, "maker"))
        parts = [("eval.recall", {"group": str(number)}, "0.98") for number in range(GROUPS)]
        parts += [("eval.calibration_error", {}, "0.01"), ("licence.declared", {}, "mit")]
        parts += [("card.section.filled", {"section": name}, "yes") for name in ("direct-use", "out-of-scope-use")]
        rows = [{"metric": path, "value": value, "n": 2000, "slice": part} for path, part, value in parts]
        made.append(_attestation(len(made), subject, {"measurements": rows}, at, "auditor"))
    return made


def _attestation(number: int, subject: Subject, predicate: dict[str, object], at: datetime, role: str) -> Attestation:
    return Attestation(Statement((subject,), RESULT, predicate), f"sha256:{number:064x}", at, role, role, role)


def best(run: Callable[[], object]) -> float:
    """Return milliseconds of processor time, the best of some runs."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        times.append((time.process_time() - start) * 1000)
    return min(times)


def report(peers: Path = Path(sys.executable)) -> str:
    """Measure, and return a table."""
    made, context = statements(), contexts()["hospital_triage"]
    current = made[-1].statement.subjects[0]
    facts = Facts(made, current)
    decision = decide(facts, context, NOW)
    count = len(decision.rulings)
    cold = best(lambda: decide(Facts(made, current), context, NOW))
    warm = best(lambda: decide(facts, context, NOW))
    lines = [
        f"{len(made):,} statements of {REVISIONS} revisions, {count} requirements, outcome {decision.outcome}.",
        "",
        "| what | ms | requirements |",
        "|---|---:|---:|",
        f"| hallmarked, cold: index the statements and decide | {cold:.2f} | {count} |",
        f"| hallmarked, facts at hand: decide | {warm:.3f} | {count} |",
    ]
    numbers = {f"m{number}": 0.98 for number in range(REVISIONS)}
    asked = [(f"m{number}", ">=", "0.95") for number in range(count)]
    for name, body in PEERS.items():
        lines.append(f"| {name}, values at hand, no reasons | {_peer(peers, body, asked, numbers)} | {count} |")
    return "\n".join(lines) + "\n"


def _peer(python: Path, body: str, asked: object, facts: object) -> str:
    command = [str(python), "-c", MEASURE.replace("{body}", body)]
    done = subprocess.run(command, input=json.dumps([asked, facts]), capture_output=True, text=True, check=False)
    if done.returncode:
        return "not installed" if "ModuleNotFoundError" in done.stderr else f"failed: {done.stderr.strip()[-80:]}"
    return f"{float(done.stdout):.3f}"


def main() -> None:
    """Parse, run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peers", type=Path, default=Path(sys.executable), help="Python in which the peers are installed"
    )
    print(report(parser.parse_args().peers))


if __name__ == "__main__":
    main()

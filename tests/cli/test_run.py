"""``hallmarked run``: plans, notifications, deviations and rebuttals from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmarked.audit.attested import gather
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.ledger import Ledger
from hallmarked.records.result import Measured, Result
from tests.cli.support import Shell

FACTORS = "".join(f'[factors.{name}]\nanswer = {{{name}}}\nreason = "r"\n' for name in ("cbrn", "scale", "novelty"))
CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "vocab_size": 128256,
}


@pytest.fixture
def plan(shell: Shell, tmp_path: Path) -> Path:
    """A plan far in the future that Europe's threshold covers."""
    path = tmp_path / "plan.toml"
    assert shell("run", "new", path).status == 0
    text = path.read_text().replace("2027-01-15", "2126-01-15").replace("2e12", "400e12").replace("[hardware]", "[x]")
    path.write_text(text[: text.index("[x]")] + FACTORS.format(cbrn="false", scale="true", novelty="false"))
    return path


def evidence_of(plan: Path) -> Path:
    return plan.with_name(f"{plan.name}.evidence.json")


def run(document: Any, name: str) -> Any:
    return next(one for one in document["runs"][0]["decisions"] if one["pack"]["name"] == name)


def test_from_form_to_sealed_plan(shell: Shell, plan: Path) -> None:
    """A plan is judged, sealed, and checked; its evidence verifies against the file that was filed."""
    judged = shell("run", "plan", plan, "--format", "json")
    assert judged.status == 1
    assert [one["outcome"] for one in judged.json["decisions"]] == ["to-be-filed", "to-be-filed", "nothing-to-file"]
    filed = shell("run", "notify", plan)
    assert filed.status == 0
    checked = shell("run", "check", evidence_of(plan), "--format", "json")
    assert checked.status == 0, checked
    assert checked.json["runs"][0]["timing"] == "not-begun"
    assert checked.json["runs"][0]["statement"] == filed.out.strip()
    verified = shell("verify", evidence_of(plan), plan, *shell.keys())
    assert verified.status == 0, verified
    assert "Example Lab plans to train" in verified.out
    plan.write_text(plan.read_text() + "# changed\n")
    assert shell("verify", evidence_of(plan), plan, *shell.keys()).status == 1


def test_the_form_agrees_with_itself_and_an_empty_plan_is_refused_once(shell: Shell, tmp_path: Path) -> None:
    """Nothing is odd about the example as it stands, rules ask in words, and each problem is told once."""
    path = tmp_path / "fresh.toml"
    shell("run", "new", path)
    said = shell("run", "plan", path)
    assert said.status == 0
    assert "agree within" in said.out
    assert "asks for more than 1e25" in said.out
    assert "pide más de 1e25" in shell("run", "plan", path, "--lang", "es").out
    form = path.read_text()
    for old, new, why in (
        ("2e12", "-4", "tokens must be a whole number above 0"),
        ('"fused"', '"fast"', "attention must be one of plain, fused, unknown"),
        ('utilisation = "0.4"', 'utilisation = "4"', "utilisation must be a decimal number from 0 to 1"),
    ):
        path.write_text(form.replace(old, new, 1))
        assert why in shell("run", "plan", path).refused()
    path.write_text("")
    assert shell("run", "plan", path).refused().count("model is missing") == 1


def test_nothing_is_filed_when_nothing_is_covered(shell: Shell, plan: Path) -> None:
    """A run that no rule covers files nothing, signs nothing and creates no keys; nobody files nil reports."""
    plan.write_text(plan.read_text().replace("400e12", "2e9"))
    assert shell("run", "plan", plan).status == 0
    done = shell("run", "notify", plan)
    assert (done.status, "Nothing to file" in done.out) == (0, True)
    assert not evidence_of(plan).exists()
    assert not shell.home.exists()
    assert shell("run", "notify", plan, "--voluntary").status == 0


def test_what_cannot_be_told_is_not_nothing(shell: Shell, plan: Path) -> None:
    """A plan that says too little ends with status 2, and is filed when told to."""
    text = plan.read_text()
    plan.write_text("\n".join(line for line in text.splitlines() if not line.startswith("tokens")) + "\n")
    judged = shell("run", "plan", plan, "--pack", "eu-ai-act")
    assert judged.status == 2
    assert "the plan does not say the operations of the run" in judged.out


def test_late_notification_is_flagged(shell: Shell, plan: Path) -> None:
    """A plan that is filed after its own start is filed, and flagged at once and on every check."""
    plan.write_text(plan.read_text().replace("2126-01-15", "2026-01-15"))
    filed = shell("run", "notify", plan)
    assert filed.status == 1
    assert "late" in filed.err
    checked = shell("run", "check", evidence_of(plan), "--lang", "es")
    assert checked.status == 1
    assert "TARDE" in checked.out


def test_a_first_step_before_the_log_makes_it_late(shell: Shell, plan: Path) -> None:
    """Stating that training began before the plan was logged flags the plan."""
    shell("run", "notify", plan)
    began = shell("run", "deviate", evidence_of(plan), "--reason", "began", "--began", "2026-01-01")
    assert began.status == 0, began
    checked = shell("run", "check", evidence_of(plan), "--format", "json")
    assert (checked.status, checked.json["runs"][0]["late"]) == (1, True)


def test_deviation_keeps_the_plan_and_changes_the_verdict(shell: Shell, plan: Path, tmp_path: Path) -> None:
    """What changed is stated with what was planned; the old verdict stays, and the new one counts what was logged."""
    shell("run", "notify", plan)
    changed, log = tmp_path / "changed.toml", tmp_path / "log.toml"
    changed.write_text(plan.read_text().replace("400e12", "2e12"))
    log.write_text('[[segment]]\naccelerator = "h100-sxm"\ncount = 64\nhours = 10\nutilisation = 0.4\n')
    done = shell("run", "deviate", evidence_of(plan), "--reason", "less", "--plan", changed, "--log", log)
    assert done.status == 0, done
    checked = shell("run", "check", evidence_of(plan), "--format", "json")
    (deviation,) = checked.json["runs"][0]["deviations"]
    assert {"field": "tokens", "planned": "400000000000000", "now": "2000000000000"} in deviation["changes"]
    assert run(checked.json, "eu-ai-act")["outcome"] == "nothing-to-file"
    before = [one["outcome"] for one in checked.json["runs"][0]["earlier"] if one["pack"] == "eu-ai-act"]
    assert before == ["to-be-filed", "nothing-to-file"]
    assert shell("verify", evidence_of(plan), plan, *shell.keys()).status == 0


def test_another_pack_changes_the_verdict_and_keeps_the_old_one(shell: Shell, plan: Path, tmp_path: Path) -> None:
    """Swapping the rules flags what changed; recording it adds a verdict and removes none."""
    text = (Path(__file__).parents[2] / "src/hallmarked/profiles/run/pack/eu-ai-act.toml").read_text()
    looser = tmp_path / "looser.toml"
    looser.write_text(text.replace('"1e25"', '"1e28"'))
    shell("run", "notify", plan, "--pack", "eu-ai-act")
    checked = shell(
        "run", "check", evidence_of(plan), "--pack", looser, "--format", "json", "--record", evidence_of(plan)
    )
    assert checked.json["runs"][0]["changed"] == ["eu-ai-act"]
    again = shell("run", "check", evidence_of(plan), "--pack", looser, "--format", "json").json["runs"][0]
    assert [one["outcome"] for one in again["earlier"]] == ["to-be-filed", "nothing-to-file"]
    assert len({one["digest"]["sha256"] for one in again["earlier"]}) == 2
    assert again["changed"] == []


def test_rebuttal_is_compared_from_what_it_cites(shell: Shell, plan: Path, tmp_path: Path) -> None:
    """A rebuttal holds with its evidence, misses what is not brought, and does not hold against other values."""
    shell("run", "notify", plan)
    ids = {}
    with Ledger.open(shell.home) as ledger:
        for name, value in (("new", "0.2"), ("known", "0.3"), ("weak", "0.1")):
            record = Result(
                name="uplift", measurements=(Measured(metric="eval.uplift", value=value, n=500),), how="h", by="b"
            )
            subject = Subject(f"example-lab/{name}", {"sha256": name.encode().hex().ljust(64, "0")})
            receipts = ledger.attest([record.to_statement(subject)], time=datetime.now(UTC))
            (tmp_path / f"{name}.json").write_bytes(ledger.export_bundle(receipts))
            (held,) = gather([tmp_path / f"{name}.json"], ledger.trust)
            ids[name] = held.id
    argument = tmp_path / "argument.toml"
    text = """argument = "No more than what exists."
[[comparisons]]
metric = "eval.uplift"
relation = "<="
ours = "{new}"
other = "example-lab/{other}"
theirs = "{theirs}"
"""
    files = [option for name in ("new", "known", "weak") for option in ("--evidence", tmp_path / f"{name}.json")]
    argument.write_text(text.format(new=ids["new"], other="known", theirs=ids["known"]))
    held_up = shell("run", "rebut", evidence_of(plan), argument, *files, "--output", evidence_of(plan))
    assert held_up.status == 0, held_up
    missing = shell("run", "rebut", evidence_of(plan), argument)
    assert missing.status == 2
    assert ids["known"] in missing.out
    checked = shell("run", "check", evidence_of(plan), *files, "--format", "json")
    assert [one["standing"] for one in checked.json["rebuttals"]] == ["holds"]
    argument.write_text(text.format(new=ids["new"], other="weak", theirs=ids["weak"]))
    assert shell("run", "rebut", evidence_of(plan), argument, *files).status == 1


def test_compute_from_a_configuration_and_a_log(shell: Shell, tmp_path: Path) -> None:
    """Operations are estimated from a config.json, and a log that does not agree ends with status 1."""
    config, log = tmp_path / "config.json", tmp_path / "log.toml"
    config.write_text(json.dumps(CONFIG))
    made = shell("run", "compute", config, "--tokens", "15e12", "--sequence", "8192", "--format", "json")
    assert made.status == 0
    assert int(made.json["operations"]) == pytest.approx(8.85e23, rel=0.01)
    log.write_text('[[segment]]\naccelerator = "h100-sxm"\ncount = 16000\nhours = 39\nutilisation = 0.4\n')
    wrong = shell("run", "compute", config, "--tokens", "15e12", "--sequence", "8192", "--log", log)
    assert (wrong.status, "✔ log" in wrong.out) == (0, True)
    log.write_text(log.read_text().replace("39", "3900"))
    assert shell("run", "compute", config, "--tokens", "15e12", "--sequence", "8192", "--log", log).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "missing.toml"),
        ("plan", "."),
        ("notify", "missing.toml"),
        ("check", "missing.json"),
        ("deviate", "missing.json", "--reason", "x"),
        ("compute", "missing.json", "--tokens", "1", "--sequence", "1"),
        ("rebut", "missing.json", "missing.toml"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(shell: Shell, arguments: tuple[str, ...]) -> None:
    """A wrong path ends with one sentence and status 2."""
    assert shell("run", *arguments).refused()


def test_nothing_is_overwritten_by_a_form(shell: Shell, plan: Path) -> None:
    """The form of a plan never replaces a file."""
    before = plan.read_text()
    assert "overwritten" in shell("run", "new", plan).refused()
    assert plan.read_text() == before


def test_pages_of_a_plan_and_of_a_filed_one(shell: Shell, plan: Path) -> None:
    """Plan and check make pages in both languages, with the statuses they have as text."""
    page = shell("run", "plan", plan, "--format", "html", "--lang", "es")
    assert page.status == 1
    assert page.out.startswith("<!doctype html>")
    assert "no está sellado" in page.out
    shell("run", "notify", plan)
    filed = shell("run", "check", evidence_of(plan), "--format", "html")
    assert filed.status == 0
    assert "no training step is stated yet" in filed.out


def test_a_statement_that_cannot_be_read_is_told_of(shell: Shell, plan: Path) -> None:
    """A plan that says nonsense is not passed over in silence."""
    shell("run", "notify", plan)
    with Ledger.open(shell.home) as ledger:
        subject = Subject("example-lab/new-model", {"sha256": "ab" * 32})
        receipts = ledger.attest(
            [Statement((subject,), "urn:hallmarked:run-plan:v1", {"model": 5})], time=datetime.now(UTC)
        )
        evidence_of(plan).write_bytes(ledger.export_bundle(receipts))
    done = shell("run", "check", evidence_of(plan))
    assert done.status == 2
    assert "counts for nothing" in done.err


@pytest.mark.parametrize("kind", ["run-plan", "run-deviation", "run-rebuttal", "package"])
def test_statements_of_these_commands_are_not_written_by_hand(shell: Shell, kind: str) -> None:
    """A plan is sealed by the command that judges it; stating its fields alone is not offered."""
    assert kind not in shell("attest", "--help").out
    assert shell("attest", kind, "--help").status == 2

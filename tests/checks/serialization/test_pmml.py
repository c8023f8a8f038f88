"""Examining PMML."""

from __future__ import annotations

import pytest

from hallmarked.checks.serialization.contract import FileVerdict
from hallmarked.checks.serialization.pmml import examine_pmml
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Level
from hallmarked.formats.blob import Blob, Budget
from tests.checks.serialization.examining import examine, references, rules, verdict

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">'


def pmml(body: str, head: str = HEAD) -> bytes:
    return f"{head}\n<Header/>{body}</PMML>".encode()


def test_models_are_proven() -> None:
    """A model with extensions, built-in and defined functions needs no word."""
    body = """
    <Extension name="timestamp" value="2024" extender="R"/>
    <LocalTransformations><DefineFunction name="own"><Apply function="ln"/></DefineFunction></LocalTransformations>
    <RegressionModel><Apply function="+"><FieldRef field="x"/><Apply function="own"/></Apply></RegressionModel>"""
    assert examine(examine_pmml, pmml(body)) == []


@pytest.mark.parametrize("declared", ['x SYSTEM "file:///etc/passwd"', 'x "xx"', '% x SYSTEM "http://example.org/x"'])
def test_entities_are_errors(declared: str) -> None:
    """Declared entities are reported as errors, and the file is malformed."""
    blob = Blob.of_bytes("file", pmml("&x;", f"<!DOCTYPE PMML [<!ENTITY {declared}>]>\n<PMML>"))
    seen = []
    with pytest.raises(FormatError):
        seen.extend(item for item in examine_pmml(blob, Budget(stored=1)) if not seen.append(item))
    assert "PMM001" in {item.rule for item in seen if isinstance(item, Finding) and item.level == Level.ERROR}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (pmml("", '<!DOCTYPE PMML SYSTEM "pmml-2-1.dtd">\n<PMML>'), "PMM002"),
        (pmml("", '<?xml-stylesheet href="x.xsl" type="text/xsl"?>' + HEAD[38:]), "PMM002"),
        (pmml("<Extension><script>alert(1)</script></Extension>"), "PMM003"),
        (pmml('<Extension value="javascript:alert(1)"/>'), "PMM003"),
        (pmml('<Extension><p xmlns="http://www.w3.org/1999/xhtml" onclick="x"/></Extension>'), "PMM003"),
        (pmml('<Apply function="java.lang.Runtime"/>'), "PMM004"),
        (b"<html/>", "PMM005"),
        (pmml("", '<PMML xmlns="urn:other">'), "PMM005"),
    ],
)
def test_what_is_not_part_of_a_model_is_a_warning_and_a_gap(data: bytes, rule: str) -> None:
    """Other documents, scripts, foreign functions and other XML cannot be vouched for, and are no error."""
    seen = examine(examine_pmml, data)
    assert rules(seen) == [rule]
    assert {item.level for item in seen if isinstance(item, Finding)} == {Level.WARNING}
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_inclusions() -> None:
    """Including a file beside is a warning and a reference, one from elsewhere an error."""
    include = '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{}"/>'
    seen = examine(examine_pmml, pmml(include.format("part.xml")))
    assert (rules(seen), references(seen)) == (["PMM002"], ["part.xml"])
    assert rules(examine(examine_pmml, pmml(include.format("/etc/passwd")))) == ["PMM006"]

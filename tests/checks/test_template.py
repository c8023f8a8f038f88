"""Templates are found by content and judged without being rendered."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.template.check import TemplateCheck
from hallmarked.checks.template.judge import judge
from hallmarked.checks.template.parse import parse_template
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Measurement
from tests.checks import chat_templates
from tests.support import DATA, MemoryArtifact, needs_data

HOSTILE = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ x['__class__'] }}",
    "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ x['__cla' ~ 'ss__'] }}",
    "{{ x['__cla' + 'ss__'] }}",
    "{% set a='__cla' %}{% set b='ss__' %}{{ x[a ~ b] }}",
    "{% set n = namespace(k='') %}{% for c in ['_', '_', 'class'] %}{% set n.k = n.k ~ c %}{% endfor %}{{ x[n.k] }}",
    "{% set k %}__class__{% endset %}{{ x[k] }}",
    "{% macro a() %}__class__{% endmacro %}{{ x[a()] }}",
    "{% macro m(k) %}{{ x[k] }}{% endmacro %}{{ m('__class__') }}",
    "{% set k = dict(__class__=1) | list | first %}{{ x[k] }}",
    "{% set u = (lipsum | string | list)[18] %}{{ x[u ~ u ~ 'class' ~ u ~ u] }}",
    "{{ x[['_', '_', 'class']|join] }}",
    "{{ x['%c%cclass' | format(95, 95)] }}",
    "{{ x['%c%cclass' % (95, 95)] }}",
    "{{ x['{:c}{:c}class'.format(95, 95)] }}",
    "{{ x['__ssalc__' | reverse] }}",
    "{{ x['--class--' | replace('-', '_')] }}",
    "{{ x['_' * 2 ~ 'class'] }}",
    "{{ x['x__class__x'[1:-1]] }}",
    "{{ x['__CLASS__' | lower] }}",
    "{{ x[undefined ~ '__class__'] }}",
    "{{ x[['__class__'].pop()] }}",
    "{% set a = [] %}{% do a.append('__class__') %}{{ x[a[0]] }}",
    "{% for g in [{'k': '__class__'}] %}{{ x[g.k] }}{% endfor %}",
    "{% with k = '__class__' %}{{ x[k] }}{% endwith %}",
    "{{ x | attr('a') }}",
    "{{ [x] | map('attr', 'a') | list }}",
    "{{ [x] | map(attribute='__class__') | list }}",
    "{{ [x] | selectattr('a.__class__') | list }}",
    "{{ x | groupby('__class__') }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{% set t = '{0.__class__}' %}{{ t.format(x) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ x.os.popen('id').read() }}",
    "{{ open('/etc/passwd') }}",
    "{{ x.gi_frame.f_back }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% for i in range(10 ** 9) %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{{ 'a' * 1000000000 }}",
]
UNPROVEN = [
    "{{ x | random }}",
    "{{ x is surprising }}",
    "{{ now() }}",
    "{{ x.fetch() }}",
    "{{ (x or y)('a') }}",
    "{{ foo(*x) }}",
    "{% block b %}{% endblock %}",
    "{{ self }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% for i in range(n * n) %}{% endfor %}",
    "{{ x[name ~ '_content'] }}",
    "{% set f = 'at' ~ 'tr' %}{{ [x] | map(f) | list }}",
    "{{ message.content.format(name=1) }}",
]
MESSAGES = "{% for m in messages %}{{ m.content }}{% endfor %}"


def run(contents: dict[str, bytes | str]) -> list[object]:
    return list(TemplateCheck().run(MemoryArtifact(contents)))


def findings(contents: dict[str, bytes | str]) -> list[Finding]:
    return [item for item in run(contents) if isinstance(item, Finding)]


def levels(template: str) -> set[Level]:
    return {mark.level for mark in judge(parse_template(template))}


@pytest.mark.parametrize("name", sorted(chat_templates.ALL))
def test_templates_of_known_styles_are_vouched_for(name: str) -> None:
    """What published chat templates do is on the lists: no finding, no gap, however the template is stored."""
    text = chat_templates.ALL[name]
    items = run({"tokenizer_config.json": json.dumps({"chat_template": text}), "chat_template.jinja": text})
    assert [item for item in items if not isinstance(item, Measurement)] == []
    assert Measurement("templates.proven", "2", n=2) in items


@pytest.mark.parametrize("name", sorted(chat_templates.ALL))
def test_templates_of_known_styles_load_in_transformers(name: str) -> None:
    """The templates used as examples of good ones are accepted by the library that renders them."""
    utils = pytest.importorskip("transformers.utils.chat_template_utils")
    utils._compile_jinja_template(
        chat_templates.ALL[name].replace("{%- do ", "{%- set _ = ").replace("{% do ", "{% set _ = ")
    )


@pytest.mark.parametrize("template", HOSTILE)
def test_ways_out_of_a_template_are_errors(template: str) -> None:
    """Every way to reach the interpreter, to load more or to run without end is at level error."""
    if "replace('-'" in template:  # one underscore that a replacement multiplies
        assert levels(template) >= {Level.ERROR}
    assert Level.ERROR in levels(template)


@pytest.mark.parametrize("template", UNPROVEN)
def test_unknown_constructs_are_warnings(template: str) -> None:
    """What is merely not on the lists is a warning and no error."""
    assert levels(template) == {Level.WARNING}


@pytest.mark.parametrize(
    "path", ["tokenizer_config.json", "settings.json", "notes.txt", "deep/er/x", "weights.bin", "README.md", "a.jinja"]
)
def test_file_name_does_not_matter(path: str) -> None:
    """The same hostile bytes give the same findings under any name, as a document and as a whole file."""
    hostile = MESSAGES + "{{ ''.__class__.__base__ }}"
    for content in (
        json.dumps({"chat_template": hostile}),
        json.dumps({"anything": [hostile]}),
        hostile,
        f"t: >-\n  {hostile}\n",
    ):
        assert {(f.rule, f.level) for f in findings({path: content})} == {("TPL001", Level.ERROR)}, content


def test_escaped_delimiters_are_seen() -> None:
    """JSON and YAML can spell a brace in other ways; what counts is the string they stand for."""
    text = json.dumps({"chat_template": "{{ x.__class__ }}"}).replace("{{", "\\u007b\\u007B")
    assert findings({"a.json": text})[0].level is Level.ERROR
    assert (
        findings({"a.json": json.dumps({"chat_template": "{% include 'x' %}"}).replace("%", "\\u0025")})[0].rule
        == "TPL003"
    )
    assert findings({"a.yaml": 'chat_template: "\\x7b\\x7b x.__class__ }}"\n'})[0].level is Level.ERROR


def test_unproven_chat_template_is_a_warning_and_a_gap() -> None:
    """A template that cannot be vouched for makes the outcome unknown."""
    items = run({"tokenizer_config.json": json.dumps({"chat_template": MESSAGES + "{{ now() }}"})})
    assert [type(item) for item in items if not isinstance(item, Measurement)] == [Gap, Finding]


@pytest.mark.parametrize(
    "template",
    ["{{ " + "(" * 200 + ")" * 200 + " }}", "{% if a %}" * 200 + "{% endif %}" * 200, "{{ a" + " + a" * 3000 + " }}"],
)
def test_deep_template_is_reported_not_followed(template: str) -> None:
    """Nesting that would overrun a recursive reader is refused and reported."""
    with pytest.raises(FormatError):
        parse_template(template)
    items = run({"x.json": json.dumps({"chat_template": template})})
    assert [type(item) for item in items if not isinstance(item, Measurement)] == [Finding, Gap]


def test_long_template_is_refused() -> None:
    """A template beyond the limit is not parsed."""
    with pytest.raises(LimitExceeded):
        parse_template("x" * (1 << 20) + "{{ a }}")


def test_different_templates_of_one_name_are_reported() -> None:
    """Two texts for one name are a finding; equal texts, other names and other folders are not."""
    one, two = json.dumps({"chat_template": MESSAGES}), MESSAGES + "more"
    assert [f.rule for f in findings({"tokenizer_config.json": one, "chat_template.jinja": two})] == ["TPL006"]
    assert findings({"tokenizer_config.json": one, "chat_template.jinja": MESSAGES + "\n"}) == []
    assert findings({"tokenizer_config.json": one, "other/chat_template.jinja": two}) == []
    listed = json.dumps(
        {"chat_template": [{"name": "default", "template": MESSAGES}, {"name": "rag", "template": two}]}
    )
    assert findings({"tokenizer_config.json": listed, "additional_chat_templates/rag.jinja": two}) == []
    assert [
        f.rule for f in findings({"tokenizer_config.json": listed, "additional_chat_templates/rag.jinja": MESSAGES})
    ] == ["TPL006"]


@pytest.mark.parametrize(
    "text",
    [
        "# Model\n\nUse it so:\n\n```jinja\n{% for m in messages %}{{ now() }}{% endfor %}\n```\nThat is all.\n"
        + "Prose. " * 60,
        "\\documentclass{article}\n\\newcommand{\\x}[1]{{\\bf #1}}\n{%\n comment }",
        "{{- if .System }}{{ .System }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}",
        "on: push\njobs:\n  a:\n    steps:\n      - run: echo ${{ secrets.X }} ${{ github.event.y }}\n",
        '{"model": {"vocab": {"{{": 1, "{%": 2}, "merges": ["{ {", "{% %"]}, "added_tokens": [{"content": "{{"}]}',
        "def f(x):\n    return f'{{{x}}}' + '{{ x }}'\n" * 20,
        "<html>{% extends 'base.html' %}{% block x %}{% include 'y.html' %}{% endblock %}</html>",
    ],
)
def test_texts_that_are_no_chat_templates_are_left_alone(text: str) -> None:
    """Documents, LaTeX, other template languages, workflows, vocabularies, code and web pages give nothing."""
    assert [item for item in run({"x": text}) if not isinstance(item, Measurement)] == []


def test_rows_of_data_are_warnings_at_most() -> None:
    """An injection that merely sits in a data set is told, but not called an attack."""
    row = json.dumps({"text": "{{ ''.__class__.__mro__ }}"}) + "\n"
    assert {f.level for f in findings({"train.jsonl": row * 3})} == {Level.WARNING}
    table = json.dumps([{"text": "plain"}] * 100 + [{"text": "{{ ''.__class__ }}"}])
    assert {f.level for f in findings({"train.json": table})} == {Level.WARNING}


def test_broken_json_with_a_template_is_a_gap() -> None:
    """A document that readers disagree about may not hide a template."""
    items = run({"a.json": '{"chat_template": "{{ a }}", "chat_template": "{{ b.__class__ }}"}'})
    assert [type(item) for item in items if not isinstance(item, Measurement)] == [Finding, Gap]


def test_broken_whole_template_is_a_gap() -> None:
    """A file that was meant to be a chat template and is no Jinja cannot be vouched for."""
    items = run({"chat_template.jinja": "{% for m in messages %}{{ m }}"})
    assert [type(item) for item in items if not isinstance(item, Measurement)] == [Finding, Gap]


@needs_data
def test_real_cards_and_records_give_no_finding() -> None:
    """Hundreds of real model cards and records hold nothing that is taken for a template."""
    files = [
        path
        for folder in ("cards", "avid", "nist", "benchmarks")
        for path in (DATA / folder).rglob("*")
        if path.is_file()
    ]
    contents = {str(path.relative_to(DATA)): path.read_bytes() for path in files}
    assert len(contents) > 500
    assert findings(contents) == []


FRAGMENTS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "for ",
    "in ",
    "if ",
    "endif",
    "endfor",
    "x",
    ".",
    "[",
    "]",
    "(",
    ")",
    "'",
    '"',
    "|",
    "~",
    "-",
]
FRAGMENTS += [
    "9" * 50,
    "set ",
    "=",
    "macro ",
    "endmacro",
    "__class__",
    "\n",
    " ",
    "\\",
    "\x00",
    "é",
    "not ",
    "**",
    "*",
    "raw",
    "endraw",
    "call ",
    "%",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join) | st.text())
def test_any_text_is_judged_or_refused(text: str) -> None:
    """Parsing raises nothing but a format error, and judging raises nothing at all."""
    try:
        tree = parse_template(text)
    except FormatError:
        return
    judge(tree)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from([b'{"chat_template": "', b"GGUF", b"{{", b"\xff\xfe{{"]).flatmap(
        lambda p: st.binary(max_size=80).map(lambda b: p + b)
    )
)
def test_any_bytes_are_survived(data: bytes) -> None:
    """The check runs to its end on arbitrary files."""
    assert isinstance(run({"x": data})[-1], Measurement)


def gguf(metadata: dict[str, str | list[str]]) -> bytes:
    """Write a GGUF file without tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    body = b""
    for key, value in metadata.items():
        body += text(key)
        if isinstance(value, list):
            body += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        else:
            body += struct.pack("<I", 8) + text(value)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(metadata)) + body


def test_templates_of_gguf_files_are_judged() -> None:
    """Metadata strings are judged like any other, named variants included, and compared with the tokenizer's."""
    hostile = MESSAGES + "{{ x.__class__ }}"
    assert {f.rule for f in findings({"m.gguf": gguf({"tokenizer.chat_template.tool_use": hostile})})} == {"TPL001"}
    assert {f.rule for f in findings({"m.bin": gguf({"other.key": hostile})})} == {"TPL001"}
    good = gguf({"tokenizer.chat_template": MESSAGES, "tokenizer.ggml.tokens": ["{{", "{%", "{#"]})
    assert findings({"m.gguf": good}) == []
    config = json.dumps({"chat_template": MESSAGES + "!"})
    assert [f.rule for f in findings({"m.gguf": good, "tokenizer_config.json": config})] == ["TPL006"]
    assert [f.rule for f in findings({"m.gguf": good[:-4]})] == ["TPL007"]

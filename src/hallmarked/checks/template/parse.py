"""Parse Jinja with a bound on size and nesting. Nothing is compiled or rendered.

The language is the one of https://jinja.palletsprojects.com/en/stable/templates/ with the extensions that chat
templates may use (https://huggingface.co/docs/transformers/chat_templating_writing): loop controls, ``do`` and the
``generation`` block.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from hallmarked.core.errors import FormatError, LimitExceeded

TEMPLATE_CHARACTERS = 1 << 20
"""Longest template that is judged; the longest in use have some fifty thousand characters."""
# The parser descends about fourteen calls for each bracket and five for each block, and Python allows a thousand.
_BRACKETS = 30
_BLOCKS = 50
_CHAIN = 100
_TREE = 250

_OPENERS = frozenset({"if", "for", "macro", "call", "filter", "block", "with", "autoescape", "generation"})


class _Generation(Extension):
    """``{% generation %} … {% endgeneration %}``, which marks what the model says; here only its body matters."""

    tags = {"generation"}  # noqa: RUF012 -- declared so by the base class

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


# Nothing is ever rendered in this environment, so there is nothing to escape.
_ENVIRONMENT = Environment(  # noqa: S701
    trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", _Generation]
)


def parse_template(source: str) -> nodes.Template:
    """Return the syntax tree of a template.

    Raises:
        FormatError: When it is not Jinja.
        LimitExceeded: When it is too long or too deeply nested to be judged.
    """
    if len(source) > TEMPLATE_CHARACTERS:
        raise LimitExceeded(f"template of {len(source):,} characters, more than {TEMPLATE_CHARACTERS:,}")
    try:
        _check_nesting(source)
        tree = _ENVIRONMENT.parse(source)
    except TemplateError as error:
        raise FormatError(f"not Jinja: {error.message}") from error
    except RecursionError as error:
        raise LimitExceeded("template nested too deeply") from error
    except (ValueError, OverflowError, AssertionError) as error:  # e.g. an integer of more digits than Python converts
        raise FormatError("not Jinja: a constant that no reader accepts") from error
    _check_tree(tree)
    return tree


def _check_nesting(source: str) -> None:
    """Count, from tokens alone, what the recursive parser would descend into."""
    brackets = blocks = chain = 0
    for statement in _statements(source):
        chain = brackets = 0
        for kind, value in statement:
            if kind == "operator" and value in "([{":
                brackets += 1
            elif kind == "operator" and value in ")]}":
                brackets -= 1
            elif value in {"not", "-", "+", "else"}:
                chain += 1
            if brackets > _BRACKETS or chain > _CHAIN * 10:
                raise LimitExceeded("expression nested too deeply")
            if value in {"not", "else"} and chain > _CHAIN:
                raise LimitExceeded("expression nested too deeply")
        blocks += _block_change(statement)
        if blocks > _BLOCKS:
            raise LimitExceeded("blocks nested too deeply")


def _block_change(statement: list[tuple[str, str]]) -> int:
    """Say whether a statement opens (1) or closes (-1) a block, or neither (0)."""
    if not statement or statement[0][0] != "name":
        return 0
    name = statement[0][1]
    if name in _OPENERS or (name == "set" and ("operator", "=") not in statement):
        return 1
    return -1 if name.startswith("end") else 0


def _statements(source: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the tokens of each ``{% … %}`` and ``{{ … }}``."""
    current: list[tuple[str, str]] = []
    for _, kind, value in _ENVIRONMENT.lex(source):
        if kind in {"block_begin", "variable_begin"}:
            current = []
        elif kind in {"block_end", "variable_end"}:
            yield current
        elif kind not in {"whitespace", "data"}:
            current.append((kind, value))


def _check_tree(tree: nodes.Template) -> None:
    """Refuse trees so deep that walking them would not end well, such as a sum of a thousand terms."""
    level: list[nodes.Node] = [tree]
    for _ in range(_TREE):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise LimitExceeded("template nested too deeply")

"""Text that has no business in the metadata of weights: program code, commands, links that fetch, hidden blobs.

Nothing here runs by being stored; a finding from these rules is a warning, so that somebody looks. Rules describe what
text *is* (a call, a pipe into a shell, markup that runs in a browser), never which file it was seen in.

NOTE: every pattern is searched in hostile text, so repetitions are bounded wherever one could begin inside another.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_LONGEST = 1 << 20
"""Characters of one text that are looked at; longer text is looked at from both ends."""

_MARKUP = r"""<\s{0,9}(script|iframe|object|embed)\b | \bjavascript\s{0,9}: | <[^<>]{1,200}\son[a-z]{3,20}\s{0,9}="""
_RUNS = r"""(?<![\w.]) (__import__|exec|eval|execfile) \s{0,9}\("""
_STARTS = r"""\b os\s?\.\s?(system|popen|exec[lv]\w{0,3}|spawn\w{1,3})\b | \b(subprocess|pty)\s?\.\s?[a-zA-Z_]
    | \bRuntime\.getRuntime\b"""
_UNPACKS = (
    r"""\b(b(16|32|64|85)decode|a2b_base64|atob|(marshal|c?pickle|dill)\s?\.\s?loads?|zlib\s?\.\s?decompress)\s?\("""
)
_REACHES = r"""\b(urllib\s?\.\s?request|urlopen|urlretrieve|requests\s?\.\s?(get|post|put)|http\s?\.\s?client
    |socket\s?\.\s?(socket|create_connection)|XMLHttpRequest)\b | \bfetch\s?\(\s?['"`]"""
_IMPORT = r"""(?:^|[;\n]) [ \t]{0,40}
    (?: import[ \t]{1,9}[A-Za-z_][\w.]{0,99} (?:[ \t]?,[ \t]?[A-Za-z_][\w.]{0,99}){0,9} [ \t]{0,9}(?:;|\r?\n|$)
      | from[ \t]{1,9}[A-Za-z_][\w.]{0,99}[ \t]{1,9}import[ \t]{1,9}[\w*(] )"""
_SHELL = r"""(?:^|[\s;&|`(])
    (?: (?:curl|wget)\s{1,9}(?:-\S{1,40}\s{1,9}){0,9}['"]?[a-z]{3,6}: | rm\s{1,9}-\w{0,9}[rf]\w{0,9}\s
      | (?:ba|z|da)?sh\s{1,9}-c\s | powershell(?:\.exe)?\s{1,9}- | nc\s{1,9}-\w{0,9}e\b | chmod\s{1,9}\+x )
    | \|\s{0,9}(?:sudo\s{1,9})?(?:ba|z|da)?sh\b | /dev/tcp/ | \A\#!\s{0,9}/"""
# Accented and Asian text is escaped for good reasons; letters and signs of ASCII are not.
_ESCAPED = r"""(?:\\{1,4}x[0-9a-f]{2}){8} | (?:\\{1,4}u00[2-7][0-9a-f]){8} | (?:\\{1,4}[0-3][0-7]{2}){8}
    | (?:%[2-7][0-9a-f]){12} | (?:&\#x?[0-9a-f]{1,3};){8}"""


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE)


_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("markup that runs in a browser", _compile(_MARKUP)),
    ("a call that runs code", _compile(_RUNS)),
    ("a call that starts a program", _compile(_STARTS)),
    ("a call that unpacks hidden code", _compile(_UNPACKS)),
    ("a call that reaches the network", _compile(_REACHES)),
    ("a Python import statement", _compile(_IMPORT)),
    ("a shell command", _compile(_SHELL)),
    ("bytes hidden behind escapes", _compile(_ESCAPED)),
    ("a path out of the folder", _compile(r"(?:\.\.[/\\]){2}")),
)

_URL = re.compile(r"\b(?:https?|ftp)://[^\s'\"<>)\]]{1,2000}", re.IGNORECASE)
_ACTION = _compile(
    r"""(?<![a-z])(callbacks?|download|fetch|payload|(web)?hooks?|beacon|exfil\w*|upload|update|install|exec\w*|loader
    |remote|ping)(?![a-z])"""
)
_PROGRAM = _compile(
    r"""\.(py|pyc|sh|bash|ps1|bat|cmd|exe|dll|so|dylib|js|jar|vbs|msi|apk|elf|pkl|pickle|whl)(?:[?#].*)?$"""
)
_ADDRESS = _compile(r"""^\w+://(?:[^/@]*@)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\])(?:[:/]|$)""")
_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{40,}={0,2}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){32,}(?![0-9A-Za-z])")
_MAGIC = (
    *(b"\x7fELF", b"MZ\x90", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"),
    *(b"#!/", b"<?php", b"\x80\x02", b"\x80\x03", b"\x80\x04\x95", b"\x80\x05\x95"),
)


def find_payloads(text: str, name: str = "") -> Iterator[str]:
    """Say what in a text looks like a payload, each kind once.

    Args:
        text: The text.
        name: What the text is stored under; a link under a name such as ``callback_url`` counts for more.
    """
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"
    for what, pattern in _RULES:
        if pattern.search(text):
            yield what
    if any(_fetches(link, name) for link in _URL.findall(text)):
        yield "a link that fetches a program or reports back"
    if any(_hides(data) for data in _decoded(text)):
        yield "a program or code behind an encoding"


def _fetches(link: str, name: str) -> bool:
    return bool(_ACTION.search(name.replace("_", " ")) or _PROGRAM.search(link) or _ADDRESS.search(link))


def _decoded(text: str) -> Iterator[bytes]:
    for match in _BASE64.finditer(text):
        body = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(body[: len(body) // 4 * 4])
        except binascii.Error:
            continue
    for match in _HEX.finditer(text):
        yield bytes.fromhex(match.group())


def _hides(data: bytes) -> bool:
    if data.startswith(_MAGIC):
        return True
    plain = data.decode("latin-1")
    head = plain[:4096]
    readable = sum(" " <= character <= "~" or character in "\t\r\n" for character in head)
    return readable >= 0.95 * len(head) and any(pattern.search(plain) for _, pattern in _RULES)

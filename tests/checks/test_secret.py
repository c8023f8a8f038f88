"""Credentials are recognised by shape and structure, and never repeated in clear."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import string
import struct
import uuid
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.secret.check import SecretCheck
from hallmarked.checks.secret.scan import OVERLAP, PIECE, scan
from hallmarked.core.evidence import Finding, Level, Measurement
from hallmarked.corpus.personal.credential.verify import has_crc
from tests.support import DATA, MemoryArtifact, needs_data

LETTERS = string.ascii_letters + string.digits


def draw(count: int, alphabet: str = LETTERS, seed: int = 1) -> str:
    """Return random characters, the same each time."""
    return "".join(random.Random(seed).choices(alphabet, k=count))


def github(prefix: str = "ghp_") -> str:
    """Return a token with the issuer's checksum."""
    body, digits = draw(30), string.digits + string.ascii_uppercase + string.ascii_lowercase
    number, check = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        check = digits[rest] + check
    return prefix + body + check.rjust(6, "0")


def jwt() -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": "a"})
    ]
    return ".".join([*parts, draw(43)])


def pem(label: str = "PRIVATE KEY", body: bytes | None = None) -> str:
    body = body if body is not None else b"\x30\x82" + struct.pack(">H", 600) + random.Random(1).randbytes(600)
    text = base64.encodebytes(body).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


HEX = "0123456789abcdef"
DISCORD = base64.urlsafe_b64encode(b"813456789012345678").decode().rstrip("=") + "." + draw(6) + "." + draw(38)
# Put together here, so that no scanner takes this file for a leak.
TOKENS = {
    "hf": "hf_" + draw(34),
    "openai": "sk-" + draw(20) + "T3Blbk" + "FJ" + draw(20, seed=2),
    "openai project": "sk-proj-" + draw(74) + "T3Blbk" + "FJ" + draw(74, seed=2),
    "anthropic": "sk-ant-" + "api03-" + draw(93) + "AA",
    "openrouter": "sk-or-v1-" + draw(64, HEX),
    "replicate": "r8_" + draw(37),
    "groq": "gsk_" + draw(52),
    "google": "AIza" + draw(35),
    "github": github(),
    "github server": github("ghs_"),
    "github fine": "github_pat_" + draw(22) + "_" + draw(59, seed=3),
    "gitlab": "glpat-" + draw(20),
    "npm": github("npm_"),
    "pypi": "pypi-"
    + base64.urlsafe_b64encode(b"\x02\x01\x08location" + random.Random(1).randbytes(100)).decode().rstrip("="),
    "slack": "xox" + "b-504816273950-6180339887498-" + draw(24),
    "stripe": "sk_" + "live_" + draw(24),
    "sendgrid": "SG." + draw(22) + "." + draw(43, seed=5),
    "databricks": "dapi" + draw(32, HEX),
    "telegram": "7150936284:AA" + draw(33),
    "azure storage": "AccountKey=" + draw(86) + "==",
    "azure secret": "aBc8Q~" + draw(34),
    "aws secret": "aws_secret_access_key = " + draw(40),
    "wandb": 'wandb.login(key="' + draw(40, HEX) + '")',
    "kaggle": '{"username": "ann", "key": "' + draw(32, HEX) + '"}',
    "discord": "DISCORD_TOKEN = " + DISCORD,
    "discord webhook": "https://discord.com/api/webhooks/123456789012345678/" + draw(68),
    "slack webhook": "https://hooks.slack.com/services/T"
    + draw(9, string.ascii_uppercase)
    + "/B"
    + draw(9, string.ascii_uppercase)
    + "/"
    + draw(24),
    "private key": pem(),
    "rsa key": pem("RSA PRIVATE KEY"),
    "openssh key": pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0\0\0\0\x04none" + random.Random(1).randbytes(300)),
    "service account": json.dumps({"type": "service_account", "private_key": pem()}),
}
SUSPECTS = {
    "aws id": "AKIA" + "Q3EGRZ7WSXNP2KTV",
    "jwt": jwt(),
    "database": "postgresql://ann:" + draw(12) + "@db.acme-models.net:5432/x",
    "git": "https://ann:" + draw(20) + "@git.acme-models.net/x.git",
    "password": 'password = "k9#Vz' + draw(8) + '"',
    "json": '{"client_secret": "' + draw(32) + '"}',
    "dotenv": "SERVICE_API_KEY=" + draw(32) + "\n",
    "sealed key": pem("ENCRYPTED PRIVATE KEY"),
}
INNOCENT = {
    "placeholder": "hf_" + "x" * 34,
    "placeholder words": "hf_your" + "TokenGoesHere" * 2 + "abcde",
    "dots": "export OPENAI_API_KEY=sk-...",
    "angle": 'token="<your-api-key>"',
    "counting": "hf_" + "abcdefghijklmnopqrstuvwxyz12345678",
    "example id": "AKIA" + "IOSFODNN7EXAMPLE",
    "wrong checksum": "ghp_" + draw(36),
    "identifier": "hf_config_for_the_model_with_a_very_long_name_indeed",
    "digest": hashlib.sha256(b"x").hexdigest(),
    "digest field": json.dumps({"sha256": hashlib.sha256(b"x").hexdigest(), "commit": hashlib.sha1(b"x").hexdigest()}),
    "uuid": 'run_id = "' + str(uuid.UUID(int=0x1234567890ABCDEF1234567890ABCDEF)) + '"',
    "commit in run": '{"wandb_version": "0.1", "git": {"commit": "' + draw(40, HEX) + '"}}',
    "environment": 'api_key = os.environ["OPENAI_API_KEY"]\npassword = getpass("Password: ")\n',
    "template": 'password: "${DB_PASSWORD}"\nurl: postgres://user:password@localhost/x\napi_key: "{{ key }}"',
    "argument": 'parser.add_argument("--api_key", default="sk-no-key-required")',
    "special tokens": ('{"bos_token": "<s>", "mask_token": "[MASK]", "additional_special_tokens": ["<|im_start|>"]}'),
    "settings": (
        'secret_name = "projects/x/secrets/y"\nprivate_key_path = "/etc/ssl/key.pem"\n'
        'password_field = "user_password_hash"'
    ),
    "public key": "-----BEGIN PUBLIC KEY-----\n" + draw(400) + "\n-----END PUBLIC KEY-----",
    "not a key": pem("PRIVATE KEY", b"this is no key at all, only some text of sufficient length to look like one"),
    "no jwt": "eyJ" + draw(30) + ".eyJ" + draw(30) + "." + draw(43),
    "base64 tensor": base64.b64encode(random.Random(4).randbytes(60_000)).decode(),
    "hexadecimal data": random.Random(5).randbytes(20_000).hex(),
    "vocabulary": json.dumps({f"{draw(7, seed=n)}": n for n in range(3000)}),
    "protein": ">x\n" + draw(5000, "ACDEFGHIKLMNPQRSTVWY"),
    "numbers": "\n".join(str(random.Random(6).random()) for _ in range(500)),
}


def findings(contents: dict[str, bytes | str]) -> list[Finding]:
    return [item for item in SecretCheck().run(MemoryArtifact(contents)) if isinstance(item, Finding)]


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_issuers_are_errors(name: str) -> None:
    """What has the shape, and where there is one the checksum or structure, of an issuer's credential is an error."""
    found = findings({"notes.txt": f"first line\nvalue: {TOKENS[name]} \n"})
    assert [(f.rule, f.level, f.location.line) for f in found if f.location] == [("SEC001", Level.ERROR, 2)]


@pytest.mark.parametrize("name", SUSPECTS)
def test_likely_credentials_are_warnings(name: str) -> None:
    """What could be harmless, or is sealed or half of a pair, is a warning."""
    assert [(f.rule, f.level) for f in findings({"notes.txt": SUSPECTS[name]})] == [("SEC002", Level.WARNING)]


@pytest.mark.parametrize("name", INNOCENT)
def test_what_only_looks_like_a_credential_is_nothing(name: str) -> None:
    """Placeholders, digests, identifiers, data and configurations give no finding."""
    assert findings({"notes.txt": INNOCENT[name]}) == []


@pytest.mark.parametrize("name", [*TOKENS, *SUSPECTS])
def test_credential_is_never_repeated(name: str) -> None:
    """No message and no detail holds more than the issuer's prefix and two characters on each side."""
    secret = {**TOKENS, **SUSPECTS}[name]
    (found,) = findings({"notes.txt": secret})
    shown = found.message + json.dumps(dict(found.data))
    if secret.startswith(("hf_", "gh")):
        assert f"{secret[:5]}" in shown
        assert f"…{secret[-2:]}" in shown
    # The longest prefix of an issuer has eleven characters, and the kinds are named by words of their own.
    assert not [
        i
        for i in range(13, len(secret) - 8)
        if secret[i : i + 8] in shown.replace("webhook", "").replace("private key", "")
    ]


def test_checksum_is_that_of_the_issuer() -> None:
    """One changed character breaks the checksum."""
    token = github()
    assert has_crc(token)
    assert not any(has_crc(token[:i] + ("a" if token[i] != "a" else "b") + token[i + 1 :]) for i in range(4, 40))


def test_outputs_of_notebooks_and_settings_are_searched() -> None:
    """A token is found in a notebook's output, in JSON, in UTF-16 and behind a long line."""
    token = TOKENS["hf"]
    notebook = json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": [], "outputs": [{"text": [f"login {token}\n"]}]}]}
    )
    for content in (notebook.encode(), f"token: {token}".encode("utf-16"), b"a" * 3_000_000 + b" " + token.encode()):
        assert [f.rule for f in findings({"x": content})] == ["SEC001"]


def test_metadata_of_weights_is_searched_and_tensors_are_not() -> None:
    """The header of safetensors and GGUF files is text that people write; what follows is not looked at."""
    token = TOKENS["hf"]
    header = json.dumps(
        {"__metadata__": {"note": token}, "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    ).encode()
    assert [f.rule for f in findings({"m": struct.pack("<Q", len(header)) + header + b"\xff\xfe\xfd\xfc"})] == [
        "SEC001"
    ]
    value = f"key {token} ".encode()
    assert [f.rule for f in findings({"m": b"GGUF\x03\0\0\0" + b"\xff" * 8 + value})] == ["SEC001"]
    assert findings({"m": b"\x80\x02\xff\xfe" + value}) == []


@pytest.mark.parametrize("offset", [-60, -40, -20, -1, 0, 1])
@pytest.mark.parametrize("edge", [PIECE, PIECE - OVERLAP])
def test_pieces_do_not_cut_a_token(offset: int, edge: int) -> None:
    """A token that lies across the edge of what is read at once is found once, on its line."""
    filler = "a b c d\n" * ((edge + offset) // 8)
    text = filler + " " * ((edge + offset) - len(filler)) + TOKENS["hf"] + "\n" + "z y x\n" * 200_000
    assert [(hit.what, hit.line) for hit in scan(io.BytesIO(text.encode()))] == [
        ("a Hugging Face token", filler.count("\n") + 1)
    ]


def test_the_same_token_is_reported_once() -> None:
    """Repeats in one file are one finding; a file full of tokens is cut short and says so."""
    assert len(findings({"x": f"{TOKENS['hf']}\n" * 500})) == 1
    many = findings({"x": "\n".join("hf_" + draw(34, seed=n) for n in range(100))})
    assert len(many) == 21
    assert "more" in many[-1].message


def test_searching_is_counted() -> None:
    """The check says how many files it searched."""
    items = list(SecretCheck().run(MemoryArtifact({"a": "text", "b": b"\x80\x02\xff\xfe", "c": ""})))
    assert Measurement("secrets.files.searched", "2", n=3) in items


@needs_data
def test_real_cards_benchmarks_and_records_hold_none() -> None:
    """Hundreds of real cards, benchmark rows, incident records and personal-data samples give no finding."""
    files = [
        path
        for folder in ("cards", "avid", "nist", "benchmarks", "pii")
        for path in (DATA / folder).rglob("*")
        if path.is_file()
    ]
    assert len(files) > 500
    assert findings({str(path.relative_to(DATA)): path.read_bytes() for path in files}) == []


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(
        [b"", b"-----BEGIN PRIVATE KEY-----\n", b"eyJhbGciOiJIUzI1NiJ9.eyJ", b"password='", b"GGUF", b"\xff\xfe"]
    ),
)
def test_any_bytes_are_survived(data: bytes, start: bytes) -> None:
    """The check runs to its end on arbitrary files."""
    assert isinstance(
        list(SecretCheck().run(MemoryArtifact({"x": start + data + b"\n-----END PRIVATE KEY"})))[-1], Measurement
    )

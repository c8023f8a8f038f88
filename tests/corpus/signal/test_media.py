"""Content credentials of real files."""

from __future__ import annotations

import datetime
import io
import json
import struct
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hallmarked.corpus.signal.evaluate import evaluate
from hallmarked.corpus.signal.media import read_credentials
from hallmarked.corpus.signal.model import Decision, Snapshot

c2pa = pytest.importorskip("c2pa", reason="c2pa-python is not installed")


def picture() -> bytes:
    """Return a PNG of one pixel."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0\0\0")),
        (b"IEND", b""),
    ]
    chunks = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def signer() -> tuple[bytes, bytes]:
    """Make a certificate with its authority, and the key, as C2PA wants them."""

    def name(text: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "test")]
        )

    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    certificates = []
    for number, (subject, issuer) in enumerate((("root", "root"), ("leaf", "root"))):
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=number == 0, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(keys[number].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), critical=False)
            .add_extension(authority, critical=False)
        )
        if number == 1:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
        certificates.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificates[1] + certificates[0], key


def signed(use: str) -> bytes:
    """Return a picture whose credentials say of training what is given."""
    chain, key = signer()
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None)
    entries = {"cawg.ai_training": {"use": use}, "cawg.ai_inference": {"use": "allowed"}}
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
    created = {"actions": [{"action": "c2pa.created", "digitalSourceType": source}]}
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "format": "image/png",
        "assertions": [
            {"label": "c2pa.actions", "data": created},
            {"label": "cawg.training-mining", "data": {"entries": entries}},
        ],
    }
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as made, c2pa.Builder(json.dumps(manifest)) as builder:
        builder.sign(made, "image/png", io.BytesIO(picture()), out)
    return out.getvalue()


@pytest.mark.parametrize(("use", "decision"), [("notAllowed", Decision.DENIED), ("allowed", Decision.ALLOWED)])
def test_signed_picture(use: str, decision: Decision) -> None:
    """What the credentials of a picture say of training is read out of it."""
    source = read_credentials(signed(use), "image/png")
    verdict = evaluate(Snapshot("https://example.org/a.png", (source,)))
    assert verdict.decision is decision, source
    assert any("ai_training" in reason.words for reason in verdict.reasons)


def test_other_files() -> None:
    """A picture without credentials says nothing; what is no picture cannot be read."""
    assert read_credentials(picture(), "image/png").absent
    broken = read_credentials(signed("notAllowed")[:-2_000] + b"x", "image/png")
    for source in (broken, read_credentials(b"text", "image/png")):
        assert evaluate(Snapshot("https://example.org/a.png", (source,))).decision is Decision.UNKNOWN

"""What is found in texts of many origins, and what is not taken for personal data."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.personal.find import Detector, Search, detector_of
from hallmarked.corpus.personal.kind import KINDS, NAME
from tests.support import DATA, needs_data

ALL = Search(kinds=frozenset(KINDS) - {NAME})


def found(text: str, hint: str = "") -> list[tuple[str, str]]:
    """Return kinds and values."""
    return [(span.kind, text[span.start : span.end]) for span in detector_of(ALL).find(text, hint)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("mail jane.roe+news@mail.example.co.uk.", "email", "jane.roe+news@mail.example.co.uk"),
        ("пишите: иван@почта.example.рф", "email", "иван@почта.example.рф"),
        ('{"to":"jane_roe@example.org"}', "email", "jane_roe@example.org"),
        ("jane (at) example (dot) org", "email", "jane (at) example (dot) org"),
        ("**jane@example.org**", "email", "jane@example.org"),
        ("...jane.roe@example.org", "email", "jane.roe@example.org"),
        ("+61.2.9540.6135", "phone", "+61.2.9540.6135"),
        ("you can reach me at 2025550143", "phone", "2025550143"),
        ("from fe80::1ff:fe23:4567:890a%eth0", "ip-address", "fe80::1ff:fe23:4567:890a"),
        ("4242424242424242", "payment-card", "4242424242424242"),
        ("mailto:jane@example.org?subject=x", "email", "jane@example.org"),
        ("Rufen Sie +49 (0)30 901820 an", "phone", "+49 (0)30 901820"),
        ("téléphone : 01.99.00.12.34", "phone", "01.99.00.12.34"),
        ("(202) 555-0143 is free", "phone", "(202) 555-0143"),
        ("202.555.0143 ext. 12", "phone", "202.555.0143 ext. 12"),
        ("телефон 8 (495) 123-45-67", "phone", "8 (495) 123-45-67"),
        ("手机：13800138000", "phone", "13800138000"),
        ("WhatsApp 11 91234-5678", "phone", "11 91234-5678"),
        ("tel:+15125550143,x", "phone", "+15125550143"),
        ("appelez le 06\u00a012\u00a034\u00a056\u00a078", "phone", "06\u00a012\u00a034\u00a056\u00a078"),
        ("pay with 4000-0566-5566-5556 now", "payment-card", "4000-0566-5566-5556"),
        ("amex 378282246310005", "payment-card", "378282246310005"),
        ("3782 822463 10005", "payment-card", "3782 822463 10005"),
        ("IBAN DE89 3704 0044 0532 0130 00 bei", "iban", "DE89 3704 0044 0532 0130 00"),
        ("NO9386011117947", "iban", "NO9386011117947"),
        ("routing number 021000021", "us-bank-routing", "021000021"),
        ("from 203.0.113.77 port 22", "ip-address", "203.0.113.77"),
        ("peer [2001:db8:85a3::8a2e:370:7334]:443", "ip-address", "2001:db8:85a3::8a2e:370:7334"),
        ("ether 3c:22:fb:4a:10:9e txqueuelen", "mac-address", "3c:22:fb:4a:10:9e"),
        ("see https://example.org/a?b=c, and", "url", "https://example.org/a?b=c"),
        ("born on 2 March 1961 in", "birth-date", "2 March 1961"),
        ("geboren am 02.03.1961", "birth-date", "02.03.1961"),
        ('"dob": "1961-03-02"', "birth-date", "1961-03-02"),
        ("passport no. X1234567 issued", "passport", "X1234567"),
        ("driver's license: D123-4567-8901", "driver-licence", "D123-4567-8901"),
        ('{"lat": 52.520008, "lon": 13.404954}', "coordinates", '52.520008, "lon": 13.404954'),
        ("52°31'12\"N 13°24'18\"E", "coordinates", "52°31'12\"N 13°24'18\"E"),
        ("send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "crypto-wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "crypto-wallet", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "crypto-wallet", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        ("https://example.org/?token=a8F3kq09ZpL2mX7w", "credential", "a8F3kq09ZpL2mX7w"),
        ("IMEI 490154203237518", "imei", "490154203237518"),
        ("on 2001-02-03 we", "date", "2001-02-03"),
    ],
)
def test_values_are_found(text: str, kind: str, value: str) -> None:
    """Values are found as they are written in prose, tables, code and logs, in several languages."""
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "logo@2x.png and icon@3x.webp",
        "git@github.com:owner/repository.git",
        "pip install package==1.2.3.4",
        "Chrome/91.0.4472.124 Safari/537.36",
        "version 10.0.19041.1 of the firmware",
        "OID 1.3.6.1 or 2.5.29.15",
        "127.0.0.1 and 255.255.255.0 and 0.0.0.0",
        "2024-01-02 12:34:56,789 INFO 1704198896",
        "between 1990-2005 or 1990/2005",
        "ISBN 978-0-306-40615-7",
        "order 4000056655665557 shipped",
        "GB82 WEST 1234 5698 7654 33",
        "1.23456789 0.98765432 12345678.5",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "std::array and a::b::c",
        "1704198896 1704198897123",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1beAed",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "078-05-112 and 000-12-3456 and 666-12-3456",
        "pages 100-1000 of 123-4567890-1234567",
        "de305d54-75b4-431b-adb2-eb6b9e546014",
        "price 1 234 567 890 EUR",
        "x = [12345678, 23456789, 34567890]",
        "doi:10.1000/182 and CAS 7732-18-5",
        "matrix 52.5200 13.4050 8.1234",
        "password = os.environ['PASSWORD']",
        "call it 12-34 " + "x" * 26 + " and then 0.0183782829461330671307123984550000000000000000000001",
    ],
)
def test_what_looks_alike_is_not(text: str) -> None:
    """Versions, hashes, times, order numbers, decimals and wrong check digits are no personal data."""
    assert [each for each in found(text) if each[0] not in ("url", "date")] == []


def test_overlaps_leave_the_longest_and_web_addresses_give_way() -> None:
    """An address in a URL is an address, and an account number is no telephone number."""
    assert found("https://example.org/?mail=jane@example.org") == [("email", "jane@example.org")]
    assert found('"phone": "", "ssn": "212-09-4321"') == [("us-ssn", "212-09-4321")]
    assert found("konto DE89 3704 0044 0532 0130 00") == [("iban", "DE89 3704 0044 0532 0130 00")]


def test_the_name_of_a_column_counts_as_a_word() -> None:
    """Bare digits are a number of some kind when the column they stand in says so."""
    assert found("2025550143") == []
    assert found("2025550143", "contact phone") == [("phone", "2025550143")]
    assert found("943 476 5919", "nhs") == [("gb-nhs", "943 476 5919")]


PIECES = st.sampled_from(
    [
        "Ä",
        "",
        "é\u00a0",
        "\ud800",
        "jane@example.org",
        "+44 7700 900123",
        "4000 0566 5566 5556",
        "ssn 212-09-4321",
        "1",
        "-",
        "@",
        "日本",
        "\n",
    ]
)
TEXTS = st.lists(st.lists(PIECES, max_size=8).map("".join) | st.none(), max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_texts_do_not_depend_on_their_neighbours(texts: list[str | None]) -> None:
    """Searching many texts at once says of each what searching it alone says."""
    detector = detector_of(ALL)
    together = dict(detector.scan(texts))
    assert together == {n: spans for n, text in enumerate(texts) if (spans := detector.find(text or ""))}


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_engines_agree(texts: list[str | None]) -> None:
    """What is found does not depend on which engine is there."""
    pytest.importorskip("hyperscan")
    assert list(detector_of(ALL).scan(texts)) == list(detector_of(Search(kinds=ALL.kinds, engine="re2")).scan(texts))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="0123456789 .-+()@:/abcxABC", max_size=300))
def test_spans_lie_within_the_text_in_order(text: str) -> None:
    """Whatever the text, spans are in order, do not overlap, and are never empty."""
    at = 0
    for span in detector_of(ALL).find(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end


class Surnames:
    """Finds one name."""

    name = "test"

    def names(self, texts: list[str]) -> list[list[tuple[int, int]]]:
        return [[(text.index("Roe"), text.index("Roe") + 3)] if "Roe" in text else [] for text in texts]


def test_names_need_a_model() -> None:
    """With a model names are found; without one, they are not among what is looked for."""
    detector = Detector(Search(names=Surnames()))
    assert [span.kind for span in detector.find("Jane Roe")] == [NAME]
    assert NAME in detector.kinds
    assert NAME not in Detector().kinds


def test_unknown_kinds_are_refused() -> None:
    """A misspelled kind is not silently nothing."""
    with pytest.raises(InputError):
        Detector(Search(kinds=frozenset({"e-mail"})))


@needs_data
def test_development_data_are_found() -> None:
    """On the synthetic development set every kind with a pattern or a check reaches an F1 of 0.95."""
    kinds = {"CREDIT_CARD": "payment-card", "PHONE_NUMBER": "phone", "IBAN_CODE": "iban", "US_SSN": "us-ssn"}
    kinds |= {"IP_ADDRESS": "ip-address", "EMAIL_ADDRESS": "email", "DOMAIN_NAME": "url"}
    records = json.loads((DATA / "pii" / "synth_dev.json").read_text())
    spans = dict(detector_of(ALL).scan(record["full_text"] for record in records))
    hits, total = defaultdict(int), defaultdict(int)
    for number, record in enumerate(records):
        have = [(span.kind, span.start, span.end) for span in spans.get(number, [])]
        want = [
            (kinds[span["entity_type"]], span["start_position"], span["end_position"])
            for span in record["spans"]
            if span["entity_type"] in kinds
        ]
        for kind, start, end in have:
            total[kind] += 1
            hits[kind] += any(kind == k and start < e and s < end for k, s, e in want)
        for kind, start, end in want:
            total[kind] += 1
            hits[kind] += any(kind == k and start < e and s < end for k, s, e in have)
    assert {kind: hits[kind] / total[kind] >= 0.95 for kind in kinds.values()} == dict.fromkeys(kinds.values(), True)


@pytest.mark.parametrize("at", ["&#64;", "&#x40;", "&commat;", "%40", "\u200b@", "@\u2060"])
@pytest.mark.parametrize("engine", ["hyperscan", "re2"])
def test_addresses_in_other_encodings_are_found(at: str, engine: str) -> None:
    """Pages and links write the sign of an address in other ways, and some hide a mark beside it."""
    text = f"write to ann.roe{at}example.org today"
    spans = detector_of(Search(engine=engine)).find(text)
    assert [(span.kind, text[span.start : span.end]) for span in spans] == [("email", f"ann.roe{at}example.org")]

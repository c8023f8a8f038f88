"""Private look-up: the function of RFC 9497, and what a dishonest registry cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.corpus.consent.blind import (
    Evaluation,
    blind,
    create_secret,
    evaluate,
    evaluate_plain,
    public_key,
    rekey,
    unblind,
)

KEY = bytes.fromhex("e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909")
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
INPUTS = ["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"]
BLINDS = [
    "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
    "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
]
SENT = [
    "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
    "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
]
MADE = [
    "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
    "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
]
VECTORS = [
    (
        1,
        "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
        "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
    ),
    (
        2,
        "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
        "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
        "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
    ),
]


@pytest.mark.parametrize(("count", "scalar", "proof"), VECTORS)
def test_the_published_values_come_out(count: int, scalar: str, proof: str) -> None:
    """RFC 9497, appendix A.1.2 (ristretto255-SHA512, VOPRF), test vectors 1 and 3, byte for byte."""
    asked = [
        blind(bytes.fromhex(data), bytes.fromhex(by)) for data, by in zip(INPUTS[:count], BLINDS[:count], strict=True)
    ]
    assert [item.element.hex() for item in asked] == SENT[:count]
    assert public_key(KEY).hex() == PUBLIC
    answer = evaluate(KEY, [item.element for item in asked], bytes.fromhex(scalar))
    assert [element.hex() for element in answer.elements] == MADE[:count]
    assert answer.proof.hex() == proof
    plain = [evaluate_plain(KEY, bytes.fromhex(data)) for data in INPUTS[:count]]
    assert unblind(asked, answer, public_key(KEY)) == plain


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=5))
def test_what_is_asked_blindly_equals_what_is_computed_openly(inputs: list[bytes]) -> None:
    """For any inputs; and what is sent differs each time."""
    asked = [blind(data) for data in inputs]
    assert blind(inputs[0]).element != asked[0].element
    answer = evaluate(KEY, [item.element for item in asked])
    assert unblind(asked, answer, public_key(KEY)) == [evaluate_plain(KEY, data) for data in inputs]


def test_a_registry_that_uses_a_key_for_one_asker_only_is_found_out() -> None:
    """The answer under another key, or with any bit of the proof or answer changed, is refused."""
    asked, other = [blind(b"alice")], create_secret()
    with pytest.raises(VerificationError):
        unblind(asked, evaluate(other, [asked[0].element]), public_key(KEY))
    answer = evaluate(KEY, [asked[0].element])
    for place in range(len(answer.proof)):
        changed = bytearray(answer.proof)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            unblind(asked, Evaluation(answer.elements, bytes(changed)), public_key(KEY))
    with pytest.raises(VerificationError):
        unblind(asked, Evaluation((evaluate_plain(KEY, b"bob"),), answer.proof), public_key(KEY))
    with pytest.raises(VerificationError):
        unblind(asked, Evaluation((), answer.proof), public_key(KEY))
    with pytest.raises(VerificationError):
        unblind(asked, Evaluation((bytes(32),), answer.proof), public_key(KEY))


@given(st.binary(max_size=40))
def test_what_is_no_element_is_refused(data: bytes) -> None:
    """Bytes of another length, the identity, none and too many at once."""
    for bad in ([data + b"x" if len(data) == 32 else data], [bytes(32)], [], [blind(b"x").element] * 65):
        with pytest.raises(InputError):
            evaluate(KEY, bad)


def test_elements_move_to_a_new_key_without_their_inputs() -> None:
    """What was stored under the old key becomes what the new key would have made."""
    new = create_secret()
    assert rekey(KEY, new, evaluate_plain(KEY, b"alice")) == evaluate_plain(new, b"alice")


def test_a_key_that_is_none_is_refused() -> None:
    """Zero and wrong lengths."""
    for secret in (bytes(32), b"short"):
        with pytest.raises(InputError):
            public_key(secret)

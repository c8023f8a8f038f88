"""Whether letters and digits are a number that a state may have given to a person.

Each check takes what is left of a number without spaces and marks, in upper case; ``national.toml`` says where it is
described.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence

from hallmarked.corpus.personal.checksum import is_luhn, is_mod11_10, is_varied, is_verhoeff, weigh

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_date(year: int, month: int, day: int) -> bool:
    """Say whether there is such a day. Years of two digits pass for those of this century."""
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(2000 + year if year < 100 else year, month)[1]


def _ymd(digits: str, months: Sequence[int] = (0,), days: Sequence[int] = (0,)) -> bool:
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return any(is_date(year, month - m, day - d) for m in months for d in days)


def _dmy(digits: str, days: Sequence[int] = (0,)) -> bool:
    return _ymd(digits[4:6] + digits[2:4] + digits[:2], days=days)


def _us_ssn(v: str) -> bool:
    return v[:3] not in ("000", "666") and v[0] != "9" and v[3:5] != "00" and v[5:] != "0000" and is_varied(v)


def _us_itin(v: str) -> bool:
    group = int(v[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def _us_npi(v: str) -> bool:
    return is_luhn("80840" + v)


def _mx_curp(v: str) -> bool:
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(alphabet.index(c) * (18 - place) for place, c in enumerate(v[:17]))
    return _ymd(v[4:10]) and (10 - total % 10) % 10 == int(v[17])


def _eleven(digits: str, weights: Sequence[int]) -> int:
    """Return 11 less the rest of the sum by 11, 0 for 10 and 11."""
    rest = weigh(digits, weights) % 11
    return 0 if rest < 2 else 11 - rest


def _br_cpf(v: str) -> bool:
    first, second = _eleven(v, range(10, 1, -1)), _eleven(v, range(11, 1, -1))
    return v[9:] == f"{first}{second}" and len(set(v)) > 1


def _br_cnpj(v: str) -> bool:
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return v[12:] == f"{_eleven(v, weights[1:])}{_eleven(v, weights)}" and len(set(v)) > 1


def _ar_cuit(v: str) -> bool:
    return "012345678990"[11 - weigh(v, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11] == v[10]


def _cl_rut(v: str) -> bool:
    total = weigh(reversed(v[:-1]), (2, 3, 4, 5, 6, 7, 2, 3))
    return "0123456789K0"[11 - total % 11] == v[-1] and len(set(v[:-1])) > 1


def _uy_ci(v: str) -> bool:
    return (-weigh(v[:7], (2, 9, 8, 7, 6, 3, 4))) % 10 == int(v[7])


def _ec_ci(v: str) -> bool:
    return (1 <= int(v[:2]) <= 24 or v[:2] == "30") and v[2] < "6" and is_luhn(v)


def _gb_nino(v: str) -> bool:
    return v[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") and len(set(v[2:8])) > 1


def _gb_nhs(v: str) -> bool:
    return weigh(v, (*range(10, 1, -1), 1)) % 11 == 0 and is_varied(v)


def _ie_pps(v: str) -> bool:
    second = ord(v[8]) - 64 if len(v) > 8 and v[8] != "W" else 0
    total = weigh(v[:7], range(8, 1, -1)) + 9 * second
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == v[7]


def _fr_nir(v: str) -> bool:
    month = int(v[3:5])
    place = {"2A": "19", "2B": "18"}.get(v[5:7], v[5:7])
    return (1 <= month <= 12 or month >= 20) and 97 - int(v[:5] + place + v[7:13]) % 97 == int(v[13:])


def _fr_nif(v: str) -> bool:
    return int(v[:10]) % 511 == int(v[10:])


def _es_dni(v: str) -> bool:
    return _DNI[int(v[:8]) % 23] == v[8] and is_varied(v[:8])


def _es_nie(v: str) -> bool:
    return _DNI[int(str("XYZ".index(v[0])) + v[1:8]) % 23] == v[8]


def _pt_nif(v: str) -> bool:
    return _eleven(v, range(9, 1, -1)) == int(v[8])


_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (*_ODD_DIGITS, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_ODD_DIGITS, *_ODD_LETTERS), strict=True))
"""What a character at an odd place of an Italian tax code counts."""


def _it_cf(v: str) -> bool:
    total = sum(_ODD[c] for c in v[:15:2]) + sum(int(c) if c.isdigit() else ord(c) - 65 for c in v[1:15:2])
    day = int(v[9:11].translate(str.maketrans("LMNPQRSTUV", "0123456789")))
    return chr(65 + total % 26) == v[15] and (1 <= day <= 31 or 41 <= day <= 71)


def _de_idnr(v: str) -> bool:
    counts = sorted(v[:10].count(c) for c in set(v[:10]))  # one digit occurs twice or three times, all others once
    return is_mod11_10(v) and counts[-1] in (2, 3) and counts[-2] == 1


def _de_rvnr(v: str) -> bool:
    digits = v[:8] + f"{ord(v[8]) - 64:02}" + v[9:11]
    products = (int(c) * w for c, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    day = int(v[2:4])
    sound = (1 <= day <= 31 or 51 <= day <= 81) and 1 <= int(v[4:6]) <= 12
    return sound and sum(sum(divmod(product, 10)) for product in products) % 10 == int(v[11])


def _at_svnr(v: str) -> bool:
    return (
        weigh(v, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(v[3]) and 1 <= int(v[4:6]) <= 31 and 1 <= int(v[6:8]) <= 15
    )


def _ch_ahv(v: str) -> bool:
    return (-weigh(v[:12], (1, 3) * 6)) % 10 == int(v[12])


def _be_nrn(v: str) -> bool:
    month = int(v[2:4])
    sound = 0 <= month % 20 <= 12 and month < 53 and int(v[4:6]) <= 31
    return sound and any(97 - int(century + v[:9]) % 97 == int(v[9:]) for century in ("", "2"))


def _nl_bsn(v: str) -> bool:
    return weigh(v.zfill(9), (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and is_varied(v)


def _dk_cpr(v: str) -> bool:
    return _dmy(v) and v[6:] != "0000"


def _dk_cpr_mod11(v: str) -> bool:
    return _dk_cpr(v) and weigh(v, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _no_fnr(v: str) -> bool:
    first = weigh(v, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weigh(v, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return first == second == 0 and (_dmy(v, days=(0, 40)) or _ymd(v[4:6] + v[2:4] + v[:2], months=(40, 80)))


def _se_pnr(v: str) -> bool:
    return _ymd(v[-10:], days=(0, 60)) and is_luhn(v[-10:])


def _fi_hetu(v: str) -> bool:
    return _dmy(v) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(v[:6] + v[-4:-1]) % 31] == v[-1]


def _is_kt(v: str) -> bool:
    return _dmy(v, days=(0, 40)) and v[9] in "089" and weigh(v, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _ee_ik(v: str) -> bool:
    check = weigh(v[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weigh(v[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return _ymd(v[1:7]) and check == int(v[10])


def _lv_pk(v: str) -> bool:
    check = (1101 - weigh(v[:10], (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10
    return v[:2] == "32" or (_dmy(v) and check == int(v[10]))


def _pl_pesel(v: str) -> bool:
    return weigh(v, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0 and _ymd(v, months=(0, 20, 40, 60, 80))


def _pl_nip(v: str) -> bool:
    return weigh(v, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(v[9]) and len(set(v)) > 1


def _cz_rc(v: str) -> bool:
    if not _ymd(v, months=(0, 20, 50, 70)):
        return False
    if len(v) == 9:
        return int(v[:2]) < 54
    return int(v) % 11 == 0 or (int(v[:9]) % 11 == 10 and v[9] == "0")


def _hu_taj(v: str) -> bool:
    return weigh(v[:8], (3, 7) * 4) % 10 == int(v[8]) and is_varied(v)


def _hu_tax(v: str) -> bool:
    return weigh(v[:9], range(1, 10)) % 11 == int(v[9])


def _ro_cnp(v: str) -> bool:
    check = weigh(v[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return _ymd(v[1:7]) and (1 if check == 10 else check) == int(v[12])


def _bg_egn(v: str) -> bool:
    check = weigh(v[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    return _ymd(v, months=(0, 20, 40)) and check == int(v[9])


def _jmbg(v: str) -> bool:
    check = _eleven(v[:12], (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
    return is_date(2000, int(v[2:4]), int(v[:2])) and check == int(v[12])


def _gr_afm(v: str) -> bool:
    return weigh(v[:8], (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(v[8]) and is_varied(v)


def _gr_amka(v: str) -> bool:
    return _dmy(v) and is_luhn(v)


def _ua_rnokpp(v: str) -> bool:
    return weigh(v[:9], (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(v[9]) and is_varied(v)


def _ru_inn(v: str) -> bool:
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    first, second = weigh(v[:10], weights[1:]) % 11 % 10, weigh(v[:11], weights) % 11 % 10
    return v[10:] == f"{first}{second}" and len(set(v)) > 1


def _ru_snils(v: str) -> bool:
    return weigh(v[:9], range(9, 0, -1)) % 101 % 100 == int(v[9:]) and len(set(v)) > 2


def _kz_iin(v: str) -> bool:
    check = weigh(v[:11], range(1, 12)) % 11
    if check == 10:
        check = weigh(v[:11], (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return _ymd(v) and check == int(v[11])


def _tr_kimlik(v: str) -> bool:
    tenth = (7 * sum(map(int, v[:9:2])) - sum(map(int, v[1:8:2]))) % 10
    return v[9:] == f"{tenth}{sum(map(int, v[:10])) % 10}"


def _ir_melli(v: str) -> bool:
    rest = weigh(v[:9], range(10, 1, -1)) % 11
    return (rest if rest < 2 else 11 - rest) == int(v[9]) and len(set(v)) > 1


def _za_id(v: str) -> bool:
    return _ymd(v) and is_luhn(v)


def _in_aadhaar(v: str) -> bool:
    return is_verhoeff(v) and v != v[::-1]


def _in_pan(v: str) -> bool:
    return v[5:9] != "0000"


def _cn_ric(v: str) -> bool:
    total = weigh(v[:17], tuple(pow(2, 17 - place, 11) for place in range(17)))
    sound = 11 <= int(v[:2]) <= 83 and is_date(int(v[6:10]), int(v[10:12]), int(v[12:14]))
    return sound and "10X98765432"[total % 11] == v[17]


def _hk_hkid(v: str) -> bool:
    letters = [36] * (9 - len(v)) + [ord(c) - 55 for c in v[:-7]]
    check = 10 if v[-1] == "A" else int(v[-1])
    return (
        sum(n * w for n, w in zip(letters, (9, 8), strict=True)) + weigh(v[-7:-1], range(7, 1, -1)) + check
    ) % 11 == 0


def _tw_id(v: str) -> bool:
    place = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(v[0])
    return (place // 10 + place % 10 * 9 + weigh(v[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _jp_mynumber(v: str) -> bool:
    return _eleven(v[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) == int(v[11]) and is_varied(v)


def _kr_rrn(v: str) -> bool:
    """Check the date only: numbers given since October 2020 end by chance."""
    return _ymd(v)


def _sg_nric(v: str) -> bool:
    total = weigh(v[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if v[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if v[0] in "ST" else "XWUTRQPNMLK")[total % 11] == v[8]


def _my_nric(v: str) -> bool:
    return _ymd(v) and v[6:8] not in (
        "00",
        "17",
        "18",
        "19",
        "20",
        "69",
        "70",
        "73",
        "80",
        "81",
        "94",
        "95",
        "96",
        "97",
    )


def _th_pin(v: str) -> bool:
    return (11 - weigh(v[:12], range(13, 1, -1)) % 11) % 10 == int(v[12])


def _id_nik(v: str) -> bool:
    return 11 <= int(v[:2]) <= 97 and _dmy(v[6:12], days=(0, 40)) and v[12:] != "0000"


def _au_tfn(v: str) -> bool:
    return weigh(v, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 and is_varied(v)


def _au_medicare(v: str) -> bool:
    return weigh(v[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(v[8])


def _nz_ird(v: str) -> bool:
    if not 10_000_000 <= int(v) <= 200_000_000:
        return False
    digits = v.zfill(9)
    check = (-weigh(digits[:8], (3, 2, 7, 6, 5, 4, 3, 2))) % 11
    if check == 10:
        check = (-weigh(digits[:8], (7, 4, 3, 2, 5, 2, 7, 6))) % 11
    return check == int(digits[8])


_OWN = (
    _us_ssn,
    _us_itin,
    _us_npi,
    _mx_curp,
    _br_cpf,
    _br_cnpj,
    _ar_cuit,
    _cl_rut,
    _uy_ci,
    _ec_ci,
    _gb_nino,
    _gb_nhs,
    _ie_pps,
    _fr_nir,
    _fr_nif,
    _es_dni,
    _es_nie,
    _pt_nif,
    _it_cf,
    _de_idnr,
    _de_rvnr,
    _at_svnr,
    _ch_ahv,
    _be_nrn,
    _nl_bsn,
    _dk_cpr,
    _dk_cpr_mod11,
    _no_fnr,
    _se_pnr,
    _fi_hetu,
    _is_kt,
    _ee_ik,
    _lv_pk,
    _pl_pesel,
    _pl_nip,
    _cz_rc,
    _hu_taj,
    _hu_tax,
    _ro_cnp,
    _bg_egn,
    _jmbg,
    _gr_afm,
    _gr_amka,
    _ua_rnokpp,
    _ru_inn,
    _ru_snils,
    _kz_iin,
    _tr_kimlik,
    _ir_melli,
    _za_id,
    _in_aadhaar,
    _in_pan,
    _cn_ric,
    _hk_hkid,
    _tw_id,
    _jp_mynumber,
    _kr_rrn,
    _sg_nric,
    _my_nric,
    _th_pin,
    _id_nik,
    _au_tfn,
    _au_medicare,
    _nz_ird,
)
CHECKS: Mapping[str, Callable[[str], bool]] = {
    "luhn": is_luhn,
    "varied": is_varied,
    "hr_oib": is_mod11_10,
    **{check.__name__[1:]: check for check in _OWN},
}
"""By the names that ``national.toml`` uses."""

"""The shapes of credentials, each with the words by which to find it quickly and a test that it is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hallmarked.core.evidence import Level
from hallmarked.corpus.personal.credential import verify


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of credential."""

    what: str
    """Completes "… holds"."""
    anchors: tuple[str, ...]
    """Texts of which one must be there; compared without regard to case when ``folded``."""
    regex: re.Pattern[str]
    """Its group 1, or all of it, is the credential."""
    test: Callable[[str], bool]
    level: Level = Level.ERROR
    folded: bool = False
    back: int = 0
    """Characters before an anchor at which the credential can begin; -1 when it can be anywhere."""
    whole_line: bool = False
    """It begins where the anchor's line does."""
    keep: int = 4
    """Leading characters, being the issuer's prefix, that may be shown, with two more."""


def _shape(
    what: str, prefix: str, tail: str, *, anchors: tuple[str, ...] = (), test: Callable[[str], bool] = verify.is_random
) -> Pattern:
    """Describe a token by its prefix and what follows."""
    found = re.compile(rf"(?<![A-Za-z0-9_-]){prefix}{tail}(?![A-Za-z0-9])")
    literal = re.sub(r"\\(.)", r"\1", prefix)
    return Pattern(what, anchors or (literal,), found, partial(_tail_is, len(literal), test), keep=len(literal))


def _tail_is(start: int, test: Callable[[str], bool], token: str) -> bool:
    return test(token) if test not in {verify.is_random} else verify.is_random(token[start:])


def _github(token: str) -> bool:
    return verify.has_crc(token) and not verify.is_placeholder(token[4:])


def _aws_id(token: str) -> bool:
    return any(c.isdigit() for c in token[4:]) and verify.is_random(token[4:], 2.8)


def _url_password(password: str) -> bool:
    common = {
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "user",
        "username",
        "admin",
        "root",
        "test",
        "token",
        "key",
        "postgres",
    }
    return len(password) >= 6 and password.lower() not in common and not verify.is_placeholder(password)


_QUOTED = r"""["']?[ \t]*(?:=>|:=|[:=])[ \t]*["']"""
_NAMES = (
    *(
        "password",
        "passwd",
        "passphrase",
        "secret",
        "api_key",
        "api-key",
        "apikey",
        "private_key",
        "private-key",
        "privatekey",
    ),
    *("access_key", "access-key", "accesskey", "auth_token", "auth-token", "authtoken", "access_token", "access-token"),
    *("accesstoken", "bearer_token", "refresh_token", "api_token", "api-token", "apitoken", "bot_token"),
)
_NAME = f"(?:{'|'.join(_NAMES)})"
_ALNUM = "[A-Za-z0-9]"
_URLSAFE = "[A-Za-z0-9_-]"

PATTERNS: tuple[Pattern, ...] = (
    _shape("a Hugging Face token", "hf_", _ALNUM + "{34}"),
    _shape("a Hugging Face organisation token", "api_org_", _ALNUM + "{34}"),
    _shape("an OpenAI key", "sk-", _ALNUM + "{20}T3BlbkFJ" + _ALNUM + "{20}"),
    _shape("an OpenAI project key", "sk-proj-", _URLSAFE + "{40,220}"),
    _shape("an OpenAI service key", "sk-svcacct-", _URLSAFE + "{40,220}"),
    _shape("an OpenAI administration key", "sk-admin-", _URLSAFE + "{40,220}"),
    _shape("an OpenAI key", "sk-", _ALNUM + "{48}"),
    _shape("an Anthropic key", "sk-ant-", r"(?:api|admin|sid|oat)\d\d-" + _URLSAFE + "{60,140}"),
    _shape("an OpenRouter key", "sk-or-v1-", "[0-9a-f]{64}"),
    _shape("a Replicate token", "r8_", _ALNUM + "{37}"),
    _shape("a Groq key", "gsk_", _ALNUM + "{48,56}"),
    _shape("a Perplexity key", "pplx-", _ALNUM + "{40,60}"),
    _shape("an xAI key", "xai-", _ALNUM + "{70,90}"),
    _shape("an NVIDIA key", "nvapi-", _URLSAFE + "{60,80}"),
    _shape("a LangSmith key", "lsv2_", "(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _shape("a Jina key", "jina_", "[0-9a-f]{32}" + _URLSAFE + "{28}"),
    _shape("a Kaggle token", "KGAT_", "[0-9a-f]{32}"),
    _shape("a Weights & Biases key", "wandb_v1_", _URLSAFE + "{60,100}"),
    _shape("a Google API key", "AIza", _URLSAFE + "{35}"),
    _shape("a Google client secret", "GOCSPX-", _URLSAFE + "{28}"),
    *(_shape("a GitHub token", f"gh{kind}_", _ALNUM + "{36}", test=_github) for kind in "pousr"),
    _shape("a GitHub token", "github_pat_", _ALNUM + "{22}_" + _ALNUM + "{59}"),
    _shape("a GitLab token", "glpat-", _URLSAFE + r"{20,80}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?"),
    _shape("an npm token", "npm_", _ALNUM + "{36}", test=_github),
    _shape("a PyPI upload token", "pypi-", _URLSAFE + "{80,500}", test=verify.is_macaroon),
    _shape("a Slack token", "xox", r"[abeoprs]-(?:\d{8,14}-){1,3}[A-Za-z0-9-]{10,72}"),
    _shape("a Slack application token", "xapp-", r"\d-[A-Z0-9]{8,14}-\d{8,16}-[0-9a-f]{40,90}"),
    _shape("a Stripe key", "sk_live_", _ALNUM + "{24,120}"),
    _shape("a Stripe key", "rk_live_", _ALNUM + "{24,120}"),
    _shape("a SendGrid key", r"SG\.", _URLSAFE + r"{22}\." + _URLSAFE + "{43}"),
    _shape("a Databricks token", "dapi", "[0-9a-f]{32}(?:-[0-9])?"),
    _shape("a DigitalOcean token", "dop_v1_", "[0-9a-f]{64}"),
    _shape("a Docker Hub token", "dckr_pat_", _URLSAFE + "{27}"),
    _shape("a Vault token", r"hvs\.", _URLSAFE + "{80,140}"),
    Pattern(
        "an AWS access key id",
        ("AKIA", "ASIA"),
        re.compile(r"(?<![A-Za-z0-9/+_-])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9/+=_-])"),
        _aws_id,
        Level.WARNING,
    ),
    Pattern(
        "an AWS secret key",
        ("secret_access_key", "secretaccesskey", "aws_secret", "secret-access-key"),
        re.compile(
            r"(?i)(?:secret_?-?access_?-?key|aws_secret\w*)[\"'\s:=>,]{1,12}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
        partial(verify.is_random, bits=4.0),
        folded=True,
        keep=0,
    ),
    Pattern(
        "an Azure storage key",
        ("AccountKey=",),
        re.compile(r"AccountKey=([A-Za-z0-9+/]{86}==)"),
        partial(verify.is_random, bits=4.0),
        keep=0,
    ),
    Pattern(
        "an Azure client secret",
        ("Q~",),
        re.compile(r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])"),
        partial(verify.is_random, bits=4.0),
        keep=0,
        back=4,
    ),
    Pattern(
        "a Weights & Biases key",
        ("wandb",),
        re.compile(
            r"(?i)wandb(?:[_. -]?api)?[_. -]?(?:key|login\(\s*(?:key)?)[\"'\s:=]{1,8}([0-9a-f]{40})(?![0-9a-f])"
        ),
        verify.is_random,
        folded=True,
        keep=0,
    ),
    Pattern(
        "a Kaggle key",
        ("kaggle_key", '"username"'),
        re.compile(
            r"(?:KAGGLE_KEY[\"'\s:=]{1,8}|\"username\"\s*:\s*\"[^\"]{1,60}\"\s*,\s*\"key\"\s*:\s*\")([0-9a-f]{32})(?![0-9a-f])"
        ),
        verify.is_random,
        folded=True,
        keep=0,
    ),
    Pattern(
        "a Slack webhook",
        ("hooks.slack.com/services/",),
        re.compile(r"hooks\.slack\.com/services/(T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24})"),
        verify.is_random,
        keep=1,
    ),
    Pattern(
        "a Discord webhook",
        ("/api/webhooks/",),
        re.compile(r"discord(?:app)?\.com/api/webhooks/\d{17,20}/([A-Za-z0-9_-]{60,80})"),
        verify.is_random,
        keep=0,
        back=20,
    ),
    Pattern(
        "a Discord bot token",
        ("discord",),
        re.compile(
            r"(?<![A-Za-z0-9_.-])[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_.-])"
        ),
        verify.is_discord,
        folded=True,
        keep=0,
        back=-1,
    ),
    Pattern(
        "a Telegram bot token",
        (":AA",),
        re.compile(r"(?<![A-Za-z0-9:])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
        verify.is_random,
        keep=0,
        back=10,
    ),
    Pattern(
        "a Twilio key",
        ("twilio",),
        re.compile(r"(?i)twilio[^\n]{0,60}?(?:token|secret|key)[\"'\s:=]{1,8}([0-9a-f]{32})(?![0-9a-f])"),
        verify.is_random,
        folded=True,
        keep=0,
    ),
    Pattern(
        "a private key",
        ("-----BEGIN ",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{40,7000}"
            r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY"
        ),
        verify.is_private_key,
        keep=-1,
    ),
    Pattern(
        "a PuTTY private key",
        ("PuTTY-User-Key-File-",),
        re.compile(
            r"PuTTY-User-Key-File-[23]: [^-]{1,200}?Encryption: none"
            r"[\s\S]{1,1200}?Private-Lines: \d+\s+[A-Za-z0-9+/=]{40}"
        ),
        lambda _: True,
        keep=-1,
    ),
    Pattern(
        "an address with a password",
        ("://",),
        re.compile(
            r"\b(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|clickhouse|ftps?|sftp|https?)(?:\+\w+)?://"
            r"[^\s:/@\"'<>{}$,()|\[\]]{1,60}:([^\s/@\"'<>{}$,()|\[\]]{6,100})@"
            r"(?!localhost|127\.|0\.0\.0\.0|example\.|host\b|\[)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
        ),
        _url_password,
        Level.WARNING,
        back=24,
        keep=-1,
    ),
    Pattern(
        "a signed token (JWT)",
        ("eyJ",),
        re.compile(
            r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{20,700}(?![A-Za-z0-9_-])"
        ),
        verify.is_jwt,
        Level.WARNING,
        keep=0,
    ),
    Pattern(
        "something assigned to a name of a secret",
        _NAMES,
        re.compile(rf"(?i){_NAME}[\w-]{{0,30}}{_QUOTED}([^\"'\s]{{8,120}})[\"']"),
        verify.is_password,
        Level.WARNING,
        folded=True,
        keep=-1,
    ),
    Pattern(
        "something assigned to a name of a secret",
        ("password=", "passwd=", "secret=", "key=", "token=", "password =", "secret =", "key =", "token ="),
        re.compile(rf"(?im)^(?:export[ \t]+)?[A-Z][A-Z0-9_]{{0,40}}{_NAME}[ \t]*=[ \t]*([^\s\"'#$]{{12,120}})[ \t]*$"),
        verify.is_password,
        Level.WARNING,
        folded=True,
        whole_line=True,
        keep=-1,
    ),
)

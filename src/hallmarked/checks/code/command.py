"""Judge a command line by what it says. Used for what Python starts, for notebooks' shell lines and for scripts."""

from __future__ import annotations

import re
from enum import Enum, auto


class Command(Enum):
    """What a command line does."""

    HOSTILE = auto()
    """Opens a shell to elsewhere, plants itself, hides its content or destroys."""
    FETCHES = auto()
    """Runs what it downloads."""
    INSTALLS = auto()
    """Installs packages."""
    OTHER = auto()


_HOSTILE = re.compile(
    r"/dev/(?:tcp|udp)/"
    r"|\b(?:nc|ncat|netcat)\b[^|;&\n]{0,80}\s-[a-z]*[ec]\b"
    r"|\bmkfifo\b[^\n]{0,120}\b(?:nc|ncat|netcat|telnet|openssl)\b"
    r"|\bbash\s+-i\b|\bsh\s+-i\b"
    r"|\bsocat\b[^\n]{0,120}\bexec:"
    r"|powershell(?:\.exe)?\b[^\n]{0,200}\s-(?:e|en|enc|encodedcommand)\s"
    r"|\bbase64\s+(?:-d|-D|--decode)\b[^\n]{0,80}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"
    r"|\brm\s+-[a-zA-Z]*[rR][a-zA-Z]*\s+(?:--no-preserve-root\s+)?(?:/|~|\$HOME)(?:\s|$|\*)"
    r"|>>?\s*\S*(?:authorized_keys|/etc/cron|\.bashrc|\.zshrc|\.profile|/etc/passwd|/etc/sudoers|ld\.so\.preload)"
    r"|\bcrontab\s+-\s*$|\|\s*crontab\b"
    r"|\bxmrig\b|stratum\+tcp://"
    r"|\bcertutil\b[^\n]{0,80}-urlcache|\bbitsadmin\b[^\n]{0,80}/transfer|\bmshta\s+https?:",
    re.IGNORECASE,
)
_FETCHES = re.compile(
    r"\b(?:curl|wget|fetch)\b[^\n;]{0,300}\|\s*(?:sudo\s+)?(?:env\s+)?(?:ba|z|da|k)?sh\b"
    r"|\b(?:curl|wget|fetch)\b[^\n;]{0,300}\|\s*(?:sudo\s+)?(?:python|perl|ruby|node)[\d.]*\b"
    r"|\b(?:ba|z)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()\s*(?:curl|wget)\b"
    r"|\b(?:curl|wget)\b[^\n]{0,300}(?:&&|;)\s*(?:chmod\s+\S+\s+\S+\s*(?:&&|;)|(?:ba)?sh\s|\./)"
    r"|\biex\b[^\n]{0,120}\bdownloadstring\b|\bdownloadstring\b[^\n]{0,200}\biex\b|\biwr\b[^\n]{0,200}\|\s*iex\b",
    re.IGNORECASE,
)
_INSTALLS = re.compile(
    r"\b(?:pip|pip3|uv|conda|mamba|apt|apt-get|yum|dnf|brew|npm|poetry)[\d.]*\s+(?:-\S+\s+)*(?:pip\s+)?(?:install|add|update)\b"
)
_CHAINED = re.compile(r"&&|;|\||`|\$\(")


def judge_command(text: str) -> Command:
    """Say what a command line, or a whole script, does at worst."""
    text = text[:100_000]
    if _HOSTILE.search(text):
        return Command.HOSTILE
    if _FETCHES.search(text):
        return Command.FETCHES
    if _INSTALLS.search(text) and not _CHAINED.search(text):
        return Command.INSTALLS
    return Command.OTHER

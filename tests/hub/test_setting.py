"""Settings from a file and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallmarked.core.errors import InputError
from hallmarked.hub.setting import load_settings


def load(tmp_path: Path, text: str, **environment: str) -> object:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    return load_settings(file, environment)


def test_environment_wins(tmp_path: Path) -> None:
    """What the environment says comes before the file, and the file before the default."""
    settings = load(
        tmp_path,
        '[server]\nport = 1\nname = "x"\n[policy]\nallow_unknown = ["a", "b"]\n',
        HALLMARKED_SERVER_PORT="2",
        HALLMARKED_POLICY_WHILE_CHECKED="none",
    )
    assert (settings.server.port, settings.server.name, settings.server.host) == (2, "x", "127.0.0.1")
    assert settings.policy.allow_unknown == ("a", "b")
    assert settings.policy.while_checked == "none"
    assert load_settings(None, {"HALLMARKED_POLICY_ALLOW_UNKNOWN": "a, b"}).policy.allow_unknown == ("a", "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1", "prot"),
        ("[servers]", "servers"),
        ("server = 1", "server"),
        ('[server]\nport = "1"', "port"),
        ("[server]\nport = true", "port"),
        ("[policy]\nallow_unknown = [1]", "allow_unknown"),
        ("[", "cannot be read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    """A setting that does not exist or has another type is refused by name."""
    with pytest.raises(InputError, match=said):
        load(tmp_path, text)


def test_bad_number_in_the_environment() -> None:
    """A number that is none is refused by name."""
    with pytest.raises(InputError, match=r"server\.port"):
        load_settings(None, {"HALLMARKED_SERVER_PORT": "x"})

"""Take the pictures of the documentation: a hub filled as the tests fill it, looked at with a real browser.

    python -m docs.picture [name ...]

Needs what the tests of pages need: playwright, and Chromium at the usual place of the system.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright import sync_api as api
from tests.hubs import RunningHub, serve_test_hub
from tests.web import example

IMAGES = Path(__file__).parent / "images"
CHROMIUM = "/usr/bin/chromium"


@dataclass(frozen=True)
class Picture:
    """One picture: what is looked at, by whom, and how."""

    path: str
    user: str = "ada"
    width: int = 1100
    height: int = 1000
    dark: bool = False
    language: str = "en"


PICTURES = {
    "hub-card": Picture(f"/{example.MODEL}", user="", height=1240),
    "hub-file": Picture(f"/{example.MODEL}/blob/main/preprocess.py", dark=True, height=900),
    "hub-compare": Picture(f"/{example.MODEL}/compare/{{first}}..main", height=1000),
    "hub-access": Picture("/datasets/acme/emergency-notes/access", height=1000),
    "hub-spanish": Picture(f"/{example.MODEL}", user="", width=390, height=1240, language="es"),
    "hub-help": Picture("/help", user="", height=1000),
}


def take(running: RunningHub, browser: api.Browser, name: str, first: str) -> None:
    """Take one picture."""
    picture = PICTURES[name]
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.dark else "light",
        locale=picture.language,
        device_scale_factor=2 if picture.width < 500 else 1,
    )
    if picture.user:
        cookie = {"name": "hm_session", "value": example.sign_in(running, picture.user), "url": running.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # playwright has a type of its own for it
    page = context.new_page()
    page.goto(running.url + picture.path.format(first=first))
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def main(names: list[str]) -> None:
    """Fill a hub and take the pictures of these names, or all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_test_hub(Path(folder)) as running,
        api.sync_playwright() as player,
    ):
        made = example.fill(running)
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name in names or PICTURES:
            take(running, browser, name, made["first"].oid)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

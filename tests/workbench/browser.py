"""A real Chromium for the tests of pages: of this system, or the one that playwright downloads."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MEANT = ("the server responded with a status of",)
"""Of each answer that refuses something the console says this; it is no fault of a page."""
_LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; that there is none is a failure, never a test that is left out."""
    with sync_playwright() as started:
        yield started.chromium.launch(
            executable_path=_executable(started), args=["--no-sandbox", "--disable-gpu"]
        )


def _executable(started: Playwright) -> str:
    named = os.environ.get("AUTHMATCH_CHROMIUM")
    own = started.chromium.executable_path
    for each in (named, *map(shutil.which, NAMES), own):
        if each and Path(each).exists():
            return each
    raise RuntimeError("the tests of pages need a Chromium: `make chromium` installs one")


def complaints(page: Page) -> list[str]:
    """Watch a page; gives what its console will have complained of, and scripts that failed."""
    found: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in MEANT):
            found.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def barriers(page: Page) -> list[str]:
    """What keeps people out of a page, by WCAG 2.2 AA, in words."""
    options = {"runOnly": _LEVELS}
    response = Axe().run(page, options=options).response
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in response["violations"]
        for node in each["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether a page must be moved sideways to be read."""
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )

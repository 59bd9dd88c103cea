"""One running desk and one browser for all tests of a session: starting either takes longer than any test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.browser.newsroom import Press, furnish
from tests.e2e.desk import Desk, until
from tests.fetch.origin import Origin

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def press() -> Iterator[Press]:
    with Origin() as origin:
        yield Press(origin)


@pytest.fixture(scope="session")
def desk(press: Press, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that has taken the press in."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with Desk(tmp_path_factory.mktemp("browser")) as made:
        furnish(made, press)
        made.start()
        until(lambda: len(made.items("/index.json")) >= 14, 60, "the first articles")
        until(lambda: made.get("/news/harbour.atom").status == 200, 20, "the sections")
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, desk):
    """Open a path of the desk: ``visit("/news", dark=True, width=390)`` gives the page."""
    contexts = []

    def opened(path: str, *, dark: bool = False, width: int = 1280, height: int = 900, script: bool = True, **more):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            **more,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(desk.base_url + path)
        return page

    yield opened
    for context in contexts:
        context.close()

"""Takes the screenshots of the documentation: `bin/screenshots`. Needs Debian's Chromium.

A desk takes in the press of `tests/browser/newsroom.py`, and its pages are shot light and dark, wide and on a phone.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.browser.newsroom import Press, furnish
from tests.e2e.desk import Desk, until
from tests.fetch.origin import Origin

FOLDER = Path(__file__).with_name("screenshots")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars"]
SIZES = {"desktop": (1280, 960), "phone": (390, 844)}
TALL = {("status", "desktop"): 1500, ("front", "desktop"): 1500, ("source", "desktop"): 720}
QUALITY = 60


def _story(desk: Desk) -> str:
    found = re.search(rb'href="(/story/[0-9a-f-]+)"', desk.get("/news/harbour").body)
    assert found is not None, "the press has a story that several papers tell"
    return found[1].decode()


def main() -> None:
    """Shoot every page."""
    FOLDER.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("Chromium is not installed (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as folder, Origin() as origin, Desk(Path(folder)) as desk:
        press = Press(origin)
        furnish(desk, press)
        desk.start()
        until(lambda: len(desk.items("/index.json")) >= 14, 60, "the first articles")
        until(lambda: desk.get("/news/harbour.atom").status == 200, 20, "the sections")
        press.broken.add("ledger")
        desk.command("poll", "ledger")
        with (desk.config / "sources.yaml").open("a", encoding="utf-8") as file:
            file.write("- name: North Bay Weekly\n  url: https://weekly.example/feed.xml\n  section: news/harbor\n")
        until(lambda: b"config-errors" in desk.get("/status").body, 20, "the error on /status")
        until(lambda: b"Ledger" in desk.get("/status.atom").body, 30, "the alarm")
        article = next(str(item["id"]) for item in desk.items("/news/harbour.json") if "gate" in str(item["title"]))
        pages = {
            "front": "/",
            "section": "/news",
            "article": f"/article/{article.removeprefix('urn:uuid:')}",
            "story": _story(desk),
            "search": "/search?q=gate&section=news",
            "arabic": "/arabic",
            "status": "/status",
            "source": "/status/source/ledger",
        }
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for device, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    context = browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,
                        device_scale_factor=1 if device == "desktop" else 1.6,
                    )
                    page = context.new_page()
                    for name, path in pages.items():
                        page.set_viewport_size({"width": width, "height": TALL.get((name, device), height)})
                        page.goto(desk.base_url + path, wait_until="networkidle")
                        page.screenshot(
                            path=str(FOLDER / f"{name}-{device}-{scheme}.jpg"), type="jpeg", quality=QUALITY
                        )
                    context.close()
            browser.close()
    total = sum(file.stat().st_size for file in FOLDER.iterdir())
    print(f"{len(list(FOLDER.iterdir()))} screenshots, {total / 1000:.0f} kB, in {FOLDER}")


if __name__ == "__main__":
    main()

"""`discover` and `preview` on a press that is really there."""

from __future__ import annotations

import yaml

from tests.browser.newsroom import Press, furnish
from tests.e2e.desk import Desk
from tests.fetch.origin import Origin


def test_discover_prints_lines_that_can_be_used_as_they_are(tmp_path):
    with Origin() as origin, Desk(tmp_path) as desk:
        furnish(desk, Press(origin))
        desk.write(sources=[])
        done = desk.command("discover", origin.url("/"))
        assert done.returncode == 0, done.stderr
        assert yaml.safe_load(done.stdout) == [{"name": "Harbour Post", "url": origin.url("/post.xml")}]
        assert "RSS 2.0: 6 entries" in done.stdout
        itself = desk.command("discover", origin.url("/gazette.xml"))
        assert yaml.safe_load(itself.stdout)[0]["name"] == "Coast Gazette"


def test_discover_looks_where_feeds_usually_are_and_offers_the_page_where_none_is(tmp_path):
    with Origin() as origin, Desk(tmp_path) as desk:
        press = Press(origin)
        furnish(desk, press)
        desk.write(sources=[])
        for place in ("/quiet", "/feed"):
            origin.add(place, lambda exchange: exchange.answer(200, b"<!doctype html><p>-", Content_Type="text/html"))
        done = desk.command("discover", origin.url("/quiet"))
        assert yaml.safe_load(done.stdout) == [{"name": "127.0.0.1", "page": origin.url("/quiet")}]
        origin.add("/atom.xml", lambda exchange: exchange.answer(200, press.feed("ledger")))
        done = desk.command("discover", origin.url("/quiet"))
        assert [line["url"] for line in yaml.safe_load(done.stdout)] == [origin.url("/atom.xml")]


def test_preview_tells_what_would_come_and_where_it_would_go(tmp_path):
    with Origin() as origin, Desk(tmp_path) as desk:
        furnish(desk, Press(origin))
        done = desk.command("preview", origin.url("/post.xml"))
        assert done.returncode == 0, done.stderr
        assert "Harbour Post" in done.stdout and "6 articles" in done.stdout
        assert "Pilots ask for a second boat" in done.stdout and "news/harbour: category 'Harbour'" in done.stdout
        assert not (desk.data / "desk.sqlite3").exists()
        forced = desk.command("preview", origin.url("/arabic.xml"), "--section", "arabic")
        assert "arabic: " in forced.stdout and "unfiled" not in forced.stdout


def test_looking_keeps_to_the_guard(tmp_path):
    with Desk(tmp_path) as desk:
        desk.write(desk={"fetch": {"allow_private": []}})
        for command in ("discover", "preview"):
            done = desk.command(command, "http://127.0.0.1:9/feed.xml")
            assert done.returncode == 1 and "Traceback" not in done.stderr and "127.0.0.1" in done.stderr

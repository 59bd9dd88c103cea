# ruff: noqa: E501 - pages as they are sent
"""`preview` takes a source to pieces: what each selector finds, how it is taken, where; and again at each save."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from feeds.cli.preview import preview
from tests.cli.test_discover import Site, refusal
from tests.fetch.origin import Origin
from tests.parse.listed_pages import PAGES, TITLES, each, page
from tests.parse.test_selected import H_ENTRY

CARDS = PAGES["cards of a newspaper"].body
SELECT = {"item": "article.card", "title": "h3", "link": "h3 a", "date": "time", "text": ".card__dek", "picture": ".no"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("COLUMNS", "200")
    with Origin() as origin:
        yield Site(origin, tmp_path)


def lines(output: str) -> dict[str, list[str]]:
    """The lines of the tables by their first word, blanks between columns made one."""
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        words = " ".join(line.split())
        found.setdefault(words.partition(" ")[0], []).append(words)
    return found


def test_a_source_by_selectors_is_shown_piece_by_piece(site: Site) -> None:
    site.write("sources.yaml", [{"name": "Coast", "page": site.put("/list", CARDS), "select": SELECT}])
    done = site.run(preview, "coast")
    assert done.exit_code == 0, done.output
    found = lines(done.output)
    assert found["item"] == ["item article.card 4 articles"]
    assert found["title"][0] == f"title h3 4 of 4 {TITLES[0]} line 1, <h3.card__title>"
    assert found["picture"] == ["picture .no nothing"]
    # As it is taken, as it stands there, where.
    assert found["link"][1] == f"link {site.origin.url('/a/1')} /a/1 line 1, <a>@href"
    assert found["date"][1] == "date 2026-11-19T08:00:00Z 2026-11-19T08:00:00Z line 1, <time>@datetime"
    assert "without `select:`, `page:` would follow its links to 4 articles" in done.output
    assert "warning: select: picture '.no' finds nothing in any article" in done.output


def test_selectors_that_find_nothing_are_shown_with_the_error(site: Site) -> None:
    broken = SELECT | {"title": "h2.title"}
    site.write("sources.yaml", [{"name": "Coast", "page": site.put("/list", CARDS), "select": broken}])
    done = site.run(preview, "Coast")
    assert lines(done.output)["title"] == ["title h2.title nothing"]
    assert "title 'h2.title' finds nothing in any of 4 articles" in refusal(done)
    assert (
        "what repeats there now would be taken by:\n    select:\n      item: article.card\n      title: h3"
        in done.output
    )


def test_json_posts_that_a_page_marks_and_documents_are_taken_to_pieces_too(site: Site, tmp_path: Path) -> None:
    listed = PAGES["an answer for programs"]
    select = {"items": "data.alerts", "title": "headline", "link": "url", "author": "by[].name"}
    (site.config / "storm.txt").write_text("A storm comes\n\nIt will blow from the west for two days.\n")
    site.write(
        "sources.yaml",
        [
            {"name": "Alerts", "json": site.put("/api", listed.body, "application/json"), "select": select},
            {"name": "Letters", "files": "*.txt"},
        ],
    )
    assert "data.alerts[0].by[].name" in site.run(preview, "Alerts").output
    marked = site.run(preview, site.put("/posts", page(each(H_ENTRY)))).output
    assert "<time.dt-published>@datetime" in marked and "selected, 4 articles" in marked
    for what in ("Letters", str(site.config / "storm.txt")):
        told = site.run(preview, what).output
        assert "A storm comes" in told and "text It will blow" in " ".join(told.split())


def test_letters_and_the_first_page_that_a_source_leads_to_are_shown(site: Site) -> None:
    for name in ("new", "cur"):
        (site.config / "Mail" / name).mkdir(parents=True)
    letter = b"From: desk@council.example\nSubject: The tide gate\nDate: Fri, 20 Nov 2026 10:00:00 +0000\n\nIt opens at noon.\n"
    (site.config / "Mail" / "new" / "1.x").write_bytes(letter)
    text = "<p>The tide came in at dawn and was nine feet high, which is more than anybody had said before.</p>" * 5
    article = site.put(
        "/2026/11/20/the-tide-came-in-again", f"<article><h1>The tide came in again</h1>{text}</article>"
    )
    front = site.put("/front", f'<h2><a href="{article}">The tide came in again today</a></h2>')
    listed = site.put("/map.xml", f"<urlset><url><loc>{article}</loc></url></urlset>", "text/xml")
    site.write("sources.yaml", [
        {"name": "Letters", "mail": "Mail", "from": ["*@council.example"]},
        {"name": "Front", "page": front},
        {"name": "Map", "sitemap": listed},
    ])  # fmt: skip
    told = site.run(preview, "Letters").output
    assert "The tide gate" in told and "It opens at noon." in told
    assert [path.name for path in (site.config / "Mail").rglob("1.x*")] == ["1.x"]  # unread as before
    for name in ("Front", "Map"):
        told = " ".join(site.run(preview, name).output.split())
        assert "links to 1 article" in told
        assert "The first of them: The tide came in again" in told and "text The tide came in at dawn" in told


def test_a_name_that_is_nothing_is_told_as_such(site: Site) -> None:
    done = site.run(preview, "Nobody")
    assert done.exit_code and "no source 'Nobody', and no file of that name" in str(done.exception)


def test_preview_shows_it_again_at_each_save_and_asks_the_site_once(site: Site) -> None:
    url = site.put("/list", CARDS)
    site.write("sources.yaml", [{"name": "Coast", "page": url, "select": SELECT}])
    command = [sys.executable, "-m", "feeds.cli", "preview", "Coast", "--watch", "--config", str(site.config)]
    environ = os.environ | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    said = site.config.parent / "said"
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environ) as process:
        try:
            wait_for(said, "Ctrl-C ends")
            # A watch begins a moment after it is told of: saved again until it is seen.
            for selector, words in ((".card__title", "title .card__title"), ("h3 >", "is no selector")):
                source = {"name": "Coast", "page": url, "select": SELECT | {"title": selector}}
                wait_for(said, words, partial(site.write, "sources.yaml", [source]))
        finally:
            process.terminate()  # an interrupt is ignored where the tests run in the background of a script
    assert len(site.origin.seen("/list")) == 1


def wait_for(said: Path, words: str, again: Callable[[], None] = lambda: None) -> None:
    until = time.monotonic() + 60
    while words not in " ".join(said.read_text().split()):
        assert time.monotonic() < until, said.read_text()
        again()
        time.sleep(0.5)

"""`discover` and `preview` before sites of many shapes: what is printed can be pasted, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from feeds.cli.discover import by_convention, discover
from feeds.cli.preview import preview
from feeds.errors import DeskError
from feeds.parsed import Answer, Request
from feeds.settings import load_config
from tests.fetch.origin import Exchange, Origin
from tests.parse.listed_pages import PAGES, TITLES, each, page
from tests.parse.test_selected import H_ENTRY

HEAD = '<link rel="alternate" type="application/rss+xml" title="%s" href="%s">'
JSON_FEED = (
    b'{"version":"https://jsonfeed.org/version/1.1","title":"Harbour: JSON","items":[{"id":"1","url":'
    b'"https://j.example/1","title":"Tide","content_text":"x","date_published":"2026-11-20T10:00:00Z"}]}'
)


def rss(title: str, *numbers: int) -> bytes:
    items = "".join(
        f"<item><title>Tide {number}</title><link>https://a.example/{number}</link><category>Harbour</category>"
        f"<pubDate>Fri, 20 Nov 2026 10:0{number}:00 GMT</pubDate></item>"
        for number in numbers
    )
    return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode()


class Site:
    """An origin that only has what a test puts there, and a desk's config beside it."""

    def __init__(self, origin: Origin, folder: Path) -> None:
        self.origin, self.config = origin, folder / "config"
        self.config.mkdir()
        # The origin misbehaves at some of the places where feeds usually are.
        for place in ("feed", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json", "rss"):
            origin.add(f"/{place}", lambda exchange: exchange.answer(404))
        self.write("wiredesk.yaml", {"fetch": {"allow_private": ["127.0.0.0/8"]}, "poll": {"gap_s": 0}})
        self.write("sections.yaml", {"harbour": {"title": "Harbour", "match": {"any": [{"category": ["Harbour"]}]}}})
        self.write("sources.yaml", [])

    def write(self, name: str, told: object) -> None:
        (self.config / name).write_text(yaml.safe_dump(told), encoding="utf-8")

    def put(self, path: str, body: bytes | str, kind: str = "text/html") -> str:
        content = body.encode() if isinstance(body, str) else body
        self.origin.add(path, lambda exchange: exchange.answer(200, content, Content_Type=kind))
        return self.origin.url(path)

    def move(self, path: str, status: int, target: str) -> str:
        def handler(exchange: Exchange) -> None:
            exchange.answer(status, Location=target)

        self.origin.add(path, handler)
        return self.origin.url(path)

    def run(self, command: click.Command, *arguments: str) -> Result:
        return CliRunner().invoke(command, [*arguments, "--config", str(self.config), "--data", "/nonexistent"])

    def discover(self, url: str) -> list[dict[str, str]]:
        """The lines that are printed, which `check` accepts when they are put into sources.yaml."""
        done = self.run(discover, url)
        assert done.exit_code == 0, done.output
        file = self.config / "sources.yaml"
        before = file.read_text(encoding="utf-8")
        file.write_text((before if before.strip() != "[]" else "") + done.stdout, encoding="utf-8")
        try:
            load_config(self.config, {})
        finally:
            file.write_text(before, encoding="utf-8")
        self.said = done.output
        return yaml.safe_load(done.stdout) or []


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    with Origin() as origin:
        yield Site(origin, tmp_path)


def test_several_feeds_of_a_page_are_lines_and_those_of_comments_are_remarks(site):
    news, sport = site.put("/news.xml", rss("Tide: news", 1)), site.put("/sport.xml", rss("Tide: news", 2))
    site.put("/comments/feed/", rss("Comments for Tide", 3))
    site.put("/hidden.xml", rss("Hidden", 4))
    page = HEAD % ("Comments", "/comments/feed/") + HEAD % ("News", "/news.xml") + HEAD % ("Sport", "sport.xml")
    url = site.put("/", f"<!-- {HEAD % ('x', '/hidden.xml')} -->{page}{HEAD % ('gone', '/gone.xml')}")
    assert site.discover(url) == [{"name": "Tide: news", "url": news}, {"name": "Tide: news 2", "url": sport}]
    assert "# What readers comment" in site.said and "# - name: Comments for Tide" in site.said
    assert "hidden" not in site.said


def test_what_is_configured_already_is_said_and_not_printed_twice(site):
    url = site.put("/news.xml", rss("Tide", 1))
    site.write("sources.yaml", [{"name": "Our tide", "url": url}])
    assert site.discover(url) == []
    assert "# Already in sources.yaml as Our tide, line 1." in site.said


def test_a_feed_that_only_a_link_for_people_leads_to_is_found(site):
    feed = site.put("/out/gazette.xml", rss("Gazette", 1))
    url = site.put("/anchors", '<base href="/out/"><a href="/about">About</a><a href="gazette.xml">RSS</a>')
    assert site.discover(url) == [{"name": "Gazette", "url": feed}]


def test_a_feed_is_offered_as_it_is_json_too_and_secrets_are_starred(site):
    url = site.put("/tide.json", JSON_FEED, "application/json")
    assert site.discover(url) == [{"name": "Harbour: JSON", "url": url}]
    assert "# JSON Feed 1.1: 1 entry, the newest of 20 Nov 2026" in site.said
    site.discover(url.replace("http://", "http://me:hushhush@"))
    assert "hushhush" not in site.said and "Fill in what is starred" in site.said


@pytest.mark.parametrize(("status", "kept"), [(301, "/new.xml"), (308, "/new.xml"), (302, "/old"), (307, "/old")])
def test_the_address_to_write_down_is_behind_permanent_redirects_alone(site, status, kept):
    site.put("/new.xml", rss("Tide", 1))
    url = site.move("/old", status, "/new.xml")
    assert site.discover(url) == [{"name": "Tide", "url": site.origin.url(kept)}]
    told = site.run(preview, url).output
    assert ("moved for good; write" in told) is (kept == "/new.xml")


def test_a_page_without_any_feed_is_offered_itself_and_its_sitemap(site):
    url = site.put("/", "<h1>Nothing</h1><p>for programs")
    site.put("/sitemap.xml", "<urlset><url><loc>https://a.example/1</loc></url></urlset>", "text/xml")
    lines = site.discover(url)
    assert [{key for key in line if key != "name"} for line in lines] == [{"page"}, {"sitemap"}]


def test_a_page_without_a_feed_is_offered_with_selectors_that_preview_shows(site):
    listed = PAGES["a table with a head"].body.replace("/a/", "https://elsewhere.example/")
    (line,) = site.discover(site.put("/decisions", listed))
    assert set(line) == {"name", "page", "select"}
    assert line["select"]["date"] == "td:nth-child(1)"
    site.write("sources.yaml", [line])
    told = site.run(preview, line["name"]).output
    assert "selected, 4 articles" in told and TITLES[0] in told


def test_json_of_a_form_of_its_own_is_offered_with_its_paths(site):
    (line,) = site.discover(site.put("/api", PAGES["an answer for programs"].body, "application/json"))
    assert line["select"] == {
        "items": "data.alerts",
        "id": "id",
        "title": "headline",
        "link": "url",
        "date": "issued",
        "text": "body",
    }


def test_a_page_whose_links_are_learnt_has_its_selectors_as_a_remark(site):
    cards = PAGES["cards of a newspaper"].body.replace("/a/", "/2026/11/harbour-wall-opens-after-years-")
    (line,) = site.discover(site.put("/cards", cards))
    assert set(line) == {"name", "page"}
    assert "#   select:\n#     item: article.card" in site.said
    (line,) = site.discover(site.put("/posts", page(each(H_ENTRY))))
    assert set(line) == {"name", "page"} and "marks its posts" in site.said and "select" not in site.said


class Catalogue:
    """Answers any request with one body."""

    def __init__(self, body: bytes) -> None:
        self.body, self.asked = body, ""

    def fetch(self, request: Request) -> Answer:
        self.asked = request.url
        return Answer(request=request, status=200, final_url=request.url, body=self.body, received_at=datetime.now(UTC))


def test_a_well_known_page_is_asked_for_where_its_feed_is():
    podcast = Catalogue(b'{"results": [{"feedUrl": "https://tide.example/show.xml"}]}')
    url, known = by_convention(podcast, "podcasts.apple.com/gb/podcast/the-tide/id1234567")  # type: ignore[arg-type]
    assert (url, known.what) == ("https://tide.example/show.xml", "a podcast at Apple")
    assert podcast.asked == "https://itunes.apple.com/lookup?id=1234567&entity=podcast"
    with pytest.raises(DeskError, match="tells no feed"):
        by_convention(Catalogue(b'{"results": []}'), "https://podcasts.apple.com/gb/podcast/id1")  # type: ignore[arg-type]
    nobody = Catalogue(b"")
    url, _ = by_convention(nobody, "github.com/pallets/flask")  # type: ignore[arg-type]
    assert url == "https://github.com/pallets/flask/releases.atom"
    for typed in ("https://www.youtube.com/@ada", "example.org/news"):
        assert by_convention(nobody, typed) == (typed, None)  # type: ignore[arg-type]
    assert nobody.asked == ""


def test_a_channel_of_telegram_is_a_page_that_the_desk_knows(site):
    (line,) = site.discover("t.me/tidetable")
    assert line == {"name": "tidetable", "page": "https://t.me/s/tidetable"}


def refusal(done: Result) -> str:
    assert done.exception is not None and not isinstance(done.exception, SystemExit), done.output
    return str(done.exception)


@pytest.mark.parametrize("command", [discover, preview])
def test_refusals_say_what_to_do(site, command):
    missing = refusal(site.run(command, site.origin.url("/news/missing")))
    assert "404" in missing and f"`wiredesk discover {site.origin.url('/')}`" in missing
    assert "type it as for a browser" in refusal(site.run(command, "the harbour post"))
    site.write("wiredesk.yaml", {"title": "No private addresses"})
    private = refusal(site.run(command, site.origin.url("/")))
    assert "127.0.0.1" in private and "allow_private" in private
    assert "ftp" in refusal(site.run(command, "ftp://a.example/x"))


def test_preview_of_a_front_page_says_what_it_would_be_as_a_source(site):
    site.put("/news.xml", rss("Tide", 1))
    links = "".join(
        f'<a href="/2026/11/20/the-tide-came-in-again-{n}">The tide came in again number {n}</a>' for n in "123"
    )
    done = site.run(preview, site.put("/", HEAD % ("News", "/news.xml") + links))
    assert "as a source, `page:` would follow its links to 3 articles:" in done.output
    assert f"its page names a feed: {site.origin.url('/news.xml')} News" in done.output


def test_preview_shows_where_articles_would_be_filed(site):
    done = site.run(preview, site.put("/news.xml", rss("Tide", 1, 2)))
    assert done.exit_code == 0 and "RSS 2.0, 2 articles" in done.output
    assert done.output.count("harbour: category 'Harbour'") == 2

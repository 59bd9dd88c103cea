"""Copies, originals and documents through a whole desk: what is one article, who had it first, what is shown of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.desk import Desk, until
from tests.fetch.origin import Origin

BRIDGE = (
    "The harbour council voted on Tuesday to replace the iron footbridge at Tollgate Wharf before next winter. "
    "Engineers found cracks in two of the four piers during a survey in January, and the crossing has carried a weight "
    "limit ever since. The new span would cost about four million crowns, a third of it from the regional road fund."
)


class Paper:
    """A feed whose items a test sets; `items` are (title, link, text, more)."""

    def __init__(self, origin: Origin, name: str) -> None:
        self.name = name
        self.items: list[tuple[str, str, str, str]] = []
        origin.add(f"/{name}.xml", lambda exchange: exchange.answer(200, self._body()))
        self.url = origin.url(f"/{name}.xml")

    def _body(self) -> bytes:
        items = "".join(
            f"<item><title>{title}</title><link>{link}</link><description>{text}</description>{more}</item>"
            for title, link, text, more in self.items
        )
        return (
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{self.name} news</title><link>https://{self.name}.example/</link>{items}</channel></rss>"
        ).encode()


@pytest.fixture
def papers(origin: Origin) -> dict[str, Paper]:
    return {name: Paper(origin, name) for name in ("harbourtimes", "mirror", "post")}


def source(paper: Paper, **more: object) -> dict[str, object]:
    return {"name": paper.name, "url": paper.url, "section": "news/world", **more}


def poll(desk: Desk, *names: str) -> None:
    done = desk.command("poll", *names)
    assert done.returncode == 0, done.stdout + done.stderr


def beyond(item: dict[str, object]) -> dict[str, Any]:
    extension = item["_wiredesk"]
    assert isinstance(extension, dict)
    return extension


CREDIT = "<source url='https://harbourtimes.example/feed'>harbourtimes</source>"


def test_a_credit_links_to_the_source_it_means_and_the_original_takes_its_place_when_it_comes(
    desk: Desk, papers: dict[str, Paper]
) -> None:
    mirror, times = papers["mirror"], papers["harbourtimes"]
    desk.write(sources=[source(mirror), source(times)])
    title = "Council to replace the iron footbridge"
    mirror.items = [(title, "https://mirror.example/1", BRIDGE + " Source: harbourtimes", CREDIT)]
    poll(desk)
    desk.start()
    [reprint] = desk.items("/news/world.json")
    assert beyond(reprint)["origin"]["name"] == "harbourtimes"
    assert reprint["url"] == "https://mirror.example/1"

    times.items = [("Footbridge at Tollgate Wharf to be replaced", "https://harbourtimes.example/a", BRIDGE, "")]
    poll(desk, times.name)
    until(lambda: desk.items("/news/world.json")[0]["url"] == "https://harbourtimes.example/a", what="the original")
    [article] = desk.items("/news/world.json")
    assert article["id"] == reprint["id"]
    assert "origin" not in beyond(article)
    [copy] = beyond(article)["copies"]
    assert (copy["source"], copy["url"]) == ("mirror", "https://mirror.example/1")
    assert "original" not in copy
    told = desk.command("explain", str(article["id"])).stdout
    assert "credited by mirror" in told


def test_the_original_is_marked_but_not_shown_where_only_a_date_says_so(desk: Desk, papers: dict[str, Paper]) -> None:
    mirror, times = papers["mirror"], papers["harbourtimes"]
    desk.write(sources=[source(mirror), source(times, full_text="link")])
    later, earlier = (f"<pubDate>Fri, 20 Nov 2026 {hour}:00:00 GMT</pubDate>" for hour in ("12", "08"))
    mirror.items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, later)]
    poll(desk)
    desk.start()
    assert "harbour council" in str(desk.items("/news/world.json")[0]["content_html"])
    times.items = [("Footbridge to be replaced", "https://harbourtimes.example/a", BRIDGE, earlier)]
    poll(desk, times.name)
    until(lambda: beyond(desk.items("/news/world.json")[0]).get("copies"), what="the copy")
    [article] = desk.items("/news/world.json")
    assert article["url"] == "https://mirror.example/1"
    [note] = beyond(article)["copies"]
    assert note["original"] is True and "published first" in note["why"]
    assert beyond(article)["origin"]["name"] == "harbourtimes"
    # Its own source allows a link alone: the text is not given away by who copied it.
    assert "content_html" not in article


def test_short_texts_with_the_same_title_are_one_article_and_notices_are_not(
    desk: Desk, papers: dict[str, Paper]
) -> None:
    short = "The bell of the mole chapel rang at noon for the crew."
    notice = "Subscribe to continue reading this article and all others here today"
    for name, titles in (("mirror", ("Bell rings", "Ferry aground")), ("post", ("Bell rings", "Wheat dearer"))):
        papers[name].items = [
            (titles[0], f"https://{name}.example/1", short, ""),
            (titles[1], f"https://{name}.example/2", notice, ""),
        ]
    desk.write(sources=[source(papers["mirror"]), source(papers["post"])])
    poll(desk)
    desk.start()
    titles = sorted(str(item["title"]) for item in desk.items("/news/world.json"))
    assert titles == ["Bell rings", "Ferry aground", "Wheat dearer"]  # type: ignore[comparison-overlap]


def test_a_column_with_the_same_title_and_text_stays_an_article_a_day(desk: Desk, papers: dict[str, Paper]) -> None:
    post = papers["post"]
    post.items = [
        ("Weather", f"https://post.example/w{day}", "Sunny spells and a light breeze from the south west all day.",
         f"<pubDate>{stamp}</pubDate>")
        for day, stamp in ((1, "Thu, 19 Nov 2026 06:00:00 GMT"), (2, "Fri, 20 Nov 2026 06:00:00 GMT"))
    ]  # fmt: skip
    desk.write(sources=[source(post)])
    poll(desk)
    desk.start()
    assert len(desk.items("/news/world.json")) == 2


def test_explain_tells_of_two_addresses_whether_they_are_one_article(desk: Desk, papers: dict[str, Paper]) -> None:
    papers["mirror"].items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, "")]
    papers["post"].items = [
        ("New crossing by winter", "https://post.example/9", f"By our own correspondent. {BRIDGE}", ""),
        ("Wheat up again", "https://post.example/w", "Wheat rose for a fifth week as drought lay on the plains.", ""),
    ]
    desk.write(sources=[source(papers["mirror"]), source(papers["post"])])
    poll(desk)
    same = desk.command("explain", "https://mirror.example/1", "https://post.example/9?utm_source=x")
    assert same.returncode == 0, same.stderr
    assert "one article" in same.stdout and "needed" in same.stdout
    apart = desk.command("explain", "https://mirror.example/1", "https://post.example/w").stdout
    assert "two articles" in apart and "two stories" in apart
    unknown = desk.command("explain", "https://mirror.example/1", "https://nobody.example/")
    assert unknown.returncode != 0 and "nobody.example" in unknown.stderr


PIE = (
    "Fair to have a pie\n\nThe fair will have a pie this year, its makers say, and it is six feet wide.\n\n"
    "It was baked in three ovens and put together by a crane on the quay.\n"
)


def put(path: Path, text: str) -> None:
    """Write as careful writers do, in one go."""
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def test_a_document_stays_one_article_when_it_changes_or_is_renamed(desk: Desk) -> None:
    folder = desk.config / "articles"
    folder.mkdir()
    desk.write(
        sources=[{"name": "Letters", "files": "articles/*.txt", "section": "news/world", "interval_s": 1}],
        desk={"publish": {"full_text": "full", "first_import": 0}},
    )
    put(folder / "pie.txt", PIE)
    put(folder / "empty.txt", "")
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the document")
    first = desk.items("/news/world.json")[0]["id"]

    (folder / "pie.txt").rename(folder / "a-pie-for-the-fair.txt")
    put(
        folder / "other.txt",
        "Harbour bell cast anew\n\nThe bell of the harbour chapel was cast anew in the old yard.\n",
    )
    until(lambda: len(desk.items("/news/world.json")) > 1, what="the other document")
    assert sorted(str(item["title"]) for item in desk.items("/news/world.json")) == [
        "Fair to have a pie",
        "Harbour bell cast anew",
    ]

    put(folder / "a-pie-for-the-fair.txt", PIE.replace("six feet", "seven feet"))
    until(
        lambda: any("seven feet" in str(item.get("content_html")) for item in desk.items("/news/world.json")),
        what="the changed document",
    )
    assert [item["id"] for item in desk.items("/news/world.json") if "pie" in str(item["title"])] == [first]

    put(folder / "twin.txt", PIE.replace("six feet", "seven feet"))
    put(
        folder / "empty.txt",
        "Ferry to sail at night\n\nThe ferry will sail at night from spring on, the line said here.\n",
    )
    until(lambda: len(desk.items("/news/world.json")) > 2, what="the filled document")
    titles = sorted(str(item["title"]) for item in desk.items("/news/world.json"))
    assert titles == ["Fair to have a pie", "Ferry to sail at night", "Harbour bell cast anew"]


def test_a_document_that_is_half_written_is_taken_when_it_is_whole(desk: Desk) -> None:
    folder = desk.config / "articles"
    folder.mkdir()
    desk.write(sources=[{"name": "Letters", "files": "articles/*.txt", "section": "news/world", "interval_s": 1}])
    desk.start()
    with (folder / "slow.txt").open("w", encoding="utf-8") as slow:
        for part in PIE.split(". "):
            slow.write(part + ". ")
            slow.flush()
            time.sleep(1.0)
            assert desk.items("/news/world.json") == []
    until(lambda: desk.items("/news/world.json"), what="the whole document")
    assert "crane" in str(desk.items("/news/world.json")[0])


def test_a_section_folds_links_or_shows_copies_as_its_config_says(desk: Desk, papers: dict[str, Paper]) -> None:
    papers["mirror"].items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, "")]
    papers["post"].items = [("New crossing by winter", "https://post.example/9", BRIDGE, "")]
    everything = {"any": [{"keywords": ["footbridge"]}]}
    desk.write(
        sections={way: {"title": way, "copies": way, "match": everything} for way in ("fold", "link", "show")},
        sources=[{"name": name, "url": papers[name].url} for name in ("mirror", "post")],
    )
    poll(desk, "mirror")
    poll(desk, "post")
    desk.start()
    found = {way: desk.items(f"/{way}.json") for way in ("fold", "link", "show")}
    [folded], [linked], (article, copy) = found["fold"], found["link"], found["show"]
    assert folded["id"] == linked["id"] == article["id"] != copy["id"]
    assert "post.example" not in str(folded["content_html"])
    assert '<a href="https://post.example/9">New crossing by winter</a> (post)' in str(linked["content_html"])
    assert (copy["url"], copy["title"]) == ("https://post.example/9", "New crossing by winter")
    poll(desk, "mirror", "post")
    assert [item["id"] for item in desk.items("/show.json")] == [article["id"], copy["id"]]

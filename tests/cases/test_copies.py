"""Copies and originals: what is one article, who had it first, what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases.desk import CaseDesk
from tests.fetch.origin import Origin

BRIDGE = (
    "The harbour council voted on Tuesday to replace the iron footbridge at Tollgate Wharf before next winter. "
    "Engineers found cracks in two of the four piers during a survey in January, and the crossing has carried a weight "
    "limit ever since. The new span would cost about four million crowns, a third of it from the regional road fund."
)

TREE = {"news": {"title": "News", "sections": {"world": {"title": "World"}}}}


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
def papers(desk: CaseDesk) -> dict[str, Paper]:
    return {name: Paper(desk.origin, name) for name in ("harbourtimes", "mirror", "post")}


def source(paper: Paper, **more: object) -> dict[str, object]:
    return {"name": paper.name, "url": paper.url, "section": "news/world", **more}


def beyond(item: dict[str, object]) -> dict[str, Any]:
    extension = item["_wiredesk"]
    assert isinstance(extension, dict)
    return extension


CREDIT = "<source url='https://harbourtimes.example/feed'>harbourtimes</source>"


def test_a_credit_links_to_the_source_it_means_and_the_original_takes_its_place_when_it_comes(
    desk: CaseDesk, papers: dict[str, Paper]
) -> None:
    mirror, times = papers["mirror"], papers["harbourtimes"]
    desk.write(source(mirror), source(times), sections=TREE)
    title = "Council to replace the iron footbridge"
    mirror.items = [(title, "https://mirror.example/1", BRIDGE + " Source: harbourtimes", CREDIT)]
    desk.poll()
    [reprint] = desk.items("news/world")
    assert beyond(reprint)["origin"]["name"] == "harbourtimes"
    assert reprint["url"] == "https://mirror.example/1"

    times.items = [("Footbridge at Tollgate Wharf to be replaced", "https://harbourtimes.example/a", BRIDGE, "")]
    desk.poll()
    [article] = desk.items("news/world")
    assert article["id"] == reprint["id"]
    assert "origin" not in beyond(article)
    [copy] = beyond(article)["copies"]
    assert (copy["source"], copy["url"]) == ("mirror", "https://mirror.example/1")
    assert "original" not in copy
    told = desk.command("explain", str(article["id"])).stdout
    assert "credited by mirror" in told


def test_the_original_is_marked_but_not_shown_where_only_a_date_says_so(
    desk: CaseDesk, papers: dict[str, Paper]
) -> None:
    mirror, times = papers["mirror"], papers["harbourtimes"]
    desk.write(source(mirror), source(times, full_text="link"), sections=TREE)
    later, earlier = (f"<pubDate>Fri, 20 Nov 2026 {hour}:00:00 GMT</pubDate>" for hour in ("12", "08"))
    mirror.items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, later)]
    desk.poll()
    assert "harbour council" in str(desk.items("news/world")[0]["content_html"])
    times.items = [("Footbridge to be replaced", "https://harbourtimes.example/a", BRIDGE, earlier)]
    desk.poll()
    [article] = desk.items("news/world")
    assert article["url"] == "https://mirror.example/1"
    [note] = beyond(article)["copies"]
    assert note["original"] is True and "published first" in note["why"]
    assert beyond(article)["origin"]["name"] == "harbourtimes"
    # Its own source allows a link alone: the text is not given away by who copied it.
    assert "content_html" not in article


def test_short_texts_with_the_same_title_are_one_article_and_notices_are_not(
    desk: CaseDesk, papers: dict[str, Paper]
) -> None:
    short = "The bell of the mole chapel rang at noon for the crew."
    notice = "Subscribe to continue reading this article and all others here today"
    for name, told in (("mirror", ("Bell rings", "Ferry aground")), ("post", ("Bell rings", "Wheat dearer"))):
        papers[name].items = [
            (told[0], f"https://{name}.example/1", short, ""),
            (told[1], f"https://{name}.example/2", notice, ""),
        ]
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    desk.poll()
    titles = sorted(str(item["title"]) for item in desk.items("news/world"))
    assert titles == ["Bell rings", "Ferry aground", "Wheat dearer"]


def test_a_column_with_the_same_title_and_text_stays_an_article_a_day(desk: CaseDesk, papers: dict[str, Paper]) -> None:
    post = papers["post"]
    post.items = [
        ("Weather", f"https://post.example/w{day}", "Sunny spells and a light breeze from the south west all day.",
         f"<pubDate>{stamp}</pubDate>")
        for day, stamp in ((1, "Thu, 19 Nov 2026 06:00:00 GMT"), (2, "Fri, 20 Nov 2026 06:00:00 GMT"))
    ]  # fmt: skip
    desk.write(source(post), sections=TREE)
    desk.poll()
    assert len(desk.items("news/world")) == 2


def test_explain_tells_of_two_addresses_whether_they_are_one_article(desk: CaseDesk, papers: dict[str, Paper]) -> None:
    papers["mirror"].items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, "")]
    papers["post"].items = [
        ("New crossing by winter", "https://post.example/9", f"By our own correspondent. {BRIDGE}", ""),
        ("Wheat up again", "https://post.example/w", "Wheat rose for a fifth week as drought lay on the plains.", ""),
    ]
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    desk.poll()
    same = desk.command("explain", "https://mirror.example/1", "https://post.example/9?utm_source=x")
    assert same.exit_code == 0, same.output
    assert "one article" in same.stdout and "needed" in same.stdout
    apart = desk.command("explain", "https://mirror.example/1", "https://post.example/w").stdout
    assert "two articles" in apart and "two stories" in apart
    unknown = desk.command("explain", "https://mirror.example/1", "https://nobody.example/")
    assert unknown.exit_code != 0 and "nobody.example" in str(unknown.exception)


def test_a_section_folds_links_or_shows_copies_as_its_config_says(desk: CaseDesk, papers: dict[str, Paper]) -> None:
    papers["mirror"].items = [("Iron footbridge goes", "https://mirror.example/1", BRIDGE, "")]
    everything = {"any": [{"keywords": ["footbridge"]}]}
    desk.write(
        *({"name": name, "url": papers[name].url} for name in ("mirror", "post")),
        sections={way: {"title": way, "copies": way, "match": everything} for way in ("fold", "link", "show")},
    )
    desk.poll()
    papers["post"].items = [("New crossing by winter", "https://post.example/9", BRIDGE, "")]
    desk.poll()
    found = {way: desk.items(way) for way in ("fold", "link", "show")}
    [folded], [linked], (article, copy) = found["fold"], found["link"], found["show"]
    assert folded["id"] == linked["id"] == article["id"] != copy["id"]
    assert "post.example" not in str(folded["content_html"])
    assert '<a href="https://post.example/9">New crossing by winter</a> (post)' in str(linked["content_html"])
    assert (copy["url"], copy["title"]) == ("https://post.example/9", "New crossing by winter")
    desk.poll()
    assert [item["id"] for item in desk.items("show")] == [article["id"], copy["id"]]

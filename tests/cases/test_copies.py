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


PAYWALL = (
    "This article is reserved for subscribers. Log in to your account or start a trial today to read on, and get "
    "unlimited access to all of {}, with newsletters, apps and the archive of every edition since 1871."
)
MATCH = (
    "{0} beat {1} two to nil at home on Saturday in front of a good crowd. The first goal came after ten minutes and "
    "the second shortly before the break. {0} stay in the upper half of the table, while {1} have to look down."
)
STARS = "Today brings you, dear {0}, a chance to clear up what was left about. Keep calm, and go to bed early, {0}."
NOTES = (
    "Bug fixes and improvements. See the full changelog for details of all changes. Thanks to everybody who reported "
    "issues, sent patches and translated the program into many languages."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Budget approved by council", PAYWALL.format("our work")), ("Fire near docks", PAYWALL.format("our work"))),
        (("Budget approved by council", PAYWALL.format("the Mirror")), ("Fire near docks", PAYWALL.format("the Post"))),
        (("Skerry 2-0 Holt", MATCH.format("Skerry", "Holt")), ("Varn 2-0 Tollgate", MATCH.format("Varn", "Tollgate"))),
        (("Aries for Friday", STARS.format("Aries")), ("Taurus for Friday", STARS.format("Taurus"))),
        (("lantern 1.2.0", NOTES), ("anchor 4.0.1", NOTES)),
        (
            ("予算案を可決", "この記事は有料会員限定です。会員登録いただくと、続きをお読みいただけます。" * 2),
            ("港の倉庫で火災", "この記事は有料会員限定です。会員登録いただくと、続きをお読みいただけます。" * 2),
        ),
    ],
    ids=["a notice", "a notice with a name in it", "a form", "a form under like titles", "versions", "without blanks"],
)
def test_what_publishers_say_of_anything_makes_no_two_articles_one(
    desk: CaseDesk, papers: dict[str, Paper], one: tuple[str, str], other: tuple[str, str]
) -> None:
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    for name, (title, text) in (("mirror", one), ("post", other)):
        papers[name].items = [(title, f"https://{name}.example/1", text, "")]
    desk.poll()
    assert {item["title"] for item in desk.items("news/world")} == {one[0], other[0]}


@pytest.mark.parametrize("title", ["Bad news for walkers", "Iron footbridge will make way", "Cracks at Tollgate Wharf"])
def test_a_short_text_under_a_headline_of_its_own_is_a_copy_still(
    desk: CaseDesk, papers: dict[str, Paper], title: str
) -> None:
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    papers["mirror"].items = [("Council to replace the footbridge", "https://mirror.example/1", BRIDGE, "")]
    papers["post"].items = [(title, "https://post.example/1", BRIDGE.replace("on Tuesday ", ""), "")]
    desk.poll()
    assert len(desk.items("news/world")) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Zelenskyy", "Zelensky"), ("Harbour", "Harbor"), ("Organisers", "Organizers"), ("Tollgate", "Tolgate")],
)
def test_a_word_that_two_papers_spell_otherwise_makes_no_two_articles(
    desk: CaseDesk, papers: dict[str, Paper], one: str, other: str
) -> None:
    text = (
        "The {0} of Varn came to Oslo on Friday for talks on the iron footbridge. {0} will be heard by the council on "
        "Saturday, and the fleet will then travel on to the old fort, the government said."
    )
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    for name, word in (("mirror", one), ("post", other)):
        papers[name].items = [(f"{word} in Oslo for talks", f"https://{name}.example/1", text.format(word), "")]
    desk.poll()
    assert len(desk.items("news/world")) == 1


def test_comments_are_no_copies_of_what_they_comment_on(desk: CaseDesk, papers: dict[str, Paper]) -> None:
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    page = "https://mirror.example/2026/footbridge/"
    papers["mirror"].items = [("Council to replace the footbridge", page, BRIDGE, "")]
    papers["post"].items = [("By: Ann", f"{page}#comment-55", "I shall miss its iron arches, and so will the cat.", "")]
    desk.poll()
    assert {item["title"] for item in desk.items("news/world")} == {"Council to replace the footbridge", "By: Ann"}


LINES = "A tree lies on the rails at Skerry Point, and trams turn back there until noon."
BUSES = "The bridge is being painted this week, so that night buses end at the quay."


@pytest.mark.parametrize(
    ("address", "titles", "articles"),
    [
        ("https://transit.example/alerts", ("Tram line held up", "No night buses to the island"), 2),
        ("https://transit.example/alerts", ("Line 1 delayed", "Line 2 delayed"), 2),
        ("https://transit.example/alerts/2026/11-17", ("Tram line held up", "No night buses to the island"), 1),
        ("https://transit.example/skerry", ("Trams held up", "Trams held up at Skerry"), 1),
    ],
)
def test_a_page_that_is_not_one_articles_shows_two_sources_two(
    desk: CaseDesk, papers: dict[str, Paper], address: str, titles: tuple[str, str], articles: int
) -> None:
    desk.write(source(papers["mirror"]), source(papers["post"]), sections=TREE)
    for name, title, text in zip(("mirror", "post"), titles, (LINES, BUSES), strict=True):
        papers[name].items = [(title, address, text, "")]
    desk.poll()
    assert len(desk.items("news/world")) == articles

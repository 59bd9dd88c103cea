"""What is learnt from the pages of one site: furniture that they share, and the place of their text."""

from feeds.parse import read_page
from feeds.parsed import ParsedEntry
from feeds.text import Recurring

NOUNS = "wall tide gate toll lock storm boat lamp road train bridge river".split()


def sentence(number: int, part: int) -> str:
    one, two, three = (NOUNS[(number * step + part) % len(NOUNS)] for step in (1, 5, 7))
    return f"On day {number} the {one} near the {two} was mended in part {part}, and the {three} held as before."


def page(number: int, *, box: str = "", place: str = "story-text", parts: int = 4) -> bytes:
    text = "".join(f"<p>{sentence(number, part)}</p>" for part in range(parts))
    return (
        f"<html><head><title>Day {number} of the {NOUNS[number]} | Coast</title></head><body>"
        f"<h1>Day {number} of the {NOUNS[number]}</h1><div class='{place}'>{text}{box}</div></body></html>"
    ).encode()


BOX = "<p>Do you know more about it? Our reporters keep every secret that they are told.</p>"


class Site:
    """Pages of a site, read one after the other."""

    def __init__(self) -> None:
        self.learnt = Recurring()

    def read(self, body: bytes, url: str = "https://coast.example/news/x") -> ParsedEntry:
        feed, shown = read_page(body, url=url, content_type="text/html; charset=utf-8", learnt=self.learnt)
        self.learnt = self.learnt.with_(shown)
        return feed.entries[0]


def html_of(entry: ParsedEntry) -> str:
    return entry.content.value if entry.content else ""


def test_what_stands_on_three_pages_is_furniture_and_it_is_told() -> None:
    site = Site()
    assert "Do you know more" in html_of(site.read(page(1, box=BOX)))
    assert "Do you know more" in html_of(site.read(page(2, box=BOX)))
    third = site.read(page(3, box=BOX))
    assert "Do you know more" not in html_of(third)
    assert all(sentence(3, part) in html_of(third) for part in range(4))
    assert any("Do you know more" in note for note in third.notes)


def test_one_article_at_three_addresses_keeps_its_text() -> None:
    site = Site()
    for address in ("a", "a?print=1", "amp/a", "a/2"):
        html = html_of(site.read(page(1), url=f"https://coast.example/{address}"))
        assert all(sentence(1, part) in html for part in range(4))


def test_background_that_a_paper_uses_again_stays_and_no_page_loses_the_most_of_its_text() -> None:
    site = Site()
    for number in range(4, 10):
        site.read(page(number))
    background = (
        "<p>The wall was begun nine years ago, after the great storm had drowned the old town twice in a winter.</p>"
    )
    for number in range(1, 4):
        assert "begun nine years ago" in html_of(site.read(page(number, box=background)))
    same = "".join(f"<p>{sentence(11, part)}</p>" for part in range(8))
    for number in (1, 2, 3, 10):
        assert sentence(11, 7) in html_of(site.read(page(number, box=same, parts=1)))


def test_a_redesign_is_forgotten_with_the_last_pages() -> None:
    site = Site()
    for number in range(3):
        site.read(page(number, box=BOX))
    for number in range(24):
        site.read(page(number % 12, place="new-place", parts=4 + number))
    assert "Do you know more" in html_of(site.read(page(5, box=BOX, parts=3)))


def test_the_place_of_the_text_is_remembered() -> None:
    def with_decoy(number: int) -> bytes:
        decoy = f"<article><h2>Elsewhere</h2><p>In short: day {number}.</p></article>"
        return page(number, place="tx-body", parts=3).replace(b"<h1>", decoy.encode() + b"<h1>")

    site = Site()
    for number in range(1, 5):
        site.read(page(number, place="tx-body"))
    html = html_of(site.read(with_decoy(7)))
    assert all(sentence(7, part) in html for part in range(3))
    assert "In short" not in html

"""A letter is an article, a digest several; what was meant for its one reader is not in them."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from feeds.errors import ParseError
from feeds.parse.letters import parse_letter
from feeds.parsed import ParsedEntry

TEXT = "The council of the harbour wants a second ferry before winter, its chair said on Monday."
TOKEN = "u001.Qk3mR8vXw2Zt7LpNs5Yb"


def letter(markup: str = "", plain: str = "", **headers: str) -> bytes:
    made = EmailMessage()
    told = {
        "From": "Press Office <press@council.example.org>",
        "Subject": "Second ferry",
        "Message-ID": "<1@c.example>",
    }
    for name, value in (told | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        made[name] = value
    made["Date"] = "Mon, 23 Nov 2026 09:00:00 +0100"
    made.set_content(plain or "-")
    if markup:
        made.add_alternative(markup, subtype="html")
    return made.as_bytes()


def html_of(markup: str) -> str:
    content = read(letter(markup)).content
    return content.value if content is not None else ""


def read(body: bytes) -> ParsedEntry:
    (entry,) = parse_letter(body, name="a.eml").entries
    return entry


@pytest.mark.parametrize(
    "secret",
    [
        f'<img src="https://img.example/open/{TOKEN}" width="1" height="1">',
        f'<img src="https://track.example/{TOKEN}.gif">',
        '<img src="cid:logo@c.example">',
        '<img src="data:image/png;base64,AAAA">',
        '<p style="display:none">Preheader: secret words</p>',
        f'<p>No more? <a href="https://c.example/u/{TOKEN}">Unsubscribe</a> at any time.</p>',
        f'<td><a href="https://c.example/unsubscribe?u={TOKEN}">here</a></td>',
        f'<div><a href="https://c.example/web/{TOKEN}">View this email in your browser</a></div>',
        f'<p>Nicht mehr? <a href="https://c.example/{TOKEN}">Newsletter abbestellen</a></p>',
        f"<!-- {TOKEN} --><script>ask('{TOKEN}')</script><style>.{TOKEN} {{}}</style>",
    ],
)
def test_what_reports_signs_off_or_is_hidden_goes(secret: str) -> None:
    cleaned = html_of(f"<html><body><h1>Second ferry</h1><p>{TEXT}</p>{secret}<p>And more.</p></body></html>")
    assert TEXT in cleaned and "And more." in cleaned
    for gone in (TOKEN, "cid:", "data:", "secret words", "subscribe", "abbestellen", "browser"):
        assert gone not in cleaned


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        (
            "https://click.example/track/click?u=7&url=https%3A%2F%2Fexample.com%2Fnews",
            'href="https://example.com/news"',
        ),
        (f"https://url123.c.example/ls/click?upn={TOKEN}", "<p>the offer</p>"),
        (f"https://c.list-manage.com/track/click?u={TOKEN}&id=5", "<p>the offer</p>"),
        ("https://example.com/c/a-long-title-of-an-article-about-ferries", 'href="https://example.com/c/a-long-title'),
        ("https://example.com/news/2026/11/ferry", 'href="https://example.com/news/2026/11/ferry"'),
    ],
)
def test_links_lead_to_their_target_or_nowhere(link: str, kept: str) -> None:
    assert kept in html_of(f'<p>{TEXT}</p><p><a href="{link}">the offer</a></p>')


def test_pictures_that_people_look_at_stay_and_attached_ones_are_counted() -> None:
    body = EmailMessage()
    body["From"], body["Subject"], body["Message-ID"] = "a@b.example", "Boats", "<2@b.example>"
    body.set_content("-")
    body.add_alternative(f'<p>{TEXT}</p><img src="https://b.example/boat.jpg"><img src="cid:x">', subtype="html")
    body.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<x>")  # type: ignore[index, union-attr]
    entry = read(body.as_bytes())
    assert entry.content is not None and "boat.jpg" in entry.content.value and "cid:" not in entry.content.value
    assert entry.notes == ("1 pictures of the letter are left out: there is no place to serve them from",)


def test_the_result_of_dkim_and_the_list_are_kept_and_no_address_is() -> None:
    results = "mx.example.org; spf=pass smtp.mailfrom=x@y.example; dkim=pass (key) header.d=council.example.org"
    entry = read(letter(f"<p>{TEXT}</p>", Authentication_Results=results, List_Id="News <news.council.example.org>"))
    assert entry.notes == ("DKIM: pass, signed by council.example.org",)
    assert [(one.term, one.scheme) for one in entry.categories] == [("news.council.example.org", "list-id")]
    assert "press@" not in repr(entry)
    assert read(letter(f"<p>{TEXT}</p>", Authentication_Results="mx; dkim=fail")).notes == ("DKIM: fail",)


def test_a_plain_letter_goes_without_its_lines_to_sign_off() -> None:
    text = f"{TEXT}\n\nTo unsubscribe, go to:\nhttps://c.example/u/{TOKEN}\n\nMore of it.\n-- \nThe office\n"
    content = read(letter(plain=text)).content
    assert content is not None and TOKEN not in content.value and "unsubscribe" not in content.value
    assert "More of it." in content.value and "The office" not in content.value


DIGEST = """<html><body><table><tr><td><h1>The week in the harbour</h1><p>Hello reader, this is new.</p></td></tr>
<tr><td><h2><a href="https://c.example/ferry">A second ferry</a></h2><p>The council wants it.</p></td></tr>
<tr><td><div><h2>The pier reopens</h2></div><p>From Monday on, <a href="https://c.example/pier">says the master</a>.</p>
</td></tr><tr><td><p><a href="https://c.example/unsubscribe">Unsubscribe</a></p></td></tr></table></body></html>"""


def test_a_digest_is_cut_into_its_articles() -> None:
    entries = parse_letter(letter(DIGEST), name="a.eml", digest=True).entries
    assert [(one.title.value if one.title else "", one.link, one.entry_id, one.position) for one in entries] == [
        ("A second ferry", "https://c.example/ferry", "1@c.example#1", 0),
        ("The pier reopens", "https://c.example/pier", "1@c.example#2", 1),
    ]
    assert entries[0].content is not None and "The council wants it." in entries[0].content.value
    assert entries[1].content is not None and "says the master" in entries[1].content.value
    assert "Hello reader" not in repr(entries) and "nsubscribe" not in repr(entries)
    assert len(parse_letter(letter(DIGEST), name="a.eml").entries) == 1
    assert len(parse_letter(letter(f"<h2>One</h2><p>{TEXT}</p>"), name="a.eml", digest=True).entries) == 1


@pytest.mark.parametrize("depth", [2_000])
def test_a_hostile_letter_ends_in_an_error_or_an_article(depth: int) -> None:
    for markup in ("<div>" * depth + TEXT, "<a href='http://[::1'>x</a>" * 50 + TEXT, "\x00\ufffe<p>" + TEXT):
        assert parse_letter(letter(markup), name="a.eml", digest=True).entries
    with pytest.raises(ParseError, match="characters of HTML"):
        parse_letter(letter("x" * 3_000_001), name="a.eml")

"""Furniture at the ends of entries: forms known at first sight, lines that recur, and true sentences that stay."""

from datetime import UTC, datetime

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.configuration import Source
from feeds.model import Entry
from feeds.normalise import normalise, without_furniture
from feeds.parsed import ParsedEntry, ParsedFeed, RawText
from feeds.text import Recurring

SOURCE = Source(key="s", name="S", kind="feed", target="https://coast.example/feed.xml")


def entries_of(*texts: str, titles: tuple[str, ...] = (), content: bool = False) -> tuple[Entry, ...]:
    """Entries as `normalise` gives them, of summaries or contents as HTML."""
    parsed = []
    for number, text in enumerate(texts):
        raw = RawText(value=text, type="html")
        parsed.append(
            ParsedEntry(
                position=number,
                entry_id=f"id-{number}-{hash(text)}",
                title=RawText(value=titles[number] if titles else f"Headline number {number} {text[3:12]}"),
                link=f"https://coast.example/{number}",
                content=raw if content else None,
                summary=None if content else raw,
            )
        )
    feed = ParsedFeed(kind="rss", entries=tuple(parsed))
    known = normalise(
        feed,
        source=SOURCE,
        url=SOURCE.target,
        received_at=datetime(2026, 11, 28, tzinfo=UTC),
        desk_language="en",
        desk_timezone="UTC",
    )
    return known.entries


def summary_of(text: str, title: str = "Boats again") -> str:
    (entry,) = without_furniture(entries_of(text, titles=(title,)), Recurring()).entries
    return entry.summary


LINK = '<a href="https://coast.example/1">{}</a>'
FORMS = [
    f"<p>The post {LINK.format('Boats again')} appeared first on {LINK.format('Harbour Post')}.</p>",
    "<p>The post Boats again first appeared on Harbour Post.</p>",
    f"<p>Der Beitrag {LINK.format('Boats again')} erschien zuerst auf {LINK.format('Hafenpost')}.</p>",
    f"<p>L’article {LINK.format('Boats again')} est apparu en premier sur {LINK.format('Le Port')}.</p>",
    f"<p>La entrada {LINK.format('Boats again')} se publicó primero en {LINK.format('El Puerto')}.</p>",
    f"<p>L'articolo {LINK.format('Boats again')} proviene da {LINK.format('Il Porto')}.</p>",
    f"<p>O post {LINK.format('Boats again')} apareceu primeiro em {LINK.format('O Porto')}.</p>",
    f"<p>Artykuł {LINK.format('Boats again')} pochodzi z serwisu {LINK.format('Port')}.</p>",
    f"<p>Сообщение {LINK.format('Boats again')} появились сначала на {LINK.format('Порт')}.</p>",
    f"<p>{LINK.format('Read more')}</p>",
    f"<p>[{LINK.format('Read more →')}]</p>",
    f"<p>{LINK.format('Continue reading Boats again')}</p>",
    f"<div>{LINK.format('Weiterlesen')} »</div>",
    f"<p>{LINK.format('Lire la suite')}…</p>",
    f"<p>{LINK.format('続きを読む')}</p>",
    f" {LINK.format('Read more')}",
    " Continue reading Boats again…",
    f"<p>{LINK.format('12 Comments')}</p><p>{LINK.format('Read more')}</p>",
    f"<p>{LINK.format('Share on Facebook')} {LINK.format('Tweet')}</p>",
]


@pytest.mark.parametrize("form", FORMS)
def test_forms_that_engines_write_are_known_at_first_sight(form: str) -> None:
    text = f"<p>Boats leave earlier from Monday.{'</p>' if form[0] == '<' else ''}{form}"
    assert summary_of(text) == "<p>Boats leave earlier from Monday.</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<p>Children read more in winter, a study of ten towns says.</p>",
        "<p>What do children do in the long nights of winter? They read more</p>",
        "<p>The post office appeared first on the map of 1870.</p>",
        "<p>The story of the wall first appeared in the winter of 1953.</p>",
        f"<p>All of it stands in {LINK.format('the report of the auditors')}.</p>",
        "<p>Subscribe to nobody, she says, and read the comments</p>",
        "<p>No comments, said the mayor.</p>",
        f"<p>Who wants to hear of it first may {LINK.format('subscribe')}.</p>",
        f"<p>It is a book of which you will want to {LINK.format('read more')}.</p>",
        "<ul><li>Read</li><li>Write</li></ul>",
    ],
)
def test_sentences_that_hold_the_same_words_stay(text: str) -> None:
    (before,) = entries_of(text, titles=("Boats again",))
    (after,) = without_furniture((before,), Recurring()).entries
    assert after is before


TEXTS = [
    "<p>Boats leave earlier from Monday.</p>",
    "<p>Trains end at the river bridge.</p>",
    "<p>Roads are closed until evening.</p>",
    "<p>Lamps burn until midnight.</p>",
]
SIGN_OFF = f"<p><em>Harbour Post lives from its readers: {LINK.format('help us')} to go on.</em></p>"
CREDO = "<p>Harbour Post, made by hand in the old town.</p>"


@pytest.mark.parametrize("line", [SIGN_OFF, CREDO])
@pytest.mark.parametrize("content", [True, False])
def test_a_line_that_recurs_at_the_end_goes(line: str, content: bool) -> None:
    entries = entries_of(*(text + line for text in TEXTS), content=content)
    after = without_furniture(entries, Recurring()).entries
    assert [entry.content or entry.summary for entry in after] == TEXTS
    assert all(entry.text == nh3.clean(text, tags=set()) for entry, text in zip(after, TEXTS, strict=True))
    assert all("Harbour Post" not in entry.summary for entry in after)
    assert all(any("furniture taken out: “Harbour Post" in said for said in entry.warnings) for entry in after)


def test_a_line_that_recurs_at_the_beginning_goes() -> None:
    line = f"<p>This is Harbour Post, number one of the coast. {LINK.format('Support us')}</p>"
    after = without_furniture(entries_of(*(line + text for text in TEXTS)), Recurring()).entries
    assert [entry.summary for entry in after] == TEXTS


def test_the_title_in_a_line_may_change() -> None:
    titles = ("Early boats", "Short trains", "Closed roads", "Late lamps")
    texts = [
        f"{text}<p>Talk about {title} {LINK.format('in our forum')}</p>"
        for text, title in zip(TEXTS, titles, strict=True)
    ]
    after = without_furniture(entries_of(*texts, titles=titles), Recurring()).entries
    assert [entry.summary for entry in after] == TEXTS


def test_what_was_learnt_at_one_poll_holds_at_the_next() -> None:
    seen = without_furniture(entries_of(*(text + SIGN_OFF for text in TEXTS[:3])), Recurring()).shown
    alone = entries_of(TEXTS[3] + SIGN_OFF)
    assert without_furniture(alone, Recurring()).entries == alone
    (after,) = without_furniture(alone, Recurring().with_(seen)).entries
    assert after.summary == TEXTS[3]


def test_twice_is_not_enough_and_one_text_that_came_thrice_is_one() -> None:
    two = entries_of(*(text + SIGN_OFF for text in TEXTS[:2]))
    assert without_furniture(two, Recurring()).entries == two
    thrice = entries_of(*[TEXTS[0] + SIGN_OFF] * 3, titles=("Boats", "Boats", "Boats"))
    assert without_furniture(thrice, Recurring()).entries == thrice


def test_a_link_that_ends_a_sentence_stays_however_often_it_does() -> None:
    link = LINK.format("Harbour Post")
    texts = [f"{text[:-5]}, says {link}.</p>" for text in TEXTS]
    entries = entries_of(*texts)
    assert without_furniture(entries, Recurring()).entries == entries


def test_an_entry_that_is_nothing_else_stays() -> None:
    entries = entries_of(*[CREDO] * 4, titles=("One", "Two", "Three", "Four"))
    assert without_furniture(entries, Recurring()).entries == entries


@pytest.mark.parametrize(
    "fact",
    [
        "<p>Magnitude 5.3</p>",
        "<table><tr><td>Status</td><td>open</td></tr></table>",
        "<dl><dt>Place</dt><dd>harbour</dd></dl>",
    ],
)
def test_facts_that_are_the_same_by_chance_stay(fact: str) -> None:
    entries = entries_of(*(text + fact for text in TEXTS))
    assert without_furniture(entries, Recurring()).entries == entries


def test_a_label_with_a_value_stays_unless_every_entry_has_it() -> None:
    entries = entries_of(*(text + "<p>Status: open</p>" for text in TEXTS[:3]), TEXTS[3] + "<p>Status: closed</p>")
    assert without_furniture(entries, Recurring()).entries == entries


def test_who_an_entry_is_and_whether_it_changed_are_told_before_anything_is_taken() -> None:
    entries = entries_of(*(text + SIGN_OFF for text in TEXTS))
    for before, after in zip(entries, without_furniture(entries, Recurring()).entries, strict=True):
        assert (after.key, after.content_hash) == (before.key, before.content_hash)


def test_a_teaser_that_says_the_title_again_is_none() -> None:
    assert summary_of("Boats again.") == ""
    assert summary_of("Boats again. They leave at six.") != ""


def test_the_teaser_made_of_a_text_has_no_furniture_either() -> None:
    form = f"<p>The post {LINK.format('Boats again')} appeared first on {LINK.format('Harbour Post')}.</p>"
    head = "<p>Reading time: 4 minutes</p>"
    (entry,) = entries_of(head + TEXTS[0] + form, titles=("Boats again",), content=True)
    (after,) = without_furniture((entry,), Recurring()).entries
    assert (after.summary, after.content) == ("Boats leave earlier from Monday.", TEXTS[0])


def test_a_table_keeps_its_rows_in_the_teaser_and_a_caption_is_not_in_it() -> None:
    html = (
        '<figure><img src="https://coast.example/i.jpg"><figcaption>A boat leaves</figcaption></figure>'
        "<p>Boats leave earlier.</p><table><tr><th>Day</th><th>First boat</th></tr>"
        "<tr><td>Monday</td><td>6 am &amp; 7</td></tr></table>"
        "<p>So the harbour says.</p>"
    )
    (entry,) = entries_of(html, content=True)
    assert entry.summary == "Boats leave earlier.<br>Day | First boat<br>Monday | 6 am &amp; 7<br>So the harbour says."


PARTS = [
    "<p>",
    "</p>",
    "<br>",
    "Read more",
    '<a href="https://x.example/">',
    "</a>",
    "words ",
    "&amp;",
    "<em>",
    "</em>",
    "…",
]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=14), min_size=1, max_size=5))
def test_markup_stays_well_formed(texts: list[list[str]]) -> None:
    entries = entries_of(*("".join(parts) for parts in texts), content=True)
    for entry in without_furniture(entries, Recurring()).entries:
        for html in (entry.summary, entry.content):
            assert html.count("<a ") == html.count("</a>")
            assert html.count("<em>") == html.count("</em>")
            assert html.count("<p>") == html.count("</p>")

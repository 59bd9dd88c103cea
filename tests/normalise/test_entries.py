"""Entries: identity, texts, dates, people, files; and that nothing a document says breaks it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.configuration import Source
from feeds.model import Entry
from feeds.normalise import normalise
from feeds.normalise.languages import language_tag
from feeds.parsed import Category, Discussion, Enclosure, Image, Origin, ParsedEntry, ParsedFeed, Person, RawText
from tests.normalise.conftest import NOW, URL, run

One = Callable[..., Entry]
LONG = "Engineers handed over the last section of the wall on Monday, a month ahead of the plan. " * 20


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def text(value: str) -> RawText:
    return RawText(value=value)


# --------------------------------------------------------------------------- identity


def test_the_key_is_the_id_else_the_address_else_the_text(one: One) -> None:
    link = "https://www.shore.example/a/?utm_source=x"
    assert one(entry_id=" urn:1 ", link=link).key == "id:urn:1"
    assert one(link=link).key == "url:shore.example/a"
    assert one(content="<p>text</p>").key.startswith("text:")
    assert one(content="<p>text</p>").key == one(content="<p>text</p>").key
    assert one(content="<p>text</p>").key != one(content="<p>other</p>").key


def test_a_permalink_id_is_the_link_where_there_is_no_other(one: One) -> None:
    entry = one(entry_id="https://shore.example/a", id_is_permalink=True)
    assert (entry.link, entry.comparable) == ("https://shore.example/a", "shore.example/a")
    assert one(entry_id="https://shore.example/a").link is None


def test_the_canonical_address_is_what_is_compared(one: One) -> None:
    entry = one(link="https://proxy.example/~r/1", original_link="https://shore.example/a")
    assert (entry.link, entry.canonical_url) == ("https://proxy.example/~r/1", "https://shore.example/a")
    assert entry.comparable == "shore.example/a"
    assert one(original_link="https://shore.example/a").link == "https://shore.example/a"


@pytest.mark.parametrize(
    "link", ["https://shore.example/", "https://shore.example", URL, "https://shore.example/blog/"]
)
def test_the_address_of_a_feed_or_its_site_identifies_no_entry(link: str) -> None:
    found = run(
        ParsedEntry(title=text("A"), link=link),
        ParsedEntry(title=text("B"), link=link),
        link="https://shore.example/blog",
    )
    assert [entry.comparable for entry in found.entries] == [None, None]
    assert len({entry.key for entry in found.entries}) == 2
    assert all(entry.link for entry in found.entries)


def test_the_id_of_the_feed_identifies_no_entry() -> None:
    entries = (ParsedEntry(entry_id="urn:feed", link="https://shore.example/a"),)
    (entry,) = run(*entries, feed_id="urn:feed").entries
    assert (entry.entry_id, entry.key) == (None, "url:shore.example/a")


def test_entries_that_share_an_id_are_told_apart_whatever_their_order() -> None:
    one = ParsedEntry(position=0, entry_id="x", title=text("A"), link="https://shore.example/a")
    two = ParsedEntry(position=1, entry_id="x", title=text("B"), link="https://shore.example/b")
    keys = {entry.title: entry.key for entry in run(one, two).entries}
    assert keys == {"A": "id:x#shore.example/a", "B": "id:x#shore.example/b"}
    assert {entry.title: entry.key for entry in run(two, one).entries} == keys


def test_an_entry_that_stands_twice_is_kept_once_with_a_reason() -> None:
    entry = ParsedEntry(entry_id="x", title=text("A"), link="https://shore.example/a")
    edited = ParsedEntry(position=1, entry_id="x", title=text("A, older"), link="https://shore.example/a")
    found = run(entry, edited)
    assert [kept.title for kept in found.entries] == ["A"]
    assert found.dropped == ("entry 1: the document holds 'id:x' twice",)


def test_a_key_is_bounded(one: One) -> None:
    keys = {one(entry_id="x" * 5000).key, one(entry_id="x" * 1999).key, one(entry_id="x" * 1998).key}
    assert len(keys) == 3 or len(keys) == 2
    assert all(len(key) <= 500 for key in keys)


def test_the_content_hash_changes_with_what_is_shown_and_not_with_dates(one: One) -> None:
    base: dict[str, Any] = {"entry_id": "1", "content": "<p>text</p>"}
    first = one(**base).content_hash
    assert one(**base, published="2024-01-01", updated="2024-01-02").content_hash == first
    assert 0 < first < 1 << 64
    for change in ({"title": text("Other")}, {"link": "https://x.example/a"}, {"authors": (Person(name="A"),)},
                   {"categories": (Category(term="c"),)}, {"image": Image(url="https://x.example/i")},
                   {"origin": Origin(name="O")}, {"rights": "r"}, {"language": "fr"}):  # fmt: skip
        assert one(**{**base, **change}).content_hash != first


def test_the_text_hash_needs_enough_words(one: One) -> None:
    assert one(content="<p>too short to tell</p>").text_hash == 0
    same = {one(content=f"<p>{LONG}</p>").text_hash, one(content=f"<div><b>{LONG}</b></div>", title="Other").text_hash}
    assert len(same) == 1
    assert 0 not in same


# --------------------------------------------------------------------------- texts


def test_summary_and_content_follow_the_rules(one: One) -> None:
    short, long = "<p>It opened on Monday at last.</p>", f"<p>{LONG.strip()}</p>"
    beginning = LONG[: LONG.index(". ") * 4 + 7].strip()

    both = one(summary=short, content=long)
    assert (both.summary, both.content) == (short, long)
    swapped = one(summary=long, content=short)
    assert (swapped.summary, swapped.content) == (short, long)
    alone = one(summary=short)
    assert (alone.summary, alone.content, alone.text) == (short, "", "It opened on Monday at last.")
    full = one(summary=long)
    assert full.content == long
    assert full.summary == beginning
    equal = one(summary=long, content=long)
    assert (equal.summary, equal.content) == (beginning, long)
    only = one(content=short)
    assert (only.summary, only.content) == ("It opened on Monday at last.", short)
    assert (one().summary, one().content, one().text) == ("", "", "")


def test_a_picture_without_words_is_content(one: One) -> None:
    html = '<p><img src="https://x.example/i.jpg"></p>'
    entry = one(content=html)
    assert (entry.summary, entry.content) == ("", html)


@pytest.mark.parametrize("hollow", ["<br>", "&nbsp;<p>&nbsp;</p><br/>", "<hr><br>"])
def test_a_text_in_which_nothing_is_seen_is_none(one: One, hollow: str) -> None:
    entry = one(content=hollow)
    assert (entry.summary, entry.content, entry.text) == ("", "", "")


def test_markup_that_was_escaped_twice_is_markup(one: One) -> None:
    entry = one(
        content="&lt;p&gt;Fish &amp;amp; chips, &lt;b&gt;hot&lt;/b&gt;.&lt;/p&gt;\n"
        "&lt;p&gt;&lt;script&gt;x()&lt;/script&gt;Salt.&lt;/p&gt;"
    )
    assert entry.content == "<p>Fish &amp; chips, <b>hot</b>.</p>\n<p>Salt.</p>"
    assert entry.text == "Fish & chips, hot.\nSalt."


@pytest.mark.parametrize(
    "said",
    [
        "Write &lt;p&gt; before and &lt;/p&gt; behind it.",
        "<p>&lt;b&gt;bold&lt;/b&gt;</p>",
        "&lt;p&gt; begins a paragraph.",
    ],
)
def test_markup_that_is_talked_about_stays_words(one: One, said: str) -> None:
    assert one(content=said).content == said


def test_plain_text_keeps_its_paragraphs_and_its_signs(one: One) -> None:
    entry = one(content=text("a < b & c\nnext\n\nlast <b>"))
    assert entry.content == "<p>a &lt; b &amp; c<br>next</p><p>last &lt;b&gt;</p>"
    assert entry.text == "a < b & c\nnext\nlast <b>"


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"content": "<p>It opened on Monday. More followed on Tuesday, and that went on for many days and weeks "
                     "after it had been opened.</p>"}, "It opened on Monday."),
        ({"content": "<p>Short text</p><p>more</p>"}, "Short text"),
        ({"link": "https://x.example/2024/06/tide-and_time.html?x=1"}, "Tide and time"),
        ({"link": "https://x.example/caf%C3%A9-opens/"}, "Café opens"),
        ({"link": "https://x.example/12345"}, "Untitled"),
        ({"link": "https://x.example/12345", "published": "2024-06-19"}, "Untitled, 2024-06-19"),
        ({"enclosures": (Enclosure(url="https://x.example/the-episode.mp3"),)}, "The episode"),
    ],
)  # fmt: skip
def test_an_entry_without_a_title_gets_a_sensible_one(one: One, fields: dict[str, Any], title: str) -> None:
    for empty in (None, text(""), text(" \u200b "), RawText(value="<b> </b>", type="html")):
        entry = one(title=empty, **fields)
        assert entry.title == title
        assert any(warning.startswith("title: none") for warning in entry.warnings)


def test_an_entry_with_nothing_at_all_is_dropped_with_a_reason() -> None:
    found = run(
        ParsedEntry(position=0), ParsedEntry(position=1, title=text("A")), ParsedEntry(position=2, entry_id="x")
    )
    assert [entry.title for entry in found.entries] == ["A"]
    assert [reason.partition(":")[0] for reason in found.dropped] == ["entry 0", "entry 2"]


# --------------------------------------------------------------------------- dates


def test_a_date_without_a_zone_is_read_in_the_sources_zone(one: One) -> None:
    fields = {"published": "2024-06-19 09:30"}
    assert one(**fields).published == at(2024, 6, 19, 9, 30)
    assert one(**fields, source={"timezone": "America/New_York"}).published == at(2024, 6, 19, 13, 30)


def test_numbers_are_read_in_the_order_of_their_document() -> None:
    entries = [ParsedEntry(title=RawText(value=text), published=text) for text in ("03-04-2024", "13-04-2024")]
    assert [entry.published for entry in run(*entries).entries] == [None, at(2024, 4, 13)]
    assert [entry.published for entry in run(*entries, date_order="dmy").entries] == [at(2024, 4, 3), at(2024, 4, 13)]


@pytest.mark.parametrize(
    "stated", ["0001-01-01T00:00:00Z", "1970-01-01", "31 Feb 2024", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_impossible_and_ancient_dates_are_none_with_a_warning(one: One, stated: str) -> None:
    entry = one(published=stated)
    assert entry.published is None
    assert any(warning.startswith("published:") for warning in entry.warnings)


def test_future_dates_are_clamped_to_when_they_came(one: One) -> None:
    entry = one(published="2099-01-01T00:00:00Z")
    assert entry.published == NOW
    assert any("ahead" in warning for warning in entry.warnings)
    soon = one(published=(NOW + timedelta(minutes=5)).isoformat())
    assert (soon.published, soon.warnings) == (NOW, ())


def test_published_and_updated_are_in_order(one: One) -> None:
    late, early = "2024-06-19T00:00:00Z", "2024-06-18T00:00:00Z"
    entry = one(published=late, updated=early)
    assert (entry.published, entry.updated) == (at(2024, 6, 19), at(2024, 6, 19))
    entry = one(updated=late)
    assert (entry.published, entry.updated) == (at(2024, 6, 19), at(2024, 6, 19))
    entry = one(published=early)
    assert (entry.published, entry.updated) == (at(2024, 6, 18), None)


# --------------------------------------------------------------------------- the rest


def test_the_language_is_the_first_well_formed_one(one: One) -> None:
    assert one(language="de-at", source={"language": "fr"}).language == "de-AT"
    assert one(content=RawText(value="x", type="html", language="es")).language == "es"
    assert one(language="??", source={"language": "fr"}).language == "fr"
    assert run(ParsedEntry(title=text("A")), language="it_IT", source={"language": "fr"}).entries[0].language == "it-IT"
    assert one().language == "en"


GERMAN = "<p>Die Fähre von den Inseln kam am Montag wegen Nebels eine Stunde zu spät an, sagte die Reederei.</p>"


def test_a_text_is_asked_for_its_language_only_where_nobody_says_it(one: One) -> None:
    assert one(summary=GERMAN).language == "de"
    assert one(summary=GERMAN, language="??").language == "de"
    assert one(summary=GERMAN, language="fr").language == "fr"
    assert one(summary=GERMAN, source={"language": "fr"}).language == "fr"
    assert run(ParsedEntry(summary=text(GERMAN)), language="it").entries[0].language == "it"
    assert one(summary="<p>Die Fähre kam zu spät.</p>").language == "en"  # too short: the desk's


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("EN_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("English", "en"),
     ("jp", "ja"),
     ("sl-rozaj", "sl-rozaj"), ("de_DE.UTF-8", "de-DE"), ("no", "no"), ("und", None), ("", None), ("e", None),
     ("x-klingon", None), ("en-", None), ("<b>", None), ("englisch und mehr", None), ("e" * 100, None)],
)  # fmt: skip
def test_language_tags_are_well_formed_or_none(tag: str, language: str | None) -> None:
    assert language_tag(tag) == language


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hidden (Marit Lund)", "Marit Lund"),
        ("no-reply (Åsa Öst)", "Åsa Öst"),
        ("ann at example dot org (Ann Doe)", "Ann Doe"),
        ("ann[at]example.org (Ann Doe)", "Ann Doe"),
        ("Jo Berg (chair)", "Jo Berg (chair)"),
        ("Jo Berg (BBC)", "Jo Berg (BBC)"),
        ("Reuters (London)", "Reuters (London)"),
        ("bell hooks (Gloria)", "bell hooks (Gloria)"),
        ("(Marit Lund)", "(Marit Lund)"),
    ],
)
def test_what_stands_for_an_address_is_no_name(one: One, written: str, name: str) -> None:
    assert [person.name for person in one(authors=(Person(name=written),)).authors] == [name]


def test_people_are_names_with_an_address_at_most(one: One) -> None:
    entry = one(
        authors=(
            Person(name="jane@shore.example (Jane <b>Doe</b>)"),
            Person(name="John Roe <john@shore.example>"),
            Person(name="ann@shore.example"),
            Person(name="Jane <b>Doe</b>", url="javascript:1", email="no mail"),
            Person(name="Bo", url="/bo"),
            Person(),
        )
    )
    assert [(person.name, person.email) for person in entry.authors] == [
        ("Jane Doe", "jane@shore.example"),
        ("John Roe", "john@shore.example"),
        ("", "ann@shore.example"),
        ("Bo", None),
    ]
    assert entry.authors[3].url == "https://shore.example/bo"


def test_an_entry_without_authors_has_its_feeds(one: One) -> None:
    (entry,) = run(ParsedEntry(title=text("A")), authors=(Person(name="Jane"),)).entries
    assert entry.authors == (Person(name="Jane"),)


def test_files_and_pictures_are_http_and_once(one: One) -> None:
    entry = one(
        enclosures=(
            Enclosure(url="/a.mp3", type="Audio/MPEG; x=1", length_bytes=-5, duration_s=60),
            Enclosure(url="https://shore.example/a.mp3"),
            Enclosure(url="ftp://x.example/a"),
            Enclosure(url="data:text/html,x"),
            Enclosure(url="https://x.example/b", type="nonsense", duration_s=float("nan")),
        ),
        image=Image(url="i.jpg", width=-1, height=400, alt="a <i>b"),
    )
    assert entry.enclosures == (
        Enclosure(url="https://shore.example/a.mp3", type="audio/mpeg", duration_s=60),
        Enclosure(url="https://x.example/b"),
    )
    assert entry.image == Image(url="https://shore.example/news/i.jpg", height=400, alt="a <i>b")
    assert one(image=Image(url="https://x.example/p.gif", width=1, height=1)).image is None


def test_what_is_stated_about_others_is_kept_clean(one: One) -> None:
    entry = one(
        origin=Origin(name=" Shore  Times ", url="/o", feed_url="javascript:1", feed_id="urn:x"),
        credits=("Source: Shore Times", ""),
        publisher="Coast\u202e Mirror",
        breadcrumb=("News", " ", "World"),
        categories=(Category(term="a"), Category(term="a"), Category(term="", label="B"), Category(term=" ")),
        discussion=Discussion(url="/d", count=-1),
        via=("/v", "/v", "mailto:x@y"),
        noindex=True,
    )
    assert entry.origin == Origin(name="Shore Times", url="https://shore.example/o", feed_id="urn:x")
    assert (entry.credits, entry.publisher, entry.breadcrumb) == (
        ("Source: Shore Times",),
        "Coast Mirror",
        ("News", "World"),
    )
    assert entry.categories == (Category(term="a"), Category(term="B", label="B"))
    assert entry.discussion == Discussion(url="https://shore.example/d")
    assert (entry.via, entry.noindex) == (("https://shore.example/v",), True)
    assert one(origin=Origin(name="")).origin is None


# --------------------------------------------------------------------------- nothing breaks it

texts = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(["https://x.example/a", "//[", "http://[::1", "\ud800", "a@b.example"]),
)
given_text = st.text(max_size=60)
raw = st.one_of(
    st.none(),
    st.builds(
        RawText, value=given_text, type=st.sampled_from(["text", "html", "xhtml"]), base=given_text, language=texts
    ),
)
moments = st.one_of(
    st.none(),
    st.datetimes(timezones=st.one_of(st.none(), st.just(UTC), st.just(timezone(timedelta(hours=14))))),
)
people = st.lists(st.builds(Person, name=given_text, url=texts, email=texts), max_size=2).map(tuple)
number = st.one_of(st.none(), st.integers(-(1 << 70), 1 << 70))
entries = st.builds(
    ParsedEntry,
    position=st.integers(0, 9),
    entry_id=texts,
    id_is_permalink=st.booleans(),
    link=texts,
    original_link=texts,
    title=raw,
    summary=raw,
    content=raw,
    base=given_text,
    language=texts,
    authors=people,
    contributors=people,
    published=texts,
    updated=texts,
    categories=st.lists(st.builds(Category, term=given_text, scheme=texts, label=texts), max_size=2).map(tuple),
    breadcrumb=st.lists(given_text, max_size=2).map(tuple),
    origin=st.one_of(st.none(), st.builds(Origin, name=given_text, url=texts, feed_url=texts, feed_id=texts)),
    credits=st.lists(given_text, max_size=2).map(tuple),
    publisher=texts,
    enclosures=st.lists(
        st.builds(
            Enclosure,
            url=given_text,
            type=given_text,
            length_bytes=number,
            duration_s=st.one_of(st.none(), st.floats()),
        ),
        max_size=2,
    ).map(tuple),
    image=st.one_of(st.none(), st.builds(Image, url=given_text, width=number, height=number, alt=given_text)),
    discussion=st.one_of(st.none(), st.builds(Discussion, url=texts, feed_url=texts, count=number)),
    rights=texts,
    via=st.lists(given_text, max_size=2).map(tuple),
)
feeds = st.builds(
    ParsedFeed,
    kind=st.just("rss20"),
    link=texts,
    self_url=texts,
    feed_id=texts,
    language=texts,
    rights=texts,
    authors=people,
    entries=st.lists(entries, max_size=4).map(tuple),
)


@settings(deadline=None, max_examples=150)
@given(feeds, texts, texts)
def test_no_feed_breaks_it_and_every_entry_is_kept_or_accounted_for(
    feed: ParsedFeed, url: str | None, zone: str | None
) -> None:
    found = normalise(
        feed,
        source=Source(key="s", name="s", kind="feed", target="", timezone=zone),
        url=url or "",
        received_at=NOW,
        desk_language="en",
        desk_timezone="Nowhere",
    )
    assert len(found.entries) + len(found.dropped) == len(feed.entries)
    assert not [reason for reason in found.dropped if "Error" in reason]
    assert len({entry.key for entry in found.entries}) == len(found.entries)
    for entry in found.entries:
        assert entry.title
        for moment in (entry.published, entry.updated):
            assert moment is None or (moment.utcoffset() == timedelta(0) and moment <= NOW)

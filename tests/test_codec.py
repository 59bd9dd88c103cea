"""Entries through a column and back."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec import NODEFAULT, structs

from feeds.codec import deflate, entry_from_blob, entry_to_blob, hashes_from_blob, hashes_to_blob, plain, restore
from feeds.model import Entry
from feeds.parsed import Category, Discussion, Enclosure, Episode, Image, Origin, Participant, Person, Place, Transcript
from tests.store.conftest import NOW, entry

times = st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2))  # noqa: DTZ001
words = st.text(max_size=20)
people = st.lists(st.builds(Person, name=words, url=st.none() | words), max_size=2).map(tuple)


@given(
    st.builds(
        Entry,
        key=words,
        title=words,
        content=words,
        published=times,
        updated=times,
        authors=people,
        categories=st.lists(st.builds(Category, term=words, scheme=st.none() | words), max_size=2).map(tuple),
        breadcrumb=st.lists(words, max_size=3).map(tuple),
        origin=st.none() | st.builds(Origin, name=words),
        enclosures=st.lists(st.builds(Enclosure, url=words, length_bytes=st.none() | st.integers(0)), max_size=2).map(
            tuple
        ),
        image=st.none() | st.builds(Image, url=words, width=st.none() | st.integers(0)),
        discussion=st.none() | st.builds(Discussion, count=st.none() | st.integers(0)),
        text_hash=st.integers(0, 2**64 - 1),
        noindex=st.booleans(),
    )
)
def test_an_entry_comes_back_as_it_was(made):
    assert entry_from_blob(entry_to_blob(made)) == made


def test_every_field_of_an_entry_is_kept():
    whole = Entry(
        key="k",
        entry_id="id",
        link="l",
        comparable="c",
        canonical_url="u",
        title="t",
        summary="s",
        content="c",
        text="x",
        language="en",
        authors=(Person(name="a", url="u", email="e"),),
        contributors=(Person(name="b"),),
        published=NOW,
        updated=NOW,
        categories=(Category(term="t", scheme="s", label="l"),),
        breadcrumb=("a", "b"),
        origin=Origin(name="n", url="u", feed_url="f", feed_id="i"),
        credits=("c",),
        publisher="p",
        enclosures=(Enclosure(url="u", type="t", length_bytes=1, title="t", duration_s=1.5),),
        image=Image(url="u", width=1, height=2, alt="a"),
        episode=Episode(
            number=1.5,
            explicit=False,
            transcripts=(Transcript(url="u", captions=True),),
            people=(Participant(name="n", role="r"),),
        ),
        place=Place(shape="line", points=((1.5, 2.0), (3.0, 4.25))),
        discussion=Discussion(url="u", feed_url="f", count=3),
        rights="r",
        via=("v",),
        related=("r",),
        noindex=True,
        position=4,
        text_hash=5,
        content_hash=6,
        feed_hash=7,
        warnings=("w",),
    )
    unlike = [
        each.name
        for each in structs.fields(Entry)
        if each.default is not NODEFAULT and getattr(whole, each.name) == each.default
    ]
    assert unlike == []  # a new field of Entry belongs into this test
    assert entry_from_blob(entry_to_blob(whole)) == whole


def test_fields_of_other_releases_are_left_out_and_missing_ones_get_their_default():
    told = plain(entry("k")) | {"invented": [1, 2]}
    told.pop("content")
    assert restore(Entry, told) == structs.replace(entry("k"), content="")


def test_lone_surrogates_survive():
    made = entry("k", title="half a \ud83d face")
    assert entry_from_blob(entry_to_blob(made)) == made


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40).map(tuple))
def test_hashes_take_eight_bytes_each(hashes):
    blob = hashes_to_blob(hashes)
    assert len(blob) == 8 * len(hashes)
    assert hashes_from_blob(blob) == hashes


def test_no_hashes_are_no_hashes():
    assert hashes_from_blob(None) == ()


def test_long_text_gets_smaller():
    assert len(deflate(b"hello world " * 500)) < 200

"""When items of a feed are left out of reading because they were seen before, and when the whole is read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace

from feeds.configuration import Source
from feeds.ingest.reading import Job, Reading, read
from tests.conftest import ROOT
from tests.ingest.test_sequences import SITE, START, TEXTS, URL, Head, Item

ONE = Item(title="Council votes", link=f"{SITE}/1", guid="g1", text=TEXTS[0], hour=1)
TWO = Item(title="Ferry aground", link=f"{SITE}/2", guid="g2", text=TEXTS[1], hour=2)
HEAD = Head()
NEW = Item(title="Wheat is dear", link=f"{SITE}/3", guid="g3", text=TEXTS[2], hour=3)
SOURCE = Source(id=1, key="s", name="S", kind="feed", target=URL)


def job(*items: Item, before: Reading | None = None, head: Head = HEAD, form: str = "rss", **more) -> Job:
    return Job(
        reader="feed",
        body=head.document(form, items),
        url=URL,
        source=more.pop("source", SOURCE),
        received_at=START,
        desk_language="en",
        desk_timezone="UTC",
        item_hashes=before.item_hashes if before else (),
        item_marks=before.item_marks if before else b"",
        **more,
    )


@pytest.fixture(params=["rss", "atom", "json"])
def form(request: pytest.FixtureRequest) -> str:
    return request.param


def titles(reading: Reading) -> list[str]:
    return [entry.title for entry in reading.entries]


def test_only_what_is_new_is_read(form: str) -> None:
    before = read(job(ONE, TWO, form=form))
    after = read(job(NEW, ONE, TWO, before=before, form=form))
    assert (titles(after), after.beside.window) == ([NEW.title], 3)
    assert titles(read(job(NEW, ONE, TWO, before=after, form=form))) == []


def test_an_edit_is_read_alone(form: str) -> None:
    before = read(job(ONE, TWO, form=form))
    assert titles(read(job(replace(ONE, text=TEXTS[3]), TWO, before=before, form=form))) == [ONE.title]


@pytest.mark.parametrize("same", ["title", "guid", "text"])
def test_what_shares_a_title_an_id_or_a_text_is_read_together(form: str, same: str) -> None:
    before = read(job(ONE, TWO, form=form))
    new = replace(NEW, **{same: getattr(ONE, same)})
    assert len(read(job(new, ONE, TWO, before=before, form=form)).entries) == 3


def test_an_address_in_common_is_told(form: str) -> None:
    before = read(job(ONE, TWO, form=form))
    after = read(job(replace(NEW, link=ONE.link), ONE, TWO, before=before, form=form))
    assert titles(after) == [NEW.title]
    assert after.beside.addresses == {"example.org/1"}


def test_when_one_of_those_that_share_an_id_goes_the_other_is_read() -> None:
    other = replace(TWO, guid=ONE.guid)
    before = read(job(NEW, ONE, other))
    assert titles(read(job(NEW, other, before=before))) == [NEW.title, other.title]
    assert titles(read(job(ONE, other, before=before))) == []


def test_a_date_of_the_head_is_no_change_and_its_language_is() -> None:
    before = read(job(ONE, TWO))
    assert titles(read(job(ONE, TWO, before=before, head=Head(stamp=7)))) == []
    assert titles(read(job(ONE, TWO, before=before, head=Head(language="de")))) == [ONE.title, TWO.title]


def test_another_language_or_zone_in_the_config_reaches_what_was_known(form: str) -> None:
    before = read(job(ONE, TWO, form=form))
    source = replace(SOURCE, timezone="Asia/Tokyo")
    assert len(read(job(ONE, TWO, before=before, form=form, source=source)).entries) == 2


@pytest.mark.parametrize("marks", [b"", b"\x01", bytes(200)])
def test_what_another_release_remembered_is_read_whole_once(marks: bytes) -> None:
    before = replace(read(job(ONE, TWO)), item_marks=marks)
    after = read(job(NEW, ONE, TWO, before=before))
    assert len(after.entries) == 3
    assert titles(read(job(NEW, ONE, TWO, before=after))) == []


def test_what_reads_feeds_loads_no_reader_of_another_kind() -> None:
    seldom = "lxml numpy trafilatura feeds.parse.pages feeds.parse.letters feeds.parse.folder_files".split()
    code = f"import sys; from feeds.ingest import readers; print(sorted(set({seldom}) & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"

"""What a hand gives to the desk comes out as it went in, but for what is the hand's own to do."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from feeds.configuration import Source
from feeds.errors import ParseError
from feeds.ingest.bodies import packed, unpacked, waiting
from feeds.ingest.reading import Reading
from feeds.model import Entry
from feeds.store.values import InboxItem

ITEM = InboxItem(
    source_id=1, claim_id="c", received_at=datetime(2026, 11, 1, tzinfo=UTC), final_url="https://a.example/"
)
SOURCE = Source(key="a", name="A", kind="page", target="https://a.example/", id=1)
READING = Reading(entries=(Entry(key="k", title="T"),), kind="selected", item_hashes=(2**63, 1), notes=("odd",))


def test_a_reading_survives_and_its_next_page_stays_with_the_hand() -> None:
    one = waiting(ITEM, SOURCE, None, first=True, answer=None)
    blob = packed(one, replace(READING, next_page="https://a.example/?p=2"))
    again, reading = unpacked(ITEM, blob, SOURCE, None)
    assert reading == READING
    assert (again.first, again.body_hash, again.answer.final_url) == (True, one.body_hash, "https://a.example/")


def test_an_error_survives() -> None:
    one = waiting(ITEM, SOURCE, None, first=False, answer=None)
    blob = packed(one, Reading(error=ParseError("select: item 'li' finds nothing", remedy="mend it")))
    _, reading = unpacked(ITEM, blob, SOURCE, None)
    assert str(reading.error) == "select: item 'li' finds nothing; mend it"

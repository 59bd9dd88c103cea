"""Whether what was read anew makes a difference: two desks take in the same documents, poll by poll, one of them always
reading the whole. They must show the same articles, with the same ids, titles and dates.

    python -m tests.ingest.test_sequences COUNT [SEED]    tries COUNT generated sequences by hand
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import Source
from feeds.dedupe import Deduper, Stories, Window
from feeds.ingest.reading import Job, read
from feeds.store import Store, open_store
from tests.development import json_rows

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
SITE = "https://example.org"
URL = "https://feeds.example.org/all.xml"
TITLES = ("Open thread", "Week 47", "Week 48", "Lunch Monday", "Lunch Tuesday", "Council votes", "Council votes again",
          "Ferry aground", "Subscribe", "")  # fmt: skip
TEXTS = (
    "Soup of leeks and then a plate of fish with rice and one pear for everybody.",
    "Bread with cheese at noon, afterwards stew of lamb, and cake from the oven.",
    "Cars may stand on the quay from May until August, the council said on a cold day.",
    "Trains end at the river bridge because several trees fell on the line last night.",
    "Subscribe to read on, for this is what only those who subscribe may read today.",
    "short",
    "",
)
LINKS = (f"{SITE}/live", f"{SITE}/menu", f"{SITE}/a", f"{SITE}/b", f"{SITE}/c", f"{SITE}/d", "https://new.example.net/a",
         f"{SITE}/", "")  # fmt: skip
GUIDS = ("", "", "k1", "k2", "k3", "daily", f"{SITE}/a", f"{SITE}/b", "https://new.example.net/a")

WORDS = ("harbour", "orchard", "ferry", "council", "bridge", "wheat", "lantern", "meadow")


class Item(Struct, frozen=True):
    """What one item says; *more* makes its bytes others without making it say anything else."""

    title: str
    link: str
    guid: str
    text: str
    hour: int  # of its date after START; below 0 for none
    more: str = ""

    def rss(self) -> str:
        date = f"<pubDate>{format_datetime(START + timedelta(hours=self.hour))}</pubDate>" if self.hour >= 0 else ""
        guid = f'<guid isPermaLink="false">{escape(self.guid)}</guid>' if self.guid else ""
        link = f"<link>{escape(self.link)}</link>" if self.link else ""
        title = f"<title>{escape(self.title)}</title>" if self.title else ""
        return f"<item>{title}{link}{guid}{date}<description>{escape(self.text)}</description>{self.more}</item>"

    def atom(self) -> str:
        date = f"<updated>{(START + timedelta(hours=self.hour)).isoformat()}</updated>" if self.hour >= 0 else ""
        date += date.replace("updated", "published")
        guid = f"<id>{escape(self.guid)}</id>" if self.guid else ""
        link = f'<link href="{escape(self.link)}"/>' if self.link else ""
        said = f"<title>{escape(self.title)}</title><summary>{escape(self.text)}</summary>"
        return f"<entry>{said}{link}{guid}{date}{self.more}</entry>"

    def json(self) -> dict[str, str]:
        told = {"title": self.title, "url": self.link, "id": self.guid, "content_text": self.text, "_more": self.more}
        if self.hour >= 0:
            told["date_published"] = (START + timedelta(hours=self.hour)).isoformat()
        return {name: value for name, value in told.items() if value}


class Head(Struct, frozen=True):
    """What the feed says of itself."""

    link: str = f"{SITE}/"
    language: str = "en"
    stamp: int = 0

    def document(self, form: str, items: Iterable[Item]) -> bytes:
        if form == "json":
            told = {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "T",
                "home_page_url": self.link,
                "language": self.language,
                "_stamp": self.stamp,
                "items": [item.json() for item in items],
            }
            return json.dumps(told).encode()
        if form == "atom":
            date = (START + timedelta(minutes=self.stamp)).isoformat()
            head = f'<title>T</title><id>urn:t</id><link href="{self.link}"/><updated>{date}</updated>'
            body = "\n".join(item.atom() for item in items)
            return (
                f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{self.language}">{head}\n{body}</feed>'.encode()
            )
        date = format_datetime(START + timedelta(minutes=self.stamp))
        head = (
            f"<title>T</title><link>{self.link}</link><description>d</description><language>{self.language}</language>"
        )
        body = "\n".join(item.rss() for item in items)
        return (
            f'<rss version="2.0"><channel>{head}<lastBuildDate>{date}</lastBuildDate>\n{body}</channel></rss>'.encode()
        )


class Half:
    """A desk as far as ids are decided: read, dedupe, save. *whole*: it forgets what items it has seen."""

    def __init__(self, store: Store, *, whole: bool) -> None:
        self.store, self.whole = store, whole
        self.hashes: tuple[int, ...] = ()
        self.marks = b""
        self.window, self.stories = Window(), Stories()
        self.numbers = 0
        self.left_out = 0
        self.source = Source(id=0, key="s", name="S", kind="feed", target=URL)
        with store.write() as tx:
            tx.sources.sync([self.source], "full", START)
            (claim,) = tx.sources.claim_named(None, START, lease_s=1)
        self.source = claim.source

    def poll(self, body: bytes, now: datetime) -> dict[str, tuple[str, ...]]:
        """Article → its title, dates and link."""
        reading = read(
            Job(
                reader="feed",
                body=body,
                url=URL,
                source=self.source,
                received_at=now,
                desk_language="en",
                desk_timezone="UTC",
                item_hashes=self.hashes,
                item_marks=self.marks,
            )
        )
        assert reading.error is None, reading.error
        if not self.whole:
            self.hashes, self.marks = reading.item_hashes, reading.item_marks
        self.left_out += reading.beside.window - len(reading.entries)
        with self.store.write() as tx:
            known = tx.articles.known([(self.source.id, reading.entries)], {self.source.id: reading.beside})
            deduper = Deduper(known, now=now, window=self.window, stories=self.stories, uid=self._uid)
            decisions = deduper.decide_all(
                [(self.source.id, reading.entries)], beside={self.source.id: reading.beside}
            )[0]
            tx.articles.save(decisions, now, {})
            return _shown(tx, self.numbers)

    def _uid(self) -> str:
        # Stories draw from the same well: only those of articles are asked for again.
        self.numbers += 1
        return _uid(self.numbers)


def _uid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012}"


def _shown(tx, numbers: int) -> dict[str, tuple[str, ...]]:
    found = tx.articles.several([_uid(number) for number in range(1, numbers + 1)])
    return {
        uid: (article.title, str(article.published), str(article.updated), str(article.link))
        for uid, article in found.items()
    }


@cache
def _empty() -> bytes:
    """A database without rows, for making one takes longer than a sequence."""
    with tempfile.TemporaryDirectory() as folder:
        open_store(f"sqlite:///{folder}/empty.db").close()
        return (Path(folder) / "empty.db").read_bytes()


@contextmanager
def desks(folder: Path) -> Iterator[tuple[Half, Half]]:
    empty = _empty()
    for name in ("delta", "whole"):
        (folder / f"{name}.db").write_bytes(empty)
    with open_store(f"sqlite:///{folder}/delta.db") as one, open_store(f"sqlite:///{folder}/whole.db") as other:
        yield Half(one, whole=False), Half(other, whole=True)


def the_same(folder: Path, bodies: Iterable[bytes]) -> int:
    """Have both desks poll *bodies*; how many items were left out."""
    with desks(folder) as (delta, whole):
        for number, body in enumerate(bodies):
            now = START + timedelta(hours=30 * (number + 1))
            mine, wanted = delta.poll(body, now), whole.poll(body, now)
            assert mine == wanted, f"poll {number}: {body.decode()}"
        return delta.left_out


def changed(dice: random.Random, items: list[Item], gone: list[Item], hour: int, own: float) -> None:
    """One thing that publishers do, done to *items*; *own* is the part of items that have nothing in common."""

    def fresh() -> Item:
        if dice.random() < own:
            number = dice.randrange(10**6)
            return Item(
                title=f"{WORDS[number % 8]} and {WORDS[number // 8 % 8]} at {number}",
                link=f"{SITE}/s/{number}",
                guid=f"g{number}",
                text=" ".join(dice.choices(WORDS, k=20)),
                hour=hour,
            )
        return Item(
            title=dice.choice(TITLES),
            link=dice.choice(LINKS),
            guid=dice.choice(GUIDS),
            text=dice.choice(TEXTS),
            hour=dice.choice((hour, hour, hour - 20, -1)),
        )

    what = dice.choice(("insert", "insert", "insert", "drop", "drop", "back", "shuffle", "twice", "edit", "edit"))
    if what == "insert" or not items:
        items.insert(dice.choice((0, 0, len(items))), fresh())
    elif what == "drop":
        gone.append(items.pop(dice.choice((-1, -1, dice.randrange(len(items))))))
    elif what == "back" and gone:
        items.insert(0, gone.pop(dice.randrange(len(gone))))
    elif what == "shuffle":
        dice.shuffle(items)
    elif what == "twice":
        again = dice.choice(items)
        items.insert(0, replace(again, **dice.choice(({}, {"guid": "k3"}, {"title": "Week 48"}, {"hour": hour}))))
    elif what == "edit":
        at = dice.randrange(len(items))
        name = dice.choice(("title", "link", "guid", "text", "hour", "more"))
        value = fresh()
        told = f"<category>{dice.randrange(9)}</category>" if name == "more" else getattr(value, name)
        items[at] = replace(items[at], **{name: told})


def sequence(dice: random.Random) -> list[bytes]:
    """The documents of some polls of one feed."""
    form = dice.choice(("rss", "rss", "atom", "json"))
    own = dice.choice((0.0, 0.5, 0.9))
    head, items, gone, bodies = Head(), [], [], []
    for number in range(dice.randint(3, 9)):
        for _ in range(dice.choice((0, 1, 1, 2, 3)) if number else dice.randint(1, 5)):
            changed(dice, items, gone, 24 * number, own)
        if dice.random() < 0.1:
            head = replace(head, **dice.choice(({"link": f"{SITE}/live"}, {"link": f"{SITE}/"}, {"language": "de"})))
        bodies.append(replace(head, stamp=number).document(form, items))
    return bodies


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(min_value=0, max_value=2**32))
@example(seed=113)  # the order of items that share a key
@example(seed=1000165)
@example(seed=77063)  # a new item at the address that one left out once had
def test_generated_sequences_give_the_same_read_in_part_and_whole(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        the_same(Path(folder), sequence(random.Random(seed)))


def recorded(shared_data: Path, polls_a_feed: int) -> Iterator[tuple[str, list[bytes]]]:
    """Documents put together again from the recorded histories of the items of real feeds."""
    items, log = (json_rows(shared_data / "traces" / f"rss_poll_{name}.jsonl.gz") for name in ("items", "log"))
    for feed in sorted({item["feed"] for item in items}):
        mine = sorted((item for item in items if item["feed"] == feed), key=lambda item: -item["first_seen"])
        moments = sorted(poll["t"] for poll in log if poll["feed"] == feed)
        yield feed, [_document(mine, moment) for moment in moments[:polls_a_feed]]


def _document(items: list[dict], moment: float) -> bytes:
    told = []
    for item in items:
        if not item["first_seen"] <= moment <= item["last_seen"]:
            continue
        life = max(item["last_seen"] - item["first_seen"], 1)
        part = (moment - item["first_seen"]) / life
        titles, dates = [item["title"], *item["title_variants"]], [item["pub"], *item["pub_variants"]]
        title = titles[min(int(part * len(titles)), len(titles) - 1)]
        date = dates[min(int(part * len(dates)), len(dates) - 1)]
        when = f"<pubDate>{format_datetime(datetime.fromtimestamp(date, UTC))}</pubDate>" if date else ""
        guid = f"<guid>{escape(item['guid'])}</guid>" if item["guid"] else ""
        told.append(f"<item><title>{escape(title)}</title><link>{escape(item['link'])}</link>{guid}{when}</item>")
    body = "\n".join(told)
    return f'<rss version="2.0"><channel><title>T</title><link>{SITE}/</link>\n{body}</channel></rss>'.encode()


@pytest.mark.shared_data
def test_recorded_sequences_give_the_same_read_in_part_and_whole(shared_data: Path, tmp_path: Path) -> None:
    left_out = 0
    for feed, bodies in recorded(shared_data, 10):
        (tmp_path / feed).mkdir()
        left_out += the_same(tmp_path / feed, bodies)
    assert left_out > 500


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    skipped = failed = 0
    for tried in range(first, first + int(sys.argv[1])):
        with tempfile.TemporaryDirectory() as place:
            try:
                skipped += the_same(Path(place), sequence(random.Random(tried)))
            except AssertionError as error:
                failed += 1
                print(f"seed {tried}: {str(error)[:200]}", flush=True)
    print(f"{sys.argv[1]} sequences, {skipped} items left out, {failed} differ")

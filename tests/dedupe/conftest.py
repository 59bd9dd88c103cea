"""Entries and desks for the tests of dedupe; every text is our own."""

from datetime import UTC, datetime, timedelta
from itertools import count
from zlib import crc32

import pytest

from feeds.dedupe import Deduper, Stories, Window
from feeds.model import Entry, Known, KnownEntry
from feeds.text import text_hash

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

BRIDGE = (
    "The harbour council voted on Tuesday to replace the iron footbridge at Tollgate Wharf before next winter. "
    "Engineers found cracks in two of the four piers during a survey in January, and the crossing has carried "
    "a weight limit ever since. Councillor Maren Holt said the new span would cost about 4.2 million crowns, a third "
    "of it from the regional road fund. Shopkeepers on the east quay fear a year without passing trade. "
    "Work is to begin after the herring fair, when the ferry company has offered free crossings for residents."
)
FERRY = (
    "A night ferry ran aground on a sandbank off Skerry Point early on Friday with 212 people aboard. "
    "Nobody was hurt, and the coast guard took passengers to the mainland in small boats as the tide went out. "
    "The captain told investigators that a buoy was missing from its charted place. Divers will look at the hull "
    "before tugs try to pull the vessel free at the next spring tide, the operator said in a statement."
)
WHEAT = (
    "Wheat prices climbed for the fifth week in a row as drought settled over the plains of the interior. "
    "Millers in three provinces have asked the ministry to open the grain reserve, which stands at nine weeks of "
    "consumption. Traders said contracts for July delivery were scarcely offered at all, and bakers' guilds warned "
    "that a loaf may cost a tenth more by summer unless rain comes soon."
)


def entry(key="a", *, title="", text="", link=None, entry_id=None, published=None, **more) -> Entry:
    return Entry(
        key=key,
        entry_id=entry_id or key,
        comparable=link,
        link=f"https://{link}" if link else None,
        title=title,
        text=text,
        text_hash=text_hash(text),
        content_hash=crc32(f"{title}\n{text}".encode()) + 1,
        published=published,
        **more,
    )


class Desk:
    """The store of a test: remembers what was decided, gives it back as Known at the next poll."""

    def __init__(self) -> None:
        self.window = Window()
        self.stories = Stories()
        self.now = NOW
        self._numbers = count(1)
        self.entries: dict[tuple[int, str], KnownEntry] = {}
        self.by_comparable: dict[str, str] = {}
        self.by_text: dict[int, str] = {}
        self.refused: set = set()
        self.merged: dict[str, str] = {}

    def known(self) -> Known:
        recent: dict[int, list[KnownEntry]] = {}
        for one in self.entries.values():
            recent.setdefault(one.source_id, []).append(one)
        return Known(
            entries=dict(self.entries),
            by_comparable=dict(self.by_comparable),
            by_text=dict(self.by_text),
            recent={source_id: tuple(found) for source_id, found in recent.items()},
            refused=frozenset(self.refused),
        )

    def poll(self, source_id, *entries, after=timedelta(hours=1)):
        self.now += after
        deduper = Deduper(
            self.known(),
            now=self.now,
            window=self.window,
            stories=self.stories,
            uid=lambda: f"uid-{next(self._numbers)}",
        )
        decisions = deduper.decide_all([(source_id, entries)])[0]
        self.merged.update(deduper.merged)
        for decision in decisions:
            if decision.kind in ("refused", "seen"):
                continue
            said = decision.entry
            key = decision.known_key or said.key
            before = self.entries.get((source_id, key))
            self.entries[source_id, key] = KnownEntry(
                key=key,
                source_id=source_id,
                article_uid=decision.article_uid,
                entry_id=said.entry_id,
                comparable=said.comparable,
                title=said.title,
                text_hash=said.text_hash,
                content_hash=said.content_hash,
                published=said.published,
                first_seen=before.first_seen if before else self.now,
                signature=decision.signature,
            )
            if said.comparable:
                self.by_comparable.setdefault(said.comparable, decision.article_uid)
            if said.text_hash:
                self.by_text.setdefault(said.text_hash, decision.article_uid)
        return decisions


@pytest.fixture
def desk() -> Desk:
    return Desk()


def kinds(decisions) -> list[str]:
    return [decision.kind for decision in decisions]


def uids(decisions) -> list[str]:
    return [decision.article_uid for decision in decisions]

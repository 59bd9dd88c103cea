"""Answers stay as they came: the last of each source, and more within days and bytes."""

from __future__ import annotations

from datetime import timedelta

from feeds.store import Store
from feeds.store.values import InboxItem
from tests.store.conftest import NOW


def test_the_last_answer_of_each_source_stays_and_more_within_days_and_bytes(desk: Store) -> None:
    def came(source_id: int, body: bytes, days: int, kept_days: int, claim_id: str = "c") -> list[bytes]:
        at = NOW + timedelta(days=days)
        item = InboxItem(
            source_id=source_id,
            claim_id=claim_id,
            received_at=at,
            final_url="https://a",
            body=body,
            headers=(("etag", '"x"'), ("set-cookie", "id=7")),
        )
        with desk.write() as tx:
            ids = tx.inbox.put([item])
            tx.raw_answers.keep(ids, at, kept_days)
            tx.inbox.remove(ids)
            return [one.body for one in tx.raw_answers.since(None, source_id)]

    assert came(1, b"first", 0, 0) == [b"first"]
    assert came(1, b"second", 1, 0) == [b"second"]
    assert came(1, b"a letter or page", 1, 0, claim_id="") == [b"second"]
    assert came(1, b"a page", 2, 7, claim_id="") == [b"second", b"a page"]
    assert came(1, b"third", 3, 7) == [b"second", b"a page", b"third"]
    assert came(2, b"other", 3, 7) == [b"other"]
    assert came(1, b"fourth", 9, 7) == [b"a page", b"third", b"fourth"]
    with desk.write() as tx:
        assert tx.raw_answers.trim(NOW + timedelta(days=60), 7, 10**9) == 2
        kept = list(tx.raw_answers.since(None))
        assert [(one.body, one.headers, one.polled) for one in kept] == [
            (b"other", (("etag", '"x"'),), True),
            (b"fourth", (("etag", '"x"'),), True),
        ]
        assert tx.raw_answers.trim(NOW + timedelta(days=60), 7, 20) == 1
        assert [one.body for one in tx.raw_answers.since(NOW + timedelta(days=4))] == [b"fourth"]

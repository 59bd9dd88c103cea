"""Pages that wait, and which files brought what."""

from __future__ import annotations

from datetime import timedelta

from feeds.store import Store
from feeds.store.values import InboxItem
from tests.store.conftest import NOW

GRACE = timedelta(minutes=1)


def test_of_a_long_backlog_of_pages_the_newest_stay(desk: Store) -> None:
    pages = {number: f"https://h.example/{number}" for number in range(30)}
    with desk.write() as tx:
        tx.page_queue.put(1, {number: pages[number] for number in range(10, 30)}, 20)
        tx.page_queue.put(1, {number: pages[number] for number in range(10)}, 20)
        tx.page_queue.put(2, {7: "https://other.example/7"}, 20)
        assert tx.page_queue.next([1, 2], 100) == {1: list(pages.values())[:20], 2: ["https://other.example/7"]}


def test_an_article_page_keeps_the_address_by_which_it_was_asked(desk: Store) -> None:
    page = InboxItem(source_id=1, received_at=NOW, final_url="https://b", asked_url="https://a", body=b"x")
    with desk.write() as tx:
        tx.inbox.put([page])
        assert [one.asked_url for one in tx.inbox.waiting(10)] == ["https://a"]


def test_an_entry_is_gone_once_all_its_files_are_away_for_a_while(desk: Store) -> None:
    with desk.write() as tx:
        tx.folder_files.brought(1, 10, {"id:one": "id:one", "id:both": "id:both"})
        tx.folder_files.brought(1, 2**63 + 5, {"id:both": "id:both"})
        assert tx.folder_files.count(1) == 2
        assert tx.folder_files.gone(1, {2**63 + 5}, NOW, GRACE) == []
        assert tx.folder_files.gone(1, {2**63 + 5, 10}, NOW + GRACE, GRACE) == []  # it is back
        assert tx.folder_files.gone(1, {2**63 + 5}, NOW + 2 * GRACE, GRACE) == []
        assert tx.folder_files.gone(1, {2**63 + 5}, NOW + 3 * GRACE, GRACE) == ["id:one"]
        assert tx.folder_files.gone(1, set(), NOW + 4 * GRACE, GRACE) == []
        assert tx.folder_files.gone(1, set(), NOW + 5 * GRACE, GRACE) == ["id:both"]
        assert tx.folder_files.count(1) == 0

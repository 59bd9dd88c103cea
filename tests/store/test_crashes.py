"""Killed in the middle: what was being written is there whole or not at all."""

import signal
import subprocess
import sys
import textwrap

import pytest

from feeds.store import open_store

from .conftest import NOW, new, save, section, source

SCRIPT = """
    import os, sys
    from tests.store.conftest import NOW, new, placed
    from feeds.store import open_store
    from feeds.store.values import InboxItem

    store = open_store(sys.argv[1])
    print("open", flush=True)
    number = 0
    while True:
        batch = [new(f"r{sys.argv[2]}-{number}-{each}") for each in range(20)]
        with store.write() as tx:
            ids = tx.inbox.put([InboxItem(source_id=1, received_at=NOW, final_url=str(number))])
        with store.write() as tx:
            tx.articles.save(batch, NOW, {each.article_uid: placed("news", "sport") for each in batch})
            tx.inbox.remove(ids)
        number += 1
        if number == 3:
            print("busy", flush=True)
"""


@pytest.mark.parametrize("wait_ms", [0, 7, 23])
def test_a_kill_leaves_a_batch_whole_or_nothing(url, wait_ms):
    with open_store(url) as store, store.write() as tx:
        tx.sections.sync([section("news"), section("sport")], NOW)
        tx.sources.sync([source("a")], "full", NOW)
    killed = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), url, str(wait_ms)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert killed.stdout.readline() == "open\n"
        assert killed.stdout.readline() == "busy\n"
        with pytest.raises(subprocess.TimeoutExpired):
            killed.wait(wait_ms / 1000)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        killed.stdout.close()
    with open_store(url, create=False) as store:
        with store.read() as tx:
            waiting = tx.inbox.count()
            news, sport = tx.sections.get("news"), tx.sections.get("sport")
            everything = tx.sections.top("news", 100_000)
            assert (
                tx.articles.count() == tx.sections.counts()["news"] == tx.sections.counts()["sport"] == len(everything)
            )
        assert len(everything) % 20 == 0
        assert len(everything) >= 60
        assert news.sequence == sport.sequence == len(everything)
        assert waiting <= 1
        assert save(store, [new("after")], "news").new == 1

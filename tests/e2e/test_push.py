"""A whole desk tells of its articles: by webhooks and by a digest, with secrets from the environment; and who reads."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds.store import open_store
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.engine.test_digest import Postbox, server
from tests.fetch.origin import Origin
from tests.hub.subscriber import Subscriber

SECRET = "geheim-4711"


def test_a_webhook_and_a_digest_tell_of_a_new_article_and_the_desk_of_its_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.e2e.publisher.BEGIN", datetime.now(UTC) - timedelta(hours=1))
    postbox = Postbox()
    with Origin() as origin, Subscriber() as hook, server(postbox) as port, Desk(tmp_path) as desk:
        publisher = Publisher(origin, "/feed.xml")
        publisher.publish("First light")
        desk.write(
            sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}],
            desk={
                "notify": [{"url": hook.callback("${HOOK}"), "sections": ["news/world"], "secret": "${SECRET}"}],
                "digest": {
                    "at": "00:00",
                    "to": "ann@example.org",
                    "sections": ["news/world"],
                    "server": f"smtp://127.0.0.1:{port}",
                },
            },
        )
        polled = desk.command("poll", HOOK="one", SECRET=SECRET)
        assert polled.returncode == 0, polled.stderr
        with open_store(f"sqlite:///{desk.data}/desk.sqlite3") as store, store.write() as tx:
            # As if a digest had gone out yesterday.
            tx.counters.put("digest_day", datetime.now(UTC).date().toordinal() - 1)
            tx.counters.put("digest news/world", 2)
        desk.start(HOOK="one", SECRET=SECRET)
        until(lambda: desk.items("/news/world.json"), what="the first article")
        publisher.publish("Second light")
        until(lambda: hook.deliveries, what="the message to the webhook")
        until(lambda: postbox.messages, 60, what="the digest")
        desk.get("/news/world.atom", {"User-Agent": "Feedly/1.0 (+http://www.feedly.com/; 12 subscribers)"})
        desk.stop()
        readers = desk.command("readers").stdout
        log, rows = desk.log.read_text(), (desk.data / "desk.sqlite3").read_bytes()
    assert "news/world: 12 subscribers (Feedly 12)" in readers  # what a web process counted is saved when it ends
    delivery = hook.deliveries[0]
    assert "/cb/one?" in delivery.target and json.loads(delivery.body)["article"]["title"] == "Second light"
    signed = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["x-hub-signature-256"] == f"sha256={signed}"
    [message] = postbox.messages
    text = message.get_body(("plain",))
    assert message["From"] == "desk@example.org" and text is not None
    assert "Second light" in text.get_content() and "First light" not in text.get_content()
    assert SECRET not in log and SECRET.encode() not in rows

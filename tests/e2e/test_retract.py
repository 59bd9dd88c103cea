"""What an admin takes out stays out, wherever it is asked for and whatever its source goes on showing."""

from __future__ import annotations

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin


def test_a_retracted_article_is_gone_everywhere_and_does_not_come_back(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("To be kept")
    publisher.publish("To be taken out")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    desk.start()
    until(lambda: len(desk.items("/news/world.json")) == 2, what="both articles")
    [uid] = [item["id"] for item in desk.items("/news/world.json") if item["title"] == "To be taken out"]
    page = f"/article/{str(uid).removeprefix('urn:uuid:')}"
    assert desk.get(page).status == 200

    ended = desk.command("retract", "https://tidings.example/feed.xml/2?utm_source=x", "--reason", "it was wrong")
    assert ended.returncode == 0, ended.stderr
    until(lambda: len(desk.items("/news/world.json")) == 1, what="the retraction")
    assert desk.get(page).status == 410
    for path in ("/news.json", "/index.json"):
        assert [item["title"] for item in desk.items(path)] == ["To be kept"]
    publisher.publish("Something new")
    until(lambda: len(desk.items("/news/world.json")) == 2, what="the next poll")
    assert "To be taken out" not in {item["title"] for item in desk.items("/news/world.json")}
    told = desk.command("explain", str(uid)).stdout
    assert "RETRACTED" in told and "it was wrong" in told

    assert desk.command("unretract", str(uid)).returncode == 0
    until(lambda: len(desk.items("/news/world.json")) == 3, what="its return")
    assert [item["title"] for item in desk.items("/news/world.json")][1] == "To be taken out"
    assert desk.get(page).status == 200

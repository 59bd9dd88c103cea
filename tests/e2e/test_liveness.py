"""Children that hang, and a database that is taken away from under a running desk: it recovers by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e import impatient
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin


def titles(desk: Desk) -> dict[str, str]:
    try:
        return {str(item["title"]): str(item["id"]) for item in desk.items("/news/world.json")}
    except OSError:
        return {}


def test_a_database_that_is_deleted_under_a_running_desk_is_saved_and_the_desk_goes_on(
    desk: Desk, origin: Origin
) -> None:
    publisher = Publisher(origin)
    publisher.publish("Before")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    desk.start()
    until(lambda: "Before" in titles(desk), what="the first article")
    for taken in ("log", "database", "folder"):
        before, saved = titles(desk), desk.log.read_text().count("nothing is lost")
        if taken == "folder":
            shutil.rmtree(desk.data, ignore_errors=True)
        else:
            (desk.data / ("desk.sqlite3-wal" if taken == "log" else "desk.sqlite3")).unlink()
        rescued = lambda saved=saved: desk.log.read_text().count("nothing is lost") > saved  # noqa: E731
        until(rescued, 60, f"the rescue after the {taken} was deleted")
        publisher.publish(f"After the {taken}")
        wanted = {*before, f"After the {taken}"}
        until(lambda wanted=wanted: set(titles(desk)) == wanted, 60, f"all ({desk.log.read_text()[-3000:]})")
        assert before.items() <= titles(desk).items()


def test_children_that_are_stopped_are_replaced(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("Before")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    desk.start(program=Path(impatient.__file__))
    until(lambda: "Before" in titles(desk), what="the first article")
    stopped = [desk.child("ingest"), desk.child("web")]
    for process in stopped:
        process.suspend()
    publisher.publish("After")
    until(lambda: "After" in titles(desk), impatient.SILENT_S + 90, f"an answer ({desk.log.read_text()[-2000:]})")
    assert desk.log.read_text().count("no sign of life for too long") == 2
    assert [process for process in stopped if process.is_running()] == []

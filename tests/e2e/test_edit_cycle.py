"""A whole edit in a running desk: edit, plan, save, filed again; what subscribers see before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.desk import CaseDesk
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

BEFORE = {"sea": {"title": "Sea", "match": {"any": [{"keywords": ["ferry", "tide"]}]}}}
AFTER = {
    "sea": {"title": "Sea", "match": {"any": [{"keywords": ["tide"]}]}},
    "ferries": {"title": "Ferries", "match": {"any": [{"keywords": ["ferry"]}]}},
}


@pytest.fixture
def quick_desk(tmp_path: Path) -> Iterator[CaseDesk]:
    """A desk that is asked to poll."""
    with CaseDesk(tmp_path) as made:
        yield made


def titles(desk: Desk, path: str) -> list[object]:
    return [item["title"] for item in desk.items(path)]


def test_an_edit_is_planned_saved_and_seen_without_old_news_coming_out_as_new(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    for title in ("Ferry late", "High tide", "Ferry sold", "Town fair"):
        publisher.publish(title, f"{title}, it was said on {title.split()[0]} day at the {title.split()[1]} office.")
    desk.write(
        sections=BEFORE,
        sources=[{"name": "Tidings", "url": publisher.url, "interval_s": 3600}],
        desk={"publish": {"full_text": "full", "first_import": 20}},
    )
    desk.start()
    until(lambda: len(desk.items("/sea.json")) == 3, what="the first articles")
    before = {item["title"]: item for item in desk.items("/sea.json")}
    whole = {item["title"]: item["id"] for item in desk.items("/index.json")}

    # Edited beside the desk, planned, and nothing has changed by it.
    aside = desk.config.with_name("edited")
    aside.mkdir()
    for file in desk.config.iterdir():
        if file.is_file():
            (aside / file.name).write_bytes(file.read_bytes())
    desk.config, running = aside, desk.config
    desk.write(sections=AFTER)
    planned = desk.command("plan", "--json")
    assert planned.returncode == 3, planned.stderr
    plan = {one["path"]: one for one in json.loads(planned.stdout)["sections"]}
    assert (plan["sea"]["enters"], plan["sea"]["leaves"]) == (0, 2)
    assert (plan["ferries"]["enters"], plan["ferries"]["fresh"], plan["ferries"]["state"]) == (2, 2, "new")
    assert {one["title"] for one in plan["ferries"]["entering"]} == {"Ferry late", "Ferry sold"}
    assert len(desk.items("/sea.json")) == 3

    # Saved: the running desk takes it over by itself and files what is stored again.
    desk.config = running
    desk.write(sections=AFTER)
    until(lambda: len(desk.items("/ferries.json")) == 2, what="filing again")
    until(lambda: titles(desk, "/sea.json") == ["High tide"], what="leaving")
    assert titles(desk, "/ferries.json") == ["Ferry sold", "Ferry late"]
    for item in desk.items("/ferries.json"):
        assert item["id"] == before[item["title"]]["id"]
        assert item["date_published"] == before[item["title"]]["date_published"]
    # Who reads the whole desk sees no old article as new: the same entries, in the same order.
    assert {item["title"]: item["id"] for item in desk.items("/index.json")} == whole
    assert desk.command("plan").returncode == 0

    # What comes after the edit is on top, above what the edit brought.
    publisher.publish("Ferry found", "The ferry that was lost has been found where nobody had looked for it so far.")
    assert desk.command("poll", "Tidings").returncode == 0
    until(lambda: len(desk.items("/ferries.json")) == 3, what="the new article")
    assert titles(desk, "/ferries.json") == ["Ferry found", "Ferry sold", "Ferry late"]


def test_an_edit_with_an_error_is_told_by_plan_and_changes_nothing(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("Ferry late")
    desk.write(sections=BEFORE, sources=[{"name": "Tidings", "url": publisher.url}])
    assert desk.command("poll").returncode == 0
    desk.write(sections={"sea": {"title": "Sea", "match": {"any": [{"keyword": ["ferry"]}]}}})
    planned = desk.command("plan")
    assert planned.returncode == 78
    assert "sections.yaml:" in planned.stderr and "keywords" in planned.stderr


def test_a_source_set_to_another_section_takes_its_articles_along_to_their_old_places(quick_desk: CaseDesk) -> None:
    desk = quick_desk
    tidings, gazette = (Publisher(desk.origin, f"/{name}.xml") for name in ("tidings", "gazette"))
    for number in range(3):
        tidings.publish(f"Tide {number}")
        gazette.publish(f"Fair {number}")

    def write(of_tidings: str) -> None:
        desk.write(
            {"name": "Tidings", "url": tidings.url, "section": of_tidings},
            {"name": "Gazette", "url": gazette.url, "section": "town"},
            sections={"sea": {"title": "Sea"}, "town": {"title": "Town"}},
        )

    def told(path: str) -> list[list[object]]:
        return [[item[name] for name in ("id", "title", "date_published")] for item in desk.items(path)]

    write("sea")
    desk.poll()
    whole = told("index")
    assert (len(whole), len(desk.items("sea"))) == (6, 3)

    write("town")
    desk.poll()
    assert desk.items("sea") == []
    # Among the articles that were there, not above them; and nothing moves for those who read the whole desk.
    assert told("town") == told("index") == whole
    assert {item["title"] for item in desk.items("town")[:2]} == {"Tide 2", "Fair 2"}
    # What comes next is new, and alone on top.
    tidings.publish("Tide 3")
    desk.poll()
    assert desk.items("town")[0]["title"] == "Tide 3"
    assert desk.items("sea") == []

"""`wiredesk explain`: every step of an article, from the poll to the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.desk import Desk
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

SECTIONS = {
    "sea": {"title": "Sea", "match": {"all": [{"keywords": ["ferry"]}], "none": [{"keywords": ["bridge"]}]}},
    "crime": {"title": "Crime", "match": {"all": [{"keywords": ["ferry"]}, {"language": ["de"]}]}},
}
TEXT = "The ferry to the outer islands was an hour late on Monday because of fog in the sound, the line said."


@pytest.fixture
def told(desk: Desk, origin: Origin) -> list[str]:
    """What is explained of an article that two sources brought, line by line."""
    for name in ("tidings", "mirror"):
        publisher = Publisher(origin, f"/{name}.xml", name=name)
        publisher.publish("Ferry late again in fog", TEXT)
        source: dict[str, object] = {"name": name.capitalize(), "url": publisher.url}
        desk.write(sections=SECTIONS, sources=[source, *sources_of(desk.config)])
        assert desk.command("poll", name).returncode == 0
    explained = desk.command("explain", "https://tidings.example/mirror.xml/1")
    assert explained.returncode == 0, explained.stderr
    return explained.stdout.splitlines()


def sources_of(folder: Path) -> list[dict[str, object]]:
    import yaml

    return yaml.safe_load((folder / "sources.yaml").read_text()) or []


def test_every_step_of_an_article_is_told(told: list[str]) -> None:
    said = "\n".join(told)
    # From which poll, which copy of what.
    assert "Tidings: the article is told in its words" in said and "Mirror: a copy" in said
    assert said.count("by the poll of ") == 2 and "(answered 200, 1 new)" in said and "(answered 200, 1 copy)" in said
    assert "nearly the same text: the same title, and too little text to compare" in said
    # Filed where, why, with which number, and where subscribers find it.
    at = told.index("  sea")
    assert told[at + 1].strip() == "because: keyword 'ferry'"
    assert "change 1 of the section" in told[at + 2] and "its place in the order is 20 Nov 2026" in told[at + 2]
    assert told[at + 3].strip() == "in /sea.rss, .atom and .json, number 1 of 1"
    # Each rule that held, or nearly did.
    assert "rule of sea holds: keyword 'ferry'" in said
    assert "rule of crime nearly holds: keyword 'ferry', but no language 'de'" in said
    assert told.count("Weighed, by the rules of today") == 1  # both said the same

"""What is published of copies does not depend on which source was asked first."""

from __future__ import annotations

import json

import pytest

from tests.cases.desk import CaseDesk
from tests.cases.test_rules import feed

ORDERS = pytest.mark.parametrize("order", ["ab", "ba", "together"])
TITLE = "Bridge vote is won"
TEXT = "The council voted for the new bridge over the outer harbour, and against the ferry, by nine voices to seven."


def poll_in(order: str, desk: CaseDesk) -> None:
    """Ask the sources `a` and `b` in this order, or both at once."""
    for names in ["ab"] if order == "together" else order:
        desk.poll(only=list(names))


def titles(desk: CaseDesk, path: str) -> list[str]:
    return [item["title"] for item in json.loads(desk.get(path).body)["items"]]


@ORDERS
def test_a_copy_that_no_rule_files_makes_no_private_article_public(desk: CaseDesk, order: str) -> None:
    urls = {name: desk.show(f"/{name}", feed(("1", TITLE, TEXT))) for name in "ab"}
    sources = {"name": "a", "url": urls["a"], "section": "paid"}, {"name": "b", "url": urls["b"]}
    tree = {"paid": {"title": "Paid", "access": "tokens"}, "other": {"title": "Other"}}
    desk.write(*sources, sections=tree)
    poll_in(order, desk)
    assert titles(desk, "/index.json") == titles(desk, "/unfiled.json") == []
    desk.write(*sources, sections=tree | {"other": {"title": "Other", "match": {"keywords": "ferret"}}})
    desk.poll()  # which files all again
    assert titles(desk, "/index.json") == titles(desk, "/unfiled.json") == []


def test_nearly_the_same_text_stays_out_with_an_article_that_was_retracted_after_a_restart_too(desk: CaseDesk) -> None:
    first = desk.show("/a", feed(("1", TITLE, TEXT)))
    second = desk.show("/b", feed(("9", f"{TITLE} by the council", f"{TEXT} It rained.")))
    desk.write({"name": "a", "url": first, "section": "all"}, {"name": "b", "url": second, "section": "all"})
    desk.poll(only=["a"])
    desk.command("retract", desk.see().items[0]["id"])
    desk.poll()  # by a process that has read back what the one before knew
    assert titles(desk, "/index.json") == []


def test_an_article_is_found_by_the_words_of_the_original_once_that_is_shown(desk: CaseDesk) -> None:
    credit = "</description><source url='https://herald.example/f'>Harbour Herald</source><description>"
    copy = desk.show("/a", feed(("1", "Walrus bridge is voted for", credit + TEXT)))
    original = desk.show("/b", feed(("9", "Unicorn bridge is voted for", TEXT)))
    desk.write(
        {"name": "a", "url": copy, "section": "all"}, {"name": "Harbour Herald", "url": original, "section": "all"}
    )
    desk.poll(only=["a"])
    desk.poll()
    assert titles(desk, "/index.json") == ["Unicorn bridge is voted for"]
    found = {word: desk.ask("/search.atom", query=f"q={word}").text.count("<entry") for word in ("walrus", "unicorn")}
    assert found == {"walrus": 0, "unicorn": 1}


@pytest.mark.parametrize(("order", "priority"), [("ab", 0), ("ba", 5), ("together", 0)])
def test_what_one_source_drops_is_told_in_the_words_of_the_other(desk: CaseDesk, order: str, priority: int) -> None:
    def show(name: str, title: str) -> str:
        return desk.show(f"/{name}", feed((f"https://{name}.example/1", title, TEXT)))

    first = {"name": "a", "url": show("a", f"Horoscope: {TITLE}"), "priority": priority}
    second = {"name": "b", "url": show("b", TITLE)}
    tree = {"all": {"title": "All", "copies": "show", "match": {"title": "bridge"}}}
    desk.write(first | {"drop": {"title": "horoscope"}}, second, sections=tree)
    poll_in(order, desk)
    assert titles(desk, "/all.json") == titles(desk, "/index.json") == [TITLE]
    assert "Horoscope" not in desk.get("/all").text + desk.article(desk.see().items[0])
    assert not {"origin", "copies"} & desk.see().items[0]["_wiredesk"].keys()
    show("a", f"{TITLE} again")
    desk.poll()
    assert sorted(titles(desk, "/all.json")) == [TITLE, f"{TITLE} again"], "a copy like any other"
    show("a", f"Horoscope once more: {TITLE}")
    desk.poll()
    assert titles(desk, "/all.json") == titles(desk, "/index.json") == [TITLE]
    desk.write(first, second, sections=tree)
    desk.poll()
    assert sorted(titles(desk, "/all.json")) == [TITLE, f"Horoscope once more: {TITLE}"], "by rules that changed too"
    desk.write(first | {"drop": {"title": "horoscope"}}, second, sections=tree)
    desk.poll()
    assert titles(desk, "/all.json") == titles(desk, "/index.json") == [TITLE]

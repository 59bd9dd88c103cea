"""Answers that are kept are read again: what would differ is told; one file has all there is to know of a source."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feeds.store import open_store
from tests.cases.desk import CaseDesk

SECRET = "t0ken-that-nobody-may-see"


def feed(*titles: str, link: str = "https://quay.example/") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><guid>urn:q:{title}</guid><category>Ferries</category><description>The words of "
        f"{title}, which are a few, and that SECRET is nowhere.</description></item>".replace("SECRET", SECRET)
        for title in titles
    )
    channel = f"<title>Quay</title><link>{link}</link><description>-</description>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{items}</channel></rss>'.encode()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CaseDesk]:
    monkeypatch.setenv("QUAY_TOKEN", SECRET)
    with CaseDesk(tmp_path) as case:
        case.environ = {"QUAY_TOKEN": SECRET}
        yield case


def written(desk: CaseDesk, section: str, **settings: object) -> None:
    source = {"name": "Quay", "url": desk.origin.url("/q.xml"), "headers": {"Authorization": "Bearer ${QUAY_TOKEN}"}}
    sections = {"all": {"title": "All"}, "ferries": {"title": "Ferries", "match": {"any": [{"category": "Ferries"}]}}}
    desk.write(source | {"section": section}, sections=sections, **settings)  # type: ignore[arg-type]


def test_with_the_same_config_nothing_differs_and_with_another_one_it_is_told(desk: CaseDesk) -> None:
    desk.show("/q.xml", feed("One", "Two"), Set_Cookie=f"id={SECRET}")
    written(desk, "all")
    desk.poll()
    same = desk.command("replay", "quay")
    assert (same.exit_code, same.output) == (
        0, "1 answer read again: 2 entries the same, 0 would differ, 0 answers can't be read\n",
    )  # fmt: skip
    written(desk, "ferries")
    differs = desk.command("replay", "--since", "2026-11-01")
    assert differs.exit_code == 3
    assert "Quay: One\n    sections: all, ferries → ferries\n" in differs.output
    assert "0 entries the same, 2 would differ" in differs.output
    assert [item["title"] for item in desk.items("all")] == ["One", "Two"]  # nothing was changed
    with open_store(desk.url) as store, store.read() as tx:
        (kept,) = tx.raw_answers.since(None)
    assert SECRET not in str(kept.headers)


def test_what_the_present_code_would_not_find_is_told(desk: CaseDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.show("/q.xml", feed("One", "Two"))
    written(desk, "all")
    desk.now = datetime.now(UTC)
    desk.poll()
    real = __import__("feeds.normalise.entries", fromlist=["_entry"])._entry
    broken = lambda parsed, *rest: real(parsed, *rest) if parsed.position else None  # noqa: E731
    monkeypatch.setattr("feeds.normalise.entries._entry", broken)
    told = desk.command("replay", "Quay").output
    assert "Quay: One\n    would not be found\n" in told and "1 entry the same, 1 would differ" in told


def test_no_answer_and_no_time_are_errors(desk: CaseDesk) -> None:
    desk.show("/q.xml", b"", status=503)
    written(desk, "all")
    desk.poll()
    assert "no answer is kept" in str(desk.command("replay", "Quay").exception)
    assert "no time" in str(desk.command("replay", "--since", "yesterweek").exception)


def test_a_bug_is_one_file_without_secrets(desk: CaseDesk, tmp_path: Path) -> None:
    desk.show("/q.xml", feed("One"), X_Echo=f"Bearer {SECRET}")
    written(desk, "all")
    desk.poll()
    file = tmp_path / "bug.zip"
    assert "1 answer, 1 article explained" in desk.command("bug", "Quay", str(file)).output
    with zipfile.ZipFile(file) as packed:
        told = {name: packed.read(name).decode() for name in packed.namelist()}
    assert sorted(told) == ["answers/1.body", "answers/1.txt", "explain/1.txt", "polls.txt", "source.txt"]
    assert not [name for name, text in told.items() if SECRET in text]
    assert "<title>One</title>" in told["answers/1.body"] and "/q.xml" in told["source.txt"]
    assert "Quay" in told["polls.txt"] and "One" in told["explain/1.txt"]
    assert "can't be written" in str(desk.command("bug", "Quay", str(file)).exception)

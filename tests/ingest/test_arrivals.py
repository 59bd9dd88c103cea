"""Documents of a folder over time: embargoes end, agencies take back, files are removed and renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from feeds.store import open_store
from tests.cases.desk import NOW, CaseDesk
from tests.fetch.dovecot import PASSWORD, USER, Dovecot
from tests.parse.test_agencies import NEWSML, WIRE
from tests.parse.test_letters import DIGEST, TEXT, letter

OTHER = "\n\nThe yard made an offer in spring, and the crew of the first ferry is to be trained by autumn, it says.\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CaseDesk]:
    with CaseDesk(tmp_path) as case:
        (case.config / "in").mkdir()
        yield case


def put(desk: CaseDesk, name: str, text: str) -> None:
    """Write a file that has been quiet for long, by the desk's clock."""
    path = desk.config / "in" / name
    path.write_text(text)
    at = desk.now.timestamp()
    os.utime(path, (at, at))


def titles(desk: CaseDesk) -> list[str]:
    return sorted(item["title"] for item in desk.items())


def at_present(desk: CaseDesk) -> None:
    """Have the desk's clock ahead of the machine's: the times of files say when they were written."""
    desk.now = max(desk.now, NOW + timedelta(days=3650))


def test_what_is_under_an_embargo_is_published_when_that_is_over_and_can_be_taken_back(desk: CaseDesk) -> None:
    at_present(desk)
    until = desk.now + timedelta(hours=5)
    desk.write({"name": "Agency", "files": "in/*", "full_text": "full"})
    put(desk, "a.xml", NEWSML.format(status="usable", embargo=f"<embargoed>{until:%Y-%m-%dT%H:%M:%SZ}</embargoed>"))
    put(desk, "b.txt", WIRE)
    desk.poll()
    assert titles(desk) == ["Council wants second ferry before winter"]
    desk.poll()
    assert len(titles(desk)) == 1
    desk.poll(timedelta(hours=4))
    assert titles(desk) == ["Council wants second ferry before winter", "Harbour wins"]
    put(desk, "c.xml", NEWSML.format(status="canceled", embargo=""))
    put(desk, "d.txt", WIRE.replace("1st Ld-Writethru", "BULLETIN KILL"))
    desk.poll()
    assert titles(desk) == []


def test_what_is_taken_back_before_it_comes_never_comes(desk: CaseDesk) -> None:
    at_present(desk)
    desk.write({"name": "Agency", "files": "in/*"})
    put(desk, "kill.xml", NEWSML.format(status="canceled", embargo=""))
    desk.poll()
    put(desk, "late.xml", NEWSML.format(status="usable", embargo=""))
    desk.poll()
    assert titles(desk) == []


def test_a_file_that_is_removed_takes_its_article_along_where_config_says_so(desk: CaseDesk) -> None:
    at_present(desk)
    desk.write({"name": "Letters", "files": "in/*.txt", "removed": "retract"})
    for name in ("gone", "renamed", "stays"):
        text = f"The {name} one tells of the {name} and its {name} {name}.{OTHER}"
        put(desk, f"{name}.txt", f"Of what is {name}\n\n{text}")
    desk.poll()
    assert len(titles(desk)) == 3
    (desk.config / "in" / "gone.txt").unlink()
    (desk.config / "in" / "renamed.txt").rename(desk.config / "in" / "other.txt")
    desk.poll(timedelta(seconds=10))
    assert len(titles(desk)) == 3
    desk.poll(timedelta(minutes=2))
    assert titles(desk) == ["Of what is renamed", "Of what is stays"]


@pytest.mark.parametrize("removed", ["first", "second"])
@pytest.mark.parametrize("at_once", [True, False])
def test_of_two_files_that_say_the_same_either_keeps_the_article(desk: CaseDesk, removed: str, at_once: bool) -> None:
    at_present(desk)
    desk.write({"name": "Letters", "files": "in/*.txt", "removed": "retract"})
    for name in ("first", "second"):
        put(desk, f"{name}.txt", f"Of the quay\n\nThe quay is told of by both of them.{OTHER}")
        if not at_once:
            desk.poll()
    desk.poll()
    (desk.config / "in" / f"{removed}.txt").unlink()
    for _ in range(2):
        desk.poll()
    assert titles(desk) == ["Of the quay"]
    for path in (desk.config / "in").iterdir():
        path.unlink()
    for _ in range(2):
        desk.poll()
    assert titles(desk) == []


def test_the_entries_of_a_saved_feed_are_not_taken_for_files_that_are_away(desk: CaseDesk) -> None:
    at_present(desk)
    desk.write({"name": "Letters", "files": "in/*", "removed": "retract"})
    items = "".join(f"<item><title>Tide {n}</title><guid>{n}</guid></item>" for n in range(12))
    put(desk, "saved.xml", f"<rss version='2.0'><channel><title>Post</title>{items}</channel></rss>")
    put(desk, "gone.txt", f"Of what is gone\n\nIt is gone.{OTHER}")
    desk.poll()
    (desk.config / "in" / "gone.txt").unlink()
    for _ in range(2):
        desk.poll()
    assert len(titles(desk)) == 12


def test_of_a_folder_that_is_empty_all_at_once_nothing_is_taken_back(desk: CaseDesk) -> None:
    at_present(desk)
    desk.write({"name": "Letters", "files": "in/*.txt", "removed": "retract"})
    for number in range(12):
        text = f"Number {number} tells of {number * 7919} and {number}.{OTHER}"
        put(desk, f"{number}.txt", f"Of number {number}\n\n{text}")
    desk.poll()
    count = len(titles(desk))
    for path in (desk.config / "in").iterdir():
        path.unlink()
    desk.poll()
    desk.poll()
    assert len(titles(desk)) == count
    with open_store(desk.url) as store, store.read() as tx:
        assert "12 of 12 files are away" in [event.text for event in tx.events.open()][0]


def test_letters_of_a_mailbox_and_of_a_maildir_are_articles_and_no_password_is_kept(desk: CaseDesk) -> None:
    at_present(desk)
    for name in ("new", "cur", "tmp"):
        (desk.config / "box" / name).mkdir(parents=True)
    put(desk, "../box/new/1", letter(DIGEST).decode())
    with Dovecot() as server:
        server.deliver(
            "1", letter(f"<p>{TEXT}</p>", List_Id="News <news.council.example.org>", Message_ID="<7@c.example>")
        )
        server.deliver("2", letter("<p>Cheap boats</p>", From="spam@elsewhere.example", Message_ID="<8@c.example>"))
        desk.environ = {"MAIL_PASSWORD": PASSWORD}
        address = f"imap://{USER}:${{MAIL_PASSWORD}}@127.0.0.1:{server.port}/INBOX"
        desk.write(
            {"name": "Council", "mail": address, "from": ["*@council.example.org"]},
            {"name": "Week", "mail": "box", "from": "press@council.example.org", "digest": True},
            fetch={"allow_private": ["127.0.0.0/8"]},
        )
        desk.poll()
        assert titles(desk) == ["A second ferry", "Second ferry", "The pier reopens"]
        desk.poll()
        assert titles(desk) == ["A second ferry", "Second ferry", "The pier reopens"]
        ferry = next(item for item in desk.items() if item["title"] == "Second ferry")
        assert ferry["tags"] == ["news.council.example.org"] and ferry["url"].startswith(
            "https://wire.example.org/article/"
        )
        shown = "".join(desk.see().raw.values())
        assert "127.0.0.1" not in shown and "council.example.org>" not in shown and "press@" not in shown
    for path in desk.data.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()
    desk.poll()
    failed = [result for result in desk.ended if result.error]
    assert [result.name for result in failed] == ["Council"] and "can't be reached" in failed[0].error

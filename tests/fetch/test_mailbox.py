"""Letters are fetched once, from whom config allows, and left as they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from feeds.configuration import FetchSettings
from feeds.errors import FetchBlocked, FetchError
from feeds.fetch.mailbox import fetch_letters, is_allowed, look_into_maildir, wait_for_letters
from tests.fetch.dovecot import PASSWORD, USER, Dovecot
from tests.parse.test_letters import letter

COUNCIL = ["*@council.example.org"]


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


@pytest.fixture
def mailbox(server: Dovecot) -> Dovecot:
    """The server with no letters."""
    for folder in ("new", "cur"):
        for path in (server.maildir / folder).iterdir():
            path.unlink()
    return server


def url(server: Dovecot, password: str = PASSWORD, folder: str = "INBOX") -> str:
    return f"imap://{USER}:{quote(password, safe='')}@127.0.0.1:{server.port}/{folder}"


def opened(server: Dovecot) -> FetchSettings:
    return FetchSettings(allow_private=(f"127.0.0.1:{server.port}",), timeout_s=10)


def test_letters_come_once_and_stay_unread_unless_config_says_otherwise(mailbox: Dovecot) -> None:
    settings = opened(mailbox)
    mailbox.deliver("1", letter(plain="One."))
    mailbox.deliver("2", letter(plain="Two.", From="Spam <spam@elsewhere.example>"))
    first = fetch_letters(url(mailbox), "", COUNCIL, settings=settings)
    assert [b"One." in body for _, body in first.found] == [True]
    assert (first.passed_over, first.more) == (1, False)
    again = fetch_letters(url(mailbox), first.state, COUNCIL, settings=settings)
    assert (again.found, again.state) == ([], first.state)
    assert not any(name.endswith("S") for name in mailbox.names())
    mailbox.deliver("3", letter(plain="Three."))
    third = fetch_letters(url(mailbox), again.state, COUNCIL, settings=settings, mark_read=True)
    assert [b"Three." in body for _, body in third.found] == [True]
    assert [name.endswith("S") for name in mailbox.names()] == [False, False, True]
    assert len(mailbox.names()) == 3
    # A mailbox that was made anew, and one of which nothing was seen for long, are read from the newest letters on.
    anew = fetch_letters(url(mailbox), "1:999", COUNCIL, settings=settings)
    assert len(anew.found) == 2


def test_what_is_too_large_is_left_and_counted(mailbox: Dovecot) -> None:
    mailbox.deliver("1", letter(plain="One." * 1000))
    settings = FetchSettings(allow_private=(f"127.0.0.1:{mailbox.port}",), max_body_bytes=2048)
    letters = fetch_letters(url(mailbox), "", COUNCIL, settings=settings)
    assert (letters.found, letters.too_large) == ([], 1)


def test_a_letter_that_comes_ends_the_wait(mailbox: Dovecot) -> None:
    came = threading.Event()
    stop = threading.Event()

    def wait() -> None:
        if wait_for_letters(url(mailbox), settings=opened(mailbox), stopped=stop.is_set):
            came.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    for number in range(200):  # the wait begins some time after it was asked for
        mailbox.deliver(f"w{number}", letter(plain="One."))
        if came.wait(0.1):
            break
    stop.set()
    waiting.join(20)
    assert came.is_set()


def test_errors_say_what_to_do_and_never_the_password(mailbox: Dovecot) -> None:
    with pytest.raises(FetchError, match="refuses the login") as refused:
        fetch_letters(url(mailbox, "wr0ng-p@ss"), "", ["*"], settings=opened(mailbox))
    assert "wr0ng" not in f"{refused.value} {refused.value.remedy} {refused.value.url}"
    with pytest.raises(FetchError, match="answers oddly"):
        fetch_letters(url(mailbox, folder="Nowhere"), "", ["*"], settings=opened(mailbox))
    with pytest.raises(FetchBlocked, match="loopback") as blocked:
        fetch_letters(url(mailbox), "", ["*"], settings=FetchSettings())
    assert PASSWORD not in f"{blocked.value.url}" and "allow_private" in blocked.value.remedy


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"From": "PRESS@COUNCIL.EXAMPLE.ORG"}, True),
        ({"From": '"press@council.example.org" <spam@elsewhere.example>'}, False),
        ({"From": "press@council.example.org, spam@elsewhere.example"}, False),
        ({"From": "press@council.example.org.elsewhere.example"}, False),
        ({"From": "other@elsewhere.example", "List_Id": "News <news.list.example>"}, True),
    ],
)
def test_who_is_allowed(headers: dict[str, str], allowed: bool) -> None:
    assert is_allowed(letter(plain="-", **headers), [*COUNCIL, "list:news.list.example"]) is allowed


def test_a_maildir_is_read_without_a_server(tmp_path: Path) -> None:
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.M1.host").write_bytes(letter(plain="One."))
    (box / "cur" / "2.M2.host:2,RS").write_bytes(letter(plain="Two."))
    (box / "cur" / "3.M3.host:2,").write_bytes(letter(plain="Three.", From="spam@elsewhere.example"))
    (box / "tmp" / "4.M4.host").write_bytes(letter(plain="Half."))
    later = datetime.now(UTC) + timedelta(seconds=10)
    seen = look_into_maildir(tmp_path, "box", (), COUNCIL, mark_read=False, now=later)
    assert sorted(file.name for file in seen.found) == ["box/cur/2.M2.host:2,RS", "box/new/1.M1.host"]
    assert look_into_maildir(tmp_path, "box", seen.states, COUNCIL, mark_read=True, now=later).found == []
    look_into_maildir(tmp_path, "box", (), COUNCIL, mark_read=True, now=later)
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["1.M1.host:2,S", "2.M2.host:2,RS", "3.M3.host:2,"]
    with pytest.raises(FetchError):
        look_into_maildir(tmp_path, "none", (), COUNCIL, mark_read=False, now=later)

"""The digest by mail: what is in it, over real SMTP servers with TLS, once a day whatever happens to desk and clock."""

from __future__ import annotations

import email
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from msgspec.structs import replace

from feeds.configuration import DigestSettings
from feeds.engine.digest import Part, compose, look, send_due
from feeds.errors import DeskError
from tests.publish.desk import WORLD, Desk, published

TLS = Path(__file__).parents[1] / "fetch" / "tls"
ENVIRON = {"SMTP_USER": "desk@wire", "SMTP_PASSWORD": "geheim/4711@"}
MORNING = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


class Postbox:
    """Takes mail for everybody but who is *refused*; *answer* takes the place of its yes."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answer: Callable[[], str] = lambda: "250 OK"
        self.refused = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address == self.refused:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answer()
        if answer.startswith("250"):
            parsed = email.message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.messages.append(parsed)
            self.recipients.append(envelope.rcpt_tos)
        return answer


logins: list[bool] = []


def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    logins.append((data.login, data.password) == (b"desk@wire", b"geheim/4711@"))
    return AuthResult(success=logins[-1])


@contextmanager
def server(postbox: Postbox, **how: Any) -> Iterator[int]:
    """A server on loopback; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port, server_hostname="tls.test", **how)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test authority be this machine's only one, and tls.test this machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "authority.pem"))
    known = socket.getaddrinfo

    def found(host: Any, *more: Any, **named: Any) -> Any:
        return known("127.0.0.1" if host == "tls.test" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Desk]:
    with published(tmp_path) as desk:
        desk.now = MORNING - timedelta(days=1)
        yield desk


def digest(paper: Desk, url: str, **more: Any) -> None:
    given = {"to": ("ann@example.org", "bob@example.org"), "sender": "desk@wire.example.org", "server": url, **more}
    paper.settings = replace(paper.settings, digest=DigestSettings(**given))


def at(paper: Desk, moment: datetime) -> None:
    paper.now = moment
    look(paper.store, paper.settings, paper.tree, ENVIRON, moment)


def bring(paper: Desk, number: int, title: str = "Tide & <time>", **more: Any) -> None:
    paper.now += timedelta(minutes=1)
    paper.bring([number], title=title, at=paper.now, **more)


@pytest.mark.usefixtures("trust")
@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_it_goes_out_over_tls_with_a_login_plain_and_as_html(paper: Desk, scheme: str) -> None:
    postbox = Postbox()
    logins.clear()
    context = certificate()
    how = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    more = {"authenticator": authenticator, "auth_require_tls": scheme == "smtp"}
    with server(postbox, **how, **more) as port:
        digest(paper, f"{scheme}://${{SMTP_USER}}:${{SMTP_PASSWORD}}@tls.test:{port}", sections=(WORLD,))
        at(paper, MORNING - timedelta(days=1))  # the first time: from now on
        bring(paper, 1)
        bring(paper, 2, "Elsewhere", paths=("news",))
        at(paper, MORNING)
    [message], [recipients] = postbox.messages, postbox.recipients
    assert message["Subject"] == "The Wire: 1 article, 1 December 2026"
    assert (message["From"], message["To"]) == ("desk@wire.example.org", "desk@wire.example.org")
    assert recipients == ["ann@example.org", "bob@example.org"]
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    text, markup = plain.get_content(), html.get_content()
    assert "WORLD" in text and "* Tide & <time> 1 (Harbour Post)" in text and "https://a.example/1" in text
    assert '<a href="https://a.example/1">Tide &amp; &lt;time&gt; 1</a>' in markup
    assert "Elsewhere" not in text + markup and "ann@example.org" not in str(message)
    assert logins == [True]
    assert message["Message-ID"].startswith("<digest-20261201-")


def test_a_password_goes_nowhere_without_tls_and_no_certificate_of_a_stranger_is_trusted(paper: Desk) -> None:
    postbox = Postbox()
    with server(postbox, ssl_context=certificate()) as port:
        digest(paper, f"smtps://127.0.0.1:{port}")
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        with pytest.raises(DeskError, match="can't be reached: .*certificate"):
            at(paper, MORNING)
    assert not postbox.messages


def test_once_a_day_over_restarts_refusals_and_clocks_that_are_set(paper: Desk) -> None:
    postbox = Postbox()
    with server(postbox) as port:  # without TLS, on this machine alone
        digest(paper, f"smtp://127.0.0.1:{port}")
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        at(paper, MORNING - timedelta(minutes=1))
        assert len(postbox.messages) == 0
        postbox.answer = lambda: "451 not now"
        with pytest.raises(DeskError, match="the mail server says 451"):
            at(paper, MORNING)
        postbox.answer = lambda: "250 OK"
        for minutes in (5, 6, 600, -30):  # tried again; then a restart; the evening; the clock is set back
            at(paper, MORNING + timedelta(minutes=minutes))
        assert len(postbox.messages) == 1
        at(paper, MORNING - timedelta(days=3))  # the clock is set back by days: what was sent stays so
        bring(paper, 2)
        at(paper, MORNING - timedelta(days=3, hours=-1))
        assert len(postbox.messages) == 1
        at(paper, MORNING - timedelta(days=2))
        assert len(postbox.messages) == 2
        at(paper, MORNING + timedelta(days=1))  # nothing came: no mail
        at(paper, MORNING + timedelta(days=400))  # forward, and back again
        bring(paper, 3)
        at(paper, MORNING + timedelta(days=2))
        at(paper, MORNING + timedelta(days=3))
    told = [message.get_body(("plain",)).get_content() for message in postbox.messages]  # type: ignore[union-attr]
    assert [next(line for line in text.splitlines() if line.startswith("* ")) for text in told] == [
        f"* Tide & <time> {number} (Harbour Post)" for number in (1, 2, 3)
    ]


def test_a_digest_that_was_cut_off_is_not_sent_again_and_the_next_has_what_it_held(
    paper: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    postbox = Postbox()
    with server(postbox) as port:
        digest(paper, f"smtp://127.0.0.1:{port}")
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        postbox.answer = lambda: (postbox.messages.append(EmailMessage()), "421 bye")[1]
        with monkeypatch.context() as killed:
            killed.setattr("smtplib.SMTP.send_message", cut_off)
            with pytest.raises(KeyboardInterrupt):
                at(paper, MORNING)
        postbox.answer = lambda: "250 OK"
        at(paper, MORNING + timedelta(minutes=5))
        assert postbox.messages == []
        bring(paper, 2)
        at(paper, MORNING + timedelta(days=1))
    [message] = postbox.messages
    assert message["Subject"].startswith("The Wire: 2 articles")


def cut_off(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_who_is_refused_keeps_nobody_else_from_it(paper: Desk, caplog: pytest.LogCaptureFixture) -> None:
    postbox = Postbox()
    postbox.refused = "ann@example.org"
    with server(postbox) as port:
        digest(paper, f"smtp://127.0.0.1:{port}")
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        at(paper, MORNING)
    assert postbox.recipients == [["bob@example.org"]]
    assert "does not take the digest for ann@example.org: 550" in caplog.text


@pytest.mark.parametrize(("zone", "hour"), [("Europe/Berlin", 6), ("UTC", 7), ("America/New_York", 12)])
def test_its_time_is_by_the_desks_zone(paper: Desk, zone: str, hour: int) -> None:
    postbox = Postbox()
    with server(postbox) as port:
        digest(paper, f"smtp://127.0.0.1:{port}")
        paper.settings = replace(paper.settings, timezone=zone)
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        due = MORNING.replace(hour=hour)
        at(paper, due - timedelta(minutes=1))
        assert not postbox.messages
        at(paper, due)
        assert len(postbox.messages) == 1


def test_a_title_can_be_no_header_and_no_markup(paper: Desk) -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: eve@example.org"
    article = replace(next(iter(articles(paper))), title=hostile, link='https://a.example/"><b>')
    digest(paper, "smtp://127.0.0.1")
    part = Part(title=hostile, url="https://w.example/", articles=[article])
    whole = compose([part], paper.settings, "1", MORNING).as_string()
    message = email.message_from_string(whole, policy=policy.default)
    assert message["Bcc"] is None
    html = message.get_body(("html",))  # type: ignore[attr-defined]
    assert "<script" not in html.get_content() and "<b>" not in html.get_content()


def articles(paper: Desk) -> list[Any]:
    bring(paper, 1)
    with paper.store.read() as tx:
        return list(tx.sections.filed_after(WORLD, 0, 5))


def test_what_can_not_be_sent_opens_an_alarm_until_it_is(paper: Desk) -> None:
    postbox = Postbox()
    with server(postbox) as port:
        digest(paper, f"smtp://127.0.0.1:{port}")
        at(paper, MORNING - timedelta(days=1))
        bring(paper, 1)
        postbox.answer = lambda: "554 no"
        assert not send_due(paper.store, paper.settings, paper.tree, ENVIRON, MORNING)
        with paper.store.read() as tx:
            assert [event.text for event in tx.events.open_of(["mail"], 5)] == [
                "the digest was not sent: the mail server says 554"
            ]
        postbox.answer = lambda: "250 OK"
        assert send_due(paper.store, paper.settings, paper.tree, ENVIRON, MORNING + timedelta(minutes=5))
        with paper.store.read() as tx:
            assert tx.events.open_of(["mail"], 5) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # 02:30 does not come on the one day, and twice on the other.
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (datetime(2027, 10, 31, 0, 29, tzinfo=UTC), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_where_the_hour_is_left_out_or_comes_twice_it_is_sent_once(
    paper: Desk, before: datetime, after: datetime
) -> None:
    postbox = Postbox()
    with server(postbox) as port:
        digest(paper, f"smtp://127.0.0.1:{port}", at="02:30")
        paper.settings = replace(paper.settings, timezone="Europe/Berlin")
        at(paper, before - timedelta(days=1))
        bring(paper, 1)
        at(paper, before)
        assert not postbox.messages
        for hours in (0, 1, 2):
            at(paper, after + timedelta(hours=hours))
        assert len(postbox.messages) == 1

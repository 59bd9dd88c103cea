"""The digest by mail: what came to sections since the last one, once a day. I/O: the store, an SMTP server.

A day counts as done when the server has taken the mail. It is noted before the mail is handed over, so that a desk
which dies in the middle sends none a second time: what that mail held comes with the next.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from feeds.configuration import Section, Settings
from feeds.dates import zone_of
from feeds.engine.startup import keep_event
from feeds.errors import DeskError, StoreError
from feeds.model import Article
from feeds.settings.config import missing, resolve
from feeds.store import Store
from feeds.text import plain
from feeds.urls import is_loopback

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
MOST_ARTICLES = 50
"""Articles of one section; the mail says how many more there are."""
SCANNED = 500
SUMMARY_CHARS = 240
OLD = timedelta(days=4)
"""An article that was published so long ago is no news, though it came since the last digest."""
DAY, TRIED, MARK = "digest_day", "digest_tried", "digest "


class Part(Struct, frozen=True, kw_only=True):
    """What came to one section; *more* articles than these."""

    title: str
    url: str
    articles: Sequence[Article]
    more: int = 0


def send_due(
    store: Store, settings: Settings, sections: Sequence[Section], environ: Mapping[str, str], now: datetime
) -> bool:
    """Do as `look` does; False where it is to be done again in a while, of which an alarm tells."""
    try:
        fault = None
        try:
            look(store, settings, sections, environ, now)
        except StoreError:
            raise
        except DeskError as error:
            log.error("%s", error)
            fault = error
        keep_event(store, "mail", "digest", fault, now=now)
    except StoreError as error:
        log.error("the digest waits for the store: %s", error)
        return False
    return fault is None


def look(
    store: Store, settings: Settings, sections: Sequence[Section], environ: Mapping[str, str], now: datetime
) -> None:
    """Send the digest where it is due. Raises DeskError where it can't be sent and is to be tried again."""
    local = now.astimezone(zone_of(settings.timezone))
    today, passed = local.date().toordinal(), f"{local:%H:%M}" >= settings.digest.at
    with store.read() as tx:
        day, tried = tx.counters.value(DAY), tx.counters.value(TRIED)
    if not day:  # the first time: begin with what comes from now on
        _note(store, {DAY: today if passed else today - 1} | _parts(store, settings, sections, now)[1])
    elif day > today:  # the clock was set back
        _note(store, {DAY: today})
    elif passed and day < today and tried == today:
        log.warning("a digest may have been lost when it was handed over: what it held comes with the next")
        _note(store, {DAY: today})
    elif passed and day < today:
        parts, marks = _parts(store, settings, sections, now)
        if parts:
            with store.read() as tx:
                message = compose(parts, settings, tx.configs.desk_id(), now)
            _send(store, message, settings, environ, today)
        _note(store, {DAY: today} | marks)


def _note(store: Store, values: Mapping[str, int]) -> None:
    with store.write() as tx:
        for name, value in values.items():
            tx.counters.put(name, value)


def _parts(
    store: Store, settings: Settings, sections: Sequence[Section], now: datetime
) -> tuple[list[Part], dict[str, int]]:
    """What came to each section since the last digest, and the marks up to which that goes: by the numbers of filings,
    for a clock may be set.
    """
    titles = {section.path: section.title for section in sections} | {"": settings.title}
    parts, marks = [], {}
    with store.read() as tx:
        for path in settings.digest.sections or ("",):
            state, mark = tx.sections.get(path), tx.counters.value(MARK + path)
            if state is None:
                continue
            marks[MARK + path] = state.filed + 1  # 0 is of a section that no digest has told of yet
            came = tx.sections.filed_after(path, mark - 1, SCANNED) if mark else ()
            news = [article for article in came if article.rank_at > now - OLD]
            if news:
                url = f"{settings.base_url}/{path}"
                more = max(0, len(news) - MOST_ARTICLES)
                parts.append(Part(title=titles.get(path, path), url=url, articles=news[:MOST_ARTICLES], more=more))
    return parts, marks


# ------------------------------------------------------------------ the mail


def compose(parts: Sequence[Part], settings: Settings, desk_id: str, now: datetime) -> EmailMessage:
    """Return the mail that tells of *parts*, plain and as HTML; its id is the same all day. Pure."""
    local = now.astimezone(zone_of(settings.timezone))
    count = sum(len(part.articles) + part.more for part in parts)
    host = urlsplit(settings.base_url).hostname or "localhost"
    sender = _sender(settings)
    message = EmailMessage()
    noun = "article" if count == 1 else "articles"
    message["Subject"] = f"{_line(settings.title)}: {count} {noun}, {local.day} {local:%B %Y}"
    message["From"] = sender
    # Whoever gets it does not learn who else does.
    message["To"] = settings.digest.to[0] if len(settings.digest.to) == 1 else sender
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<digest-{local:%Y%m%d}-{desk_id}@{host}>"
    message["List-Id"] = f"<digest.{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_plain(part, settings) for part in parts) + f"\n\n-- \n{settings.base_url}/\n")
    body = "".join(_html(part, settings) for part in parts)
    message.add_alternative(
        f'<!DOCTYPE html><html lang="{escape(settings.language)}"><body>{body}'
        f'<p><a href="{escape(settings.base_url)}/">{escape(settings.title)}</a></p></body></html>',
        subtype="html",
    )
    return message


def _sender(settings: Settings) -> str:
    return settings.digest.sender or settings.contact.removeprefix("mailto:")


def _link(article: Article, settings: Settings) -> str:
    return article.link or f"{settings.base_url}/article/{article.id}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _summary(article: Article) -> str:
    text = _line(plain(article.summary or article.content))
    return text if len(text) <= SUMMARY_CHARS else text[:SUMMARY_CHARS].rpartition(" ")[0] + " …"


def _plain(part: Part, settings: Settings) -> str:
    lines = [part.title.upper(), part.url]
    for article in part.articles:
        source = f" ({_line(article.source_name)})" if article.source_name else ""
        parts = (f"* {_line(article.title) or 'Untitled'}{source}", _summary(article), _link(article, settings))
        lines.append("\n  ".join(line for line in parts if line))
    return "\n\n".join([*lines, *([f"and {part.more} more"] if part.more else [])])


def _html(part: Part, settings: Settings) -> str:
    items = []
    for article in part.articles:
        title = escape(_line(article.title) or "Untitled")
        source = f" <small>{escape(_line(article.source_name))}</small>" if article.source_name else ""
        summary = f"<br>{escape(text)}" if (text := _summary(article)) else ""
        items.append(f'<li><a href="{escape(_link(article, settings))}">{title}</a>{source}{summary}</li>')
    more = f"<p>and {part.more} more</p>" if part.more else ""
    return f'<h2><a href="{escape(part.url)}">{escape(part.title)}</a></h2><ul>{"".join(items)}</ul>{more}'


# ------------------------------------------------------------------ its way


def _send(store: Store, message: EmailMessage, settings: Settings, environ: Mapping[str, str], today: int) -> None:
    """Hand *message* over. What the server says no to may be sent again; whether silence meant a no nobody knows."""
    try:
        session = _connect(settings.digest.server, environ)
    except (OSError, smtplib.SMTPException) as error:
        raise _no(error) from error
    try:
        _note(store, {TRIED: today})
        refused = session.send_message(message, from_addr=_sender(settings), to_addrs=list(settings.digest.to))
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        _note(store, {TRIED: 0})
        raise _no(error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _no(error) from error
    finally:
        with suppress(OSError, smtplib.SMTPException):
            session.quit()
    for recipient, (code, _) in refused.items():
        log.warning("the mail server does not take the digest for %s: %d", recipient, code)
    log.info("sent the digest to=%d refused=%d", len(settings.digest.to), len(refused))


def _no(error: Exception) -> DeskError:
    """What is told of *error*: never what a server answered to a password."""
    code = getattr(error, "smtp_code", None)
    cause = f"the mail server says {code}" if code else f"the mail server: {error.__class__.__name__}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        cause = f"the mail server can't be reached: {error.strerror or error}"
    return DeskError(f"the digest was not sent: {cause}", remedy="look at `digest:` in wiredesk.yaml")


def _connect(server: str, environ: Mapping[str, str]) -> smtplib.SMTP:
    """A session over TLS, logged in. Raises OSError, SMTPException, and DeskError where there is no TLS to be had."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if lacking := missing(server, environ):
        raise DeskError(f"the digest needs the environment variable {lacking[0]}", remedy="set it and start again")
    context = ssl.create_default_context()
    session: smtplib.SMTP
    if parts.scheme == "smtps":
        session = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        session = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
    try:
        session.ehlo()
        if parts.scheme == "smtp":
            _begin_tls(session, host, context)
        if parts.username:
            user, password = (resolve(unquote(one or ""), environ) for one in (parts.username, parts.password))
            session.login(user, password)
    except BaseException:
        session.close()
        raise
    return session


def _begin_tls(session: smtplib.SMTP, host: str, context: ssl.SSLContext) -> None:
    """Go on over TLS. Raises DeskError where *host* offers none and is not this machine."""
    if session.has_extn("starttls"):
        session.starttls(context=context)
    elif not is_loopback(host):
        raise DeskError(f"the mail server {host} offers no TLS", remedy="write smtps://, or name one that has STARTTLS")

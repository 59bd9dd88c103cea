"""Letters (`.eml`, RFC 5322) as articles: subject, sender, date, text. Part of `parse`, behind `documents`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from feeds.errors import ParseError
from feeds.model import ParsedEntry, Person, RawText
from feeds.parse.plain import read_plain

_HEADER = re.compile(
    rb"(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Reply-To|Sender|"
    rb"DKIM-Signature|X-[\w-]+|List-[\w-]+):",
    re.IGNORECASE,
)
_NEEDED = (
    re.compile(rb"^From:", re.I | re.M),
    re.compile(rb"^(?:Subject|Date|Message-ID|Received|MIME-Version):", re.I | re.M),
)
_PREFIX = re.compile(r"^(?:(?:fwd?|wg|re|aw|tr|rv)\s*:\s*)+", re.IGNORECASE)
_SIGNATURE = re.compile(r"\n-- ?\n[\s\S]{0,2000}\Z")
_TRAILER = re.compile(r"\n_{10,}\n[\s\S]{0,2000}\Z")


def is_letter(body: bytes) -> bool:
    """Tell whether *body* begins with the headers of a letter."""
    head = re.split(rb"\r?\n\r?\n", body[:65_536].lstrip(), maxsplit=1)[0]
    return bool(_HEADER.match(head)) and all(needed.search(head) for needed in _NEEDED)


def read_letter(body: bytes, *, decode: Callable[[bytes], str], name: str) -> ParsedEntry:
    """Return the article that the letter *body* holds; its HTML part counts before its plain one.

    *decode* reads the bytes of a text whose charset is not told. Attached files are left alone. Raises ParseError
    where there is no text.
    """
    try:
        letter = message_from_bytes(body, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        html = _part(letter, "html", decode)
        plain = _part(letter, "plain", decode)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError(f"{name} is a damaged letter: {error}", remedy="save the letter again") from error
    if not html and not plain:
        raise ParseError(f"{name} is a letter without text", remedy="save its text as a file of its own")
    title = _PREFIX.sub("", _header(letter, "subject")) or None
    if plain:
        plain = _TRAILER.sub("", _SIGNATURE.sub("", plain.replace("\r\n", "\n")))
    entry = read_plain(plain, title=title) if plain else ParsedEntry()
    return replace(
        entry,
        entry_id=_header(letter, "message-id").strip("<> ") or None,
        title=RawText(value=title) if title else entry.title,
        content=RawText(value=html, type="html") if html else entry.content,
        authors=_senders(letter) or entry.authors,
        published=_header(letter, "date") or entry.published,
        language=_header(letter, "content-language").partition(",")[0] or None,
    )


def _part(letter: EmailMessage, kind: str, decode: Callable[[bytes], str]) -> str:
    part = letter.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = part.get_content_charset()
    try:
        return raw.decode(charset) if charset else decode(raw)
    except (LookupError, UnicodeDecodeError):
        return decode(raw)


def _header(letter: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(letter.get(name) or "").split())
    except (ValueError, TypeError, AttributeError, IndexError):
        return ""  # a header that the parser cannot make sense of says nothing


def _senders(letter: EmailMessage) -> tuple[Person, ...]:
    try:
        addresses = letter["from"].addresses if letter["from"] is not None else ()
    except (ValueError, TypeError, AttributeError, IndexError):
        return ()
    # A letter's address is its sender's own and is not republished.
    return tuple(Person(name=address.display_name or address.username) for address in addresses if address.addr_spec)

"""Letters: from a mailbox on a server (IMAP4rev1, RFC 3501; IDLE, RFC 2177), or from a Maildir. I/O: network, files.

Nothing is ever deleted, and a letter is marked as read only where that is asked for. What was taken is remembered by
the mailbox's own numbers, so that it makes no difference who else reads there.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email import message_from_bytes
from email.utils import getaddresses
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from feeds.configuration import FetchSettings
from feeds.errors import FetchBlocked, FetchError
from feeds.fetch.folder import MAX_LOOK_BYTES, Look, look
from feeds.fetch.guard import Guard
from feeds.fetch.resolver import Lookup, system_lookup
from feeds.urls import masked

PORTS = (143, 993)
MOST_LETTERS = 50
"""Letters that one look brings; the first look takes the newest of them."""
MAX_HEAD_BYTES = 65_536
IDLE_S = 25 * 60.0
"""How long a connection waits for letters before it is renewed: servers end it after half an hour (RFC 2177)."""
IDLE_STEP_S = 5.0
_STATE = re.compile(r"(\d+):(\d+)\Z")
_LIST = re.compile(r"<([^<>\s]+)>")


class Letters(Struct, kw_only=True):
    """What a look into a mailbox brought: letters by their number, *state* for the next look, whether there are *more*.

    *passed_over* counts letters of senders that are not allowed, *too_large* those with too many bytes.
    """

    found: list[tuple[int, bytes]] = field(default_factory=list)
    state: str = ""
    more: bool = False
    passed_over: int = 0
    too_large: int = 0


def guard_of(settings: FetchSettings) -> Guard:
    """The rule for servers of mail: their own ports, and whatever config opens."""
    return Guard((*PORTS, *settings.ports), settings.allow_private)


def is_allowed(head: bytes, senders: Sequence[str]) -> bool:
    """Whether the letter with the headers *head* is from one of *senders*: patterns of addresses, or ``list:ID``."""
    letter = message_from_bytes(head[:MAX_HEAD_BYTES])
    froms = letter.get_all("from", [])
    addresses = [address for _, address in getaddresses(list(map(str, froms))) if "@" in address]
    sender = addresses[0].lower() if len(addresses) == 1 else ""
    listed = _LIST.search(str(letter.get("list-id", "")))
    names = [sender, f"list:{listed[1].lower()}" if listed else ""]
    return any(name and fnmatchcase(name, pattern.lower()) for name in names for pattern in senders)


def look_into_maildir(
    folder: Path, maildir: str, known: Sequence[int], senders: Sequence[str], *, mark_read: bool, now: datetime
) -> Look:
    """What `feeds.fetch.folder.look` finds in the letters of *maildir* (``new`` and ``cur``), of *senders* alone.

    Raises FetchError where it is no Maildir.
    """
    seen = look(folder, f"{maildir.rstrip('/')}/[cn][eu][rw]/*", known, now=now)
    if not (folder / maildir / "cur").is_dir():
        raise FetchError(
            f"{maildir} is no Maildir: it has no folder cur", url="mail:", kind="soft", remedy="correct `mail:`"
        )
    seen.found = [file for file in seen.found if is_allowed(file.body, senders)]
    for file in seen.found if mark_read else ():
        _mark_read(folder / file.name)
    return seen


def _mark_read(path: Path) -> None:
    """Mark a letter of a Maildir as seen, which its name says."""
    base, _, flags = path.name.partition(":2,")
    if "S" not in flags:
        name = f"{base}:2,{''.join(sorted({*flags, 'S'}))}"
        with suppress(OSError):
            os.rename(path, path.parent.parent / "cur" / name)


def fetch_letters(
    url: str,
    state: str,
    senders: Sequence[str],
    *,
    settings: FetchSettings,
    mark_read: bool = False,
    lookup: Lookup = system_lookup,
) -> Letters:
    """Fetch the letters of *senders* that came to the mailbox *url* after *state*, which an earlier look gave.

    Raises FetchError, without a word of what the password is.
    """
    with _mapped(url), _opened(url, settings, lookup, readonly=not mark_read) as (client, chosen):
        validity = int(chosen.get(b"UIDVALIDITY", 0))
        match = _STATE.match(state)
        last = int(match[2]) if match and int(match[1]) == validity else 0
        uids = sorted(uid for uid in client.search(["UID", f"{last + 1}:*"]) if uid > last)
        taken = uids[:MOST_LETTERS] if last else uids[-MOST_LETTERS:]
        letters = Letters(state=f"{validity}:{last}")
        for uid in taken:
            if sum(len(body) for _, body in letters.found) > MAX_LOOK_BYTES:
                break
            _take(client, uid, senders, letters, settings.max_body_bytes, mark_read=mark_read)
            letters.state = f"{validity}:{uid}"
        letters.more = bool(uids) and not letters.state.endswith(f":{uids[-1]}")
        return letters


def _take(client: Any, uid: int, senders: Sequence[str], letters: Letters, most_bytes: int, *, mark_read: bool) -> None:
    """Fetch one letter where its sender is allowed and its size is."""
    facts = client.fetch([uid], ["RFC822.SIZE", "BODY.PEEK[HEADER]"]).get(uid)
    if facts is None:
        return  # somebody took it out a moment ago
    if not is_allowed(facts.get(b"BODY[HEADER]", b""), senders):
        letters.passed_over += 1
        return
    if facts.get(b"RFC822.SIZE", 0) > most_bytes:
        letters.too_large += 1
        return
    body = client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {}).get(b"BODY[]")
    if body:
        letters.found.append((uid, body))
        if mark_read:
            client.add_flags([uid], [b"\\Seen"], silent=True)


def wait_for_letters(
    url: str, *, settings: FetchSettings, stopped: Callable[[], bool], lookup: Lookup = system_lookup
) -> bool:
    """Wait until a letter comes to the mailbox *url*: True then, False where the time is over or the server can't tell.

    Raises FetchError.
    """
    with _mapped(url), _opened(url, settings, lookup, readonly=True) as (client, _):
        if not client.has_capability("IDLE"):
            return False
        client.idle()
        for _ in range(int(IDLE_S / IDLE_STEP_S)):
            if stopped():
                break
            if any(len(told) > 1 and told[1] == b"EXISTS" for told in client.idle_check(timeout=IDLE_STEP_S)):
                client.idle_done()
                return True
        client.idle_done()
        return False


@contextmanager
def _opened(
    url: str, settings: FetchSettings, lookup: Lookup, *, readonly: bool
) -> Iterator[tuple[Any, dict[bytes, Any]]]:
    """A session with the mailbox *url*, and what the server said when it was chosen."""
    import imapclient  # a tenth of a second, for desks that read mail

    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "imaps"
    port = parts.port or (993 if secure else 143)
    address = _allowed(host, port, url, settings, lookup)
    named: Any = _Named(ssl.create_default_context(), host)
    client = imapclient.IMAPClient(
        address, port, ssl=secure, ssl_context=named if secure else None, timeout=settings.timeout_s
    )
    try:
        if not secure:
            _begin_tls(client, named, url, open=_is_opened(address, port, settings))
        client.login(unquote(parts.username or ""), unquote(parts.password or ""))
        chosen = client.select_folder(unquote(parts.path.strip("/")) or "INBOX", readonly=readonly)
        yield client, chosen
    finally:
        with suppress(Exception):
            client.logout()


def _begin_tls(client: Any, named: Any, url: str, *, open: bool) -> None:
    """Go on over TLS; without it only where config opens the address."""
    if client.has_capability("STARTTLS"):
        client.starttls(named)
    elif not open:
        raise FetchError("the mail server offers no encryption", url=masked(url), kind="hard", remedy="write imaps://")


class _Named:
    """A TLS context for a server that is connected to by its address, and known by its name."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._context, self._name = context, name

    def wrap_socket(self, socket: Any, server_hostname: str | None = None) -> ssl.SSLSocket:
        return self._context.wrap_socket(socket, server_hostname=self._name)


def _allowed(host: str, port: int, url: str, settings: FetchSettings, lookup: Lookup) -> str:
    """The address of *host* to connect to. Raises FetchBlocked where config allows none."""
    try:
        addresses = lookup(host)
    except OSError as error:
        raise FetchError(f"no address for {host}", url=masked(url), remedy="correct `mail:` of this source") from error
    guard = guard_of(settings)
    refusals = [guard.refusal(address, port) for address in addresses]
    for address, refusal in zip(addresses, refusals, strict=True):
        if refusal is None:
            return address
    cause = next(filter(None, refusals), f"no address for {host}")
    remedy = f"add {addresses[0] if addresses else host}:{port} to fetch.allow_private in wiredesk.yaml if it is yours"
    raise FetchBlocked(cause, url=masked(url), kind="hard", remedy=remedy)


def _is_opened(address: str, port: int, settings: FetchSettings) -> bool:
    """Whether the address is one of this network's own that config opens."""
    return Guard((), settings.allow_private).refusal(address, port) is None


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Raise what goes wrong as FetchError. What a server says is shortened, and a refused login not quoted at all."""
    from imapclient import exceptions  # where mailboxes are asked alone

    shown = masked(url)
    try:
        yield
    except FetchError:
        raise
    except exceptions.LoginError as error:
        remedy = "correct user or password: the password comes from ${NAME} in the environment"
        raise FetchError("the mail server refuses the login", url=shown, kind="hard", remedy=remedy) from error
    except ssl.SSLError as error:
        raise FetchError(f"no safe connection to the mail server: {error.reason}", url=shown, kind="soft") from error
    except (OSError, EOFError) as error:
        raise FetchError(f"the mail server can't be reached: {error}", url=shown) from error
    except (exceptions.IMAPClientError, ValueError, TypeError, KeyError) as error:
        raise FetchError(f"the mail server answers oddly: {str(error)[:200]}", url=shown, kind="soft") from error

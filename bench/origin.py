"""Thousands of distinct feeds made of real ones, and a server on loopback that gives them, for the benches.

Every feed made is another newspaper: hosts of its own, and words that no other has (letters are replaced by others,
vowels by vowels, and letters beyond ASCII by their neighbours), so that its articles are no copies of another's. Words
that stand in most of the real feeds (the, and, how) stay, as do markup, dates, sizes and mistakes.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.development import archived

_TEXT = re.compile(
    rb"(<(title|description|content:encoded|summary|content|media:title|media:description)\b[^>]*>)(.*?)(</\2>)", re.S
)
_KEPT = re.compile(rb"<!\[CDATA\[|\]\]>|<[^>]*>|&lt;[^&]*(?:&(?!gt;)[^&]*)*&gt;|&[#\w]{1,10};|https?://[^\s<>\"']+")
_WORD = re.compile(rb"[A-Za-z]{2,}")
_BEYOND = re.compile("[^\x00-\u024f]+")
_URL = re.compile(rb"(https?://)([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
_NAMESPACE = re.compile(rb"xmlns(?::[\w.-]+)?\s*=\s*[\"']https?://([A-Za-z0-9.-]+)")
_ITEM = re.compile(rb"<(item|entry)\b.*?</\1>", re.S)
_MARK = re.compile(rb"(<(guid|id|link)\b[^>]*>\s*(?:<!\[CDATA\[)?)([^<\]]+)|(<link\b[^>]*?href=[\"'])([^\"']+)", re.S)

NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_timeout 0; sendfile on; default_type application/xml;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=8192; root {root}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Cipher:
    """Which letter stands for which: a table of bytes, and the *turn* of letters beyond ASCII within their 64."""

    table: bytes
    turn: int

    def beyond(self, text: bytes) -> bytes:
        """*text* with its letters beyond Latin replaced, where it is UTF-8."""
        if text.isascii():
            return text
        try:
            return _BEYOND.sub(self._turned, text.decode()).encode()
        except UnicodeDecodeError:
            return text

    def _turned(self, match: re.Match[str]) -> str:
        turned = ((one, chr(ord(one) ^ self.turn)) for one in match[0])
        return "".join(other if one.isalpha() and other.isalpha() else one for one, other in turned)


def _cipher(dice: random.Random) -> Cipher:
    table = bytearray(range(256))
    for group in (b"aeiou", b"bcdfghjklmnpqrstvwxyz"):
        mixed = list(group)
        dice.shuffle(mixed)
        for one, other in zip(group, mixed, strict=True):
            table[one] = other
            table[one - 32] = other - 32
    return Cipher(bytes(table), dice.randrange(1, 64))


def common_words(bodies: list[bytes]) -> frozenset[bytes]:
    """The words that stand in most of the feeds, in lower case."""
    held = Counter(word for body in bodies for word in set(_WORD.findall(body.lower())))
    return frozenset(word for word, count in held.items() if count * 2 > len(bodies))


def _reworded(text: bytes, cipher: Cipher, common: frozenset[bytes]) -> bytes:
    def other(match: re.Match[bytes]) -> bytes:
        return match[0] if match[0].lower() in common else match[0].translate(cipher.table)

    parts, at = [], 0
    for kept in _KEPT.finditer(text):
        parts += [cipher.beyond(_WORD.sub(other, text[at : kept.start()])), kept[0]]
        at = kept.end()
    return b"".join([*parts, cipher.beyond(_WORD.sub(other, text[at:]))])


def feed_like(body: bytes, number: int, common: frozenset[bytes]) -> bytes:
    """Feed *number*, made of the real feed *body*; the words *common* stay."""
    cipher = _cipher(random.Random(number))
    namespaces = set(_NAMESPACE.findall(body)) | {b"www.w3.org", b"purl.org"}

    def host(match: re.Match[bytes]) -> bytes:
        return match[0] if match[2] in namespaces else b"%sn%d.%s" % (match[1], number, match[2])

    moved = _URL.sub(host, body)
    return _TEXT.sub(lambda match: match[1] + _reworded(match[3], cipher, common) + match[4], moved)


def with_one_more(body: bytes, number: int, common: frozenset[bytes]) -> bytes:
    """*body* with one new entry on top: the first one in other words, under another id and address."""
    first = _ITEM.search(body)
    if first is None:
        raise ValueError("a feed without items")
    cipher = _cipher(random.Random(-1 - number))

    def other(match: re.Match[bytes]) -> bytes:
        head, old = (match[1], match[3]) if match[1] else (match[4], match[5])
        address, hash_sign, fragment = old.rstrip().partition(b"#")
        return head + address + (b"&amp;" if b"?" in address else b"?") + b"late=%d" % number + hash_sign + fragment

    fresh = _MARK.sub(other, _TEXT.sub(lambda m: m[1] + _reworded(m[3], cipher, common) + m[4], first[0]))
    return body[: first.start()] + fresh + b"\n" + body[first.start() :]


class Newsstand:
    """*count* feeds below *folder*, 1,000 a folder, as nginx serves them."""

    def __init__(self, folder: Path, archive: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        samples = [body for _, body in archived(archive) if _ITEM.search(body)]
        self._common = common_words(samples)
        made = time.time() - 7 * 86400
        for number in range(count):
            path = self.path(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(feed_like(samples[number % len(samples)], number, self._common))
            _date(path, made)
        self._changes = 0

    def path(self, number: int) -> Path:
        """The file of feed *number*."""
        return self.folder / str(number // 1000) / f"{number}.xml"

    def change(self, share: float) -> int:
        """Put a new entry on top of every feed in a *share* of all; how many that are."""
        self._changes += 1
        step = round(1 / share)
        changed = range(self._changes % step, self.count, step)
        for number in changed:
            path = self.path(number)
            path.write_bytes(with_one_more(path.read_bytes(), number * 1000 + self._changes, self._common))
            _date(path, time.time() - 86400 + self._changes * 60)
        return len(changed)


def _date(path: Path, at: float) -> None:
    os.utime(path, (at, at))


@contextmanager
def nginx(root: Path, work: Path) -> Iterator[int]:
    """nginx on loopback over *root*, each answer on a connection of its own as from distinct hosts; its port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise SystemExit("nginx is missing; run bench/setup")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = work / "nginx.conf"
    config.write_text(NGINX.format(folder=work, root=root, port=port))
    server = subprocess.Popen([program, "-c", str(config), "-p", str(work)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()

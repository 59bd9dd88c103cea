"""An origin that goes on publishing, as a newspaper does: a growing feed with honest validators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.fetch.origin import Exchange, Origin

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
WORDS = "harbour council tide ferry lantern chart crew rope anchor gull pier storm chapel market bell lamp".split()


class Publisher:
    """One feed at *path* of *origin*; `publish` puts an entry on top, at most *window* stay in the feed."""

    def __init__(
        self, origin: Origin, path: str = "/feed.xml", *, window: int = 500, name: str = "Tidings", author: str = ""
    ) -> None:
        self.name = name
        self.author = author
        self.path = path
        self._window = window
        self._items: list[tuple[int, str, str]] = []
        origin.add(path, self._answer)
        self.url = origin.url(path)

    def publish(self, title: str, text: str = "") -> int:
        """Put an entry on top; returns its number."""
        number = len(self._items) + 1
        # Articles that share no words: else they would be taken for copies of one another.
        said = " ".join(f"{word}{self.path.strip('/')[:3]}{number}" for word in WORDS)
        self._items.append((number, title, text or said))
        return number

    @property
    def etag(self) -> str:
        return f'"{self.path}-{len(self._items)}"'

    def body(self) -> bytes:
        author = f"<dc:creator xmlns:dc='http://purl.org/dc/elements/1.1/'>{self.author}</dc:creator>" * bool(
            self.author
        )
        items = "".join(
            f"<item><title>{title}</title><link>https://tidings.example{self.path}/{number}</link>"
            f"<guid isPermaLink='false'>{self.path}-{number}</guid>"
            f"<pubDate>{format_datetime(BEGIN + timedelta(minutes=number))}</pubDate>"
            f"<description>{text}</description>{author}</item>"
            for number, title, text in reversed(self._items[-self._window :])
        )
        return (
            f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{self.name}</title>'
            f"<link>https://tidings.example/</link><description>-</description>{items}</channel></rss>"
        ).encode()

    def _answer(self, exchange: Exchange) -> None:
        etag = self.etag
        if exchange.seen.header("if-none-match") == etag:
            exchange.answer(304, ETag=etag)
        else:
            exchange.answer(200, self.body(), ETag=etag, Content_Type="application/rss+xml")

"""Which pictures of real feeds' texts become the pictures of their articles, in every format and on the card.

    python bench/pictures.py [--data FILE ...] [--left N]

FILE holds feeds as files or in archives. An entry counts whose text, made safe, has a picture in it; it is whole where
RSS, Atom, JSON Feed and the card of the section's page name a picture. Names N entries that are left, with their first
picture: they are to be judged by eye, for not all of them are pictures of anything. Exits with 0 in any case.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.parse import documents  # noqa: E402
from feeds.configuration import Source  # noqa: E402
from feeds.errors import ParseError  # noqa: E402
from feeds.model import FORMATS, Article, Entry  # noqa: E402
from feeds.normalise import normalise  # noqa: E402
from feeds.parse import parse  # noqa: E402
from feeds.players import informs_a_player  # noqa: E402
from feeds.render import DeskContext  # noqa: E402
from feeds.store.hydrate import allowed  # noqa: E402
from tests.development import REAL_FEEDS, SHARED_DATA  # noqa: E402
from tests.render.documents import render_fragment  # noqa: E402

DATA = [REAL_FEEDS, SHARED_DATA / "feeds" / "fastfeedparser_integration.tar.gz"]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DESK = DeskContext(base_url="https://wire.example.org")


def entries(path: Path) -> Iterator[Entry]:
    """The entries of every feed in *path*, each feed at an address that is not its articles'."""
    for number, (name, body) in enumerate(documents(path)):
        url = f"https://cdn.example.org/{number}.xml"
        try:
            feed = parse(body, url=url)
        except ParseError:
            continue
        source = Source(key=name, name=name, kind="feed", target=url, id=1)
        yield from normalise(
            feed, source=source, url=url, received_at=NOW, desk_language="en", desk_timezone="UTC"
        ).entries


def shown_in(entry: Entry) -> set[str]:
    """The places that name a picture of *entry*, of a source whose summaries may be shown: formats, and the card."""
    summary, content = allowed(entry, "summary")
    article = Article(
        uid="urn:uuid:00000000-0000-4000-8000-000000000001",
        link=entry.link,
        title=entry.title,
        summary=summary,
        content=content,
        published=NOW,
        updated=NOW,
        rank_at=NOW,
        image=entry.image,
    )
    places = set()
    for format in FORMATS:
        body = render_fragment(article, format, desk=DESK).decode()
        if format == "json":
            named = "image" in json.loads(body)
        else:
            named = re.search(r"<media:(?:content|thumbnail)\b[^>]* url=", body) is not None
        if named:
            places.add(format)
    # A film's still is on no card: its host would learn of every reader. Its article is shown as a link.
    if entry.image is not None and not informs_a_player(entry.image.url, entry.link):
        places.add("card")
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="*", default=DATA)
    parser.add_argument("--left", type=int, default=40)
    arguments = parser.parse_args()
    for path in arguments.data:
        with_picture, everywhere, films, empty, left = 0, 0, 0, 0, []
        total = 0
        for entry in entries(path):
            total += 1
            text = entry.summary + entry.content
            empty += not text and entry.image is None and not entry.enclosures
            if "<img " not in text:
                continue
            with_picture += 1
            places = shown_in(entry)
            film = entry.image is not None and informs_a_player(entry.image.url, entry.link)
            films += film
            everywhere += len(places) + film == len(FORMATS) + 1
            if entry.image is None:
                first = re.search(r'<img [^>]*src="([^"]*)', text)
                left.append(f"{entry.title[:50]}: {unescape(first[1])[:100] if first else ''}")
        share = everywhere / with_picture if with_picture else 1.0
        print(f"{path.name}: {total} entries; {empty} say nothing, {with_picture} have a picture in their text")
        print(f"  {everywhere} ({share:.1%}) have it in all formats and on the card, {films} of them a film's still")
        for line in left[: arguments.left]:
            print(f"  left: {line}")


if __name__ == "__main__":
    main()

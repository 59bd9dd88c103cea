"""How far the desk reads feeds as others expect: ids, links, titles and dates beside published expectations.

    python bench/agree.py --data DIR [--verbose]

DIR holds archives of feeds (`*.xml`, `*.json`) each with an expectation of the same name (`*.json`,
`*.expected.json`), in the forms of gofeed and fastfeedparser. A field counts where the expectation states it. Prints a
table, and with --verbose each disagreement. Exits with 0 whatever the shares are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.dates import parse_date  # noqa: E402
from feeds.errors import ParseError  # noqa: E402
from feeds.parse import parse  # noqa: E402
from feeds.parsed import ParsedEntry, ParsedFeed, RawText  # noqa: E402
from feeds.text import plain  # noqa: E402
from tests.development import SHARED_DATA, archived  # noqa: E402

ARCHIVES = ("gofeed_testdata.tar.gz", "fastfeedparser_integration.tar.gz")
FIELDS = ("entries", "id", "link", "title", "published", "updated")


def pairs(archive: Path) -> Iterator[tuple[str, bytes, Any]]:
    """Documents with what they are expected to say."""
    files = dict(archived(archive))
    for name, body in sorted(files.items()):
        stem = name.removesuffix(".xml") if name.endswith(".xml") else name.removesuffix(".json")
        expected = stem + (".json" if name.endswith(".xml") else ".expected.json")
        if expected in files and expected != name:
            yield name, body, json.loads(files[expected])


def compare(body: bytes, expected: Any) -> Iterator[tuple[str, object, object, bool]]:
    """(field, ours, expected, whether they agree), for every field that is stated."""
    wanted = expected.get("items") or expected.get("entries") or []
    try:
        feed = parse(body, url="")
    except ParseError as error:
        yield "entries", str(error), len(wanted), not wanted
        return
    yield "entries", len(feed.entries), len(wanted), len(feed.entries) == len(wanted)
    for entry, one in zip(feed.entries, wanted, strict=False):
        yield from _compare_entry(feed, entry, one)


def _compare_entry(feed: ParsedFeed, entry: ParsedEntry, wanted: Any) -> Iterator[tuple[str, object, object, bool]]:
    guid = wanted.get("guid")
    entry_id = (guid.get("value") if isinstance(guid, dict) else guid) or wanted.get("id")
    if isinstance(entry_id, str) and entry_id.strip():
        yield "id", entry.entry_id, entry_id, entry.entry_id == entry_id.strip()
    link = _link(feed, wanted)
    if link:
        yield "link", entry.link, link, entry.link == link.strip()
    if isinstance(title := wanted.get("title"), str) and title.strip():
        ours = _plain(entry.title)
        yield "title", ours, title, ours in (" ".join(title.split()), plain(title))
    for field, names in (
        ("published", ("publishedParsed", "pubDateParsed", "published")),
        ("updated", ("updatedParsed", "updated")),
    ):
        text = next((wanted[name] for name in names if isinstance(wanted.get(name), str)), None)
        moment = parse_date(text, UTC) if text else None
        if moment is not None:
            ours_utc = _moment(entry, field)
            yield field, ours_utc, moment, ours_utc is not None and abs(ours_utc - moment) < timedelta(seconds=1)


def _link(feed: ParsedFeed, wanted: Any) -> Any:
    link = wanted.get("link")
    if not isinstance(link, str) or not link.strip():
        links = [one for one in wanted.get("links") or () if isinstance(one, dict)]
        link = next((one.get("href") for one in links if one.get("rel", "alternate") == "alternate"), None)
    return link


def _moment(entry: ParsedEntry, field: str) -> datetime | None:
    """The date that a reader would see: where an entry says only when it was updated, that."""
    if field == "published" and entry.published is not None:
        return parse_date(entry.published, UTC)
    return parse_date(entry.updated, UTC) if entry.updated else None


def _plain(text: RawText | None) -> str:
    if text is None:
        return ""
    return " ".join(text.value.split()) if text.type == "text" else plain(text.value)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=SHARED_DATA / "feeds")
    arguments.add_argument("--verbose", action="store_true")
    options = arguments.parse_args()
    print(f"{'archive':36} {'field':10} {'stated':>7} {'agree':>7} {'share':>7}")
    for archive in (options.data / name for name in ARCHIVES):
        if not archive.exists():
            print(f"{archive.name}: not in {options.data}")
            continue
        stated, agreed = Counter[str](), Counter[str]()
        for name, body, expected in pairs(archive):
            for field, ours, theirs, agree in compare(body, expected):
                stated[field] += 1
                agreed[field] += agree
                if options.verbose and not agree:
                    print(f"  {name}: {field}: {str(ours)[:100]!r}, expected {str(theirs)[:100]!r}")
        for field in FIELDS:
            if stated[field]:
                share = agreed[field] / stated[field]
                print(f"{archive.name:36} {field:10} {stated[field]:7} {agreed[field]:7} {share:7.1%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

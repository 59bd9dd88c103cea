"""Identity replayed on months of polls of real news feeds: retitled, redated, dropped and shown again."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feeds.comparable import comparable_url
from feeds.dedupe import Window
from feeds.errors import UrlError
from tests.dedupe.conftest import Desk, entry
from tests.development import json_rows

POLLS = 40
"""So many moments of each feed's months are replayed."""


def said_at(item: dict, moment: float, name: str, variants: str):
    """What the item said then: its variants one after the other over its life."""
    life = max(item["last_seen"] - item["first_seen"], 1)
    several = [item[name], *item[variants]]
    return several[min(int((moment - item["first_seen"]) / life * len(several)), len(several) - 1)]


def shown(item: dict, moment: float):
    try:
        address = comparable_url(item["link"])
    except UrlError:
        address = None
    return entry(
        item["guid"] or item["link"],
        title=said_at(item, moment, "title", "title_variants"),
        link=address,
        published=datetime.fromtimestamp(said_at(item, moment, "pub", "pub_variants"), UTC) if item["pub"] else None,
    )


@pytest.mark.shared_data
@pytest.mark.parametrize("window", [True, False], ids=["as the desk runs", "identity alone"])
def test_no_article_of_a_real_feed_is_doubled_resurfaces_or_loses_its_id(shared_data: Path, window: bool) -> None:
    items: dict[str, list[dict]] = defaultdict(list)
    for item in json_rows(shared_data / "traces" / "rss_poll_items.jsonl.gz"):
        items[item["feed"]].append(item)
    polls: dict[str, list[float]] = defaultdict(list)
    for line in json_rows(shared_data / "traces" / "rss_poll_log.jsonl.gz"):
        polls[line["feed"]].append(line["t"])
    retitled = redated = 0
    for feed, some in items.items():
        desk = Desk()
        uid_of: dict[str, str] = {}
        titles: dict[str, str] = {}
        dates: dict[str, datetime | None] = {}
        moments = sorted(polls[feed])[:: max(1, len(polls[feed]) // POLLS)]
        for moment in moments:
            here = [item for item in some if item["first_seen"] <= moment <= item["last_seen"]]
            entries = [shown(item, moment) for item in here]
            entries = list({each.key: each for each in entries}.values())
            if not window:
                desk.window = Window()
            for said, decision in zip(entries, desk.poll(1, *entries), strict=True):
                before = uid_of.get(said.key)
                if before is None:
                    uid_of[said.key] = decision.article_uid
                else:
                    assert decision.article_uid == before, said
                    if titles[said.key] != said.title:
                        assert decision.kind == "updated", (titles[said.key], said.title)
                        retitled += 1
                    elif dates[said.key] != said.published:
                        assert decision.kind == "seen"
                        redated += 1
                titles[said.key], dates[said.key] = said.title, said.published
        articles = len(set(uid_of.values()))
        assert articles >= 0.98 * len(uid_of), feed  # the rest: one article under two ids
    assert retitled > 100 and redated > 100

"""What a line credits: the first publisher, only somebody's part or picture, or nothing."""

from __future__ import annotations

import pytest

from feeds.parse.line_kinds import credit, dateline_credit


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("Source: Harbour Post", "Harbour Post"),
        ("Quelle: dpa", "dpa"),
        ("(Reuters)", "Reuters"),
        ("By AFP", "AFP"),
        ("mit dpa", "dpa"),
        ("This article originally appeared on Harbour Post.", "Harbour Post"),
        ("The post A ferry at last first appeared on Harbour Post .", "Harbour Post"),
        ("The article Two ferries appeared first on Harbour Post.", "Harbour Post"),
        ("Follow us, and write to us. Originally published on Harbour Post.", "Harbour Post"),
        ("(Image credit: Harbour Post)", None),
        ("Photo credit: Ann Doe", None),
        ("Image source: Harbour Post", None),
        ("Credit: Ann Doe/Xinhua/ZUMA", None),
        ("AFP/Getty Images", None),
        ("agencies.", None),
        ('source = "quay/harbour"', None),
        ("via 10.3.1.254, eth0, weight 1", None),
        ("via an offering of debentures due 2012", None),
        ("originally published by the yard in 1992", None),
        ("source-validation disable", None),
    ],
)
def test_who_is_credited_by_a_line(line: str, origin: str | None) -> None:
    found = credit(line)
    assert (found.origin.name if found and found.origin else None) == origin


@pytest.mark.parametrize(
    ("lead", "agency"),
    [
        ("HARBOUR CITY, June 19 (Reuters) - The council", "Reuters"),
        ("Kiel (dpa/lno) – Der Rat", "dpa"),
        ("AP - The council wants a ferry", "AP"),
        ("AP photo - the harbour", None),
        ("The council (of the harbour) - or most of it", None),
    ],
)
def test_who_is_credited_by_a_dateline(lead: str, agency: str | None) -> None:
    assert dateline_credit(lead) == agency

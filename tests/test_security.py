"""What docs/security.md and docs/holds.md promise is shown by tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/security.md", "docs/holds.md")
NAMED = re.compile(r"`((?:tests|bench)/[\w/]+\.py)(?:::(\w+))?[^`]*`")


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_is_named_exists(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text())
    assert len(named) > 5
    for file, test in named:
        assert (ROOT / file).is_file(), file
        assert not test or re.search(rf"^ *def {test}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{test}"


def test_each_row_of_the_table_names_a_test() -> None:
    rows = [line for line in (ROOT / "docs/security.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows:
        promise = row.rstrip("| ").rpartition(" | ")[2]
        assert promise in ("---", "Shown by") or NAMED.search(promise), row


def test_links_to_the_pages_lead_somewhere() -> None:
    for page in ("SECURITY.md", "docs/security.md"):
        for target in re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text()):
            assert (ROOT / page).parent.joinpath(target).is_file(), target

"""`wiredesk token`: what it prints opens the section; the database knows no token."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from feeds.cli.subscribers import token
from tests.publish.desk import Desk, published
from tests.publish.test_private import SECTIONS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "news", "Ann"], "everybody may read news"),
        (["add", "nowhere", "Ann"], "there is no section 'nowhere'"),
        (["add", "paid", " "], "that is no name"),
        (["add", "paid", "Ann", "--expires", "soon"], "--expires 'soon' is no day"),
        (["add", "paid", "Ann", "--expires", "2020-01-31"], "is over"),
        (["revoke", "paid", "Ann"], "has no token for paid"),
        (["list", "nope"], "there is no section 'nope'"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    with published(tmp_path) as desk:
        desk.accept(SECTIONS)
        assert said in str(run(tmp_path, *arguments).exception)


def test_a_token_is_printed_once_and_opens_its_section_until_it_is_revoked(tmp_path: Path) -> None:
    with published(tmp_path) as desk:
        desk.accept(SECTIONS)
        desk.bring([1], paths=("paid",))
        desk.render()
        printed = run(tmp_path, "add", "/paid/", "Ann Lee", "--expires", "30d").output
        found = re.search(r"https://wire\.example\.org(/paid\.atom)\?(token=[0-9]+-[A-Za-z0-9_-]{32})\n", printed)
        assert found is not None
        assert opens(desk, *found.groups())
        assert "Ann Lee" in (listed := run(tmp_path, "list").output) and found[2][6:] not in listed
        assert "Ann Lee" not in run(tmp_path, "list", "other").output
        secret = found[2].partition("-")[2].encode()
        desk.store.backup(tmp_path / "copy")
        assert secret not in (tmp_path / "copy").read_bytes()
        assert "has a token" in str(run(tmp_path, "add", "paid", "Ann Lee").exception)
        assert "can't read paid" in run(tmp_path, "revoke", "paid", "Ann Lee").output
        assert not opens(desk, *found.groups())


def run(data: Path, *arguments: str):
    return CliRunner().invoke(token, [*arguments, "--data", str(data)])


def opens(desk: Desk, path: str, query: str) -> bool:
    return desk.get(path, query=query).status == 200

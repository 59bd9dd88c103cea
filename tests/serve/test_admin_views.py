"""Errors shown against their lines, with nothing secret in what is shown."""

from __future__ import annotations

import pytest

from feeds.serve.admin_views import config_faults
from feeds.store.values import Event
from tests.serve.conftest import NOW

FILE = """- name: One
  url: https://me:hunter2@example.org/feed?api_key=abc123
  headers: {Authorization: "Bearer hunter2", Accept: x}
- name: Two
  headers:
    X-Any: hunter2
    Authorization: >
      hunter2
  section: nwes
"""


def event(*lines: str) -> Event:
    return Event(id="urn:uuid:1", kind="config", subject="files", text="\n".join(lines), remedy="", at=NOW)


@pytest.mark.parametrize("line", range(1, 10))
def test_no_line_shows_a_secret(tmp_path, line):
    (tmp_path / "sources.yaml").write_text(FILE)
    [found] = config_faults(event(f"sources.yaml:{line}:3: wrong"), tmp_path)
    shown = "\n".join(one.text for one in found.lines)
    assert "hunter2" not in shown and "abc123" not in shown
    assert [one.number for one in found.lines if one.wrong] == [line]


def test_what_is_no_secret_is_shown(tmp_path):
    (tmp_path / "sources.yaml").write_text(FILE)
    [found] = config_faults(event("sources.yaml:9:12: no section 'nwes'; did you mean 'news'?"), tmp_path)
    assert found.lines[-1].text == "  section: nwes" and found.text.startswith("no section")


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/passwd", "desk.sqlite3", "absent.yaml"])
def test_only_config_files_are_read(tmp_path, name):
    (tmp_path / "config").mkdir()
    (tmp_path / "secret.yaml").write_text("hunter2\n")
    [found] = config_faults(event(f"{name}:1:1: wrong"), tmp_path / "config")
    assert found.lines == ()
    assert config_faults(event("config/sources.yaml is not there"), None)[0].text == "config/sources.yaml is not there"

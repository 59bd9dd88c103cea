"""Config files in which much is wrong, or alike: told in a hundred lines, and no slower than they are long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from feeds.settings import ConfigErrors, first_lines, load_config

SECTIONS = "news: {title: News}\n"


def judged(folder: Path, sections: str, sources: str, opml: str = "") -> tuple[list[str], float]:
    (folder / "sections.yaml").write_text(sections)
    (folder / "sources.yaml").write_text(sources)
    (folder / "list.opml").write_text(f'<opml version="2.0"><body>{opml}</body></opml>')
    began = time.process_time()
    try:
        config = load_config(folder, {})
        told = [source.name for source in config.sources]
    except ConfigErrors as errors:
        told = first_lines(errors.errors)
    return told, time.process_time() - began


@pytest.mark.parametrize(
    "wrong",
    ["timezone: Europe/Nowhere{n}", "language: zzzzzzzzz{n}", "section: nope{n}", "full_text: ful{n}", "sectoin: x{n}"],
)
def test_a_hundred_errors_are_told_and_a_count_and_all_of_them_cost_little(tmp_path: Path, wrong: str) -> None:
    def sources(count: int) -> str:
        one = "- name: S{n}\n  url: https://e{n}.example/feed\n  " + wrong + "\n"
        return "".join(one.replace("{n}", str(n)) for n in range(count))

    right = sources(5000).replace(wrong.partition(":")[0], "enabled").replace("enabled: ", "enabled: true #")
    _, plain_s = judged(tmp_path, SECTIONS, right)
    told, wrong_s = judged(tmp_path, SECTIONS, sources(5000))
    assert len(told) == 101
    assert told[-1] == "and 4,900 more"
    assert wrong_s < 10 * plain_s


def test_names_that_are_all_alike_in_a_list_cost_no_more_than_others(tmp_path: Path) -> None:
    def feeds(title: str) -> str:
        return "".join(
            f'<outline text="{title.replace("#", str(n))}" xmlUrl="https://e.example/{n}"/>' for n in range(5000)
        )

    _, plain_s = judged(tmp_path, SECTIONS, "- opml: list.opml\n", feeds("Feed #"))
    names, alike_s = judged(tmp_path, SECTIONS, "- opml: list.opml\n", feeds("Feed"))
    assert len(set(names)) == 5000
    assert names[:3] == ["Feed", "Feed (e.example)", "Feed (e.example 2)"]
    assert alike_s < 5 * plain_s


@pytest.mark.parametrize("odd", ["/dev/zero", "/proc/self/environ", "pipe"])
def test_a_list_that_is_no_plain_file_is_refused_at_once(tmp_path: Path, odd: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    told, _ = judged(tmp_path, SECTIONS, f"- opml: {odd}\n")
    assert len(told) == 1
    assert "sources.yaml:1:" in told[0] and "can't read" in told[0]


def test_a_config_file_that_is_a_pipe_is_an_error_and_no_wait(tmp_path: Path) -> None:
    (tmp_path / "sections.yaml").write_text(SECTIONS)
    os.mkfifo(tmp_path / "sources.yaml")
    with pytest.raises(ConfigErrors, match="no plain file"):
        load_config(tmp_path, {})

"""In what two configs differ, in words."""

from __future__ import annotations

from dataclasses import replace

from feeds.configuration import Match, Section, Settings, Source, Term
from feeds.settings import Config, differences
from feeds.settings.config import digest_of


def made(*sources: str, title: str = "Wire", paths: tuple[str, ...] = (), line: int = 1) -> Config:
    settings = Settings(title=title)
    match = Match(any=(Term(field="title", values=("flood",), line=line),))
    sections = tuple(Section(path=path, title=path, match=match) for path in paths)
    all_ = tuple(
        Source(key=name, name=name.upper(), kind="feed", target=f"https://{name}.example/?token=secret", line=line)
        for name in sources
    )
    return Config(settings=settings, sections=sections, sources=all_, digest=digest_of(settings, sections, all_))


def test_equal_configs_differ_in_nothing_whatever_their_lines() -> None:
    assert differences(made("a", paths=("news",)), made("a", paths=("news",), line=7)) == ()


def test_each_file_is_a_line_with_few_names_and_no_address() -> None:
    accepted = made("a", "b", "c", "d", "e", paths=("news", "sport"))
    files = made("a", "f", title="Other", paths=("news", "arts"))
    changed = replace(files, sources=(replace(files.sources[0], target="https://z.example/"), files.sources[1]))
    assert differences(accepted, changed) == (
        "wiredesk.yaml: other title",
        "sections.yaml: 1 section more (arts); 1 section fewer (sport)",
        "sources.yaml: 1 source more (F); 4 sources fewer (B, C, D and 1 more); 1 source changed (A)",
    )


def test_an_order_alone_is_a_difference_too() -> None:
    assert differences(made("a", "b"), made("b", "a")) == ("the order of sections or sources",)

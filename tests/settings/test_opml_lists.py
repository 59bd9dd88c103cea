# ruff: noqa: E501 - lines as they are printed
"""Lists of other readers: as a source in config, and as config lines."""

from pathlib import Path

import pytest

from feeds.configuration import Section, Source
from feeds.errors import ConfigError
from feeds.settings import load_config
from feeds.settings.opml_lists import opml_to_lines
from tests.development import archived
from tests.settings.conftest import SOURCES, Folder

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Mine</title></head><body>
<outline text="World"><outline type="rss" text="Quay" title="The Quay" xmlUrl="https://quay.example/rss"/></outline>
<outline text="news/world">
  <outline type="rss" text="Pier" xmlUrl="https://pier.example/rss?a=1&amp;b=2" htmlUrl="https://pier.example/"/>
</outline>
<outline text="News"><outline text="World"><outline text="Mole" xmlUrl="https://mole.example/"/></outline></outline>
<outline text="Gardening"><outline text="Rose" xmlUrl="https://rose.example/"/></outline>
<outline text="Loose" xmlUrl="https://loose.example/"/>
</body></opml>
"""


def test_a_folder_that_means_a_section_files_its_feeds_there(folder: Folder):
    folder.write("list.opml", LIST)
    folder.write("sources.yaml", SOURCES + "- opml: list.opml\n  full_text: link\n  interval_s: 900\n")
    config = folder.load()
    assert [(source.name, source.target, source.section) for source in config.sources[1:]] == [
        ("The Quay", "https://quay.example/rss", "news/world"),
        ("Pier", "https://pier.example/rss?a=1&b=2", "news/world"),
        ("Mole", "https://mole.example/", "news/world"),
        ("Rose", "https://rose.example/", None),
        ("Loose", "https://loose.example/", None),
    ]
    assert {(source.kind, source.full_text, source.interval_s, source.line) for source in config.sources[1:]} == {
        ("feed", "link", 900, 4)
    }
    assert [str(warning) for warning in config.warnings] == [
        "sources.yaml:4:9: 1 feed of 'list.opml' in the folder 'Gardening' belongs to no section; "
        "rules file what it brings, or it is unfiled; name the folder as a section, or write `section:` here",
        "sources.yaml:4:9: 1 feed of 'list.opml' outside any folder belongs to no section; "
        "rules file what it brings, or it is unfiled; name the folder as a section, or write `section:` here",
    ]


def test_a_feed_keeps_its_identity_when_the_reader_renames_it(folder: Folder):
    folder.write("sources.yaml", "- opml: list.opml\n  section: news\n")
    folder.write("list.opml", LIST)
    before = {source.target: source.key for source in folder.load().sources}
    folder.write("list.opml", LIST.replace("The Quay", "Quayside"))
    assert {source.target: source.key for source in folder.load().sources} == before


def test_a_title_that_two_sections_have_files_nothing(folder: Folder):
    folder.write("sections.yaml", "a: {sections: {w: {title: World}}}\nb: {sections: {w: {title: World}}}\n")
    folder.write("list.opml", LIST)
    folder.write("sources.yaml", "- opml: list.opml\n")
    assert {source.section for source in folder.load().sources} == {None}


def test_feeds_that_cannot_be_taken_are_told_and_left_out(folder: Folder):
    folder.write(
        "list.opml",
        '<opml><body>\n<outline text="A" xmlUrl="ftp://a.example"/>\n<outline text="H" xmlUrl="https://harbour.example/feed"/>'
        '\n<outline text="Harbour" xmlUrl="https://b.example/"/></body></opml>',
    )
    folder.write("sources.yaml", SOURCES + "- {opml: list.opml, section: news}\n")
    assert folder.warnings() == [
        "sources.yaml:4:10: list.opml:2: 'ftp://a.example' has the scheme 'ftp'; this feed is left out",
        "sources.yaml:4:10: 1 feed of 'list.opml' is a source already; the first one holds",
    ]
    assert [source.name for source in folder.load().sources] == ["Harbour", "Harbour (b.example)"]


BROKEN = [
    ("", "list.opml: an empty file; export the list again"),
    ("<opml><body></opml>", "list.opml:1:20: no XML: "),
    ("<opml>\n<body><outline></body></opml>", "list.opml:2:23: no XML: a tag that is not closed; export the list again, or mend this line"),
    ("<rss><channel/></rss>", "list.opml:1:1: an XML document <rss>, no <opml>; this looks like a feed: write it as `url:`"),
    ("name,url\n", "list.opml:1:1: no XML: "),
    ('<!DOCTYPE opml [<!ENTITY a "b">]><opml/>', "list.opml:1:1: a list that declares entities; export it again without a DTD"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_broken_list_is_an_error_of_its_own_line_and_of_the_line_that_names_it(folder: Folder, text: str, said: str):
    folder.write("list.opml", text)
    folder.write("sources.yaml", SOURCES + "- opml: list.opml\n")
    first, second = folder.errors()
    assert first.startswith(said)
    assert second.startswith("sources.yaml:4:9: opml: 'list.opml' is no list of feeds; see ")


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("Q&A", "Q&A"),
        ("a < b", "a < b"),
        ('the "new" one', 'the "new" one'),
        ("x &amp; y & z", "x & y & z"),
        ("A&nbsp;B", "A&nbsp;B"),
    ],
)
def test_a_title_that_was_never_escaped_is_read_and_told(folder: Folder, title: str, meant: str):
    folder.write(
        "list.opml",
        f'<opml><body>\n<outline text="{title}" description="{title}" type="rss" xmlUrl="https://a.example/?b=1&c=2"/>\n</body></opml>',
    )
    folder.write("sources.yaml", "- {opml: list.opml, section: news/world}\n")
    (source,) = folder.load().sources
    assert (source.name, source.target) == (meant, "https://a.example/?b=1&c=2")
    (warning,) = folder.warnings()
    assert warning.startswith("sources.yaml:1:10: opml: 'list.opml': line 2 is no XML: ")


def test_entities_neither_grow_nor_reach_files(tmp_path: Path):
    (tmp_path / "secret").write_text("geheim")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    for dtd, use in (
        (f'<!ENTITY l0 "ha">{laughs}', "&l11;"),
        (f'<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">', "&x;"),
    ):
        body = f'<!DOCTYPE opml [{dtd}]><opml><body><outline text="{use}" xmlUrl="https://a.example/"/></body></opml>'
        with pytest.raises(ConfigError):
            opml_to_lines([("list.opml", body.encode())])


def test_lines_are_ready_to_paste(folder: Folder):
    lines = opml_to_lines([("list.opml", LIST.encode())], sections=[Section(path="news/world", title="World")]).text
    assert lines == (
        "# World\n- name: The Quay\n  url: https://quay.example/rss\n  section: news/world\n"
        "\n# news/world\n- name: Pier\n  url: https://pier.example/rss?a=1&b=2\n  section: news/world\n"
        "\n# News > World\n- name: Mole\n  url: https://mole.example/\n  section: news/world\n"
        "\n# Gardening\n- name: Rose\n  url: https://rose.example/\n"
        "\n# outside any folder\n- name: Loose\n  url: https://loose.example/\n"
    )
    folder.write("sources.yaml", lines)
    assert len(folder.load().sources) == 5


def test_lines_hold_whatever_a_list_does(folder: Folder):
    titles = [
        "no",
        "Q: what?",
        "# one",
        '"quoted"',
        "a\nb",
        "'",
        "- x",
        "é&lt;b&gt;",
        "*",
        "1e3",
        "",
        "{a}",
        "💡",
        "\\n",
    ]
    outlines = "".join(
        f'<outline text="{title.replace(chr(34), "&quot;")}" xmlUrl="https://h{n}.example/#&quot;:{n} "/>'
        for n, title in enumerate(titles)
    )
    body = f'<opml><body><outline text="a&#10;- x: y">{outlines}</outline></body></opml>'
    folder.write("sources.yaml", opml_to_lines([("list.opml", body.encode())]).text)
    names = [source.name for source in folder.load().sources]
    assert names == ["no", "Q: what?", "# one", '"quoted"', "a b", "'", "- x", "é<b>", "*", "1e3", "h10.example", "{a}",
                     "💡", "\\n"]  # fmt: skip


def test_a_feed_listed_twice_comes_once_and_a_name_used_twice_is_made_unique(folder: Folder):
    body = (
        '<opml><body><outline text="A" xmlUrl="https://a.example/"/><outline text="B" xmlUrl="https://a.example/"/>'
        '<outline text="A" xmlUrl="https://b.example/"/><outline text="a" xmlUrl="https://b.example/2"/>'
        '<outline text="C" xmlUrl="nonsense"/></body></opml>'
    )
    assert opml_to_lines([("list.opml", body.encode())]).text == (
        '- name: A\n  url: https://a.example/\n- name: "A (b.example)"\n  url: https://b.example/\n'
        "- name: \"a (b.example 2)\"\n  url: https://b.example/2\n# left out, C: 'nonsense' has no https:// in front\n"
    )


def test_lists_are_taken_beside_each_other_and_beside_what_is_there():
    first = b'<opml><body><outline text="Quay" xmlUrl="https://quay.example/"/></body></opml>'
    second = (
        b'<opml><body><outline text="Sea"><outline text="quay" xmlUrl="https://other.example/"/>'
        b'<outline text="Quay again" xmlUrl="https://QUAY.example:443/"/><outline text="Pier" xmlUrl="https://pier.example/"/>'
        b"</outline></body></opml>"
    )
    present = [Source(key="p", name="Pier", kind="feed", target="https://pier.example/")]
    made = opml_to_lines([("a.opml", first), ("b.opml", second)], present=present)
    assert made.text == (
        "- name: Quay\n  url: https://quay.example/\n\n# Sea\n"
        '- name: "quay (other.example)"\n  url: https://other.example/\n'
    )
    assert (made.sources, made.known, made.refused) == (2, 1, 0)


@pytest.mark.shared_data
def test_every_real_list_becomes_sources_without_an_error(tmp_path: Path, shared_data: Path):
    feeds = 0
    all_lists = [one for one in archived(shared_data / "feeds" / "feed_lists.tar.gz") if one[0].endswith(".opml")]
    for number, (name, body) in enumerate(all_lists):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "sections.yaml").write_text("news: {title: News}\n")
        (folder / "sources.yaml").write_text(opml_to_lines([(name, body)]).text)
        pasted = load_config(folder, {})
        (folder / "list.opml").write_bytes(body)
        (folder / "sources.yaml").write_text("- opml: list.opml\n")
        listed = load_config(folder, {})
        assert {source.target for source in listed.sources} <= {source.target for source in pasted.sources}
        feeds += len(pasted.sources)
    assert len(all_lists) > 50
    assert feeds > 700
    made = opml_to_lines(all_lists)
    (tmp_path / "sections.yaml").write_text("news: {title: News}\n")
    (tmp_path / "sources.yaml").write_text(made.text)
    assert len(load_config(tmp_path, {}).sources) == made.sources > 700


def test_keys_that_a_list_can_not_have_are_errors_and_no_more(folder: Folder) -> None:
    folder.write("list.opml", LIST)
    folder.write("sources.yaml", '- opml: list.opml\n  id: a\n  name: A\n  from: ["*"]\n')
    assert folder.errors() == [
        "sources.yaml:2:7: id: means nothing beside opml; take it out",
        "sources.yaml:3:9: name: means nothing beside opml; take it out",
        "sources.yaml:4:9: from: means nothing beside opml; take it out",
    ]

"""The config folder as a whole: which files there must be, what each means, and what a good config gives."""

import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds import files
from feeds.configuration import Match, PollSettings, Section, Settings, Source, Term
from feeds.settings import Config, ConfigErrors, differences, fingerprint, load_config
from feeds.settings.config import digest_of
from tests.settings.conftest import SECTIONS, SOURCES, Folder


def test_without_wiredesk_yaml_all_defaults_hold(folder: Folder):
    assert folder.load().settings == Settings()


def test_all_three_files_give_settings_sections_and_sources(folder: Folder):
    folder.write("wiredesk.yaml", "title: The Wire\nbase_url: https://wire.example.org/desk/\npoll: {floor_s: 60}\n")
    config = folder.load()
    assert config.settings == Settings(
        title="The Wire",
        base_url="https://wire.example.org/desk",
        poll=PollSettings(floor_s=60),
    )
    assert config.sections == (
        Section(path="news", title="News", include_children=True),
        Section(path="news/world", title="World"),
    )
    assert config.sources == (
        Source(
            key="Harbour",
            name="Harbour",
            kind="feed",
            target="https://harbour.example/feed",
            section="news/world",
            line=1,
        ),
    )


@pytest.mark.parametrize("name", ["sections.yaml", "sources.yaml"])
def test_the_other_two_files_must_be_there(folder: Folder, name: str):
    (folder.path / name).unlink()
    assert folder.errors()[0] == (
        f"{name}: no such file; restore it; it may hold a comment alone where there is nothing to say"
    )


def test_files_of_comments_alone_are_a_desk_without_sources(folder: Folder):
    for name in ("wiredesk.yaml", "sections.yaml", "sources.yaml"):
        folder.write(name, "# nothing yet\n")
    config = folder.load()
    assert (config.settings, config.sections, config.sources) == (Settings(), (), ())
    assert folder.warnings() == ["sources.yaml: no sources; add one: `- name: …` and, below it, `url: …`"]


@pytest.mark.parametrize("name", ["wiredesk.yaml", "sections.yaml", "sources.yaml"])
def test_an_empty_file_is_taken_for_one_that_is_being_written(folder: Folder, name: str):
    folder.write(name, "")
    assert folder.errors()[0].startswith(f"{name}: an empty file; ")


@pytest.mark.parametrize("name", ["wiredesk.yaml", "sections.yaml"])
def test_the_other_ending_is_seen(folder: Folder, name: str):
    folder.write(name, "# x\n")
    (folder.path / name).rename((folder.path / name).with_suffix(".yml"))
    other = name.replace(".yaml", ".yml")
    assert folder.errors()[0] == f"{name}: no such file; there is {other}: rename it to {name}"


def test_a_folder_where_a_file_belongs_is_told(folder: Folder):
    (folder.path / "wiredesk.yaml").mkdir()
    assert folder.errors() == ["wiredesk.yaml: a folder of this name where a file belongs; move it away"]


def test_a_link_that_leads_nowhere_is_told(folder: Folder):
    (folder.path / "wiredesk.yaml").symlink_to(folder.path / "gone.yaml")
    assert folder.errors() == ["wiredesk.yaml: a link that leads nowhere; mend the link"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "no permission to read it; let the user that runs the desk read it"),
        (errno.EIO, "can't be read: input/output error; look at the disk"),
    ],
)
def test_a_file_that_the_system_will_not_read_is_told(folder: Folder, monkeypatch, number: int, said: str):
    # Root may read everything, so that the refusal has to be made.
    def read(path: Path, *, most_bytes: int) -> bytes:
        if path.name == "sections.yaml":
            raise OSError(number, os.strerror(number))
        return path.read_bytes()

    monkeypatch.setattr(files, "read_regular", read)
    assert folder.errors() == [f"sections.yaml: {said}"]


@pytest.mark.parametrize(("make", "said"), [(True, "no config in this folder"), (False, "no such folder")])
def test_a_wrong_folder_is_one_line(tmp_path: Path, make: bool, said: str):
    wrong = tmp_path / "conf"
    if make:
        wrong.mkdir()
    with pytest.raises(ConfigErrors) as caught:
        load_config(wrong, {})
    remedy = "name the folder that has sections.yaml and sources.yaml with --config"
    assert str(caught.value) == f"{wrong}: {said}; {remedy}"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Folder):
    before = folder.load()
    folder.write("sections.yaml", b"\xef\xbb\xbf" + SECTIONS.replace("\n", "\r\n").encode())
    assert replace(folder.load(), files="") == replace(before, files="")


def test_scalars_are_taken_as_written(folder: Folder):
    folder.write(
        "sections.yaml", "no: {title: No, language: no}\n007: {title: 1.0}\non: {title: ~}\nnull: {title: 2026-11-01}\n"
    )
    folder.write("sources.yaml", "# none\n")
    sections = folder.load().sections
    assert [(section.path, section.title) for section in sections] == [
        ("no", "No"),
        ("007", "1.0"),
        ("on", "~"),
        ("null", "2026-11-01"),
    ]
    assert sections[0].language == "no"


def test_sections_come_parents_first_in_the_order_of_the_file(folder: Folder):
    folder.write("sections.yaml", "b: {sections: {z: {sections: {q: {}}}, a: {}}}\na: {}\n")
    folder.write("sources.yaml", "# none\n")
    assert [section.path for section in folder.load().sections] == ["b", "b/z", "b/z/q", "b/a", "a"]


def test_a_section_without_title_is_called_by_its_key(folder: Folder):
    folder.write("sections.yaml", "middle-east: {}\n")
    folder.write("sources.yaml", "# none\n")
    assert folder.load().sections[0].title == "Middle east"


def test_anchors_and_merge_keys_repeat_what_is_written_once(folder: Folder):
    folder.write(
        "sources.yaml",
        "- &base {name: A, url: 'https://a.example/', full_text: full, priority: 3}\n"
        "- {<<: *base, name: B, url: 'https://b.example/', priority: 4}\n",
    )
    first, second = folder.load().sources
    assert (first.name, first.full_text, first.priority) == ("A", "full", 3)
    assert (second.name, second.full_text, second.priority) == ("B", "full", 4)


def test_aliases_that_would_fill_the_memory_are_refused_at_once(folder: Folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    folder.write("sections.yaml", "\n".join(lines) + "\n")
    assert folder.errors()[0] == "sections.yaml:1:1: aliases that blow the file up; write out what they repeat"


def test_an_anchor_that_holds_itself_is_refused(folder: Folder):
    folder.write("sections.yaml", "a: &a\n  title: A\n  sections: *a\n")
    assert folder.errors()[0].startswith("sections.yaml:1:4: an anchor that holds itself; ")


@pytest.mark.parametrize("text", ["[" * 50_000, "- " * 50_000, "{a: " * 50_000])
def test_bottomless_nesting_is_refused(folder: Folder, text: str):
    folder.write("sources.yaml", text)
    assert folder.errors() == ["sources.yaml: nested more than 200 deep; no config needs this"]


def test_each_kind_of_source_is_known_by_its_key(folder: Folder):
    folder.write(
        "sources.yaml",
        "- {name: A, url: 'https://a.example/'}\n- {name: B, page: 'https://b.example/'}\n"
        "- {name: C, sitemap: 'https://c.example/'}\n- {name: D, files: 'articles/*.txt', id: letters}\n",
    )
    sources = folder.load().sources
    assert [(source.kind, source.key) for source in sources] == [
        ("feed", "A"),
        ("page", "B"),
        ("sitemap", "C"),
        ("files", "letters"),
    ]
    assert sources[3].target == "articles/*.txt"


def test_rules_nest_and_lists_are_put_in(folder: Folder):
    folder.write(
        "sections.yaml",
        "lists:\n  nordic: [Sweden, Norway]\n  north: [$nordic, Scotland]\n"
        "a:\n  match:\n    any:\n      - keywords: [$north, $$x, $AAPL]\n      - {category: A, language: en}\n"
        "      - none: {author: Bot, origin: Wire}\n    all: {path: /a}\n"
        "b: {match: {category: B}}\nc: {match: [category: C, regex: x+y]}\n",
    )
    folder.write("sources.yaml", "# none\n")
    a, b, c = (section.match for section in folder.load().sections)
    assert a == Match(
        any=(
            Term(field="keywords", values=("Sweden", "Norway", "Scotland", "$x", "$AAPL"), line=7),
            Match(
                all=(Term(field="category", values=("A",), line=8), Term(field="language", values=("en",), line=8)),
            ),
            Match(none=(Term(field="author", values=("Bot",), line=9), Term(field="origin", values=("Wire",), line=9))),
        ),
        all=(Term(field="path", values=("/a",), line=10),),
    )
    assert b == Match(all=(Term(field="category", values=("B",), line=11),))
    assert c is not None and [term.field for term in c.any if isinstance(term, Term)] == ["category", "regex"]


def test_a_rule_nested_too_deep_is_refused(folder: Folder):
    rule = "{category: A}"
    for _ in range(30):
        rule = "{all: [" + rule + "]}"
    folder.write("sections.yaml", f"a: {{match: {rule}}}\n")
    folder.write("sources.yaml", "# none\n")
    (line,) = folder.errors()
    assert "a rule nested more than 16 deep; name parts of it as lists, or flatten it" in line


def test_the_environment_goes_before_the_file(folder: Folder):
    folder.write("wiredesk.yaml", "base_url: https://a.example\nfetch: {timeout_s: 7}\n")
    folder.environ = {
        "WIREDESK_BASE_URL": "https://b.example/",
        "WIREDESK_ALLOW_PRIVATE": "10.0.0.0/8, 127.0.0.1:8081",
        "WIREDESK_TITLE": " ",
    }
    settings = folder.load().settings
    assert settings.base_url == "https://b.example"
    assert settings.fetch.allow_private == ("10.0.0.0/8", "127.0.0.1:8081")
    assert settings.fetch.timeout_s == 7
    assert settings.title == "Wiredesk"


def test_a_wrong_variable_is_named(folder: Folder):
    folder.environ = {"WIREDESK_TIMEZONE": "Londn", "WIREDESK_TRUSTED_PROXIES": "10.0.0.0/8 x"}
    assert folder.errors() == [
        "environment: WIREDESK_TIMEZONE: 'Londn' is no time zone; did you mean 'Europe/London'?",
        "environment: WIREDESK_TRUSTED_PROXIES: 'x' is no network or address; "
        "write one such as 10.1.0.0/16 or 127.0.0.1",
    ]


def test_a_misspelt_variable_is_a_warning(folder: Folder):
    folder.environ = {"WIREDESK_BASEURL": "https://b.example", "WIREDESK_DATABASE": "x"}
    assert folder.warnings() == [
        "environment: the variable WIREDESK_BASEURL means nothing; did you mean 'WIREDESK_BASE_URL'?"
    ]


@pytest.mark.parametrize("change", ["edit", "remove", "swap"])
def test_any_change_of_a_file_changes_the_fingerprint(tmp_path: Path, change: str):
    # As Kubernetes mounts a config: files are links through a folder link that is exchanged at once.
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        real = Folder(tmp_path / version)
        real.write("list.opml", "<opml/>")
    (tmp_path / "data").symlink_to("v1")
    config = tmp_path / "config"
    config.mkdir()
    for name in ("sections.yaml", "sources.yaml", "list.opml"):
        (config / name).symlink_to(tmp_path / "data" / name)
    before = fingerprint(config, ["list.opml"])
    assert fingerprint(config, ["list.opml"]) == before
    if change == "edit":
        (tmp_path / "v1" / "list.opml").write_text("<opml> </opml>")
    elif change == "remove":
        (config / "sources.yaml").unlink()
    else:
        (tmp_path / "next").symlink_to("v2")
        (tmp_path / "next").replace(tmp_path / "data")
    assert fingerprint(config, ["list.opml"]) != before


def test_opml_files_are_known_for_watching_whether_the_config_holds_or_not(folder: Folder):
    folder.write("list.opml", "<opml><body/></opml>")
    folder.write("sources.yaml", SOURCES + "- opml: list.opml\n")
    assert folder.load().opml_files == ("list.opml",)
    folder.write("wiredesk.yaml", "titel: x\n")
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    assert caught.value.opml_files == ("list.opml",)


def test_a_folder_swapped_while_it_is_read_is_read_again_whole(tmp_path: Path, monkeypatch):
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        real = Folder(tmp_path / version)
        real.write("wiredesk.yaml", f"title: {version}\n")
        real.write("sources.yaml", SOURCES.replace("Harbour", version))
    (tmp_path / "data").symlink_to("v1")
    (tmp_path / "next").symlink_to("v2")
    read_as_ever = files.read_regular

    def read(path: Path, *, most_bytes: int) -> bytes:
        found = read_as_ever(path, most_bytes=most_bytes)
        if path.name == "wiredesk.yaml" and (tmp_path / "next").is_symlink():
            (tmp_path / "next").replace(tmp_path / "data")
        return found

    monkeypatch.setattr(files, "read_regular", read)
    config = load_config(tmp_path / "data", {})
    assert (config.settings.title, config.sources[0].name) == ("v2", "v2")


@pytest.mark.parametrize(
    ("tag", "good"),
    [
        ("en", True),
        ("pt-BR", True),
        ("zh-Hans-CN", True),
        ("es-419", True),
        ("de-1996", True),
        ("sl-rozaj", True),
        ("yue", True),
        ("e", False),
        ("en-", False),
        ("en_US", False),
        ("en-GB-", False),
        ("deutsch-x", False),
    ],
)
def test_a_language_tag_has_the_form_of_bcp_47(folder: Folder, tag: str, good: bool):
    folder.write("wiredesk.yaml", f"language: {tag}\n")
    if good:
        assert folder.load().settings.language == tag
    else:
        assert len(folder.errors()) == 1


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

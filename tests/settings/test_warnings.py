# ruff: noqa: E501 - lines as they are printed
"""What holds and is hardly meant: warnings, which never keep a config back."""

import pytest

from tests.settings.conftest import SOURCES, Folder

DESK = "wiredesk.yaml"
SECTIONS = "sections.yaml"
SOURCE = "- name: A\n  section: news/world\n  url: "

WARNINGS = [
    (
        DESK,
        "title: “The Wire”\n",
        "1:8: '“The Wire”' has its curly quotes in it; write straight ones (\") where none are meant",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {match: {keywords: 'ai, ml'}}}, include_children: yes}\n",
        "1:45: keywords: 'ai, ml' is one phrase; for any of its words write [ai, ml]",
    ),
    (
        DESK,
        "poll: {first_s: 60}\n",
        "1:17: poll.first_s 60 is outside floor_s and ceiling_s; new sources are asked every 300 s",
    ),
    (
        DESK,
        "fetch: {idle_s: 60}\n",
        "1:17: fetch.idle_s 60 is above fetch.timeout_s 30; the shorter one always comes first",
    ),
    (
        DESK,
        "publish: {indexnow: https://s.example/indexnow}\n",
        "1:10: publish.indexnow tells search engines of a desk that they can't reach;"
        " set base_url to the address under which everybody reads it",
    ),
    (
        DESK,
        "publish: {keep_articles: 10}\n",
        "1:26: publish.keep_articles 10 is below publish.entries 50; documents will hold 10 articles",
    ),
    (
        DESK,
        "base_url: http://wire.example.org\ncontact: a@b.example\n",
        "1:11: base_url 'http://wire.example.org' is not https; "
        "readers can be shown changed articles on the way; put TLS in front of the desk",
    ),
    (
        DESK,
        "base_url: https://wire.example.org\n",
        f"{DESK}: no `contact:`; give an address, so that sources can tell you of trouble",
    ),
    (
        DESK,
        "notify: {url: 'https://h.example/', secret: geheim}\n",
        "1:9: a secret in the file; write ${NAME} and set NAME in the environment",
    ),
    (DESK, "fetch: {ports: [443, 443]}\n", "1:22: '443' twice in one list; take one out"),
    (
        "sources.yaml",
        SOURCE + "https://a.example/\n  interval_s: 10\n",
        "4:15: interval_s 10 is below poll.floor_s; "
        "it is asked every 300 s; lower poll.floor_s in wiredesk.yaml to ask more often",
    ),
    ("sources.yaml", SOURCE + "https://a.example/#top\n", "3:8: '#top' is never sent to an origin; take it out"),
    (
        "sources.yaml",
        SOURCE + "https://me:geheim@a.example/\n",
        "3:8: a password in the file; write ${NAME} and set NAME in the environment",
    ),
    (
        "sources.yaml",
        SOURCE + "https://a.example/\n  headers: {Authorization: geheim}\n",
        "4:12: a secret in the file: Authorization; write ${NAME}, set NAME outside",
    ),
    (
        "sources.yaml",
        SOURCE + "https://a.example:8443/\n",
        "3:8: port 8443 is not open to fetches: it will never be asked; fetch.ports in wiredesk.yaml has 80 or 443; add 8443",
    ),
    (
        "sources.yaml",
        SOURCE + "http://10.0.0.1/\n",
        "3:8: 10.0.0.1 is a private address: it will never be asked; add 10.0.0.1:80 to fetch.allow_private in wiredesk.yaml",
    ),
    (
        "sources.yaml",
        "- name: A\n  section: news/world\n  files: letters/*.txt\n",
        "1:1: files: nothing is called 'letters/*.txt' yet; documents put there are taken",
    ),
    (
        "sources.yaml",
        "- name: A\n  section: news/world\n  files: letters\n",
        "1:1: files: 'letters' is a folder; write a pattern such as letters/*.txt",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes}\nalone: {}\n",
        "2:1: no source and no rule fills 'alone'; "
        "only breadcrumbs and categories of its name, or the learned classifier, can",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {include_children: yes}}, include_children: yes}\n",
        "1:45: 'news/world' has no sections below it; include_children does nothing here",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}}\n",
        "1:1: 'news' shows nothing of the sections below it; write include_children: true, if it should",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes, match: {source: Harbor}}\n",
        "1:1: the rule of 'news' asks for the source 'Harbor', which sources.yaml lacks; did you mean 'Harbour'?",
    ),
    (
        SECTIONS,
        "news:\n  sections: {world: {}}\n  include_children: yes\n  match:\n    category: A\n    none: {category: [a, b]}\n",
        "5:1: the rule of 'news' can never match: `none` leaves out all that `category` asks for; mend it",
    ),
    (
        SECTIONS,
        "news:\n  sections: {world: {}}\n  include_children: yes\n  match:\n    any: [{author: X}, {origin: Y}]\n    none: {author: x, origin: y}\n",
        "5:1: the rule of 'news' can never match: `none` leaves out all that `any` asks for; mend it",
    ),
    (
        SECTIONS,
        "news:\n  sections: {world: {}}\n  include_children: yes\n  match:\n    all: [{all: [language: en, language: fr]}]\n",
        "5:1: the rule of 'news' can never match: an article has one language, and two are asked for; mend it",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes, match: {category: [A, B]}}\ntop: {match: {category: [B, A]}, exclusive: yes, priority: 5}\n",
        "1:1: 'top' takes all that the rule of 'news' finds; 'top' is exclusive and goes first: change its priority or one of the rules",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes, match: {keywords: Tide}}\ntop: {match: {any: [{keywords: [tide, gale]}, {category: B}]}, exclusive: yes}\n",
        "1:1: 'top' takes all that the rule of 'news' finds; 'top' is exclusive and goes first: change its priority or one of the rules",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes, match: {category: B, language: en}, exclusive: yes}\nb: {match: {category: B}, exclusive: yes, priority: 1}\n",
        "1:1: 'b' takes all that the rule of 'news' finds; 'b' is exclusive and goes first: change its priority or one of the rules",
    ),
    (
        SECTIONS,
        "news: {sections: {world: {}}, include_children: yes, match: {none: {category: A}}}\n",
        "1:61: the rule of 'news' only says what to leave out; everything else is filed here",
    ),
]


@pytest.mark.parametrize(
    ("file", "text", "said"), WARNINGS, ids=[f"{file}-{text[-40:]!r}" for file, text, _ in WARNINGS]
)
def test_a_doubtful_setting_is_told_and_holds(folder: Folder, file: str, text: str, said: str):
    if said.startswith("1:1: files: 'letters'"):
        (folder.path / "letters").mkdir()
    folder.write(file, text)
    assert folder.warnings() == [said if said.startswith(file) else f"{file}:{said}"]


def test_a_private_address_that_is_allowed_is_no_warning(folder: Folder):
    folder.write(DESK, "fetch: {allow_private: ['10.0.0.0/8', '127.0.0.1:8081'], ports: [80, 443]}\n")
    folder.write(
        "sources.yaml",
        SOURCE + "http://10.0.0.1/\n" + SOURCES.replace("https://harbour.example", "http://127.0.0.1:8081"),
    )
    assert folder.warnings() == []


@pytest.mark.parametrize(
    "rule",
    [
        "{category: [A, B], none: {category: B}}",
        "{any: [{author: X}, {origin: Y}], none: {author: X}}",
        "{any: [{author: X}, {all: [origin: Y, author: Z]}], none: {author: X}}",
        "{all: [language: en, language: en-GB]}",
        "{all: [keywords: a, keywords: b]}",
        "{any: [language: en, language: fr]}",
        "{regex: Ab, none: {regex: ab}}",
        "{any: {category: A}, none: {keywords: A}}",
    ],
)
def test_a_rule_that_can_match_is_no_warning(folder: Folder, rule: str):
    folder.write(SECTIONS, f"news: {{sections: {{world: {{}}}}, include_children: yes, match: {rule}}}\n")
    assert folder.warnings() == []


@pytest.mark.parametrize(
    ("news", "top"),
    [
        ("match: {keywords: tide}", "match: {keywords: tide}"),  # nobody is exclusive
        ("match: {keywords: tide}, exclusive: yes", "match: {keywords: tide}"),  # it is the other that gets nothing
        ("match: {keywords: [tide, gale]}", "match: {keywords: tide}, exclusive: yes"),
        ("match: {keywords: tide}, priority: 1", "match: {keywords: tide}, exclusive: yes"),
        ("match: {keywords: tide}", "match: {keywords: tide, language: en}, exclusive: yes"),
        ("match: {keywords: tide}", "match: {any: {keywords: tide}, none: {author: X}}, exclusive: yes"),
        ("match: {any: [{keywords: tide}, {all: [author: X]}]}", "match: {keywords: tide}, exclusive: yes"),
    ],
)
def test_a_section_that_keeps_something_is_not_shadowed(folder: Folder, news: str, top: str):
    folder.write(SECTIONS, f"news: {{sections: {{world: {{}}}}, include_children: yes, {news}}}\ntop: {{{top}}}\n")
    assert not [warning for warning in folder.warnings() if "'top' takes all" in str(warning)]


def test_a_config_as_it_should_be_has_no_warnings(folder: Folder):
    assert folder.warnings() == []


def test_a_folder_that_is_not_there_is_guessed_at(folder: Folder):
    (folder.path / "articles").mkdir()
    folder.write("sources.yaml", "- {name: A, files: 'articels/*.txt', section: news/world}\n")
    [told] = folder.warnings()
    assert told.endswith("files: nothing is called 'articels/*.txt' yet; did you mean 'articles/*.txt'?")


def test_a_tilde_is_the_home_of_this_user(folder: Folder):
    folder.environ = {"HOME": "/home/wire"}
    folder.write("sources.yaml", "- {name: A, files: ~/letters/*.txt, follow: ~/more, section: news/world}\n")
    [source] = folder.load().sources
    assert (source.target, source.follow) == ("/home/wire/letters/*.txt", ("/home/wire/more",))

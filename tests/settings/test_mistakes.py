# ruff: noqa: E501 - lines as they are printed
"""Every kind of mistake has a line of its own: file, line, column, what is written, what to write instead."""

import pytest

from tests.settings.conftest import Folder

DESK, SECTIONS, SOURCES = "wiredesk.yaml", "sections.yaml", "sources.yaml"
SOURCE = "- name: A\n  url: https://a.example/\n"

MISTAKES = [
    (
        SECTIONS,
        "paid:\n  access: tokens\n  sections:\n    open: {access: public}\n",
        "4:20: 'paid/open' is public, and 'paid' above it takes tokens; "
        "move the section out of there, or take its `access:` away",
    ),
    (
        SOURCES,
        "- name: A\n  mail: mail/desk\n",
        '1:3: mail without `from:`; say whose letters are taken: from: ["*@council.example.org"], or ["*"] for everybody\'s',
    ),
    (
        SOURCES,
        "- name: A\n  mail: imaps://desk:pass@mail.example.org/INBOX\n  from: '*'\n",
        "2:9: a password in the file; write ${NAME} and set NAME in the environment",
    ),
    (
        SOURCES,
        "- name: A\n  mail: imaps://mail.example.org/INBOX\n  from: '*'\n",
        "2:9: a mailbox without user and password; write imaps://user:${PASSWORD}@host/INBOX",
    ),
    (DESK, "notify: [{secret: x}]\n", "1:10: no `url:`; add it: where articles are sent to by POST, each as JSON; may hold ${NAME}"),
    (DESK, "notify: {url: ftp://h.example}\n", "1:15: url: 'ftp://h.example' has the scheme 'ftp'; write an address that begins with http:// or https://"),
    (DESK, "notify: {url: 'https://h.example/', secret: '${NOPE}'}\n", "1:9: no environment variable NOPE; set it where the desk is started"),
    (DESK, "notify: {url: 'https://h.example/', sections: sport/nowhere}\n", "1:9: sections: no section 'sport/nowhere'; `wiredesk sections` lists them"),
    (
        DESK,
        "notify:\n- {url: 'https://h.example/'}\n- {url: 'https://h.example/', sections: news}\n",
        "3:3: this address for the second time; name all its `sections:` in one place",
    ),
    (
        DESK,
        "digest: {to: ann@example.org, sender: d@e.example}\n",
        "1:9: digest: no `server:`; add it: the mail server, such as smtps://user:${PASSWORD}@smtp.example.org",
    ),
    (
        DESK,
        "digest: {to: ann@example.org, server: 'smtps://h.example'}\n",
        "1:9: digest: no `sender:`; add it, or give an e-mail address for `contact:`",
    ),
    (DESK, "digest: {to: Ann}\n", "1:14: 'Ann' is no e-mail address; write one such as desk@example.org, without a name"),
    (
        DESK,
        "digest: {to: a@b.example, sender: d@e.example, server: 'smtps://u:${NO}@h.example'}\n",
        "1:9: no environment variable NO; set it where the desk is started",
    ),
    (
        SOURCES,
        "- name: A\n  url: /home/ann/feed.xml\n",
        "2:8: url: '/home/ann/feed.xml' is a path; write an address that begins with https://; "
        "documents in a folder are a source with `files:`",
    ),
    (
        SOURCES,
        "- name: A\n  url: C:\\feeds\\feed.xml\n",
        "2:8: url: 'C:\\\\feeds\\\\feed.xml' is a path; write an address that begins with https://; "
        "documents in a folder are a source with `files:`",
    ),
    (
        SECTIONS,
        "news/world: {title: World}\n",
        "1:1: 'news/world' is a path where a section's key belongs; "
        "write each part as a key of its own, below `sections:` of the one above",
    ),
    # ------------------------------------------------------------------ YAML itself
    (DESK, "poll:\n\tfloor_s: 9\n", "2:1: a tab at the beginning of the line; indent with spaces"),
    (DESK, "title: 'a\nlanguage: en\n", "1:8: a quote that is never closed: \"title: 'a\"; close it"),
    (
        DESK,
        "title: [a, b\nlanguage: en\n",
        "1:8: brackets that do not close: 'title: [a, b'; close each [ and {, with commas between items",
    ),
    (
        DESK,
        "title: The desk: a story\n",
        "1:16: a ': ' where none can stand: 'title: The desk: a story'; "
        "put text that holds ': ' in quotes, and give keys of one mapping the same indentation",
    ),
    (
        DESK,
        "title: @home\n",
        "1:8: a character that YAML keeps for itself: 'title: @home'; put text that begins with @, `, % or & in quotes",
    ),
    (
        DESK,
        'title: "C:\\desk"\n',
        "1:8: an unknown escape in double quotes: 'title: \"C:\\\\desk\"'; use single quotes for text with backslashes",
    ),
    (
        DESK,
        "title: *name\n",
        "1:8: an alias (*name) without its anchor: 'title: *name'; "
        "write &name before the value it repeats, or quote text that begins with *",
    ),
    (
        DESK,
        "title: a\n---\ntitle: b\n",
        "2:1: a second document ('---'): '---'; keep one document a file; take the '---' line out",
    ),
    (
        DESK,
        "poll:\n  floor_s: 300\n gap_s: 1\n",
        "3:2: a line whose indentation does not fit those above: 'gap_s: 1'; "
        "give the keys of one mapping, and the dashes of one list, the same indentation",
    ),
    (DESK, "title: a\ntitle: b\n", "2:1: 'title' for the second time; it is already on line 1; take one out"),
    (
        DESK,
        "title: !secret x\n",
        "1:8: title: the tag '!secret'; tags have no meaning here; put text that begins with ! in quotes",
    ),
    (DESK, b"title: a\ncontact: caf\xe9@x.example\n", "2:13: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    (DESK, "title: a".encode("utf-16"), "1:1: a file in UTF-16; save it as UTF-8"),
    (DESK, "title: a\x07b\n", "1:9: the control character U+0007; take it out"),
    (DESK, "- a\n", "1:1: a list where `key: value` lines belong; write one key a line, indented"),
    # ------------------------------------------------------------------ wiredesk.yaml
    (DESK, "titel: The Wire\n", "1:1: unknown key 'titel'; did you mean 'title'?"),
    (DESK, "title:\n", "1:7: title: no value; write one, or take the line out"),
    (DESK, "title: ''\n", "1:8: title: an empty text; write something, or take the line out"),
    (
        DESK,
        "title: [a]\n",
        "1:8: title: a list where one value belongs; write one value; put text that holds ': ' in quotes",
    ),
    (
        DESK,
        "base_url: wire.example.org\n",
        "1:11: base_url: 'wire.example.org' has no https:// in front; did you mean 'https://wire.example.org'?",
    ),
    (
        DESK,
        "base_url: https://hörfunk.example\n",
        "1:11: base_url: 'https://hörfunk.example' holds 'ö', which an address in a feed can't; "
        "write it as browsers send it: %XX in the path, xn--… in the host",
    ),
    (
        DESK,
        "base_url: https://wire.example.org/?x\n",
        "1:11: base_url: 'https://wire.example.org/?x' has a query or fragment; "
        "write scheme, host and, where there is one, path",
    ),
    (
        DESK,
        "contact: me\n",
        "1:10: contact: 'me' is neither an e-mail address nor a web address; write such as desk@example.org",
    ),
    (DESK, "language: english\n", "1:11: language: 'english' is no language tag; write en"),
    (DESK, "language: en_GB\n", "1:11: language: 'en_GB' is no language tag; write en-GB"),
    (DESK, "timezone: Europe/Londn\n", "1:11: timezone: 'Europe/Londn' is no time zone; did you mean 'Europe/London'?"),
    (
        DESK,
        "poll: {floor_s: 0}\n",
        "1:17: floor_s: '0' is out of range; write a number of seconds from 1 to 604800",
    ),
    (DESK, "poll: {gap_s: 5m}\n", "1:15: gap_s: '5m' is not a number; write it in seconds: 300"),
    (
        DESK,
        "poll: {per_host: 1.5}\n",
        "1:18: per_host: '1.5' is not a whole number; write a whole number from 1 to 100",
    ),
    (
        DESK,
        "poll: {per_host: .inf}\n",
        "1:18: per_host: '.inf' is not a number; write a whole number from 1 to 100",
    ),
    (
        DESK,
        "poll: {retry_after_scope: hosts}\n",
        "1:27: retry_after_scope: 'hosts' is not one of the choices; write url, host or domain; did you mean 'host'?",
    ),
    (
        DESK,
        "poll:\n  floor_s: 900\n  ceiling_s: 300\n",
        "2:12: poll.floor_s 900 is above poll.ceiling_s 300; lower the floor or raise the ceiling",
    ),
    (DESK, "fetch: {max_body_bytes: 10MB}\n", "1:25: max_body_bytes: '10MB' is not a number; write it in bytes: 10485760"),
    (DESK, "fetch: {ports: [80, 99999]}\n", "1:21: '99999' is out of range; write a whole number from 1 to 65535"),
    (
        DESK,
        "fetch: {allow_private: 10.1.2.3/16}\n",
        "1:24: '10.1.2.3/16' has bits set behind its mask; did you mean '10.1.0.0/16'?",
    ),
    (
        DESK,
        "fetch: {allow_private: localhost}\n",
        "1:24: 'localhost' is no network or address; write one such as 10.1.0.0/16 or 127.0.0.1:8081",
    ),
    (
        DESK,
        "fetch: {allow_private: '[::1]:70000'}\n",
        "1:24: '[::1]:70000' has an impossible port; write a port from 1 to 65535",
    ),
    (DESK, "publish: {images: maybe}\n", "1:19: images: 'maybe' is neither yes nor no; write true or false"),
    (DESK, "publish: {keep_days: 1y}\n", "1:22: keep_days: '1y' is not a number; write a whole number of days from 0 to 36500"),
    (DESK, "publish: {keep_days: 8w}\n", "1:22: keep_days: '8w' is not a number; write it in days: 56"),
    # ------------------------------------------------------------------ sections.yaml
    (
        SECTIONS,
        "News: {title: News}\nnews: {sections: {world: {title: World}}, include_children: yes}\n",
        "1:1: 'News' can't be a section's key, since it is part of its address; write lower-case letters, digits, "
        "- and _; `title:` holds the name for people; did you mean 'news'?",
    ),
    (DESK, "licence: {permits: [search, ai-train], prohibits: ai-train}\n", "1:51: licence permits and prohibits 'ai-train'; take it out of one of them"),
    (SECTIONS, "a: {colour: green}\n", "1:13: colour: 'green' is no colour; write # and six hexadecimal digits in quotes, such as '#0a5c36'"),
    (
        SECTIONS,
        "sections:\n  news: {title: News}\n",
        "1:1: `sections:` at the top, where the sections themselves stand; take that line out, and the indentation below",
    ),
    (SECTIONS, "status: {title: S}\n", "1:1: the key 'status' is reserved; /status is the desk's own address; choose another key"),
    (
        SECTIONS,
        "news:\n  sections:\n    archive: {title: A}\n",
        "3:5: the key 'archive' is reserved; /news/archive is the desk's own address; choose another key",
    ),
    (SECTIONS, "a: {title: A}\na: {title: B}\n", "2:1: 'a' for the second time; it is already on line 1; take one out"),
    (SECTIONS, "a: {title: A, limit: -1}\n", "1:22: limit: '-1' is out of range; write a whole number from 1 to 1000"),
    (
        SECTIONS,
        "a: {title: A, copies: folded}\n",
        "1:23: copies: 'folded' is not one of the choices; write fold, link or show; did you mean 'fold'?",
    ),
    (
        SECTIONS,
        "a: {learned: {precision: 95}}\n",
        "1:26: precision: '95' is out of range; write a number from 0.5 to 0.999",
    ),
    (
        SECTIONS,
        "a: {learned: {}}\n",
        "1:14: no `precision:`; add it: the share that must be right of what the learned classifier files here",
    ),
    (
        SECTIONS,
        "a: {title: A, moved_from: b}\nb: {title: B}\n",
        "1:1: 'a' moved from 'b', which is a section still; rename the section on line 2, or take the path out of moved_from",
    ),
    (
        SECTIONS,
        "a: {title: A, moved_from: [c]}\nb: {title: B, moved_from: [c]}\n",
        "2:1: 'b' and 'a' both moved from 'c'; an address can lead to one section only",
    ),
    (SECTIONS, "a: {match: {keyword: x}}\n", "1:13: unknown term 'keyword'; did you mean 'keywords'?"),
    (
        SECTIONS,
        "a: {match: {regex: '(a'}}\n",
        "1:20: regex: '(a' is no regular expression: missing ): (a; mend it (RE2 syntax)",
    ),
    (
        SECTIONS,
        "a: {match: {regex: '(?=x)y'}}\n",
        "1:20: regex: '(?=x)y' is no regular expression: invalid perl operator: (?=; "
        "look-around and back-references are not allowed, so that a search takes linear time",
    ),
    (
        SECTIONS,
        "a: {match: {regex: 'x*'}}\n",
        "1:20: regex: 'x*' matches an empty text, and so everything; let it ask for something",
    ),
    (
        SECTIONS,
        "lists: {eu_countries: [France]}\na: {match: {keywords: $eu_country}}\n",
        "2:23: keywords: no list is called 'eu_country'; did you mean 'eu_countries'?",
    ),
    (
        SECTIONS,
        "a: {match: {path: 'https://x.example/world'}}\n",
        "1:19: path: 'https://x.example/world' is more than a path; write its segments alone, such as /world/asia",
    ),
    (
        SECTIONS,
        "a: {match: {keywords: '!!!'}}\n",
        "1:23: keywords: '!!!' holds no letter or digit; write words, or use `regex:`",
    ),
    (SECTIONS, "a: {match: {language: latin}}\n", "1:23: language: 'latin' is no language tag; write one such as en, de or pt-BR"),
    (
        SECTIONS,
        "a: {match: {keywords: AI, title: [x]}}\nb:\n  match:\n    keywords: ai, machine learning\n",
        "4:15: keywords: 'ai, machine learning' is one value with a comma in it; write a list: [ai, machine learning]; "
        "or put it in quotes, if the comma belongs to it",
    ),
    (
        SECTIONS,
        "drop: {none: {title: x}}\n",
        "1:7: drop: only says what to keep; everything else would go: write what is to be dropped",
    ),
    (
        SECTIONS,
        "drop: {title: Droppings, sections: {a: {}}}\n",
        "1:1: the key 'drop' is reserved; `drop:` says what is never published; choose another key",
    ),
    (
        SECTIONS,
        "a: {match: {any: []}}\n",
        "1:18: a joint without rules; write a list of terms (source, category, breadcrumb, path, keywords, title, author, "
        "language, origin or regex)",
    ),
    (
        SECTIONS,
        "lists: {title: A, sections: {b: {}}}\na: {title: A}\n",
        "1:19: the list 'sections' holds keys; `lists` is no section: write a list of values, or rename it",
    ),
    # ------------------------------------------------------------------ sources.yaml
    (SOURCES, "name: A\n", "1:1: sources are a list; begin each source with `- name: …`"),
    (SOURCES, "- Harbour\n", "1:3: 'Harbour' where `key: value` lines belong; write `- name: …` and, below it, `url: …`"),
    (SOURCES, "- name: A\n", "1:3: a source without an address; write url, files, page, sitemap, json, mail or opml"),
    (SOURCES, "- name: A\n  ulr: https://a.example/\n", "2:3: unknown key 'ulr'; did you mean 'url'?"),
    (
        SOURCES,
        SOURCE + "  page: https://b.example/\n",
        "3:9: a source with url and page at once; make two sources of it",
    ),
    (
        SOURCES,
        "- url: https://a.example/\n",
        "1:3: no `name:`; add it: readers see it, and it is the source's identity",
    ),
    (SOURCES, SOURCE + "  section: news/wrold\n", "3:12: section: no section 'news/wrold'; did you mean 'news/world'?"),
    (SOURCES, SOURCE + "  section: qqqq\n", "3:12: section: no section 'qqqq'; sections.yaml has news or news/world"),
    (SOURCES, SOURCE + "  section: News > World\n", "3:12: section: 'News > World' is no path; write keys joined with /, such as news/world"),
    (
        SOURCES,
        SOURCE + "- name: a\n  url: https://b.example/\n",
        "3:9: name: 'a' for the second time; line 1 has it already; give one another name",
    ),
    (
        SOURCES,
        SOURCE + "- name: B\n  id: A\n  url: https://b.example/\n",
        "4:7: the identity 'A' for the second time; the source on line 1 has this identity; change the `id:` of one",
    ),
    (
        SOURCES,
        SOURCE + "- name: B\n  url: https://A.example:443/\n",
        "4:8: 'https://A.example:443/' for the second time; line 1 has it already; "
        "to file it in one more section, write `- source: B` there",
    ),
    (
        SOURCES,
        "- name: A\n  url: ftp://a.example/\n",
        "2:8: url: 'ftp://a.example/' has the scheme 'ftp'; write an address that begins with http:// or https://",
    ),
    (
        SOURCES,
        "- name: A\n  url: feed://a.example/x\n",
        "2:8: url: 'feed://a.example/x' is a link for readers; write https://a.example/x",
    ),
    (
        SOURCES,
        "- name: A\n  url: https://a.example/b c\n",
        "2:8: url: 'https://a.example/b c' holds white space; write one address, with spaces as %20",
    ),
    (
        SOURCES,
        "- name: A\n  url: https://a.example:123456/\n",
        "2:8: url: 'https://a.example:123456/' has an impossible port; "
        "write an address that begins with http:// or https://",
    ),
    (
        SOURCES,
        SOURCE + "  interval_s: 0\n",
        "3:15: interval_s: '0' is out of range; write a number of seconds from 1 to 2419200; or write auto",
    ),
    (
        SOURCES,
        SOURCE + "  interval_s: 15m\n",
        "3:15: interval_s: '15m' is not a number; write it in seconds: 900; or write auto",
    ),
    (SOURCES, SOURCE + "  limit: 3\n", None),
    (
        SOURCES,
        SOURCE + "  headers: {Authorization: 'Bearer ${NOWHERE}'}\n",
        "3:12: Authorization: no environment variable NOWHERE; set it where the desk is started, or take this out",
    ),
    (
        SOURCES,
        SOURCE + "  headers: {Authorization: 'Bearer ${NOWHERE'}\n",
        "3:28: a ${ that is never closed; write ${NAME}, or $$ for a dollar sign",
    ),
    (SOURCES, SOURCE + "  headers: {Host: b}\n", "3:13: the header Host is the desk's own; take it out: fetch sets it"),
    (SOURCES, SOURCE + "  headers: {a b: c}\n", "3:13: 'a b' is no header name; write one such as Authorization"),
    (
        SOURCES,
        SOURCE + "  headers: {X: \"a\\nb\"}\n",
        "3:16: the value of X holds letters that a header can't; write ASCII, in one line",
    ),
    (
        SOURCES,
        "- name: A\n  url: https://me:${NOWHERE}@a.example/\n",
        "2:8: url: no environment variable NOWHERE; set it where the desk is started, or take this out",
    ),
    (
        SOURCES,
        SOURCE + "  section: [news, sport]\n",
        "3:12: section: 2 sections for one source; keep `section: news` here; in sections.yaml, under `match: any:` of "
        "sport, write `- source: ` and this source's name",
    ),
    (
        SOURCES,
        SOURCE + "  section: news, sport\n",
        "3:12: section: 2 sections for one source; keep `section: news` here; in sections.yaml, under `match: any:` of "
        "sport, write `- source: ` and this source's name",
    ),
    (SOURCES, SOURCE + "  drop: {titel: x}\n", "3:10: unknown term 'titel'; did you mean 'title'?"),
    (DESK, "fetch: {ports: '80, 443'}\n", "1:16: '80, 443' is not a number; write a list: [80, 443]"),
    (
        SOURCES,
        "- opml: list.opml\n",
        "1:9: opml: can't read 'list.opml': no such file or directory; the path is relative to the config folder",
    ),
    # ------------------------------------------------------------------ slips of newcomers
    (
        SOURCES,
        SOURCE + "  section: [news/world]\n",
        "3:12: section: a list where one section belongs; write it without brackets: section: news/world",
    ),
    (DESK, "timezone: EST5\n", "1:11: timezone: 'EST5' is no time zone; write the zone of a place, such as America/New_York"),
    (DESK, "timezone: pdt\n", "1:11: timezone: 'pdt' is no time zone; write the zone of a place, such as America/Los_Angeles"),
    (
        DESK,
        "timezone: '+02:00'\n",
        "1:11: timezone: '+02:00' is no time zone; write the zone of a place, such as Europe/London or America/New_York: "
        "it knows summer time",
    ),
    (DESK, "timezone: Londn\n", "1:11: timezone: 'Londn' is no time zone; did you mean 'Europe/London'?"),
    (
        SOURCES,
        "- name: A\n  url: “https://a.example/”\n",
        "2:8: url: curly quotes around 'https://a.example/', which YAML takes for text; write straight ones: \"",
    ),
    (
        SECTIONS,
        "a: {match: {keywords: [‘open source’]}}\n",
        "1:24: keywords: curly quotes around 'open source', which YAML takes for text; write straight ones: \"",
    ),
    (
        SOURCES,
        "-name: A\nurl: https://a.example/\n",
        "1:1: '-name': no space after the dash; begin each source with `- name: …`",
    ),
    (
        SOURCES,
        SOURCE + "-name: B\n url: https://b.example/\n",
        "3:1: no space after the dash: '-name: B'; write `- ` before each item of a list",
    ),
    (
        SECTIONS,
        "lists:\n  eu: France, Germany\na: {}\n",
        "2:7: 'France, Germany' is one value with a comma in it; write a list: [France, Germany]; or put it in quotes, "
        "if the comma belongs to it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text", "said"), MISTAKES, ids=[f"{file}-{text[:40]!r}" for file, text, _ in MISTAKES]
)
def test_a_mistake_is_told_once_with_its_place_and_remedy(folder: Folder, file, text, said):
    if file == SECTIONS:
        folder.write(SOURCES, "# none yet\n")
    folder.write(file, text)
    lines = folder.errors()
    assert len(lines) == 1
    if said is None:
        assert lines[0].startswith(f"{file}:3:3: unknown key 'limit'; allowed are digest, drop, enabled, files, ")
    else:
        assert lines[0] == f"{file}:{said}"


def test_every_error_of_all_files_is_told_at_once_in_order_of_file_and_line(folder: Folder):
    folder.write(DESK, "titel: a\npoll: {floor_s: 0, gap_s: x}\n")
    folder.write(SECTIONS, "status: {}\nnews: {limit: 0, sections: {world: {match: {keywords: []}}}}\n")
    folder.write(SOURCES, "- name: A\n  url: a\n- name: A\n  url: https://a.example/\n  section: x\n")
    places = [line.split(": ")[0] for line in folder.errors()]
    assert places == [
        "sections.yaml:1:1",
        "sections.yaml:2:15",
        "sections.yaml:2:55",
        "sources.yaml:2:8",
        "sources.yaml:3:9",
        "sources.yaml:5:12",
        "wiredesk.yaml:1:1",
        "wiredesk.yaml:2:17",
        "wiredesk.yaml:2:27",
    ]


def test_one_source_is_told_all_that_is_wrong_with_it(folder: Folder):
    folder.write(SOURCES, SOURCE + "- ulr: x\n  section: x\n  interval_s: 1h\n  name: A\n  headers: {X: '${NO}'}\n")
    assert [line.split(": ")[0] for line in folder.errors()] == [
        f"sources.yaml:{n}" for n in ("3:3", "4:12", "5:15", "6:9", "7:12")
    ]


def test_a_section_that_does_not_hold_is_not_complained_of_again_by_its_sources(folder: Folder):
    folder.write(SECTIONS, "News: {title: News, sections: {world: {title: World}}}\n")
    assert [line.split(":")[0] for line in folder.errors()] == [SECTIONS]


def test_a_sections_file_that_cannot_be_read_says_nothing_of_paths(folder: Folder):
    folder.write(SECTIONS, "news: [\n")
    assert [line.split(":")[0] for line in folder.errors()] == [SECTIONS]


def test_a_thousand_wrong_paths_are_each_told(folder: Folder):
    folder.write(SECTIONS, "".join(f"part{number}: {{title: Part}}\n" for number in range(300)))
    folder.write(
        SOURCES,
        "".join(f"- {{name: S{n}, url: 'https://s{n}.example/', section: prat{n}}}\n" for n in range(1000)),
    )
    lines = folder.errors()
    assert len(lines) == 1000
    assert "did you mean 'part" in lines[0]

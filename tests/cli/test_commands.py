"""Commands as an admin meets them: what they say, how they end, and that they fit the terminal."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from feeds.cli import COMMANDS
from feeds.engine.supervisor import DeskLock
from tests.cli.conftest import Ended

Run = Callable[..., Ended]

OPML = """<opml version="2.0"><body>
<outline text="News"><outline text="World"><outline text="Tidings" type="rss" xmlUrl="https://t.example/feed"/></outline>
<outline text="Odd: yes" xmlUrl="https://odd.example/?a=1&amp;b=2"/><outline text="Bad" xmlUrl="gopher://x"/></outline>
</body></opml>"""


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["opml", "import"], ["opml", "export"]])
def test_every_command_teaches(run: Run, command: list[str]) -> None:
    ended = run(*command, "--help")
    assert ended.code == 0
    assert ended.out.startswith("Usage: ")
    assert all(len(line) <= 100 for line in ended.out.splitlines())


def test_check_says_errors_and_warnings_apart(run: Run, folder: Path) -> None:
    good = run("check")
    assert (good.code, good.err) == (0, "")
    assert "2 sections, 1 source, 0 warnings" in good.out
    sources = folder / "config" / "sources.yaml"
    sources.write_text(
        sources.read_text() + "- name: B\n  url: http://127.0.0.1:99/feed\n- name: B\n  url: https://b.example/\n"
    )
    bad = run("check")
    assert bad.code == 78
    first, *rest = bad.out.splitlines()
    assert first.startswith("sources.yaml:6:9: ")
    sources.write_text("- name: B\n  url: http://127.0.0.1:80/feed\n  section: news/world\n")
    doubtful = run("check")
    assert doubtful.code == 0
    assert "Warnings (the config is valid; look whether this is what you want):\n  sources.yaml:2:8: " in doubtful.out
    assert "1 warning." in doubtful.out


def test_poll_tells_what_came_in_a_table_that_fits(run: Run, folder: Path) -> None:
    first = run("poll")
    assert (first.code, first.err) == (0, "")
    assert "1 source polled, 2 new articles, " in first.out
    assert "\x1b" not in first.out
    (folder / "config" / "sources.yaml").write_text(
        (folder / "config" / "sources.yaml").read_text()
        + "- name: A source whose name is longer than most names are\n  url: http://127.0.0.1:9/a/long/path/feed.xml\n"
    )
    for columns in (40, 80, 120):
        told = run("poll", "--now", columns=columns)
        assert told.code == 1
        assert all(len(line) <= columns for line in told.out.splitlines()[:-1]), told.out
        assert "127.0.0.1" in told.out.replace("\n", "")
        assert "source=" not in told.err  # no log of what the table says
    missing = run("poll", "Leters")
    assert missing.code == 1
    assert "did you mean 'Letters'?" in missing.err


def test_no_colour_where_none_is_wanted() -> None:
    environ = {**os.environ, "NO_COLOR": "1"}
    program = "import click; from feeds.cli import wiredesk; print(wiredesk.context_settings['color'])"
    asked = [sys.executable, "-c", program]
    assert subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout == "False\n"
    environ.pop("NO_COLOR")
    assert subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout == "None\n"


def test_poll_tells_an_offline_machine_from_bad_sources(run: Run, folder: Path) -> None:
    (folder / "config" / "wiredesk.yaml").write_text('fetch: {allow_private: ["127.0.0.0/8"]}\n')
    sources = folder / "config" / "sources.yaml"
    letters = sources.read_text()
    dead = "".join(f"- name: S{number}\n  url: http://127.0.0.{number}:9/feed\n" for number in range(1, 4))
    sources.write_text(letters + dead)
    offline = run("poll")
    assert offline.code == 1
    assert "None of 3 sources outside could be reached. Is this machine on the network?" in offline.out
    assert "S1" not in offline.out  # thrice the same would only hide what came
    sources.write_text(letters + dead.partition("- name: S3")[0])
    assert "could not connect" in run("poll", "S1").out


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("pol", 2, "Error: no command 'pol'; did you mean `wiredesk poll`?"),
        ("opml exprt", 2, "Error: No such command 'exprt'. Did you mean 'export'?"),
        ("poll --nwo", 2, "Error: No such option '--nwo'."),
        ("explain", 2, "Error: Missing argument 'URL'."),
        ("run --port 0", 2, "Error: Invalid value for '--port': 0 is not in the range 1<=x<=65535."),
        ("opml import none.opml", 2, "Error: Invalid value for 'FILE ...': File 'none.opml' does not exist."),
        ("restore config", 2, "Error: Invalid value for 'FILE': File 'config' is a directory."),
        ("check --config none", 1, "wiredesk: no config folder at "),
        ("preview /none/such.html", 1, "wiredesk: no plain file at /none/such.html; name a file, a source "),
        ("discover ./config", 1, "wiredesk: './config' is a path, and no address; type one as for a browser"),
        ("explain x", 1, "wiredesk: no desk has run on "),
        ("backup", 1, "wiredesk: no desk has run on "),
        ("opml export -o none/list.opml", 1, "wiredesk: none/list.opml: no such file or directory; check the path, "),
        ("poll --data config/sources.yaml", 1, "wiredesk: can't write in the data folder "),
        ("run --host none.invalid", 1, "wiredesk: 'none.invalid' is no address of this machine; "),
    ],
)
def test_wrong_words_and_places_end_with_a_line_that_says_so(run: Run, asked: str, code: int, said: str) -> None:
    ended = run(*asked.split())
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.splitlines()[-1].startswith(said), ended.err
    assert len(ended.err.splitlines()) == (1 if code == 1 else 4)
    assert "feeds.cli" not in ended.err


def test_poll_files_again_what_is_stored_when_no_desk_runs(run: Run, folder: Path) -> None:
    run("poll")
    (folder / "config" / "sections.yaml").write_text("press:\n  title: Press\n")
    (folder / "config" / "sources.yaml").write_text("- name: Letters\n  files: articles/*.txt\n  section: press\n")
    assert run("poll").code == 0
    with sqlite3.connect(folder / "data" / "desk.sqlite3") as database:
        filed = database.execute(
            "select path, count(*) from filings join sections on sections.id = section_id"
            " where state = 0 and removed_at is null group by path"
        ).fetchall()
    assert dict(filed) == {"": 2, "press": 2}


def test_an_opml_list_becomes_config_lines_and_back(run: Run, folder: Path) -> None:
    (folder / "list.opml").write_text(OPML)
    ended = run("opml", "import", "list.opml")
    assert ended.code == 0
    assert "  section: news/world\n" in ended.out
    assert "# left out, Bad: " in ended.out
    assert ended.err == "2 sources, 1 that no source can be, told as comments.\n"
    sources = folder / "config" / "sources.yaml"
    sources.write_text(sources.read_text() + ended.out)
    assert run("check").code == 0
    again = run("opml", "import", "list.opml")
    assert "- name:" not in again.out
    assert "2 that you have already left out" in again.err

    exported = run("opml", "export", "-o", "out.opml")
    assert (exported.code, exported.out) == (0, "")
    assert exported.err == "2 feeds (1 page, sitemap or folder is none).\n"
    listed = etree.parse(folder / "out.opml").findall(".//outline[@xmlUrl]")
    assert {each.get("xmlUrl") for each in listed} == {"https://t.example/feed", "https://odd.example/?a=1&b=2"}
    some = run("opml", "export", "--section", "news/world")
    assert some.out.count("xmlUrl") == 1 and "https://t.example/feed" in some.out
    assert run("opml", "export", "--section", "news/moon").code == 1
    broken = run("opml", "import", "config/sources.yaml")
    assert broken.code == 1
    assert broken.err.startswith("wiredesk: sources.yaml:1:1: no XML")


def test_a_backup_is_restored_with_everything_as_it_was(run: Run, folder: Path) -> None:
    nothing = run("backup")
    assert nothing.code == 1
    assert "no desk has run" in nothing.err
    run("poll")
    kept = run("backup", "kept.sqlite3")
    assert kept.code == 0
    assert "`wiredesk restore kept.sqlite3`" in kept.out
    for held in ("data", "kept.sqlite3"):
        assert (folder / held).stat().st_mode & 0o007 == 0, f"{held} holds what config holds, and is for nobody else"
    (folder / "config" / "articles" / "2.txt").write_text(
        "Third\n\nSomething quite different about a lamp and a bell.\n"
    )
    run("poll", "Letters")
    with DeskLock(folder / "data"):
        refused = run("restore", "kept.sqlite3")
    assert refused.code == 1
    assert "already runs" in refused.err
    restored = run("restore", "kept.sqlite3")
    assert restored.code == 0
    assert "1 new article" in run("poll", "Letters").out
    [aside] = (folder / "data").glob("desk-before-restore-*.sqlite3")
    with sqlite3.connect(aside) as database:
        assert database.execute("select count(*) from articles").fetchone() == (3,)


def test_a_poll_leaves_what_no_document_lists_to_the_desk_that_runs(run: Run, folder: Path) -> None:
    (folder / "config" / "wiredesk.yaml").write_text("title: Wire\npublish: {entries: 1}\n")

    def waiting() -> int:
        with sqlite3.connect(folder / "data" / "desk.sqlite3") as database:
            statement = "select count(*) from articles where rendered_revision <> revision"
            return int(database.execute(statement).fetchone()[0])

    (folder / "data").mkdir()
    with DeskLock(folder / "data"):
        assert "2 new articles" in run("poll").out
    assert waiting() == 1
    run("poll", "Letters")  # without one nobody else would make it
    assert waiting() == 0


def test_what_is_no_backup_is_refused_and_changes_nothing(run: Run, folder: Path) -> None:
    run("poll")
    before = (folder / "data" / "desk.sqlite3").read_bytes()
    (folder / "text.sqlite3").write_text("nothing of the kind\n" * 100)
    sqlite3.connect(folder / "other.sqlite3").execute("create table t (x)").connection.close()
    run("backup", "newer.sqlite3")
    with sqlite3.connect(folder / "newer.sqlite3") as newer:
        newer.execute("update wiredesk_version set version_num = 'r9999'")
    newer.close()
    for name, words in (("text", "can't be restored"), ("other", "holds no desk"), ("newer", "newer release")):
        ended = run("restore", f"{name}.sqlite3")
        assert ended.code == 1
        assert words in ended.err
        assert "Traceback" not in ended.err
    assert (folder / "data" / "desk.sqlite3").read_bytes() == before
    shutil.copy(folder / "newer.sqlite3", folder / "data" / "desk.sqlite3")
    for command in ("poll", "run", "worker", "explain x", "backup"):
        ended = run(*command.split())
        assert ended.code == 1, command
        assert ended.err.startswith("wiredesk: the database belongs to a newer release"), command
        assert ended.err.count("\n") == 1


def test_doctor_names_what_is_bad_and_what_to_do(run: Run, folder: Path) -> None:
    run("poll")
    fine = run("doctor", "--offline")
    assert fine.code == 0
    assert "2 articles" in fine.out
    assert "no desk runs on it now" in fine.out
    with DeskLock(folder / "data"):
        assert "a desk runs on it (process " in run("doctor", "--offline").out
    (folder / "config" / "sources.yaml").write_text("- name: A\n  url: nonsense\n")
    (folder / "data" / "desk.sqlite3").write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    bad = run("doctor", "--offline", columns=60)
    assert bad.code == 1
    assert all(len(line) <= 60 for line in bad.out.splitlines())
    told = " ".join(bad.out.split())
    assert "sources.yaml:2:8" in told
    assert "wiredesk restore" in told


def test_doctor_tries_to_write(run: Run, folder: Path) -> None:
    run("poll")
    before = sorted(path.name for path in (folder / "data").rglob("*"))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_960, most[1]))  # as a disk on which nothing more can be written
    try:
        ended = run("doctor", "--offline")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert ended.code == 1
    told = " ".join(ended.out.split())
    assert "nothing can be written in" in told and ": file too large" in told
    assert "raise LimitFSIZE" in told
    assert "2 articles" in told, "what can be read is looked at all the same"
    assert run("doctor", "--offline").code == 0
    assert sorted(path.name for path in (folder / "data").rglob("*")) == before


def test_poll_counts_what_became_articles_and_names_what_failed(run: Run, folder: Path) -> None:
    articles = folder / "config" / "articles"
    for name in ("picture.txt", "archive.txt"):
        (articles / name).write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
        os.utime(articles / name, (1_700_000_000, 1_700_000_000))
    (articles / os.fsdecode(b"caf\xe9.txt")).write_text("Not UTF-8\n\nIn its name.\n")
    ended = run("poll", "--verbose")
    assert ended.code == 1
    assert "1 source polled, 2 new articles" in ended.out
    row = next(line for line in ended.out.splitlines() if line.startswith("Letters "))
    assert row.split()[1] == "2"
    assert "3 of 5 documents could not be read" in row
    for name in ("picture.txt", "archive.txt"):
        assert f"Letters: file:articles/{name}: " in ended.out
    assert "Letters: file:articles/caf\\udce9.txt: its name is not UTF-8; rename it" in ended.out
    told = [line for line in ended.err.splitlines() if "source=" in line]
    assert told
    assert all("source=Letters" in line for line in told)
    assert any("articles/caf\\udce9.txt: its name" in line for line in told)
    again = run("poll", "--now")
    assert (again.code, "0 new articles" in again.out) == (0, True)


def test_the_articles_of_a_source_are_taken_out_also_when_it_is_gone(run: Run, folder: Path) -> None:
    run("poll")
    (folder / "config" / "sources.yaml").write_text("[]\n")
    run("poll")
    assert "2 articles of Letters would go." in run("retract", "--source", "Letters", "--dry-run").out
    assert run("explain", "Article 1").code == 1
    told = run("retract", "--source", "Letters", "--reason", "asked for")
    assert (told.code, told.out) == (0, "2 articles of Letters retracted.\n")
    assert "0 articles of Letters would go." in run("retract", "--source", "Letters", "--dry-run").out
    assert "no source was ever called 'Leters'" in run("retract", "--source", "Leters").err
    for wrong in (["retract"], ["retract", "x", "--source", "y"], ["retract", "x", "--dry-run"]):
        assert run(*wrong).code == 2


def test_sources_are_listed_with_their_next_poll_and_why(run: Run, folder: Path) -> None:
    run("poll")
    told = run("sources")
    assert told.code == 0
    assert "Letters" in told.out and "fine" in told.out and "every 10 s" in told.out
    one = run("sources", "letters")
    assert "next poll" in one.out and "why then" in one.out and "news/world" in one.out
    assert "did you mean" in run("sources", "Leters").err
    assert "Article 0" in run("sources", "Letters", "--test").out
    assert run("sources", "--test").code == 2


def test_check_mends_what_it_can_after_it_has_shown_it(run: Run, folder: Path) -> None:
    desk = folder / "config" / "wiredesk.yaml"
    desk.write_text("titel: The Wire\npoll:\n\tfloor_s: 60\n")
    desk.chmod(0o640)
    shown = run("check", "--fix")
    assert shown.code == 78
    assert "-titel: The Wire\n" in shown.out and "+title: The Wire\n" in shown.out
    assert "Nothing was written: `wiredesk check --fix --yes` does." in shown.out
    assert "titel" in desk.read_text()
    assert run("check", "--fix", "--yes").code == 0
    assert desk.read_text() == "title: The Wire\npoll:\n  floor_s: 60\n"
    assert desk.stat().st_mode & 0o777 == 0o640
    assert "Nothing can be mended by itself." in run("check", "--fix").out


def test_a_config_folder_is_guessed_at_and_a_tilde_is_home(run: Run, folder: Path, monkeypatch) -> None:
    assert "did you mean 'config'?" in run("check", "--config", str(folder / "confg")).err
    monkeypatch.setenv("HOME", str(folder))
    assert run("check", "--config=~/config").code == 0

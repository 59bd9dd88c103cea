"""A newcomer's mistakes at the start: one clear line each, with the remedy, and an exit code."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.e2e.desk import Desk, free_port, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin


def test_a_taken_port_is_named_with_the_remedy(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = desk.command("run", "--port", str(port))
    assert ended.returncode == 1
    assert f"can't listen on 127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_folder_that_cannot_be_written_is_named(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    desk.data = tmp_path / "file" / "data"
    ended = desk.command("run")
    assert ended.returncode == 1
    assert str(desk.data) in ended.stderr
    assert "--data" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_config_folder_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.config = tmp_path / "nowhere"
    ended = desk.command("run")
    assert ended.returncode == 1
    assert f"no config folder at {desk.config}" in ended.stderr
    assert "--config" in ended.stderr


def test_a_second_desk_on_the_same_data_says_which_process_has_it_and_a_stop_is_clean(desk: Desk) -> None:
    desk.start()
    assert desk.process is not None
    ended = desk.command("run", "--port", str(desk.port))
    assert ended.returncode == 1
    assert f"process {desk.process.pid}" in ended.stderr
    assert desk.get("/readyz").status == 200

    family = desk.children()
    assert desk.stop() == 0
    assert not any(process.is_running() for process in family.values())
    assert "Traceback" not in desk.log.read_text()


def test_a_desk_with_nothing_to_do_holds_nothing_that_fetches_files_or_renders(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 86400}])
    for _ in range(2):  # what is new to the desk is asked again soon
        desk.command("poll", "Tidings")
    desk.start()
    assert [item["title"] for item in desk.items("/news/world.json")] == ["One"]
    mapped = {Path(each.path).name for process in desk.children().values() for each in process.memory_maps()}
    assert any(name.startswith("libsqlite3") for name in mapped)
    needless = ("pycurl", "libcurl", "_re2", "etree", "lexbor", "_multiarray")
    assert not [name for name in mapped if name.startswith(needless)]


def test_a_first_start_on_bad_config_says_every_line_and_exits(desk: Desk) -> None:
    (desk.config / "sources.yaml").write_text(
        "- name: A\n  url: https://a.example/feed\n  secton: news\n- name: A\n  url: nonsense\n"
    )
    ended = desk.command("run")
    assert ended.returncode == 78
    lines = [line for line in ended.stderr.splitlines() if line.startswith("sources.yaml:")]
    assert len(lines) >= 3
    assert any(line.startswith("sources.yaml:3:3: ") and "section" in line for line in lines)
    assert any(line.startswith("sources.yaml:5:8: ") for line in lines)


def test_unknown_commands_are_guessed_at(desk: Desk) -> None:
    ended = desk.command("chekc")
    assert ended.returncode == 2
    assert "did you mean `wiredesk check`?" in ended.stderr


def test_documents_follow_the_port_and_doctor_knows_this_desk_from_another(desk: Desk, tmp_path: Path) -> None:
    port, desk.port = desk.port, free_port()  # the config says the first
    (desk.config / "note.txt").write_text("A note\n\nThere is one article, and it is about nothing in particular.\n")
    desk.write(sources=[{"name": "Notes", "files": "note.txt", "section": "news/world"}])
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the article")
    for path in ("/index.atom", "/news/world.rss", "/news/world", "/sections.opml"):
        body = desk.get(path).body
        assert desk.base_url.encode() in body and str(port).encode() not in body, path
    # What works beside the desk means the same address, and changes nothing.
    version = desk.get("/status").body.partition(b"Config version ")[2][:2]
    assert desk.command("poll", "--now").returncode == 0
    assert desk.command("plan").returncode == 0
    assert desk.get("/status").body.partition(b"Config version ")[2][:2] == version
    assert f"this desk answers at {desk.base_url}" in _in_one_line(desk.command("doctor").stdout)
    desk.stop()
    other = Desk(tmp_path / "other", port=desk.port).start()
    try:
        told = desk.command("doctor")
        assert told.returncode == 1
        assert f"something else answers at {desk.base_url}, not this desk" in _in_one_line(told.stdout)
    finally:
        other.stop()


def test_a_desk_without_a_network_says_so_in_one_line(desk: Desk) -> None:
    """And it shows what is in its folder."""
    (desk.config / "note.txt").write_text("A note\n\nThere is one article, and it is about nothing in particular.\n")
    feeds = [{"name": f"S{n}", "url": f"https://s{n}.invalid/feed", "interval_s": 3600} for n in range(12)]
    desk.write(sources=[{"name": "Notes", "files": "note.txt", "section": "news/world"}, *feeds])
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the article")
    until(lambda: "no source can be reached" in desk.log.read_text(), what="the line")
    until(lambda: b"waiting 1" in desk.get("/status").body, what="all polls")
    lines = desk.log.read_text().splitlines()
    assert sum("no source can be reached: this machine has no network" in line for line in lines) == 1
    assert sum("outcome=failed" in line for line in lines) <= 2, "those before it was known"


def _in_one_line(told: str) -> str:
    return " ".join(told.split())

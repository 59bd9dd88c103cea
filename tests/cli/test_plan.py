"""`wiredesk plan`: what an edit would do, over articles that are really stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from feeds.cli import wiredesk
from feeds.cli.common import Places
from feeds.cli.learn import filed_examples, labelled_examples
from feeds.cli.lists import count_unmapped
from feeds.cli.plan import Plan, SectionPlan, compare, tell
from feeds.configuration import PublishSettings, Settings
from feeds.engine.config_in_force import put_in_force
from feeds.errors import DeskError
from feeds.filing import FilingRules
from feeds.filing.text_model import model_from_bytes
from feeds.ingest.placing import refile
from feeds.model import Decision, Entry
from feeds.parsed import Category
from feeds.settings import Config, load_config
from feeds.store import Store, open_store
from tests.cli.conftest import Ended
from tests.filing.samples import section, source, term

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TIDES = ["High tide", "Low tide", "Spring tide", "Storm over the mole", "Storm in the sound", "Calm", "Fog"]


def config(*sections: object, entries: int = 50, sources: tuple[object, ...] = (source(),)) -> Config:
    """A config of these sections; its digest is of no interest."""
    told = Settings(publish=PublishSettings(entries=entries))
    return Config(settings=told, sections=sections, sources=sources, digest=repr((sections, sources, entries)))  # type: ignore[arg-type]


RUNNING = config(section("tides", term("keywords", "tide")), section("calm", term("keywords", "calm")))


@pytest.fixture
def found(tmp_path: Path) -> Places:
    (tmp_path / "config").mkdir()
    data = tmp_path / "data"
    return Places(config=tmp_path / "config", data=data, database=f"sqlite:///{data / 'desk.sqlite3'}")


@pytest.fixture
def store(found: Places) -> Iterator[Store]:
    """A store with TIDES filed as RUNNING says, a day apart, the first the newest."""
    with open_store(found.database) as made:
        put_in_force(made, RUNNING, found.config, {}, now=NOW)
        with made.read() as tx:
            [(brought, _)] = tx.sources.all_states()
        filing_rules = FilingRules(RUNNING.sections)
        decisions = []
        for number, title in enumerate(TIDES):
            entry = Entry(
                key=str(number),
                title=title,
                text=f"{title} number {number}",
                link=f"https://tidings.example/sea/{number}",
                comparable=f"tidings.example/sea/{number}",
                published=NOW - timedelta(days=number),
                categories=(Category(term="Shipping"),),
            )
            decisions.append(Decision(kind="new", entry=entry, article_uid=uid(number), source_id=brought.id))
        with made.write() as tx:
            tx.articles.save(
                decisions, NOW, {one.article_uid: filing_rules.place(one.entry, brought) for one in decisions}
            )
        yield made


def uid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012}"


def by_path(made: Plan) -> dict[str, SectionPlan]:
    return {one.path: one for one in made.sections}


def test_the_same_config_changes_nothing(store: Store, found: Places) -> None:
    made = compare(store, found, RUNNING, RUNNING)
    assert not made.changed
    assert made.sections == ()
    slower = replace(RUNNING, settings=replace(RUNNING.settings, title="Another"))
    made = compare(store, found, RUNNING, slower)
    assert made.changed and made.sections == ()  # nothing is filed again


def test_a_new_rule_shows_what_enters_leaves_and_is_fresh(store: Store, found: Places) -> None:
    edited = config(
        section("tides", term("keywords", "high tide", "storm")),
        section("calm", term("keywords", "calm")),
        entries=2,
    )
    tides = by_path(compare(store, found, RUNNING, edited))["tides"]
    assert (tides.before, tides.after, tides.enters, tides.leaves) == (3, 3, 2, 2)
    assert [one.title for one in tides.entering] == ["Storm over the mole", "Storm in the sound"]
    assert {one.title for one in tides.leaving} == {"Low tide", "Spring tide"}
    assert tides.entering[0].reason == "keyword 'storm'"
    # The document holds two: the newest is known there, the storm of three days ago is not.
    assert tides.fresh == 1


def test_what_is_planned_is_what_filing_again_does(store: Store, found: Places) -> None:
    edited = config(
        section("tides", term("keywords", "tide", "fog")),
        section("storms", term("keywords", "storm"), exclusive=True),
    )
    made = compare(store, found, RUNNING, edited)
    put_in_force(store, edited, found.config, {}, now=NOW)
    refile(store, FilingRules(edited.sections), clock=lambda: NOW)
    with store.read() as tx:
        counts = tx.sections.counts()
        ids = {article.uid for article in tx.sections.top("storms", 10)}
    assert ids == {uid(3), uid(4)}
    for path, plan in by_path(made).items():
        if plan.state != "removed":
            assert counts.get(path, 0) == plan.after, path
    assert by_path(made)["storms"].state == "new"
    assert by_path(made)["calm"].state == "removed"


def test_a_section_that_moved_keeps_its_articles(store: Store, found: Places) -> None:
    edited = config(
        section("sea"),
        section("sea/tides", term("keywords", "tide"), moved_from=("tides",)),
        section("calm", term("keywords", "calm")),
    )
    made = by_path(compare(store, found, RUNNING, edited))
    assert (made["sea/tides"].state, made["sea/tides"].moved_from) == ("moved", "tides")
    assert (made["sea/tides"].enters, made["sea/tides"].leaves, made["sea/tides"].fresh) == (0, 0, 0)


def test_sources_that_come_go_and_change_are_named(store: Store, found: Places) -> None:
    edited = config(
        *RUNNING.sections,
        section("sea"),
        sources=(source("Gazette"), source("Tidings", section="sea")),
    )
    made = compare(store, found, RUNNING, edited)
    assert made.sources_added == ("Gazette",)
    assert made.sources_changed == (("Tidings", ("section - → sea",)),)
    assert by_path(made)["sea"].enters == len(TIDES)
    gone = compare(store, found, RUNNING, config(*RUNNING.sections, sources=()))
    assert gone.sources_removed == ("Tidings",)


def test_a_source_of_another_name_at_the_same_address_is_told_as_a_rename(
    store: Store, found: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    [tidings] = RUNNING.sources
    edited = config(*RUNNING.sections, sources=(replace(tidings, key="Tides", name="Tides"),))
    made = compare(store, found, RUNNING, edited)
    assert (made.sources_renamed, made.changed) == ((("Tidings", "Tides"),), True)
    assert (made.sources_added, made.sources_removed, made.sources_changed, made.sections) == ((), (), (), ())
    tell(made)
    assert "source Tidings is called Tides from now on; its history and its articles follow" in capsys.readouterr().out


def test_a_section_that_becomes_empty_is_told(store: Store, found: Places) -> None:
    edited = config(section("tides", term("keywords", "tide")), section("calm", term("keywords", "hurricane")))
    made = compare(store, found, RUNNING, edited)
    assert made.emptied == ("calm",)


def test_doubts_need_enough_articles_and_name_what_tells_nothing_apart(
    store: Store, found: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = config(section("tides", term("keywords", "number", "tide")), section("never", term("keywords", "quake")))
    assert compare(store, found, RUNNING, edited).doubts == ()
    monkeypatch.setattr("feeds.cli.check.COMMON_OF", 5)
    assert compare(store, found, RUNNING, edited).doubts == (
        "keyword 'number' holds of 100% of all that is stored: it tells nothing apart",
        "the rule of never files nothing of what is stored",
    )


def test_two_processes_count_what_one_does(store: Store, found: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = config(section("tides", term("keywords", "storm")), section("calm", term("keywords", "calm")))
    alone = compare(store, found, RUNNING, edited)
    monkeypatch.setattr("feeds.cli.plan.ALONE", 1)
    shared = compare(store, found, RUNNING, edited)
    assert shared.sections == alone.sections
    assert shared.articles == alone.articles == len(TIDES)


def test_the_plan_is_told_in_words(store: Store, found: Places, capsys: pytest.CaptureFixture[str]) -> None:
    edited = config(section("tides", term("keywords", "storm")), section("calm", term("keywords", "quake")))
    tell(compare(store, found, RUNNING, edited))
    told = capsys.readouterr().out
    assert "tides" in told and "+2, -3" in told
    assert "+ Storm over the mole (Tidings): keyword 'storm'" in told
    assert "calm becomes empty" in told
    assert "2 entries of its feed new to its readers" in told


# ------------------------------------------------------------ the other commands, over the same store


def test_what_publishers_say_that_means_no_section_is_counted(store: Store) -> None:
    found = {(signal.kind, signal.value): count for signal, (count, _) in count_unmapped(store, RUNNING, False).items()}
    assert found == {("category", "Shipping"): 3, ("path", "/sea"): 3}
    everything = count_unmapped(store, RUNNING, True)
    assert {count for count, _ in everything.values()} == {len(TIDES)}


def test_unmapped_names_are_ready_to_paste(store: Store, found: Places) -> None:
    at = ["--config", str(found.config), "--data", str(found.data)]
    told = CliRunner().invoke(wiredesk, ["sections", "--unmapped", *at])
    assert told.exit_code == 0, told.output
    lines = [line.partition("  #")[0].strip() for line in told.output.splitlines() if not line.startswith("#")]
    assert lines == ['- category: "Shipping"', '- path: "/sea"']
    rows = json.loads(CliRunner().invoke(wiredesk, ["sections", "--unmapped", "--json", *at]).output)
    assert rows[0]["kind"] == "category" and rows[0]["articles"] == 3
    # Pasted as it is printed, remarks and all, it files what was unfiled.
    pasted = "".join(f"      {line}\n" for line in told.output.splitlines())
    (found.config / "sections.yaml").write_text(f"rest:\n  match:\n    any:\n{pasted}")
    (found.config / "sources.yaml").write_text("- {name: Tidings, url: https://tidings.example/feed}\n")
    assert count_unmapped(store, load_config(found.config, {}), False) == {}


def test_sections_are_listed_with_their_articles(store: Store, found: Places) -> None:
    at = ["--config", str(found.config), "--data", str(found.data)]
    told = CliRunner().invoke(wiredesk, ["sections", "--json", *at])
    assert {row["path"]: row["articles"] for row in json.loads(told.output)} == {
        "": 7,
        "tides": 3,
        "calm": 1,
        "unfiled": 3,
    }
    assert "tides" in CliRunner().invoke(wiredesk, ["sections", *at]).output


def test_the_classifier_learns_from_what_rules_have_filed_alone(store: Store) -> None:
    told = [(example.title, example.sections, example.source) for example in filed_examples(store, RUNNING)]
    assert sorted(told) == [
        ("Calm", ("calm",), "Tidings"),
        ("High tide", ("tides",), "Tidings"),
        ("Low tide", ("tides",), "Tidings"),
        ("Spring tide", ("tides",), "Tidings"),
    ]


def test_learning_from_labelled_files_writes_a_model(store: Store, found: Places, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="learning needs scikit-learn (requirements-learn.txt)")
    words = {"tides": ("ebb", "flood", "moon", "shore"), "calm": ("still", "quiet", "mirror", "windless")}
    rows = [
        {"label": label, "text": f"{told[at % 4]} {told[at // 4 % 4]} water {at}"}
        for label, told in words.items()
        for at in range(16)
    ]
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    at = ["--config", str(found.config), "--data", str(found.data), "--labelled", str(file)]
    dry = CliRunner().invoke(wiredesk, ["learn", "--dry-run", *at])
    assert dry.exit_code == 0, dry.output
    assert model_of(store) is None
    told = CliRunner().invoke(wiredesk, ["learn", *at])
    assert told.exit_code == 0, told.output
    assert "tides" in told.output and "words:" in told.output and "(not set to learn)" in told.output
    assert len(model_of(store) or b"") in range(1000, 1_000_000)
    edited = config(*RUNNING.sections[:1], section("calm", term("keywords", "calm"), learned_precision=0.9))
    assert compare(store, found, RUNNING, edited).articles == len(TIDES)


def model_of(store: Store) -> bytes | None:
    with store.read() as tx:
        return tx.models.body()


def test_learning_from_labelled_files_before_a_first_poll(found: Places, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="learning needs scikit-learn (requirements-learn.txt)")
    at = ["--config", str(found.config), "--data", str(found.data)]
    bare = CliRunner().invoke(wiredesk, ["learn", *at])
    assert bare.exception is not None and "give articles with --labelled" in str(bare.exception)
    words = {"tides": "ebb flood moon shore swell", "calm": "still quiet mirror windless haze"}
    file = tmp_path / "labelled.jsonl"
    rows = [
        {"label": label, "title": "", "text": f"{told} water{at} {label}{at % 3}"}
        for label, told in words.items()
        for at in range(20)
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    at += ["--labelled", str(file)]
    (found.config / "sources.yaml").write_text("# none yet\n")
    (found.config / "sections.yaml").write_text("tides: {learned: {precision: 0.8}}\n")
    unknown = CliRunner().invoke(wiredesk, ["learn", *at])
    assert "no section 'calm'" in str(unknown.exception)
    (found.config / "sections.yaml").write_text("tides: {learned: {precision: 0.8}}\ncalm:\n")
    dry = CliRunner().invoke(wiredesk, ["learn", "--dry-run", *at])
    assert dry.exit_code == 0, dry.output
    assert not found.data.exists()
    told = CliRunner().invoke(wiredesk, ["learn", "--refile", *at])
    assert told.exit_code == 0, told.output
    with open_store(found.database) as store:
        model = model_from_bytes(model_of(store) or b"")
    config = load_config(found.config, {})
    entry = Entry(key="1", title="Ebb and flood", text="ebb flood moon shore swell")
    assert FilingRules(config.sections, model).place(entry, source())[0].by == "learned"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"label": "nowhere", "text": "x"}', "1: no section 'nowhere'"),
        ('{"text": "x"}', "1: a row has no field 'label'"),
        ("[1]", "1: no JSON object"),
        ("{", "Expecting property name"),
    ],
)
def test_a_labelled_file_that_is_none_says_where(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(DeskError, match=re.escape(said)):
        labelled_examples(file, None, RUNNING)


def test_check_warns_of_keywords_that_stand_in_most_of_what_is_stored(
    store: Store, found: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ["--config", str(found.config), "--data", str(found.data)]
    (found.config / "sources.yaml").write_text("- {name: Tidings, url: https://tidings.example/feed, section: tides}\n")
    (found.config / "sections.yaml").write_text(
        "tides:\n  match:\n    any:\n      - keywords: [tide]\n      - keywords: [number, quake]\n"
    )
    told = CliRunner().invoke(wiredesk, ["check", *at])
    assert told.exit_code == 0 and "tells nothing apart" not in told.output  # so few show nothing
    monkeypatch.setattr("feeds.cli.check.COMMON_OF", 5)
    told = CliRunner().invoke(wiredesk, ["check", *at])
    assert told.exit_code == 0, told.output
    assert (
        "sections.yaml:5:1: in the rule of 'tides' keyword 'number' holds of 100% of all that is stored: "
        "it tells nothing apart; take it out"
    ) in told.output
    assert "'tide'" not in told.output and "1 warning" in told.output


Run = Callable[..., Ended]


def version(folder: Path) -> int:
    with open_store(f"sqlite:///{folder}/data/desk.sqlite3") as store, store.read() as tx:
        return tx.configs.version()


def test_files_are_put_in_force_and_a_dry_run_changes_nothing(run: Run, folder: Path) -> None:
    assert run("poll").code == 0
    same = run("apply")
    assert (same.code, same.out.splitlines()[-1]) == (0, "Version 1 was in force already.")
    sources = folder / "config" / "sources.yaml"
    sources.write_text(sources.read_text() + "- name: More\n  url: http://127.0.0.1:9/feed.xml\n")
    dry = run("apply", "--dry-run")
    assert dry.code == 3
    assert "source More appears" in dry.out
    assert version(folder) == 1
    done = run("apply")
    assert done.code == 0
    assert "source More appears" in done.out
    assert done.out.splitlines()[-1] == "Version 2 is in force."
    assert version(folder) == 2
    assert run("apply", "--dry-run").code == 0


def test_files_with_errors_are_not_put_in_force(run: Run, folder: Path) -> None:
    assert run("poll").code == 0
    (folder / "config" / "sources.yaml").write_text("- name: Letters\n  url: gopher://x\n")
    bad = run("apply")
    assert bad.code == 78
    assert "sources.yaml:2:8: " in bad.err
    assert version(folder) == 1


def test_without_a_desk_it_says_what_to_do(run: Run) -> None:
    none = run("apply")
    assert none.code == 1
    assert "no desk has run" in none.err

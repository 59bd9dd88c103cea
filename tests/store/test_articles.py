"""Batches saved: what is new, what is known, where it is filed, and what is refused for good."""

import uuid
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from feeds.model import Decision, Evidence
from feeds.store.values import ArticleState

from .conftest import NOW, copy, entry, later, new, placed, read, save, section, source, uid_of


def get(store, key):
    return read(store, lambda tx: tx.articles.get(uid_of(key)))


def filed(store, key):
    return read(store, lambda tx: {each.section: each for each in tx.articles.filings_of(uid_of(key))})


def updated(key, source_id=1, significant=True, **more):
    return Decision(
        kind="updated",
        entry=entry(key, **{"content_hash": 2} | more),
        article_uid=uid_of(key),
        source_id=source_id,
        significant=significant,
    )


# --------------------------------------------------------------------------- new


def test_a_new_article_is_shown_in_its_sections(desk):
    report = save(desk, [new("x")], "news", "news/world")
    assert (report.new, report.copies, report.updated) == (1, 0, 0)
    assert report.sections_changed == {"news", "news/world"}
    article = get(desk, "x")
    assert (article.title, article.source_key, article.sections) == ("Title x", "a", ("news", "news/world"))
    assert [each.uid for each in read(desk, lambda tx: tx.sections.top("news/world", 5))] == [uid_of("x")]


def test_saving_twice_is_saving_once(desk):
    batch = [new("x"), new("y"), copy("cx", 2, "x")]
    save(desk, batch, "news")
    before = get(desk, "x")
    report = save(desk, batch, "news", now=later(hours=1))
    assert (report.new, report.copies, report.sections_changed) == (0, 0, frozenset())
    assert get(desk, "x") == before


def test_an_entry_twice_in_a_batch_is_one(desk):
    report = save(desk, [new("x"), new("x")], "news")
    assert report.new == 1
    assert len(read(desk, lambda tx: tx.articles.entries_of(uid_of("x")))) == 1


def test_the_rank_is_the_earlier_of_published_and_first_seen(desk):
    save(desk, [new("old", published=later(days=-3)), new("odd", published=later(days=3)), new("none")], "news")
    assert get(desk, "old").rank_at == later(days=-3)
    assert get(desk, "odd").rank_at == NOW
    assert get(desk, "none").rank_at == get(desk, "none").published == NOW
    assert [each.title[6:] for each in read(desk, lambda tx: tx.sections.top("news", 5))][-1] == "old"


def test_a_given_rank_holds(desk):
    with desk.write() as tx:
        tx.articles.save([new("x")], NOW, {uid_of("x"): placed("news")}, {uid_of("x"): later(days=-9)})
    assert get(desk, "x").rank_at == later(days=-9)
    assert filed(desk, "x")["news"].rank_at == later(days=-9)


def test_the_stated_time_of_a_change_is_shown_where_it_can_be_true(desk):
    save(
        desk,
        [
            new("good", published=later(days=-3), updated=later(days=-1)),
            new("future", published=later(days=-3), updated=later(days=1)),
            new("before", published=later(days=-3), updated=later(days=-5)),
        ],
        "news",
    )
    assert get(desk, "good").updated == later(days=-1)
    assert get(desk, "future").updated == get(desk, "before").updated == later(days=-3)


def test_an_article_without_placement_is_unfiled(desk):
    save(desk, [new("x"), new("y")], "nowhere", y=())
    assert list(filed(desk, "x")) == list(filed(desk, "y")) == ["", "unfiled"]


def test_odd_texts_do_not_break_a_batch(desk):
    odd = new("k" * 5000, title="nul \0 and half \ud83d", comparable="a.example/" + "x" * 5000, link="https://a/\0")
    save(desk, [odd, new("x")], "news")
    known = read(desk, lambda tx: tx.articles.known([(1, [odd.entry])]))
    assert list(known.entries) == [(1, odd.entry.key)]
    assert list(known.by_comparable) == [odd.entry.comparable]
    assert read(desk, lambda tx: tx.articles.get(odd.article_uid)) is not None


# --------------------------------------------------------------------------- known


def test_known_tells_entries_urls_and_texts(desk):
    save(desk, [new("x", text_hash=2**64 - 5, published=NOW)], "news")
    asked = entry("x", text_hash=2**64 - 5)
    known = read(desk, lambda tx: tx.articles.known([(1, [asked]), (2, [asked, entry("z")])]))
    assert set(known.entries) == {(1, "x")}
    mine = known.entries[1, "x"]
    assert (mine.article_uid, mine.text_hash, mine.published, mine.first_seen) == (uid_of("x"), 2**64 - 5, NOW, NOW)
    assert known.by_comparable == {"a.example/x": uid_of("x")}
    assert known.by_text == {2**64 - 5: uid_of("x")}
    assert known.refused == frozenset()


def test_known_gives_the_newest_entries_of_sources_that_show_strangers(desk):
    save(desk, [new("x"), new("y"), new("q", 2)], "news")
    known = read(desk, lambda tx: tx.articles.known([(1, [entry("z")]), (2, [entry("q")])]))
    assert [each.key for each in known.recent[1]] == ["y", "x"]
    assert 2 not in known.recent


def test_known_of_nothing_is_nothing(desk):
    assert read(desk, lambda tx: tx.articles.known([])).entries == {}
    assert read(desk, lambda tx: tx.articles.known([(1, [])])).recent == {}


def test_known_takes_more_than_one_list_can_hold(desk):
    batch = [new(f"k{number}", text_hash=number + 1) for number in range(1000)]
    save(desk, batch, "news")
    known = read(desk, lambda tx: tx.articles.known([(1, [each.entry for each in batch])]))
    assert (len(known.entries), len(known.by_comparable), len(known.by_text)) == (1000, 1000, 1000)


# --------------------------------------------------------------------------- copies


def test_a_copy_is_told_with_its_article_and_files_it_where_it_belongs(desk):
    save(desk, [new("x")], "news")
    report = save(desk, [copy("cx", 2, "x")], "sport", now=later(hours=1))
    assert (report.new, report.copies) == (0, 1)
    assert report.sections_changed == {"news", "sport"}  # news shows the copy now
    article = get(desk, "x")
    assert article.sections == ("news", "sport")
    [note] = article.copies
    assert (note.source_name, note.link, note.original) == ("B", "https://a.example/cx", False)
    assert filed(desk, "x")["sport"].rank_at == NOW
    known = read(desk, lambda tx: tx.articles.known([(2, [entry("cx")])]))
    assert known.entries[2, "cx"].article_uid == uid_of("x")


def test_a_copy_with_its_original_in_one_batch(desk):
    report = save(desk, [new("x"), copy("cx", 2, "x"), copy("cy", 3, "x")], "news")
    assert (report.new, report.copies) == (1, 2)
    assert [note.source_name for note in get(desk, "x").copies] == ["B", "C"]
    assert filed(desk, "x")["news"].sequence == 1


def test_a_copy_that_is_filed_takes_its_article_out_of_unfiled(desk):
    save(desk, [new("x")], "unfiled")
    save(desk, [copy("cx", 2, "x")], "", "sport")
    assert list(filed(desk, "x")) == ["", "sport"]


def test_what_leaves_unfiled_for_private_sections_alone_leaves_the_whole_desk(desk):
    save(desk, [new("x"), new("y")], x=("unfiled",), y=("", "sport"))
    save(desk, [copy("cx", 2, "x"), copy("cy", 2, "y")], "news")
    assert list(filed(desk, "x")) == ["news"]
    assert list(filed(desk, "y")) == ["", "news", "sport"]


def test_a_copy_that_is_unfiled_leaves_its_article_where_it_is(desk):
    save(desk, [new("x")], "news")
    save(desk, [copy("cx", 2, "x")], "unfiled")
    assert list(filed(desk, "x")) == ["news"]


def test_the_first_owner_of_an_url_keeps_it(desk):
    save(desk, [new("x", text_hash=7)], "news")
    save(desk, [new("y", comparable="a.example/x", text_hash=7)], "news")
    known = read(desk, lambda tx: tx.articles.known([(3, [entry("x", text_hash=7)])]))
    assert known.by_comparable["a.example/x"] == known.by_text[7] == uid_of("x")


def test_a_copy_of_a_source_with_higher_priority_is_shown(desk):
    with desk.write() as tx:
        tx.sources.sync([source("a"), source("b", priority=5), source("c", priority=1)], "full", NOW)
    save(desk, [new("x")], "news")
    save(desk, [copy("cc", 3, "x", title="From c"), copy("cb", 2, "x", title="From b")], "news")
    save(desk, [copy("cd", 3, "x", title="From c again")], "news")
    article = get(desk, "x")
    assert (article.uid, article.title, article.source_key) == (uid_of("x"), "From b", "b")
    assert [(note.source_name, note.original) for note in article.copies] == [("A", True), ("C", False), ("C", False)]


@pytest.mark.parametrize(
    ("own", "shown"),
    [(None, ""), ("full", "<p>Text cb</p>")],
    ids=["the desk's full is not its own", "its own full is"],
)
def test_the_text_of_a_link_original_is_not_given_away_by_its_copy(desk, own, shown):
    with desk.write() as tx:
        tx.sources.sync([source("a", full_text="link"), source("b", priority=5, full_text=own)], "full", NOW)
    save(desk, [new("x"), copy("cb", 2, "x")], "news")
    assert get(desk, "x").source_key == "b"
    assert get(desk, "x").content == shown


def test_evidence_is_kept_for_explain(desk):
    why = (Evidence(kind="near", detail="of y", score=0.75, threshold=0.5),)
    save(desk, [new("x"), structs.replace(copy("cx", 2, "x"), evidence=why)], "news")
    first, second = read(desk, lambda tx: tx.articles.entries_of(uid_of("x")))
    assert (first.copy, first.shown, first.evidence) == (False, True, ())
    assert (second.copy, second.shown, second.evidence) == (True, False, why)
    assert second.source.key == "b"


# --------------------------------------------------------------------------- updates


def test_what_an_article_was_before_its_last_significant_change_is_kept_and_goes_with_it(desk):
    save(desk, [new("x", title="Three ships", text="Three ships sank. " * 600)], "news")
    edit = partial(read, desk, lambda tx: tx.articles.edit(uid_of("x")))
    assert edit() is None
    save(desk, [updated("x", significant=False, title="Three  ships")], now=later(hours=1))
    assert edit() is None
    save(desk, [updated("x", title="Two ships", text="Two ships sank.")], now=later(hours=2))
    found = edit()
    assert (found.old_title, found.title, found.text, found.at) == (
        "Three  ships", "Two ships", "Two ships sank.", later(hours=2),
    )  # fmt: skip
    save(desk, [updated("x", title="One ship", text="One ship sank.")], now=later(hours=3))
    assert (edit().old_title, edit().old_text, edit().title) == ("Two ships", "Two ships sank.", "One ship")
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "", later(hours=4))
    assert edit() is None
    with desk.write() as tx:
        tx.articles.unretract(uid_of("x"), later(hours=5))
    assert edit() is None


def test_a_significant_update_counts_in_every_section_and_is_dated(desk):
    save(desk, [new("x"), new("y")], "news", "sport")
    report = save(desk, [updated("x", title="Better")], now=later(hours=2))
    assert (report.updated, report.sections_changed) == (1, {"news", "sport"})
    article = get(desk, "x")
    assert (article.title, article.updated, article.published) == ("Better", later(hours=2), NOW)
    assert filed(desk, "x")["news"].sequence == 3
    assert filed(desk, "x")["news"].rank_at == NOW
    assert [each.title for each in read(desk, lambda tx: tx.sections.top("news", 5))] == ["Title y", "Better"]


def test_a_small_update_is_rendered_but_counts_nowhere(desk):
    save(desk, [new("x")], "news")
    revision = get(desk, "x").revision
    report = save(desk, [updated("x", significant=False, title="Beter")], now=later(hours=2))
    article = get(desk, "x")
    assert report.sections_changed == {"news"}
    assert (article.title, article.updated) == ("Beter", NOW)
    assert article.revision > revision
    assert filed(desk, "x")["news"].sequence == 1


def test_an_update_of_a_copy_does_not_date_the_article(desk):
    save(desk, [new("x"), copy("cx", 2, "x")], "news")
    changed = structs.replace(updated("cx", 2, title="Copy's new title"), article_uid=uid_of("x"))
    save(desk, [changed], now=later(hours=2))
    assert (get(desk, "x").title, get(desk, "x").updated) == ("Title x", NOW)
    assert get(desk, "x").copies[0].title == "Copy's new title"


def test_an_update_may_file_in_more_sections_and_takes_none_away(desk):
    save(desk, [new("x")], "news")
    save(desk, [updated("x")], "sport", now=later(hours=2))
    assert set(filed(desk, "x")) == {"news", "sport"}


def test_an_entry_whose_id_moves_is_found_under_the_new_one(desk):
    save(desk, [new("x")], "news")
    moved = Decision(kind="seen", entry=entry("x2"), article_uid=uid_of("x"), source_id=1, known_key="x")
    report = save(desk, [moved])
    assert report.sections_changed == frozenset()
    known = read(desk, lambda tx: tx.articles.known([(1, [entry("x2"), entry("x")])]))
    assert set(known.entries) == {(1, "x2")}


def test_a_moved_id_never_takes_anothers_place(desk):
    save(desk, [new("x"), new("y")], "news")
    save(desk, [Decision(kind="seen", entry=entry("y"), article_uid=uid_of("x"), source_id=1, known_key="x")])
    known = read(desk, lambda tx: tx.articles.known([(1, [entry("x"), entry("y")])]))
    assert known.entries[1, "x"].article_uid == uid_of("x")
    assert known.entries[1, "y"].article_uid == uid_of("y")


# --------------------------------------------------------------------------- retraction


def test_a_retracted_article_leaves_everything_and_never_comes_back(desk):
    save(desk, [new("x", text_hash=9), new("y")], "news", "sport")
    with desk.write() as tx:
        assert tx.articles.retract(uid_of("x"), "wrong", later(hours=1)) == {"news", "sport"}
        assert tx.articles.retract(uid_of("x"), "wrong", later(hours=1)) == frozenset()
    assert get(desk, "x") is None
    state = read(desk, lambda tx: tx.articles.state(uid_of("x")))
    assert state == ArticleState(kind="retracted", reason="wrong", at=later(hours=1))
    assert [each.uid for each in read(desk, lambda tx: tx.sections.top("news", 5))] == [uid_of("y")]
    known = read(desk, lambda tx: tx.articles.known([(1, [entry("x", text_hash=9)])]))
    assert known.refused == {(1, "x"), "a.example/x", 9}
    [gone] = read(desk, lambda tx: tx.sections.since("news", 2, 10)).withdrawn
    assert (gone.uid, gone.retracted, gone.at, gone.sequence) == (uid_of("x"), True, later(hours=1), 3)


def test_a_copy_or_an_update_does_not_bring_a_retracted_article_back(desk):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "wrong", NOW)
    save(desk, [copy("cx", 2, "x"), updated("x")], "sport")
    assert get(desk, "x") is None
    assert read(desk, lambda tx: tx.sections.top("sport", 5)) == ()
    assert read(desk, lambda tx: tx.sections.top("news", 5)) == ()


def test_what_is_put_back_stands_where_it_stood(desk):
    save(desk, [new("x"), new("y")], "news")
    before = get(desk, "x")
    with desk.write() as tx:
        tx.articles.retract(uid_of("x"), "wrong", NOW)
        assert tx.articles.unretract(uid_of("x"), NOW) == {"news"}
        assert tx.articles.unretract(uid_of("x"), NOW) == frozenset()
    after = get(desk, "x")
    assert (after.uid, after.rank_at, after.sections) == (before.uid, before.rank_at, before.sections)
    assert read(desk, lambda tx: tx.articles.known([(1, [entry("x")])])).refused == frozenset()
    assert filed(desk, "x")["news"].sequence == 4


# --------------------------------------------------------------------------- finding


@pytest.mark.parametrize("ask", ["urn", "bare", "shouted", "url", "http", "copy", "page"])
def test_an_article_is_found_by_whatever_people_have_of_it(desk, ask):
    save(desk, [new("x"), copy("cx", 2, "x", comparable="b.example/cx")], "news")
    bare = uid_of("x").removeprefix("urn:uuid:")
    asked = {
        "urn": uid_of("x"),
        "bare": bare,
        "shouted": bare.upper(),
        "url": "https://a.example/x?utm_source=y",
        "http": "http://a.example/x#top",
        "copy": "https://b.example/cx",
        "page": f"http://127.0.0.1:8080/article/{bare}",
    }[ask]
    assert read(desk, lambda tx: tx.articles.find(asked)) == uid_of("x")


@pytest.mark.parametrize("asked", ["", "x", "https://nowhere.example/", str(uuid.UUID(int=0)), "ftp://a.example/x"])
def test_what_is_not_there_is_not_found(desk, asked):
    assert read(desk, lambda tx: tx.articles.find(asked)) is None
    assert read(desk, lambda tx: tx.articles.get(asked)) is None
    assert read(desk, lambda tx: tx.articles.state(asked)) is None


# --------------------------------------------------------------------------- filing again


def test_filing_again_moves_an_article_by_its_old_rank(desk):
    save(desk, [new("x", published=later(days=-2))], "news")
    save(desk, [new("y")], "sport")
    with desk.write() as tx:
        changed = tx.articles.refile_all({uid_of("x"): placed("sport")}, later(days=1))
    assert changed == {"news", "sport"}
    assert [each.uid for each in read(desk, lambda tx: tx.sections.top("sport", 5))] == [uid_of("y"), uid_of("x")]
    [gone] = read(desk, lambda tx: tx.sections.since("news", 1, 5)).withdrawn
    assert (gone.uid, gone.retracted) == (uid_of("x"), False)


def test_filing_again_the_same_changes_nothing(desk):
    save(desk, [new("x")], "news", "sport")
    before = get(desk, "x")
    with desk.write() as tx:
        assert tx.articles.refile_all({uid_of("x"): placed("news", "sport")}, later(days=1)) == frozenset()
    assert get(desk, "x") == before


def test_filing_again_for_another_reason_keeps_the_number(desk):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        assert tx.articles.refile_all({uid_of("x"): placed("news", by="path", reason="new rule")}, NOW) == frozenset()
    assert (filed(desk, "x")["news"].by, filed(desk, "x")["news"].reason) == ("path", "new rule")
    assert filed(desk, "x")["news"].sequence == 1


def test_an_article_that_no_section_wants_any_more_is_unfiled_and_comes_back_by_rank(desk):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        assert tx.articles.refile_all({uid_of("x"): ()}, NOW) == {"", "news", "unfiled"}
        assert tx.articles.refile_all({uid_of("x"): placed("news")}, later(days=1)) == {"", "news", "unfiled"}
    assert list(filed(desk, "x")) == ["news"]
    assert filed(desk, "x")["news"].rank_at == NOW
    assert filed(desk, "x")["news"].sequence == 3


def test_what_is_stored_can_be_gone_through_for_filing(desk):
    save(desk, [new("x"), copy("cx", 2, "x"), new("y"), new("z")], "news")
    with desk.write() as tx:
        tx.articles.retract(uid_of("z"), "", NOW)
    first = read(desk, lambda tx: tx.articles.filed(None, 1))
    rest = read(desk, lambda tx: tx.articles.filed(first[-1].id, 100))
    assert [each.uid for each in first + rest] == [uid_of("y"), uid_of("x")]
    assert [(told.key, by.key) for told, by in rest[0].entries] == [("x", "a"), ("cx", "b")]
    assert {(one.section, one.by) for one in rest[0].placed} == {("news", "rule")}
    again = read(desk, lambda tx: tx.articles.with_entries([rest[0].id, first[0].id, 999]))
    assert again == rest + first


def test_what_is_filed_while_it_is_retracted_is_not_unfiled_when_it_comes_back(desk):
    with desk.write() as tx:
        tx.sections.sync([section("sport")], NOW)
    save(desk, [new("p")])
    assert read(desk, lambda tx: tx.articles.get(uid_of("p")).sections) == ("unfiled",)
    with desk.write() as tx:
        tx.articles.retract(uid_of("p"), "", later(seconds=1))
    save(desk, [copy("c1", 2, "p")], "sport", now=later(seconds=2))
    save(desk, [copy("c2", 2, "p")], now=later(seconds=3))
    with desk.write() as tx:
        tx.articles.unretract(uid_of("p"), later(seconds=4))
    assert read(desk, lambda tx: tx.articles.get(uid_of("p")).sections) == ("sport",)


# --------------------------------------------------------------------------- sequences, whatever happens

keys = st.sampled_from("pqrs")
paths = st.lists(st.sampled_from(["news", "news/world", "sport", "unfiled", "nowhere"]), max_size=3, unique=True)
moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["new", "copy", "updated", "small", "refile"]), keys, paths),
        st.tuples(st.sampled_from(["retract", "unretract"]), keys, st.just([])),
    ),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_every_change_gets_the_next_number_of_its_section_and_one_place_only(desk, moves):
    run, numbers, ranks = uuid.uuid4().hex, {}, {}
    with desk.write() as tx:
        tx.sections.sync([section(path) for path in ("news", "news/world", "sport")], NOW)
    for step, (move, name, where) in enumerate(moves):
        key, now = f"{run}{name}", later(seconds=step)
        before = read(desk, lambda tx: {state.path: state.sequence for state in tx.sections.all()})
        if move in ("retract", "unretract"):
            with desk.write() as tx:
                changed = (
                    tx.articles.retract(uid_of(key), "", now)
                    if move == "retract"
                    else tx.articles.unretract(uid_of(key), now)
                )
        elif move == "refile":
            with desk.write() as tx:
                changed = tx.articles.refile_all({uid_of(key): placed(*where)}, now)
        else:
            known = read(desk, lambda tx, key=key: tx.articles.state(uid_of(key))) is not None
            if move == "copy":
                decision = copy(f"{key}{step}", 2, key) if known else new(key)
            elif move == "new":
                decision = new(key)
            else:
                decision = updated(key, significant=move == "updated") if known else new(key)
            changed = save(desk, [decision], *where, now=now).sections_changed
        with desk.read() as tx:
            for state in tx.sections.all():
                assert state.sequence >= before[state.path]
                assert state.sequence == before[state.path] or state.path in changed
                everything = tx.sections.since(state.path, 0, 10_000)
                seen = [each.sequence for each in (*everything.articles, *everything.withdrawn)]
                assert len(set(seen)) == len(seen), "two changes with one number"
                assert max(seen, default=0) <= state.sequence
                uids = [each.uid for each in (*everything.articles, *everything.withdrawn)]
                assert len(set(uids)) == len(uids)
                for article in everything.articles:
                    assert numbers.get((state.path, article.uid), 0) <= article.sequence
                    numbers[state.path, article.uid] = article.sequence
                    assert ranks.setdefault(article.uid, article.rank_at) == article.rank_at
                top = tx.sections.top(state.path, 10_000)
                assert {each.uid for each in top} == {each.uid for each in everything.articles}
            article = tx.articles.get(uid_of(key))
            if article is not None:
                assert article.sections
                assert "unfiled" not in article.sections or article.sections == ("unfiled",)


def test_what_a_source_takes_back_goes_where_it_tells_the_article_and_else_never_comes(desk):
    save(desk, [new("a"), copy("a2", 2, "a"), new("b", 2)], "news")
    with desk.write() as tx:
        assert tx.articles.take_back(2, "a2", "gone", NOW) is False  # another source tells it
        assert tx.articles.take_back(1, "never", "gone", NOW) is None
        assert tx.articles.kill(2, "b", "killed", NOW) is True
        assert tx.articles.kill(2, "later", "killed", NOW) is False
        assert (tx.articles.state(uid_of("b")).kind, tx.articles.state(uid_of("b")).reason) == ("retracted", "killed")
        assert tx.articles.state(uid_of("a")).kind == "live"
        known = tx.articles.known([(2, [entry("later", comparable=None)]), (1, [entry("later", comparable=None)])])
        assert known.refused == {(2, "later")}


def test_entries_are_found_by_their_keys_their_address_and_their_time(desk):
    save(desk, [new("a"), new("b")], "news")
    save(desk, [new("c")], "news", now=later(days=1))
    found = read(desk, lambda tx: tx.articles.entries_of_keys(1, ["a", "c", "x"]))
    assert {key: (one.title, uid) for key, (one, uid) in found.items()} == {
        "a": ("Title a", uid_of("a")),
        "c": ("Title c", uid_of("c")),
    }
    assert read(desk, lambda tx: tx.articles.entry_at(1, "https://a.example/b")).key == "b"
    assert read(desk, lambda tx: tx.articles.entry_at(2, "https://a.example/b")) is None
    assert read(desk, lambda tx: tx.articles.keys_since(1, later(hours=1))) == {"c"}
    assert read(desk, lambda tx: tx.articles.newest_of(1, 2)) == [uid_of("c"), uid_of("b")]

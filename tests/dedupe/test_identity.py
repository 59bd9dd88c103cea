"""Identity in a source: ids that hold, repeat, change, move; archives that come again."""

from datetime import timedelta

from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT, entry, kinds, uids


def three(**more):
    return [
        entry("1", title="Council to replace the bridge", text=BRIDGE, link="x.example/bridge", **more),
        entry("2", title="Ferry aground off Skerry Point", text=FERRY, link="x.example/ferry", **more),
        entry("3", title="Wheat up for a fifth week", text=WHEAT, link="x.example/wheat", **more),
    ]


def test_a_second_poll_brings_nothing_new(desk):
    first = desk.poll(1, *three())
    again = desk.poll(1, *three())
    assert kinds(first) == ["new"] * 3
    assert kinds(again) == ["seen"] * 3
    assert uids(again) == uids(first)


def test_an_entry_that_a_document_holds_twice_is_one(desk):
    bridge = three()[0]
    assert kinds(desk.poll(1, bridge, bridge)) == ["new", "seen"]


def test_ids_that_change_at_every_fetch_double_nothing(desk):
    first = desk.poll(1, *three())
    moved = [entry(f"s{n}", title=e.title, text=e.text, link=e.comparable) for n, e in enumerate(three())]
    again = desk.poll(1, *moved)
    assert kinds(again) == ["seen"] * 3
    assert uids(again) == uids(first)
    assert [decision.known_key for decision in again] == ["1", "2", "3"]


def test_ids_that_change_are_recognised_without_links_too(desk):
    plain = [entry(str(n), title=e.title, text=e.text) for n, e in enumerate(three())]
    other = [entry(f"z{n}", title=e.title, text=e.text) for n, e in enumerate(three())]
    first = desk.poll(1, *plain)
    assert uids(desk.poll(1, *other)) == uids(first)


def test_ids_that_move_from_http_to_https_stay(desk):
    old = entry("http://x.example/?p=7", entry_id="http://x.example/?p=7", title="Ferry aground", text=FERRY)
    new = entry("https://x.example/?p=7", entry_id="https://x.example/?p=7", title="Ferry aground", text=FERRY)
    (first,) = desk.poll(1, old)
    (again,) = desk.poll(1, new)
    assert (again.kind, again.article_uid, again.known_key) == ("seen", first.article_uid, old.key)


def test_a_site_that_moves_to_another_host_keeps_its_articles(desk):
    first = desk.poll(1, *three())
    moved = [
        entry(f"n{n}", title=e.title, text=e.text, link=e.comparable.replace("x.example", "new.example"))
        for n, e in enumerate(three())
    ]
    assert uids(desk.poll(1, *moved)) == uids(first)


def test_an_archive_issued_again_under_new_ids_links_and_texts_is_not_new(desk):
    old = [entry(f"o{n}", title=f"Letter number {n} from the {w}", text=f"{w} {BRIDGE}", link=f"x.example/{n}")
           for n, w in enumerate("north south east west coast hills moors".split())]  # fmt: skip
    first = desk.poll(1, *old)
    again = desk.poll(1, *(entry(f"new{n}", title=e.title, text=f"Archive. {FERRY} {n}", link=f"x.example/blog/p{n}x")
                           for n, e in enumerate(old)))  # fmt: skip
    assert uids(again) == uids(first)
    assert {decision.evidence[0].kind for decision in again} <= {"flood", "title", "text", "url", "path"}


def test_an_id_used_again_for_another_article_makes_a_new_one_that_stays(desk):
    (first,) = desk.poll(1, entry("latest", title="Council to replace the bridge", text=BRIDGE, link="x.example/1"))
    reused = entry("latest", title="Wheat up for a fifth week", text=WHEAT, link="x.example/2")
    (second,) = desk.poll(1, reused)
    assert second.kind == "new" and second.article_uid != first.article_uid
    assert second.entry.key != "latest"
    (third,) = desk.poll(1, reused)
    assert (third.kind, third.article_uid) == ("seen", second.article_uid)


def test_a_feed_that_gives_all_entries_one_id_shows_all_of_them(desk):
    same = [entry("id", title=e.title, text=e.text, link=e.comparable) for e in three()]
    first = desk.poll(1, *same)
    assert kinds(first) == ["new"] * 3 and len(set(uids(first))) == 3
    assert uids(desk.poll(1, *reversed(same))) == uids(first)[::-1]


def test_a_headline_told_anew_at_the_same_address_is_an_update(desk):
    (first,) = desk.poll(1, entry("7", title="Oil price jumps after strikes", text="", link="x.example/oil"))
    (again,) = desk.poll(1, entry("7", title="Ministers call for calm in Gulf", text="", link="x.example/oil"))
    assert (again.kind, again.significant, again.article_uid) == ("updated", True, first.article_uid)


def test_a_spelling_mistake_put_right_does_not_move_updated(desk):
    desk.poll(1, entry("7", title="Goverment wins vote on bridge", text=BRIDGE, link="x.example/7"))
    (again,) = desk.poll(1, entry("7", title="Government wins vote on bridge", text=BRIDGE, link="x.example/7"))
    assert (again.kind, again.significant) == ("updated", False)


def test_another_number_in_the_headline_moves_updated(desk):
    desk.poll(1, entry("7", title="9 hurt in ferry accident", text=FERRY, link="x.example/7"))
    (again,) = desk.poll(1, entry("7", title="12 hurt in ferry accident", text=FERRY, link="x.example/7"))
    assert (again.kind, again.significant) == ("updated", True)


def test_one_word_of_a_long_text_is_no_news_and_two_new_sentences_are(desk):
    long = f"{BRIDGE} {FERRY} {WHEAT}"
    desk.poll(1, entry("7", title="A week on the coast", text=long, link="x.example/7"))
    (typo,) = desk.poll(
        1, entry("7", title="A week on the coast", text=long.replace("scarcely", "hardly"), link="x.example/7")
    )
    (more,) = desk.poll(1, entry("7", title="A week on the coast", text=f"{BRIDGE} {FERRY}", link="x.example/7"))
    assert (typo.kind, typo.significant) == ("updated", False)
    assert (more.kind, more.significant) == ("updated", True)


def test_what_was_taken_out_never_comes_back(desk):
    bridge, ferry, wheat = three()
    desk.refused |= {(1, "1"), "x.example/ferry", wheat.text_hash}
    assert kinds(desk.poll(1, bridge, ferry, wheat)) == ["refused"] * 3
    assert kinds(desk.poll(2, entry("q", title="Ferry", text="", link="x.example/ferry"))) == ["refused"]


def test_entries_without_title_link_or_text_are_kept_apart_by_their_keys(desk):
    assert kinds(desk.poll(1, entry("h1"), entry("h2"))) == ["new", "new"]
    assert kinds(desk.poll(1, entry("h1"), entry("h2"))) == ["seen", "seen"]


def test_a_live_page_whose_entries_share_one_address_keeps_them_apart(desk):
    posts = [
        entry("p1", title="Polls open across the islands", text="", link="x.example/live"),
        entry("p2", title="First boxes reach the counting hall", text="", link="x.example/live"),
    ]
    assert len(set(uids(desk.poll(1, *posts)))) == 2
    (third,) = desk.poll(1, entry("p3", title="Turnout lower than ever before", text="", link="x.example/live"))
    assert third.kind == "new"


def test_a_daily_column_with_one_title_is_a_new_article_each_day(desk):
    seen = set()
    for day, text in enumerate((BRIDGE, FERRY, WHEAT)):
        column = entry(
            f"d{day}", title="Morning briefing", text=text, link=f"x.example/{day}", published=NOW + timedelta(days=day)
        )
        (decision,) = desk.poll(1, column, after=timedelta(days=1))
        assert decision.kind == "new"
        seen.add(decision.article_uid)
    assert len(seen) == 3

"""Copies across sources: by address, by text, near; and the bad input that must not be merged."""

import random
import time
from datetime import timedelta

import pytest

from feeds.dedupe import Deduper, Stories, Window, compare, remember
from feeds.model import Known, StoredSignature
from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT, entry, kinds, uids

TITLE = "Council to replace the iron footbridge"


@pytest.fixture
def original(desk):
    (decision,) = desk.poll(1, entry("o", title=TITLE, text=BRIDGE, link="a.example/bridge"))
    return decision


def sentences(text):
    return text.split(". ")


REPRINTS = {
    "word for word": (TITLE, BRIDGE),
    "another headline": ("New crossing for Tollgate Wharf by winter", BRIDGE),
    "cut tail": (TITLE, ". ".join(sentences(BRIDGE)[:3])),
    "headline and first sentence": (TITLE, sentences(BRIDGE)[0]),
    "cut in the middle of the lead": (TITLE, BRIDGE[:110] + " ..."),
    "added paragraph": (
        TITLE,
        f"{BRIDGE}\nThe town has had a bridge here since the days of sail, and songs tell of it.",
    ),
    "own beginning": ("Footbridge to go", f"PORT ELLAN (Coast Wire) - By our correspondent. {BRIDGE}"),
    "boilerplate around": (
        TITLE,
        f"Share this story\nAdvertisement\n{BRIDGE}\nAll rights reserved. Read more at our site.",
    ),
    "other marks": (TITLE.upper(), BRIDGE.replace("'", "’").replace(". ", ".\n\n").replace("4.2", "4,2")),
    "sentences in another order": (TITLE, ". ".join(reversed(sentences(BRIDGE)))),
}


@pytest.mark.parametrize(("title", "text"), REPRINTS.values(), ids=REPRINTS)
def test_a_reprint_is_a_copy(desk, original, title, text):
    (decision,) = desk.poll(2, entry("r", title=title, text=text, link="b.example/9"))
    assert (decision.kind, decision.article_uid) == ("copy", original.article_uid)
    assert decision.evidence[-1].kind in ("text", "near")


def test_the_same_address_is_a_copy_whatever_the_text_says(desk, original):
    (decision,) = desk.poll(2, entry("r", title="Links of the day", text="", link="a.example/bridge"))
    assert (decision.kind, decision.article_uid) == ("copy", original.article_uid)


def test_copies_in_one_batch_of_several_sources_are_found():
    deduper = Deduper(Known(), now=NOW, window=Window(), stories=Stories())
    (first,) = deduper.decide_all([(1, [entry("a", title=TITLE, text=BRIDGE)])])[0]
    (second,) = deduper.decide_all([(2, [entry("b", title="Bridge", text=f"Coast Wire: {BRIDGE}")])])[0]
    assert (second.kind, second.article_uid) == ("copy", first.article_uid)


def test_a_batch_that_was_not_saved_leaves_nothing_behind(desk):
    deduper = Deduper(Known(), now=NOW, window=desk.window, stories=desk.stories)
    deduper.decide_all([(1, [entry("a", title=TITLE, text=BRIDGE)])])
    deduper.undo()
    (decision,) = desk.poll(2, entry("b", title=TITLE, text=BRIDGE))
    assert decision.kind == "new"
    assert len(desk.stories) == 1


def test_same_event_by_another_writer_is_no_copy_but_the_same_story(desk, original):
    own = (
        "Tollgate Wharf is to lose its old footbridge. After a survey found cracks in the piers the harbour council "
        "chose to build anew, Maren Holt announced, and put the price at over four million crowns."
    )
    (decision,) = desk.poll(2, entry("w", title="Old footbridge at Tollgate Wharf to go", text=own))
    assert decision.kind == "new"
    assert decision.story_uid == original.story_uid


def test_texts_of_two_languages_stay_two_articles(desk, original):
    german = (
        "Der Hafenrat hat am Dienstag beschlossen, den eisernen Steg am Tollgate Wharf vor dem nächsten Winter zu "
        "ersetzen. Bei einer Prüfung im Januar waren Risse an zwei der vier Pfeiler gefunden worden."
    )
    (decision,) = desk.poll(2, entry("g", title="Hafenrat ersetzt eisernen Steg", text=german, language="de"))
    assert decision.kind == "new"


TABLE = (
    "Fixing of the day at the grain exchange. Wheat stood at {} crowns a tonne, rye at {} crowns a tonne and "
    "barley at {} crowns a tonne, while oats were traded at {} crowns a tonne, the exchange office said."
)


@pytest.mark.parametrize("sources", [(1, 1, 1, 1), (1, 2, 3, 4)], ids=["one source", "several sources"])
def test_tables_that_differ_in_their_figures_only_are_articles_of_their_own(desk, sources):
    found = set()
    for day, source_id in enumerate(sources):
        text = TABLE.format(*(200 + 7 * day + 13 * n for n in range(4)))
        (decision,) = desk.poll(
            source_id, entry(f"t{day}", title=f"Grain fixing, day {day}", text=text, link=f"x.example/t{day}")
        )
        found.add(decision.article_uid)
    assert len(found) == 4


def test_a_form_filled_in_with_other_names_and_figures_is_no_copy(desk):
    form = (
        "{} said its board declared a quarterly dividend of {} cents a share, payable on {} April to holders of record."
    )
    firms = ("Ellan Rope Works", "Skerry Salt Company", "North Quay Cold Stores", "Holt and Daughters Shipping")
    found = {
        desk.poll(n + 1, entry(f"f{n}", title=f"{firm} sets dividend", text=form.format(firm, 12 + n, 3 + n)))[
            0
        ].article_uid
        for n, firm in enumerate(firms)
    }
    assert len(found) == len(firms)


NOTICE = "Subscribe to continue reading this article and get full access to everything that we publish"


def test_a_notice_instead_of_a_text_makes_no_copies(desk):
    one_feed = desk.poll(1, entry("a", title="Ferry aground off Skerry Point", text=NOTICE),
                         entry("b", title="Wheat up for a fifth week", text=NOTICE))  # fmt: skip
    assert kinds(one_feed) == ["new", "new"]
    (later,) = desk.poll(1, entry("c", title="Old lighthouse keeper retires at last", text=NOTICE))
    (other,) = desk.poll(2, entry("d", title="Snow closes the mountain road again", text=NOTICE))
    assert (later.kind, other.kind) == ("new", "new")


@pytest.mark.parametrize("title", ["Weather", "Morning briefing", "Live", ""])
def test_short_titles_alone_make_no_copies(desk, title):
    found = [desk.poll(n, entry(f"k{n}", title=title, text=""))[0].kind for n in (1, 2, 3)]
    assert found == ["new"] * 3


def test_a_long_title_alone_is_a_copy_in_another_source_and_not_in_its_own(desk):
    title = "Divers find lost survey ship in the strait after ninety years"
    (first,) = desk.poll(1, entry("a", title=title))
    (second,) = desk.poll(2, entry("b", title=title))
    (third,) = desk.poll(1, entry("c", title=title, link="x.example/c", published=NOW - timedelta(days=3)))
    assert (second.kind, second.article_uid) == ("copy", first.article_uid)
    assert third.kind == "new"


def test_a_live_blog_that_grows_at_its_address_is_updated(desk):
    text, found = FERRY, []
    for more in ("", WHEAT, BRIDGE):
        text = f"{more} {text}"
        found.append(desk.poll(1, entry("live", title="Ferry aground: live", text=text, link="x.example/live"))[0])
    assert kinds(found) == ["new", "updated", "updated"]
    assert len(set(uids(found))) == 1 and found[-1].significant


def test_a_correction_under_its_own_address_joins_the_article_it_corrects(desk, original):
    corrected = BRIDGE.replace("Tuesday", "Wednesday") + " An earlier version named the wrong day."
    (decision,) = desk.poll(1, entry("c", title=f"Correction: {TITLE}", text=corrected, link="a.example/corr"))
    assert (decision.kind, decision.article_uid) == ("copy", original.article_uid)


def test_an_entry_beyond_the_window_is_not_compared(desk):
    desk.poll(1, entry("o", title=TITLE, text=BRIDGE))
    (decision,) = desk.poll(2, entry("r", title="Bridge", text=f"Archive: {BRIDGE}"), after=timedelta(days=30))
    assert decision.kind == "new"


def test_a_restart_recognises_copies_and_stories_from_stored_signatures(desk, original):
    window, stories = Window(), Stories()
    kept = [
        StoredSignature(1, original.article_uid, 1, original.signature, desk.now, story_uid=original.story_uid),
    ]
    remember(kept, window, stories)
    deduper = Deduper(Known(), now=desk.now, window=window, stories=stories)
    (copy,) = deduper.decide_all([(2, [entry("r", title="Bridge", text=f"Coast Wire. {BRIDGE}")])])[0]
    own = "The footbridge at Tollgate Wharf will be rebuilt, Maren Holt of the harbour council told shops on the quay."
    (more,) = deduper.decide_all([(3, [entry("m", title="Tollgate Wharf footbridge: council votes", text=own)])])[0]
    assert more.kind == "new"
    assert (copy.kind, copy.article_uid) == ("copy", original.article_uid)
    assert more.story_uid == original.story_uid


def test_compare_says_why(desk, original):
    one = entry("a", title=TITLE, text=BRIDGE, link="a.example/1")

    def signs(other):
        return {sign.kind: sign for sign in compare(one, other, window=Window(), stories=Stories())}

    told = signs(entry("b", title="Bridge", text=f"By us. {BRIDGE}", link="b.example/2"))
    assert told["near"].score >= told["near"].threshold
    assert "they have different titles" in told["near"].detail and "footbridge" in told["story"].detail
    assert (told["article"].detail, told["verdict"].detail) == ("one article", "one story")
    apart = signs(entry("c", title="Wheat up", text=WHEAT))
    assert (apart["article"].detail, apart["verdict"].detail) == ("two articles", "two stories")


def test_a_flood_of_nearly_the_same_text_costs_no_more_than_other_articles(desk):
    dice = random.Random(3)
    filler = [f"word{n}" for n in range(400)]

    def spent(text_of):
        window, start = Window(), time.process_time()
        for number in range(1200):
            deduper = Deduper(Known(), now=NOW, window=window, stories=Stories())
            deduper.decide_all(
                [(number, [entry(f"e{number}", title=f"Ferry at {filler[number % 400]}", text=text_of(number))])]
            )
        return time.process_time() - start, window

    flood, window = spent(lambda number: f"{FERRY} Number {number}.")
    other, _ = spent(lambda number: " ".join(dice.choices(filler, k=80)))
    assert len(window) < 50  # copies beyond a few are not kept
    assert flood < 5 * other


BELL = "The bell of the mole chapel rang at noon for the crew."


def test_a_short_text_with_its_title_is_a_copy_in_another_source_and_a_column_in_its_own(desk):
    (first,) = desk.poll(
        1, entry("a", title="Bell rings", text=BELL, link="a.example/1", published=NOW - timedelta(days=1))
    )
    (copy,) = desk.poll(2, entry("b", title="Bell rings", text=BELL, link="b.example/1"))
    (column,) = desk.poll(1, entry("c", title="Bell rings", text=BELL, link="a.example/2", published=NOW))
    (other,) = desk.poll(3, entry("d", title="Ferry sails", text=BELL, link="c.example/1"))
    assert (copy.kind, copy.article_uid) == ("copy", first.article_uid)
    assert (column.kind, other.kind) == ("new", "new")


def test_a_document_too_short_to_hash_is_known_again_under_another_name(desk):
    (first,) = desk.poll(1, entry("id:file:a.txt", title="Pie", text="Six feet wide."))
    (renamed,) = desk.poll(1, entry("id:file:b.txt", title="Pie", text="Six feet wide."))
    assert (renamed.kind, renamed.article_uid, renamed.known_key) == ("seen", first.article_uid, "id:file:a.txt")


HAN = (
    "潮汐时刻表由港务局每天早晨公布，渔民据此决定出海的时间，市场的价格也随之变动。今年春天风大浪高，许多小船留在港内。"
)


def test_a_script_without_blanks_is_compared_like_any_other(desk):
    (first,) = desk.poll(1, entry("a", title="港务局公布潮汐时刻表", text=HAN))
    (copy,) = desk.poll(2, entry("b", title="渔民关注潮汐", text=f"本报讯 {HAN}版权所有"))
    assert (copy.kind, copy.article_uid) == ("copy", first.article_uid)


def test_a_short_headline_without_blanks_is_no_copy_by_itself(desk):
    """Six characters are three words: "today's weather" in two papers."""
    kinds = [desk.poll(n, entry(f"w{n}", title="今日天气预报"))[0].kind for n in (1, 2)]
    assert kinds == ["new", "new"]

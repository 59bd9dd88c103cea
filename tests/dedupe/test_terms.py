"""What a source says under everything tells nothing of one of its entries."""

from feeds.dedupe import signature
from feeds.dedupe.near import weigh
from feeds.dedupe.terms import GramCounts
from feeds.dedupe.window import RECURS, Boilerplate
from tests.dedupe.conftest import BRIDGE, FERRY, WHEAT, entry

CHANNEL = (
    f"Subscribe to the Harbour Workshop for a new build every week. {WHEAT} All plans, lists of parts and drawings are "
    "on the workshop's page, where you can order the kit as well. Filmed with what was at hand in the shed at the quay."
)
VIDEOS = {
    "Wooden WebCam for the crow's nest": "A camera in a box of oak, with a lens that once was part of a sextant.",
    "Thermal WebCam for the crow's nest": "Hot pipes glow, gulls do too: the sensor came out of a ship's engine room.",
    "Night WebCam for the crow's nest": "Stars over the mole, seen through a jam jar and an amplifier tube from 1962.",
    "Talking WebCam for the crow's nest": "It says what passes: a cutter, a ferry, a barge, and once a bathtub.",
}


def sketched(text):
    return signature.read(signature.make("", text))


def test_videos_with_one_channel_description_are_articles_of_their_own(desk):
    videos = [
        entry(f"v{at}", title=title, text=f"{CHANNEL} {own}", link=f"v.example/{at}")
        for at, (title, own) in enumerate(VIDEOS.items())
    ]
    found = desk.poll(1, *videos)
    assert len({decision.article_uid for decision in found}) == len(VIDEOS)
    assert not any(decision.parts or decision.wholes for decision in found)


def test_they_are_also_where_they_come_one_by_one(desk):
    desk.poll(1, *(entry(f"o{at}", title=f"Film {at}", text=f"{CHANNEL} Number {at}.") for at in range(RECURS + 1)))
    found = [
        desk.poll(1, entry(f"v{at}", title=title, text=f"{CHANNEL} {own}", link=f"v.example/{at}"))[0].article_uid
        for at, (title, own) in enumerate(VIDEOS.items())
    ]
    assert len(set(found)) == len(VIDEOS)


def test_an_edited_copy_from_a_source_with_boilerplate_is_one_all_the_same(desk):
    (original,) = desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=BRIDGE))
    others = [entry(f"o{at}", title=f"Film {at}", text=f"{CHANNEL} Number {at}.") for at in range(5)]
    copy = entry("c", title="Footbridge at Tollgate Wharf to be replaced", text=f"{BRIDGE} {CHANNEL}")
    *_, decision = desk.poll(2, *others, copy)
    assert decision.article_uid == original.article_uid


def test_who_gathers_the_same_report_from_many_papers_has_one_article_of_it(desk):
    (original,) = desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=BRIDGE))
    gathered = [
        entry(f"g{at}", title=f"{paper}: footbridge at Tollgate Wharf to be replaced", text=f"{paper}. {BRIDGE}")
        for at, paper in enumerate(("Coast Wire", "Quay Deliveries", "Mole Mail", "Pier Post"))
    ]
    assert {decision.article_uid for decision in desk.poll(2, *gathered)} == {original.article_uid}


def test_only_what_recurs_is_taken_away():
    texts = [f"{WHEAT} Number {at} of many." for at in range(8)]
    mine = weigh(sketched(f"{WHEAT} {FERRY}"), GramCounts())
    boilerplate = Boilerplate(lambda: [signature.make("", text) for text in texts])
    left = boilerplate.taken_from(mine, same_source=False)
    shared = set(sketched(WHEAT).body.tolist())
    for gram, weight in zip(left.sketch.body.tolist(), left.body.tolist(), strict=True):
        assert weight == (gram not in shared)
    whole = weigh(sketched(WHEAT), GramCounts())
    assert boilerplate.taken_from(whole, same_source=False) is whole
    assert boilerplate.taken_from(whole, same_source=True).body.sum() < 3  # two triples that the others' samples lack
    few = Boilerplate(lambda: [signature.make("", text) for text in texts[:RECURS]])
    assert few.taken_from(mine, same_source=True) is mine

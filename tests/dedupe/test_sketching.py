"""What is read out of an entry's words before it is decided."""

from datetime import timedelta

from feeds.dedupe import Deduper, Stories, Window, sketch
from feeds.model import Known
from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT, entry

NOTICE = "Subscribe now to continue reading this article and get access to everything we publish every day"
ENTRIES = (
    entry("a", title="Night ferry runs aground", text=FERRY),
    entry("b", title="Wheat prices climb again", text=NOTICE),
    entry("c", title="New bridge voted", text=NOTICE),
    entry("d", title="Bridge over the Ellan", text=f"{BRIDGE} {WHEAT}"),
)


def test_what_a_document_repeats_is_no_text_of_its_entries():
    window, stories, numbers = Window(), Stories(), iter(range(99))
    deduper = Deduper(Known(), now=NOW, window=window, stories=stories, uid=lambda: f"uid-{next(numbers)}")
    (first,) = deduper.decide_all([(1, ENTRIES)])
    later = Deduper(Known(), now=NOW + timedelta(hours=1), window=window, stories=stories, uid=lambda: "later")
    (second,) = later.decide_all([(2, [entry("z", title="Aground", text=FERRY)])])
    assert [one.kind for one in (*first, *second)] == ["new", "new", "new", "new", "copy"]


def test_a_sketch_of_nothing_is_one_too():
    made = sketch(entry("a"))
    assert made.signature and not len(made.terms)

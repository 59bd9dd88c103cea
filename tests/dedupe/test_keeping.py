"""What dedupe remembers comes back of its bytes, and nothing of another form does."""

from datetime import timedelta

import pytest
from msgspec import msgpack

from feeds.dedupe import Stories, Window, remember, sketch
from feeds.dedupe.keeping import as_bytes, restore
from feeds.model import StoredSignature
from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT, entry


def remembered():
    window, stories = Window(), Stories()
    texts = [FERRY, BRIDGE, WHEAT, *(" ".join(f"w{number}x{word}" for word in range(60)) for number in range(60))]
    made = [sketch(entry(title=f"Number {number}", text=text)) for number, text in enumerate(texts)]
    stored = [
        StoredSignature(
            id=number + 1,
            article_uid=f"uid-{number}",
            source_id=number % 7,
            signature=one.signature + one.terms,
            first_seen=NOW + timedelta(seconds=number),
            published=NOW,
            copy=number % 5 == 0,
            story_uid=f"story-{number % 11}",
        )
        for number, one in enumerate(made)
    ]
    remember(stored, window, stories)
    window.begin()
    stories.begin()
    return window, stories


def test_window_and_stories_come_back_as_they_were():
    for thing, empty in zip(remembered(), (Window(), Stories()), strict=True):
        restore(empty, as_bytes(thing))
        assert as_bytes(empty) == as_bytes(thing)


def test_what_came_back_finds_what_was_there():
    window, _ = remembered()
    again = Window()
    restore(again, as_bytes(window))
    sketched = sketch(entry(title="Reprint", text=f"Coast Wire. {FERRY}")).signature
    found = again.find(sketched, now=NOW, source_id=99)
    assert found.copies and found == window.find(sketched, now=NOW, source_id=99)


@pytest.mark.parametrize("body", [b"", b"\xc1", msgpack.encode([]), msgpack.encode({"_next": 1})])
def test_what_has_another_form_is_refused(body):
    with pytest.raises(ValueError):
        restore(Window(), body)


def test_a_field_of_another_form_is_refused():
    window, _ = remembered()
    state = msgpack.decode(as_bytes(window))
    for name in state:
        with pytest.raises(ValueError):
            restore(Window(), msgpack.encode(state | {name: b"\0" if name != "_rows" else 7}))

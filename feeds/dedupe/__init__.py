"""The step dedupe: entries + what is known → seen, updated, copy, new; and which story. Pure."""

from feeds.dedupe.deduper import Deduper, dedupe, new_uid
from feeds.dedupe.directory import Directory, credited, with_origin
from feeds.dedupe.explain import compare, nearest
from feeds.dedupe.lineage import Lineage, Said, Told, choose_shown, said, trace
from feeds.dedupe.memory import Remembered, remember
from feeds.dedupe.sketching import Sketched, sketch
from feeds.dedupe.stories import Stories
from feeds.dedupe.window import Window

__all__ = [
    "Deduper",
    "Directory",
    "Lineage",
    "Remembered",
    "Said",
    "Sketched",
    "Stories",
    "Told",
    "Window",
    "choose_shown",
    "compare",
    "credited",
    "dedupe",
    "nearest",
    "new_uid",
    "remember",
    "said",
    "sketch",
    "trace",
    "with_origin",
]

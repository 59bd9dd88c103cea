"""The step dedupe: entries + what is known → seen, updated, copy, new; and which story. Pure."""

from feeds.dedupe.decide import Deduper, remember
from feeds.dedupe.explaining import compare, nearest
from feeds.dedupe.grouping import Stories
from feeds.dedupe.origins import Directory, Lineage, Said, Told, choose_shown, credited, said, trace, with_origin
from feeds.dedupe.signature import Sketched, sketch
from feeds.dedupe.window import Window

__all__ = [
    "Deduper",
    "Directory",
    "Lineage",
    "Said",
    "Sketched",
    "Stories",
    "Told",
    "Window",
    "choose_shown",
    "compare",
    "credited",
    "nearest",
    "remember",
    "said",
    "sketch",
    "trace",
    "with_origin",
]

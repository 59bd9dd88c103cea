"""The step dedupe: entries + what is known → seen, updated, copy, new; and which story. Pure."""

from feeds.dedupe.decide import Deduper, remember
from feeds.dedupe.explaining import compare, nearest
from feeds.dedupe.grouping import Stories
from feeds.dedupe.lineage import (
    Candidate,
    Directory,
    Lineage,
    OriginSigns,
    choose_shown,
    credited,
    origin_signs,
    trace,
    with_origin,
)
from feeds.dedupe.signature import Sketched, sketch
from feeds.dedupe.window import Window

__all__ = [
    "Candidate",
    "Deduper",
    "Directory",
    "Lineage",
    "OriginSigns",
    "Sketched",
    "Stories",
    "Window",
    "choose_shown",
    "compare",
    "credited",
    "nearest",
    "origin_signs",
    "remember",
    "sketch",
    "trace",
    "with_origin",
]

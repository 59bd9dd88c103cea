"""The step dedupe: entries + what is known → seen, updated, copy, new; and which story. Pure."""

from feeds.dedupe.deduper import Deduper, dedupe, new_uid

__all__ = ["Deduper", "dedupe", "new_uid"]

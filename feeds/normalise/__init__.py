"""The step between parse and dedupe: what a document says becomes entries that later steps may trust. Pure.

After this step text is plain or sanitised, links are absolute http(s), dates are aware UTC; nothing is cleaned again.
"""

from feeds.normalise.entries import Normalised, normalise
from feeds.normalise.entry_furniture import without_furniture
from feeds.normalise.entry_keys import Marks

__all__ = ["Marks", "Normalised", "normalise", "without_furniture"]

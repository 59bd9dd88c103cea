"""The step render: an article → its fragments, a section → its frames, both checked before they are kept. Pure.

Library: feedgen, for whose traps see `rss`. `frames.assemble` does the joining, so that `serve` can join too.
"""

from feeds.render.fragments import (
    FRAGMENT_VERSION,
    compress,
    fragment_version,
    render_fragments,
    render_frame,
    squeeze,
    within,
)
from feeds.render.gate import check_fragment
from feeds.render.printable import DeskContext, SectionContext
from feeds.render.story import as_story, linked, shown

__all__ = [
    "FRAGMENT_VERSION",
    "DeskContext",
    "SectionContext",
    "as_story",
    "check_fragment",
    "compress",
    "fragment_version",
    "linked",
    "render_fragments",
    "render_frame",
    "shown",
    "squeeze",
    "within",
]

"""The step render: an article → its fragments, a section → its frames, both checked before they are kept. Pure.

Library: feedgen, for whose traps see `rss`. `frames.assemble` does the joining, so that `serve` can join too.

What makes and checks is loaded when it is first asked for: feedgen and lxml are a fifth of a small poll's start, and
7 MB of a desk where nothing is to be published.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from feeds.render.contexts import FRAGMENT_VERSION, DeskContext, SectionContext, fragment_version

if TYPE_CHECKING:
    from feeds.render.fragments import compress, render_fragments, render_frame, squeeze, within
    from feeds.render.gate import check_fragment
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

_MODULES = {"check_fragment": "gate"} | dict.fromkeys(("as_story", "linked", "shown"), "story")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'fragments')}"), name)

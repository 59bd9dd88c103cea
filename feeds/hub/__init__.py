"""WebSub (W3C Recommendation), both ways: distributes our topics, subscribes to sources' hubs.

As a hub: `requests` judges what subscribers ask, `courier` verifies and delivers what `content` makes. As a subscriber:
`discovery` finds a source's hub, `courier` asks it, `callback` answers it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds.hub.callback import confirm, receive
    from feeds.hub.courier import Courier
    from feeds.hub.discovery import discover
    from feeds.hub.requests import accept

__all__ = ["Courier", "accept", "confirm", "discover", "receive"]

_PLACES = {
    "Courier": "courier",
    "accept": "requests",
    "confirm": "callback",
    "discover": "discovery",
    "receive": "callback",
}
"""Imported when they are first asked for: a poll needs one of them, and the courier loads the most."""


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

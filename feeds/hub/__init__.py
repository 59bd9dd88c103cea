"""WebSub (W3C Recommendation), both ways: distributes our topics, subscribes to sources' hubs.

As a hub: `requests` judges what subscribers ask, `courier` verifies and delivers what `content` makes. As a subscriber:
`discovery` finds a source's hub, `courier` asks it, `callback` answers it.
"""

from feeds.hub.callback import confirm, receive
from feeds.hub.courier import Courier
from feeds.hub.discovery import discover
from feeds.hub.requests import accept

__all__ = ["Courier", "accept", "confirm", "discover", "receive"]

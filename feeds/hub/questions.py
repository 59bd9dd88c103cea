"""What we ask of sources' hubs (WebSub §5.1), and whether hubs could reach us at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from feeds.errors import UrlError
from feeds.fetch.guard import Guard, closed_because
from feeds.fetch.target import follow, parse_target
from feeds.model import Request, Settings
from feeds.store.hub_values import SourceHub

LEASE_S = 10 * 86_400
TIMEOUT_S = 10.0
MOST_REDIRECTS = 3
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A subscription request under way to *hub*, the one that the source names or one that it was sent on to."""

    ours: SourceHub
    hub: str
    callback: str
    redirects: int = 0

    def request(self, kind: str) -> Request:
        """The POST, tagged with *kind* and itself."""
        fields = {
            "hub.mode": "subscribe",
            "hub.topic": self.ours.topic,
            "hub.callback": self.callback,
            "hub.secret": self.ours.secret,
            "hub.lease_seconds": str(LEASE_S),
        }
        return request_to(self.hub, fields, (kind, self))

    def redirected(self, location: str | None) -> Asking | None:
        """The same at the place that a 307 or 308 names; None where that is no place, or the last of too many."""
        if location is None or self.redirects >= MOST_REDIRECTS:
            return None
        try:
            return replace(self, hub=follow(parse_target(self.hub), location).url, redirects=self.redirects + 1)
        except UrlError:
            return None


def request_to(url: str, fields: dict[str, str], tag: object) -> Request:
    """Return the POST of a form."""
    body = urlencode(fields).encode()
    return Request(source_id=0, url=url, accept="any", timeout_s=TIMEOUT_S, headers=(FORM,), post=body, tag=tag)


def judge_hub(ours: SourceHub, settings: Settings) -> Asking | str:
    """Return how to ask the hub for *ours*, or why that would be in vain."""
    hidden = unreachable(settings)
    if hidden:
        return hidden
    callback = f"{settings.base_url}/websub/callback/{ours.token}"
    return Asking(ours=ours, hub=preferred(ours.hub, ours.failures), callback=callback)


def unreachable(settings: Settings) -> str:
    """Return why no hub could reach our callbacks, empty where nothing speaks against it."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        target = parse_target("http://127.0.0.1/" if host == "localhost" else settings.base_url)
    except UrlError as error:
        return error.cause
    if target.literal is None or closed_because(target.literal) is None:
        return ""
    # On a network that config opens, hubs may well be neighbours.
    port = parse_target(settings.base_url).port
    if Guard(settings.fetch.ports, settings.fetch.allow_private).refusal(target.host, port) is None:
        return ""
    return f"base_url {settings.base_url} is not public, so hubs can't reach the desk"


def preferred(hub: str, failures: int) -> str:
    """Return the address to ask *hub* at: https first, plain http as it was named every other time (§8.2).

    >>> preferred("http://h.example/x", 0), preferred("http://h.example/x", 1), preferred("http://h.example:81/", 0)
    ('https://h.example/x', 'http://h.example/x', 'http://h.example:81/')
    """
    target = parse_target(hub)
    if target.scheme == "http" and target.port == 80 and target.literal is None and failures % 2 == 0:
        return "https" + hub.strip()[len("http") :]
    return hub


def after(failures: int, *, asked: bool = False) -> float:
    """Return how many seconds to wait before a hub is asked again; *asked*: it took the request and must verify."""
    wait_s = min(5.0 * 4.0 ** min(failures, 10), 86_400.0)
    return max(wait_s, 600.0) if asked else wait_s

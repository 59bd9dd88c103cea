"""What an address of an embedded player or a file shows: where a person may watch it, which media type it has. Pure.

`normalise` puts a link and a still where a frame stood; `serve` asks of a picture whether a player's host would learn
of every reader of a page.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from msgspec import Struct

from feeds.files import tables


class Player(Struct, frozen=True):
    """*site* by its name, *watch* the address for people, *still* that of a picture where it follows from the id."""

    site: str
    watch: str
    still: str | None = None


class _Row(NamedTuple):
    """A row of `players` in `players.txt`."""

    site: str
    hosts: str
    pattern: str
    watch: str
    still: str = ""


_TABLES = tables("players.txt")
_ROWS = [_Row(*re.split(r"\s{2,}", row)) for row in _TABLES["players"]]
_PICTURES_OF = dict(row.split() for row in _TABLES["pictures of"])
_TYPES = {ending: type for type, *endings in map(str.split, _TABLES["types"]) for ending in endings}
_DEAD_TYPES = frozenset(" ".join(_TABLES["dead types"]).split())
_DEAD_ENDINGS = tuple(" ".join(_TABLES["dead endings"]).split())
_ESCAPED = ("path", "front", "by", "post")
"""What rows take from a path as it stands; the rest is held to letters and digits, or comes from a parameter."""
_ID = re.compile(r"[\w-]{1,64}\Z", re.ASCII)
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)
_STILLS = re.compile(
    r"https?://(?:(?:i\d?|img)\.(?:ytimg|youtube)\.com|i\.vimeocdn\.com|s\d-ssl\.dmcdn\.net|i1\.sndcdn\.com|i\.scdn\.co"
    r"|image-cdn[\w-]*\.spotifycdn\.com|p\d+-sign[\w-]*\.tiktokcdn(?:-\w+)?\.com|(?:www\.)?dailymotion\.com/thumbnail"
    r"|static-cdn\.jtvnw\.net|vumbnail\.com|cdn\.bsky\.app|pbs\.twimg\.com|[\w.-]+\.(?:cdninstagram|fbcdn)\.(?:com|net))[/?]",
    re.IGNORECASE,
)


def player_of(url: str) -> Player | None:
    """Return what the frame, object or element at the absolute http(s) *url* shows; None where it is no player known.

    >>> player_of("https://www.youtube-nocookie.com/embed/abcdefghijk?start=90").watch
    'https://www.youtube.com/watch?v=abcdefghijk&t=90s'
    >>> player_of("https://example.org/page") is None
    True
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    read = _READERS.get(host)
    return (read(parts) if read else None) or _by_row(parts, host)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE | re.ASCII)


def _by_row(parts: SplitResult, host: str) -> Player | None:
    rows = _ROWS_OF.get(host, [])
    query = _query(parts) if rows else {}  # those of any host look at the path alone
    shown = parts.path + "".join(f"\n{name}={' '.join(value.splitlines())}" for name, value in query.items())
    for row in rows + _ROWS_OF["*"]:
        if found := _compiled(row.pattern).match(shown):
            values = found.groupdict("@")
            values |= {name: quote(values[name], safe="/%:@!$&()*+,;=~") for name in _ESCAPED if name in values}
            values |= {"place": parts.netloc, "address": parts.geturl()}
            return Player(row.site, row.watch.format_map(values), row.still.format_map(values) or None)
    return None


def youtube(video: str, start: str = "") -> Player:
    """Return the player of a YouTube *video* by its id, from second *start* on."""
    at = f"&t={start}s" if start.isdigit() and start != "0" else ""
    still = f"https://i.ytimg.com/vi/{video}/hqdefault.jpg"
    return Player("YouTube", f"https://www.youtube.com/watch?v={video}{at}", still)


def informs_a_player(picture: str, link: str | None) -> bool:
    """Tell whether to show *picture* would call a player's host that is not the article's own (*link*)."""
    if not _STILLS.match(picture):
        return False
    return _domain(picture) != _domain(link or "")


def _domain(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    if host in ("youtu.be", "img.youtube.com"):
        return "youtube"
    name = host.split(".")[-2] if host.count(".") else host
    return _PICTURES_OF.get(name, name)


def _query(parts: SplitResult) -> dict[str, str]:
    try:
        return {name: values[0].strip() for name, values in parse_qs(parts.query, max_num_fields=50).items()}
    except ValueError:
        return {}


def _segments(parts: SplitResult) -> list[str]:
    return [segment for segment in parts.path.split("/") if segment]


def _youtube(parts: SplitResult) -> Player | None:
    path, query = _segments(parts), _query(parts)
    if not path:
        return None
    # The player of Flash days wrote its arguments into the path: /v/ID&hl=en.
    last = path[-1].partition("&")[0]
    if path[0] == "playlist" or "videoseries" in (path[0], last):
        return _youtube_playlist(query.get("list", ""))
    video = query.get("v", "") if path[0] == "watch" else last
    named = path[0] in ("watch", "embed", "v", "e", "shorts", "live") or parts.hostname == "youtu.be"
    if not named or not re.fullmatch(r"[\w-]{11}", video, re.ASCII):
        return None
    return youtube(video, (query.get("start") or query.get("t") or "").removesuffix("s"))


def _youtube_playlist(playlist: str) -> Player | None:
    return Player("YouTube", f"https://www.youtube.com/playlist?list={playlist}") if _ID.match(playlist) else None


def _vimeo(parts: SplitResult) -> Player | None:
    path = _segments(parts)
    number = next((segment for segment in path if segment.isdigit()), "")
    if not number:
        return None
    key = _query(parts).get("h", "")
    event = "event/" if "event" in path else ""
    return Player("Vimeo", f"https://vimeo.com/{event}{number}" + (f"/{key}" if _ID.match(key) else ""))


def _spotify(parts: SplitResult) -> Player | None:
    named = _query(parts).get("uri", "").removeprefix("spotify:").split(":")
    path = [segment for segment in _segments(parts) if segment not in ("embed", "embed-podcast")] or named
    path = path[1:] if path and path[0].startswith("intl-") else path
    if len(path) < 2 or not all(_ID.match(segment) for segment in path[:4]):
        return None
    return Player("Spotify", "https://open.spotify.com/" + "/".join(path[:4]).removesuffix("/video"))


_READERS = dict.fromkeys(
    ("youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be", "youtube-nocookie.com", "youtube.googleapis.com"),
    _youtube,
)
_READERS |= dict.fromkeys(("player.vimeo.com", "vimeo.com"), _vimeo)
_READERS |= dict.fromkeys(("open.spotify.com", "embed.spotify.com", "player.spotify.com"), _spotify)
_ROWS_OF: dict[str, list[_Row]] = {}
for _row in _ROWS:
    for _host in _row.hosts.split():
        _ROWS_OF.setdefault(_host, []).append(_row)


def media_type(stated: str, url: str, default: str = "application/octet-stream") -> str:
    """Return the media type *stated*, else what the address's ending says, else *default*."""
    if _MIME.match(stated):
        return stated
    return _TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), default)


def is_dead(stated: str, url: str) -> bool:
    """Whether a file of the media type *stated* (lower case), or of the address's ending, is for a player that is gone.

    >>> is_dead("application/x-shockwave-flash", "https://example.org/v/1"), is_dead("", "https://example.org/a.mp3")
    (True, False)
    """
    return stated in _DEAD_TYPES or (not stated and urlsplit(url).path.lower().endswith(_DEAD_ENDINGS))

"""What an address of an embedded player or a file shows: where a person may watch it, which media type it has. Pure.

`normalise` puts a link and a still where a frame stood; `serve` asks of a picture whether a player's host would learn
of every reader of a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, urlsplit


@dataclass(frozen=True, slots=True)
class Player:
    """*site* by its name, *watch* the address for people, *still* that of a picture where it follows from the id."""

    site: str
    watch: str
    still: str | None = None


_ID = re.compile(r"[\w-]{1,64}\Z", re.ASCII)
_MASTODON = re.compile(r"/(?:@[\w.@-]+/\d+|users/[\w.-]+/statuses/\d+|@[\w.@-]+/statuses/[\w-]+)/embed/?\Z", re.ASCII)
_PEERTUBE = re.compile(r"/(?:videos/embed|video-playlists/embed)/([\w-]{8,64})/?\Z", re.ASCII)
_STILLS = re.compile(
    r"https?://(?:(?:i\d?|img)\.(?:ytimg|youtube)\.com|i\.vimeocdn\.com|s\d-ssl\.dmcdn\.net|i1\.sndcdn\.com|i\.scdn\.co"
    r"|image-cdn[\w-]*\.spotifycdn\.com|p\d+-sign[\w-]*\.tiktokcdn(?:-\w+)?\.com|(?:www\.)?dailymotion\.com/thumbnail"
    r"|static-cdn\.jtvnw\.net|vumbnail\.com|cdn\.bsky\.app|pbs\.twimg\.com|[\w.-]+\.(?:cdninstagram|fbcdn)\.(?:com|net))[/?]",
    re.IGNORECASE,
)
_HOME = {
    "ytimg": "youtube", "vimeocdn": "vimeo", "dmcdn": "dailymotion", "sndcdn": "soundcloud", "scdn": "spotify",
    "spotifycdn": "spotify", "tiktokcdn": "tiktok", "jtvnw": "twitch", "twimg": "x", "cdninstagram": "instagram",
    "fbcdn": "facebook", "bsky": "bsky",
}  # fmt: skip


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
    read = _PLAYERS.get(host)
    found = read(parts) if read else None
    return found or _federated(parts)


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
    if name == "twitter":
        return "x"
    return _HOME.get(name, name)


def _query(parts: SplitResult) -> dict[str, str]:
    try:
        return {name: values[0].strip() for name, values in parse_qs(parts.query, max_num_fields=50).items()}
    except ValueError:
        return {}


def _segments(parts: SplitResult) -> list[str]:
    return [segment for segment in parts.path.split("/") if segment]


def _last_id(parts: SplitResult) -> str:
    path = _segments(parts)
    return path[-1] if path and _ID.match(path[-1]) else ""


def _youtube(parts: SplitResult) -> Player | None:
    path, query = _segments(parts), _query(parts)
    if not path:
        return None
    # The player of Flash days wrote its arguments into the path: /v/ID&hl=en.
    last = path[-1].partition("&")[0]
    playlist = query.get("list", "")
    if path[0] in ("playlist", "videoseries") or last == "videoseries":
        return Player("YouTube", f"https://www.youtube.com/playlist?list={playlist}") if _ID.match(playlist) else None
    video = query.get("v", "") if path[0] == "watch" else last
    named = path[0] in ("watch", "embed", "v", "e", "shorts", "live") or parts.hostname == "youtu.be"
    if not named or not re.fullmatch(r"[\w-]{11}", video, re.ASCII):
        return None
    return youtube(video, (query.get("start") or query.get("t") or "").removesuffix("s"))


def _vimeo(parts: SplitResult) -> Player | None:
    path = _segments(parts)
    number = next((segment for segment in path if segment.isdigit()), "")
    if not number:
        return None
    key = _query(parts).get("h", "")
    event = "event/" if "event" in path else ""
    return Player("Vimeo", f"https://vimeo.com/{event}{number}" + (f"/{key}" if _ID.match(key) else ""))


def _dailymotion(parts: SplitResult) -> Player | None:
    video = _query(parts).get("video", "") or _last_id(parts)
    if not re.fullmatch(r"[a-z0-9]{5,12}", video, re.IGNORECASE):
        return None
    return Player(
        "Dailymotion",
        f"https://www.dailymotion.com/video/{video}",
        f"https://www.dailymotion.com/thumbnail/video/{video}",
    )


def _spotify(parts: SplitResult) -> Player | None:
    named = _query(parts).get("uri", "").removeprefix("spotify:").split(":")
    path = [segment for segment in _segments(parts) if segment not in ("embed", "embed-podcast")] or named
    path = path[1:] if path and path[0].startswith("intl-") else path
    if len(path) < 2 or not all(_ID.match(segment) for segment in path[:4]):
        return None
    return Player("Spotify", "https://open.spotify.com/" + "/".join(path[:4]).removesuffix("/video"))


def _soundcloud(parts: SplitResult) -> Player | None:
    shown = _query(parts).get("url", "")
    # Its programming interface's addresses play in its player alone.
    if re.match(r"https?://(?:www\.|m\.)?soundcloud\.com/[\w/-]+", shown, re.ASCII):
        return Player("SoundCloud", "https://" + shown.partition("://")[2].partition("?")[0])
    return Player("SoundCloud", parts.geturl()) if shown else None


def _tiktok(parts: SplitResult) -> Player | None:
    number = _last_id(parts)
    if not number.isdigit():
        return None
    author = next((segment for segment in _segments(parts) if segment.startswith("@")), "@")
    return Player("TikTok", f"https://www.tiktok.com/{author}/video/{number}")


def _bluesky(parts: SplitResult) -> Player | None:
    path = _segments(parts)
    if len(path) < 4 or path[0] != "embed":
        return None
    return Player("Bluesky", f"https://bsky.app/profile/{quote(path[1], safe=':.')}/post/{quote(path[3])}")


def _x(parts: SplitResult) -> Player | None:
    number = _query(parts).get("id", "")
    return Player("X", f"https://x.com/i/status/{number}") if number.isdigit() else None


def _instagram(parts: SplitResult) -> Player | None:
    path = _segments(parts)
    if len(path) < 2 or "embed" not in path or not _ID.match(path[1]):
        return None
    return Player("Instagram", f"https://www.instagram.com/{path[0]}/{path[1]}/")


def _facebook(parts: SplitResult) -> Player | None:
    shown = _query(parts).get("href", "")
    if "/plugins/" not in parts.path or not re.match(r"https?://[\w.-]*facebook\.com/", shown):
        return None
    return Player("Facebook", shown)


def _twitch(parts: SplitResult) -> Player | None:
    query = _query(parts)
    if _ID.match(clip := query.get("clip", "")):
        return Player("Twitch", f"https://clips.twitch.tv/{clip}")
    if _ID.match(video := query.get("video", "")):
        return Player("Twitch", f"https://www.twitch.tv/videos/{video.removeprefix('v')}")
    channel = query.get("channel", "")
    return Player("Twitch", f"https://www.twitch.tv/{channel}") if _ID.match(channel) else None


def _bilibili(parts: SplitResult) -> Player | None:
    query = _query(parts)
    video = query.get("bvid") or (f"av{query['aid']}" if query.get("aid") else "")
    return Player("Bilibili", f"https://www.bilibili.com/video/{video}") if _ID.match(video) else None


def _elsewhere(site: str, host: str, *, drop: str, put: str = "") -> Callable[[SplitResult], Player | None]:
    """A player whose address is its page's with another host, or with something in the path that the page lacks."""

    def read(parts: SplitResult) -> Player | None:
        if drop and drop not in parts.path:
            return None
        path = parts.path.replace(drop, put, 1) if drop else parts.path
        return Player(site, f"https://{host}{quote(path, safe='/%:@!$&()*+,;=~')}")

    return read


def _federated(parts: SplitResult) -> Player | None:
    """A post of Mastodon or a film of PeerTube, each of which is on many hosts."""
    if _MASTODON.match(parts.path):
        return Player("Mastodon", f"https://{parts.netloc}{parts.path.rstrip('/').removesuffix('/embed')}")
    if film := _PEERTUBE.match(parts.path):
        where = "w/p" if "playlist" in parts.path else "w"
        return Player("PeerTube", f"https://{parts.netloc}/{where}/{film[1]}")
    return None


_PLAYERS: dict[str, Callable[[SplitResult], Player | None]] = {
    "youtube.com": _youtube, "m.youtube.com": _youtube, "music.youtube.com": _youtube, "youtu.be": _youtube,
    "youtube-nocookie.com": _youtube, "youtube.googleapis.com": _youtube,
    "player.vimeo.com": _vimeo, "vimeo.com": _vimeo,
    "dailymotion.com": _dailymotion, "geo.dailymotion.com": _dailymotion,
    "open.spotify.com": _spotify, "embed.spotify.com": _spotify, "player.spotify.com": _spotify,
    "w.soundcloud.com": _soundcloud, "player.soundcloud.com": _soundcloud,
    "tiktok.com": _tiktok, "embed.bsky.app": _bluesky, "platform.twitter.com": _x, "twitframe.com": _x,
    "instagram.com": _instagram, "facebook.com": _facebook, "m.facebook.com": _facebook,
    "player.twitch.tv": _twitch, "clips.twitch.tv": _twitch, "player.bilibili.com": _bilibili,
    "embed.podcasts.apple.com": _elsewhere("Apple Podcasts", "podcasts.apple.com", drop=""),
    "embed.music.apple.com": _elsewhere("Apple Music", "music.apple.com", drop=""),
    "embed.ted.com": _elsewhere("TED", "www.ted.com", drop=""),
    "embed.nicovideo.jp": _elsewhere("Niconico", "www.nicovideo.jp", drop=""),
    "streamable.com": _elsewhere("Streamable", "streamable.com", drop="/e/", put="/"),
    "loom.com": _elsewhere("Loom", "www.loom.com", drop="/embed/", put="/share/"),
    "archive.org": _elsewhere("Internet Archive", "archive.org", drop="/embed/", put="/details/"),
    "codepen.io": _elsewhere("CodePen", "codepen.io", drop="/embed/", put="/pen/"),
    "odysee.com": _elsewhere("Odysee", "odysee.com", drop="/$/embed/", put="/"),
    "rutube.ru": _elsewhere("RuTube", "rutube.ru", drop="/play/embed/", put="/video/"),
}  # fmt: skip


_MIME = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)

# What enclosures of the press are; the machine's own table of types would make documents differ between machines.
_TYPES = {
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/opus", "wav": "audio/wav", "flac": "audio/flac", "mp4": "video/mp4", "m4v": "video/mp4",
    "mov": "video/quicktime", "webm": "video/webm", "ogv": "video/ogg", "m3u8": "application/vnd.apple.mpegurl",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
    "avif": "image/avif", "svg": "image/svg+xml", "pdf": "application/pdf", "epub": "application/epub+zip",
    "zip": "application/zip", "torrent": "application/x-bittorrent",
}  # fmt: skip

# Files of players that no browser and no reader has any more: nobody can open them.
_DEAD_TYPES = frozenset(
    "application/x-shockwave-flash application/vnd.adobe.flash.movie application/vnd.adobe.flash-movie"
    " application/futuresplash application/x-futuresplash application/x-flash video/x-flv video/flv"
    " application/x-director application/x-authorware-seg application/x-silverlight application/x-silverlight-2"
    " application/x-silverlight-app application/x-java-applet application/x-mplayer2 application/x-rtsp"
    " audio/x-pn-realaudio audio/x-pn-realaudio-plugin audio/x-realaudio audio/vnd.rn-realaudio"
    " video/vnd.rn-realvideo application/vnd.rn-realmedia application/vnd.rn-realmedia-vbr"
    " application/x-pn-realmedia".split()
)
_DEAD_ENDINGS = (".swf", ".flv", ".spl", ".rm", ".ram", ".rmvb", ".xap", ".dcr")


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

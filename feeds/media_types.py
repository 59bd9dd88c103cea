"""What kind of file an address leads to. Ground floor. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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

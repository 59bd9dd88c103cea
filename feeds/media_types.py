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


def media_type(stated: str, url: str, default: str = "application/octet-stream") -> str:
    """Return the media type *stated*, else what the address's ending says, else *default*."""
    if _MIME.match(stated):
        return stated
    return _TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), default)

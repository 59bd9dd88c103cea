"""The files that ship with the pages: style sheet and icons, under names that change with their content.
I/O: reads them once, at start.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from feeds.serve.representations import MIN_CODED_BYTES

FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "ico": "image/x-icon",
    "xsl": "text/xsl; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes by coding, identity among them; *etag* is the opaque part."""

    bodies: Mapping[str, bytes]
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Files by the name under which `/static/` serves them, and those names by the plain ones."""

    by_served_name: Mapping[str, Asset]
    served_name: Mapping[str, str]

    @classmethod
    def shipped(cls) -> Assets:
        """Read what is in `static/`."""
        served: dict[str, Asset] = {}
        names: dict[str, str] = {}
        for file in sorted(resources.files("feeds.serve").joinpath("static").iterdir(), key=lambda file: file.name):
            stem, _, suffix = file.name.rpartition(".")
            if suffix not in _TYPES:
                continue
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            names[file.name] = f"{stem}.{digest}.{suffix}"
            bodies = {"identity": body}
            if len(body) > MIN_CODED_BYTES:
                bodies["gzip"] = gzip.compress(body, 9, mtime=0)
            served[names[file.name]] = Asset(bodies, _TYPES[suffix], digest)
        return cls(served, names)

    def plain(self, name: str) -> Asset:
        """Return the file called *name* in the folder."""
        return self.by_served_name[self.served_name[name]]

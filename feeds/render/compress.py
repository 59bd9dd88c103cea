"""Finished documents in the codings that clients ask for, made once. Pure."""

from __future__ import annotations

import brotli
from isal import igzip

SMALLEST_BYTES = 200
GZIP_LEVEL = 2
BROTLI_QUALITY = 4


def compress(body: bytes) -> tuple[bytes | None, bytes | None]:
    """Return *body* in gzip and in brotli; None for one that does not pay. Same body, same bytes."""
    if len(body) < SMALLEST_BYTES:
        return None, None
    zipped: bytes = igzip.compress(body, GZIP_LEVEL, mtime=0)
    squeezed: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
    gzip = zipped if len(zipped) < len(body) else None
    return gzip, squeezed if len(squeezed) < len(gzip or body) else None

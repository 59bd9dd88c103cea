"""RFC 3229 deltas of feeds (``A-IM: feed`` → 226): what is newer than the client's ETag, cut from the document. Pure.

The ETag carries the sequence number that the client has seen, in every coding, so nothing is kept a client. A delta is
the document itself with fewer entries: the bytes of the fragments that it was joined from, and all around them.
"""

from __future__ import annotations

import re

from feeds.serve.conditional import etags_in
from feeds.serve.negotiate import weights

_ETAG = re.compile(r"(\d{1,18})-([0-9a-f]+)(?:\.gz|\.br)?")


def wants_delta(a_im: str | None) -> bool:
    """Tell whether ``A-IM`` names the feed instance-manipulation with a weight above 0 (RFC 3229 section 10.5.3).

    >>> wants_delta("vcdiff, FEED"), wants_delta("feed;q=0"), wants_delta(None)
    (True, False, False)
    """
    return bool(a_im) and weights(a_im or "").get("feed", 0.0) > 0


def seen_sequence(if_none_match: str | None, etag: str) -> int | None:
    """Return the highest sequence number in the client's ETags, None where none has the form of the document's *etag*.

    >>> seen_sequence('"other", W/"41-00ff00ff.gz"', "50-12345678"), seen_sequence('"41-00ff"', "50-12345678")
    (41, None)
    """
    digits = len(etag.partition("-")[2])
    found = [
        int(match[1])
        for opaque, _ in etags_in(if_none_match or "")
        if (match := _ETAG.fullmatch(opaque)) and len(match[2]) == digits
    ]
    return max(found, default=None)

"""`X-Hub-Signature` (WebSub §7.1): made with SHA-256, accepted with every algorithm that is registered. Pure."""

from __future__ import annotations

import hashlib
import hmac

METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def sign(secret: str, body: bytes) -> str:
    """Return the value of the header for *body*.

    >>> sign("key", b"text")[:20]
    'sha256=6afa9046a9579'
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(header: str | None, secret: str, body: bytes) -> bool:
    """Tell whether *header* signs *body* with *secret*. Takes the same time whatever is wrong with the digest.

    >>> is_signed(sign("key", b"x"), "key", b"x"), is_signed("md5=00", "key", b"x"), is_signed(None, "key", b"x")
    (True, False, False)
    """
    method, _, digest = (header or "").strip().partition("=")
    made = METHODS.get(method.lower())
    if made is None:
        return False
    right = hmac.new(secret.encode(), body, made).hexdigest()
    return hmac.compare_digest(right.encode(), digest.strip().lower().encode())

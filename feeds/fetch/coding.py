"""Content codings undone while the bytes arrive, never past a cap. Pure; part of fetch.

libcurl could decode too, but lets a gzip stream without its end pass as whole, and knows no body that is packed without
saying so.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import brotli

ACCEPT_ENCODING = "gzip, deflate, br"
MAX_CODINGS = 3
MAX_MEMBERS = 10_000  # each costs a call and may decode to nothing


class BadCoding(Exception):
    """The bytes are not what `Content-Encoding` says, or end too early."""


class TooMuch(Exception):
    """The decoded bytes pass the cap."""


class Decoder:
    """Undoes *codings* (in the order of `Content-Encoding`); no layer of them may give more than *cap_bytes* in all.

    What is still a gzip file then, is unpacked as well: sitemaps may be one (sitemaps.org), and some servers pack
    without saying so, or twice. Words that name no coding, such as a charset, are passed over, as browsers do.
    Raises BadCoding at once for a coding that was not asked for.
    """

    def __init__(self, codings: Sequence[str], cap_bytes: int) -> None:
        self._stages = [stage for coding in reversed(codings) if (stage := _stage(coding)) is not None]
        if len(self._stages) > MAX_CODINGS:
            raise BadCoding(f"{len(self._stages)} content codings on top of each other")
        self._cap_bytes = cap_bytes
        self._left = [cap_bytes] * len(self._stages)
        self._start: bytes | None = b""  # of what came out so far, while it is open what that is

    def feed(self, chunk: bytes) -> bytes:
        """The decoded form of the next *chunk*; raises BadCoding or TooMuch."""
        for number in range(len(self._stages)):
            chunk = self._through(number, chunk)
        while self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_GZIP) and _GZIP.startswith(chunk):
                self._start = chunk
                return b""
            if not chunk.startswith(_GZIP):
                self._start = None
                break
            if len(self._stages) == MAX_CODINGS:
                raise BadCoding(f"a body packed more than {MAX_CODINGS} times")
            self._start = b""
            self._stages.append(_Zlib(zlib.MAX_WBITS | 16))
            self._left.append(self._cap_bytes)
            chunk = self._through(len(self._stages) - 1, chunk)
        return chunk

    def finish(self) -> bytes:
        """What was held back of the decoded body; raises BadCoding where the end of a stream is missing."""
        for stage in self._stages:
            stage.finish()
        return self._start or b""

    def _through(self, number: int, chunk: bytes) -> bytes:
        # One byte more than is left tells too much from just enough.
        chunk = self._stages[number].feed(chunk, self._left[number] + 1)
        self._left[number] -= len(chunk)
        if self._left[number] < 0:
            raise TooMuch
        return chunk


_GZIP = b"\x1f\x8b\x08"  # magic number and the one method there is (RFC 1952 §2.3.1)
# Codings that exist, and that no answer to this desk may have: it did not ask for them.
_UNASKED = frozenset(
    {"zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm", "bzip2", "xz"}
)


def _stage(coding: str) -> _Zlib | _Brotli | None:
    """What undoes *coding*; None for what names no coding."""
    if coding in ("gzip", "x-gzip"):
        return _Zlib(zlib.MAX_WBITS | 16)
    if coding == "deflate":
        return _Zlib(zlib.MAX_WBITS)
    if coding == "br":
        return _Brotli()
    if coding in _UNASKED:
        raise BadCoding(f"content coding {coding!r} was not asked for")
    return None


class _Zlib:
    """gzip with any number of members (RFC 1952 §2.2), or deflate with and without its zlib wrapper."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._inflate = zlib.decompressobj(wbits)
        # The first two bytes tell what follows; they may come one by one.
        self._held = b""
        self._undecided = wbits == zlib.MAX_WBITS
        self._members = 0

    def feed(self, chunk: bytes, most: int) -> bytes:
        pieces: list[bytes] = []
        chunk = self._held + chunk
        self._held = b""
        while chunk and most > 0:
            if (self._undecided or self._inflate.eof) and not self._begins(chunk):
                break
            try:
                piece = self._inflate.decompress(chunk, most)
            except zlib.error as error:
                raise BadCoding("the compressed body is damaged") from error
            pieces.append(piece)
            most -= len(piece)
            chunk = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._inflate.eof:
            raise BadCoding("the compressed body ends too early")

    def _begins(self, chunk: bytes) -> bool:
        """Whether *chunk* begins a stream to decode; what follows the checked end of the last one is ignored."""
        if len(chunk) < 2:
            self._held = chunk
            return False
        if self._undecided:
            self._undecided = False
            # Many servers say deflate and send it bare (RFC 9110 §8.4.1.2); RFC 1950 §2.2 tells them apart.
            if chunk[0] & 15 != 8 or (chunk[0] << 8 | chunk[1]) % 31:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return True
        if self._wbits == zlib.MAX_WBITS or chunk[:2] != b"\x1f\x8b":
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BadCoding("a gzip body of too many members")
        self._inflate = zlib.decompressobj(self._wbits)
        return True


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def feed(self, chunk: bytes, most: int) -> bytes:
        decompressor = self._decompressor
        if decompressor.is_finished():
            return b""
        try:
            pieces = [decompressor.process(chunk, output_buffer_limit=most)]
            size = len(pieces[0])
            while size < most and not decompressor.can_accept_more_data() and not decompressor.is_finished():
                piece = decompressor.process(b"", output_buffer_limit=most - size)
                pieces.append(piece)
                size += len(piece)
        except brotli.error as error:
            raise BadCoding("the compressed body is damaged") from error
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._decompressor.is_finished():
            raise BadCoding("the compressed body ends too early")

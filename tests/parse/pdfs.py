"""PDFs to read: made line by line, as a program that sets type would."""

from __future__ import annotations

Piece = tuple[float, float, float, str]
"""Left, height, size, text."""


def pdf(*pages: list[Piece], title: str = "", author: str = "") -> bytes:
    """A PDF with these pieces of text on its pages."""
    objects: list[bytes] = []

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    parent = 2 + 2 * len(pages)
    for pieces in pages:
        text = b"".join(
            b"BT /F1 %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET\n"
            % (size, left, y, words.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)"))
            for left, y, size, words in pieces
        )
        stream = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
        resources = b"<< /Font << /F1 %d 0 R >> >>" % font
        box = b"/MediaBox [0 0 595 842]"
        of_page = (parent, box, resources, stream)
        kids.append(add(b"<< /Type /Page /Parent %d 0 R %s /Resources %s /Contents %d 0 R >>" % of_page))
    add(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids)))
    catalog = add(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    stated = (title.encode(), author.encode())
    info = add(b"<< /Title (%s) /Author (%s) /CreationDate (D:20261120093000+01'00') >>" % stated)
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n" % (len(objects) + 1, catalog, info)
    start = b"startxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table) + trailer + start

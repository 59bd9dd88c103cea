"""How well credit lines are found: "Source: …", marks of agencies, "first appeared on", datelines; and what is none.

Lines of the development data were labelled by reading them: by whom the article of the line was first published, as the
line says, or that it says nothing of it (hat tips, credits of pictures, sentences about sources). `credit_labels.json`
has the labels by hashes of the lines. Counted is what the desk would publish as an article's origin.

    python -m bench.credits ../shared/data          # fails below a precision of .97
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import xxhash

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.dedupe.lineage import AGENCIES, PLAIN_WEIGHT, find_credits, name_key  # noqa: E402
from feeds.model import Entry  # noqa: E402
from feeds.parse.line_kinds import credit, dateline_credit  # noqa: E402
from feeds.text import spelled  # noqa: E402
from tests.development import archived, json_rows  # noqa: E402

LABELS = Path(__file__).with_name("credit_labels.json")
LEAST_PRECISION = 0.97
LEAD_CHARS = 120
"""Of a paragraph that is longer than a line its beginning is labelled, where datelines stand."""
_BLOCK = re.compile(
    r"</?(?:p|div|li|br|h\d|td|tr|ul|ol|section|article|span|figcaption|footer|header|blockquote|small|em|i|cite)\b[^>]*>",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"<(script|style|noscript|head)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TEXT = re.compile(r"<(description|content:encoded|content|summary)\b[^>]*>(.*?)</\1>", re.DOTALL)


def lines(data: Path) -> Iterator[str]:
    """Every line of text in pages, feeds, stories and sections of the development data, and leads of longer ones."""
    for text in texts(data):
        rows = [row.strip() for row in text.split("\n") if row.strip()]
        for number, row in enumerate(rows):
            if len(row) <= 200:
                yield row
            elif number == 0:
                yield row[:LEAD_CHARS]


def texts(data: Path) -> Iterator[str]:
    """The texts of the development data, a line for each of theirs."""
    for name in ("readability_test_pages.tar.xz", "trafilatura_eval_html.tar.xz", "fundus_html.tar.xz"):
        for path, body in archived(data / "extraction" / name):
            if path.endswith((".html", ".html.gz")) and "expected" not in path:
                yield _rows(gzip.decompress(body) if path.endswith(".gz") else body)
    for _, body in archived(data / "feeds" / "realworld_2026_dev.tar.gz"):
        for _, text in _TEXT.findall(body.decode("utf-8", "replace")):
            yield _rows(html.unescape(text.replace("<![CDATA[", "").replace("]]>", "")).encode())
    for path in sorted((data / "stories").glob("*.jsonl.gz")) + sorted((data / "sections").glob("*.jsonl.gz")):
        for row in json_rows(path):
            yield str(row.get("description") or row.get("text") or "")


def _rows(markup: bytes) -> str:
    text = _BLOCK.sub("\n", _UNSEEN.sub(" ", markup.decode("utf-8", "replace")))
    return "\n".join(" ".join(row.split()) for row in html.unescape(re.sub(r"<[^>]+>", " ", text)).split("\n"))


def origin_of(line: str) -> str:
    """Whom the desk takes for the first publisher of an article that says *line*; "" for nobody."""
    found, dateline = credit(line), dateline_credit(line)
    printed = tuple(filter(None, (found.printed if found else None, dateline)))
    entry = Entry(key="x", title="x", text=line, credits=printed, origin=found.origin if found else None)
    credits = find_credits(entry)
    whole = [one.name for one in credits if one.weight >= PLAIN_WEIGHT and not one.partial]
    return next(iter([*whole, *(one.name for one in credits if one.partial and spelled(one.name) in AGENCIES)]), "")


def is_right(found: str, wanted: str) -> bool:
    """Whether *found* is the one that is *wanted*, an agency under whatever of its names."""
    keys = [name_key(AGENCIES.get(spelled(name), name)) for name in (found, wanted)]
    return bool(found and wanted) and (keys[1] in keys[0] or name_key(wanted) in name_key(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the development data")
    parser.add_argument("--wrong", action="store_true", help="print what is wrong, or not found")
    args = parser.parse_args()
    labels: dict[str, str] = json.loads(LABELS.read_text(encoding="utf-8"))
    right = wrong = missed = seen = 0
    for line in lines(args.data):
        wanted = labels.pop(xxhash.xxh3_64_hexdigest(line.encode()), None)
        if wanted is None:
            continue
        seen += 1
        found = origin_of(line)
        good = is_right(found, wanted)
        right, wrong, missed = right + good, wrong + (bool(found) and not good), missed + (bool(wanted) and not good)
        if args.wrong and not good and (found or wanted):
            print(f"{found or 'nobody'} for {wanted or 'nobody'}: {line[:100]}")
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    print(f"{seen} lines, {len(labels)} of the labelled not there: precision {precision:.3f}, recall {recall:.3f}")
    return 0 if precision >= LEAST_PRECISION and seen >= 200 else 1


if __name__ == "__main__":
    sys.exit(main())

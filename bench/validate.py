"""Is a feed valid? RSS 2.0, Atom 1.0 or JSON Feed 1.1, by their specifications, rule by rule.

    python bench/validate.py FILE-OR-ADDRESS ... [--errors]

Prints what is wrong with each, errors first, and ends with 1 where there is an error. With --errors, warnings are left
out. An address is fetched as it stands, for feeds of a desk of one's own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.model import Format
from tests.validator import check


def body_of(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        with urlopen(place, timeout=30) as answer:  # noqa: S310 - what is asked for
            return bytes(answer.read())
    return Path(place).read_bytes()


def format_of(body: bytes) -> Format:
    start = body.lstrip()[:2000]
    if start.startswith(b"{"):
        return "json"
    return "rss" if b"<rss" in start else "atom"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", metavar="FILE-OR-ADDRESS")
    parser.add_argument("--errors", action="store_true", help="leave warnings out")
    options = parser.parse_args()
    wrong = 0
    for place in options.places:
        body = body_of(place)
        problems = check(body, format_of(body))
        wrong += sum(problem.severity == "error" for problem in problems)
        for problem in problems:
            if problem.severity == "error" or not options.errors:
                print(f"{place}: {problem.severity}: {problem.rule}: {problem.message}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

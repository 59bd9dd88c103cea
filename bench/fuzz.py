"""Bytes that nobody meant: whatever takes input of strangers is given mutated inputs; what raises, or is slow, is kept.

    python bench/fuzz.py [target ...] [--minutes 60] [--seed N]
    python bench/fuzz.py TARGET --guided            # by coverage, with atheris (Python 3.11)

Targets: feed, document, page, listing, sitemap, date, url, markup, hub, config, http. All, if none is named.

Seeds are the inputs of `tests/cases/` and a few of each target's own; a mutation flips, repeats, cuts, swaps and
splices, and puts in what parsers stumble over. A target fails where anything but an error of the desk's own comes out
of it, or where one input costs more than SLOW_S of CPU. Such inputs are kept in `bench/fuzz_corpus/TARGET/`, which is
tried first every time. Exit code 1 where one fails.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType
from typing import Any
from urllib.parse import parse_qsl, quote

import xxhash

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from feeds import comparable, dates, urls  # noqa: E402
from feeds.configuration import Settings, Source  # noqa: E402
from feeds.errors import DeskError  # noqa: E402
from feeds.hub.messages import judge  # noqa: E402
from feeds.ingest.reading import Job, read  # noqa: E402
from feeds.normalise.texts import sanitise  # noqa: E402
from feeds.serve.app import create_app  # noqa: E402
from feeds.settings import ConfigErrors, load_config  # noqa: E402
from feeds.store import open_store  # noqa: E402
from tests.serve.wsgi import ask  # noqa: E402

CORPUS = HERE / "fuzz_corpus"
INPUTS = HERE.parent / "tests" / "cases" / "inputs"
SLOW_S = 1.0
LARGEST = 60_000
LOOKED_AT = ("feeds.", "feedparser", "htmldate", "yaml", "idna")
"""Whose code `--guided` looks at; to instrument all that is loaded takes minutes."""
TOKENS = (
    b"<", b">", b"&", b"&#0;", b"&#xD800;", b"&#99999999999;", b"]]>", b"<![CDATA[", b"<!--", b"<?", b"\x00", b"\xff",
    b"\xed\xa0\x80", b"\xe2\x80\xae", b"%00", b"%", b"://", b"[::1]", b"@", b"\r\n", b"9" * 30, b"-1", b"1e999", b"NaN",
    b"{", b"[" * 50, b'"', b"\\u0000", b"<a>" * 60, b"</", b"xmlns:x='", b"2026-02-30", b"24:60:61", b"+99:99", b"*",
    b"&a;", b"- ", b": ", b"!!python/object", b"${X}", b"page=", b"..", b"//", b";", b"\xf0\x9f\x98\x80",
)  # fmt: skip
OWN: dict[str, tuple[bytes, ...]] = {
    "date": (b"Sat, 28 Nov 2026 12:00:00 +0100", b"2026-11-28T12:00:00.123Z", b"28. November 2026, 9 Uhr"),
    "url": (b"https://user:pw@Example.org:8443/a/../b?utm_source=x&b=1#c", b"//example.org/x", b"http://[::1]/"),
    "markup": (
        b'<p style="x:y">a<svg><style><img src=x onerror=alert(1)></style></svg><a href="javascript:x">b</a>',
        b"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        b"<figure><img src=a.jpg srcset='a-2.jpg 2x'><figcaption>c</figcaption></figure><iframe src=//x.org/embed/1>",
    ),
    "hub": (
        b"hub.mode=subscribe&hub.topic=https%3A%2F%2Fw.example%2Findex.rss&hub.callback=https%3A%2F%2Fr.example%2Fc"
        b"&hub.secret=abc&hub.lease_seconds=86400",
        b"hub.mode=publish&hub.url=https%3A%2F%2Fw.example%2Fnews.atom",
    ),
    "config": (
        b"- {name: One, url: 'https://one.example/feed', section: news}\n- {name: Two, page: 'https://two.example/'}\n",
        b"news: {title: News, match: {any: [{keywords: [a b, 'c']}, {regex: 'x+'}]}, sections: {world: {title: W}}}\n",
        b"title: T\nbase_url: https://w.example\npoll: {first_s: 1}\npublish: {keep_days: 3}\ntimezone: UTC\n",
    ),
    "http": (
        b"/search?q=a&page=12", b"/news.rss?limit=5", b"/index.json", b"/article/0000", b"/news/archive/3.atom",
        b"/status/source/a", b"/all.rss?q=%22a%20b%22&since=1", b"/opml", b"/websub", b"/sitemap.xml",
    ),
}  # fmt: skip

PLANTED = "pl4nt3d"
_SCRIPT = re.compile(r'="\W*\w*script:', re.IGNORECASE)

Target = Callable[[bytes], None]


class Failed(Exception):
    """Something came out that must not."""


def reading(reader: Any) -> Target:
    kind = {"document": "files", "page": "page", "listing": "page", "sitemap": "sitemap"}.get(reader, "feed")
    source = Source(id=1, key="a", name="A", kind=kind, target="https://a.example/feed")  # type: ignore[arg-type]

    def take(body: bytes) -> None:
        said = read(
            Job(
                reader=reader,
                body=body,
                url="https://a.example/feed",
                source=source,
                received_at=datetime(2026, 11, 28, tzinfo=UTC),
                desk_language="en",
                desk_timezone="UTC",
                name="a.md" if body[:1] != b"<" else "a.html",
            )
        )
        if said.bug:
            raise Failed(said.bug)

    return take


def date(body: bytes) -> None:
    dates.parse_date(body.decode("utf-8", "replace"))


def url(body: bytes) -> None:
    text = body.decode("utf-8", "replace")
    for take in (
        comparable.comparable_url,
        urls.masked,
        urls.host_of,
        urls.public_address,
        urls.site_of,
        lambda each: urls.absolute("https://a.example/b", each),
    ):
        with suppress(DeskError):
            take(text)
    shown = urls.masked(f"https://me:{PLANTED}@example.org/{text}?api_key={PLANTED}")
    if PLANTED in shown:
        raise Failed(f"not masked: {shown!r}")


def markup(body: bytes) -> None:
    once = sanitise(body.decode("utf-8", "replace"), "https://a.example/b")
    bare = re.sub(r'="[^"]*"', lambda value: '="script:"' if _SCRIPT.match(value[0]) else '=""', once)
    if re.search(r"<(?:script|style|svg|form)\b|<[^>]*\s(?:on\w+=|style=|(?:href|src)=.script:)", bare):
        raise Failed(once)


def hub(body: bytes) -> None:
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    judge(Settings(title="T", base_url="https://w.example"), {("", "rss"), ("news", "atom")}, form)


def config(folder: Path) -> Target:
    def take(body: bytes) -> None:
        for name in ("wiredesk.yaml", "sections.yaml", "sources.yaml"):
            (folder / name).write_bytes(body)
        with suppress(ConfigErrors, DeskError):
            load_config(folder, {})

    return take


def http(folder: Path) -> Target:
    open_store(f"sqlite:///{folder}/desk.sqlite3").close()
    web = create_app(f"sqlite:///{folder}/desk.sqlite3")

    def take(body: bytes) -> None:
        path, _, query = body.decode("latin-1").partition("?")
        odd = len(query) % 2  # clients are to escape what they ask; some do not
        got = ask(web, "/" + path.lstrip("/"), query=query if odd else quote(query, safe="=&%+"))
        if got.status == 500:
            raise Failed(f"{path!r} ? {query!r}: {got.text[:300]}")

    return take


def mutated(seed: bytes, other: bytes, dice: random.Random) -> bytes:
    """*seed* after a few accidents."""
    made = bytearray(seed[:LARGEST])
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        at = dice.randrange(len(made) + 1)
        end = min(len(made), at + dice.choice((1, 4, 40, 400)))
        match dice.randrange(7):
            case 0 if made and at < len(made):
                made[at] ^= 1 << dice.randrange(8)
            case 1:
                del made[at:end]
            case 2:
                made[at:at] = made[at:end] * dice.choice((1, 2, 20))
            case 3:
                made[at:at] = dice.choice(TOKENS)
            case 4:
                made[at:end] = dice.choice(TOKENS)
            case 5 if other:
                start = dice.randrange(len(other))
                made[at:at] = other[start : start + dice.choice((4, 40, 400))]
            case _:
                del made[dice.randrange(len(made) + 1) :]
    return bytes(made[: 2 * LARGEST])


def seeds(name: str) -> list[bytes]:
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    files = [path for path in sorted(INPUTS.rglob("*")) if path.is_file() and path.stat().st_size <= LARGEST]
    return kept + list(OWN.get(name, ())) + ([] if name in OWN else [path.read_bytes() for path in files])


class Hunt:
    """Tries inputs of one target and keeps those that fail, one of each cause."""

    def __init__(self, name: str, take: Target, *, keep: bool = True) -> None:
        self.name = name
        self.tried = self.failed = 0
        self._take = take
        self._keeps = keep
        self._causes: set[str] = set()

    def attempt(self, body: bytes) -> None:
        """Give *body* to the target."""
        began = time.process_time()
        why = ""
        try:
            self._take(body)
        except Exception as error:
            why = f"{type(error).__name__}: {error}".strip()
        if time.process_time() - began > SLOW_S:
            why = why or f"slow: {time.process_time() - began:.1f} s of CPU"
        self.tried += 1
        if why and (last := why.splitlines()[-1][:80]) not in self._causes:
            self._causes.add(last)
            self.failed += 1
            self._keep(body, why)

    def blind(self, until: float, dice: random.Random) -> None:
        """Try the seeds and then mutations of them, until then."""
        pool = seeds(self.name)
        for body in pool:
            self.attempt(body)
        while time.monotonic() < until:
            self.attempt(mutated(dice.choice(pool), dice.choice(pool), dice))

    def guided(self, until: float, seed: int) -> None:
        """The same with libFuzzer, which keeps what reaches new code and mutates that. It never comes back."""
        import atheris  # optional: requirements-dev.txt

        for each in [one for one in gc.get_objects() if isinstance(one, FunctionType)]:
            if str(each.__module__).startswith(LOOKED_AT):
                atheris.instrument_func(each)

        def attempt(body: bytes) -> None:
            self.attempt(body)
            if time.monotonic() > until:
                self.report(seed)
                os._exit(1 if self.failed else 0)

        with tempfile.TemporaryDirectory() as corpus:
            for number, body in enumerate(seeds(self.name)):
                Path(corpus, str(number)).write_bytes(body)
            options = [f"-seed={seed + 1}", f"-max_len={LARGEST}", "-rss_limit_mb=0", "-timeout=600", "-verbosity=0"]
            atheris.Setup([sys.argv[0], *options, corpus], attempt)
            atheris.Fuzz()

    def report(self, seed: int) -> None:
        """Print what came of it."""
        print(f"{self.name:<10} tried {self.tried:>8}  failed {self.failed:>3}  seed {seed}", flush=True)

    def _keep(self, body: bytes, why: str) -> None:
        place = CORPUS / self.name / xxhash.xxh3_64_hexdigest(body)
        if self._keeps:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
        print(f"{self.name}: {place.relative_to(HERE)}\n{why[-1500:]}", flush=True)


@contextmanager
def targets() -> Iterator[dict[str, Target]]:
    """All targets by name; some have a folder of their own while this lasts."""
    with tempfile.TemporaryDirectory() as made:
        for name in ("config", "web"):
            (Path(made) / name).mkdir()
        yield {
            **{name: reading(name) for name in ("feed", "document", "page", "listing", "sitemap")},
            "date": date,
            "url": url,
            "markup": markup,
            "hub": hub,
            "config": config(Path(made) / "config"),
            "http": http(Path(made) / "web"),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="all, if none is named")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--guided", action="store_true", help="one target, by coverage (needs atheris)")
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    failed = 0
    with targets() as known:
        chosen = told.targets or list(known)
        if told.guided and len(chosen) != 1:
            parser.error("--guided takes one target: libFuzzer ends its process")
        for name in chosen:
            until = time.monotonic() + 60 * told.minutes / len(chosen)
            hunt = Hunt(name, known[name])
            if told.guided:
                hunt.guided(until, told.seed)
            hunt.blind(until, random.Random(told.seed))
            hunt.report(told.seed)
            failed += hunt.failed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

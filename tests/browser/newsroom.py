# ruff: noqa: E501
"""A small press on loopback: four papers of one harbour town and its neighbours, with pictures, copies, and a story.

Browser tests and the screenshots of the documentation show a desk that takes these in. Everything in it is made up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

from tests.e2e.desk import Desk
from tests.fetch.origin import Exchange, Origin

SECTIONS: dict[str, object] = {
    "news": {
        "title": "News",
        "description": "Everything that happens, newest first.",
        "include_children": True,
        "sections": {
            "harbour": {
                "title": "Harbour",
                "description": "Ships, tides and the people who live by them.",
                "match": {"any": [{"category": ["Harbour"]}]},
            },
            "town": {"title": "Town hall", "match": {"any": [{"category": ["Council", "Town"]}]}},
            "science": {"title": "Science", "match": {"any": [{"category": ["Science"]}]}},
        },
    },
    "culture": {
        "title": "Culture",
        "description": "Stages, books and pictures.",
        "match": {"any": [{"category": ["Culture"]}]},
    },
    "sport": {"title": "Sport", "match": {"any": [{"category": ["Sport"]}]}},
    "arabic": {"title": "العربية", "description": "أخبار الميناء بالعربية.", "language": "ar"},
}

GATE = (
    "The new storm gate at the mouth of the harbour was closed for the first time on Sunday evening, when a westerly "
    "gale pushed the tide to four metres and twenty. It took eleven minutes, two more than planned, and held. Engineers "
    "watched the seals through the night from a cabin on the north pier and let the water out again at dawn."
)
PAPERS: dict[str, tuple[str, list[tuple[int, str, str, str, bool]]]] = {
    "post": (
        "Harbour Post",
        [
            (35, "Harbour", "Storm gate holds on the night it was needed", GATE, True),
            (95, "Council", "Council votes to keep the night ferry for another winter",
             "After four hours of debate and one broken microphone, the council found the money in the road budget. The "
             "ferry carries sixty people a night, most of them nurses.", False),
            (190, "Science", "Seagrass has come back to the inner bay, divers say",
             "Meadows that were thought lost thirty years ago cover nine hectares again. The university will map them "
             "until spring and asks anglers to stay off the eastern shallows.", True),
            (420, "Harbour", "Pilots ask for a second boat",
             "Two ships waited for six hours last week because the only pilot boat was out. A second one would cost "
             "less than a day of the delays, the pilots' guild reckons.", False),
            (700, "Culture", "The lamp room opens as a museum, one Saturday at a time",
             "Volunteers have polished every prism of the old light. Visitors wind the clockwork themselves.", True),
            (1500, "Sport", "Rowers win by the length of a bow ball",
             "The town eight beat the crew from across the bay in the slowest final in years, into the wind all the way.",
             False),
        ],
    ),
    "gazette": (
        "Coast Gazette",
        [
            (25, "Harbour", "Storm gate holds on the night it was needed", GATE, False),
            (130, "Town", "Market square to close to cars on weekdays, too",
             "Traders who fought the Saturday closure asked for this one. It begins in March with a trial of ten weeks.",
             True),
            (260, "Science", "Why the fog bell rang at noon",
             "An automatic sensor read a cloud of pollen as mist. The bell went on for an hour before anyone "
             "believed that it was wrong.", False),
            (610, "Culture", "A theatre for eighty, in a net loft",
             "The stage is where nets were dried, the foyer smells of tar, and the first season is sold out.", True),
            (880, "Sport", "Open-water swim moved by an hour for the seals",
             "Pups rest on the slip until eight. Three hundred swimmers will start at nine.", False),
        ],
    ),
    "ledger": (
        "The Ledger of Record & Commerce",
        [
            (75, "Council", "Storm gate held its first gale: what the night cost, line by line",
             "Steel, seals and a lawsuit: the gate at the mouth of the harbour, closed on Sunday evening against a tide of "
             "four metres and twenty, came to forty-one million. Engineers on the north pier earned a bonus for the night.",
             False),
            (330, "Town", "Bakery on Chain Street changes hands after ninety years",
             "The new owners promise the same rye bread. They also promise to open on Mondays.", True),
            (560, "Science", "A tide table that learns",
             "Students fed ninety years of gauge readings to a small model. It is right to within a hand's width, and "
             "says so when it isn't.", False),
        ],
    ),
    "arabic": (
        "صحيفة الميناء",
        [
            (160, "ميناء", "بوابة العواصف تصمد في ليلتها الأولى",
             "أغلقت البوابة الجديدة عند مدخل الميناء مساء الأحد للمرة الأولى، وبقيت محكمة حتى الفجر.", True),
            (480, "ثقافة", "متحف صغير في غرفة المصباح القديم",
             "فتح متطوعون غرفة المنارة القديمة للزوار كل يوم سبت.", False),
        ],
    ),
}  # fmt: skip

SKIES = (("#29506d", "#d8b48a"), ("#3d5a47", "#cfd8b0"), ("#5b3a4e", "#e0a387"), ("#33475b", "#9fb7c4"))


class Press:
    """The papers as feeds on *origin*; *broken* names those that answer 410."""

    def __init__(self, origin: Origin, now: datetime | None = None) -> None:
        self.origin = origin
        self.now = now or datetime.now(UTC)
        self.broken: set[str] = set()
        for name in PAPERS:
            origin.add(f"/{name}.xml", lambda exchange, name=name: self._answer(exchange, name))
        for number in range(12):
            origin.add(f"/picture/{number}.svg", lambda exchange, n=number: exchange.answer(
                200, picture(n).encode(), Content_Type="image/svg+xml", Cache_Control="max-age=3600"))  # fmt: skip
        origin.add("/", self._home)

    def sources(self) -> list[dict[str, object]]:
        """The lines of sources.yaml."""
        told: list[dict[str, object]] = [
            {"name": PAPERS[name][0], "url": self.origin.url(f"/{name}.xml"), "id": name, "full_text": "full"}
            for name in ("post", "gazette", "ledger")
        ]
        arabic = {"name": PAPERS["arabic"][0], "url": self.origin.url("/arabic.xml"), "id": "arabic"}
        return [*told, arabic | {"section": "arabic", "language": "ar", "full_text": "full"}]  # type: ignore[list-item]

    def feed(self, name: str) -> bytes:
        """One paper as RSS."""
        title, articles = PAPERS[name]
        items = []
        for number, (minutes, category, headline, text, pictured) in enumerate(articles):
            link = f"https://{name}.example/{number}"
            shown = self.origin.url(f"/picture/{(number * 3 + len(name)) % 12}.svg")
            media = f'<media:content url="{shown}" medium="image" width="1200" height="800"/>' if pictured else ""
            body = "".join(f"<p>{escape(text)}</p>" for _ in range(1)) + f"<p>{escape(_more(text))}</p>"
            items.append(
                f"<item><title>{escape(headline)}</title><link>{link}</link><guid>{link}</guid>"
                f"<category>{escape(category)}</category><dc:creator>{_byline(name, number)}</dc:creator>{media}"
                f"<pubDate>{format_datetime(self.now - timedelta(minutes=minutes))}</pubDate>"
                f"<description>{escape(text)}</description><content:encoded><![CDATA[{body}]]></content:encoded></item>"
            )
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
            f"<channel><title>{escape(title)}</title><link>https://{name}.example/</link>"
            f"<description>-</description>{''.join(items)}</channel></rss>"
        ).encode()

    def _answer(self, exchange: Exchange, name: str) -> None:
        if name in self.broken:
            exchange.answer(410)
        elif exchange.seen.header("if-none-match") == f'"{name}"':
            exchange.answer(304, ETag=f'"{name}"')
        else:
            exchange.answer(200, self.feed(name), ETag=f'"{name}"', Content_Type="application/rss+xml")

    def _home(self, exchange: Exchange) -> None:
        html = '<!doctype html><title>Harbour Post</title><link rel="alternate" type="application/rss+xml" href="/post.xml">'
        exchange.answer(200, html.encode(), Content_Type="text/html; charset=utf-8")


def furnish(desk: Desk, press: Press) -> None:
    """Write the config of a desk that takes the press in."""
    desk.write(
        sections=SECTIONS,
        sources=press.sources(),
        desk={
            "title": "The Harbour Wire",
            "description": "What the papers of the coast say, filed.",
            "publish": {"full_text": "full", "first_import": 50},
        },
    )


def picture(number: int) -> str:
    """A landscape of few shapes, another for each *number*."""
    sky, land = SKIES[number % len(SKIES)]
    sun = 200 + number * 67 % 800
    waves = "".join(
        f'<path d="M0 {560 + 60 * row} q 150 {-40 + 7 * ((number + row) % 9)} 300 0 t 300 0 t 300 0 t 300 0 V 800 H 0 Z"'
        f' fill="{land}" opacity="{0.35 + 0.2 * row:.2f}"/>'
        for row in range(3)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 800" width="1200" height="800">'
        f'<rect width="1200" height="800" fill="{sky}"/><circle cx="{sun}" cy="{240 + number * 31 % 160}" r="110"'
        f' fill="{land}" opacity="0.9"/>{waves}<path d="M{760 - number * 23} 600 l40 -330 h36 l40 330 z" fill="#1c1f26"/>'
        "</svg>"
    )


def _byline(name: str, number: int) -> str:
    people = ("Ada Brook", "Jonas Falk", "Mina Osei", "Ruth Delacroix", "Tom Hale", "Yara Nassar")
    return people[(number * 2 + len(name)) % len(people)]


def _more(text: str) -> str:
    first = text.split(". ")[0].lower()
    return f"What is known so far: {first}. This paper goes on asking, and will tell what it hears."

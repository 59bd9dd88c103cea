"""One failing sample for each rule of the checks, made from good documents by one change each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from feeds.model import Format

_SPACES = (
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:georss="http://www.georss.org/georss"'
)

GOOD_ATOM = f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" {_SPACES} xml:lang="en">
<id>urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6</id><title>Harbour news</title><updated>2026-01-31T12:00:00Z</updated>
<author><name>The desk</name></author>
<link rel="self" href="https://w.example/a.atom"/><link rel="alternate" href="https://w.example/"/>
<entry><id>urn:uuid:1</id><title>Ferry late</title><updated>2026-01-31T12:00:00Z</updated>
<link rel="alternate" href="https://w.example/1"/><summary type="html">&lt;p&gt;An hour.&lt;/p&gt;</summary>
<content type="html">&lt;p&gt;It came an hour late.&lt;/p&gt;</content></entry>
<entry><id>urn:uuid:2</id><title>Pier open</title><updated>2026-01-30T12:00:00Z</updated>
<link rel="alternate" href="https://w.example/2"/></entry>
</feed>
"""

GOOD_RSS = f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" {_SPACES} xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>
<title>Harbour news</title><link>https://w.example/</link><description>What moves</description><language>en</language>
<ttl>5</ttl><lastBuildDate>Sat, 31 Jan 2026 12:00:00 +0000</lastBuildDate>
<atom:link rel="self" href="https://w.example/a.rss"/>
<image><url>https://w.example/i.png</url><title>Harbour news</title><link>https://w.example/</link></image>
<item><title>Ferry late</title><link>https://w.example/1</link><description>&lt;p&gt;An hour.&lt;/p&gt;</description>
<content:encoded>&lt;p&gt;It came an hour late.&lt;/p&gt;</content:encoded><guid isPermaLink="false">urn:uuid:1</guid>
<enclosure url="https://w.example/1.mp3" length="7" type="audio/mpeg"/><slash:comments>3</slash:comments>
<source url="https://o.example/feed">Other</source><pubDate>Sat, 31 Jan 2026 12:00:00 +0000</pubDate>
<dc:creator>Ann</dc:creator><category>Sea</category></item>
<item><title>Pier open</title><link>https://w.example/2</link><guid>https://w.example/2</guid></item>
</channel></rss>
"""

GOOD_JSON: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Harbour news",
    "home_page_url": "https://w.example/",
    "feed_url": "https://w.example/a.json",
    "language": "en",
    "authors": [{"name": "The desk"}],
    "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
    "_own": {"anything": 1},
    "items": [
        {
            "id": "urn:uuid:1",
            "url": "https://w.example/1",
            "title": "Ferry late",
            "content_html": "<p>It came an hour late.</p>",
            "date_published": "2026-01-31T12:00:00Z",
            "tags": ["Sea"],
            "attachments": [{"url": "https://w.example/1.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 7}],
        },
        {"id": "urn:uuid:2", "content_text": "Pier open"},
    ],
}


def good(format: Format) -> bytes:
    """A document in which no rule finds anything."""
    if format == "json":
        return json.dumps(GOOD_JSON).encode()
    return (GOOD_RSS if format == "rss" else GOOD_ATOM).encode()


def _swap(format: Format, old: str, new: str) -> bytes:
    text = good(format).decode()
    assert old in text, old
    return text.replace(old, new, 1).encode()


def _atom(old: str, new: str) -> bytes:
    return _swap("atom", old, new)


def _rss(old: str, new: str) -> bytes:
    return _swap("rss", old, new)


def _json(change: Callable[[Any], object]) -> bytes:
    feed = json.loads(good("json"))
    change(feed)
    return json.dumps(feed, ensure_ascii=False).encode()


def _item(**changes: Any) -> bytes:
    return _json(lambda feed: feed["items"][0].update(changes))


def _top(**changes: Any) -> bytes:
    return _json(lambda feed: feed.update(changes))


_MEDIA = {
    "itunes-value": ("<itunes:explicit>yes</itunes:explicit>", "<itunes:duration>61:75</itunes:duration>",
        "<itunes:episode>0</itunes:episode>", "<itunes:episodeType>Full</itunes:episodeType>",
        '<itunes:image url="https://w.example/c.jpg"/>', "<itunes:season>one</itunes:season>"),
    "itunes-once": ("<itunes:explicit>true</itunes:explicit><itunes:explicit>false</itunes:explicit>",),
    "podcast-value": ('<podcast:transcript url="https://w.example/1.vtt"/>',
        '<podcast:chapters url="/1.json" type="a/b"/>',
        "<podcast:person/>", "<podcast:season>0</podcast:season>",
        '<podcast:transcript url="https://w.example/1.vtt" type="text/vtt" language="English please"/>'),
    "media-value": ('<media:content url="/1.mp4"/>', '<media:thumbnail url="https://w.example/1" width="0"/>',
        '<media:group><media:content url="https://w.example/1" type="mp4"/></media:group>'),
    "georss-value": ("<georss:point>91 0</georss:point>", "<georss:line>1 2</georss:line>",
        "<georss:polygon>0 0 0 1 1 1 1 0</georss:polygon>", "<georss:box>a b c d</georss:box>"),
}  # fmt: skip
"""What breaks each rule for media, in an item of RSS and an entry of Atom alike."""


def media_samples(format: Format) -> dict[str, list[bytes]]:
    """Documents in *format* that break the rules for media, by rule."""
    closing = "</item>" if format == "rss" else "</entry>"
    return {rule: [_swap(format, closing, broken + closing) for broken in all_] for rule, all_ in _MEDIA.items()}


SAMPLES: dict[Format, dict[str, bytes]] = {
    "atom": {
        "xml-well-formed": _atom("</entry>", ""),
        "xml-utf8": _atom("UTF-8", "iso-8859-1"),
        "xml-doctype": _atom("<feed ", "<!DOCTYPE feed>\n<feed "),
        "html-unsafe": _atom("&lt;p&gt;It", "&lt;p onclick='x()'&gt;It"),
        "html-relative-link": _atom("&lt;p&gt;It", "&lt;a href='/late'&gt;It&lt;/a&gt;&lt;p&gt;"),
        "title-html": _atom("Ferry late", "Ferry &lt;b&gt;late&lt;/b&gt;"),
        "character-discouraged": _atom("an hour late", "an hour\x92s wait"),
        **{rule: samples[0] for rule, samples in media_samples("atom").items()},
        "atom-root": _atom('xmlns="http://www.w3.org/2005/Atom"', 'xmlns="http://purl.org/atom/ns#"'),
        "atom-schema": _atom("<author>", "<author><name>Second</name></author><author><nom/>"),
        "atom-id": _atom("urn:uuid:1", "one"),
        "atom-id-twice": _atom("urn:uuid:2", "urn:uuid:1"),
        "atom-author": _atom("<author><name>The desk</name></author>", ""),
        "atom-alternate": _atom('<link rel="alternate" href="https://w.example/2"/>', ""),
        "atom-alternate-twice": _atom("<summary", '<link href="https://w.example/x"/><summary'),
        "atom-link": _atom('href="https://w.example/1"', 'href="/1"'),
        "atom-date": _atom("2026-01-30T12:00:00Z", "2026-01-30T12:00:00"),
        "atom-type": _atom('content type="html"', 'content type="CDATA"'),
        "atom-summary": _atom(
            'href="https://w.example/2"/>', 'href="https://w.example/2"/><content src="https://w.example/2.pdf"/>'
        ),
        "atom-title-empty": _atom("<title>Pier open</title>", "<title/>"),
        "atom-self": _atom('<link rel="self" href="https://w.example/a.atom"/>', ""),
        "atom-page": _atom('<link rel="alternate" href="https://w.example/"/>', ""),
    },
    "rss": {
        "xml-well-formed": _rss("An hour.", "An hour & more."),
        "xml-utf8": good("rss").replace(b"An hour.", b"An hour\xe9."),
        "xml-doctype": _rss("<rss ", '<!DOCTYPE rss SYSTEM "http://w.example/rss.dtd">\n<rss '),
        "html-unsafe": _rss("&lt;p&gt;It", "&lt;script&gt;x()&lt;/script&gt;It"),
        "html-relative-link": _rss("&lt;p&gt;It", '&lt;img src="late.png"&gt;&lt;p&gt;It'),
        "title-html": _rss("Ferry late", "&lt;i&gt;Ferry&lt;/i&gt; late"),
        "character-discouraged": _rss("An hour.", "An\x96hour."),
        **{rule: samples[0] for rule, samples in media_samples("rss").items()},
        "rss-root": _rss('version="2.0"', 'version="0.91"'),
        "rss-channel-required": _rss("<description>What moves</description>", ""),
        "rss-once": _rss("<dc:creator>", "<pubDate>Sat, 31 Jan 2026 12:00:00 +0000</pubDate><dc:creator>"),
        "rss-unknown": _rss("<dc:creator>", "<published>now</published><dc:creator>"),
        "rss-item-required": _rss("<title>Pier open</title>", ""),
        "rss-date": _rss("<pubDate>Sat, 31 Jan 2026", "<pubDate>Fri, 31 Jan 2026"),
        "rss-guid-twice": _rss("<guid>https://w.example/2", '<guid isPermaLink="false">urn:uuid:1'),
        "rss-guid-permalink": _rss(' isPermaLink="false"', ""),
        "rss-url": _rss("<link>https://w.example/1", "<link>/1"),
        "rss-enclosure": _rss(' length="7"', ""),
        "rss-source": _rss(' url="https://o.example/feed"', ""),
        "rss-language": _rss("<language>en", "<language>English please"),
        "rss-number": _rss("<ttl>5", "<ttl>five"),
        "rss-image": _rss("<url>https://w.example/i.png</url>", "<url>https://w.example/i.png</url><width>300</width>"),
        "rss-author": _rss("<category>", "<author>Ann</author><category>"),
        "rss-guid-missing": _rss("<guid>https://w.example/2</guid>", ""),
        "rss-image-match": _rss(
            "<title>Harbour news</title><link>https://w.example/</link></image>",
            "<title>Other</title><link>https://w.example/</link></image>",
        ),
        "rss-enclosure-one": _rss(
            "<dc:creator>", '<enclosure url="https://w.example/2.mp3" length="7" type="audio/mpeg"/><dc:creator>'
        ),
        "rss-content-order": _rss("<description>&lt;p&gt;An hour.&lt;/p&gt;</description>", ""),
        "rss-self": _rss('<atom:link rel="self" href="https://w.example/a.rss"/>', ""),
        "rss-double-meaning": _rss("<dc:creator>", "<dc:date>2026-01-31</dc:date><dc:creator>"),
        "rss-item-title": _rss("<link>https://w.example/2</link>", ""),
    },
    "json": {
        "html-unsafe": _item(content_html="<a href='javascript:x()'>late</a>"),
        "html-relative-link": _item(content_html='<a href="late">late</a>'),
        "title-html": _item(title="<b>Ferry</b>"),
        "character-discouraged": _item(content_html="an hour\x92s wait"),
        "json-parse": good("json")[:-1],
        "json-version": _top(version="1.1"),
        "json-title": _json(lambda feed: feed.pop("title")),
        "json-items": _top(items={}),
        "json-item-id": _item(id=7),
        "json-id-twice": _item(id="urn:uuid:2"),
        "json-content": _json(lambda feed: feed["items"][1].pop("content_text")),
        "json-date": _item(date_published="2026-01-31"),
        "json-url": _item(url="/1"),
        "json-authors": _item(authors=[{"title": "Ann"}]),
        "json-attachment": _item(attachments=[{"url": "https://w.example/1.mp3"}]),
        "json-hub": _top(hubs=[{"url": "https://hub.example/"}]),
        "json-type": _item(tags="Sea"),
        "json-extension": _item(story="urn:uuid:3"),
        "json-author": _item(author={"name": "Ann"}),
        "json-address": _json(lambda feed: feed.pop("feed_url")),
        "json-language": _top(language="English please"),
    },
}

"""XML feeds: each field of an entry and of a feed, from the elements in which publishers write it."""

from typing import Any

import pytest
from feedparser.urls import _urljoin
from hypothesis import given
from hypothesis import strategies as some

from feeds.parse import parse
from feeds.parse.handlers import _WHOLE
from feeds.parsed import Category, Discussion, Enclosure, Hints, Image, Origin, ParsedEntry, ParsedFeed, Person, RawText

URL = "http://feeds.example.org/a/index.xml"
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:a="http://www.w3.org/2005/Atom" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:thr="http://purl.org/syndication/thread/1.0" '
    'xmlns:xhtml="http://www.w3.org/1999/xhtml" xmlns:cc="http://backend.userland.com/creativeCommonsRssModule" '
    'xmlns:fh="http://purl.org/syndication/history/1.0" '
)


def rss(item: str = "", channel: str = "") -> ParsedFeed:
    text = f'<rss version="2.0" {NAMESPACES}><channel>{channel}<item>{item}</item></channel></rss>'
    return parse(text.encode(), url=URL)


def atom(entry: str = "", feed: str = "") -> ParsedFeed:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>{feed}<entry>{entry}</entry></feed>'
    return parse(text.encode(), url=URL)


def text_of(value: str, kind: Any = "text", base: str = URL, language: str | None = None) -> RawText:
    return RawText(value=value, type=kind, base=base, language=language)


RSS_FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "a guid that is a permalink": (
        "<guid>http://e.example/1</guid>",
        {"entry_id": "http://e.example/1", "id_is_permalink": True, "link": "http://e.example/1"},
    ),
    "a guid beside a link": (
        "<guid>http://e.example/?p=1</guid><link>http://e.example/1</link>",
        {"entry_id": "http://e.example/?p=1", "id_is_permalink": True, "link": "http://e.example/1"},
    ),
    "a guid that says it is none": (
        '<guid isPermaLink="false">http://e.example/1</guid>',
        {"entry_id": "http://e.example/1", "id_is_permalink": False, "link": None},
    ),
    "a guid that is no address": ("<guid>abc-1</guid>", {"entry_id": "abc-1", "id_is_permalink": False, "link": None}),
    "a relative link": ("<link>../one</link>", {"link": "http://feeds.example.org/one"}),
    "a link under a base": ('<link xml:base="http://b.example/x/">one</link>', {"link": "http://b.example/x/one"}),
    "an Atom link in RSS": ('<a:link href="http://e.example/1"/>', {"link": "http://e.example/1"}),
    "a link that a feed burner hides": (
        "<link>http://burner.example/1</link><feedburner:origLink>http://e.example/1</feedburner:origLink>",
        {"link": "http://burner.example/1", "original_link": "http://e.example/1"},
    ),
    "a plain title": ("<title>Tide &amp; time</title>", {"title": text_of("Tide & time")}),
    "a title with escaped entities": (
        "<title>Tide &amp;amp; time</title>",
        {"title": text_of("Tide &amp; time", "html")},
    ),
    "a title with markup": ("<title>&lt;b&gt;Tide&lt;/b&gt;</title>", {"title": text_of("<b>Tide</b>", "html")}),
    "a title about markup": ("<title>What &lt;b&gt; means</title>", {"title": text_of("What <b> means")}),
    "a title with a comparison": ("<title>1 &lt; 2</title>", {"title": text_of("1 < 2")}),
    "a title of media beside the own": (
        "<media:content url='http://e.example/a.mp4'><media:title>Film</media:title></media:content><title>Own</title>",
        {"title": text_of("Own")},
    ),
    "a plain description": ("<description>3 &lt; 4 &amp; 5</description>", {"summary": text_of("3 < 4 & 5")}),
    "an HTML description": ("<description>&lt;p>x&lt;/p></description>", {"summary": text_of("<p>x</p>", "html")}),
    "HTML in CDATA": ("<description><![CDATA[<p>x</p>]]></description>", {"summary": text_of("<p>x</p>", "html")}),
    "description and content": (
        "<description>short</description><content:encoded>&lt;p>long&lt;/p></content:encoded>",
        {"summary": text_of("short"), "content": text_of("<p>long</p>", "html")},
    ),
    "content alone": (
        "<content:encoded>&lt;p>long&lt;/p></content:encoded>",
        {"summary": None, "content": text_of("<p>long</p>", "html")},
    ),
    "content before the description": (
        "<content:encoded>&lt;p>long&lt;/p></content:encoded><description>short</description>",
        {"summary": text_of("short"), "content": text_of("<p>long</p>", "html")},
    ),
    "a description of media beside the own": (
        "<media:description>of the film</media:description><description>own</description>",
        {"summary": text_of("own"), "content": None},
    ),
    "a description of media alone": (
        "<media:description>of the film</media:description>",
        {"summary": text_of("of the film", base="")},
    ),
    "iTunes and description": (
        "<description>own</description><itunes:summary>long text</itunes:summary>",
        {"summary": text_of("own"), "content": None},
    ),
    "a creator": ("<dc:creator>Ann</dc:creator>", {"authors": (Person(name="Ann"),)}),
    "an address with a name": (
        "<author>a@b.example (Ann B)</author>",
        {"authors": (Person(name="Ann B", email="a@b.example"),)},
    ),
    "an address": ("<author>a@b.example</author>", {"authors": (Person(email="a@b.example"),)}),
    "two creators": (
        "<dc:creator>Ann</dc:creator><dc:creator>Bo</dc:creator>",
        {"authors": (Person(name="Ann"), Person(name="Bo"))},
    ),
    "an author said twice": (
        "<author>Ann</author><itunes:author>Ann</itunes:author>",
        {"authors": (Person(name="Ann"),)},
    ),
    "a contributor": ("<dc:contributor>Bo</dc:contributor>", {"contributors": (Person(name="Bo"),)}),
    "a publisher": ("<dc:publisher>The Paper</dc:publisher>", {"publisher": "The Paper"}),
    "a date": (
        "<pubDate>Mon, 02 Nov 2026 10:00:00 +0100</pubDate>",
        {
            "published": "Mon, 02 Nov 2026 10:00:00 +0100",
            "updated": None,
        },
    ),
    "a date of Dublin Core": (
        "<dc:date>2026-11-02T10:00:00Z</dc:date>",
        {"published": "2026-11-02T10:00:00Z", "updated": "2026-11-02T10:00:00Z"},
    ),
    "a date that nobody reads": ("<pubDate>soon</pubDate>", {"published": "soon"}),
    "categories": (
        '<category domain="http://d.example/">x</category><category>y</category><category>y</category><category/>',
        {"categories": (Category(term="x", scheme="http://d.example/"), Category(term="y"))},
    ),
    "an enclosure": (
        '<enclosure url="http://e.example/a.mp3" length="12" type="audio/mpeg"/>'
        "<itunes:duration>1:02:03</itunes:duration>",
        {
            "enclosures": (
                Enclosure(url="http://e.example/a.mp3", type="audio/mpeg", length_bytes=12, duration_s=3723.0),
            )
        },
    ),
    "an enclosure with an absurd length": (
        '<enclosure url="http://e.example/a.mp3" length="-1" type="audio/mpeg"/>',
        {"enclosures": (Enclosure(url="http://e.example/a.mp3", type="audio/mpeg"),)},
    ),
    "media in sizes": (
        '<media:content url="http://e.example/s.jpg" width="100" height="50" medium="image"/>'
        '<media:content url="http://e.example/l.jpg" width="800" height="400" type="image/jpeg"/>',
        {"image": Image(url="http://e.example/l.jpg", width=800, height=400), "enclosures": ()},
    ),
    "a film": (
        '<media:group><media:content url="http://e.example/a.mp4" type="video/mp4" duration="60" fileSize="9"/>'
        '<media:thumbnail url="http://e.example/t.jpg" width="10" height="10"/></media:group>',
        {
            "enclosures": (Enclosure(url="http://e.example/a.mp4", type="video/mp4", length_bytes=9, duration_s=60.0),),
            "image": Image(url="http://e.example/t.jpg", width=10, height=10),
        },
    ),
    "a picture as enclosure": (
        '<enclosure url="http://e.example/i.jpg" length="1" type="image/jpeg"/>',
        {"image": Image(url="http://e.example/i.jpg")},
    ),
    "the picture of an episode": (
        '<itunes:image href="http://e.example/i.jpg"/>',
        {"image": Image(url="http://e.example/i.jpg")},
    ),
    "comments": (
        "<comments>http://e.example/1#c</comments><slash:comments>3</slash:comments>"
        "<wfw:commentRss>http://e.example/1/feed</wfw:commentRss>",
        {"discussion": Discussion(url="http://e.example/1#c", feed_url="http://e.example/1/feed", count=3)},
    ),
    "a source": (
        '<source url="http://o.example/rss">Other</source>',
        {"origin": Origin(name="Other", feed_url="http://o.example/rss")},
    ),
    "a source of Dublin Core": ("<dc:source>Other</dc:source>", {"origin": Origin(name="Other")}),
    "an address as source": (
        "<dc:source>http://o.example/1</dc:source>",
        {"origin": Origin(name="", url="http://o.example/1")},
    ),
    "rights": ("<dc:rights>© Ann</dc:rights>", {"rights": "© Ann"}),
    "a licence": ("<cc:license>http://l.example/by</cc:license>", {"rights": "http://l.example/by"}),
    "a base and a language": (
        '<title xml:base="http://b.example/" xml:lang="fr">Un</title>',
        {"title": text_of("Un", base="http://b.example/", language="fr")},
    ),
    "a language of Dublin Core": ("<dc:language>fr</dc:language>", {"language": "fr"}),
    "robots": ('<xhtml:meta name="robots" content="noindex"/>', {"noindex": True}),
    "nothing": ("", {"entry_id": None, "link": None, "title": None, "summary": None, "base": URL}),
}


@pytest.mark.parametrize(("item", "expected"), RSS_FIELDS.values(), ids=RSS_FIELDS)
def test_an_rss_item_says(item: str, expected: dict[str, object]) -> None:
    [entry] = rss(item).entries
    assert {name: getattr(entry, name) for name in expected} == expected


ATOM_FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "an id": (
        "<id>urn:uuid:1</id>",
        {"entry_id": "urn:uuid:1", "id_is_permalink": False, "link": None},
    ),
    "an id that is an address": ("<id>http://e.example/1</id>", {"entry_id": "http://e.example/1", "link": None}),
    "the alternate link": (
        '<link rel="self" href="http://e.example/1.atom"/><link href="one"/><link rel="via" href="http://v.example/"/>'
        '<link rel="related" href="http://r.example/"/>',
        {"link": "http://feeds.example.org/a/one", "via": ("http://v.example/",), "related": ("http://r.example/",)},
    ),
    "an alternate that is no page": (
        '<link rel="alternate" type="application/pdf" href="http://e.example/1.pdf"/>',
        {"link": "http://e.example/1.pdf"},
    ),
    "a canonical link": (
        '<link href="http://e.example/1"/><link rel="canonical" href="http://o.example/1"/>',
        {"link": "http://e.example/1", "original_link": "http://o.example/1"},
    ),
    "a title of text": ("<title>1 &lt; 2 &amp;amp; 3</title>", {"title": text_of("1 < 2 &amp; 3")}),
    "a title of HTML": ('<title type="html">1 &amp;lt; 2</title>', {"title": text_of("1 &lt; 2", "html")}),
    "a title of XHTML": (
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">1 &lt; <b>2</b></div></title>',
        {"title": text_of("1 &lt; <b>2</b>", "xhtml")},
    ),
    "a summary and content": (
        '<summary>short</summary><content type="html">&lt;p>long&lt;/p></content>',
        {"summary": text_of("short"), "content": text_of("<p>long</p>", "html")},
    ),
    "content alone": (
        '<content type="html">&lt;p>x&lt;/p></content>',
        {"summary": None, "content": text_of("<p>x</p>", "html")},
    ),
    "content elsewhere": ('<content type="image/png" src="http://e.example/i.png"/>', {"content": None}),
    "dates": (
        "<published>2026-11-02T10:00:00Z</published><updated>2026-11-03T10:00:00Z</updated>",
        {"published": "2026-11-02T10:00:00Z", "updated": "2026-11-03T10:00:00Z"},
    ),
    "an update alone": (
        "<updated>2026-11-03T10:00:00Z</updated>",
        {"published": None, "updated": "2026-11-03T10:00:00Z"},
    ),
    "people": (
        "<author><name>Ann</name><uri>http://ann.example/</uri><email>a@b.example</email></author>"
        "<contributor><name>Bo</name></contributor>",
        {
            "authors": (Person(name="Ann", url="http://ann.example/", email="a@b.example"),),
            "contributors": (Person(name="Bo"),),
        },
    ),
    "categories": (
        '<category term="x" scheme="http://d.example/" label="The X"/>',
        {"categories": (Category(term="x", scheme="http://d.example/", label="The X"),)},
    ),
    "an enclosure": (
        '<link rel="enclosure" href="http://e.example/a.mp3" length="12" type="audio/mpeg" title="A"/>',
        {"enclosures": (Enclosure(url="http://e.example/a.mp3", type="audio/mpeg", length_bytes=12, title="A"),)},
    ),
    "a source": (
        '<source><id>urn:o</id><title>Other</title><link href="http://o.example/"/>'
        '<link rel="self" href="http://o.example/atom"/></source><title>own</title>',
        {
            "origin": Origin(name="Other", url="http://o.example/", feed_url="http://o.example/atom", feed_id="urn:o"),
            "title": text_of("own"),
        },
    ),
    "replies": (
        '<link rel="replies" type="text/html" href="http://e.example/1#c" thr:count="4"/>'
        '<link rel="replies" type="application/atom+xml" href="http://e.example/1.atom"/>',
        {"discussion": Discussion(url="http://e.example/1#c", feed_url="http://e.example/1.atom", count=4)},
    ),
    "a total of replies": ("<thr:total>5</thr:total>", {"discussion": Discussion(count=5)}),
    "rights": ("<rights>© Ann</rights>", {"rights": "© Ann"}),
    "a licence": ('<link rel="license" href="http://l.example/by"/>', {"rights": "http://l.example/by"}),
}


@pytest.mark.parametrize(("entry", "expected"), ATOM_FIELDS.values(), ids=ATOM_FIELDS)
def test_an_atom_entry_says(entry: str, expected: dict[str, object]) -> None:
    [parsed] = atom(entry).entries
    assert {name: getattr(parsed, name) for name in expected} == expected


RSS_HEAD: dict[str, tuple[str, dict[str, object]]] = {
    "title and link": ("<title>T</title><link>http://e.example/</link>", {"title": "T", "link": "http://e.example/"}),
    "links of Atom": (
        '<a:link rel="self" href="http://e.example/rss"/><a:link rel="hub" href="http://h.example/"/>'
        '<a:link rel="hub" href="http://h2.example/"/><link>http://e.example/</link>',
        {
            "self_url": "http://e.example/rss",
            "hubs": ("http://h.example/", "http://h2.example/"),
            "link": "http://e.example/",
        },
    ),
    "the page before": (
        '<a:link rel="next" href="http://e.example/?p=2"/><a:link rel="prev-archive" href="http://e.example/a/1"/>',
        {"next_archive": "http://e.example/a/1"},
    ),
    "a next page": ('<a:link rel="next" href="?p=2"/>', {"next_archive": "http://feeds.example.org/a/index.xml?p=2"}),
    "hints": (
        "<ttl>60</ttl><skipHours><hour>0</hour><hour>5</hour><hour>24</hour></skipHours>"
        "<skipDays><day>Saturday</day><day>Sunday</day><day>Never</day></skipDays>"
        "<sy:updatePeriod> hourly </sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>",
        {"hints": Hints(ttl_s=3600, skip_hours=(0, 5), skip_days=(5, 6), update_period_s=1800)},
    ),
    "hints that are none": (
        "<ttl>soon</ttl><skipHours><hour>99</hour><hour/></skipHours><sy:updatePeriod>often</sy:updatePeriod>",
        {"hints": Hints()},
    ),
    "no hints": ("", {"hints": Hints()}),
    "the rest": (
        "<language>en-gb</language><copyright>© 2026</copyright><image><url>http://e.example/i.png</url></image>"
        "<managingEditor>a@b.example (Ann)</managingEditor>"
        "<lastBuildDate>Mon, 02 Nov 2026 10:00:00 GMT</lastBuildDate>",
        {
            "language": "en-gb",
            "rights": "© 2026",
            "image_url": "http://e.example/i.png",
            "authors": (Person(name="Ann", email="a@b.example"),),
            "updated": "Mon, 02 Nov 2026 10:00:00 GMT",
        },
    ),
}


@pytest.mark.parametrize(("channel", "expected"), RSS_HEAD.values(), ids=RSS_HEAD)
def test_an_rss_channel_says(channel: str, expected: dict[str, object]) -> None:
    feed = rss(channel=channel)
    assert {name: getattr(feed, name) for name in expected} == expected


def test_an_atom_feed_says() -> None:
    feed = atom(
        feed='<id>urn:f</id><title type="html">T</title><link href="http://e.example/"/><logo>/l.png</logo>'
        '<link rel="self" href="http://e.example/atom"/><link rel="hub" href="http://h.example/"/>'
        "<updated>2026-11-02T10:00:00Z</updated><author><name>Ann</name></author><rights>© 2026</rights>"
    )
    assert (feed.kind, feed.feed_id, feed.title, feed.link) == ("atom10", "urn:f", "T", "http://e.example/")
    assert (feed.self_url, feed.hubs) == ("http://e.example/atom", ("http://h.example/",))
    assert (feed.updated, feed.rights) == ("2026-11-02T10:00:00Z", "© 2026")
    assert (feed.authors, feed.image_url) == ((Person(name="Ann"),), "http://feeds.example.org/l.png")


def test_a_feed_that_wants_no_robots_says_so_for_each_entry() -> None:
    assert rss(channel='<xhtml:meta name="robots" content="noindex, nofollow"/>').entries[0].noindex
    assert not rss(channel='<xhtml:meta name="robots" content="index"/>').entries[0].noindex


def test_rss_1_0_reads_its_items_outside_of_the_channel() -> None:
    body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://e.example/"><title>T</title></channel>
<item rdf:about="http://e.example/1"><title>one</title><link>http://e.example/1</link><dc:subject>x</dc:subject></item>
</rdf:RDF>"""
    feed = parse(body, url=URL)
    [entry] = feed.entries
    assert (feed.kind, feed.title) == ("rss10", "T")
    assert (entry.entry_id, entry.link, entry.categories) == (
        "http://e.example/1",
        "http://e.example/1",
        (Category(term="x"),),
    )


def test_atom_0_3_reads_as_atom() -> None:
    body = b"""<feed version="0.3" xmlns="http://purl.org/atom/ns#">
<entry><id>tag:e.example,2004:1</id><title>one</title>
<link rel="alternate" type="text/html" href="http://e.example/1"/><issued>2004-01-01T00:00:00Z</issued>
<modified>2004-01-02T00:00:00Z</modified>
<content type="text/html" mode="escaped">&lt;p>x&lt;/p></content></entry></feed>"""
    [entry] = parse(body, url=URL).entries
    assert (entry.entry_id, entry.link) == ("tag:e.example,2004:1", "http://e.example/1")
    assert (entry.published, entry.updated) == ("2004-01-01T00:00:00Z", "2004-01-02T00:00:00Z")
    assert entry.content == text_of("<p>x</p>", "html")


def test_cdf_reads_its_items() -> None:
    body = b"""<CHANNEL HREF="http://e.example/"><TITLE>T</TITLE>
<ITEM HREF="http://e.example/1"><TITLE>one</TITLE></ITEM></CHANNEL>"""
    feed = parse(body, url=URL)
    assert (feed.kind, [entry.link for entry in feed.entries]) == ("cdf", ["http://e.example/1"])


def test_an_id_does_not_move_with_the_address_of_its_feed() -> None:
    body = b"<rss><channel><item><guid>abc</guid></item><item><guid>/x/1</guid></item></channel></rss>"

    def ids(url: str) -> list[str | None]:
        return [entry.entry_id for entry in parse(body, url=url).entries]

    assert ids("http://old.example/rss") == ids("https://new.example/feed/rss.xml") == ["abc", "/x/1"]


def test_the_base_of_an_entry_is_its_own() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://b.example/a/" xml:lang="de">
<entry xml:base="e/"><link href="1"/><content type="html" xml:base="c/" xml:lang="fr">x</content></entry>
<entry><link href="2"/><title>zwei</title></entry></feed>"""
    first, second = parse(body, url=URL).entries
    assert (first.base, first.link, first.language) == ("http://b.example/a/e/", "http://b.example/a/e/1", "de")
    assert first.content == text_of("x", "html", base="http://b.example/a/e/c/", language="fr")
    assert (second.base, second.link) == ("http://b.example/a/", "http://b.example/a/2")
    assert second.title == text_of("zwei", base="http://b.example/a/", language="de")


def test_entries_are_plain_values() -> None:
    [entry] = rss("<title>x</title><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate>").entries
    assert isinstance(entry, ParsedEntry) and hash(entry) == hash(entry)


@given(
    base=some.sampled_from(["", "https://b.example/x/y?z", "http://[::1]/"]),
    head=some.sampled_from(["http://a.example/", "https://A.b/", "https://a-b.example/"]),
    rest=some.text(alphabet="ab/.:?&=;#%2-_~A@ é", max_size=25),
)
def test_an_address_that_is_whole_is_what_feedparser_makes_of_it(base: str, head: str, rest: str) -> None:
    if _WHOLE.match(head + rest):
        assert _urljoin(base, head + rest) == head + rest

"""What a document is, whatever it was served as; and the error that says what it is instead of a feed."""

import pytest

from feeds.errors import ParseError
from feeds.parse import parse, wall
from feeds.parse.kinds import format_of, read_prolog, recognise

URL = "http://feeds.example.org/index.xml"

NETSCAPE = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
FEEDS = {
    '<rss version="0.91"><channel/></rss>': "rss091u",
    NETSCAPE + '<rss version="0.91"><channel/></rss>': "rss091n",
    '<rss version="0.92"><channel/></rss>': "rss092",
    '<rss version="2.0"><channel/></rss>': "rss20",
    "<rss version='2.0.1'><channel/></rss>": "rss20",
    "<rss><channel/></rss>": "rss",
    RDF + 'xmlns="http://purl.org/rss/1.0/"><channel/></rdf:RDF>': "rss10",
    RDF + 'xmlns="http://my.netscape.com/rdf/simple/0.9/"/>': "rss090",
    '<feed xmlns="http://www.w3.org/2005/Atom"/>': "atom10",
    '<atom:feed xmlns:atom="http://www.w3.org/2005/Atom"/>': "atom10",
    '<feed version="0.3" xmlns="http://purl.org/atom/ns#"/>': "atom03",
    '<CHANNEL HREF="http://e.example/"><TITLE>T</TITLE></CHANNEL>': "cdf",
    '{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": []}': "json11",
    '{"version": "https://jsonfeed.org/version/1", "title": "T", "items": []}': "json10",
}


@pytest.mark.parametrize(("text", "kind"), FEEDS.items(), ids=FEEDS.values())
@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8", "application/octet-stream", "nonsense"])
def test_a_feed_is_known_by_what_it_holds(text: str, kind: str, content_type: str | None) -> None:
    feed = parse(text.encode(), url=URL, content_type=content_type)
    assert (feed.kind, feed.entries, feed.head_parsed) == (kind, (), True)


@pytest.mark.parametrize(("text", "kind"), list(FEEDS.items())[:12], ids=list(FEEDS.values())[:12])
def test_the_format_is_the_same_without_reading_the_feed(text: str, kind: str) -> None:
    prolog = read_prolog(text.encode())
    assert prolog is not None and format_of(prolog) == kind


RSS = '<rss version="2.0"><channel><title>T</title><item><title>one</title></item></channel></rss>'
FAULTS = {
    "white space before the declaration": ' \n\n<?xml version="1.0"?>' + RSS,
    "a warning of a script before it": "<br />\nWarning: something in line 3\n" + RSS,
    "text before it": "Notice: undefined index\n" + RSS,
    "comments and instructions": "<!-- <feed> --><?xml-stylesheet href='x'?><!---->" + RSS,
    "junk behind it": RSS + "<script src='x'></script>0",
    "a page behind it": RSS + "<html><body>x</body></html>",
    "bare ampersands": RSS.replace("one", "one & two &c").replace("&c", "&amp;c"),
    "control characters": RSS.replace("one", "o\x00n\x0be"),
    "entities of HTML": RSS.replace("one", "on&eacute;&nbsp;&rsquo;"),
    "broken off": RSS[:-20],
    "an element that never closes": RSS.replace("</title></item>", "</title><b></item>"),
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
def test_frequent_faults_are_forgiven(text: str) -> None:
    feed = parse(text.encode(), url=URL)
    assert (feed.title, len(feed.entries), feed.kind) == ("T", 1, "rss20")
    title = feed.entries[0].title
    assert title is not None and title.value.startswith("on")


def test_what_is_forgiven_reads_as_it_was_meant() -> None:
    def title(text: str) -> str:
        found = parse(text.encode(), url=URL).entries[0].title
        assert found is not None
        return found.value

    assert title(FAULTS["bare ampersands"]) == "one & two &c"
    assert title(FAULTS["entities of HTML"]) == "oné\u00a0’"
    assert title(RSS.replace("one", "AT&T R&D &bogus; <![CDATA[&nbsp;]]>")) == "AT&T R&D &bogus; &nbsp;"


NO_FEEDS = {
    "nothing": (b"", "empty document"),
    "white space": (b" \n\t", "empty document"),
    "a page": (
        b"<!DOCTYPE html><html><head><title>Front &amp; page</title></head></html>",
        "HTML page titled 'Front & page'",
    ),
    "a piece of a page": (b"<div><p>Sorry</p></div>", "HTML page"),
    "capitals": (b"<HTML><BODY>x</BODY></HTML>", "HTML page"),
    "a challenge": (
        b"<html><head><title>Just a moment...</title></head></html>",
        "challenge page titled 'Just a moment",
    ),
    "a captcha": (b"<html><body><form id='captcha-form'></form></body></html>", "challenge page"),
    "a sitemap": (b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>', "sitemap"),
    "an OPML list": (b'<opml version="2.0"><body/></opml>', "OPML"),
    "other XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "root element 'Error'"),
    "other JSON": (b'{"error": "not found"}', "JSON, but no JSON Feed: an object with 'error'"),
    "a list": (b"[1, 2]", "JSON, but no JSON Feed: a list"),
    "text": (b"Service unavailable", "neither XML nor JSON"),
    "bytes": (b"\x89PNG\r\n\x1a\n\x00\x00", "neither XML nor JSON"),
}


@pytest.mark.parametrize(("body", "cause"), NO_FEEDS.values(), ids=NO_FEEDS)
def test_what_is_no_feed_is_named_with_a_remedy(body: bytes, cause: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body, url=URL, content_type="application/rss+xml; charset=utf-8")
    assert cause in caught.value.cause
    assert caught.value.remedy


def test_sitemaps_and_pages_are_recognised_for_others() -> None:
    assert recognise(b"<?xml version='1.0'?><sitemapindex/>").kind == "sitemap"
    assert recognise(b"<!-- x --><html/>").kind == "html"


def test_a_page_in_the_place_of_a_feed_is_refused_with_the_feed_that_it_names() -> None:
    head = '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">'
    head += '<link rel="alternate" type="application/atom+xml" href="/news.atom?key=1">'
    page = f"<html><head><title>Coast</title>{head}</head><body>x</body></html>"
    with pytest.raises(ParseError) as caught:
        parse(page.encode(), url="https://coast.example/", content_type="text/html")
    assert caught.value.remedy.startswith("the page names its feed: write `url: https://coast.example/news.atom")
    with pytest.raises(ParseError) as caught:
        parse(b"<html><body>x</body></html>", url="https://coast.example/", content_type="text/html")
    assert "wiredesk discover" in caught.value.remedy


# --------------------------------------------------------------- what stands in an article's place

ARTICLE = "The miller says that the wheel of the mill turns again after the flood of last spring took it. " * 20


@pytest.mark.parametrize(
    ("title", "text", "found"),
    [
        ("The mill", ARTICLE, ""),
        ("The mill", f"{ARTICLE} We use cookies and you may accept all cookies in the footer.", ""),
        ("Why pages are not found", ARTICLE, ""),
        ("The mill", f"{ARTICLE} Subscribe to continue reading.", "paywall"),
        ("The mill", f"{ARTICLE} Already a subscriber? Sign in.", "paywall"),
        ("Die Mühle", f"{ARTICLE} Bereits Abonnent? Hier anmelden", "paywall"),
        ("Le moulin", f"{ARTICLE} Il vous reste 72 % de cet article à lire. La suite est réservée.", "paywall"),
        ("The mill", f"Subscribe to continue reading offers fill the web. {ARTICLE}", ""),
        ("Mill News", "We value your privacy. We and our partners store information on a device.", "consent"),
        ("Mühle", "Wir verwenden Cookies, um Inhalte zu zeigen.", "consent"),
        ("404 Not Found", "nginx", "error"),
        ("Mill News", "The page you are looking for could not be found.", "error"),
        ("Just a moment...", "Enable JavaScript and cookies to continue", "robots"),
        ("Mill News", "Please verify you are human by completing the action below.", "robots"),
    ],
)
def test_a_wall_is_known_by_title_and_text(title: str, text: str, found: str) -> None:
    said = wall(b"<html></html>", title=title, text=text)
    assert found in said and bool(found) == bool(said)


@pytest.mark.parametrize(
    ("body", "free"),
    [
        (b'{"@type": "NewsArticle", "isAccessibleForFree": false}', False),
        (b'{"isAccessibleForFree":"False"}', False),
        (b"{'isAccessibleForFree' : 'http://schema.org/False'}", False),
        (b'<meta property="article:content_tier" content="locked">', False),
        (b'{"isAccessibleForFree": true}', True),
        (b'<meta property="article:content_tier" content="free">', True),
    ],
)
def test_a_wall_is_known_by_what_its_page_states(body: bytes, free: bool) -> None:
    assert (wall(body, title="The mill", text=ARTICLE) == "") is free

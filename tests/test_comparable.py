"""Addresses: what counts as one article's, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.comparable import comparable_url
from feeds.errors import UrlError
from tests.development import json_rows

SAME = [
    ("scheme and www", "http://example.org/a", "https://www.example.org/a"),
    ("host in capitals, last dot", "http://Example.ORG./a", "http://example.org/a"),
    ("port of the scheme", "https://example.org:443/a", "http://example.org:80/a"),
    ("user and password", "https://me:pw@example.org/a", "https://example.org/a"),
    ("fragment", "https://example.org/a#comments", "https://example.org/a"),
    ("a campaign behind the #", "https://example.org/a#xtor=RSS-3", "https://example.org/a"),
    ("a heading", "https://example.org/a#section-2", "https://example.org/a#page-2"),
    ("a revision", "https://example.org/a#0", "https://example.org/a#1"),
    ("last slash", "https://example.org/a/", "https://example.org/a"),
    ("dot segments", "https://example.org/x/../a/./b", "https://example.org/a/b"),
    ("doubled slashes", "https://example.org//a//b", "https://example.org/a/b"),
    ("needless escapes", "https://example.org/%61-%7Eb", "https://example.org/a-~b"),
    ("case of escapes", "https://example.org/caf%c3%a9", "https://example.org/café"),
    ("two spellings of é", "https://example.org/cafe\u0301", "https://example.org/café"),
    ("index file", "https://example.org/a/index.html", "https://example.org/a/"),
    ("order of parameters", "https://example.org/a?y=2&x=1", "https://example.org/a?x=1&y=2"),
    ("escaped ampersand", "https://example.org/a?x=1&amp;y=2", "https://example.org/a?x=1&y=2"),
    ("plus for a blank", "https://example.org/a?q=x+y", "https://example.org/a?q=x%20y"),
    ("utm", "https://example.org/a?utm_source=rss&id=3", "https://example.org/a?id=3"),
    ("click ids", "https://example.org/a?fbclid=IwAR0&gclid=1", "https://example.org/a"),
    ("a word where the reader came from", "https://example.org/a?ref=rss", "https://example.org/a"),
    ("a host's own names", "https://www.nytimes.com/2024/a.html?smid=tw&hp", "https://nytimes.com/2024/a.html"),
    ("session in the path", "https://example.org/a;jsessionid=0F3A?id=1", "https://example.org/a?id=1"),
    ("mobile host", "https://m.example.org/a", "https://www.example.org/a"),
    ("mobile label inside", "https://en.m.wikipedia.org/wiki/Tide", "https://en.wikipedia.org/wiki/Tide"),
    ("AMP host", "https://amp.example.org/a", "https://example.org/a"),
    ("AMP at the end", "https://example.org/a/amp/", "https://example.org/a"),
    ("AMP parameter", "https://example.org/a?amp=1&outputType=amp", "https://example.org/a"),
    ("AMP suffix", "https://example.org/a.amp.html", "https://example.org/a.html"),
    ("AMP cache", "https://example-org.cdn.ampproject.org/c/s/example.org/a", "https://example.org/a"),
    ("Google's AMP viewer", "https://www.google.com/amp/s/example.org/a", "https://example.org/a"),
    ("print view", "https://example.org/a/print", "https://example.org/a?print=1"),
    ("all on one page", "https://example.org/a?pagewanted=all", "https://example.org/a"),
    ("Google's redirector", "https://www.google.com/url?q=https://example.org/a%3Fid%3D1&sa=U",
     "https://example.org/a?id=1"),
    ("Google News", "http://news.google.com/news/url?sa=t&url=http://example.org/a", "http://example.org/a"),
    ("Bing News", "http://www.bing.com/news/apiclick.aspx?ref=F&url=https%3a%2f%2fexample.org%2fa",
     "https://example.org/a"),
    ("Facebook", "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2Fa&h=AT0", "https://example.org/a"),
    ("Yahoo's path", "https://r.search.yahoo.com/_ylt=A/RU=https%3a%2f%2fexample.org%2fa/RK=2/RS=x",
     "https://example.org/a"),
    ("web archive", "https://web.archive.org/web/20240101000000/https://example.org/a", "https://example.org/a"),
    ("a redirector in a redirector",
     "https://exit.sc/?url=https%3A%2F%2Fvk.com%2F%3Fto%3Dhttps%253A%252F%252Fa.example%252Fb",
     "https://a.example/b"),
    ("a redirect path of any host", "https://click.example.net/out?url=https://example.org/a", "https://example.org/a"),
    ("IDN", "https://xn--bcher-kva.example/a", "https://BÜCHER.example/a"),
    ("renamed host", "https://edition.cnn.com/2024/a", "https://www.cnn.com/2024/a"),
    ("short address of a video", "https://youtu.be/dQw4", "https://www.youtube.com/watch?v=dQw4&feature=share"),
    ("case where the server does not look", "https://example.org/News.ASPX?ID=4", "https://example.org/news.aspx?id=4"),
    ("print and mobile folders", "https://example.org/print/news/tide-is-high-101",
     "https://example.org/mobile/news/tide-is-high-101"),
    ("reader's way to a comment", "https://example.org/a?replytocom=55", "https://example.org/a"),
    ("bare print page", "https://example.org/a?tmpl=component&print=1", "https://example.org/a"),
    ("a known way on a page of no telling name", "https://example.org/a?source=twitter", "https://example.org/a"),
    ("any word on an article's page", "https://example.org/2031/tide?from=sidebar7&module=best",
     "https://example.org/2031/tide"),
    ("Pinterest", "https://www.pinterest.com/offsite/?url=https%3A%2F%2Fexample.org%2Fa", "https://example.org/a"),
    ("a session under any name", "https://example.org/tide-tables-for-all.html?shopsess=9f86d081884c7d659a2feaa0c55ad015",
     "https://example.org/tide-tables-for-all.html"),
    ("a ticket beside an id", "https://example.org/a.php?id=7&sid=mBx7Kq2LrT9vWz4NpY3c", "https://example.org/a.php?id=7"),
    ("a drawn value on an article's page", "https://example.org/2031/harbour-council-votes?qq=6fa459ea-ee8a-3ca4-894e-db77e160355e",
     "https://example.org/2031/harbour-council-votes"),
    ("a cache buster of the clock", "https://example.org/harbour-council-votes/?_=1772359200123&cb=1772359200",
     "https://example.org/harbour-council-votes"),
    ("a cache buster without a name", "https://example.org/harbour-council-votes?1772359200123",
     "https://example.org/harbour-council-votes"),
    ("a random fraction", "https://example.org/harbour-council-votes?rnd=0.7263548891",
     "https://example.org/harbour-council-votes?rnd=0.1182736455"),
    ("a signed ticket", "https://example.org/harbour-council-votes?zz=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.dBjftJeZ4CVP",
     "https://example.org/harbour-council-votes"),
    ("line break inside", "https://example.org/long\n-path", " https://example.org/long-path "),
]  # fmt: skip

DIFFERENT = [
    ("another id", "https://example.org/a?id=1", "https://example.org/a?id=2"),
    ("an id in a name that is often tracking", "https://example.org/a?ref=101", "https://example.org/a?ref=102"),
    ("second page", "https://example.org/a?page=2", "https://example.org/a"),
    ("case of the path", "https://example.org/aB3", "https://example.org/ab3"),
    ("another port", "https://example.org:8080/a", "https://example.org/a"),
    ("an escaped slash is none", "https://example.org/a%2Fb", "https://example.org/a/b"),
    ("an escaped question mark is none", "https://example.org/a%3Fid=1", "https://example.org/a?id=1"),
    ("an escaped plus is no blank", "https://example.org/a?q=c%2B%2B", "https://example.org/a?q=c++"),
    ("another subdomain", "https://blog.example.org/a", "https://example.org/a"),
    ("m as a whole name", "https://m.org/a", "https://org/a"),
    ("a word that ends in amp", "https://example.org/guitar-amp", "https://example.org/guitar"),
    ("the page of a script", "https://example.org/#!/a", "https://example.org/#!/b"),
    ("the page of a newer script", "https://example.org/app#/a/1", "https://example.org/app#/a/2"),
    ("a comment", "https://example.org/a#comment-55", "https://example.org/a"),
    ("posts of a live page", "https://example.org/live/a#post-1", "https://example.org/live/a#post-2"),
    ("blocks of a live page", "https://example.org/live/a#block-6f3a2b", "https://example.org/live/a#block-7f3a2b"),
    ("entries of a live page", "https://example.org/a#liveblog-entry-1", "https://example.org/a#liveblog-entry-2"),
    ("a search for an address", "https://example.org/search?url=https://a.example/1", "https://a.example/1"),
    ("two targets", "https://www.google.com/url?q=https://a.example/1",
     "https://www.google.com/url?q=https://a.example/2"),
    ("an address searched for", "https://www.google.com/search?q=https://a.example/1", "https://a.example/1"),
    ("parts of a front page", "https://example.org/?module=news", "https://example.org/?module=blog"),
    ("where from, and it matters", "https://example.org/trains?from=berlin", "https://example.org/trains?from=paris"),
    ("a list by agency", "https://example.org/list?source=reuters", "https://example.org/list?source=ap"),
    ("tracks of a record", "https://example.org/play?track=intro", "https://example.org/play?track=finale"),
    ("a feed's name", "https://example.org/show?feed=world", "https://example.org/show?feed=sport"),
    ("editions", "https://example.org/story?edition=us", "https://example.org/story?edition=uk"),
    ("languages by host", "https://en.example.org/a", "https://de.example.org/a"),
    ("languages by folder", "https://example.org/en/a", "https://example.org/fr/a"),
    ("languages by parameter", "https://example.org/a?hl=en", "https://example.org/a?hl=fr"),
    ("pages by folder", "https://example.org/a/page/2/", "https://example.org/a/"),
    ("pages by offset", "https://example.org/a?start=10", "https://example.org/a?start=20"),
    ("a mobile section", "https://example.org/mobile/", "https://example.org/"),
    ("episodes by UUID", "https://example.org/the-harbour-podcast-hour?episode=6fa459ea-ee8a-3ca4-894e-db77e160355e",
     "https://example.org/the-harbour-podcast-hour?episode=7fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ("stories by hash", "https://example.org/read?token=9f86d081884c7d659a2feaa0c55ad015",
     "https://example.org/read?token=8f86d081884c7d659a2feaa0c55ad015"),
    ("a script for all", "https://example.org/read-full-story.php?x1=9f86d081884c7d659a2feaa0c55ad015",
     "https://example.org/read-full-story.php?x1=8f86d081884c7d659a2feaa0c55ad015"),
    ("an id beside a session", "https://example.org/a.php?id=7&sess=9f86d081884c7d659a2feaa0c55ad015",
     "https://example.org/a.php?id=8&sess=9f86d081884c7d659a2feaa0c55ad015"),
    ("days of a series", "https://example.org/jazz-nights-at-the-pier?day=1772359200",
     "https://example.org/jazz-nights-at-the-pier?day=1772445600"),
    ("numbers as long as a time", "https://example.org/harbour-council-votes?nr=1772359200",
     "https://example.org/harbour-council-votes?nr=1772359201"),
    ("words written together", "https://example.org/harbour-council-votes?part=HarbourCouncilVotes2026Again",
     "https://example.org/harbour-council-votes?part=HarbourCouncilVotes2025Again"),
    ("two videos", "https://youtu.be/aaa", "https://youtu.be/bbb"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_two_forms_of_one_address_compare_equal(one, other):
    assert comparable_url(one) == comparable_url(other)


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT])
def test_addresses_of_two_articles_do_not_compare_equal(one, other):
    assert comparable_url(one) != comparable_url(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "news/1",
        "ftp://example.org/a",
        "mailto:a@example.org",
        "javascript:alert(1)",
        "http://",
        "http://[::1",
        "http://a b/",
    ],
)
def test_what_is_no_http_address_is_refused(text):
    with pytest.raises(UrlError):
        comparable_url(text)


def test_an_error_does_not_tell_the_password():
    with pytest.raises(UrlError) as caught:
        comparable_url("ftp://me:hunter2@example.org/")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caught.value.url


@given(st.text(max_size=60))
def test_any_text_gives_a_key_or_a_url_error_and_never_another(text):
    for url in (text, f"http://example.org/{text}", f"https://{text}.example/a?{text}"):
        try:
            key = comparable_url(url)
        except UrlError:
            continue
        assert key and "@" not in key.split("/")[0]


@given(st.text(max_size=40), st.text(max_size=20))
def test_a_key_compared_again_stays_itself(path, query):
    key = comparable_url(f"https://example.org/x{path}?id={query}")
    if "#" not in key:
        assert comparable_url(f"https://{key}") == key


@pytest.mark.shared_data
def test_labelled_pairs_reach_the_goals(shared_data):
    rows = json_rows(shared_data / "neardup/url_pairs.jsonl.gz")
    judged = [(row["same"], comparable_url(row["a"]) == comparable_url(row["b"])) for row in rows]
    assert sum(found and not same for same, found in judged) == 0
    assert sum(found and same for same, found in judged) >= 0.95 * sum(same for same, _ in judged)

"""The finished answers in memory, and the view behind them, which must say the same."""

from __future__ import annotations

import itertools
import random
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.errors import StoreError
from feeds.serve import admission
from feeds.serve.app import answers_of, create_app
from feeds.serve.representations import codings_in_order
from tests.serve.conftest import application, make_article, make_document
from tests.serve.wsgi import ask, ask_view

PATH = "/news/world.atom"


def etag_of(reader, coding: str = "") -> str:
    return f'"{reader.document("news/world", "atom").etag}{coding}"'


def kinds_of_request(reader):
    """Every kind of request for one document: methods, conditions, codings, queries, addresses."""
    current, gz, br = (etag_of(reader, suffix) for suffix in ("", ".gz", ".br"))
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]
    none_match = [None, current, gz, br, f"W/{gz}", f"w/{gz}", "*", ' * ', f'"other", {br}', f'{current},{gz}',
                  '"other"', "garbage", "", current.strip('"'), f"{current} {gz}", f'"a,b", W/"c" ,{br}', '*, "x"',
                  f"x{current}", f'"3-{"0" * 16}"', '"', '",'+current]  # fmt: skip
    since = [None, "Mon, 23 Nov 2026 12:00:00 GMT", "Monday, 23-Nov-26 12:00:00 GMT", "Mon Nov 23 12:00:00 2026",
             "Mon, 23 Nov 2026 11:59:59 GMT", "Fri, 01 Jan 2038 00:00:00 GMT", "yesterday", ""]  # fmt: skip
    codings = [None, "", "gzip", "br", "gzip, br", "GZIP;q=0.3, Br;q=0.9", "gzip;q=0", "*", "*;q=0", "identity;q=0",
               "identity, gzip;q=0.5", "x-gzip", "gzipped", "deflate, zstd", "gzip;q=oops", ";;,,", "br;q=0, *;q=0.1",
               "gzip; q=1.0, br; Q=0.2"]  # fmt: skip
    queries = ["", "utm_source=x", "a=b&c", "limit", "x=%zz", "%", "&&==", "v=1;limit=2"]
    preconditions = [{}, {"if_match": current}, {"if_match": "*"}, {"if_match": '"other"'}, {"if_match": f"W/{gz}"},
                     {"if_unmodified_since": "Mon, 23 Nov 2026 12:00:00 GMT"},
                     {"if_unmodified_since": "Sun, 22 Nov 2026 12:00:00 GMT"}, {"range": "bytes=0-9"},
                     {"accept": "text/html"}, {"accept": "image/png"}, {"sec_fetch_dest": "empty"},
                     {"accept": "text/html", "sec_fetch_dest": "document"}, {"sec_fetch_dest": "document"},
                     {"x_forwarded_host": "evil.example"}, {"a_im": "feed"}, {"a_im": "feed;q=0, gzip"}]  # fmt: skip

    def request(method="GET", named=None, dated=None, coding=None, query="", more=None):
        headers = {"if_none_match": named, "if_modified_since": dated, "accept_encoding": coding, **(more or {})}
        return {"method": method, "query": query, **{name: v for name, v in headers.items() if v is not None}}

    for method, coding in itertools.product(methods, codings):
        yield request(method, coding=coding)
    for method, named, dated in itertools.product(["GET", "HEAD"], none_match, since):
        yield request(method, named, dated)
    for named, coding in itertools.product(none_match, codings):
        yield request("GET", named, coding=coding)
    for query, named in itertools.product(queries, none_match[:4]):
        yield request("GET", named, query=query)
    for more, named, dated in itertools.product(preconditions, none_match[:4], since[:3]):
        yield request("GET", named, dated, "gzip", more=more)
    draw = random.Random(5)
    for _ in range(600):
        yield request(draw.choice(methods[:2]), draw.choice(none_match), draw.choice(since), draw.choice(codings),
                      draw.choice(queries), draw.choice(preconditions))  # fmt: skip


@pytest.mark.parametrize("coded", [True, False], ids=["with coded variants", "identity alone"])
def test_every_kind_of_request_gets_the_same_answer_from_memory_and_from_the_view(reader, desk, coded):
    if not coded:
        reader.put(make_document("news/world", "atom", b"<short/>", 8, coded=False))
    statuses = set()
    for asked in kinds_of_request(reader):
        fast, slow = ask(desk, PATH, **asked), ask_view(desk, PATH, **asked)
        assert fast == slow, asked
        statuses.add(fast.status)
    assert statuses == {200, 304, 405, 412} | ({226} if coded else set())


def test_odd_addresses_get_the_same_answer_from_memory_and_from_the_view(desk):
    for path in ("/news/world.atom", "/news/world.atom/", "/News/World.Atom", "//news//world.atom", "/news/world.xml",
                 "/news/%2e%2e/world.atom", "/../etc/passwd", "/news/world.atom\x00", "/index.rss", "/.rss", "/index",
                 "/intl.json", "/news/world", "/n\xc3\xa9ws.rss", "/\xff\xfe.rss",
                 "/static/../app.py", "*", ""):  # fmt: skip
        assert ask(desk, path) == ask_view(desk, path), path


LATIN = st.text(st.characters(codec="latin-1"), max_size=30)
ADDRESSES = st.lists(
    st.sampled_from(
        ["/", "//", "news", "World", "world", "index", ".rss", ".atom", "article", "..", "intl", "%2e", "\x00"]
    )
    | LATIN,
    max_size=7,
).map(lambda parts: "/" + "".join(parts))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=ADDRESSES,
    query=LATIN,
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    headers=st.dictionaries(
        st.sampled_from(["accept", "accept_encoding", "a_im", "if_none_match", "if_modified_since", "if_match", "range",
                         "if_unmodified_since", "host", "x_forwarded_for", "referer", "cookie",
                         "sec_fetch_dest"]),
        LATIN,
        max_size=4,
    ),
)  # fmt: skip
def test_nothing_that_can_be_asked_breaks_anything(desk, path, query, method, headers):
    fast = ask(desk, path, query=query, method=method, **headers)
    assert fast.status in (200, 301, 304, 400, 404, 405, 412)
    assert all(value.isascii() and value.isprintable() for value in fast.headers.values())
    if fast.status != 400:  # refused before either looks
        assert fast == ask_view(desk, path, query=query, method=method, **headers)


def test_a_document_is_answered_from_memory_without_asking_the_store_for_it(reader, desk):
    ask(desk, PATH)
    reader.asked.clear()

    got = ask(desk, PATH, accept_encoding="gzip")

    assert (got.status, got.headers["content-encoding"]) == (200, "gzip")
    assert set(reader.asked) == {"moved"}


def test_a_publication_is_seen_at_the_next_look_and_only_what_changed_is_taken_over(reader, desk):
    before = ask(desk, PATH)
    other = answers_of(desk).snapshot.finished["/news.rss"]
    reader.publish("news/world", [make_article(9), *(make_article(number) for number in range(1, 7))], sequence=8)

    after = ask(desk, PATH, if_none_match=before.headers["etag"])

    assert after.status == 200 and b"Tide &amp; time 9" in after.body
    assert answers_of(desk).snapshot.finished["/news.rss"] is other


def test_looks_are_spaced_however_many_ask(reader):
    clock = [100.0]
    desk = application(reader)
    answers_of(desk)._clock, answers_of(desk)._look_every_s = (lambda: clock[0]), 0.05
    for _ in range(50):
        ask(desk, PATH)
    assert reader.asked.count("moved") == 1
    clock[0] += 0.051
    ask(desk, PATH)
    assert reader.asked.count("moved") == 2


def test_after_a_quiet_time_nobody_is_answered_from_before_it(reader):
    clock = [100.0]
    desk = application(reader)
    answers_of(desk)._clock = lambda: clock[0]
    old = ask(desk, PATH).headers["etag"]
    looks, goes_on = threading.Event(), threading.Event()
    moved = reader.moved

    def slowly():
        looks.set()
        goes_on.wait(5)
        return moved()

    reader.moved = slowly
    reader.publish("news/world", [make_article(9)], 99)
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(ask(desk, PATH).headers["etag"])) for _ in range(3)]
    clock[0] += 60
    threads[0].start()
    looks.wait(5)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.1)
    assert got == []
    goes_on.set()
    for thread in threads:
        thread.join()
    assert len(got) == 3 and old not in got


def test_a_dropped_document_is_gone_from_memory(reader, desk):
    assert ask(desk, PATH).status == 200
    reader.drop("news/world")
    reader.accepted = type(reader.accepted)(
        settings=reader.accepted.settings, sections=reader.accepted.sections[:2], version=2
    )
    assert ask(desk, PATH).status == 410


def test_new_settings_change_the_headers_of_every_document(reader, desk):
    assert "max-age=300" in ask(desk, PATH).headers["cache-control"]
    reader.accept(publish=type(reader.accepted.settings.publish)(max_age_s=17))
    assert "max-age=17" in ask(desk, PATH).headers["cache-control"]


def test_when_the_store_is_away_the_last_good_answers_stay_and_the_rest_says_503(reader, desk):
    first = ask(desk, PATH)
    reader.fails = StoreError("disk I/O error")

    assert ask(desk, PATH) == first
    away = ask(desk, "/news/world")
    assert (away.status, "retry-after" in away.headers) == (503, True)
    assert b"disk" not in away.body
    reader.fails = None
    reader.publish("news/world", [make_article(9)], sequence=9)
    assert ask(desk, PATH).headers["etag"] != first.headers["etag"]


def test_a_change_is_not_lost_when_loading_it_failed(reader, desk):
    first = ask(desk, PATH)
    reader.publish("news/world", [make_article(9)], sequence=9)
    loading, reader.changes = reader.changes, lambda after: (_ for _ in ()).throw(StoreError("locked"))
    assert ask(desk, PATH) == first
    reader.changes = loading
    assert ask(desk, PATH).headers["etag"] != first.headers["etag"]


def test_bodies_beyond_the_memory_allowed_are_left_to_the_view_and_their_304_is_not(reader):
    one = len(reader.document("news", "atom").body) * 2
    desk = create_app(reader=reader)
    answers_of(desk)._look_every_s, answers_of(desk)._max_bodies_bytes = 0.0, one * 4
    tags = {}
    for path in ("/index.rss", "/news.atom", "/news/world.json", "/index.rss", "/news/world.rss", "/news.atom"):
        got = ask(desk, path)
        assert (got.status, got.headers["content-length"]) == (200, str(len(got.body)))
        assert sum(answers_of(desk).snapshot.bodies.values()) <= one * 4
        tags[path] = got.headers["etag"]
    assert 0 < len(answers_of(desk).snapshot.bodies) < 9
    reader.asked.clear()
    assert {ask(desk, path, if_none_match=tag).status for path, tag in tags.items()} == {304}
    assert set(reader.asked) == {"moved"}
    reader.asked.clear()
    assert ask(desk, "/news.atom").status == 200  # asked for last, so still in memory
    assert set(reader.asked) == {"moved"}


def test_what_is_remembered_of_clients_is_bounded(desk):
    for number in range(600):
        ask(desk, PATH, accept_encoding=f"gzip, x{number}", host=f"host{number}.example")
    assert codings_in_order.cache_info().currsize <= 256
    assert len(admission._GOOD_HOSTS) <= 256


def test_threads_see_one_publication_or_the_other_and_never_a_mixture(reader, desk):
    ends, wrong = threading.Event(), []

    def read() -> None:
        while not ends.is_set():
            got = ask(desk, PATH)
            if got.status != 200 or got.headers["content-length"] != str(len(got.body)):
                wrong.append(got)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for sequence in range(8, 40):
        reader.publish("news/world", [make_article(number) for number in range(1, sequence % 9 + 2)], sequence)
    ends.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_prefix_in_base_url_is_taken_off_or_was_taken_off_already(make_reader):
    desk = application(make_reader(base_url="https://example.org/wire"))
    whole, stripped = ask(desk, "/wire/news/world.rss"), ask(desk, "/news/world.rss")
    assert whole == stripped and whole.status == 200
    page = ask(desk, "/wire/news/world")
    assert page.status == 200 and 'href="/wire/news"' in page.text
    assert ask(desk, "/wire").status == 200
    assert ask(desk, "/wire/News/World/").headers["location"] == "https://example.org/wire/news/world"
    assert ask(desk, "/wireless").status == 404

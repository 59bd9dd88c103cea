"""Cookies between the hops of one fetch go where RFC 6265 lets them, and nowhere else."""

import pytest

from feeds.fetch.headers import Cookies
from feeds.fetch.target import parse_target


@pytest.mark.parametrize(
    ("set_by", "field", "asked", "sent"),
    [
        ("http://www.a.example/x/check", "n=1", "http://www.a.example/x/feed", "n=1"),
        ("http://www.a.example/x/check", "n=1", "http://www.a.example/feed", ""),
        ("http://www.a.example/x/check", "n=1; Path=/", "https://www.a.example/feed", "n=1"),
        ("http://www.a.example/", "n=1; path=/x", "http://www.a.example/x/y?q", "n=1"),
        ("http://www.a.example/", "n=1; path=/x", "http://www.a.example/xy", ""),
        ("http://www.a.example/", "n=1", "http://a.example/", ""),
        ("http://www.a.example/", "n=1", "http://news.www.a.example/", ""),
        ("http://www.a.example/", "n=1; Domain=.A.Example", "http://news.a.example/", "n=1"),
        ("http://www.a.example/", "n=1; Domain=b.example", "http://b.example/", ""),
        ("http://www.a.example/", "n=1; Domain=aa.example", "http://www.a.example/", ""),
        ("http://www.a.co.uk/", "n=1; Domain=co.uk", "http://b.co.uk/", ""),
        ("http://10.0.0.1/", "n=1; Domain=0.0.1", "http://10.0.0.1/", ""),
        ("https://a.example/", "n=1; Secure", "http://a.example/", ""),
        ("https://a.example/", "n=1; Secure", "https://a.example/", "n=1"),
        ("http://a.example/", "n=1; Secure", "https://a.example/", ""),
        ("http://a.example/", "n=1; Max-Age=0", "http://a.example/", ""),
        ("http://a.example/", "n=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "http://a.example/", ""),
        ("http://a.example/", "n=a=b; Max-Age=60", "http://a.example/", "n=a=b"),
        ("http://a.example/", "nothing", "http://a.example/", ""),
        ("http://a.example/", "n=1\r\nX: y", "http://a.example/", ""),
        ("http://a.example/", "n=" + "x" * 5000, "http://a.example/", ""),
    ],
)
def test_a_cookie_goes_where_it_belongs(set_by: str, field: str, asked: str, sent: str) -> None:
    cookies = Cookies()
    cookies.take([field], parse_target(set_by))
    assert cookies.header(parse_target(asked)) == sent


def test_a_cookie_is_taken_back_and_replaced() -> None:
    cookies, target = Cookies(), parse_target("http://a.example/")
    cookies.take(["n=1", "m=1"], target)
    cookies.take(["n=; Max-Age=-1", "m=2"], target)
    assert cookies.header(target) == "m=2"
    cookies.take([f"k{number}=1" for number in range(200)], target)
    assert cookies.header(target).count("=") == 50

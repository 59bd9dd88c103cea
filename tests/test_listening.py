"""Where the desk listens: a loopback address follows the port, and one that can't be right is told."""

import pytest

from feeds.listening import followed, misleading


@pytest.mark.parametrize(
    ("base_url", "port", "followed_to"),
    [
        ("http://127.0.0.1:8080", "8090", "http://127.0.0.1:8090"),
        ("http://[::1]:8080", "8090", "http://[::1]:8090"),
        ("http://localhost", "8090", "http://localhost:8090"),
        ("http://localhost:8080", "80", "http://localhost"),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:9000/wire", "8090", "http://127.0.0.1:9000/wire"),
        ("https://localhost:8443", "8090", "https://localhost:8443"),
        ("http://wire.example.org:8080", "8090", "http://wire.example.org:8080"),
    ],
)
def test_a_loopback_address_follows_the_port(base_url, port, followed_to):
    assert followed(base_url, port) == followed_to


@pytest.mark.parametrize(
    ("base_url", "bind", "told"),
    [
        ("http://127.0.0.1:8090", "127.0.0.1", None),
        ("http://127.0.0.1:8080", "127.0.0.1", "listens on port 8090"),
        ("http://127.0.0.1:9000/wire", "127.0.0.1", None),
        ("http://127.0.0.1:8090", "0.0.0.0", "leads nowhere from other machines"),
        ("http://127.0.0.1:8080", "", None),
        ("https://wire.example.org", "127.0.0.1", None),
        ("https://wire.example.org", "0.0.0.0", None),
        ("http://desk.lan:8090", "192.168.1.5", None),
        ("http://desk.lan:8090", "9.9.9.9", "known only inside"),
        ("http://desk:8090", "9.9.9.9", "known only inside"),
        ("http://10.0.0.5:8090", "2606:4700::1", "known only inside"),
        ("http://[2606:4700::1]:8090", "2606:4700::1", None),
    ],
)
def test_an_address_that_cannot_be_right_is_told(base_url, bind, told):
    wrong = misleading(base_url, bind, "8090")
    assert (wrong is None) if told is None else (wrong is not None and told in wrong[0])


def test_http_behind_tls_is_told():
    assert misleading("https://wire.example.org", "127.0.0.1", "8090", behind_tls=True) is None
    wrong = misleading("http://wire.example.org", "127.0.0.1", "8090", behind_tls=True)
    assert wrong is not None and "come by https" in wrong[0]

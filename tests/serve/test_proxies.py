"""Who is asking is believed from proxies that config trusts, and from nobody else."""

import pytest

from feeds.serve.proxies import client_address

TRUSTED = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("10.1.1.1", "1.2.3.4", "1.2.3.4"),
        ("10.1.1.1", "9.9.9.9, 1.2.3.4, 192.0.2.1", "1.2.3.4"),
        ("10.1.1.1", "10.2.2.2", "10.2.2.2"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "unknown", "10.1.1.1"),
        ("10.1.1.1", "1.2.3.4, <script>", "10.1.1.1"),
        ("::ffff:10.1.1.1", "1.2.3.4", "1.2.3.4"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "1.2.3.4", ""),
        ("10.1.1.1", ",".join(["10.0.0.1"] * 5000), "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_no_trusted_proxy_is(peer, told, client):
    assert client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}, TRUSTED) == client


def test_without_trusted_proxies_the_peer_is_the_client():
    assert client_address({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}, []) == "127.0.0.1"

"""The environment variables that the desk knows. Pure."""

from __future__ import annotations

OVERRIDES: dict[str, tuple[str, ...]] = {
    "WIREDESK_TITLE": ("title",),
    "WIREDESK_BASE_URL": ("base_url",),
    "WIREDESK_CONTACT": ("contact",),
    "WIREDESK_LANGUAGE": ("language",),
    "WIREDESK_TIMEZONE": ("timezone",),
    "WIREDESK_TRUSTED_PROXIES": ("trusted_proxies",),
    "WIREDESK_ALLOW_PRIVATE": ("fetch", "allow_private"),
    "WIREDESK_PROXY": ("fetch", "proxy"),
    "WIREDESK_FULL_TEXT": ("publish", "full_text"),
}
"""Environment variables that go before `wiredesk.yaml`; lists are separated by commas or spaces."""

OTHER_VARIABLES = frozenset(
    f"WIREDESK_{name}" for name in ("CONFIG", "DATA", "DATABASE", "ADMIN_TOKEN", "LOG", "HOST", "PORT", "SHARED_DATA")
)
"""Variables that entrances read; here only so that they are not taken for slips of the pen."""

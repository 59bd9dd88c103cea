"""Secrets come from the environment, reach the origin alone, and stand nowhere else."""

import pytest

from feeds.configuration import Source
from feeds.errors import ConfigError
from feeds.settings import ConfigErrors, config_from_json, config_to_json, masked_headers, resolve_secrets
from feeds.settings.config import resolve_notify
from tests.settings.conftest import Folder

SECRET = "geheim-4711/@"
SOURCES = (
    "- name: A\n  url: https://desk:${PASSWORD}@a.example/feed\n  section: news/world\n"
    "  headers: {Authorization: 'Bearer ${TOKEN}', X-Price: '$$5'}\n"
)


def test_a_secret_is_put_in_for_fetching_alone(folder: Folder):
    folder.write("sources.yaml", SOURCES)
    folder.environ = {"PASSWORD": SECRET, "TOKEN": SECRET}
    config = folder.load()
    source = resolve_secrets(config.sources[0], folder.environ)
    assert source.headers == (("Authorization", f"Bearer {SECRET}"), ("X-Price", "$5"))
    assert source.target == "https://desk:geheim-4711%2F%40@a.example/feed"
    for shown in (config_to_json(config), repr(config), repr(masked_headers(source)), str(config.warnings)):
        assert SECRET not in shown
        assert "4711" not in shown
    assert masked_headers(source) == (("Authorization", "***"), ("X-Price", "***"))


def test_an_address_without_secrets_is_asked_exactly_as_written():
    source = Source(key="a", name="a", kind="feed", target="https://a.example/$$x?y=%24{z")
    assert resolve_secrets(source, {}).target == source.target


@pytest.mark.parametrize("value", [None, ""])
def test_a_secret_that_the_environment_lacks_is_named(folder: Folder, value: str | None):
    folder.write("sources.yaml", SOURCES)
    folder.environ = {"PASSWORD": "x"} | ({} if value is None else {"TOKEN": value})
    (line,) = folder.errors()
    assert "Authorization: no environment variable TOKEN; " in line


def test_resolving_without_the_variable_is_an_error_that_names_it(folder: Folder):
    source = Source(key="a", name="A", kind="feed", target="https://a.example/", headers=(("X", "${TOKEN}"),), line=3)
    with pytest.raises(ConfigError, match=r"sources\.yaml:3:0: source 'A' needs the environment variable TOKEN; "):
        resolve_secrets(source, {})


SPOILED = [
    # (sources.yaml, what the environment holds): each with the secret at a place where something is wrong.
    ("- name: A\n  url: https://a.example/\n  headers: {X: '${TOKEN}'}\n", {"TOKEN": f"{SECRET}\nY: z"}),
    (f"- name: A\n  url: ftp://me:{SECRET}@a.example/\n", {}),
    (f"- name: A\n  url: https://me:{SECRET}@a.example/ x\n", {}),
    (f"- name: A\n  url: https://me:{SECRET}@a.example/\n- name: B\n  url: https://me:{SECRET}@a.example/\n", {}),
    (f"- name: A\n  url: https://a.example/\n  headers: 'Authorization: {SECRET}'\n", {}),
    (f"- name: A\n  url: https://a.example/\n  headers: {{X: ['{SECRET}']}}\n", {}),
    (f"- name: A\n  url: https://a.example/\n  headers: {{X: 'é{SECRET}'}}\n", {}),
    (f"- name: A\n  url: https://a.example/\n  headers:\n    Authorization: Bearer x: {SECRET}\n", {}),
    (f"- name: A\n  url: https://a.example/\n  headers: [{SECRET}]\n", {}),
    (f"- name: A\n  url: https://me:{SECRET}@a.example/: x\n", {}),
]


@pytest.mark.parametrize(("text", "environ"), SPOILED)
def test_no_error_shows_a_secret(folder: Folder, text: str, environ: dict[str, str]):
    folder.write("sources.yaml", text)
    folder.environ = environ
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    said = str(caught.value) + "\n".join(str(warning) for warning in caught.value.warnings)
    assert "4711" not in said


def test_a_proxy_with_a_password_is_not_quoted(folder: Folder):
    folder.write("wiredesk.yaml", f"fetch: {{proxy: 'ftp://me:{SECRET}@proxy.example/'}}\n")
    (line,) = folder.errors()
    assert "4711" not in line


def test_the_secrets_of_webhooks_stand_nowhere_either(folder: Folder):
    hook = "notify:\n- url: https://h.example/${KEY}\n  secret: ${TOKEN}\n"
    folder.write("wiredesk.yaml", hook)
    folder.environ = {"KEY": SECRET, "TOKEN": SECRET}
    config = folder.load()
    [(written, resolved)] = resolve_notify(config.settings, folder.environ).items()
    assert (written, resolved.url) == ("https://h.example/${KEY}", "https://h.example/geheim-4711%2F%40")
    assert resolved.secret == SECRET
    assert "4711" not in config_to_json(config) + repr(config)
    assert config_from_json(config_to_json(config)) == config
    assert resolve_notify(config.settings, {"KEY": "x"}) == {}

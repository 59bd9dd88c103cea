"""The stored form of a config: exact, without secrets' values, and the same for the same meaning."""

import json
import pickle
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from feeds.configuration import (
    FetchSettings,
    Match,
    Notify,
    PollSettings,
    PublishSettings,
    Section,
    Select,
    Settings,
    Source,
    Term,
    TermField,
)
from feeds.errors import StoreError
from feeds.settings import Config, ConfigErrors, ConfigWarning, config_from_json, config_to_json
from tests.settings.conftest import Folder

words = st.text(max_size=12)
seconds = st.one_of(st.integers(0, 10**6), st.floats(0, 10**6))
terms = st.builds(
    Term,
    field=st.sampled_from(typing.get_args(TermField)),
    values=st.lists(words, max_size=3).map(tuple),
    line=st.integers(0, 99),
)
matches = st.recursive(
    st.builds(Match),
    lambda inner: st.builds(
        Match,
        any=st.lists(terms | inner, max_size=3).map(tuple),
        all=st.lists(terms | inner, max_size=3).map(tuple),
        none=st.lists(terms | inner, max_size=3).map(tuple),
    ),
    max_leaves=5,
)
sections = st.builds(
    Section,
    path=words,
    title=words,
    match=st.none() | matches,
    include_children=st.booleans(),
    priority=st.integers(-9, 9),
    limit=st.none() | st.integers(1, 9),
    copies=st.sampled_from(["fold", "link", "show"]),
    learned_precision=st.none() | st.floats(0.5, 0.99),
    moved_from=st.lists(words, max_size=2).map(tuple),
    language=st.none() | words,
)
sources = st.builds(
    Source,
    key=words,
    name=words,
    kind=st.sampled_from(["feed", "page", "sitemap", "files"]),
    target=words,
    section=st.none() | words,
    enabled=st.booleans(),
    interval_s=st.none() | seconds,
    headers=st.lists(st.tuples(words, words), max_size=2).map(tuple),
    full_text=st.sampled_from([None, "full", "summary", "link"]),
    line=st.integers(0, 99),
)
settings = st.builds(
    Settings,
    title=words,
    poll=st.builds(PollSettings, floor_s=seconds, gap_s=seconds),
    fetch=st.builds(FetchSettings, ports=st.lists(st.integers(1, 9), max_size=3).map(tuple), proxy=st.none() | words),
    publish=st.builds(PublishSettings, images=st.booleans(), hubs=st.lists(words, max_size=2).map(tuple)),
    trusted_proxies=st.lists(words, max_size=2).map(tuple),
)
warnings = st.builds(ConfigWarning, file=words, line=st.integers(0, 9), column=st.integers(0, 9), cause=words)
configs = st.builds(
    Config,
    settings=settings,
    sections=st.lists(sections, max_size=3).map(tuple),
    sources=st.lists(sources, max_size=3).map(tuple),
    digest=words,
    warnings=st.lists(warnings, max_size=2).map(tuple),
    opml_files=st.lists(words, max_size=2).map(tuple),
)


@given(configs)
def test_a_config_reads_back_exactly(config: Config):
    text = config_to_json(config)
    again = config_from_json(text)
    assert again == config
    assert config_to_json(again) == text


def test_every_field_of_the_model_survives():
    # Each field gets a value that is not its default, so that one the decoder forgets would show.
    def other(of: type, **given):
        values = dict(given)
        for one in fields(of):
            if one.name not in values:
                default = getattr(of(**given), one.name)
                if isinstance(default, bool):
                    values[one.name] = not default
                elif isinstance(default, (int, float)):
                    values[one.name] = default + 1
                elif isinstance(default, tuple):
                    values[one.name] = ("x",) if one.name != "headers" else (("a", "b"),)
                elif default is None or isinstance(default, str):
                    values[one.name] = "y"
        return of(**values)

    config = Config(
        settings=other(
            Settings,
            poll=other(PollSettings),
            fetch=other(FetchSettings),
            publish=other(PublishSettings),
            notify=(other(Notify, url="u"),),
        ),
        sections=(other(Section, path="p", title="t", match=Match(any=(other(Term, field="path", values=("v",)),))),),
        sources=(other(Source, key="k", name="n", kind="page", target="t", select=other(Select, item="i")),),
        digest="d",
    )
    assert config_from_json(config_to_json(config)) == config


def test_values_added_by_a_later_release_are_overlooked_and_missing_ones_are_defaults():
    text = '{"form":1,"digest":"d","sources":[{"key":"a","name":"a","kind":"feed","target":"t","colour":"red"}]}'
    assert config_from_json(text) == Config(digest="d", sources=(Source(key="a", name="a", kind="feed", target="t"),))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"form":2}', '{"form":1,"sources":[{}]}', '{"form":1,"sources":3}', "null"]
)
def test_anything_else_is_a_store_error(text: str):
    with pytest.raises(StoreError):
        config_from_json(text)


def test_the_digest_is_of_the_meaning_and_not_of_the_layout(folder: Folder):
    folder.write("sections.yaml", "a:\n  title: A\n  match: {category: X}\n")
    folder.write("sources.yaml", "- {name: N, url: 'https://n.example/', section: a}\n")
    first = folder.load()
    folder.write("sections.yaml", "# a comment\n\na: {match: {category: [X]}, title: 'A'}\n")
    folder.write("sources.yaml", "\n\n- section: a\n  url: https://n.example/\n  name: N\n")
    second = folder.load()
    assert first.digest == second.digest
    assert first.sources[0].line == 1
    assert second.sources[0].line == 3
    folder.write("sources.yaml", "- section: a\n  url: https://n.example/x\n  name: N\n")
    assert folder.load().digest != first.digest


def test_equal_files_give_equal_text_in_any_process(folder: Folder):
    assert config_to_json(folder.load()) == config_to_json(folder.load())
    assert list(json.loads(config_to_json(folder.load()))) == sorted(json.loads(config_to_json(folder.load())))


def test_a_config_and_its_errors_cross_a_pipe(folder: Folder):
    config = folder.load()
    assert pickle.loads(pickle.dumps(config)) == config
    folder.write("wiredesk.yaml", "titel: a\n")
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert [error.column for error in again.errors] == [1]
    assert again.cause == "1 error in the config"

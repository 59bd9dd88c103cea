"""docs/config.md names every key, with the range and the default that the code has."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import Struct
from yaml.nodes import ScalarNode

from feeds.configuration import Section, Select, Settings, Source, TermField
from feeds.settings import load_config
from feeds.settings.config import OVERRIDES
from feeds.settings.forms import keys_of
from feeds.settings.match_rules import TERMS
from feeds.settings.reports import Report, Wrong
from feeds.settings.sections_file import SECTION_KEYS
from feeds.settings.sources_file import PAGE_KEYS, SOURCE_KEYS
from feeds.settings.types import Key

PAGE = (Path(__file__).parents[2] / "docs" / "config.md").read_text()


def part(title: str) -> str:
    """Give what stands under the heading *title*."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Give key → (takes, default) of the tables of four columns in *text*."""
    found = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return {key: (takes, default.strip("`")) for key, takes, default in found}


def flat(settings: Any, above: str = "") -> dict[str, tuple[Key, Any]]:
    """Give dotted key → (Key, default)."""
    found = {}
    for name, key in keys_of(type(settings)).items():
        default = getattr(settings, name)
        if isinstance(default, Struct):
            found.update(flat(default, f"{name}."))
        else:
            found[above + name] = (key, default)
    return found


DESK = flat(Settings())


def test_every_setting_of_the_model_has_a_key_and_a_row():
    names = {one for one in Settings.__struct_fields__ if not isinstance(getattr(Settings(), one), Struct)}
    for group in ("poll", "fetch", "dedupe", "publish", "licence", "keep_raw", "digest"):
        names |= {f"{group}.{one}" for one in type(getattr(Settings(), group)).__struct_fields__}
    assert set(DESK) == names
    assert set(rows(part("wiredesk.yaml"))) == names


@pytest.mark.parametrize("name", DESK)
def test_the_default_of_each_setting_is_the_one_that_holds(name: str):
    default = DESK[name][1]
    written = rows(part("wiredesk.yaml"))[name][1]
    if isinstance(default, bool):
        assert written == str(default).lower()
    elif isinstance(default, tuple):
        assert written == (", ".join(map(str, default)) or "none")
    else:
        assert written == ("none" if default is None else str(default) or "empty")


def test_every_key_of_a_section_and_of_a_source_has_a_row():
    assert set(rows(part("sections.yaml"))) == set(SECTION_KEYS)
    assert set(rows(part("sources.yaml"))) == set(SOURCE_KEYS)
    assert set(Section.__struct_fields__) - {"path", "learned_precision"} | {"learned", "sections"} == set(SECTION_KEYS)
    own = {"key", "kind", "target", "line", "senders"}
    where = {"url", "files", "page", "sitemap", "json", "mail", "opml"}
    assert set(Source.__struct_fields__) - own == set(SOURCE_KEYS) - where - {"from", "drop"}


@pytest.mark.parametrize(
    ("title", "name", "key"),
    [("wiredesk.yaml", name, key) for name, (key, _) in DESK.items()]
    + [("sections.yaml", name, key) for name, key in SECTION_KEYS.items()]
    + [("sources.yaml", name, key) for name, key in SOURCE_KEYS.items()],
)
def test_the_range_of_each_number_is_the_one_that_holds(title: str, name: str, key: Key):
    takes = rows(part(title))[name][0]
    schema = key.takes.schema
    if "minimum" in (schema["anyOf"][1] if "const" in schema.get("anyOf", [{}])[0] else schema):
        with pytest.raises(Wrong) as caught:
            key.takes.read(ScalarNode("tag:yaml.org,2002:str", "x"), Report(""))
        unit, least, most = re.findall(r"number(?: of (\w+))? from (\d+|-\d+) to (\d+)", caught.value.remedy)[0]
        assert f"{unit or 'number'}, {least} to {most}" in takes
    else:
        assert name == "learned" or not re.search(r"\d to \d", takes)


def test_every_term_and_joint_is_explained():
    assert tuple(TERMS) == get_args(TermField)
    listed = re.findall(r"^\| `([a-z]+)` \| [^|]+ \|$", part("sections.yaml"), re.MULTILINE)
    assert listed == list(TERMS)
    for joint in ("`any`", "`all`", "`none`", "`lists:`", "`$name`"):
        assert joint in part("sections.yaml")


def test_every_variable_is_listed():
    listed = dict(re.findall(r"^\| `(WIREDESK_[A-Z_]+)` \| `([a-z_.]+)` \|$", PAGE, re.MULTILINE))
    assert listed == {name: ".".join(path) for name, path in OVERRIDES.items()}
    for name in ("CONFIG", "DATA", "DATABASE", "ADMIN_TOKEN", "LOG", "HOST", "PORT", "LISTENING"):
        assert f"`WIREDESK_{name}`" in part("Environment")


def test_the_examples_hold(tmp_path: Path):
    sections, drop, sources, push = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "sections.yaml").write_text(drop + sections)
    (tmp_path / "sources.yaml").write_text(sources)
    (tmp_path / "subscriptions.opml").write_text("<opml><body/></opml>")
    (tmp_path / "wiredesk.yaml").write_text(push)
    config = load_config(tmp_path, dict.fromkeys(("EXAMPLE_TOKEN", "HOOK_KEY", "HOOK_SECRET", "SMTP_PASSWORD"), "x"))
    assert [one.sections for one in config.settings.notify] == [("news/world",)]
    assert len(config.settings.digest.to) == 2
    assert [section.path for section in config.sections] == ["news", "news/world"]
    assert len(config.drops) == 1
    assert len(config.sources) == 3


def test_the_page_about_sources_without_a_feed_has_every_selector_and_examples_that_hold(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
    listed = {
        key for row in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for key in re.findall(r"`([a-z_]+)`", row)
    }
    assert set(PAGE_KEYS) | {"script"} <= listed
    assert f"1 to {PAGE_KEYS['pages'].takes.schema['maximum']}, else {Select(item='').pages}" in page
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "sections.yaml").write_text("news: {title: News}\n")
    (tmp_path / "sources.yaml").write_text("".join(examples))
    kinds = [source.kind for source in load_config(tmp_path, {"ALERTS_TOKEN": "x"}).sources]
    assert kinds == ["page", "json", "json", "json"]

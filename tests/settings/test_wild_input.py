"""Whatever a file holds: a Config that reads back, or ConfigErrors with places; never anything else."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from feeds.errors import ConfigError
from feeds.settings import ConfigErrors, config_from_json, config_to_json, load_config
from feeds.settings.opml_lists import opml_to_lines

CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = {name: (CONFIG / name).read_text() for name in ("wiredesk.yaml", "sections.yaml", "sources.yaml")}
TOKENS = sorted({token for text in SHIPPED.values() for token in re.findall(r"[\w.]+|[^\w\s]|\n *", text)})
SCRAPS = [
    "\t",
    "&a ",
    "*a ",
    "<<: ",
    "!x ",
    "|\n",
    ">\n",
    "? ",
    "---\n",
    "'",
    '"',
    "[",
    "{",
    "}",
    "]",
    "~",
    "${A}",
    "$a",
    "\x00",
    "\ud7ff",
]

scraps = st.sampled_from(TOKENS + SCRAPS) | st.text(max_size=5)
relaxed = given_settings(
    max_examples=int(os.environ.get("EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def judge(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    try:
        config = load_config(folder, {})
    except ConfigErrors as errors:
        assert errors.errors
        for error in errors.errors:
            # YAML 1.1 ends lines as Python does, at a lone CR, NEL, LS and PS too.
            lines = (folder / error.file).read_bytes().decode("utf-8", "replace").splitlines()
            assert 0 <= error.line <= len(lines) + 1
            assert bool(error.line) == bool(error.column)
            assert error.cause
            assert error.remedy
            assert "\n" not in str(error)
    else:
        assert config_from_json(config_to_json(config)) == config


@relaxed
@given(name=st.sampled_from(sorted(SHIPPED)), text=st.lists(scraps, max_size=25).map(" ".join))
def test_any_text_is_judged(tmp_path: Path, name: str, text: str):
    judge(tmp_path, {**SHIPPED, name: text})


@relaxed
@given(name=st.sampled_from(sorted(SHIPPED)), raw=st.binary(max_size=60))
def test_any_bytes_are_judged(tmp_path: Path, name: str, raw: bytes):
    judge(tmp_path, {**SHIPPED, name: raw})


@relaxed
@given(data=st.data(), name=st.sampled_from(sorted(SHIPPED)))
def test_a_slip_anywhere_in_a_good_file_is_judged(tmp_path: Path, data, name: str):
    text = SHIPPED[name]
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 12))
    judge(tmp_path, {**SHIPPED, name: text[:start] + data.draw(scraps) + text[start + length :]})


@relaxed
@given(data=st.data(), name=st.sampled_from(sorted(SHIPPED)))
def test_a_half_saved_file_is_judged(tmp_path: Path, data, name: str):
    text = SHIPPED[name]
    judge(tmp_path, {**SHIPPED, name: text[: data.draw(st.integers(0, len(text)))]})


PARTS = (
    "<opml> </opml> <body> </body> text='a' /> > </outline> & < \" <!----> <?x?> <![CDATA[x]]> é \x01 "
    'title="b&c" xmlUrl="https://a.example/" xmlUrl="x"'
).split(" ")


@relaxed
@given(parts=st.lists(st.sampled_from([*PARTS, "<outline ", " "]), max_size=25))
def test_any_list_becomes_lines_that_hold_or_an_error(tmp_path: Path, parts: list[str]):
    body = "".join(parts).encode()
    try:
        lines = opml_to_lines([("list.opml", body)]).text
    except ConfigError as error:
        assert error.remedy
        lines = ""
    judge(tmp_path, {**SHIPPED, "sources.yaml": lines or "# none\n"})
    load_config(tmp_path, {})
    (tmp_path / "list.opml").write_bytes(body)
    judge(tmp_path, {"sources.yaml": "- opml: list.opml\n"})


@pytest.mark.parametrize("depth", [100_000])
def test_a_list_nested_without_end_is_an_error_or_read(depth: int):
    body = b"<opml><body>" + b'<outline text="a">' * depth + b"</outline>" * depth + b"</body></opml>"
    with pytest.raises(ConfigError):
        opml_to_lines([("list.opml", body)])

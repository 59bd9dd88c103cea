"""JSON Schema for editors: current, and of one mind with the judge."""

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

from feeds.cli import wiredesk
from feeds.settings import load_config
from feeds.settings.judging import schemas, write_schemas
from tests.settings.conftest import Folder

ROOT = Path(__file__).parents[2]
SCHEMAS = {name.partition(".")[0]: json.loads(text) for name, text in schemas().items()}


def test_the_schema_files_are_current(tmp_path: Path):
    write_schemas(tmp_path)
    for name, text in schemas().items():
        assert (ROOT / "docs" / "schema" / name).read_text() == text, "run python -m feeds.settings.judging docs/schema"
        assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize("name", ["wiredesk", "sections", "sources"])
def test_each_schema_is_one_and_each_shipped_file_names_and_keeps_it(name: str):
    Draft7Validator.check_schema(SCHEMAS[name])
    text = (ROOT / "config" / f"{name}.yaml").read_text()
    assert text.startswith(f"# yaml-language-server: $schema=../docs/schema/{name}.schema.json\n")
    assert not list(Draft7Validator(SCHEMAS[name]).iter_errors(yaml.safe_load(text)))


SAID = [
    ("wiredesk", "title: x\npoll: {floor_s: 60}\nfetch: {ports: [80], allow_private: 10.0.0.0/8}\n", True),
    ("wiredesk", "titel: x\n", False),
    ("wiredesk", "poll: {floor_s: 0}\n", False),
    ("wiredesk", "poll: {retry_after_scope: hosts}\n", False),
    ("wiredesk", "publish: {images: maybe}\n", False),
    ("wiredesk", "base_url: ftp://x.example\n", False),
    ("sections", "lists: {eu: [France]}\na: {match: {any: [{keywords: [x, 1]}], none: {path: /x}}}\n", True),
    ("sections", "a: {match: [{category: A}], sections: {b: {title: B, learned: {precision: 0.9}}}}\n", True),
    ("sections", "News: {title: N}\n", False),
    ("sections", "a: {limit: -1}\n", False),
    ("sections", "a: {match: {keyword: x}}\n", False),
    ("sections", "a: {sections: {b: {titel: B}}}\n", False),
    ("sections", "a: {match: {any: []}}\n", False),
    ("sources", "- {name: A, url: 'https://a.example/', interval_s: auto, headers: {X: y}}\n", True),
    ("sources", "- {name: A, files: '*.txt', interval_s: 60, full_text: link}\n", True),
    ("sources", "- {name: A}\n", False),
    ("sources", "- {url: 'https://a.example/'}\n", False),
    ("sources", "- {name: A, url: 'https://a.example/', page: 'https://a.example/'}\n", False),
    ("sources", "- {name: A, url: 'https://a.example/', interval_s: hourly}\n", False),
    ("sources", "- {name: A, url: 'https://a.example/', section: News > World}\n", False),
]


@pytest.mark.parametrize(("name", "text", "good"), SAID)
def test_an_editor_and_the_desk_say_the_same(folder: Folder, name: str, text: str, good: bool):
    if name != "wiredesk":
        folder.write("sources.yaml", "# none\n")
    folder.write(f"{name}.yaml", text)
    assert (not list(Draft7Validator(SCHEMAS[name]).iter_errors(yaml.safe_load(text)))) is good
    if good:
        folder.load()
    else:
        assert folder.errors()


def test_files_to_start_from_lead_editors_to_their_schema(tmp_path: Path):
    assert CliRunner().invoke(wiredesk, ["init", str(tmp_path / "desk")]).exit_code == 0
    config = tmp_path / "desk" / "config"
    assert load_config(config, {}).sections
    for name in SCHEMAS:
        text = (config / f"{name}.yaml").read_text()
        [place] = re.findall(r"\A# yaml-language-server: \$schema=(\S+)\n", text)  # as the language server reads it
        schema = json.loads((config / place).read_text())
        assert not list(Draft7Validator(schema).iter_errors(yaml.safe_load(text)))
        # What an editor completes and explains: every key says what it does.
        told = schema["items"] if name == "sources" else schema
        assert all(each.get("description") for each in told.get("properties", {}).values())

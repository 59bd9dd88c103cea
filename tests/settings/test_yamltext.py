"""What has one sure remedy is mended, and all else stays to the byte."""

import pytest

from feeds.settings import ConfigErrors
from feeds.settings.yamltext import difference, mended
from tests.settings.conftest import Folder


def mend(folder: Folder) -> dict[str, str]:
    """The files that are other when they are mended."""
    texts = {path.name: path.read_bytes().decode() for path in folder.path.glob("*.yaml")}

    def judge(now: dict[str, str]):
        for name, text in now.items():
            folder.write(name, text)
        try:
            folder.load()
        except ConfigErrors as errors:
            return errors.errors
        return ()

    return {name: text for name, text in mended(texts, judge).items() if text != texts[name]}


@pytest.mark.parametrize(
    ("file", "text", "better"),
    [
        ("wiredesk.yaml", "poll:\n\tfloor_s: 60  # a\ttab\n", "poll:\n  floor_s: 60  # a\ttab\n"),
        ("wiredesk.yaml", "poll:\n  \tfloor_s: 60\n", "poll:\n    floor_s: 60\n"),
        ("wiredesk.yaml", "title: “The Wire”  # “so”\r\n", 'title: "The Wire"  # “so”\r\n'),
        ("wiredesk.yaml", "titel: The Wire\n'langauge': en\n", "title: The Wire\nlanguage: en\n"),
        ("wiredesk.yaml", "pol:\n\tflor_s: 60\n", "poll:\n  floor_s: 60\n"),
        ("sources.yaml", "-name: A\n url: https://a.example/\n", None),
        ("sources.yaml", "-name: A\n  url: https://a.example/\n", "- name: A\n  url: https://a.example/\n"),
        ("sources.yaml", "- {name: ‘A’, url: “https://a.example/”}\n", "- {name: 'A', url: \"https://a.example/\"}\n"),
        (
            "sections.yaml",
            "a: {match: {keywrods: [“x”, “y”]}}\nb: {match: {path: “/b”}}\n",
            'a: {match: {keywords: ["x", "y"]}}\nb: {match: {path: "/b"}}\n',
        ),
    ],
)
def test_what_has_one_remedy_is_mended(folder: Folder, file: str, text: str, better: str | None):
    if better is None:
        better = text.replace("-name", "- name")
    folder.write(file, text)
    assert mend(folder) == {file: better}


@pytest.mark.parametrize(
    "text",
    [
        "title: She said “yes” and “no”\n",
        "title: it’s “The Wire” of ’26\n",
        "description: |\n  “quoted”, and\ta tab\n",
        "colour: red\n",  # near nothing
        "title: a: b\n",  # many remedies
    ],
)
def test_what_may_be_meant_stays(folder: Folder, text: str):
    folder.write("wiredesk.yaml", text)
    assert mend(folder) == {}


def test_the_difference_is_a_unified_diff():
    assert list(difference("a.yaml", "x: 1\ny: 2\n", "x: 1\nz: 2\n")) == [
        "--- a.yaml", "+++ a.yaml, mended", "@@ -1,2 +1,2 @@", " x: 1", "-y: 2", "+z: 2",
    ]  # fmt: skip

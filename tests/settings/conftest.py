"""A config folder to write mistakes into."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from feeds.settings import Config, ConfigErrors, load_config

SECTIONS = "news:\n  title: News\n  include_children: true\n  sections:\n    world: {title: World}\n"
SOURCES = "- name: Harbour\n  url: https://harbour.example/feed\n  section: news/world\n"


class Folder:
    """A config folder that holds unless a test spoils it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: Mapping[str, str] = {}
        self.write("sections.yaml", SECTIONS)
        self.write("sources.yaml", SOURCES)

    def write(self, name: str, text: str | bytes) -> None:
        """Put *text* into the file *name*."""
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def load(self) -> Config:
        """Give the Config."""
        return load_config(self.path, self.environ)

    def errors(self) -> list[str]:
        """Give every error as printed; none is a failure of the test."""
        with pytest.raises(ConfigErrors) as caught:
            self.load()
        return str(caught.value).splitlines()

    def warnings(self) -> list[str]:
        """Give every warning as printed, of a config that holds."""
        return [str(warning) for warning in self.load().warnings]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)

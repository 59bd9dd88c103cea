"""The config folder → a Config, or every error of all its files at once. I/O: reads files.

Three files: `wiredesk.yaml` may be missing (all defaults), `sections.yaml` and `sources.yaml` may not, though either
may hold comments alone. Beside them the OPML lists that `sources.yaml` names. What judges them (`judging`) is imported
when there is something to judge: a start with files that were judged before needs no YAML parser.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path

from feeds import regular
from feeds.settings.credentials import missing, unsendable
from feeds.settings.files import FILES, MAX_CONFIG_BYTES, mark_of
from feeds.settings.stored import Config


def load_config(folder: Path, environ: Mapping[str, str]) -> Config:
    """Give the Config that the files in *folder* say; `WIREDESK_*` variables of *environ* go before them.

    Raises ConfigErrors with every error of all files at once.
    """
    from feeds.settings.judging import judge

    # A large config makes a million nodes that all live until it is judged: the collector would only walk them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return judge(folder, environ)
    finally:
        if collecting:
            gc.enable()


def judged_before(config: Config, folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether the files in *folder* are, byte for byte, those that *config* was made of, under the same environment.

    Of its sources *config* needs those with secrets alone.
    """
    raw: dict[str, bytes | None] = {}
    for name in (*FILES, *config.opml_files):
        try:
            raw[name] = regular.read(folder / name, most_bytes=MAX_CONFIG_BYTES)
        except OSError:
            raw[name] = None
    texts = [text for source in config.sources for text in (source.target, *(value for _, value in source.headers))]
    if any(missing(text, environ) or unsendable(text, environ) for text in texts):
        return False
    return config.files == mark_of(raw, environ)

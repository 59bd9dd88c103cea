"""A config folder becomes the accepted config: judged whole, stored, and only then in force. I/O: files and store."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from feeds.errors import ConfigError
from feeds.filing import Cabinet
from feeds.ingest.desk import Desk
from feeds.model import UNFILED, Section
from feeds.settings import (
    Config,
    ConfigErrors,
    ConfigWarning,
    config_from_json,
    config_to_json,
    load_config,
    resolve_secrets,
)
from feeds.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The config in force. *errors* are those of the files, where an older, stored config had to serve instead."""

    desk: Desk
    warnings: tuple[ConfigWarning, ...] = ()
    errors: tuple[ConfigError, ...] = ()
    changed: bool = False
    refile: bool = False


def accept(store: Store, folder: Path, environ: Mapping[str, str], *, now: datetime) -> Accepted:
    """Judge the files in *folder* and put them in force; with errors in them the stored config goes on.

    Raises ConfigErrors where the files have errors and nothing is stored yet (a first start).
    """
    try:
        config = load_config(folder, environ)
    except ConfigErrors as errors:
        desk = stored_desk(store, folder, environ)
        if desk is None:
            raise
        return Accepted(desk=desk, errors=tuple(errors.errors))
    return put_in_force(store, config, folder, environ, now=now)


def put_in_force(store: Store, config: Config, folder: Path, environ: Mapping[str, str], *, now: datetime) -> Accepted:
    """Store a judged *config* and bring the sources and sections in line with it, in one transaction."""
    text = config_to_json(config)
    with store.write() as tx:
        before = tx.configs.current()
        version = tx.configs.accept(text, config.digest, now)
        changed = before is None or before.version != version
        old = config_from_json(before.text) if before is not None and changed else None
        if changed:
            tx.sources.sync(config.sources, desk_full_text=config.settings.publish.full_text, now=now)
            tx.sections.sync(with_built_in(config), now)
            if old is not None and old.settings != config.settings:
                tx.sections.mark_dirty(None)
    return Accepted(
        desk=_desk(config, version, folder, environ),
        warnings=tuple(config.warnings),
        changed=changed,
        refile=old is not None and old.sections != config.sections,
    )


def stored_desk(store: Store, folder: Path, environ: Mapping[str, str]) -> Desk | None:
    """The config that was last in force; None before the first."""
    with store.read() as tx:
        stored = tx.configs.current()
    return _desk(config_from_json(stored.text), stored.version, folder, environ) if stored else None


def with_built_in(config: Config) -> Sequence[Section]:
    """The admin's sections and the two that are always there: the whole desk and `unfiled`."""
    return (
        Section(path="", title=config.settings.title, description=config.settings.description),
        *config.sections,
        Section(path=UNFILED, title="Unfiled", description="Articles that no rule files."),
    )


def _desk(config: Config, version: int, folder: Path, environ: Mapping[str, str]) -> Desk:
    return Desk(
        version=version,
        folder=folder,
        settings=config.settings,
        sections=config.sections,
        secret={
            source.key: resolve_secrets(source, environ)
            for source in config.sources
            if source.headers or "${" in source.target
        },
        cabinet=Cabinet(config.sections),
    )

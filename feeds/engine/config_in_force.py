"""The config in force: files taken over or refused whole, and whether those of this machine are what the desk accepted.
I/O: files, the store.

On PostgreSQL several machines share a desk, and a folder of files on each. What is accepted stands in the database;
files that say otherwise change nothing, and are told of, once for each change, in the log and as an open event.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import UNFILED, Section, Settings, Source, renames
from feeds.errors import ConfigError, StoreError
from feeds.filing import FilingRules
from feeds.ingest.desk import Desk
from feeds.redaction import OF_THIS_PROCESS, Redaction
from feeds.settings import (
    Config,
    ConfigErrors,
    ConfigWarning,
    config_from_json,
    config_to_json,
    differences,
    fingerprint,
    first_lines,
    judged_before,
    load_config,
    resolve_secrets,
)
from feeds.settings.config import (
    Fingerprint,
    digest_of,
    is_kept_back,
    outgoing_texts,
    references,
    secret_texts,
)
from feeds.store import Store, WriteTx
from feeds.store.at_rest import REFILE, WRONG_FILES
from feeds.urls import masked

log = logging.getLogger(__name__)


class Accepted(Struct, frozen=True, kw_only=True):
    """The config in force. *errors* are those of the files, where an older, stored config had to serve instead.

    *seen* is the fingerprint of the files that were judged, None where they changed meanwhile. *judged* is False where
    they were in force already and nothing was done.
    """

    desk: Desk
    warnings: tuple[ConfigWarning, ...] = ()
    errors: tuple[ConfigError, ...] = ()
    changed: bool = False
    judged: bool = True
    seen: Fingerprint | None = None
    opml_files: tuple[str, ...] = ()


def accept(store: Store, folder: Path, environ: Mapping[str, str], *, now: datetime) -> Accepted:
    """Judge the files in *folder* and put them in force; with errors in them the stored config goes on.

    Files that are in force already are not judged again. On PostgreSQL, which other machines share, files that differ
    from a stored config change nothing. Raises ConfigErrors where the files have errors and nothing is stored yet (a
    first start).
    """
    if (present := _in_force(store, folder, environ)) is not None:
        return present
    before = fingerprint(folder)
    try:
        config = load_config(folder, environ)
    except ConfigErrors as errors:
        desk = stored_desk(store, folder, environ)
        if desk is None:
            raise
        tell_errors(store, errors, now=now)
        accepted = Accepted(desk=desk, errors=tuple(errors.errors), opml_files=errors.opml_files)
    else:
        accepted = _kept(store, config, folder, environ, now=now) or put_in_force(
            store, config, folder, environ, now=now
        )
    seen = fingerprint(folder, accepted.opml_files)
    return replace(accepted, seen=seen if seen[: len(before)] == before else None)


def _kept(store: Store, files: Config, folder: Path, environ: Mapping[str, str], *, now: datetime) -> Accepted | None:
    """The stored config, where several machines share it and *files* say otherwise, which is told; else None."""
    if store.file is not None:
        return None
    with store.read() as tx:
        stored = tx.configs.current()
    if stored is None:
        return None
    config = config_from_json(stored.text)
    differing = differences(config, files)
    tell_differences(store, folder, stored.version, differing, now=now)
    if not differing:
        return None
    desk = _desk(config.brief, stored.version, folder, environ)
    return Accepted(desk=desk, warnings=config.warnings, opml_files=files.opml_files)


def _in_force(store: Store, folder: Path, environ: Mapping[str, str]) -> Accepted | None:
    """The stored config, where the files in *folder* are those that it was made of; else None."""
    with store.read() as tx:
        stored = tx.configs.brief()
        if stored is None or tx.events.subjects(WRONG_FILES):
            return None
    try:
        config = config_from_json(stored.text)
    except StoreError:
        return None
    before = fingerprint(folder, config.opml_files)
    if not judged_before(config, folder, environ):
        return None
    return Accepted(
        desk=_desk(config, stored.version, folder, environ),
        warnings=config.warnings,
        judged=False,
        seen=before if fingerprint(folder, config.opml_files) == before else None,
        opml_files=config.opml_files,
    )


def put_in_force(store: Store, config: Config, folder: Path, environ: Mapping[str, str], *, now: datetime) -> Accepted:
    """Store a judged *config* and bring the sources and sections in line with it, in one transaction.

    Where articles may belong elsewhere by it, the same transaction notes that they are to be filed again (`REFILE`).
    """
    text, brief = config_to_json(config), config_to_json(config.brief)
    with store.write() as tx:
        before = tx.configs.current()
        version = tx.configs.accept(text, config.digest, now, brief=brief)
        changed = before is None or before.version != version
        old = config_from_json(before.text) if before is not None and before.text != text else None
        if old is not None and not changed:
            tx.configs.renew(version, text, brief=brief)
        if _polls_differently(old, config) if old is not None else changed:
            tx.sources.sync(config.sources, desk_full_text=config.settings.publish.full_text, now=now)
        if changed:
            _change_stored(tx, old, config, now)
        tx.events.close(WRONG_FILES, "files", now)
    return Accepted(
        desk=_desk(config, version, folder, environ),
        warnings=tuple(config.warnings),
        changed=changed,
        opml_files=config.opml_files,
    )


def _change_stored(tx: WriteTx, old: Config | None, new: Config, now: datetime) -> None:
    """Bring the sections in line with *new*; have rendered and filed again what was so by *old* and is no more."""
    tx.sections.sync(with_built_in(new), now)
    for node in tx.events.subjects(DIFFER):
        tx.events.close(DIFFER, node, now)  # each says anew what its files are beside this version
    if old is None:
        return
    tx.sections.mark_dirty(_redrawn(old, new) if old.settings == new.settings else None)
    if files_differently(old, new):
        ask_for_refiling(tx, "what is stored is being filed again by the changed config", now=now)


def tell_errors(store: Store, errors: ConfigErrors, *, now: datetime) -> None:
    """Keep the errors of the files as an open event until they are mended: a log is not read again, a page is."""
    with store.write() as tx:
        remedy = "mend these lines and save; until then the last good config goes on"
        tx.events.add(WRONG_FILES, "files", text="\n".join(first_lines(errors.errors)), remedy=remedy, now=now)


def stored_desk(store: Store, folder: Path, environ: Mapping[str, str]) -> Desk | None:
    """The config that was last in force; None before the first."""
    with store.read() as tx:
        stored = tx.configs.brief()
    return _desk(config_from_json(stored.text), stored.version, folder, environ) if stored else None


def stored_version(store: Store) -> int:
    """The version of the config in force, 0 before the first."""
    with store.read() as tx:
        return tx.configs.version()


def ask_for_refiling(tx: WriteTx, words: str, *, now: datetime) -> None:
    """Have what is stored filed again by the desk that runs, or by the next that does."""
    tx.events.add(REFILE, "sections", text=words, now=now)


def to_refile(store: Store) -> bool:
    """Whether what is stored waits for being filed again."""
    with store.read() as tx:
        return bool(tx.events.subjects(REFILE))


def refiled(store: Store, version: int, *, now: datetime) -> bool:
    """Note that all is filed by the config *version*; False, and nothing noted, where another is in force by now."""
    with store.write() as tx:
        if tx.configs.version() != version:
            return False
        tx.events.close(REFILE, "sections", now)
        return True


def with_built_in(config: Config) -> Sequence[Section]:
    """The admin's sections and the two that are always there: the whole desk and `unfiled`."""
    return (
        Section(path="", title=config.settings.title, description=config.settings.description),
        *config.sections,
        Section(path=UNFILED, title="Unfiled", description="Articles that no rule files."),
    )


def _polls_differently(old: Config, new: Config) -> bool:
    """Whether the table of sources, which is in line with *old*, is not with *new*."""
    return old.sources != new.sources or old.settings.publish.full_text != new.settings.publish.full_text


def _redrawn(old: Config, new: Config) -> list[str]:
    """The sections whose documents look different by *new*, for other reasons than what is filed in them."""
    before = {section.path: _looks(section) for section in old.sections}
    return [section.path for section in new.sections if before.get(section.path) != _looks(section)]


def _looks(section: Section) -> tuple[object, ...]:
    return section.title, section.description, section.limit, section.copies, section.language, section.access


def files_differently(old: Config, new: Config) -> bool:
    """Whether what is stored already may belong elsewhere by *new*: other rules, or a source set to another section."""
    plain = {"description": "", "limit": None, "copies": "fold", "language": None, "moved_from": ()}
    rules = [
        digest_of(Settings(), tuple(replace(section, **plain) for section in config.sections), (), config.drops)
        for config in (old, new)
    ]
    keys = {was: now for now, was in renames(old.sources, new.sources).items()}
    before = {keys.get(source.key, source.key): (source.section, source.name) for source in old.sources}
    return rules[0] != rules[1] or any(
        before.get(source.key, (source.section, source.name)) != (source.section, source.name) for source in new.sources
    )


def _desk(config: Config, version: int, folder: Path, environ: Mapping[str, str]) -> Desk:
    secret: dict[str, Source] = {}
    lacking: set[str] = set()
    named: dict[str, str] = {}
    for source in config.sources:
        if is_kept_back(source):
            try:
                secret[source.key] = resolve_secrets(source, environ)
                for text in secret_texts(source):
                    named |= {name: environ[name].strip() for name in references(text)}
            except ConfigError as error:
                # Only a stored config gets here: files that need what is not there are not accepted.
                log.error("config: %s; it is asked without, or left to another hand", error)
                lacking.add(source.key)
    for name in chain.from_iterable(map(references, outgoing_texts(config.settings))):
        named |= {name: environ.get(name, "").strip()}
    OF_THIS_PROCESS.add(named, _written(config))
    secrets = Redaction()
    secrets.add(named)
    return Desk(
        version=version,
        folder=folder,
        settings=config.settings,
        sections=config.sections,
        secret=secret,
        filing_rules=FilingRules(config.sections, drops=config.drops),
        secrets=secrets,
        lacking=frozenset(lacking),
    )


def _written(config: Config) -> Iterator[str]:
    """Where config itself may hold a secret that can part from its address or its header's name: passwords, values.

    All else in an address `masked` knows by its form, wherever the address is told.
    """
    yield config.settings.fetch.proxy or ""
    yield config.settings.digest.server
    yield from (f"secret: {one.secret}" for one in config.settings.notify)
    for source in config.sources:
        if "@" in source.target:
            yield source.target
        yield from (f"{name}: {value}" for name, value in source.headers)


DIFFER = "files"
"""The kind of event that is open while the files of a node are not those accepted; its subject is the node."""
REMEDY = "bring the accepted files there, or put those in force with `wiredesk apply`"


class Agreement:
    """Compares the files in *folder* with what is accepted, again whenever one of them changes. For one thread."""

    def __init__(self, store: Store, folder: Path, environ: Mapping[str, str]) -> None:
        self._store = store
        self._folder = folder
        self._environ = environ
        self._opml_files: tuple[str, ...] = ()
        self._seen: tuple[int, Fingerprint] | None = None

    def look(self, *, now: datetime) -> None:
        """Tell in what the files differ; nothing is read where neither they nor what is accepted has changed.

        Raises StoreError.
        """
        with self._store.read() as tx:
            version = tx.configs.version()
        seen = version, fingerprint(self._folder, self._opml_files)
        if version == 0 or seen == self._seen:
            return
        with self._store.read() as tx:
            stored = tx.configs.current()
        assert stored is not None
        accepted = config_from_json(stored.text)
        try:
            files = load_config(self._folder, self._environ)
        except ConfigErrors as errors:
            lines = tuple(f"an error, {line}" for line in first_lines(errors.errors)[:1])
        else:
            lines = differences(accepted, files)
        self._opml_files = accepted.opml_files
        self._seen = version, fingerprint(self._folder, self._opml_files)
        tell_differences(self._store, self._folder, stored.version, lines, now=now)


def tell_differences(store: Store, folder: Path, version: int, lines: tuple[str, ...], *, now: datetime) -> None:
    """Keep as an open event, and say in the log, in what the files in *folder* differ from the accepted *version*."""
    node = f"{socket.gethostname()}:{folder}"
    text = masked(f"the files at {node} are not in force (version {version} is): {'; '.join(lines)}") if lines else ""
    with store.read() as tx:
        told = next((event.text for event in tx.events.open() if (event.kind, event.subject) == (DIFFER, node)), "")
    if lines:
        log.warning("config: %s; nothing was changed: %s", text, REMEDY)
    if told == text:
        return
    with store.write() as tx:
        if lines:
            tx.events.add(DIFFER, node, text=text, remedy=REMEDY, now=now)
        else:
            tx.events.close(DIFFER, node, now)

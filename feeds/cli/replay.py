"""`wiredesk replay` and `wiredesk bug`: answers that are kept, read again by the present code and config.
I/O: store; a scratch database; one file.

The scratch desk is one of its own: the present config, no articles, its own files, gone in the end. What it makes of
the answers is compared with what is stored, entry by entry.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click
from msgspec import Struct, field
from msgspec.structs import fields, replace

from feeds.cli.common import Places, counted, need_config, with_places
from feeds.cli.explain import explanation
from feeds.cli.lists import named_source, show_source
from feeds.cli.stored import need_running_config, opened, usable_model
from feeds.configuration import Source
from feeds.dates import parse_date
from feeds.engine.config_in_force import accept
from feeds.engine.startup import now_utc
from feeds.errors import DeskError
from feeds.ingest.batches import Batch, Saving
from feeds.ingest.bodies import job, recurs_in, waiting
from feeds.ingest.desk import Desk
from feeds.ingest.host_queues import HostQueues
from feeds.ingest.reading import Reading, read
from feeds.model import Entry
from feeds.redaction import Redaction
from feeds.settings.config import masked_headers, references, secret_texts
from feeds.store import ReadTx, Store, open_store
from feeds.store.inbox import RawAnswer
from feeds.store.values import InboxItem
from feeds.urls import masked

MOST_SHOWN = 40
"""Differences that are shown one by one."""
MOST_PACKED = 20
"""Answers in a bug's file, the newest."""
MOST_EXPLAINED = 5
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]+")
COMPARED = (
    "title", "link", "summary", "content", "text", "language", "authors", "published", "updated", "categories",
    "breadcrumb", "enclosures", "image", "episode",
)  # fmt: skip
"""What of an entry is compared."""
SHOWN_CHARS = 90


class Report(Struct):
    """What replaying said: *differences* are lines for an entry of a source each, *failed* answers that can't be read.

    *gone* are answers of sources that are no longer in config.
    """

    answers: int = 0
    same: int = 0
    gone: int = 0
    differences: list[tuple[str, str, list[str]]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@click.command()
@with_places
@click.argument("name", required=False, metavar="[SOURCE]")
@click.option("--since", metavar="TIME", help="Answers of all sources since then: 2026-11-29, or with a time.")
def replay(found: Places, name: str | None, since: str | None) -> None:
    """Read kept answers again, by this release and the config files as they are now; say what would differ.

    Changes nothing. Kept are the last answer of each source, and more with `keep_raw` in wiredesk.yaml.

    \\b
      wiredesk replay "Example World"
      wiredesk replay --since 2026-11-28
    """
    if name is None and since is None:
        raise click.UsageError("name a SOURCE, or say --since when")
    need_config(found)
    when = _time(since) if since else None
    with opened(found) as store:
        need_running_config(store)
        source = named_source(store, name)[0] if name is not None else None
        with store.read() as tx:
            answers = list(tx.raw_answers.since(when, source.id if source else None))
            sources = tx.sources.by_ids({answer.source_id for answer in answers})
        if not answers:
            raise DeskError("no answer is kept of that", remedy="set keep_raw: {days: 7} in wiredesk.yaml, and wait")
        report = replayed(store, found, answers, sources)
    _tell(report)
    if report.differences:
        raise SystemExit(3)


def replayed(store: Store, found: Places, answers: Sequence[RawAnswer], sources: Mapping[int, Source]) -> Report:
    """Read *answers* of these *sources* in a scratch desk, and compare what comes of them with what *store* has."""
    report = Report(answers=len(answers))
    with tempfile.TemporaryDirectory(prefix="wiredesk-replay-") as folder:
        with open_store(f"sqlite:///{folder}/scratch.sqlite3") as scratch:
            desk = accept(scratch, found.config, found.environ(), now=answers[0].received_at).desk
            desk = desk.with_model(usable_model(store))
            with scratch.read() as tx:
                mine = {source.key: source for source in tx.sources.all()}
            saving = Saving(scratch, HostQueues(lambda request: None), random=lambda: 0.5)
            made: dict[int, set[str]] = {}
            for answer in answers:
                source = mine.get(sources[answer.source_id].key)
                if source is None:
                    report.gone += 1
                    continue
                reading = _take(store, scratch, saving, desk, source, answer)
                if reading.error is not None:
                    report.failed.append((source.name, str(reading.error)))
                made.setdefault(answer.source_id, set()).update(entry.key for entry in reading.entries)
            for source_id, keys in made.items():
                first = min(answer.received_at for answer in answers if answer.source_id == source_id)
                source = mine[sources[source_id].key]
                _compare(report, (store, sources[source_id]), (scratch, source), keys, first)
    return report


def _take(store: Store, scratch: Store, saving: Saving, desk: Desk, source: Source, answer: RawAnswer) -> Reading:
    """Have *scratch* take in one answer, as the desk did when it came."""
    item = InboxItem(
        source_id=source.id,
        claim_id="replay" if answer.polled else "",
        received_at=answer.received_at,
        final_url=answer.final_url,
        asked_url=answer.asked_url,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        pushed=answer.pushed,
    )
    with scratch.write() as tx:
        (id_,) = tx.inbox.put([item])
    source = desk.completed(source)
    one = waiting(replace(item, id=id_), source, None, first=False, answer=None)
    scope = recurs_in(replace(source, id=answer.source_id), item)
    with store.read() as tx:
        learnt = tx.furniture.states([scope]).get(scope, b"") if scope else b""
    reading = read(job(one, answer.body, desk.settings, None, learnt))
    saving.save(Batch(ended=[], read=[(one, reading)], flight={}), desk, answer.received_at)
    return reading


def _compare(
    report: Report, real: tuple[Store, Source], scratch: tuple[Store, Source], keys: set[str], first: datetime
) -> None:
    """Add what differs between the entries under *keys* in the two desks, and those that came since *first* here alone.

    Where pages that were followed are not kept, nobody can tell what they would bring.
    """
    with real[0].read() as tx:
        here = _filed(tx, real[1].id, keys)
        whole = real[1].kind in ("feed", "json") or real[1].select is not None
        missing = tx.articles.keys_since(real[1].id, first) - keys if whole else set()
        here |= _filed(tx, real[1].id, missing)
    with scratch[0].read() as tx:
        there = _filed(tx, scratch[1].id, keys)
    for key in sorted(keys | missing):
        lines = _differences(here.get(key), there.get(key))
        title = (here.get(key) or there.get(key) or (None,))[0]
        if lines and title is not None:
            report.differences.append((real[1].name, title.title, lines))
        elif title is not None:
            report.same += 1


_Filed = tuple[Entry, tuple[str, ...]]


def _filed(tx: ReadTx, source_id: int, keys: Collection[str]) -> dict[str, _Filed]:
    """The stored entries of a source under *keys*, each with the sections of its article."""
    found = tx.articles.entries_of_keys(source_id, sorted(keys))
    return {
        key: (entry, tuple(sorted(filing.section for filing in tx.articles.filings_of(uid) if filing.section)))
        for key, (entry, uid) in found.items()
    }


def _differences(here: _Filed | None, there: _Filed | None) -> list[str]:
    """What would differ of an entry, a line each; none where nothing would."""
    if here is None or there is None:
        return [] if here is there else ["would be new"] if here is None else ["would not be found"]
    lines = list(_other_words(here[0], there[0]))
    if here[1] != there[1]:
        lines.append(f"sections: {', '.join(here[1]) or 'none'} → {', '.join(there[1]) or 'none'}")
    return lines


def _other_words(old: Entry, new: Entry) -> Iterator[str]:
    if old.feed_hash and old.feed_hash == new.content_hash:
        return  # the text is that of its page, which is not kept
    for name in COMPARED:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"{name}: {_short(was)} → {_short(now)}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}… ({len(text)} characters)")


def _tell(report: Report) -> None:
    for source, title, lines in report.differences[:MOST_SHOWN]:
        click.secho(f"{source}: {title}", bold=True)
        for line in lines:
            click.echo(f"    {masked(line)}")
    if len(report.differences) > MOST_SHOWN:
        click.echo(f"… and {len(report.differences) - MOST_SHOWN} more")
    for source, error in report.failed:
        click.secho(f"{source}: {masked(error)}", fg="yellow")
    click.echo(
        f"{counted(report.answers, 'answer')} read again: {counted(report.same, 'entry', 'entries')} the same, "
        f"{len(report.differences)} would differ, {counted(len(report.failed), 'answer')} can't be read"
        + (f", {report.gone} of sources that are not in config" if report.gone else "")
    )


def _time(text: str) -> datetime:
    when = parse_date(text)
    if when is None:
        raise DeskError(f"{text!r} is no time", remedy="write such as 2026-11-29 or 2026-11-29T14:00")
    return when


# ------------------------------------------------------------------------------------- bug


@click.command()
@with_places
@click.argument("name", metavar="SOURCE")
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
def bug(found: Places, name: str, file: Path | None) -> None:
    """Pack what there is to know of a source into one file (zip), for whoever is to look at it.

    It holds the answers that are kept, the source's config, its polls, and why its newest articles are where they are.
    Secrets are masked; the texts of articles are in it.
    """
    with opened(found) as store:
        running = need_running_config(store)
        source = named_source(store, name)[0]
        configured = next((one for one in running.sources if one.key == source.key), source)
        with store.read() as tx:
            answers = list(tx.raw_answers.since(None, source.id))[-MOST_PACKED:]
            uids = tx.articles.newest_of(source.id, MOST_EXPLAINED)
        texts = {
            "source.txt": _config_of(configured),
            "polls.txt": _polls_of(store, source),
            **{f"answers/{number}.txt": _head_of(answer) for number, answer in enumerate(answers, 1)},
            **{f"explain/{number}.txt": _explained(store, uid) for number, uid in enumerate(uids, 1)},
        }
    target = file or Path(f"bug-{_NOT_PLAIN.sub('-', source.name)}-{now_utc():%Y%m%dT%H%M%SZ}.zip")
    _pack(target, texts, [answer.body for answer in answers], _secrets_of(configured, found.environ()))
    held = f"{counted(len(answers), 'answer')}, {counted(len(uids), 'article')} explained"
    click.echo(f"{target}: {held}; look into it before you send it")


def _secrets_of(source: Source, environ: Mapping[str, str]) -> Redaction:
    """What of *source*'s config must not be told."""
    names = {one for text in secret_texts(source) for one in references(text)}
    written = [source.target, source.post, *(f"{header}: {value}" for header, value in source.headers)]
    secrets = Redaction()
    secrets.add({one: environ[one].strip() for one in names if one in environ}, written)
    return secrets


def _pack(target: Path, texts: Mapping[str, str], bodies: Sequence[bytes], secrets: Redaction) -> None:
    """Make the file *target* of *texts*, by their names in it, and *bodies*, without *secrets*. Raises DeskError."""
    try:
        packed = zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise DeskError(f"{target} can't be written: {error.strerror}", remedy="name another FILE") from error
    with packed:
        for name, text in texts.items():
            packed.writestr(name, "\n".join(masked(secrets.redacted(line)) for line in text.split("\n")))
        for number, body in enumerate(bodies, 1):
            plain = secrets.redacted(body.decode("latin-1")).encode("latin-1", "replace")
            packed.writestr(f"answers/{number}.body", plain)


def _config_of(source: Source) -> str:
    """The config of a source that is not as by default; header values and bodies are not shown."""
    plain = Source(key="", name="", kind="feed", target="")
    facts = {
        one.name: getattr(source, one.name)
        for one in fields(source)
        if getattr(source, one.name) != getattr(plain, one.name)
    }
    facts |= {"headers": masked_headers(source), "post": "***" if source.post else ""}
    return "\n".join(f"{name}: {value!r}" for name, value in facts.items() if value)


def _head_of(answer: RawAnswer) -> str:
    """All of an answer but its body."""
    facts = [
        f"{one.name}: {getattr(answer, one.name)}" for one in fields(answer) if one.name not in ("headers", "body")
    ]
    return "\n".join([*facts, "", *(f"{name}: {value}" for name, value in answer.headers)])


def _polls_of(store: Store, source: Source) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        show_source(store, source.name)
    return printed.getvalue()


def _explained(store: Store, uid: str) -> str:
    return "".join(f"{click.unstyle(line)}\n" for line in explanation(store, uid))

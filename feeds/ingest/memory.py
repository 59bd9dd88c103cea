"""What dedupe keeps in memory between batches, kept in step with the store; and who had an article first.

Holds state; reads and writes the store. Loaded, and read, with the first entry that has to be decided: most polls bring
none. All of it stands in the store, which gives it back at about 0.03 ms an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import DedupeSettings, FullText, Source
from feeds.dedupe import (
    Candidate,
    Deduper,
    Directory,
    OriginSigns,
    Stories,
    Window,
    choose_shown,
    credited,
    origin_signs,
    remember,
    trace,
    with_origin,
)
from feeds.model import NEVER_SHOWN, Beside, Decision, Entry, Evidence
from feeds.store import ReadTx, WriteTx
from feeds.store.relations import Line, Settled, is_dropped

READ_AT_ONCE = 2000


class Decided(Struct, frozen=True):
    """The decisions on a batch, a tuple for each of its sources; `undo` when they could not be saved."""

    deduper: Deduper | None
    decisions: list[tuple[Decision, ...]]
    missing: frozenset[tuple[int, str]] = frozenset()  # as in `Known`

    @property
    def merged(self) -> dict[str, str]:
        """The stories that became part of others, gone → kept."""
        return dict(self.deduper.merged) if self.deduper is not None else {}

    @property
    def moved(self) -> dict[str, str]:
        """The stories that articles which came before went to, before stories merged (article → story)."""
        return dict(self.deduper.moved) if self.deduper is not None else {}

    def undo(self) -> None:
        """Let memory forget what this batch taught it."""
        if self.deduper is not None:
            self.deduper.undo()


class Memory:
    """The texts and stories of the last two weeks, or as far back as config has it."""

    def __init__(self) -> None:
        self._limits = DedupeSettings()
        self.crowded: tuple[str, ...] = ()
        """What could not be kept as long as it should be, in words: some of it is not compared with."""
        self._window: Window | None = None
        self._stories: Stories | None = None
        self._reaches = 0
        self._behind = True

    def decide(
        self,
        tx: ReadTx,
        batch: Sequence[tuple[int, Sequence[Entry]]],
        *,
        now: datetime,
        language: str,
        beside: Mapping[int, Beside] | None = None,
        limits: DedupeSettings | None = None,
    ) -> Decided:
        """Decide a *batch* of (source id, entries) over what the store has now; *beside* says, by source id,
        what else their documents hold.
        """
        if not any(entries for _, entries in batch):
            return Decided(None, [() for _ in batch])
        window, stories = self._catch_up(tx, now, limits or self._limits)
        known = tx.articles.known(batch, beside)
        deduper = Deduper(known, now=now, window=window, stories=stories, language=language)
        try:
            decided = deduper.decide_all(batch, beside)
            changed = {one.article_uid for one in chain.from_iterable(decided) if one.kind == "updated"}
            if changed and (kept := tx.relations.containments(changed)):
                decided = deduper.apart(decided, kept)
        except BaseException:
            deduper.undo()
            raise
        self.crowded = tuple(_crowded(window, stories, self._limits, now))
        return Decided(deduper, decided, known.missing)

    def is_current(self, tx: ReadTx) -> bool:
        """Whether nobody saved an entry since this memory was last in step; ask under the dedupe lock. What is decided
        after it was not is decided by what they saved, too.
        """
        self._behind = tx.articles.newest_entry() != self._reaches
        return not self._behind

    def saved(self, newest: int) -> None:
        """What this memory decided has been saved, up to the entry of that number; 0: no entry came."""
        self._reaches = newest or self._reaches

    def _catch_up(self, tx: ReadTx, now: datetime, limits: DedupeSettings) -> tuple[Window, Stories]:
        """Take in what others saved where this is known to be behind, or all of it before anything was decided or by
        other *limits*; what is in memory then.
        """
        if self._window is None or self._stories is None or limits != self._limits:
            self._limits, self._reaches, self._behind = limits, 0, True
            self._window, self._stories = Window(days=limits.days, most=limits.articles), Stories(most=limits.stories)
        if not self._behind:
            return self._window, self._stories
        newest = tx.articles.newest_entry()
        since = now - timedelta(days=limits.days)
        while self._reaches < newest:
            stored = tx.articles.signatures(self._reaches, since, READ_AT_ONCE)
            remember(stored, self._window, self._stories)
            self._window.forget(now)  # no more than may stay is ever in memory, or hardly
            self._reaches = stored[-1].id if stored else newest
        self._behind = False
        return self._window, self._stories


def _crowded(window: Window, stories: Stories, limits: DedupeSettings, now: datetime) -> Iterator[str]:
    reaches = window.reaches_days(now)
    if reaches < limits.days - 0.5:
        yield (
            f"new articles are compared with those of the last {reaches:.0f} days alone, and not of {limits.days}:"
            f" dedupe.articles ({limits.articles}) are in memory"
        )
    if stories.crowded:
        yield f"articles find the freshest stories alone: dedupe.stories ({limits.stories}) are in memory"


# ------------------------------------------------ who had an article first

Groups = list[tuple[Decision, ...]]


MOST_SIGNS = 20_000
"""Entries of which is remembered what they say of where they come from: some 400 bytes each, and every further copy
of their article asks it again.
"""


class Credits:
    """Who had an article first: asked of dedupe, once for every entry that comes or changes. Holds the directory of the
    configured sources, made again when the config changes.

    Two moments: before an entry is saved its credit gets the address of the source that it means, though that source
    may have brought nothing yet; and in the transaction that saves a copy or an update, the entries of its article are
    weighed together, for then the original may have come.
    """

    def __init__(self) -> None:
        self._directory: Directory | None = None
        self._signs: dict[int, tuple[datetime, OriginSigns]] = {}
        self._of: object = None

    def undo(self) -> None:
        """Forget what entries said that could not be saved: other ones will have their row numbers."""
        self._signs.clear()

    def credit(self, tx: ReadTx, sources: Sequence[Source], groups: Groups, config: object) -> Groups:
        """The decisions with the origin of each entry made out; *sources* say who brought each group."""

        def completed(decision: Decision, source: Source) -> Decision:
            if decision.kind not in ("new", "copy", "updated"):
                return decision
            credit = credited(decision.entry, source)
            if credit is None:
                return decision
            meant = self._known(tx, config).meant(credit)
            known = tx.sources.by_id(meant.id) if meant is not None else None
            site = known[1].site_url if known is not None else None
            return replace(decision, entry=with_origin(decision.entry, credit, meant, site))

        return [
            tuple(completed(decision, source) for decision in group)
            for group, source in zip(groups, sources, strict=True)
        ]

    def settle(self, tx: WriteTx, groups: Groups, desk_rights: FullText) -> None:
        """Weigh the entries of every article that got a copy or changed, or that credits somebody else."""
        uids = {decision.article_uid for decision in chain.from_iterable(groups) if _asks_who_was_first(decision)}
        if not uids:
            return
        several = tx.relations.lines(sorted(uids))
        every = list(chain.from_iterable(several.values()))
        by_id = tx.sources.by_ids(sorted({line.source_id for line in every}))
        signs = self._signs_of(tx, every, _just_saved(groups))
        drops = _drops(groups)
        settled = {uid: self._weighed(lines, signs, by_id, drops, desk_rights) for uid, lines in several.items()}
        tx.relations.settle(settled)

    def _signs_of(
        self, tx: ReadTx, lines: Sequence[Line], saved: Mapping[tuple[int, str], Entry]
    ) -> dict[int, OriginSigns]:
        """What the entries of *lines* say, by row; read where it is not remembered, nor *saved* a moment ago."""
        strange = [line for line in lines if self._signs.get(line.id, (None,))[0] != line.changed_at]
        new = {line.id: saved[line.source_id, line.key] for line in strange if (line.source_id, line.key) in saved}
        new |= tx.relations.entries([line.id for line in strange if line.id not in new])
        for line in strange:
            self._signs.pop(line.id, None)
            self._signs[line.id] = line.changed_at, origin_signs(new[line.id])
        found = {line.id: self._signs[line.id][1] for line in lines}
        for oldest in list(islice(self._signs, max(0, len(self._signs) - MOST_SIGNS))):
            del self._signs[oldest]
        return found

    def _weighed(
        self,
        lines: list[Line],
        signs: Mapping[int, OriginSigns],
        by_id: dict[int, Source],
        drops: Mapping[tuple[int, str], Sequence[Evidence]],
        desk_rights: FullText,
    ) -> list[Settled]:
        kept = [line.evidence_with(drops.get((line.source_id, line.key))) for line in lines]
        candidates = [
            Candidate(
                signs=signs[line.id],
                source=by_id[line.source_id],
                first_seen=line.first_seen,
                dropped=is_dropped(evidence),
            )
            for line, evidence in zip(lines, kept, strict=True)
        ]
        found = trace(candidates)
        now = next((at for at, line in enumerate(lines) if line.shown), 0)
        shown = choose_shown(candidates, found, now, desk_rights)
        return [
            Settled(
                line=line,
                shown=at == shown,
                copy=at != found.original,
                evidence=(*(each for each in kept[at] if each.kind != "lineage"), found.evidence[at]),
            )
            for at, line in enumerate(lines)
        ]

    def _known(self, tx: ReadTx, config: object) -> Directory:
        if self._directory is None or self._of is not config:
            self._directory = Directory(tx.sources.all())
            self._of = config
        return self._directory


def _asks_who_was_first(decision: Decision) -> bool:
    return decision.kind in ("copy", "updated") or (decision.kind == "new" and decision.entry.origin is not None)


def _drops(groups: Groups) -> dict[tuple[int, str], list[Evidence]]:
    """Why the sources of the entries that *groups* have saved drop them, by source and key; empty where they do not."""
    return {
        (one.source_id, one.entry.key): [each for each in one.evidence if each.kind == NEVER_SHOWN]
        for one in chain.from_iterable(groups)
        if one.kind in ("new", "copy", "updated")
    }


def _just_saved(groups: Groups) -> dict[tuple[int, str], Entry]:
    """The entries that *groups* have saved, by source and key: those of which there is no doubt which one was."""
    saved: dict[tuple[int, str], Entry] = {}
    twice: set[tuple[int, str]] = set()
    for decision in chain.from_iterable(groups):
        here = decision.source_id, decision.entry.key
        if here in saved or decision.kind not in ("new", "copy", "updated"):
            twice.add(here)
        saved[here] = decision.entry
    return {here: entry for here, entry in saved.items() if here not in twice}

"""Who had an article first: asked of dedupe, once for every entry that comes or changes. Reads and writes the store.

Two moments: before an entry is saved its credit gets the address of the source that it means, though that source may
have brought nothing yet; and in the transaction that saves a copy or an update, the entries of its article are weighed
together, for then the original may have come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from feeds.configuration import FullText, Source
from feeds.dedupe import Candidate, Directory, OriginSigns, choose_shown, credited, origin_signs, trace, with_origin
from feeds.model import Decision, Entry
from feeds.store import ReadTx, WriteTx
from feeds.store.relations import Line, Settled

Groups = list[tuple[Decision, ...]]


MOST_SIGNS = 20_000
"""Entries of which is remembered what they say of where they come from: some 400 bytes each, and every further copy
of their article asks it again.
"""


class Credits:
    """Holds the directory of the configured sources, made again when the config changes."""

    def __init__(self) -> None:
        self._directory: Directory | None = None
        self._signs: dict[int, tuple[datetime, OriginSigns]] = {}
        self._of: object = None

    def undo(self) -> None:
        """Forget what entries said that could not be saved: other ones will have their row numbers."""
        self._signs.clear()

    def credit(self, tx: ReadTx, sources: Sequence[Source], groups: Groups, config: object) -> Groups:
        """The decisions with the origin of each entry made out; *sources* say who brought each group."""
        fresh = any(decision.kind in ("new", "copy", "updated") for group in groups for decision in group)
        if not fresh:
            return groups
        directory = self._known(tx, config)

        def completed(decision: Decision, source: Source) -> Decision:
            if decision.kind not in ("new", "copy", "updated"):
                return decision
            credit = credited(decision.entry, source)
            if credit is None:
                return decision
            meant = directory.meant(credit)
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
        if not uids or self._directory is None:
            return
        several = tx.relations.lines(sorted(uids))
        every = list(chain.from_iterable(several.values()))
        by_id = tx.sources.by_ids(sorted({line.source_id for line in every}))
        signs = self._signs_of(tx, every, _just_saved(groups))
        tx.relations.settle({uid: self._weighed(lines, signs, by_id, desk_rights) for uid, lines in several.items()})

    def _signs_of(
        self, tx: ReadTx, lines: Sequence[Line], saved: Mapping[tuple[int, str], Entry]
    ) -> dict[int, OriginSigns]:
        """What the entries of *lines* say, by row; read where it is not remembered, nor *saved* a moment ago."""
        found = {
            line.id: known[1]
            for line in lines
            if (known := self._signs.get(line.id)) is not None and known[0] == line.changed_at
        }
        strange = [line for line in lines if line.id not in found]
        new = {line.id: saved[line.source_id, line.key] for line in strange if (line.source_id, line.key) in saved}
        new |= tx.relations.entries([line.id for line in strange if line.id not in new])
        for line in strange:
            found[line.id] = origin_signs(new[line.id])
            self._signs.pop(line.id, None)
            self._signs[line.id] = line.changed_at, found[line.id]
        while len(self._signs) > MOST_SIGNS:
            del self._signs[next(iter(self._signs))]
        return found

    def _weighed(
        self, lines: list[Line], signs: Mapping[int, OriginSigns], by_id: dict[int, Source], desk_rights: FullText
    ) -> list[Settled]:
        assert self._directory is not None
        candidates = [
            Candidate(signs=signs[line.id], source=by_id[line.source_id], first_seen=line.first_seen) for line in lines
        ]
        found = trace(candidates, self._directory)
        now = next((at for at, line in enumerate(lines) if line.shown), 0)
        shown = choose_shown(candidates, found, now, desk_rights)
        return [
            Settled(
                line=line,
                shown=at == shown,
                copy=at != found.original,
                evidence=(*(each for each in line.evidence if each.kind != "lineage"), found.why(at)),
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

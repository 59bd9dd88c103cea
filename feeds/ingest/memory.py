"""What dedupe keeps in memory between batches, kept in step with the store. Holds state; reads the store.

Nothing is read before the first entry has to be decided: most polls bring none. All of it stands in the store, which
gives it back at about 0.1 ms an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from feeds.configuration import DedupeSettings
from feeds.dedupe import Deduper, Sketched, Stories, Window, remember
from feeds.model import Beside, Decision, Entry
from feeds.store import ReadTx

READ_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions on a batch, a tuple for each of its sources; `undo` when they could not be saved."""

    deduper: Deduper | None
    decisions: list[tuple[Decision, ...]]

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

    def decide(
        self,
        tx: ReadTx,
        batch: Sequence[tuple[int, Sequence[Entry]]],
        *,
        now: datetime,
        language: str,
        beside: Mapping[int, Beside] | None = None,
        sketches: Sequence[Sequence[Sketched]] | None = None,
        limits: DedupeSettings | None = None,
    ) -> Decided:
        """Decide a *batch* of (source id, entries) over what the store has now; *beside* says, by source id,
        what else their documents hold.

        *sketches* of the entries of each source spare making them here, where nothing else goes on meanwhile.
        """
        if not any(entries for _, entries in batch):
            return Decided(None, [() for _ in batch])
        window, stories = self._catch_up(tx, now, limits or self._limits)
        deduper = Deduper(tx.articles.known(batch, beside), now=now, window=window, stories=stories, language=language)
        try:
            decided = deduper.decide_all(batch, sketches or (), beside)
            changed = {one.article_uid for one in chain.from_iterable(decided) if one.kind == "updated"}
            if changed and (kept := tx.relations.containments(changed)):
                decided = deduper.apart(decided, kept)
        except BaseException:
            deduper.undo()
            raise
        self.crowded = tuple(_crowded(window, stories, self._limits, now))
        return Decided(deduper, decided)

    def is_current(self, tx: ReadTx) -> bool:
        """Whether nobody saved an entry since this memory was last in step; ask under the dedupe lock."""
        return tx.articles.newest_entry() == self._reaches

    def saved(self, newest: int) -> None:
        """What this memory decided has been saved, up to the entry of that number."""
        self._reaches = newest

    def _catch_up(self, tx: ReadTx, now: datetime, limits: DedupeSettings) -> tuple[Window, Stories]:
        """Take in what others saved, or all of it before anything was decided or by other *limits*; what is in memory
        then.
        """
        if self._window is None or self._stories is None or limits != self._limits:
            self._limits, self._reaches = limits, 0
            self._window, self._stories = Window(days=limits.days, most=limits.articles), Stories(most=limits.stories)
        newest = tx.articles.newest_entry()
        since = now - timedelta(days=limits.days)
        while self._reaches < newest:
            stored = tx.articles.signatures(self._reaches, since, READ_AT_ONCE)
            remember(stored, self._window, self._stories)
            self._window.forget(now)  # no more than may stay is ever in memory, or hardly
            self._reaches = stored[-1].id if stored else newest
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

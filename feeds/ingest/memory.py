"""What dedupe keeps in memory between batches, kept in step with the store. Holds state; reads the store and one file.

Nothing is read, nor the libraries behind it loaded, before the first entry has to be decided: most polls bring none.
A process that ends keeps its memory as a file (`feeds.files`), and the next one takes it over if it is of this desk and
of the store's present past, and reads back only what came since. All of it stands in the store, so it may be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds import files
from feeds.dedupe import Deduper, Sketched, Stories, Window, recall, remember
from feeds.model import Beside, Decision, Entry
from feeds.store import ReadTx

WINDOW = timedelta(days=14)
READ_AT_ONCE = 5000
KEPT = "memory"
KEPT_AFTER = 1000
"""So many entries, and a tenth of all, came since the file was written, before it is written anew: reading back as many
takes less than writing all."""
MOST_KEPT = 100_000
"""Entries; the file has a kilobyte for each."""


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
    """The texts and stories of the last two weeks."""

    def __init__(self) -> None:
        self._window: Window | None = None
        self._stories: Stories | None = None
        self._reaches = 0
        self._kept = 0  # what the file reaches to
        self._settled = False  # all that it holds has been saved

    def decide(
        self,
        tx: ReadTx,
        batch: Sequence[tuple[int, Sequence[Entry]]],
        *,
        now: datetime,
        language: str,
        beside: Mapping[int, Beside] | None = None,
        sketches: Sequence[Sequence[Sketched]] | None = None,
    ) -> Decided:
        """Decide a *batch* of (source id, entries) over what the store has now; *beside* says, by source id,
        what else their documents hold.

        *sketches* of the entries of each source spare making them here, where nothing else goes on meanwhile.
        """
        if not any(entries for _, entries in batch):
            return Decided(None, [() for _ in batch])
        if self._window is None or self._stories is None:
            self._window, self._stories = self._taken_over(tx, language) or (Window(), Stories())
        self._settled = False
        self._catch_up(tx, self._window, self._stories, now)
        deduper = Deduper(
            tx.articles.known(batch, beside), now=now, window=self._window, stories=self._stories, language=language
        )
        try:
            decided = deduper.decide_all(batch, sketches or (), beside)
            changed = {one.article_uid for many in decided for one in many if one.kind == "updated"}
            if changed and (kept := tx.relations.containments(changed)):
                decided = deduper.apart(decided, kept)
        except BaseException:
            deduper.undo()
            raise
        return Decided(deduper, decided)

    def is_current(self, tx: ReadTx) -> bool:
        """Whether nobody saved an entry since this memory was last in step; ask under the dedupe lock."""
        return tx.articles.newest_entry() == self._reaches

    def saved(self, newest: int) -> None:
        """What this memory decided has been saved, up to the entry of that number."""
        self._reaches = newest
        self._settled = True

    def keep(self, tx: ReadTx, language: str) -> None:
        """Keep it for the next process, where enough came to make that worth while."""
        if self._window is None or self._stories is None or not self._settled or len(self._window) > MOST_KEPT:
            return
        if self._reaches - self._kept <= max(KEPT_AFTER, len(self._window) // 10):
            return
        head = _head(tx, language, self._reaches)
        files.put_cached(KEPT, recall.made_of(), {"head": head, **recall.pack(self._window, self._stories)})
        self._kept = self._reaches

    def _taken_over(self, tx: ReadTx, language: str) -> tuple[Window, Stories] | None:
        """What another process kept; None where there is nothing, or not of this desk, or of a past that is no more."""
        parts = files.find_cached(KEPT, recall.made_of())
        try:
            reaches = int(bytes(parts["head"]).partition(b" ")[0]) if parts is not None else 0
            if parts is None or bytes(parts["head"]) != _head(tx, language, reaches):
                return None
            found = recall.unpack(parts)
        except (KeyError, ValueError):
            return None
        self._reaches = self._kept = reaches
        return found

    def _catch_up(self, tx: ReadTx, window: Window, stories: Stories, now: datetime) -> None:
        newest = tx.articles.newest_entry()
        while self._reaches < newest:
            stored = tx.articles.signatures(self._reaches, now - WINDOW, READ_AT_ONCE)
            remember(stored, window, stories)
            self._reaches = stored[-1].id if stored else newest


def _head(tx: ReadTx, language: str, reaches: int) -> bytes:
    """What a kept memory is of. A store that was put back to an older state has no such entry, or another one."""
    return f"{reaches} {language} {tx.configs.desk_id()} {tx.articles.entry_mark(reaches)}".encode()

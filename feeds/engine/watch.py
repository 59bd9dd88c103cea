"""When config files are looked at again: after a change has settled, never in the midst of it. I/O: files.

Editors write a file in several ways: over itself, as a new one put in its place, with swap and backup files beside it;
others swap a whole folder behind a symlink. A change counts when it has stood still for a moment, and what became
empty or went away has longer, for that is how a file looks that is being written anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from feeds.settings import Config, ConfigErrors, fingerprint
from feeds.settings.load import Fingerprint

SETTLE_S = 0.3
EMPTIED_S = 3.0


class Judging(Protocol):
    """Who judges: `judge.Judge`, or what a test puts in its place."""

    def warm(self) -> None: ...
    def judge(self) -> Config | ConfigErrors: ...


class Watch:
    """Looks at the files of *folder*; *judge* says what they hold. For one thread."""

    def __init__(
        self,
        folder: Path,
        judge: Judging,
        *,
        judged: Fingerprint | None = None,
        opml_files: Iterable[str] = (),
    ) -> None:
        self._folder = folder
        self._judge = judge
        self._opml_files = tuple(opml_files)
        self._judged = judged
        self._settling: Fingerprint | None = None
        self._since_s = 0.0

    def look(self, at_s: float) -> Config | ConfigErrors | None:
        """Give what the files say where they changed and the change has settled, else None. *at_s*: monotonic."""
        seen = fingerprint(self._folder, self._opml_files)
        if seen == self._judged:
            self._settling = None
            return None
        if seen != self._settling:
            self._settling, self._since_s = seen, at_s
            self._judge.warm()
            return None
        if at_s - self._since_s < (EMPTIED_S if self._emptied(seen) else SETTLE_S):
            return None
        verdict = self._judge.judge()
        if fingerprint(self._folder, self._opml_files) != seen:
            return None  # changed while they were judged: what was read may be of two saves
        self._opml_files = tuple(verdict.opml_files)
        self._judged = fingerprint(self._folder, self._opml_files)
        self._settling = None
        return verdict

    def again(self) -> None:
        """Have the files judged once more, though they did not change."""
        self._judged = None

    def _emptied(self, seen: Fingerprint) -> bool:
        before = {name: size for name, _, size, _, _ in self._judged or ()}
        return any(size <= 0 < before.get(name, 0) for name, _, size, _, _ in seen)

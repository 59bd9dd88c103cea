"""What rules may ask of an entry, folded once for all rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from feeds.filing.phrases import Phrases
from feeds.model import Entry, Source
from feeds.text import fold, words


@dataclass(frozen=True, kw_only=True)
class Facts:
    """An entry and its source, as rules see them."""

    entry: Entry
    source: Source
    phrases: Phrases

    @cached_property
    def categories(self) -> dict[str, str]:
        """Folded category → as the publisher wrote it."""
        named = [name for category in self.entry.categories for name in (category.term, category.label) if name]
        return {fold(name): name for name in named}

    @cached_property
    def breadcrumb(self) -> tuple[str, ...]:
        """The folded breadcrumb, without a leading "home"."""
        folded = tuple(fold(part) for part in self.entry.breadcrumb)
        return folded[1:] if folded[:1] in (("home",), ("homepage",), ("start",)) else folded

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The folded segments of the article's own address."""
        address = self.entry.canonical_url or self.entry.link
        if not address:
            return ()
        return tuple(fold(unquote(part)) for part in urlsplit(address).path.split("/") if part)

    @cached_property
    def found(self) -> set[str]:
        """The keyword phrases, of all rules at once, that stand in title, summary or text."""
        return self.phrases.found(words(f"{self.entry.title}\n{self.entry.text}"))

    @cached_property
    def prose(self) -> str:
        """Title and text as written, for regular expressions."""
        return f"{self.entry.title}\n{self.entry.text}"

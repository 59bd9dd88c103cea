"""The accepted config made ready for work: compiled rules, sources with their secrets. Pure once made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from feeds.configuration import Section, Settings, Source
from feeds.errors import FetchError
from feeds.filing import FilingRules
from feeds.parsed import Answer
from feeds.redaction import Redaction

if TYPE_CHECKING:
    from feeds.filing.text_model import Model


class Desk(Struct, frozen=True, kw_only=True):
    """What the flows need of an accepted config. All else about sources stands in the store.

    *secret* are the sources of which the store lacks something, by key: secrets in address, headers or body, filled in
    from the environment (never log them), or folders that links may lead to. *secrets* are those by their values;
    *lacking* are the keys of sources whose secrets this environment does not have. *folder* is the config folder,
    against which sources of documents are relative.
    """

    version: int
    folder: Path
    settings: Settings
    sections: tuple[Section, ...]
    secret: Mapping[str, Source]
    filing_rules: FilingRules
    secrets: Redaction = field(default_factory=Redaction)
    lacking: frozenset[str] = frozenset()

    def with_model(self, model: Model | None) -> Desk:
        """The same desk, whose rules ask *model*."""
        filing_rules = self.filing_rules.with_model(model)
        return self if filing_rules is self.filing_rules else replace(self, filing_rules=filing_rules)

    def keeps_secret(self, source: Source) -> bool:
        """Whether *source* is asked with something that nobody else is to know."""
        return source.key in self.secret or source.key in self.lacking

    def completed(self, source: Source) -> Source:
        """*source* with what the store does not have of it."""
        secret = self.secret.get(source.key)
        if secret is None:
            return source
        return replace(secret, id=source.id)

    def redacted(self, answer: Answer) -> Answer:
        """*answer* fit to be stored: `${NAME}` stands where an address holds a secret. Its request is as it was."""
        redacted = self.secrets.redacted
        return replace(
            answer,
            final_url=redacted(answer.final_url),
            redirects=tuple(
                replace(hop, url=redacted(hop.url), target=redacted(hop.target)) for hop in answer.redirects
            ),
        )

    def redact(self, error: FetchError) -> None:
        """Have *error*, which is logged and stored, show `${NAME}` where a secret stands in an address."""
        redacted = self.secrets.redacted
        error.cause, error.remedy, error.url = redacted(error.cause), redacted(error.remedy), redacted(error.url)
        error.args = (error.cause,)

"""The accepted config made ready for work: compiled rules, sources with their secrets. Pure once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from feeds.errors import FetchError
from feeds.filing import FilingRules
from feeds.model import Answer, Section, Settings, Source

if TYPE_CHECKING:
    from feeds.filing.learned.text_model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the flows need of an accepted config. All else about sources stands in the store.

    *secret* are the sources of which the store lacks something, by key: secrets in address or headers, filled in from
    the environment (never log them), or folders that links may lead to. *values* are those secrets by name. *folder* is
    the config folder, against which sources of documents are relative.
    """

    version: int
    folder: Path
    settings: Settings
    sections: tuple[Section, ...]
    secret: Mapping[str, Source]
    filing_rules: FilingRules
    values: Mapping[str, str] = field(default_factory=dict)

    def with_model(self, model: Model | None) -> Desk:
        """The same desk, whose rules ask *model*."""
        filing_rules = self.filing_rules.with_model(model)
        return self if filing_rules is self.filing_rules else replace(self, filing_rules=filing_rules)

    def concealed(self, answer: Answer) -> Answer:
        """*answer* fit to be stored: `${NAME}` stands where an address holds a secret. Its request is as it was."""
        if not self.values:
            return answer
        return replace(
            answer,
            final_url=self._conceal(answer.final_url),
            redirects=tuple(
                replace(hop, url=self._conceal(hop.url), target=self._conceal(hop.target)) for hop in answer.redirects
            ),
        )

    def conceal_in(self, error: FetchError) -> None:
        """Have *error*, which is logged and stored, tell `${NAME}` where a secret stands in an address."""
        if self.values:
            error.cause, error.remedy = self._conceal(error.cause), self._conceal(error.remedy)
            error.url, error.args = self._conceal(error.url), (error.cause,)

    def revealed(self, url: str | None) -> str | None:
        """An address as it was before `concealed`: for asking alone."""
        if url is None or "${" not in url:
            return url
        for name, value in self.values.items():
            url = url.replace(f"${{{name}}}", quote(value, safe=""))
        return url

    def _conceal(self, url: str) -> str:
        for name, value in self.values.items():
            for form in (quote(value, safe=""), value):
                url = url.replace(form, f"${{{name}}}")
        return url

"""The catalogues of the pages: taken from code and templates, brought up to date and compiled (`bin/translate`)."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from feeds.serve.wording import LANGUAGES

SERVE = Path(__file__).parents[2] / "feeds" / "serve"
LOCALE = SERVE / "locale"
KEYWORDS = {"_": None, "gettext": None, "noted": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
METHODS = [("templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}


def extracted() -> Catalog:
    """What code and templates say, without where: places move with every change."""
    catalogue = Catalog(project="Wiredesk", charset="utf-8")
    found = extract_from_dir(SERVE, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",))
    for name, _, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        del name
        catalogue.add(message, auto_comments=comments, context=context)
    return catalogue


def po_of(language: str) -> Path:
    """The file that people edit."""
    return LOCALE / language / "LC_MESSAGES" / "pages.po"


def read(language: str) -> Catalog:
    """The catalogue of a language as it stands."""
    with po_of(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """What the pages read."""
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def anew(language: str) -> Catalog:
    """The catalogue of a language with all that is said now; a time in its head would differ with every run."""
    never = datetime(2026, 1, 1, tzinfo=UTC)
    comment = f"# The pages' words: {language}"
    about = {"project": "Wiredesk", "version": "1", "msgid_bugs_address": "none", "last_translator": "Wiredesk"}
    catalogue = Catalog(
        locale=language, header_comment=comment, creation_date=never, revision_date=never, fuzzy=False, **about
    )
    known = read(language) if po_of(language).exists() else Catalog(locale=language)
    for message in extracted():
        if message.id:
            there = known.get(message.id, message.context)
            string = there.string if there else None
            catalogue.add(message.id, string, auto_comments=message.auto_comments, context=message.context)
    return catalogue


def main() -> None:
    """Bring every catalogue up to date, and compile it; say what has no translation yet."""
    for language in LANGUAGES[1:]:
        path = po_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = anew(language)
        with path.open("wb") as file:
            write_po(file, catalogue, width=120)
        path.with_suffix(".mo").write_bytes(compiled(read(language)))
        missing = [one.id for one in catalogue if one.id and not one.string or one.id and not all(one.string)]
        print(f"{language}: {len(catalogue)} messages, {len(missing)} without translation")


if __name__ == "__main__":
    main()

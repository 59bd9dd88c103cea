"""What the desk ships: a config that holds, without warnings, and articles with pictures in a folder."""

from datetime import UTC, datetime
from pathlib import Path

from feeds.configuration import Source
from feeds.filing import FilingRules
from feeds.ingest.reading import Job, read
from feeds.model import Entry
from feeds.parse.folder_files import front_matter
from feeds.serve.site import Assets
from feeds.settings import load_config
from feeds.urls import OWN

CONFIG = Path(__file__).parents[2] / "config"
DESKS = "world politics business technology science health sport culture local".split()


def test_the_shipped_config_holds_without_a_warning():
    config = load_config(CONFIG, {})
    assert config.warnings == ()
    # One section at the top, which pages look through, and nine below it.
    assert [section.path for section in config.sections] == ["news", *(f"news/{name}" for name in DESKS)]
    feeds = [source for source in config.sources if source.kind == "feed"]
    assert len(feeds) >= 30
    assert {source.section for source in feeds} >= {f"news/{name}" for name in DESKS if name != "local"}


def test_every_shipped_feed_is_asked_over_https():
    for source in load_config(CONFIG, {}).sources:
        assert source.kind == "files" or source.target.startswith("https://")


def test_every_shipped_article_has_the_form_of_a_plain_document():
    config = load_config(CONFIG, {})
    (folder,) = [source for source in config.sources if source.kind == "files"]
    assert folder.full_text == "full"
    breadcrumbs = {"News > " + section.title for section in config.sections}
    articles = sorted(CONFIG.glob(folder.target))
    filed: dict[str, int] = {}
    pictures = 0
    for article in articles:
        stated, body = front_matter(article.read_text())
        paragraphs = body.strip().split("\n\n")
        assert paragraphs[0] in breadcrumbs
        assert len(paragraphs[1]) < 100 < len(paragraphs[2])
        assert any(paragraph.startswith("• ") for paragraph in paragraphs)
        assert any('"' in paragraph for paragraph in paragraphs)
        assert paragraphs[-2].startswith("Source: ")
        assert paragraphs[-1] == "the tidewick lantern"
        filed[paragraphs[0]] = filed.get(paragraphs[0], 0) + 1
        if stated is not None:
            assert set(stated) == {"image", "image_alt"} and stated["image"].startswith("/static/")
            assert stated["image"].removeprefix("/static/") in Assets.shipped().by_served_name
            pictures += 1
    assert (len(articles), len(filed)) == (14, 9)
    assert pictures >= 8


def test_an_article_in_the_plain_form_is_filed_under_news_world():
    """By its breadcrumb, as the publisher printed it."""
    config = load_config(CONFIG, {})
    (folder,) = [source for source in config.sources if source.kind == "files"]
    filing_rules = FilingRules(config.sections)
    for name in ("ferry.txt", "lighthouse.md"):
        [entry] = _read(CONFIG / "articles" / name, folder)
        found = {one.section: one.reason for one in filing_rules.place(entry, folder)}
        assert "breadcrumb 'News > World'" in found["news/world"]
    assert entry.image is not None
    assert entry.image.url == f"{OWN}/static/tidewick-lighthouse.jpg"


def _read(file: Path, source: Source) -> tuple[Entry, ...]:
    return read(
        Job(
            reader="document",
            name=file.name,
            body=file.read_bytes(),
            url=f"file:{file.name}",
            source=source,
            received_at=datetime(2026, 11, 1, tzinfo=UTC),
            desk_language="en",
            desk_timezone="UTC",
        )
    ).entries

"""What the desk ships: a config that holds, without warnings, and articles in a folder."""

from pathlib import Path

from feeds.settings import load_config

CONFIG = Path(__file__).parents[2] / "config"


def test_the_shipped_config_holds_without_a_warning():
    config = load_config(CONFIG, {})
    assert config.warnings == ()
    assert {section.path for section in config.sections} >= {
        "news", "news/world", "news/politics", "news/business", "news/technology", "news/science", "news/health",
        "news/sports", "news/culture", "news/local",
    }  # fmt: skip
    assert len([source for source in config.sources if source.kind == "feed"]) >= 20


def test_every_shipped_feed_is_asked_over_https():
    for source in load_config(CONFIG, {}).sources:
        assert source.kind == "files" or source.target.startswith("https://")


def test_every_shipped_article_has_the_form_of_a_plain_document():
    config = load_config(CONFIG, {})
    (folder,) = [source for source in config.sources if source.kind == "files"]
    assert folder.full_text == "full"
    breadcrumbs = {"News > " + section.title for section in config.sections}
    articles = sorted(CONFIG.glob(folder.target))
    assert 4 <= len(articles) <= 6
    for article in articles:
        paragraphs = article.read_text().strip().split("\n\n")
        assert paragraphs[0] in breadcrumbs
        assert len(paragraphs[1]) < 100 < len(paragraphs[2])
        assert any(paragraph.startswith("• ") for paragraph in paragraphs)
        assert any(paragraph.startswith('"') for paragraph in paragraphs)
        assert paragraphs[-2].startswith("Source: ")
        assert paragraphs[-1] == "the tidewick lantern"

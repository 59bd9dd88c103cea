"""An admin in a real browser: breaks a config file and mends it, and hears of a source that died."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.desk import until


def test_a_broken_config_shows_its_line_until_it_is_mended(visit, desk):
    file = desk.config / "sources.yaml"
    good = file.read_text(encoding="utf-8")
    bad = (
        good
        + "- name: Broken\n  url: http://127.0.0.1:1/x\n  section: news/harbor\n  headers: {X-Feed-Key: hushhush}\n"
    )
    line = bad.count("\n") - 1
    page = visit("/status")
    assert page.locator("#config-good").count() == 1
    try:
        file.write_text(bad, encoding="utf-8")
        until(lambda: page.reload() and page.locator("#config-errors").count() == 1, 20, "the error on /status")
        mistake = page.locator("#config-errors").inner_text()
        assert f"sources.yaml:{line}:" in mistake and "news/harbour" in mistake
        assert "section: news/harbor" in page.locator(".wrong").inner_text()
        assert "hushhush" not in page.content()
    finally:
        file.write_text(good, encoding="utf-8")
    until(lambda: page.reload() and page.locator("#config-good").count() == 1, 20, "the end of the error")


def test_a_dead_source_is_told_once_and_is_over_when_it_answers(visit, desk, press):
    page = visit("/status")
    press.broken.add("ledger")
    try:
        until(lambda: b"Ledger" in desk.get("/status.atom").body, 30, "the alarm")
        feed = desk.get("/status.atom").body.decode()
        assert feed.count('term="gone"') == 1 and "<title>Gone: The Ledger of Record &amp; Commerce" in feed
        page.reload()
        row = page.locator("tr.trouble").filter(has_text="Ledger")
        assert "gone" in row.inner_text()
        row.get_by_role("link").click()
        page.wait_for_url("**/status/source/ledger")
        assert "410" in page.locator("main").inner_text() and "What to do" in page.locator("main").inner_text()
    finally:
        press.broken.discard("ledger")
        desk.command("poll", "ledger")
    until(lambda: b"Over: Gone: The Ledger" in desk.get("/status.atom").body, 30, "the end of the alarm")


def test_sources_are_filtered_and_sorted_without_a_script(visit):
    page = visit("/status", script=False)
    page.get_by_role("link", name="by name").click()
    page.wait_for_url("**sort=name**")
    names = page.locator("table.sources tbody th").all_inner_texts()
    assert names == sorted(names, key=str.casefold) and len(names) == 4
    page.get_by_label("Name or address holds").fill("gazette")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**q=gazette**")
    assert page.locator("table.sources tbody th").all_inner_texts() == ["Coast Gazette"]


def test_the_numbers_are_there_for_prometheus(desk):
    desk.get("/news.rss", {"User-Agent": "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)"})
    values: dict[str, float] = {}

    def scraped() -> bool:
        # Counts of several processes, each family once, as Prometheus' own parser reads them.
        families = list(text_string_to_metric_families(desk.get("/metrics").body.decode()))
        assert len({family.name for family in families}) == len(families)
        for sample in (sample for family in families for sample in family.samples):
            values[sample.name] = values.get(sample.name, 0.0) + sample.value
        return "wiredesk_declared_subscribers" in values

    until(scraped, 10, "the subscribers that were declared")
    for name in ("wiredesk_sources", "wiredesk_articles_total", "wiredesk_polls_total", "wiredesk_answers_total",
                 "wiredesk_came_total", "wiredesk_poll_seconds_count", "wiredesk_view_seconds_bucket",
                 "wiredesk_fetched_bytes_total", "wiredesk_database_bytes"):  # fmt: skip
        assert values[name] > 0, name
    assert "wiredesk_due_lag_seconds" in values and "wiredesk_inbox_bodies" in values


def test_on_a_phone_nothing_of_the_tables_is_cut(visit):
    for path in ("/status", "/status/source/post"):
        page = visit(path)
        page.set_viewport_size({"width": 390, "height": 800})
        cells = "[...document.querySelectorAll('.cards th, .cards td')].map(cell => cell.getBoundingClientRect().right)"
        edges = [edge for edge in page.evaluate(cells) if edge]
        assert len(edges) > 5 and max(edges) <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_who_may_see_the_status_is_led_there(visit):
    page = visit("/")
    page.get_by_role("link", name="Status").click()
    page.wait_for_url("**/status")

"""What web processes count, and how it comes together."""

from __future__ import annotations

from pathlib import Path

from feeds.serve.metrics import Tally, exposition, share_counts
from feeds.store.overview import Numbers
from feeds.store.values import Event
from tests.serve.conftest import NOW


def test_answers_are_counted_by_kind_and_status():
    tally = Tally()
    for path, status in (("/news.atom", "304"), ("/news.atom", "304 Not Modified"), ("/x/y", "404 Not Found")):
        tally.answered(path, status, None)
    tally.flush()
    value = tally.registry.get_sample_value
    assert value("wiredesk_answers_total", {"kind": "atom", "status": "304"}) == 2
    assert value("wiredesk_answers_total", {"kind": "page", "status": "404"}) == 1


def test_subscribers_are_those_that_aggregators_declare_last():
    tally = Tally()
    for count in (12, 15):
        tally.answered("/news.rss", "200", f"Feedly/1.0 (+http://www.feedly.com/fetcher.html; {count} subscribers; x)")
    tally.answered("/news.rss", "200", "Mozilla/5.0 (X11)")
    labels = {"service": "feedly", "path": "/news.rss"}
    assert tally.registry.get_sample_value("wiredesk_declared_subscribers", labels) == 15


def test_what_anybody_may_claim_is_bounded():
    tally = Tally()
    for number in range(1000):
        tally.answered(f"/{number}.rss", "404", f"Agent {number} subscribers")
    assert len(tally._services) <= 200


def test_processes_of_one_desk_share_a_folder_and_leave_none_behind(tmp_path):
    (tmp_path / "metrics" / "999999999").mkdir(parents=True)
    environ = {"WIREDESK_DATA": str(tmp_path), "WIREDESK_PARENT": "1"}
    share_counts(environ)
    assert Path(environ["PROMETHEUS_MULTIPROC_DIR"]) == tmp_path / "metrics" / "1"
    assert [folder.name for folder in (tmp_path / "metrics").iterdir()] == ["1"]
    nothing: dict[str, str] = {}
    share_counts(nothing)
    assert nothing == {}


def test_the_store_speaks_prometheus_too():
    event = Event(id="urn:uuid:1", kind="gone", subject="a", text="A", remedy="", at=NOW)
    body, media_type = exposition(Numbers(articles=7, due=2, lag_s=1.5), {"fine": 3}, [event])
    told = body.decode()
    assert media_type.startswith("text/plain")
    for line in ('wiredesk_sources{state="fine"} 3.0', 'wiredesk_alarms{kind="gone"} 1.0',
                 "wiredesk_articles_total 7.0", "wiredesk_due_lag_seconds 1.5"):  # fmt: skip
        assert line in told

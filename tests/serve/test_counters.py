"""What web processes count, and how it comes together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from feeds.serve import counters
from feeds.serve.counters import Tally, exposition, shared_folder, stored
from feeds.serve.readership import MOST_AGENT_CHARS, MOST_AT_ONCE
from feeds.store.overview import Numbers


def test_answers_are_counted_by_kind_and_status():
    tally = Tally()
    for path, status in (("/news.atom", 304), ("/news.atom", 304), ("/x/y", 404)):
        tally.answered(path, status, {})
    tally.flush()
    value = tally.registry.get_sample_value
    assert value("wiredesk_answers_total", {"kind": "atom", "status": "304"}) == 2
    assert value("wiredesk_answers_total", {"kind": "page", "status": "404"}) == 1


def test_subscribers_are_those_that_aggregators_declare_last():
    tally = Tally()
    for count in (12, 15):
        tally.answered(
            "/news.rss",
            200,
            {"HTTP_USER_AGENT": f"Feedly/1.0 (+http://www.feedly.com/fetcher.html; {count} subscribers; x)"},
        )
        tally.flush()
    tally.answered("/news.rss", 200, {"HTTP_USER_AGENT": "Mozilla/5.0 (X11)"})
    tally.flush()
    labels = {"service": "Feedly", "path": "/news.rss"}
    assert tally.registry.get_sample_value("wiredesk_declared_subscribers", labels) == 15


def test_notes_of_answers_are_bounded_and_none_is_lost():
    tally = Tally()
    for number in range(MOST_AT_ONCE + 5):
        tally.answered(f"/{number % 7}.rss", 200, {"HTTP_USER_AGENT": "x" * 10_000})
    assert len(tally._answers) == 5 and len(tally._answers[0][2]) == MOST_AGENT_CHARS
    tally.flush()
    served = tally.registry.get_sample_value("wiredesk_answers_total", {"kind": "rss", "status": "200"})
    assert served == MOST_AT_ONCE + 5


class Interrupted(dict[str, str]):
    """A request in the middle of whose note another thread counts."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def get(self, key, default=None):
        self._tally.flush()
        return default


def test_an_answer_noted_while_others_are_counted_is_counted_too(monkeypatch):
    monkeypatch.setattr(counters, "FLUSH_S", 0.0)
    tally = Tally()
    tally._answers.append(("/a", 200, "", 0, "", 0, 0))
    tally.answered("/b", 200, Interrupted(tally))
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()
    assert not tally._answers


def test_what_anybody_may_claim_is_bounded():
    tally = Tally()
    for number in range(1000):
        tally.answered(f"/{number}.rss", 200, {"HTTP_USER_AGENT": f"Agent/1 ({number} subscribers)"})
    tally.flush()
    assert len(tally._services) <= 200


def test_processes_of_one_desk_share_a_folder_and_leave_none_behind(tmp_path):
    (tmp_path / "metrics" / "999999999").mkdir(parents=True)
    environ = {"WIREDESK_DATA": str(tmp_path), "WIREDESK_PARENT": "1"}
    assert shared_folder(environ) == tmp_path / "metrics" / "1"
    assert [folder.name for folder in (tmp_path / "metrics").iterdir()] == ["1"]
    assert shared_folder({}) is None


def test_a_full_disk_costs_the_others_news_and_nobody_a_process(tmp_path, monkeypatch):
    full = Path("/dev/full")
    other, mine = Tally(tmp_path), Tally(tmp_path)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    other.answered("/news.atom", 304, {})
    other.flush()
    (tmp_path / ".1.prom").symlink_to(full)
    other.answered("/news.atom", 304, {})
    other.flush()
    monkeypatch.setattr(os, "getpid", lambda: 2)
    mine.answered("/news.atom", 200, {})
    told = exposition(None, mine)[0].decode()
    assert 'wiredesk_answers_total{kind="atom",status="304"} 1.0' in told
    assert 'wiredesk_answers_total{kind="atom",status="200"} 1.0' in told
    assert "wiredesk_store_up 0.0" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.prom", "2.prom"]


def test_the_store_speaks_prometheus_too():
    numbers = Numbers(states={"fine": 3}, articles=7, due=2, lag_s=1.5)
    body, media_type = exposition(stored(numbers, {"gone": 1}), Tally())
    told = body.decode()
    assert media_type.startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(told)}
    assert len(families) == told.count("# TYPE ") and all(family.documentation for family in families.values())
    for line in ('wiredesk_sources{state="fine"} 3.0', 'wiredesk_alarms{kind="gone"} 1.0',
                 "wiredesk_articles_total 7.0", "wiredesk_due_lag_seconds 1.5"):  # fmt: skip
        assert line in told


COUNTING = """
import os
from feeds.serve import counters
from feeds.serve.counters import Tally, shared_folder
tally = Tally(shared_folder(os.environ))
for _ in range(3):
    tally.answered("/news.atom", 304, {"HTTP_USER_AGENT": "Feedly/1.0 (x; 3 subscribers)"})
tally.took("/search", 0.3)
tally.flush()
"""


def test_what_several_processes_count_is_one_sum_also_when_some_have_ended(tmp_path):
    environ = {"WIREDESK_DATA": str(tmp_path), "WIREDESK_PARENT": str(os.getpid())}
    subprocess.run([sys.executable, "-c", COUNTING], env={**os.environ, **environ}, check=True, timeout=60)
    tally = Tally(shared_folder(environ))
    for _ in range(4):
        tally.answered("/news.atom", 304, {"HTTP_USER_AGENT": "Feedly/1.0 (x; 4 subscribers)"})
    tally.took("/search", 0.3)
    families = {family.name: family for family in text_string_to_metric_families(exposition(None, tally)[0].decode())}
    [answers] = [sample for sample in families["wiredesk_answers"].samples if sample.name.endswith("_total")]
    assert (answers.labels, answers.value) == ({"kind": "atom", "status": "304"}, 7)
    counts = [sample for sample in families["wiredesk_view_seconds"].samples if sample.name.endswith("_count")]
    assert [sample.value for sample in counts] == [2]
    # Two workers hear the same aggregator: the last word counts, no sum of both.
    assert [sample.value for sample in families["wiredesk_declared_subscribers"].samples] == [4]

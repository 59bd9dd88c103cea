"""What a poll costs, end to end: the desk beside sfeed, newsboat and the library `reader`, over the same feeds.

    bench/setup && python bench/poll.py [--feeds 1000] [--quick] [--alone] [--sizes 2000,20000]

One run measures all of it (some five minutes on two quiet cores): CPU beside reader's, the clock beside newsboat's and
sfeed's, memory. Ratios of CPU hold on a busy machine, too; times by the clock do not.

An nginx on loopback gives distinct feeds made of real ones. Three rounds: all new, all unchanged (304), 5 % changed
(one new entry on top). The desk is `python -m feeds.cli poll --now` as a whole process with the shipped defaults and
section tree: fetched, stored, deduped, filed, published. Only what concerns the one host on loopback is set:
`per_host`, `gap_s`, `allow_private`. CPU is user + system of the whole tree; memory is the greatest sum over it,
looked at five times a second. "Less start" leaves out what a poll of one feed costs.

--alone leaves the peers out; --sizes compares the desk with itself at several counts; --configured N measures what N
configured sources of which none is due cost in memory. Fails where a peer is missing or a target is not met.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from origin import Newsstand, nginx  # noqa: E402
from running import memory_bytes  # noqa: E402

from tests.development import REAL_FEEDS  # noqa: E402

CACHE = Path(
    os.environ.get("WIREDESK_BENCH_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wiredesk-bench"
)
ROUNDS = ("all new", "all unchanged", "5 % changed")
AT_ONCE = 64
TARGETS = {"all new": 1 / 0.55, "all unchanged": 20.0, "5 % changed": 10.0}
"""How many times as much CPU `reader` takes, at least."""
MOST_OF_BARE = 3.0
MOST_MEMORY_MB = 250

READER = """
import sys, reader
desk = reader.make_reader(sys.argv[1])
if sys.argv[2] == "add":
    for line in open(sys.argv[3]):
        desk.add_feed(line.strip())
else:
    asked = 0
    # By itself it asks no feed twice within an hour.
    for result in desk.update_feeds_iter(workers=8, scheduled=False):
        asked += 1
        if isinstance(result.value, Exception):
            print(result.url, repr(result.value)[:100], file=sys.stderr)
    print(asked, "asked")
"""
BARE = """
import sys, pycurl
urls = [line.strip() for line in open(sys.argv[1])]
multi, free, dates = pycurl.CurlMulti(), [], open(sys.argv[2]).read().split(chr(10))
for _ in range(64):
    easy = pycurl.Curl()
    for option, value in ((pycurl.WRITEFUNCTION, lambda chunk: None), (pycurl.NOSIGNAL, 1), (pycurl.PROXY, "")):
        easy.setopt(option, value)
    free.append(easy)
begun = done = good = 0
while done < len(urls):
    while free and begun < len(urls):
        easy = free.pop()
        easy.setopt(pycurl.URL, urls[begun])
        easy.setopt(pycurl.HTTPHEADER, ["User-Agent: bench", "If-Modified-Since: " + dates[begun]])
        multi.add_handle(easy)
        begun += 1
    multi.perform()
    left = 1
    while left:
        left, fine, bad = multi.info_read()
        for easy in fine:
            good += easy.getinfo(pycurl.RESPONSE_CODE) == 304
        for easy in fine + [each[0] for each in bad]:
            multi.remove_handle(easy)
            free.append(easy)
            done += 1
    if done < len(urls):
        multi.select(1.0)
print(good)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a command took: seconds on the clock, CPU seconds, greatest memory of the tree; *whole* False if stopped."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    output: str
    whole: bool = True


def run(
    command: list[str], environ: dict[str, str] | None = None, limit_s: float = 900, cwd: Path | None = None
) -> Cost:
    """Run *command* to its end and measure it with all its children."""
    with tempfile.TemporaryFile() as told:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            env=os.environ | (environ or {}),
            cwd=cwd,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        greatest = [0.0]
        watching = threading.Thread(target=_watch, args=(process, greatest), daemon=True)
        watching.start()
        whole = True
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            whole = False
            os.killpg(process.pid, 15)
            process.wait()
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        watching.join()
        told.seek(0)
        output = told.read().decode(errors="replace")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s=wall, cpu_s=cpu, memory_mb=greatest[0], output=output, whole=whole)


def _watch(process: subprocess.Popen[bytes], greatest: list[float]) -> None:
    while process.poll() is None:
        greatest[0] = max(greatest[0], memory_bytes(process.pid) / (1 << 20))
        time.sleep(0.2)


# --------------------------------------------------------------------------- who is measured


class Desk:
    """The desk itself, through its command line."""

    name = "wiredesk"

    def __init__(self, folder: Path, urls: list[str], port: int) -> None:
        self.folder = folder
        compileall.compile_dir(HERE.parent / "feeds", quiet=1)  # as pip has done for the peers
        config = folder / "config"
        config.mkdir(parents=True)
        settings = {
            "base_url": "https://wire.example",
            "contact": "desk@wire.example",
            "poll": {"per_host": AT_ONCE, "gap_s": 0},
            "fetch": {"allow_private": [f"127.0.0.1:{port}"]},
        }
        (config / "wiredesk.yaml").write_text(json.dumps(settings))
        (config / "sections.yaml").write_text((HERE.parent / "config" / "sections.yaml").read_text())
        lines = [json.dumps({"name": f"Paper {number}", "url": url}) for number, url in enumerate(urls)]
        (config / "sources.yaml").write_text("".join(f"- {line}\n" for line in lines))

    def poll(self, *arguments: str, limit_s: float = 900) -> Cost:
        places = ["--config", str(self.folder / "config"), "--data", str(self.folder / "var")]
        return run([sys.executable, "-m", "feeds.cli", "poll", *places, *arguments], cwd=HERE.parent, limit_s=limit_s)

    def round(self, limit_s: float) -> Cost:
        cost = self.poll("--now", limit_s=limit_s)
        if cost.whole and " polled, " not in cost.output:
            raise SystemExit(f"the desk does not poll: {cost.output[-800:]}")
        return cost


class Bare:
    """pycurl's multi interface and nothing else: the floor of a round of 304."""

    name = "bare pycurl multi (304)"

    def __init__(self, folder: Path, urls: list[str], stand: Newsstand) -> None:
        from email.utils import formatdate

        folder.mkdir()
        self.files = folder / "urls", folder / "dates"
        self.count = len(urls)
        self.files[0].write_text("\n".join(urls))
        dates = [formatdate(stand.path(number).stat().st_mtime, usegmt=True) for number in range(len(urls))]
        self.files[1].write_text("\n".join(dates))

    def round(self, limit_s: float) -> Cost:
        cost = run([sys.executable, "-c", BARE, *map(str, self.files)], limit_s=limit_s)
        if cost.output.strip() != str(self.count):
            raise SystemExit(f"bare pycurl: not every answer was 304: {cost.output[-200:]}")
        return cost


class Reader:
    name = "reader"

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.python = CACHE / "reader" / "bin" / "python"
        if not self.python.exists():
            raise SystemExit("the library `reader` is missing; run bench/setup")
        folder.mkdir()
        self.count = len(urls)
        self.database = folder / "reader.sqlite"
        (folder / "urls").write_text("\n".join(urls))
        added = run([str(self.python), "-c", READER, str(self.database), "add", str(folder / "urls")])
        if added.output:
            raise SystemExit(f"reader: {added.output[-300:]}")

    def round(self, limit_s: float) -> Cost:
        cost = run([str(self.python), "-c", READER, str(self.database), "update"], limit_s=limit_s)
        if cost.whole and not cost.output.strip().endswith(f"{self.count} asked"):
            raise SystemExit(f"reader: it did not ask every feed: {cost.output[-200:]}")
        return cost


class Newsboat:
    name = "newsboat"

    def __init__(self, folder: Path, urls: list[str]) -> None:
        folder.mkdir()
        (folder / "urls").write_text("\n".join(urls) + "\n")
        (folder / "config").write_text("reload-threads 32\n")
        self.folder = folder

    def round(self, limit_s: float) -> Cost:
        at = self.folder
        places = ["-u", str(at / "urls"), "-c", str(at / "cache.db"), "-C", str(at / "config")]
        return run(["newsboat", "-x", "reload", *places], {"HOME": str(at)}, limit_s)


class Sfeed:
    name = "sfeed_update"

    def __init__(self, folder: Path, urls: list[str]) -> None:
        folder.mkdir()
        feeds = "\n".join(f'feed "f{number}" "{url}"' for number, url in enumerate(urls))
        (folder / "rc").write_text(f'sfeedpath="{folder}/feeds"\nmaxjobs=16\nfeeds() {{\n{feeds}\n}}\n')
        self.folder = folder

    def round(self, limit_s: float) -> Cost:
        return run(["sfeed_update", str(self.folder / "rc")], {"HOME": str(self.folder)}, limit_s)


# --------------------------------------------------------------------------- the runs


def compare(folder: Path, archive: Path, count: int, peers: bool, limit_s: float) -> list[str]:
    """The table of one count; the targets that were missed."""
    began = time.monotonic()
    stand = Newsstand(folder / "feeds", archive, count)
    print(f"{count} feeds made of real ones in {time.monotonic() - began:.0f} s", flush=True)
    with nginx(stand.folder, folder) as port:
        urls = [f"http://127.0.0.1:{port}/{stand.path(number).relative_to(stand.folder)}" for number in range(count)]
        desk = Desk(folder / "desk", urls, port)
        taken_over = desk.poll("Paper 0")  # the config is taken over and every import has been done once
        if "1 source polled" not in taken_over.output or "Forbidden" in taken_over.output:
            raise SystemExit(f"the desk does not poll: {taken_over.output[-500:]}")
        measured: dict[str, dict[str, Cost]] = {each: {} for each in ROUNDS}
        known = (("reader", Reader), ("newsboat", Newsboat), ("sfeed", Sfeed)) if peers else ()
        others = [peer(folder / name, urls) for name, peer in known]
        start = None
        for title in ROUNDS:
            if title == "all unchanged":
                # Whoever keeps validators only from the second round on gets one for that.
                for each in others:
                    if measured["all new"][each.name].whole and not isinstance(each, Sfeed):
                        each.round(limit_s)
                measured[title][Bare.name] = Bare(folder / "bare", urls, stand).round(limit_s)
            if title == "5 % changed":
                stand.change(0.05)
            for each in (desk, *others):
                before = measured["all new"].get(each.name)
                if before is not None and not before.whole:
                    continue
                cost = measured[title][each.name] = each.round(limit_s)
                tell(title, each.name, cost, count)
                if each is desk:
                    told(cost, title)
            if title == "all unchanged":
                tell(title, Bare.name, measured[title][Bare.name], count)
                tell("nothing due", desk.name, desk.poll(), count)
                start = desk.poll("Paper 0")
                tell("one feed", desk.name, start, count)
        assert start is not None
    return verdict(measured, start, count)


def tell(title: str, name: str, cost: Cost, count: int) -> None:
    rate = f"{count / cost.wall_s:8.0f} feeds/s" if cost.whole else " stopped at its time limit"
    print(
        f"{title:15} {name:24} wall {cost.wall_s:7.1f} s  CPU {cost.cpu_s * 1000 / count:8.3f} s/1000"
        f"  memory {cost.memory_mb:5.0f} MB {rate}",
        flush=True,
    )


def told(cost: Cost, title: str) -> None:
    last = cost.output.strip().splitlines()[-1:] or [""]
    print(f"{'':15} {last[0]}", flush=True)


def verdict(measured: dict[str, dict[str, Cost]], start: Cost, count: int) -> list[str]:
    """Ratios in words, and those below their targets."""
    missed = []
    print(f"\n{'round':15}{'CPU s/1000':>12}{'less start':>12}{'x less CPU than reader':>24}{'x bare pycurl':>15}")
    for title in ROUNDS:
        ours = measured[title][Desk.name]
        alone = max(ours.cpu_s - start.cpu_s, 1e-6)
        line = f"{title:15}{ours.cpu_s * 1000 / count:12.3f}{alone * 1000 / count:12.3f}"
        reader = measured[title].get(Reader.name)
        if reader is not None:
            ratio = reader.cpu_s / ours.cpu_s
            line += f"{ratio:14.2f} ({reader.cpu_s / alone:6.1f})"
            if ratio < TARGETS[title]:
                missed.append(f"{title}: {ratio:.2f} times less CPU than reader, wanted {TARGETS[title]:.3g}")
        bare = measured[title].get(Bare.name)
        if bare is not None:
            line += f"{ours.cpu_s / bare.cpu_s:10.1f} ({alone / bare.cpu_s:4.1f})"
            if ours.cpu_s / bare.cpu_s > MOST_OF_BARE:
                missed.append(f"{title}: {ours.cpu_s / bare.cpu_s:.1f} times bare pycurl, at most {MOST_OF_BARE:g}")
        print(line)
        if ours.memory_mb > MOST_MEMORY_MB:
            missed.append(f"{title}: {ours.memory_mb:.0f} MB, at most {MOST_MEMORY_MB}")
        for name, cost in measured[title].items():
            if name not in (Desk.name, Bare.name) and cost.whole and cost.wall_s < ours.wall_s:
                missed.append(f"{title}: {name} took {cost.wall_s:.1f} s on the clock, the desk {ours.wall_s:.1f} s")
    print("in brackets: without what a poll of one feed costs")
    return missed


def sizes(folder: Path, archive: Path, counts: list[int]) -> list[str]:
    """The desk alone at several counts; whether it is slower a feed at the greatest than at the least."""
    found: dict[int, dict[str, float]] = {}
    for count in counts:
        at = folder / str(count)
        stand = Newsstand(at / "feeds", archive, count)
        with nginx(stand.folder, at) as port:
            urls = [f"http://127.0.0.1:{port}/{stand.path(each).relative_to(stand.folder)}" for each in range(count)]
            desk = Desk(at / "desk", urls, port)
            desk.poll("Paper 0")
            found[count] = {}
            for title in ROUNDS:
                if title == "5 % changed":
                    stand.change(0.05)
                cost = desk.round(7200)
                tell(title, desk.name, cost, count)
                told(cost, title)
                found[count][title] = cost.cpu_s / count
    least, most = min(counts), max(counts)
    return [
        f"{title}: {found[most][title] / found[least][title]:.2f} times the CPU a feed at {most} that it is at {least}"
        for title in ROUNDS
        if found[most][title] > found[least][title] * 1.1
    ]


def configured(folder: Path, count: int, port: int = 9) -> list[str]:
    """What the memory of *count* configured sources is, one of them polled."""
    desk = Desk(folder / "configured", [f"http://h{number}.invalid/feed" for number in range(count)], port)
    first = desk.poll("Paper 0")
    again = desk.poll("Paper 0")
    for title, cost in (("taken over", first), ("then", again)):
        print(f"{count} sources configured, {title}: {cost.memory_mb:.0f} MB, {cost.cpu_s:.1f} CPU s", flush=True)
    return [f"{again.memory_mb:.0f} MB for {count} sources, at most 300"] if again.memory_mb > 300 else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="200 feeds; shares are told, targets are not judged")
    parser.add_argument("--alone", action="store_true", help="leave the peers out")
    parser.add_argument("--sizes", help="counts of feeds to compare the desk with itself at, such as 2000,20000")
    parser.add_argument("--configured", type=int, help="measure the memory of so many configured sources")
    parser.add_argument("--limit", type=float, default=150, help="seconds that one round of a peer may take")
    parser.add_argument("--data", type=Path, default=REAL_FEEDS, help="an archive of real feeds")
    options = parser.parse_args()
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="wiredesk-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user where this one is root
        if options.configured:
            missed += configured(folder, options.configured)
        elif options.sizes:
            missed += sizes(folder, options.data, [int(each) for each in options.sizes.split(",")])
        else:
            count = 200 if options.quick else options.feeds
            missed += compare(folder, options.data, count, not options.alone, options.limit)
    for each in missed:
        print(f"missed: {each}")
    if missed and not options.quick:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""`python raising.py ARGUMENTS`: the command line, in which each of STEPS raises once and tells all it was given.

So does a library whose exception quotes what it choked on.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

STEPS = (
    "feeds.fetch.client:Fetcher.submit",
    "feeds.fetch.transfer:Transfer.begin",
    "feeds.fetch.transfer:Transfer.headers",
    "feeds.fetch.transfer:Transfer.conclude",
    "feeds.fetch.loop:Loop._start_ready",
    "feeds.ingest.host_queues:HostQueues.put",
    "feeds.ingest.host_queues:HostQueues.ended",
    "feeds.ingest.desk:Desk.redacted",
    "feeds.ingest.batches:Saving.save",
    "feeds.engine.clock:IngestProcess._look_at_files",
    "feeds.publish.flow:Publisher._rendered",
)


def raise_once(step: str) -> None:
    module, _, name = step.partition(":")
    *classes, function = name.split(".")
    owner: Any = importlib.import_module(module)
    for one in classes:
        owner = getattr(owner, one)
    kept = owner.__dict__[function]
    through = kept.__func__ if isinstance(kept, classmethod) else kept
    left = [1]

    @functools.wraps(through)
    def raising(*arguments: Any, **named: Any) -> Any:
        if left:
            left.clear()
            # Structs print all that they hold; others get their insides printed here.
            held = [getattr(one, "__dict__", one) for one in arguments]
            raise RuntimeError(f"{step} met {arguments!r} {held!r} {named!r}")
        return through(*arguments, **named)

    setattr(owner, function, classmethod(raising) if isinstance(kept, classmethod) else raising)


if __name__ in ("__main__", "__mp_main__"):  # the second is what a spawned process calls it
    for each in STEPS:
        raise_once(each)

if __name__ == "__main__":
    from feeds.cli import main

    main()

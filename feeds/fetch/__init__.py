"""The step fetch: asks sources politely, and hands on what they answered or why they did not. I/O: the network.

`Fetcher` is the room's door. Inside, a request becomes a `transfer`, waits in its host's line (`hosts`), gets addresses
(`resolver`) that the `guard` allows, goes over a `wire` that the `loop` drives, and ends by the rules of `verdict`.
"""

from feeds.fetch.client import Fetcher
from feeds.fetch.headers import freshness_s, retry_after_s

__all__ = ["Fetcher", "freshness_s", "retry_after_s"]

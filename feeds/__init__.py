"""Wiredesk: a wire desk for feeds.

    source -> fetch -> parse -> normalise -> dedupe -> file -> render -> serve

Each step is a part of this package and hands a plain value (`feeds.model`) to the next. Only two files know
their order: `feeds.ingest` (fetch to filing, one transaction a batch) and `feeds.publish` (changed sections to
documents). `feeds.engine` decides when they run. Importing this package does nothing.
"""

__version__ = "0.1.0"

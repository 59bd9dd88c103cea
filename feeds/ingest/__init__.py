"""Flow: a batch of sources from fetch to filing. `flow` knows the order, `reading` is the half that workers run.

Nothing is imported here, so that a parse worker, which needs `feeds.ingest.reading` alone, loads no database.
"""

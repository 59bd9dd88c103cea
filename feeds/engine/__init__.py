"""When and where the flows run: APScheduler on one machine; the parent process over ingest and web. I/O."""

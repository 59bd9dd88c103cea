"""WebSub (W3C Recommendation), both ways: distributes our topics, subscribes to sources' hubs. I/O."""

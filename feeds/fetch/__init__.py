"""The step fetch: asks sources politely, and hands on what they answered or why they did not. I/O: the network.

`client.Fetcher` is the room's door. Inside, a request becomes a `transfer`, waits in its host's line (`hosts`), gets
addresses (`resolver`) that the `guard` allows, goes over a `wire` that the `loop` drives, and ends by the rules of
`verdict`. Nothing is imported here: who only reads addresses (`target`) must not load libcurl.
"""

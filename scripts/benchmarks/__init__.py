"""What `scripts/bench` measures, and how; docs/bench.md says it in words.

`rows` lists every row by name. Each module measures some: `gas`, `encryption`, `deciding`, `storing`, `reading`,
`revoking`, `models`. `bench` is what they share (a chain with people on it, stores filled once), `unprotected` is the
rival of reading and storing, `figures` says what a row is, `timing` how time is taken, `table` how rows are shown.
"""

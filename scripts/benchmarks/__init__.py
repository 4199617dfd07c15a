"""What `scripts/bench` measures, and how; docs/bench.md says it in words.

`rows` lists every row by name, and imports the modules that measure them. `bench` is what they share (a chain with
people on it, stores filled once), `unprotected` is the rival of reading and storing, `peers` are those of gas,
`figures` says what a row is, `timing` how time is taken, `record` how rows are kept, `table` how they are shown.

`pages` writes what the repository's pages say of them: `promises` the README's table, `scale` what ten million patients
would need. `growing` measures how everything slows as a world grows, and `growth_page` draws it.
"""

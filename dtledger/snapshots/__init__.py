"""Writing and reading one twin's snapshots over the ports.

`manifest` and `custody_block` are the two blocks of a snapshot, `index` finds them, `package` carries a grant's
keys to its grantee, `roster` names the custodians. `writer` makes batches, `reader` checks and opens them.
"""

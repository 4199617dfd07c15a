"""A gateway: it takes readings, keeps them until they are anchored, and carries what others signed.

`intake` takes what hubs post, `batches` what `devices` sign, by HTTP and `mqtt`; `queue` holds what was accepted, and
`pump` brings it into the store and onto the ledger; `relay` and `blocks` are what it does for those who have no gas and
no store; `service` puts all of it behind HTTP.
"""

from __future__ import annotations

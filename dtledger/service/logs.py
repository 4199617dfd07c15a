"""A service's log: one line an event on stderr, for journald or a container's log.

What the libraries say at length is left out; a library's text may hold an address or a path, so only warnings are kept.
"""

from __future__ import annotations

import logging
import sys

__all__ = ["log_to_stderr"]


def log_to_stderr() -> None:
    """Log what dtledger says, and what libraries warn of."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("dtledger").setLevel(logging.INFO)

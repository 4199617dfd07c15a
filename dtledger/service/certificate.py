"""When a service's certificate ends: of the file that TLS is started with, the certificate that ends first."""

from __future__ import annotations

import logging
from pathlib import Path

from cryptography import x509

__all__ = ["ends_at", "tell_end"]

log = logging.getLogger(__name__)

SOON_SECONDS = 14 * 86_400
"""A start with a certificate that ends within this is said in the log."""


def ends_at(file: Path) -> int:
    """The end (unix seconds) of the certificate in the file, or of one between it and its root that ends before it.

    Raises:
        ValueError: there is no certificate in it.
    """
    found = x509.load_pem_x509_certificates(file.read_bytes())
    return min(int(each.not_valid_after_utc.timestamp()) for each in found)


def tell_end(at: int, now: float) -> None:
    """Say it in the log, if it is near or past: clients refuse a certificate that has ended."""
    if at <= now:
        log.warning("the certificate has ended: clients refuse this service until it is started with a new one")
    elif at - now < SOON_SECONDS:
        log.warning("the certificate ends in %d hours: start the service again with a new one", (at - now) // 3600)

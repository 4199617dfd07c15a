"""Addresses of services as they may be shown: without the secrets that people put into them.

>>> redact_url("https://ann:hunter2@node.example/v3/0123456789abcdef0123?key=abc")
'https://***@node.example/v3/***?***'
>>> redact_url("http://127.0.0.1:8545")
'http://127.0.0.1:8545'
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
"""A part of a path that is long enough to be an access token, as providers of nodes put them there."""


def redact_url(url: str) -> str:
    """`url` with user, password, query, fragment and whatever looks like a token in the path replaced by `***`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "***"
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    place = host + (f":{port}" if port is not None else "")
    if "@" in parts.netloc:
        place = f"***@{place}"
    path = "/".join("***" if _TOKEN.fullmatch(each) else each for each in parts.path.split("/"))
    return urlunsplit((parts.scheme, place, path, "***" if parts.query else "", "***" if parts.fragment else ""))

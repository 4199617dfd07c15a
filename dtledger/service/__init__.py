"""What every service has: a configuration, limits, an answer to each error, health, metrics, a graceful stop.

A service is a few endpoints over `make_app`, run by `serve`. The libraries are the extra `dtledger[service]`.

Limits come first: a request is read whole, within its size and time, before anything else looks at it, and what is too
much is answered 503 with `Retry-After`, so that memory does not grow. Errors become statuses in one table
(`dtledger._backend.http_errors`), and no stack trace leaves. The log has the endpoint, the status, the time and the
size of each request, and nothing that a request holds.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import InputError

__all__ = ["require_extra"]


def require_extra() -> None:
    """Pass if the libraries of services are installed.

    Raises:
        InputError: they are not.
    """
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "prometheus_client")):
        raise InputError(
            "Services run on libraries that are not installed.", hint='Run `pip install "dtledger[service]"`.'
        )

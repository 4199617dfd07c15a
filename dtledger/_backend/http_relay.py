"""A gateway's relay over HTTP: `dtledger.client.carrying.Relay`."""

from __future__ import annotations

import json

from ..errors import UnreachableError
from ..ledger import Call
from .call_codec import encode_call
from .files import parse_json
from .http_link import HttpLink, in_time

ANSWER_SECONDS = 20.0
"""How long a relay may take to get a block; whether it got one, its asker's own node says."""


class HttpRelay:
    """The relay at `url`. One that sends its answer byte by byte has no longer than one that is silent: what it is
    given may be a denial, and the next one is waited for."""

    def __init__(self, url: str, timeout: float = ANSWER_SECONDS) -> None:
        self.name = url.rstrip("/")
        self._timeout = timeout
        self._link = HttpLink(self.name, f"the relay at {self.name}", timeout)

    def send(self, call: Call) -> str:
        body = json.dumps({"contract": call.contract, "data": "0x" + encode_call(call).hex()}).encode()
        _, answer = in_time(
            lambda: self._link.ask("POST", "/v1/relay", body, "application/json", most=8_192),
            f"The relay at {self.name}",
            self._timeout,
        )
        try:
            said = parse_json(answer)["transaction"]
            if isinstance(said, str) and len(bytes.fromhex(said.removeprefix("0x"))) == 32:
                return said
        except (KeyError, TypeError, ValueError):
            pass
        raise UnreachableError(f"The relay at {self.name} answers with nothing that can be read.")

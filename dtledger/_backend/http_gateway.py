"""A gateway asked over HTTP: how it stands, to take readings, and for what it sealed to an owner."""

from __future__ import annotations

import json
from typing import Any

from ..encoding import address, encode
from ..errors import UnreachableError
from ..ledger import Deployment, messages
from ..types import Address
from .files import parse_json
from .http_link import HttpLink
from .http_store import Signer


class HttpGateway:
    """The gateway at `url`."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._link = HttpLink(self.url, f"the gateway at {self.url}", timeout)

    def status(self) -> dict[str, Any]:
        """Raises UnreachableError: it does not answer, or not as a gateway does."""
        body = self._link.get("/v1/status")
        said = self._read(body)
        if said.get("schema") != "dtledger/gateway-status/1":
            raise self._no_gateway()
        return said

    def send(self, post: dict[str, Any], token: str) -> dict[str, int]:
        """Hand over readings as `POST /v1/readings` takes them, with a sender's token: how many are new, and known.

        Raises:
            AccessDeniedError: the gateway does not know the token, or may not write them.
            InputError: it takes no such readings.
            UnreachableError: it does not answer, or its queue is full: send the same again later.
        """
        body = json.dumps(post).encode()
        return self._read(self._link.post("/v1/readings", body, "application/json", token=token))

    def unanchored(self, deployment: Deployment, reader: Signer, at: int) -> list[str]:
        """The CIDs of what it sealed to that reader; `at` is now, in unix seconds.

        Raises:
            UnreachableError: it does not answer, or not as a gateway does.
        """
        gateway = self.address()
        digest = messages.letters_request(deployment, reader.address, gateway, at)
        signature = "0x" + reader.sign_digest(digest).hex()
        body = json.dumps({"reader": reader.address, "at": at, "signature": signature}).encode()
        answer = self._link.post("/v1/unanchored", body, "application/json")
        cids = self._read(answer).get("cids")
        if not isinstance(cids, list) or not all(isinstance(each, str) for each in cids):
            raise self._no_gateway()
        return cids

    def enrol_device(self, block: bytes) -> dict[str, Any]:
        """Hand over an owner's word on a device: its name, and the key that its answers are checked by. Raises as
        `send`."""
        return self._read(self._link.post("/v1/devices", block))

    def suspend_device(self, block: bytes) -> None:
        """Hand over an owner's word that ends a device. Raises as `send`."""
        self._link.post("/v1/devices/suspend", block)

    def devices(self, deployment: Deployment, reader: Signer, at: int) -> dict[str, Any]:
        """The devices of that reader's twins and what was refused of them; `at` is now, in unix seconds. Raises as
        `send`."""
        digest = messages.devices_request(deployment, reader.address, self.address(), at)
        answer = self._link.post("/v1/devices/list", encode([reader.address, at, reader.sign_digest(digest)]))
        return self._read(answer, 2**24, most_depth=6)

    def close(self) -> None:
        self._link.close()

    def address(self) -> Address:
        """The gateway's own. Raises UnreachableError."""
        try:
            return address(str(self.status().get("gateway")))
        except ValueError as error:
            raise self._no_gateway() from error

    def _read(self, body: bytes, most_bytes: int = 2**20, most_depth: int | None = None) -> dict[str, Any]:
        try:
            said = parse_json(body, most_bytes, most_depth=most_depth)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise self._no_gateway()
        return said

    def _no_gateway(self) -> UnreachableError:
        return UnreachableError(f"What answers at {self.url} is no gateway.", hint="Is that the gateway's own URL?")

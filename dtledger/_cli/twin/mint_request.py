"""A twin minted on two machines: the patient's signed request as a file, and the minter who sends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..app import App, rfc3339
from .documents import document_bytes, hex_bytes, read_document

if TYPE_CHECKING:
    from ...client import MintRequest

SCHEMA = "dtledger/mint-request/1"


def write_request(app: App, path: Path, *, dry_run: bool) -> None:
    from ..._backend.files import write_atomically

    if path.exists():
        _read_request(app, path, stale=True)  # an older request is written over; anything else is not
    made = None if dry_run else app.client.twins.request_mint()
    until = made.deadline if made else app.client.context.deadline()
    if made is not None:
        document = document_bytes(
            SCHEMA,
            app.client.context.deployment.id,
            patient=made.patient,
            count=made.count,
            deadline=made.deadline,
            signature="0x" + made.signature.hex(),
        )
        write_atomically(path, document, mode=0o644)
    app.say(f"{app.people.full(app.client.address)} asks for a twin; a minter may send that until {app.time(until)}.")
    app.show(f"{path} {'would be' if dry_run else 'is'} written. Then: dtledger twin mint --request {path}")
    app.data("mint-requested", file=path, patient=app.client.address, deadline=rfc3339(until), dry_run=dry_run)


def mint_for_another(app: App, path: Path, *, dry_run: bool) -> None:
    request = _read_request(app, path)
    app.say(f"{app.people.full(request.patient)} gets a twin that {app.people.full(app.client.address)} pays for.")
    if dry_run:
        app.show("Nothing was sent.")
        app.data("twin-minted", twin=None, owner=request.patient, sent={}, dry_run=True)
        return
    twin, receipt = app.client.twins.mint(request)
    sent = app.sent(receipt)
    app.show(f"Twin {twin} is minted. Its owner sets its card next: dtledger twin mint --key NAME")
    app.data("twin-minted", twin=twin, owner=request.patient, sent={"mint": sent}, dry_run=False)


def _read_request(app: App, path: Path, *, stale: bool = False) -> MintRequest:
    """The request in a file.

    Raises:
        InputError: it cannot be read, is none, is for another deployment, or too old.
    """
    from ...client import MintRequest
    from ...encoding import address

    def parse(document: Any) -> MintRequest:
        return MintRequest(
            address(document["patient"]),
            int(document["count"]),
            int(document["deadline"]),
            hex_bytes(document["signature"]),
        )

    context = app.client.context
    none = InputError(f"{path} is no request for a twin.", hint="`dtledger twin mint --request-out FILE` writes one.")
    request = read_document(path, SCHEMA, context.deployment.id, parse, none)
    if request.deadline < context.clock() and not stale:
        raise InputError(
            f"The request was good until {app.time(request.deadline)}.", hint="Let the patient write a new one."
        )
    return request

"""A twin minted on two machines: the patient's signed request as a file, and the minter who sends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InputError
from ..app import App, rfc3339

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
        document = {
            "schema": SCHEMA,
            "deployment": app.client.context.deployment.id,
            "patient": made.patient,
            "count": made.count,
            "deadline": made.deadline,
            "signature": "0x" + made.signature.hex(),
        }
        write_atomically(path, (json.dumps(document, indent=2) + "\n").encode(), mode=0o644)
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
    from ..._backend.files import parse_json
    from ...client import MintRequest
    from ...encoding import address

    try:
        document = parse_json(path.read_bytes(), 65_536)
        if document["schema"] != SCHEMA:
            raise ValueError("another schema")
        request = MintRequest(
            address(document["patient"]),
            int(document["count"]),
            int(document["deadline"]),
            bytes.fromhex(document["signature"].removeprefix("0x")),
        )
        deployment = document["deployment"]
    except OSError as error:
        raise InputError(f"The request {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path} is no request for a twin.", hint="`dtledger twin mint --request-out FILE` writes one."
        ) from None
    context = app.client.context
    if deployment != context.deployment.id:
        raise InputError(
            f"The request is for the deployment {deployment}, this profile's is {context.deployment.id}.",
            hint="Choose another profile with --profile.",
        )
    if request.deadline < context.clock() and not stale:
        raise InputError(
            f"The request was good until {app.time(request.deadline)}.", hint="Let the patient write a new one."
        )
    return request

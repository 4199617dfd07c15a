"""`gateway unanchored`: what a gateway sealed to this key."""

from __future__ import annotations

import click

from ..app import App
from ..command import verb
from ..words import URL


@verb("unanchored", epilog="Example: dtledger gateway unanchored https://gateway.hospital.example:8701")
@click.argument("url", type=URL)
def unanchored(app: App, url: str) -> None:
    """Ask a gateway for what it could not anchor in time and sealed to your key.

    It is yours to adopt: `dtledger snapshot adopt CID`.
    """
    from ..._backend.http_gateway import HttpGateway

    gateway = HttpGateway(url)
    app.stack.callback(gateway.close)
    context = app.client.context
    cids = gateway.unanchored(context.deployment, context.key, context.clock())
    for each in cids:
        app.show(each)
    app.say("Nothing." if not cids else "Adopt with: dtledger snapshot adopt CID")
    app.data("gateway-unanchored", url=gateway.url, cids=cids)

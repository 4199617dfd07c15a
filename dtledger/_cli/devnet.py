"""`devnet`: a development chain with everything on it."""

from __future__ import annotations

import time

import click

from ..errors import InputError
from .app import App
from .command import noun

devnet_command = noun("devnet", "A development chain on this machine: Anvil, the contracts, three custodians.")


@devnet_command.command("up")
@click.pass_obj
def up(app: App) -> None:
    """Start or resume the chain, deploy the contracts, and fund every key of the home.

    It may be run again at any time. The custodians are in this process and the keys have one password in a file:
    good for trying and for tests, for nothing else.
    """
    from .._backend.directory_store import DirectoryStore
    from ..client.devnet import PROFILE, Devnet

    begun = time.monotonic()
    devnet = Devnet(app.home)
    gas = 0

    def count(_: object, used: int) -> None:
        nonlocal gas
        gas += used

    deployment = devnet.up(DirectoryStore, app.say, count)
    app.show(f"The devnet runs at {devnet.anvil.url} (chain {deployment.chain_id}, profile {PROFILE}).")
    app.show(f"Contracts {deployment.id}" + (f", deployed for {gas:,} gas." if gas else ", as they were."))
    app.say("Its custodians run in this process: a show of the second lock, for development only.")
    app.say("Next: `dtledger key new patient`, then `dtledger devnet up` again to fund it.")
    app.data(
        "devnet",
        url=devnet.anvil.url,
        chain_id=deployment.chain_id,
        deployment=deployment.id,
        contracts=dict(deployment.contracts),
        gas=gas,
        seconds=round(time.monotonic() - begun, 2),
    )


@devnet_command.command("status")
@click.pass_obj
def status(app: App) -> None:
    """Say whether the chain runs, where, and how far it is."""
    from ..client.devnet import Devnet

    anvil = Devnet(app.home).anvil
    chain = anvil.chain
    if chain is None:
        raise InputError(f"There is no devnet in {app.home.root}.", hint="Start one: `dtledger devnet up`.")
    running = anvil.is_running()
    block = int(anvil.rpc("eth_blockNumber"), 16) if running else None
    state = f"runs at {anvil.url}, block {block}" if running else "is stopped; `dtledger devnet up` resumes it"
    app.show(f"The devnet of chain {chain.chain_id} (genesis {chain.genesis.hex()[:16]}…) {state}.")
    app.data("devnet-status", running=running, url=anvil.url, block=block, genesis=chain.genesis)


@devnet_command.command("down")
@click.pass_obj
def down(app: App) -> None:
    """Stop the chain. Its state stays, and `devnet up` resumes it."""
    from ..client.devnet import Devnet

    Devnet(app.home).down()
    app.show("The devnet is stopped.")
    app.data("devnet-status", running=False)

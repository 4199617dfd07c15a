"""`scripts/network`: the verbs."""

from __future__ import annotations

import time

import click

from dtledger._cli.app import App
from dtledger._cli.command import noun, verb
from dtledger._cli.demo.services import Services
from dtledger.encoding import CID
from dtledger.errors import InputError

from . import faults
from .chain import PROFILE
from .network import Network

main = noun("network", "Five validators, three kubos, three custodians, two gateways, on this machine.")
FAULTS = (*faults.VERBS, "start", "lose", "spoil")


@verb("up")
def up(app: App) -> None:
    """Start or resume everything; at the first time contracts are deployed and gateways enrolled (two minutes).

    The home has a profile `network`, which is its default: every `dtledger` command works on it.
    """
    begun = time.monotonic()
    network = Network(app.home)
    deployment = network.up(app.say)
    seconds = time.monotonic() - begun
    app.show(f"The network runs in {app.home.root}; chain {deployment.chain_id}, profile {PROFILE}, {seconds:.0f} s.")
    _show(app, network)


@verb("down")
def down(app: App) -> None:
    """Stop everything. What it has stays, and `up` goes on with it."""
    Network(app.home).down()
    app.show("The network is stopped.")
    app.data("network-down", home=app.home.root)


@verb("clean")
def clean(app: App) -> None:
    """Stop everything and remove what it has."""
    Network(app.home).clean()
    app.show(f"Removed {app.home.root}.")
    app.data("network-clean", home=app.home.root)


@verb("status")
def status(app: App) -> None:
    """Say of each process whether it runs, where, and how far it is."""
    _show(app, Network(app.home))


@verb("demo")
def demo(app: App) -> None:
    """Tell the story of `dtledger demo --services` on this network."""
    network = Network(app.home)
    network.up(app.say)
    Services(app, network).tell()


@click.argument("what", type=click.Choice(FAULTS))
@click.argument("name")
@click.argument("cid", required=False)
def fault_verb(app: App, what: str, name: str, cid: str | None) -> None:
    """Do something bad to one part, or mend it.

    \b
      kill NAME         kill -9
      stop NAME         SIGSTOP: to the others it is cut off, and it lags behind
      resume NAME       SIGCONT
      start NAME        start again what was killed
      lose KUBO CID     take a block off a kubo's disk
      spoil KUBO CID    turn a bit of a block on a kubo's disk

    NAME is as `status` shows it, such as validator-2.
    """
    network = Network(app.home)
    folders = network.folders()
    if name not in folders:
        raise InputError(f"There is no {name!r}.", hint=f"There are {', '.join(folders)}.")
    if what in faults.VERBS:
        faults.VERBS[what](folders[name])
    elif what == "start":
        faults.start(network, name)
    else:
        kubo = next((each for each in network.kubos if each.folder.name == name), None)
        if kubo is None or cid is None:
            raise InputError(f"{what} is of a kubo and a block: {what} kubo-1 CID.")
        {"lose": faults.lose, "spoil": faults.spoil}[what](kubo, CID.decode(cid))
    app.show(f"{name}: {what}. Now:")
    _show(app, network)


def _show(app: App, network: Network) -> None:
    """The state of each process."""
    nodes = {each.folder.name: each for each in network.devnet.validators.all}
    rows = []
    for name, state in network.states().items():
        node = nodes.get(name)
        at = node.rpc_url if node and state != "down" else ""
        height = node.height() if node and state == "runs" else None
        app.show(f"{name:<14}{state:<8}{'' if height is None else f'block {height:<8}'}{at}".rstrip())
        rows.append({"name": name, "state": state, "block": height, "url": at})
    app.data("network-status", home=app.home.root, processes=rows)


for each in (up, down, clean, status, demo, verb("fault")(fault_verb)):
    main.add_command(each)

if __name__ == "__main__":
    main(prog_name="scripts/network")

"""Consent changes that a gateway carries: signed grants of very many patients, each with a twin of their own, posted
over HTTP and counted on the chain afterwards; and where the limit is.

On a devnet it is the row `relay`. On any other chain, by a profile whose key may mint and has money:

    python -m scripts.benchmarks.relaying --profile hospital --key registrar --changes 5000
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from eth_account import Account

from dtledger._backend.call_codec import encode_call
from dtledger._backend.evm import EvmLedger
from dtledger.client import Client
from dtledger.client.opening import open_client
from dtledger.config import Setting
from dtledger.crypto import ecdsa
from dtledger.encoding import address
from dtledger.errors import DtledgerError, UnreachableError
from dtledger.gateway.senders import Senders
from dtledger.gateway.service import ENTRIES, Gateway, make_service
from dtledger.ledger import RELAY, Sender, Sent, calls, messages
from dtledger.ledger.lanes import Carried
from dtledger.ledger.signed import SignedGrant
from dtledger.policy import Grant
from dtledger.service.server import Running
from dtledger.service.settings import ServiceSettings
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Purpose

from .bench import Bench
from .figures import Rival, Row, at_least
from .timing import seconds_of, seconds_of_children

ALONE = "one transaction a change, the same code"
CONNECTIONS = 12
IN_A_POST = 50
"""Calls that a hub brings at once."""
PAYERS = 2
UNDER_WAY = 200
"""Mints that wait for blocks at once."""
MINT_GAS = 150_000
SETTINGS = {"relay_calls": 10**9, "relay_calls_all": 10**9, "free_bytes": 0, "bind": ("127.0.0.1", 0), "threads": 16}


class Key:
    """An account of the bench's own, in memory."""

    def __init__(self) -> None:
        self._account = Account.from_key(secrets.token_bytes(32))
        self._signer = ecdsa.PrivateKey(bytes(self._account.key))
        self.address: Address = address(self._account.address)

    def sign_digest(self, digest: bytes) -> bytes:
        return ecdsa.sign(self._signer, digest)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        return bytes(self._account.sign_transaction(transaction).raw_transaction)


@dataclass(frozen=True, slots=True)
class Change:
    """A patient's grant on their own twin, signed."""

    patient: Address
    twin: int
    call: Carried

    @property
    def body(self) -> bytes:
        return json.dumps({"contract": self.call.contract, "data": "0x" + self.call.data.hex()}).encode()


@dataclass(frozen=True, slots=True)
class Carriage:
    """What came of carrying changes: how many landed, how often one landed twice; seconds from the first post until
    the last was in a block, of which the intake alone took some; what the chain took for it; and the processor's
    seconds of the gateway, of who posts and, where it is known, of the node."""

    changes: int
    landed: int
    doubled: int
    seconds: float
    intake: float
    transactions: int
    gas: int
    gateway: float
    poster: float
    node: float

    @property
    def rate(self) -> float:
        return self.landed / self.seconds

    @property
    def limit(self) -> str:
        """Which process was the busiest, and how busy. The gateway's interpreter runs on one core at a time."""
        used = {"the gateway": self.gateway, "the node": self.node, "who posts": self.poster}
        busiest = max(used, key=lambda each: used[each])
        return f"the busiest is {busiest}, on {used[busiest] / self.seconds:.2f} cores"


def patients(minter: Client, count: int) -> list[tuple[Key, int]]:
    """So many patients, each with a twin: the mints wait for their blocks together."""
    ledger, now = _evm(minter), minter.context.ledger.head().at
    keys = [Key() for _ in range(count)]
    wanted = []
    for each in keys:
        digest = messages.mint(ledger.deployment, each.address, 0, now + 3000)
        wanted.append(calls.mint(each.address, 0, now + 3000, each.sign_digest(digest)))
    _flood(ledger, minter.context.key, [Carried(each.contract, encode_call(each)) for each in wanted])
    view = ledger.view()
    return [(each, view.twins_of(each.address)[0]) for each in keys]


def _flood(ledger: EvmLedger, sender: Sender, some: Sequence[Carried]) -> None:
    fee, tip = ledger.price()
    first = ledger.next_nonce(sender)
    for place, each in enumerate(some):
        to = ledger.deployment.contracts[each.contract]
        signed, sent = ledger.sign({"to": to, "data": each.data}, sender, Sent(first + place, MINT_GAS, fee, tip, ()))
        ledger.web3.eth.send_raw_transaction(signed)
        if place % UNDER_WAY == UNDER_WAY - 1 or place == len(some) - 1:
            ledger.receipt(sent.hashes, 120)


def sign_grants(ledger: EvmLedger, people: Sequence[tuple[Key, int]], grantee: Address, number: int) -> list[Change]:
    """A first grant of each patient's in that slot."""
    now = max(ledger.head().at, int(time.time()))
    terms = Grant(
        8, Purpose.TREAT.mask, now, now + 30 * 86_400, Period(now // 60, now // 60 + 43_200), Action.READ.mask
    )
    found = []
    for key, twin in people:
        package = Digest(secrets.token_bytes(32))
        message = SignedGrant(key.address, twin, grantee, number, terms, package, 0, 0, now + 3000)
        call = calls.grant_signed(message, key.sign_digest(messages.grant(ledger.deployment, message)))
        found.append(Change(key.address, twin, Carried(call.contract, encode_call(call))))
    return found


@contextmanager
def gateway(client: Client, payers: Sequence[Sender], *, alone: bool = False) -> Iterator[tuple[Gateway, str]]:
    """A gateway over HTTP that carries everything, and its URL. `alone` it knows no contract that carries many."""
    settings = ServiceSettings.load("gateway", ENTRIES, None, {})
    values = {name: Setting(each, "bench") for name, each in SETTINGS.items()}
    settings = replace(settings, values={**settings.values, **values})
    ledger = _evm(client)
    if alone:
        deployment = ledger.deployment
        contracts = {name: at for name, at in deployment.contracts.items() if name != RELAY}
        code = {name: at for name, at in deployment.code.items() if name != RELAY}
        ledger = EvmLedger(_url(ledger), replace(deployment, contracts=contracts, code=code))
        client = Client(
            ledger, client.context.store, client.context.custodians, client.context.key, client.context.clock
        )
    with tempfile.TemporaryDirectory(prefix="dtledger-bench-") as folder:
        made = Gateway(client, settings, Path(folder), Senders([]), payers)
        with Running(make_service(made), settings) as running:
            yield made, running.url


def carried(
    client: Client, payers: Sequence[Sender], changes: Sequence[Change], node: int | None = None, **how: Any
) -> Carriage:
    """Post them to a gateway, and count on the chain what landed. `node` is the number of the node's process."""
    many = how.pop("many", IN_A_POST)
    with gateway(client, payers, **how) as (made, url), tempfile.NamedTemporaryFile() as file:
        ledger = _evm(client)
        before = ledger.head().number
        file.write(b"\n".join(_bodies(changes, many)))
        file.flush()
        path = "/v1/relay/many" if many > 1 else "/v1/relay"
        command = [sys.executable, "-m", "scripts.benchmarks.posting", url + path, file.name, str(CONNECTIONS)]
        start, cpu, of_node, of_poster = perf_counter(), process_time(), seconds_of(node), seconds_of_children()
        posted = subprocess.run(command, capture_output=True, check=True, text=True)
        intake = perf_counter() - start
        statuses = json.loads(posted.stdout)
        if statuses.keys() != {"202"}:
            raise DtledgerError(f"The gateway answered {statuses}.")
        _await(lambda: (load := made.queue.relayed.load()).waiting + load.in_flight == 0)
        seconds, cpu, of_node = perf_counter() - start, process_time() - cpu, seconds_of(node) - of_node
        of_poster = seconds_of_children() - of_poster
        told = made.relay_pump.told
    granted = [each for each in ledger.history().logged if each.place.block > before]
    owners = [each.event.owner for each in granted if type(each.event).__name__ == "Granted"]  # type: ignore[union-attr]
    gas = sum(ledger.web3.eth.get_block(number)["gasUsed"] for number in {each.place.block for each in granted})
    landed = set(owners) & {each.patient for each in changes}
    doubled = len(owners) - len(set(owners))
    used = cpu, of_poster, of_node
    return Carriage(len(changes), len(landed), doubled, seconds, intake, told.transactions, gas, *used)


def _bodies(changes: Sequence[Change], many: int) -> list[bytes]:
    if many == 1:
        return [each.body for each in changes]
    rows = [[each.call.contract, "0x" + each.call.data.hex()] for each in changes]
    return [json.dumps(rows[place : place + many]).encode() for place in range(0, len(rows), many)]


def _await(done: Callable[[], bool], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise UnreachableError("The gateway has not carried all within ten minutes.")
        time.sleep(0.01)


def _evm(client: Client) -> EvmLedger:
    ledger = client.context.ledger
    assert isinstance(ledger, EvmLedger), "the bench is of a chain"
    return ledger


def _url(ledger: EvmLedger) -> str:
    return str(ledger.web3.provider.endpoint_uri)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Compared:
    """The same people's changes: by hubs that bring many, by patients who post their own, and one a transaction."""

    hubs: Carriage
    posts: Carriage
    alone: Carriage
    gas_limit: int


def compare(
    minter: Client, client: Client, payers: Sequence[Sender], changes: int, node: int | None = None
) -> Compared:
    """Mint, sign, and only then start the clock."""
    people, grantee, ledger = patients(minter, changes), client.address, _evm(client)
    few = people[: max(1, changes // 10)]
    hubs = carried(client, payers, sign_grants(ledger, people, grantee, 0), node)
    posts = carried(client, payers, sign_grants(ledger, few, grantee, 1), many=1)
    alone = carried(client, payers, sign_grants(ledger, few, grantee, 2), alone=True)
    return Compared(hubs, posts, alone, ledger.web3.eth.get_block("latest")["gasLimit"])


def row_of(found: Compared) -> Row:
    hubs, posts, alone = found.hubs, found.posts, found.alone
    lost = sum(each.changes - each.landed for each in (hubs, posts, alone))
    doubled = sum(each.doubled for each in (hubs, posts, alone))
    each = hubs.gas / hubs.landed
    node = f" and {1000 * hubs.node / hubs.changes:.2f} in the node" if hubs.node else ""
    return Row(
        f"relayed grants of {hubs.changes:,} patients, posted over HTTP, {IN_A_POST} a post, until they are in blocks; "
        "counted on the chain",
        hubs.rate,
        "/s",
        (at_least(500, "/s"),),
        (Rival(ALONE, alone.rate),),
        f"{lost} lost, {doubled} doubled; {hubs.changes / hubs.transactions:.0f} a transaction, {each:,.0f} gas each "
        f"({alone.gas / alone.landed:,.0f} alone); the intake alone {hubs.changes / hubs.intake:,.0f}/s, one call a "
        f"post {posts.rate:,.0f}/s; {hubs.limit}; a change takes {1000 * hubs.gateway / hubs.changes:.2f} ms of a core "
        f"in the gateway{node}; a chain of {found.gas_limit / 10**6:.0f} M gas a block and a block in 2 s would "
        f"take {found.gas_limit / each / 2:,.0f}/s",
    )


def relay(bench: Bench) -> Row:
    world = bench.world()
    payers = [Key() for _ in range(PAYERS)]
    for each in payers:
        world.devnet.anvil.fund(each.address)
    return row_of(compare(world.operator, world.gateway, payers, bench.sizes.changes, world.devnet.anvil.pid))


ROWS = {"relay": relay}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("scripts.benchmarks.relaying", description="The row `relay` on a profile's chain.")
    parser.add_argument("--profile", help="whose key may mint, and pays")
    parser.add_argument("--key", help="its key")
    parser.add_argument("--rpc-url", help="another node")
    parser.add_argument("--payer", action="append", help="a key that pays for what is carried; may be given again")
    parser.add_argument("--changes", type=int, default=5_000)
    options = parser.parse_args(arguments)
    more = {"rpc_url": options.rpc_url} if options.rpc_url else {}
    with open_client(options.profile, options.key, options=more) as client:
        payers: list[Sender] = [
            open_client(options.profile, each, options=more).context.key for each in options.payer or ()
        ]
        row = row_of(compare(client, client, payers or [client.context.key], options.changes))
    print(f"{row.figure:,.0f} {row.unit}  {row.what}\n{row.beside}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

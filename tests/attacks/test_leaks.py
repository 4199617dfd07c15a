"""What outsiders see of a run like the demo's, on a real chain: calldata, logs, storage and every block of the store.

Nothing of it tells a category, a unit, a value, a time finer than minutes or a name, and nothing that can be guessed is
found by its hash. `test_guessing` shows that each of these searches finds what careless code leaves.
"""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dtledger import encoding
from dtledger._backend.directory_store import DirectoryStore
from dtledger.client import Client, Terms, writing_terms
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.home import Home
from dtledger.types import ZERO_ADDRESS, Address, Period
from dtledger.vocabulary import Action, Kind, Purpose, category

from .outsider import SEARCHES, Known, Public
from .test_guessing import HOURS, odd_readings

pytestmark = pytest.mark.anvil

DAY = 86_400
PEOPLE = ("patient", "neighbour", "st-elsewhere", "dr-noname", "gateway-9")
GRANTED = ("glucose", "insulin", "meals", "heart-rate", "weight", "medications", "conditions", "procedures")
"""Eight of 32: that two twins draw the same bits for them happens once in ten million."""


@dataclass(frozen=True)
class Run:
    """What happened, and what is public of it."""

    public: Public
    known: Known
    read: tuple[int, ...]
    kinds: dict[str, int]
    masks: tuple[int, ...]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = Home(tmp_path_factory.mktemp("leaks") / "home", "test")
    devnet = Devnet(home)
    devnet.up(DirectoryStore)
    try:
        yield _run(home, devnet)
    finally:
        devnet.down()


def _run(home: Home, devnet: Devnet) -> Run:
    for name in (OPERATOR, *PEOPLE):
        devnet.key(name)
    devnet.fund()
    clients = {name: open_client(PROFILE, name, home=home) for name in (OPERATOR, *PEOPLE)}
    try:
        known, read = _live(clients)
        masks = tuple(
            record.grant.categories
            for owner in ("patient", "neighbour")
            for twin in clients[owner].context.view().twins_of(clients[owner].address)
            for record in clients[owner].consents.records(twin)
            if record.grant.given
        )
    finally:
        for client in clients.values():
            client.close()
    pieces, kinds = _collect(devnet)
    return Run(Public(pieces), known, read, kinds, masks)


def _live(people: dict[str, Client]) -> tuple[Known, tuple[int, ...]]:
    """Enrol, mint, grant, write, read, revoke, block; what is known of it, and how many readings each read gave."""
    operator, hospital = people[OPERATOR], people["st-elsewhere"]
    for name, kinds in (("st-elsewhere", []), ("dr-noname", [Kind.CLINICIAN]), ("gateway-9", [Kind.GATEWAY])):
        organisation = ZERO_ADDRESS if name == "st-elsewhere" else hospital.address
        card = people[name].members.card(name, organisation, "" if organisation == ZERO_ADDRESS else "st-elsewhere")
        operator.members.enrol(card, kinds, b"" if organisation == ZERO_ADDRESS else hospital.members.agree(card))
    now = operator.context.clock()
    end = now // 3600 * 3600
    readings = {"glucose": odd_readings(end, "mmol/L"), "heart-rate": odd_readings(end, "/min")}
    data = Period(end // 60 - 60 * (HOURS + 1), now // 60 + 1440)
    twins, read = [], []
    for name in ("patient", "neighbour"):
        patient = people[name]
        twin, _ = operator.twins.mint(patient.twins.request_mint())
        twins.append(twin)
        patient.twins.set_up(twin, list(patient.context.custodians), 2)
        gateway, doctor = people["gateway-9"], people["dr-noname"]
        writing = writing_terms(list(readings), now, DAY, back_to=data.start)
        patient.consents.grant(twin, gateway.address, writing)
        for of_category, written in readings.items():
            gateway.writer.put(twin, of_category, written)
        terms = Terms(GRANTED, (Purpose.TREAT,), (Action.READ,), now, now + DAY, data)
        slot, _ = patient.consents.grant(twin, doctor.address, terms)
        read += [len(doctor.read(twin, "glucose", "TREAT")), len(patient.read(twin, "heart-rate", "PATRQT"))]
        patient.consents.grant(twin, hospital.address, terms)
        if name == "patient":
            patient.consents.revoke(slot)
            patient.consents.block(twin, doctor.address)
    addresses: tuple[Address, ...] = tuple(each.address for each in people.values())
    return Known((*PEOPLE, OPERATOR, "custodian-1"), addresses, tuple(twins), readings), tuple(read)


def _collect(devnet: Devnet) -> tuple[dict[str, bytes], dict[str, int]]:
    """Every public byte but the contracts' own code, which is the same for everybody; and how many pieces of a kind."""
    pieces: dict[str, bytes] = {}
    kinds = dict.fromkeys(("calldata", "log", "storage", "block"), 0)

    def add(kind: str, name: str, data: bytes) -> None:
        pieces[f"{kind} {name}"] = data
        kinds[kind] += 1

    url = devnet.anvil.url
    head = int(ask(url, "eth_blockNumber"), 16)
    for number in range(head + 1):
        for sent in ask(url, "eth_getBlockByNumber", hex(number), True)["transactions"]:
            if sent["to"] is not None:
                add("calldata", sent["hash"], of_hex(sent["input"]))
            for log in ask(url, "eth_getTransactionReceipt", sent["hash"])["logs"]:
                topics = b"".join(of_hex(topic) for topic in log["topics"])
                add("log", f"{sent['hash']}/{log['logIndex']}", topics + of_hex(log["data"]))
    state = json.loads(gzip.decompress(of_hex(ask(url, "anvil_dumpState"))))
    for account, held in state["accounts"].items():
        for slot, word in held["storage"].items():
            add("storage", f"{account}/{slot}", of_hex(slot).rjust(32, b"\0") + of_hex(word).rjust(32, b"\0"))
    for path in (path for path in devnet.blocks.rglob("*") if path.is_file()):
        add("block", path.name, path.read_bytes())
    return pieces, kinds


def ask(url: str, method: str, *parameters: object) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["result"]


def of_hex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


# --------------------------------------------------------------------------------------------------------------------


def test_everything_that_is_public_was_collected(run: Run) -> None:
    """The witness that the search looked somewhere: what must be public is found by it, and people read what is not."""
    assert run.read == tuple(len(each) for each in run.known.readings.values()) * 2
    assert all(count > 10 for count in run.kinds.values()), run.kinds
    for owner in run.known.addresses[1:3]:
        places = run.public.where(bytes.fromhex(owner[2:]))
        assert {place.split()[0] for place in places} >= {"calldata", "log", "storage"}
    manifests = [name for name, data in run.public.pieces.items() if b"commitment" in data]
    assert len(manifests) == 2 * 2 * len({each.seconds // 3600 for each in run.known.readings["glucose"]})


@pytest.mark.parametrize("name", SEARCHES)
def test_an_outsider_recognises_nothing(name: str, run: Run) -> None:
    assert SEARCHES[name](run.public, run.known) == []


def test_bits_are_drawn_for_each_twin(run: Run) -> None:
    """Two patients who granted the same categories show different bits, and neither the vocabulary's numbers."""
    masks = {mask for mask in run.masks if mask.bit_count() == len(GRANTED)}
    assert len(masks) == 2, "one for each twin: the hospital's and the doctor's grant of one twin show the same"
    assert sum(1 << category(name).number for name in GRANTED) not in masks


def test_one_writer_s_streams_on_two_twins_share_no_label(run: Run) -> None:
    labels: dict[int, set[bytes]] = {}
    for name, data in run.public.pieces.items():
        if name.startswith("block") and b"commitment" in data:
            body = encoding.decode(data)["body"]
            labels.setdefault(body["twin"], set()).add(body["stream"])
    assert [len(each) for each in labels.values()] == [2, 2]
    assert not set.intersection(*labels.values())

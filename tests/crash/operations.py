"""What the tests let die. Each is what a person does again, the same way, when the first try broke off."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.migrations import ROLES, Founder, Journal, Plan, run
from dtledger._backend.quota_file import QuotaFile
from dtledger._backend.write_journal import Pending
from dtledger._cli import main
from dtledger.client import Ask, Client, make_card
from dtledger.client.anchoring import Anchoring
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.gateway.allowance import Allowance, RelayLimits
from dtledger.gateway.pump import Pace, Pump
from dtledger.gateway.queue import Measured, ReadingQueue
from dtledger.gateway.relay import Relay
from dtledger.gateway.relay_pump import RelayPump
from dtledger.home import Home
from dtledger.importers import read_file
from dtledger.ledger import Deployment, Receipt
from dtledger.ledger.lanes import Fees
from dtledger.testing.memory_key import MemoryKey
from dtledger.vocabulary import Action, Cause, Kind, Purpose
from tests.crash.scene import TWIN, export_file, exported, open_client, reading_terms


def _client(home: Path, name: str) -> Client:
    return open_client(Home(home, "test"), name)


def import_file(home: Path) -> None:
    """The gateway puts the readings of the export, two snapshots a batch."""
    with _client(home, "gateway") as gateway, export_file(Home(home, "test")).open("rb") as file:
        gateway.writer.put(TWIN, "glucose", read_file(file).readings, batch=2)


def import_by_command(home: Path) -> None:
    """The same from the command line, in one batch."""
    words = ("snapshot", "put", str(home / "export.csv"), "--twin", str(TWIN))
    options = ("--home", str(home), "--profile", PROFILE, "--key", "gateway", "--json")
    code = main([*words, *options], standalone_mode=False)
    assert not code, f"the command ended with {code}"


def pump(home: Path) -> None:
    """A device sends the readings of the export until they are acknowledged, and the gateway empties its queue."""
    acknowledged = home / "acknowledged"
    with _client(home, "gateway") as gateway:
        context = gateway.context
        queue = ReadingQueue(home / "queue.db", context.key, context.clock)
        if not acknowledged.exists():
            queue.put([Measured(TWIN, "glucose", each) for each in exported(Home(home, "test"))])
            acknowledged.touch()
        worker = Pump(context, gateway.writer, queue, Pace(snapshots=2))
        while worker.step():
            pass
        queue.close()


def relay(home: Path) -> None:
    """What is in `calls.json` is sent until it is accepted, and the gateway carries it, two in a transaction."""
    acknowledged = home / "accepted"
    with _client(home, "gateway") as gateway:
        context = gateway.context
        queue = ReadingQueue(home / "queue.db", context.key, context.clock)
        quota = QuotaFile(home / "quota.db")
        allowance = Allowance(quota, RelayLimits(), context.clock)
        lane = context.ledger.lane(context.key, queue.relayed, Fees(patience=0))
        lane.fit = lambda some, gas: min(len(some), 2)  # type: ignore[method-assign]
        worker = RelayPump(queue.relayed, [lane], context.clock, allowance)
        if not acknowledged.exists():
            front = Relay(context, queue.relayed, allowance)
            for contract, data in json.loads((home / "calls.json").read_bytes()):
                front.accept(contract, bytes.fromhex(data))
            acknowledged.touch()
        worker.begin()
        load = queue.relayed.load()
        while load.waiting or load.in_flight:
            worker.step()
            load = queue.relayed.load()
        quota.close()
        queue.close()


def import_elsewhere(home: Path) -> None:
    """Another machine with the gateway's key puts a reading of the hour after the export."""
    last = exported(Home(home, "test"))[-1]
    with open_client(Home(home, "test"), "gateway", machine="other-") as gateway:
        gateway.writer.put(TWIN, "glucose", [replace(last, seconds=last.seconds + 3600)])


def import_raced(home: Path) -> None:
    """`import_file`, with `import_elsewhere` right before its first anchor."""
    anchor = Anchoring._anchor

    def slower(anchoring: Anchoring, pending: Pending) -> Receipt:
        Anchoring._anchor = anchor  # type: ignore[method-assign]
        import_elsewhere(home)
        return anchor(anchoring, pending)

    Anchoring._anchor = slower  # type: ignore[method-assign]
    try:
        import_file(home)
    finally:
        Anchoring._anchor = anchor  # type: ignore[method-assign]


CORRECTED = 9.9


def amend(home: Path) -> None:
    """The gateway corrects the second value of the export, and withdraws the third."""
    readings = exported(Home(home, "test"))
    with _client(home, "gateway") as gateway:
        hour = next(gateway.snapshots.list(TWIN, "glucose"))[0].found.digest
        wrong = [each.seconds for each in readings[1:3]]
        gateway.writer.amend(hour, [replace(readings[1], value=CORRECTED)], "calibrated anew", replaces=wrong)


def devnet_up(home: Path) -> None:
    """The devnet comes up in that home."""
    Devnet(Home(home, "test")).up(DirectoryStore)


def grant(home: Path) -> None:
    """The patient grants cardiology, in the first free slot."""
    _grant(home, None)


def grant_slot(home: Path) -> None:
    """The patient grants cardiology in slot 0."""
    _grant(home, 0)


def _grant(home: Path, number: int | None) -> None:
    with _client(home, "patient") as patient, _client(home, "cardiology") as cardiology:
        terms = reading_terms(Home(home, "test"), patient.context.clock())
        patient.consents.grant(TWIN, cardiology.address, terms, number)


def revoke(home: Path) -> None:
    """The patient revokes cardiology's grant, and hears it."""
    with _client(home, "patient") as patient, _client(home, "cardiology") as cardiology:
        slot = patient.consents.slot(TWIN, cardiology.address, 0)
        receipt = patient.consents.revoke(slot)
        patient.revoking.account(TWIN, [slot], receipt, patience=0)
    (home / "acknowledged").touch()


LATER = 8 * 86_400
"""By so many seconds `later`'s clocks are ahead: what governance or an owner announced is due."""


def later(home: Path, name: str) -> Client:
    """A client of whom those days have passed, as they have for its custodians."""
    return open_client(Home(home, "test"), name, lambda: int(time.time()) + LATER)


def break_glass(home: Path) -> None:
    """The medic opens the ambulance's grant for an emergency, with words, unless it is open, and reads."""
    with later(home, "medic") as medic:
        (record,) = medic.emergencies.openable(TWIN)
        if not any(not each.closed for each in medic.emergencies.concerning(TWIN)):
            medic.emergencies.open(record.slot, Cause.OVRINCOMP, "found unconscious")
        assert medic.read(TWIN, "glucose", "ETREAT")


def erase(home: Path) -> None:
    """The patient has the keys of the retired twin destroyed, and its blocks removed."""
    with later(home, "patient") as patient:
        assert patient.erasing.finish(TWIN).holds


def ask(home: Path) -> None:
    """Cardiology asks the patient, unless it has."""
    with _client(home, "cardiology") as cardiology:
        if not cardiology.consents.asked().requests:
            wanted = Ask(("glucose",), (Purpose.TREAT,), (Action.READ,), 86_400, "To see your nights.")
            cardiology.consents.request(TWIN, wanted)


def answer(home: Path) -> None:
    """The patient says yes to what waits."""
    with _client(home, "patient") as patient:
        for each in patient.consents.pending(TWIN):
            patient.consents.respond(each, each.ask.terms(patient.context.clock()))


def read(home: Path) -> int:
    """Cardiology reads; returns how many readings there were."""
    with _client(home, "cardiology") as cardiology:
        return len(cardiology.read(TWIN, "glucose", "TREAT"))


def give_second_twin(home: Path) -> None:
    """The newcomer asks for a twin, the operator mints it, its owner sets it up."""
    with _client(home, "newcomer") as newcomer, _client(home, OPERATOR) as operator:
        if not newcomer.context.view().twins_of(newcomer.address):
            operator.twins.mint(newcomer.twins.request_mint())
        for twin in newcomer.twins.without_card():
            newcomer.twins.set_up(twin, list(newcomer.context.custodians), 2)


def rekey(home: Path) -> None:
    """The patient begins the twin's next generation."""
    with _client(home, "patient") as patient:
        patient.twins.rekey(TWIN)


def reshare(home: Path) -> None:
    """The patient shares custody anew onto two of the three custodians."""
    with _client(home, "patient") as patient:
        held = list(patient.twins.roster(TWIN).custodians)
        patient.resharing.reshare(TWIN, held[:2], 1)


def bring_back(home: Path) -> None:
    """The patient's new key completes the move that her guardians announced, and gets everything back."""
    words = ("twin", "recover", "complete", str(TWIN), "--shares", str(home / "ann.move.json"))
    options = ("--home", str(home), "--profile", PROFILE, "--key", "ann-new", "--json")
    code = main([*words, *options], standalone_mode=False)
    assert not code, f"the command ended with {code}"


def commit_update(home: Path) -> None:
    """Cardiology commits to an update of the first model's round."""
    with _client(home, "cardiology") as cardiology:
        cardiology.training.commit(cardiology.models.find(1).model, [b"an update"], epsilon=1)


# deploying needs no home, only a chain --------------------------------------------------------------------------

DEPLOYER, GOVERNOR, CUSTODIAN = (MemoryKey(name, bytes(31) + bytes([n])) for n, name in enumerate("dgc", start=1))


def founders(deployment: Deployment) -> list[Founder]:
    card = make_card(deployment, CUSTODIAN, "custodian", version=0)
    return [Founder(card.card, card.signature, b"", Kind.CUSTODIAN.mask)]


def deploy(home: Path) -> Journal:
    """Deploy on the chain whose URL stands in `url`, with the records in `deployments`."""
    plan = Plan({role: [GOVERNOR.address] for role in ROLES}, founders)
    return run((home / "url").read_text(), DEPLOYER, plan, home / "deployments")

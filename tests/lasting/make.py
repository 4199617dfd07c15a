"""Makes the present version's record, once: `python -m tests.lasting.make`. It takes Anvil, and a minute.

A patient's twin has glucose by a gateway over two generations and two rosters, one snapshot corrected, guardians with a
recovery package, grants to a hospital, whose clinician read by its keyring, to a gateway, and to a site that trained a
round of a model and opened it. One slot was revoked; every custodian anchored its receipts.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from dtledger._backend.directory_store import DirectoryStore
from dtledger._backend.proof_source import NodeSource
from dtledger._backend.runtimes import shipped
from dtledger.audit import Asked, Given, ModelAudit, Named, Question, Receipts, export
from dtledger.client import Client, ModelCard, Terms, digest_of, publish_keyring
from dtledger.client.devnet import OPERATOR, PROFILE, Devnet
from dtledger.client.guardian_shares import Guardian, GuardianKeys
from dtledger.client.keyrings import owner_keys
from dtledger.client.members import card_check
from dtledger.client.opening import open_client
from dtledger.home import Home
from dtledger.readings import Reading
from dtledger.types import ZERO_ADDRESS, Period
from dtledger.vocabulary import Action, Kind, Purpose, category
from dtledger.vocabulary.duo import use_term
from tests.lasting.record import FOLDER, packed
from tests.lasting.telling import audited, looked, read

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    OPERATOR,
    "hospital",
    "clinician",
    "gateway",
    "site",
    "coordinator",
    "auditor",
    "patient",
    "guardian-1",
    "guardian-2",
)
KINDS = {"gateway": Kind.GATEWAY, "site": Kind.RESEARCHER, "coordinator": Kind.COORDINATOR, "auditor": Kind.AUDITOR}
FOR_EVER = 900 * 365 * 86_400
WEIGHTS = b"weights"


class Story:
    """What is written, on the devnet of one home."""

    def __init__(self, home: Home) -> None:
        self.devnet = Devnet(home)
        self.devnet.up(DirectoryStore)
        for name in NAMES:
            self.devnet.key(name)
        self.devnet.fund()
        self.people = {name: open_client(PROFILE, name, home=home) for name in NAMES}
        self.patient, self.clinician, self.gateway = (self.people[name] for name in ("patient", "clinician", "gateway"))
        self.start = int(time.time()) // 3600 * 3600 - 4 * 3600
        self.twin = 0

    def tell(self) -> None:
        self._enrol()
        patient, custodians = self.patient, list(self.patient.context.custodians)
        self.twin, _ = self.people[OPERATOR].twins.mint(patient.twins.request_mint())
        patient.twins.set_up(self.twin, custodians, 2)
        self._grant("gateway", Action.WRITE)
        self._write("glucose", "mmol/L", 0)
        self._write("heart-rate", "/min", 0)
        first = next(iter(patient.snapshots.list(self.twin, "glucose")))[0].found
        self.gateway.writer.amend(first.digest, [Reading(self.start, 9.5, "mmol/L", 60)], "a fingerstick says more",
                                  replaces=[self.start])  # fmt: skip
        patient.twins.rekey(self.twin)
        hospital = self._grant("hospital", Action.READ)
        self._grant("site", Action.TRAIN, purpose=Purpose.HRESCH, research=(use_term("NPUNCU"),))
        patient.consents.revoke(replace(hospital, number=5))
        self._read(self.clinician)
        self._write("glucose", "mmol/L", 1)
        patient.resharing.reshare(self.twin, custodians[:2])
        self._write("glucose", "mmol/L", 2)
        self._entrust()
        self._train()
        self._read(self.clinician)
        for custodian in patient.context.custodians.values():
            custodian.anchor()  # type: ignore[attr-defined]

    def _enrol(self) -> None:
        operator, hospital = self.people[OPERATOR], self.people["hospital"]
        for name, kinds in (("hospital", []), ("clinician", [Kind.CLINICIAN])):
            of = name != "hospital"
            card = self.people[name].members.card(
                name, hospital.address if of else ZERO_ADDRESS, "hospital" if of else ""
            )
            operator.members.enrol(card, kinds, hospital.members.agree(card) if of else b"")
        for name, kind in KINDS.items():
            operator.members.enrol(self.people[name].members.card(name), [kind])
        publish_keyring(hospital.context, [self.clinician.address])

    def _grant(self, name: str, action: Action, **said: Any) -> Any:
        now = self.patient.context.clock()
        purposes = () if action is Action.WRITE else (said.pop("purpose", Purpose.TREAT),)
        categories = said.pop("categories", ("glucose", "heart-rate") if action is Action.WRITE else ("glucose",))
        data = Period(self.start // 60, self.start // 60 + 239)
        terms = Terms(categories, purposes, (action,), now, now + FOR_EVER, data, **said)
        return self.patient.consents.grant(self.twin, self.people[name].address, terms)[0]

    def _write(self, name: str, unit: str, hour: int) -> None:
        times = range(self.start + hour * 3600, self.start + (hour + 1) * 3600, 900)
        self.gateway.writer.put(
            self.twin, name, [Reading(at, 5.0 + place / 10, unit, 60) for place, at in enumerate(times)]
        )

    def _read(self, client: Client) -> None:
        client.read(self.twin, "glucose", "TREAT")

    def _entrust(self) -> None:
        check = card_check(self.patient.context.deployment)
        guardians = [self.people[name] for name in ("guardian-1", "guardian-2")]
        keys = tuple(Guardian.of_card(each.members.card("guardian"), check) for each in guardians)
        self.patient.guardians.entrust(self.twin, GuardianKeys(2, keys))

    def _train(self) -> None:
        coordinator, site = self.people["coordinator"], self.people["site"]
        card = ModelCard("night-low", "tells of lows to come")
        named, _ = coordinator.models.register(card, Purpose.HRESCH, ["glucose"], 1, 1_000)
        coordinator.models.open_round(named.model, digest_of([b"a start"]))
        site.read(self.twin, "glucose", "HRESCH", action="TRAIN")
        site.training.commit(named.model, [b"an update"], 500)
        coordinator.models.finalise(named.model, [WEIGHTS])
        site.training.open(named.model, 1, self.people["auditor"].address)

    # what it says ----------------------------------------------------------------------------------------------------

    def write_down(self, folder: Path) -> None:
        """Everything but the home, beside it."""
        patient = self.patient
        context = patient.context
        ledger: Any = context.ledger
        lists = {each: Receipts(tuple(patient.twins.told(self.twin, each)[1]), patient.twins.told(self.twin, each)[0])
                 for each in context.custodians}  # fmt: skip
        keys = owner_keys(context.key.secrets.twin(context.deployment.id, self.twin))
        named = Named(keys.tags[category("glucose").number], keys.bits.prove(keys.bits.bit_of("glucose")))
        asked = Asked(Question(twin=self.twin), Given(lists, named=(named,)), context.deployment)
        bundle, claims = export(asked, NodeSource(ledger.web3), context.store)
        (folder / "twin.bundle").write_bytes(bundle.encode())
        _write_json(folder / "ledger.json", _ledger(ledger))
        _write_json(folder / "immutables.json", {name: each.immutables for name, each in shipped().items()})
        model = ModelAudit(
            context.deployment, context.view(), context.store, context.view().model(1),  # type: ignore[arg-type]
            [self.people["site"].training.opening(context.view().model(1), 1)],  # type: ignore[arg-type]
            {(1, None): lambda: [WEIGHTS]},
        )  # fmt: skip
        _write_json(
            folder / "said.json",
            {
                "twin": self.twin,
                "start": self.start,
                "clinician": read(self.clinician.read(self.twin, "glucose", "TREAT")),
                "patient": read(patient.read(self.twin, "glucose", "PATRQT", originals=True)),
                "heartRate": read(patient.read(self.twin, "heart-rate", "PATRQT")),
                "looks": looked(patient, self.twin, until=bundle_time(bundle.headers)),
                "audit": audited(claims),
                "model": audited(model.claims()),
            },
        )


def bundle_time(headers: Any) -> int:
    from dtledger.audit.proofs import Header

    return Header.read(headers[max(headers)]).at


def _ledger(ledger: Any) -> dict[str, Any]:
    deployment, head = ledger.deployment, ledger.head()
    found = ledger.web3.eth.get_logs({"address": list(deployment.contracts.values()), "fromBlock": 0})
    return {
        "chainId": deployment.chain_id,
        "genesis": deployment.genesis.hex(),
        "contracts": dict(deployment.contracts),
        "code": {name: code.hex() for name, code in deployment.code.items()},
        "block": deployment.block,
        "head": [head.number, head.hash.hex(), head.at],
        "logs": [
            [raw.block, raw.place, raw.at, [raw.topics[at : at + 32].hex() for at in range(0, len(raw.topics), 32)],
             raw.data.hex()]
            for raw in map(ledger._raw, found)
        ],
    }  # fmt: skip


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")))


def main() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    file = FOLDER / f"{version}.tar.xz"
    if file.exists():
        sys.exit(f"{file.name} is there, and is never written again.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        story = Story(Home(folder / "home", "a record"))
        try:
            story.tell()
            story.write_down(folder)
        finally:
            for each in story.people.values():
                each.close()
            story.devnet.down()
        file.write_bytes(packed(folder))
    print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""The transactions that forge measures, sent to a real Anvil by the SDK's ledger: what their receipts say."""

from __future__ import annotations

from dtledger.client import Client
from dtledger.ledger import Call, calls, messages
from dtledger.ledger.events import Card, ModelRegistered
from dtledger.ledger.signed import SignedGrant
from dtledger.policy import Grant
from dtledger.types import ZERO_DIGEST
from dtledger.vocabulary import Kind

from .crowding import digest, stranger
from .world import World

FIFTY = 50


def measure(world: World) -> dict[str, int]:
    """Forge's name for it → gas, on twins of a patient who had none. Somebody else has the deployment's first twin,
    which alone costs 17,100 more."""
    world.twin()
    patient = world.newcomer("newcomer")
    first, minted = world.operator.twins.mint(patient.twins.request_mint())
    second, _ = world.operator.twins.mint(patient.twins.request_mint())
    grantee = world.clinician.address
    terms = _terms(world)
    grants = [_send(patient, calls.grant(first, grantee, 0, terms, digest())) for _ in range(2)]
    anchors = [_send(patient, calls.anchor_batch(digest(), 1_000_000, digest())) for _ in range(2)]
    return {
        "mint, a patient's first": minted.gas,
        "setCard, first": _send(patient, calls.set_card(first, ZERO_DIGEST, _card())),
        "setCardSigned, first": _relay_card(world, patient, second),
        "grant": grants[0],
        "grant, again": grants[1],
        "revoke": _send(patient, calls.revoke(patient.address, first, grantee, 0)),
        "grantMany of 50": _send(patient, calls.grant_many(first, terms, _recipients())),
        "grantSigned": _relay_grant(world, patient, first, terms),
        "anchorBatch": anchors[1],
        **_updates(world),
    }


def _updates(world: World) -> dict[str, int]:
    """One site's updates in the first two rounds of a model that it coordinates itself."""
    site, parent, gas = world.newcomer("site"), digest(), []
    world.operator.members.enrol(site.members.card("site"), [Kind.COORDINATOR, Kind.RESEARCHER])
    registered = site.context.ledger.send(calls.register_model(8, 0x42, 20, 8_000, digest()), site.context.key)
    model = registered.the(ModelRegistered).model
    for number in (1, 2):
        _send(site, calls.open_round(model, parent))
        said = calls.Contribution(model, number, cohort=1_312, epsilon=1_250)
        gas.append(_send(site, calls.commit_update(digest(), parent, digest(), digest(), said)))
        parent = digest()
        _send(site, calls.finalise_aggregate(model, number, parent, digest(), 1))
    return {"commitUpdate, a site's first": gas[0], "commitUpdate": gas[1]}


def _send(client: Client, call: Call) -> int:
    return client.context.ledger.send(call, client.context.key).gas


def _relay_grant(world: World, patient: Client, twin: int, terms: Grant) -> int:
    context = patient.context
    message = SignedGrant(patient.address, twin, world.clinician.address, 1, terms, digest(), 0, 0, context.deadline())
    signature = context.key.sign_digest(messages.grant(context.deployment, message))
    return _send(world.operator, calls.grant_signed(message, signature))


def _relay_card(world: World, patient: Client, twin: int) -> int:
    context, card, deadline = patient.context, _card(), patient.context.deadline()
    signature = context.key.sign_digest(messages.set_card(context.deployment, twin, ZERO_DIGEST, card, deadline))
    return _send(world.operator, calls.set_card_signed(twin, ZERO_DIGEST, card, deadline, signature))


def _terms(world: World) -> Grant:
    """A clinician's terms: masks as dense as they are under a twin's permuted bits."""
    terms = world.terms()
    return Grant(
        categories=0x2040A011,
        purposes=0x102,
        not_before_at=terms.not_before_at,
        expires_at=terms.expires_at,
        data=terms.data,
        actions=1,
    )


def _recipients() -> list[calls.Recipient]:
    return [calls.Recipient(stranger(), place % 8, digest()) for place in range(FIFTY)]


def _card() -> Card:
    return Card(digest(), digest(), digest(), digest(), digest(), 1, 2, 7, 4)

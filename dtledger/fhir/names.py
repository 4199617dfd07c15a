"""How people, grants and snapshots are called in what is exported: logical references, for none of them has a FHIR
server. An account is a DID of the method `pkh` (CAIP-10), the rest are URNs of the deployment.

>>> from dtledger.testing import World
>>> with World() as world:
...     names = Names(world.ledger.deployment, lambda address: "cardiology")
...     names.reference("Practitioner", world.clinician.address)["display"]
'cardiology'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ledger import Deployment, Slot
from ..types import Address
from .codes import URI


@dataclass(frozen=True, slots=True)
class Names:
    """`display` is what a person calls the holder of an address; `patient` what a FHIR server calls the owner
    ("Patient/7"), if one does."""

    deployment: Deployment
    display: Callable[[Address], str]
    patient: str = ""

    def urn(self, *words: object) -> str:
        return ":".join(["urn:dtledger", self.deployment.id, *map(str, words)])

    def account(self, address: Address) -> str:
        return f"did:pkh:eip155:{self.deployment.chain_id}:{address}"

    def identified(self, kind: str, uri: str, display: str = "") -> dict[str, Any]:
        """A reference to something by a URI that names it."""
        return {
            "type": kind,
            "identifier": {"system": URI, "value": uri},
            **({"display": display} if display else {}),
        }

    def reference(self, kind: str, address: Address) -> dict[str, Any]:
        """A reference to the holder of an address."""
        return self.identified(kind, self.account(address), self.display(address))

    def owner(self, address: Address) -> dict[str, Any]:
        """A reference to the patient."""
        if self.patient:
            return {"reference": self.patient}
        return self.reference("Patient", address)

    def grant(self, slot: Slot) -> str:
        """The URN of a grant's slot."""
        return self.urn("grant", slot.twin, slot.owner, slot.grantee, slot.number)

    def snapshot(self, digest: str) -> str:
        return f"urn:dtledger:snapshot:{digest}"


def bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Resources as a collection."""
    entries = [{"fullUrl": f"urn:dtledger:{each['resourceType']}:{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}

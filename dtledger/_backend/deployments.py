"""The record of a deployment: a JSON file with its contracts, and with what was done of it, for one under way.

It needs no node: whoever verifies a file with no network reads whose contracts are whose from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..encoding import address
from ..errors import InputError
from ..ledger import CONTRACTS, KEPT, Deployment
from ..types import Address, Digest
from .files import parse_json, write_atomically

__all__ = ["Journal", "read_deployment", "read_journal"]


@dataclass(slots=True)
class Journal:
    """The record of a deployment under way, and of a finished one."""

    path: Path
    chain_id: int
    genesis: Digest
    deployer: Address
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    contracts: dict[str, Address] = field(default_factory=dict)
    code: dict[str, Digest] = field(default_factory=dict)
    block: int = 0
    complete: bool = False
    predecessor: Deployment | None = None

    @classmethod
    def begun(cls, path: Path, chain_id: int, genesis: Digest, deployer: Address, before: Deployment | None) -> Journal:
        """Of a deployment of which nothing is done yet."""
        journal = cls(path, chain_id, genesis, deployer, predecessor=before)
        if before is not None:
            journal.contracts = {name: before.contracts[name] for name in KEPT}
            journal.code = {name: before.code[name] for name in KEPT if name in before.code}
            journal.block = before.block
        return journal

    def deployment(self) -> Deployment:
        return Deployment(self.chain_id, self.genesis, self.contracts, self.code, self.block, self.predecessor)

    def save(self) -> None:
        record = {
            "schema": "dtledger/deployment/1",
            "deployer": self.deployer,
            **_plain(self.deployment()),
            "complete": self.complete,
            "steps": self.steps,
        }
        write_atomically(self.path, (json.dumps(record, indent=2) + "\n").encode(), mode=0o644)


def read_journal(path: Path) -> Journal:
    """The record at `path`.

    Raises:
        InputError: there is none, or it is not one.
    """
    try:
        raw = parse_json(path.read_bytes())
        made = _deployment(raw)
        return Journal(
            path=path,
            chain_id=made.chain_id,
            genesis=made.genesis,
            deployer=address(raw["deployer"]),
            steps=raw["steps"],
            contracts=dict(made.contracts),
            code=dict(made.code),
            block=made.block,
            predecessor=made.predecessor,
            # an older version's has fewer contracts: it goes on with those that it lacks
            complete=raw["complete"] and raw["contracts"].keys() >= set(CONTRACTS),
        )
    except FileNotFoundError:
        raise InputError(
            f"There is no deployment record at {path}.",
            hint="Run `dtledger deploy`, or `dtledger devnet up` for a development chain.",
        ) from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path} is not a deployment record.", hint="Run `dtledger deploy`, or restore it.") from error


def _plain(deployment: Deployment) -> dict[str, Any]:
    before = deployment.predecessor
    return {
        "chainId": deployment.chain_id,
        "genesis": "0x" + deployment.genesis.hex(),
        "block": deployment.block,
        "contracts": deployment.contracts,
        "code": {name: "0x" + digest.hex() for name, digest in deployment.code.items()},
        **({"predecessor": _plain(before)} if before else {}),
    }


def _deployment(raw: Mapping[str, Any]) -> Deployment:
    return Deployment(
        chain_id=raw["chainId"],
        genesis=Digest(bytes.fromhex(raw["genesis"][2:])),
        contracts={name: address(each) for name, each in raw["contracts"].items()},
        code={name: Digest(bytes.fromhex(digest[2:])) for name, digest in raw["code"].items()},
        block=raw["block"],
        predecessor=_deployment(raw["predecessor"]) if "predecessor" in raw else None,
    )


def read_deployment(path: Path) -> Deployment:
    """A finished deployment.

    Raises:
        InputError: there is none, or a step of it has not been done.
    """
    journal = read_journal(path)
    if not journal.complete:
        raise InputError(
            f"The deployment at {path} is not finished: some of its steps are still to be done.",
            hint="Run `dtledger deploy` again; it goes on where it stopped.",
        )
    return journal.deployment()

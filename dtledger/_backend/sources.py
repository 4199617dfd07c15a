"""Is the code on the chain the code of these sources? Compiled anew by py-solc-x and compared byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError
from web3 import Web3

from ..errors import CannotCheckError
from ..ledger import CONTRACTS, Deployment
from .runtimes import Runtime

OPTIMIZER_RUNS = 10_000
EVM_VERSION = "cancun"
OPENZEPPELIN = "@openzeppelin/"


def checkout() -> Path | None:
    """The checkout that this package lies in, with sources and compiler, or None for a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "contracts").is_dir() and (root / "scripts" / "node_modules").is_dir() else None


def compiled(root: Path) -> dict[str, Runtime]:
    """Each contract's runtime, compiled from the sources of a checkout.

    Raises:
        CannotCheckError: the compiler is missing or refuses.
    """
    openzeppelin = root / "scripts" / "node_modules" / "@openzeppelin"
    files = {f"contracts/{each.relative_to(root / 'contracts')}": each for each in (root / "contracts").rglob("*.sol")}
    files |= {
        f"scripts/node_modules/@openzeppelin/{each.relative_to(openzeppelin)}": each
        for each in (openzeppelin / "contracts").rglob("*.sol")
    }
    request = {
        "language": "Solidity",
        "sources": {name: {"content": path.read_text()} for name, path in files.items()},
        "settings": {
            "remappings": [f"{OPENZEPPELIN}=scripts/node_modules/{OPENZEPPELIN}"],
            "optimizer": {"enabled": True, "runs": OPTIMIZER_RUNS},
            "metadata": {"bytecodeHash": "none"},
            "evmVersion": EVM_VERSION,
            "outputSelection": {
                "*": {"*": ["evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]}
            },
        },
    }
    try:
        output = solcx.compile_standard(request, solc_binary=root / "scripts" / "solc", allow_paths=str(root))
    except (SolcError, OSError) as error:
        raise CannotCheckError(
            "The sources cannot be compiled here.", hint="Run any of scripts/ once; it installs the compiler."
        ) from error
    built: dict[str, Any] = {}
    for contracts in output["contracts"].values():
        built |= {name: value["evm"]["deployedBytecode"] for name, value in contracts.items() if name in CONTRACTS}
    return {name: Runtime.of(built[name]) for name in CONTRACTS}


def compare(web3: Web3, deployment: Deployment, expected: dict[str, Runtime]) -> dict[str, bool]:
    """Contract → whether its code on the chain is the expected."""
    return {
        name: expected[name].matches(bytes(web3.eth.get_code(Web3.to_checksum_address(deployment.contracts[name]))))
        for name in CONTRACTS
    }

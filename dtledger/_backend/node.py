"""One JSON-RPC node: a connection to it, whose chain it serves, and the border where its errors become ours."""

from __future__ import annotations

from typing import Any

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.types import RPCEndpoint

from ..encoding import keccak
from ..errors import ChainMismatchError, DtledgerError, UnreachableError
from ..ledger import Deployment
from ..types import Digest
from .artifacts import artifact
from .loopback import is_loopback_url

_ADMIN = "0x" + bytes(32).hex()

_NONSENSE = (ValueError, TypeError, LookupError, AttributeError)
"""What web3 raises at an answer that is no node's: some web page, a proxy's, half of one."""


def connect(rpc_url: str, timeout: float = 10.0) -> Web3:
    """A connection to a node, whose answers may take `timeout` seconds. Nothing is sent yet. A node on this machine is
    asked directly, whatever proxy the environment names."""
    session = requests.Session()
    session.trust_env = not is_loopback_url(rpc_url)
    provider = HTTPProvider(
        rpc_url, request_kwargs={"timeout": timeout}, session=session, exception_retry_configuration=None
    )
    web3 = Web3(provider)
    # asks for the chain id with every transaction, and refuses the long extra data of proof-of-authority blocks
    web3.middleware_onion.remove("validation")
    return web3


def ask(web3: Web3, method: str, *params: object) -> Any:
    """A node's answer as it gave it: web3's own reading of a hundred logs takes ten times as long as ours.

    Raises:
        Web3RPCError: it is an error.
    """
    answer = web3.provider.make_request(RPCEndpoint(method), params)
    if answer.get("error") is not None:
        raise Web3RPCError(str(answer["error"]), rpc_response=answer)
    return answer["result"]


def identity(web3: Web3) -> tuple[int, Digest]:
    """Chain id and genesis hash of the node's chain.

    Raises:
        UnreachableError: the node does not answer.
    """
    with Translated():
        return web3.eth.chain_id, Digest(bytes(web3.eth.get_block(0)["hash"]))


class Translated:
    """The one border where a node's errors become ours, but for those that are named."""

    def __init__(self, *passing: type[Exception]) -> None:
        self._passing: tuple[type[Exception], ...] = (DtledgerError, *passing)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, Web3Exception, *_NONSENSE)) and not isinstance(error, self._passing):
            raise unreachable(error) from error


def unreachable(error: BaseException) -> UnreachableError:
    """What a node's error is to us. Its address is not repeated: people put tokens into it."""
    return UnreachableError(
        f"The ledger's node does not answer as it should ({type(error).__name__}).",
        hint="`dtledger config show rpc_url` says which was asked: start it (`dtledger devnet up` starts a devnet's), "
        "or name another with --rpc-url.",
    )


def require_deployment(web3: Web3, deployment: Deployment, *, unfinished: bool = False) -> None:
    """Pass if the node serves the deployment's chain, with its code, and nobody governs it who made it.

    Args:
        unfinished: pass a deployment whose deployer still holds roles too.

    Raises:
        ChainMismatchError: it does not.
        UnreachableError: the node does not answer.
    """
    found = identity(web3)
    if found != (deployment.chain_id, deployment.genesis):
        raise ChainMismatchError(
            f"The node serves chain {found[0]} with genesis {found[1].hex()[:16]}…, the deployment is on chain "
            f"{deployment.chain_id} with genesis {deployment.genesis.hex()[:16]}….",
            hint="Use the deployment's own node, or deploy on this chain with `dtledger deploy`.",
        )
    for name, expected in deployment.code.items():
        with Translated():
            code = bytes(web3.eth.get_code(deployment.contracts[name]))  # type: ignore[arg-type]
        if keccak(code) != expected:
            raise ChainMismatchError(
                f"The code of {name} at {deployment.contracts[name]} is not the deployment's.",
                hint="If the chain was made anew, run `dtledger deploy` again.",
            )
    if not unfinished:
        _refuse_unfinished(web3, deployment)


def _refuse_unfinished(web3: Web3, deployment: Deployment) -> None:
    """The founder of each AccessManager must have given up ADMIN, under an event."""
    for name in ("AccessManager", "MintManager"):
        if name in deployment.contracts:
            _refuse_founder(web3, deployment, name)


def _refuse_founder(web3: Web3, deployment: Deployment, name: str) -> None:
    topics = {each.name: each.selector for each in artifact("AccessManager").events.values()}
    with Translated():
        logs = web3.eth.get_logs(
            {
                "address": Web3.to_checksum_address(deployment.contracts[name]),
                "fromBlock": deployment.block,
                "toBlock": "latest",
                "topics": [["0x" + topics[event].hex() for event in ("RoleGranted", "RoleRevoked")], _ADMIN],
            }
        )
    founder = bytes(logs[0]["topics"][2]) if logs else b""
    if not any(bytes(log["topics"][0]) == topics["RoleRevoked"] and bytes(log["topics"][2]) == founder for log in logs):
        raise ChainMismatchError(
            "The deployment is not finished: whoever made it still governs it.",
            hint="Let its operator run `dtledger deploy` to the end.",
        )

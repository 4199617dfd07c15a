"""What `twin show` says of a twin's keys: its generation, and the package that would bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import DtledgerError
from ..app import App

if TYPE_CHECKING:
    from ...client import RecoveryState


NO_RECOVERY = "none: guardians move the twin, and bring back nothing (dtledger twin guardians set)"


def generation(app: App, twin: int, *, mine: bool) -> tuple[int | None, bool]:
    """The newest generation, as its owner's key file has it, and whether a rekey was cut short."""
    twins, context = app.client.twins, app.client.context
    if not mine or not context.key.secrets.has_twin(context.deployment.origin, twin):
        return None, False
    return twins.generation(twin), twins.is_rekeying(twin)


def recovery(app: App, twin: int) -> RecoveryState | None:
    """How the recovery package stands; what is not to be had is said, and hides nothing else."""
    try:
        return app.client.twins.recovery(twin)
    except DtledgerError as error:
        app.warn(f"the recovery package cannot be looked at: {error}")
        return None


def recovery_words(state: RecoveryState) -> str:
    (m, k), (t, n) = state.guardians, state.custodians
    held = f"version {state.version}, {m} of {k} guardians with {t} of {n} custodians, up to generation"
    behind = f"; BEHIND: {' and '.join(state.behind)}" if state.behind else ""
    return f"{held} {state.generation}{behind}"


def loss_words(guarded: bool, state: RecoveryState | None) -> str | None:
    """What becomes of a twin whose key is lost without a backup; None if nothing is lost with it."""
    if not guarded:
        return "this twin has no guardians: whoever loses its key loses it"
    if state is None:
        return "this twin's guardians bring it to another key, but not what was read with this one"
    if state.behind:
        return "its guardians do not bring back all of it: dtledger twin guardians set, as before"
    return None


def plain_recovery(state: RecoveryState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "version": state.version,
        "generation": state.generation,
        "guardians": {"needed": state.guardians[0], "count": state.guardians[1]},
        "custodians": {"needed": state.custodians[0], "count": state.custodians[1]},
        "behind": list(state.behind),
    }

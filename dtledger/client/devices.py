"""A twin's devices, as its owner has them: the signed words that are handed to a gateway."""

from __future__ import annotations

from collections.abc import Sequence

from ..device.enrolment import Channel, Enrolment, Suspension
from ..errors import AccessDeniedError, InputError
from ..types import Address
from .context import Context


class Devices:
    """Signs as the owner of twins; nothing of it comes on the ledger."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def enrol(
        self, twin: int, gateway: Address, key: bytes, channels: Sequence[Channel], since: int | None = None
    ) -> tuple[Enrolment, bytes]:
        """The enrolment of the device with that public key at a gateway, and the block to hand to it within minutes.
        Nothing that was measured before `since` (unix seconds) is the twin's; by default before now.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: it is no key of a device, or measures nothing.
        """
        now = self._context.clock()
        owner = self._owner(twin)
        try:
            said = Enrolment(twin, owner, gateway, key, tuple(channels), now if since is None else since, now)
        except ValueError as error:
            raise InputError(f"That is no device: {error}.") from error
        return said, said.signed(self._context.deployment, self._context.key)

    def suspend(self, twin: int, gateway: Address, device: bytes) -> bytes:
        """The block that ends a device at a gateway, to be handed to it within minutes. Raises as `enrol`."""
        context = self._context
        said = Suspension(device, twin, self._owner(twin), gateway, context.clock())
        return said.signed(context.deployment, context.key)

    def _owner(self, twin: int) -> Address:
        me = self._context.key.address
        if self._context.view().owner(twin) != me:
            raise AccessDeniedError(f"Twin {twin} is not owned by this key.", hint="Choose the owner's with --key.")
        return me

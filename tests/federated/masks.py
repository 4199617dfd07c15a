"""Pairwise masks (Bonawitz et al. 2017, without its recovery from drop-outs): what a secure aggregation puts on top.

Numbers become whole ones of 64 bits in steps of 2⁻²⁴, weighted; every pair of sites draws one stream from a secret of
both, which one adds and the other takes away, modulo 2⁶⁴. Each masked update is noise to whoever lacks a secret, and
the sum of all is the sum of the updates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord
from flwr.clientapp.typing import ClientAppCallable, Mod
from flwr.serverapp.strategy import FedAvg

from dtledger.federated.messages import arrays_of, record_of, the_arrays

STEP = 2.0**-24


def whole(arrays: Mapping[str, Any], weight: int) -> dict[str, Any]:
    return {
        name: np.asarray(np.rint(each.astype(np.float64) / STEP) * weight).astype(np.int64).view(np.uint64)
        for name, each in arrays.items()
    }


def masked(arrays: Mapping[str, Any], me: int, sites: int, number: int) -> dict[str, Any]:
    made = {name: each.copy() for name, each in arrays.items()}
    for other in range(sites):
        if other == me:
            continue
        seed = hashlib.sha256(b"secret of %d and %d in round %d" % (min(me, other), max(me, other), number)).digest()
        dice = np.random.default_rng(int.from_bytes(seed, "big"))
        for name, each in made.items():
            mask = dice.integers(0, 2**64, each.shape, np.uint64)
            made[name] = np.asarray(each + mask if me < other else each - mask)
    return made


def mask_mod(sites: int) -> Mod:
    """Masks what the mods after it in the list send."""

    def mod(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
        reply = call_next(message, context)
        if reply.has_error():
            return reply
        key, _ = the_arrays(reply.content)
        weight = int(reply.content["metrics"]["num-examples"])
        made = whole(arrays_of(reply.content), weight)
        reply.content[key] = record_of(masked(made, int(context.node_config["site"]), sites, 1))
        return reply

    return mod


class MaskedSum(FedAvg):
    """Adds masked updates, and divides by how many patients they are of."""

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        every = [each for each in replies if each.has_content()]
        sums: dict[str, Any] = {}
        for each in every:
            for name, array in arrays_of(each.content).items():
                sums[name] = np.asarray(sums[name] + array) if name in sums else array
        total = sum(int(each.content["metrics"]["num-examples"]) for each in every)
        made = {name: np.asarray(each.view(np.int64) * STEP / total, np.float32) for name, each in sums.items()}
        return record_of(made), None

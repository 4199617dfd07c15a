"""A made-up person: meals at their hours, days alike, and a sensor every quarter of an hour."""

from __future__ import annotations

import numpy as np

from dtledger.twin import twin
from dtledger.twin.factors import Array
from dtledger.twin.prior import Prior
from dtledger.twin.twin import Forecast, Memory


def readings(seed: int, count: int = 160) -> tuple[Array, Array]:
    """Minutes and mg/dL."""
    draw = np.random.default_rng(seed)
    minutes = 15.0 * np.arange(count)
    clock = minutes % 1440
    meals = sum(60 * np.exp(-np.abs(clock - hour * 60 - 60) / 50) for hour in (7, 12, 18))
    noise, rate = np.zeros(count), 0.0
    for i in range(1, count):
        rate = 0.6 * rate + draw.standard_t(3) * 2.5
        noise[i] = 0.92 * noise[i - 1] + rate
    return minutes, np.clip(120 + meals + noise, 39.6, 500)


def lived(prior: Prior, minutes: Array, glucose: Array, memory: Memory | None = None) -> list[tuple[Memory, Forecast]]:
    """The memory and the forecast after each reading of twins side by side, (rows) or (rows, twins)."""
    minutes, glucose = (each if each.ndim == 2 else each[:, None] for each in (minutes, glucose))
    memory = twin.start(prior, minutes.shape[1]) if memory is None else memory
    found = []
    for now, reading in zip(minutes, glucose, strict=True):
        memory = twin.expect(prior, memory, now).take(reading).memory
        found.append((memory, twin.forecast(prior, memory)))
    return found

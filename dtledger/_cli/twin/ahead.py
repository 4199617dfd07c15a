"""What a twin's state adds to a picture of its readings: what it held for true, and what it expects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..app import App

if TYPE_CHECKING:
    from ...client.forecasting import Ahead
    from ..picture.scene import Expected, Scene

STATE_PERCENT = 80
"""The one interval that is drawn of past states; of a forecast all are."""


def looking_ahead(app: App, scene: Scene, twin: int, purpose: str) -> Scene:
    """The scene with the states of its time, and the forecast where it goes on from the scene's end.

    Raises:
        AccessDeniedError: consent does not cover `forecast`.
        CannotCheckError: no state is anchored.
    """
    from ...client.forecasting import HORIZONS
    from ...types import Period
    from ...vocabulary import Purpose, known_unit

    unit = known_unit(scene.unit)
    if unit is None or unit.base != "mmol/L":
        return scene
    first, last = (int(each.at.timestamp()) // 60 for each in (scene.readings[0], scene.readings[-1]))
    found = app.client.forecast(twin, HORIZONS[0], purpose, unit=unit.code)
    states = app.client.forecasts.states(twin, Purpose[purpose], Period(first, last), unit.code)
    goes_on = int(found.made_at.timestamp()) // 60 <= last + HORIZONS[0]
    if not goes_on:
        app.say("The picture ends before the twin's newest state, so what that expects is not drawn.")
    return replace(
        scene,
        state=_expected(app, states, only=STATE_PERCENT),
        forecast=_expected(app, found.ahead) if goes_on else (),
        unverified=goes_on and found.unverified,
    )


def _expected(app: App, some: Iterable[Ahead], only: int | None = None) -> tuple[Expected, ...]:
    from ..picture.scene import Expected

    return tuple(
        Expected(
            each.at.astimezone(app.zone),
            each.mean,
            tuple((one.percent, one.low, one.high) for one in each.intervals if only in {None, one.percent}),
        )
        for each in some
    )

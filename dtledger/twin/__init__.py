"""The twin itself: a filtered, predicted state of a body, kept in step with its readings.

Pure functions of arrays with NumPy alone (the extra `dtledger[filter]`): no clock, no file, no network. Every array has
the twins along its last axis, so that one call moves one twin or thousands.

    factors, truncated   triangular square roots of covariances; a normal variable known from one side
    filter               the Unscented Kalman Filter, with missing and censored readings
    glucose, vitals      what glucose and what vital signs do by themselves, and how sensors read them
    intake, past, day    what is on board, what was read, what a person's day is like
    features, personal   what a forecast looks at, and what one person teaches it
    prior                what other people taught
    twin                 one glucose reading after another: expect, take, forecast
    gate                 whether a reading can be what it says
    signatures, replays  what false data leave in the innovations; what has been there before
    keeper, rewind       readings judged, set aside, marked; taken back
    vitals_gate          whether a vital sign can be what a monitor shows
    batch                memories of several twins side by side
    snapshot             a twin's state as bytes
    drifting, denoising  glucose behind a sensor that drifts
"""

from importlib.util import find_spec

from ..errors import InputError

__all__ = ["require_extra"]


def require_extra() -> None:
    """Pass if the library that twins run on is installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("numpy") is None:
        raise InputError("A twin's filter runs on NumPy.", hint='Run `pip install "dtledger[filter]"`.')

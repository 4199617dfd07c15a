"""The twin itself: a filtered, predicted state of a body, kept in step with its readings.

Pure functions of arrays with NumPy alone (the extra `dtledger[filter]`): no clock, no file, no network. Every array has
the twins along its last axis, so that one call moves one twin or thousands.

    factors     triangular square roots of covariances
    filter      the Unscented Kalman Filter, with missing and censored readings
"""

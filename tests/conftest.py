"""What all tests share. `--hypothesis-profile long` looks ten times as far for what breaks a property, `fast` a tenth
as far."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
settings.register_profile("timeless", TIMELESS)
settings.register_profile("long", TIMELESS, max_examples=1000)
settings.register_profile("fast", TIMELESS, max_examples=10)
settings.load_profile("timeless")

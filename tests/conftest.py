"""What all tests share. `--hypothesis-profile long` looks ten times as far for what breaks a property, `fast` a quarter
as far."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("long", max_examples=1000)
settings.register_profile("fast", max_examples=25)

"""What all tests share. `--hypothesis-profile long` looks ten times as far for what breaks a property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("long", max_examples=1000)

"""Telling: each step is timed and shown as it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..app import App


class Telling:
    """The steps of one run. `steps` is what `--json` gives of them."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.steps: list[dict[str, Any]] = []
        self.began = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """One step; what it did is put into the dictionary: `did`, and `gas` if it cost any."""
        step: dict[str, Any] = {"step": name, "gas": 0}
        begun = time.monotonic()
        yield step
        step["seconds"] = round(time.monotonic() - begun, 2)
        self.steps.append(step)
        gas = f"{step['gas']:>10,} gas" if step["gas"] else " " * 14
        cost = click.style(f"{gas} {step['seconds']:>6.2f} s", dim=True)
        self.app.show(f"{click.style('✓', fg='green')} {name:<10}{cost}  {step['did']}")

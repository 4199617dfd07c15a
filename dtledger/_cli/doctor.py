"""`doctor`: everything that the profile needs, looked at, with what to mend."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from .app import App
from .command import Verb

if TYPE_CHECKING:
    from ..client.health import Check

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("failed", "red"), "skipped": ("-", "")}


@click.command("doctor", cls=Verb, epilog="Example: dtledger doctor --profile hospital")
@click.pass_context
def doctor_command(ctx: click.Context) -> None:
    """Look at everything that this profile needs, and say what to mend.

    Home, settings, key, store, deployment, node, chain, head, clock, the key's membership and money, custodians. The
    key is unlocked only if a file holds its password. One block is put into the store and removed again.

    The exit code is 0 when nothing failed (warnings are not failures), else that of the first failure:
    5 a key, 6 something unreachable, 4 something changed, 1 anything else.
    """
    from ..client.core import system_clock
    from ..client.health import Doctor, State, exit_code

    app: App = ctx.obj
    checks = []
    for check in Doctor(app.home, lambda: app.settings, system_clock).checks():
        checks.append(check)
        _show(app, check)
    code = exit_code(checks)
    warnings = sum(each.state is State.WARNING for each in checks)
    failures = sum(each.state is State.FAILED for each in checks)
    app.say(f"{failures} failed, {warnings} to look at." if failures or warnings else "All is well.")
    rows = [{**asdict(each), "state": each.state.value} for each in checks]
    app.data("doctor", ok=code == 0, exit_code=code, checks=rows)
    ctx.exit(code)


def _show(app: App, check: Check) -> None:
    mark, colour = _MARKS[check.state.value]
    app.show(f"{click.style(f'{mark:<8}', fg=colour or None)} {check.name:<12} {check.text}")
    if check.mend and check.state.value != "ok":
        app.show(f"{'':<21} {check.mend}")

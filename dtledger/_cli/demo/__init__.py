"""`demo`: the main job from nothing, shown step by step."""

from __future__ import annotations

from pathlib import Path

import click

from ..app import App
from ..command import Verb


@click.command("demo", cls=Verb)
@click.option("--input", "file", type=click.Path(path_type=Path), help="Your own CGM export, instead of the sample.")
@click.option("--tz", help="The time zone of a file with wall-clock times, such as Europe/Vienna.")
@click.option("--utc-offset", help="Its fixed offset instead, such as +01:00.")
@click.option("--unit", help="Its unit, mg/dL or mmol/L, if the file does not say.")
@click.option("--date-order", help="dmy, mdy or ymd, if the file does not settle it.")
@click.option("--clean", is_flag=True, help="Remove the demo's world: its chain, its keys, its data.")
@click.option("--services", is_flag=True, help="Every part a process of its own: custodians, a gateway, kubo.")
@click.option("--federated", is_flag=True, help="Hospitals train a model together, each round under its consents.")
@click.pass_obj
def demo_command(
    app: App, /, file: Path | None, clean: bool, services: bool, federated: bool, **reading: str | None
) -> None:
    """From nothing to an encrypted, anchored twin, a consent, a reading, a refusal and an audited model.

    Starts a development chain, deploys, enrols a hospital, a clinician, a gateway and three custodians, mints a
    patient's twin, imports glucose readings, grants, reads, revokes and is refused. Then two sites train a model on
    twins of their own patients, and an auditor finds what is right and what is wrong with it. The world goes on
    running; run it again to go on in it.

    With --services it is told as a hospital would run it: three custodians, a gateway and kubo (where it is) are
    processes, a hub posts readings to the gateway, and the patient, whose account is empty, signs what the gateway
    relays. It needs a home of its own, and the extra `dtledger[service]`.

    With --federated four hospitals train a model for fifteen rounds: on the heart disease data in the folder that
    DTLEDGER_DATA names, else on data inside scikit-learn. One patient withdraws, one hospital is poisoned, and an
    auditor looks. It needs a home of its own, and the extra `dtledger[federated]`.
    """
    from .place import remove
    from .story import Story

    if clean:
        removed = remove(app.home)
        app.show(f"Removed {app.home.root}." if removed else f"There is no demo in {app.home.root}.")
        app.data("demo-clean", removed=removed, home=app.home.root)
        return
    if services and federated:
        raise click.UsageError("--services and --federated are two stories: tell one.")
    if not services and not federated:
        Story(app, file, reading).tell()
        return
    if file is not None or any(reading.values()):
        told = "--services tells of a simulated day" if services else "--federated brings its own patients"
        raise click.UsageError(f"{told}; --input and its options do not go with it.")
    if federated:
        from ...federated import require_extra as require_federated

        require_federated()
        from .federated import Federated

        Federated(app).tell()
        return
    from ...service import require_extra

    require_extra()
    from .services import Services

    Services(app).tell()

"""`fhir export`: consents, who looked, where data comes from, and values, as a bundle of FHIR R4."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import times
from ..app import App
from ..command import verb
from ..people import SignedNames
from ..words import CATEGORIES_OR_ALL, PURPOSE, Word, Words, flat
from .plain import say_losses

if TYPE_CHECKING:
    from ...fhir import Loss, Names

KINDS = ("consents", "access", "provenance", "models", "observations")
_KINDS = Words(Word(KINDS, "fhir", "KIND,…"))


@verb(
    "export",
    epilog="Examples: dtledger fhir export 7 --what consents,access --to bundle.json · "
    "dtledger fhir export 7 --what observations --category glucose --purpose TREAT --since 7d",
)
@click.argument("twin", type=click.IntRange(0), required=False)
@click.option(
    "--what",
    "kinds",
    multiple=True,
    type=_KINDS,
    callback=lambda _, __, value: flat(value),
    metavar="KIND,…",
    help="consents, access, provenance, models, observations. By default the first four.",
)
@click.option("--category", "categories", multiple=True, type=CATEGORIES_OR_ALL, callback=lambda _, __, v: flat(v),
              metavar="NAME,…", help="Observations of what; may be repeated.")  # fmt: skip
@click.option("--purpose", type=PURPOSE, help="Observations: what for. [PATRQT]")
@click.option("--since", metavar="TIME", help="Observations from when: 24h, 14d, 2026-11-02. By default everything.")
@click.option("--until", metavar="TIME", help="Observations up to when; a day counts whole.")
@click.option("--profile-of-consents", "pcf", type=click.Choice(["basic", "intermediate"]),
              help="IHE PCF's. By default basic where nothing is lost with it.")  # fmt: skip
@click.option("--patient", metavar="REFERENCE", default="", help="What your FHIR server calls the patient: Patient/7.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Into this file.")
def export(
    app: App,
    twin: int | None,
    kinds: Sequence[str],
    categories: Sequence[str],
    purpose: str | None,
    since: str | None,
    until: str | None,
    pcf: str | None,
    patient: str,
    to: Path | None,
) -> None:
    """Write what you may see of a twin as a FHIR R4 bundle, and say what is lost with it.

    Consents follow IHE's Privacy Consent on FHIR, who looked its Basic Audit Log Patterns: one event a custodian's
    receipt and verdict. What is written permits at most what the grants do, and names others by their addresses and
    by the names on the cards that they signed. Consents, access and models need the owner's key.
    """
    from ...fhir import Names, bundle

    number = app.twin(twin)
    signed = SignedNames(app)
    names = Names(app.client.context.deployment, lambda address: signed.known(address) or "", patient)
    wanted = [each for each in KINDS if each in (kinds or KINDS[:4])]
    resources: list[dict[str, Any]] = []
    losses: list[Loss] = []
    if "consents" in wanted:
        for _, made, lost in app.client.exports.consents(number, names, pcf):
            resources += [made] if made else []
            losses += lost
    if "access" in wanted:
        found = app.client.twins.who_looked(number).require_whole()
        resources += app.client.exports.access(found, names)
        for custodian, fault in found.faults.items():
            app.warn(f"{app.people.name(custodian)} did not answer: {fault}")
    if "provenance" in wanted:
        resources += app.client.exports.provenance(number, names)
    if "models" in wanted:
        resources += app.client.exports.uses(number, names)
    if "observations" in wanted:
        resources += _observations(app, number, names, categories, purpose or "PATRQT", since, until)
    told = say_losses(app, losses)
    text = json.dumps(bundle(resources), indent=None if app.as_json else 2)
    if to is not None:
        from ..._backend.files import write_atomically

        write_atomically(to, text.encode())
        app.show(f"Written: {len(resources):,} resources to {to}")
    else:
        app.show(text)
    app.data("fhir-export", twin=number, resources=len(resources), losses=told, file=to,
             bundle=None if to else bundle(resources))  # fmt: skip


def _observations(
    app: App, twin: int, names: Names, categories: Sequence[str], purpose: str, since: str | None, until: str | None
) -> list[dict[str, Any]]:
    from ...fhir import observations
    from ..words import categories_option

    chosen = categories_option(categories) or tuple(app.client.snapshots.newest(twin))
    owner = app.client.context.view().owner(twin)
    assert owner is not None
    now = app.client.context.clock()
    found: list[dict[str, Any]] = []
    for name in chosen:
        with app.progress(name) as progress:
            values = app.client.read(
                twin,
                name,
                purpose,
                since=times.beginning(since, now, app.zone) if since else None,
                until=times.end(until, now, app.zone) - 1 if until else None,
                progress=progress,
            )
        found += observations(values, name, names.owner(owner))
    return found

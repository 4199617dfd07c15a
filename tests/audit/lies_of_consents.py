"""Lies that a site can tell of the consents that it trained under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dtledger.client import Client
from dtledger.crypto.bits import BitMap, BitProof
from dtledger.ledger import calls
from dtledger.models import consents
from dtledger.models.opening import Shown
from dtledger.vocabulary import Action, Purpose
from tests.audit.lying import OTHER, Lies, Make
from tests.audit.runs import Run
from tests.models.scene import DAY, Patient

UNKNOWN = ("twins", "terms", "withdrawals")
"""What cannot be checked where the opening is not that of the leaves."""

LIES = Lies()
lie = LIES.lie

# consents: each leaf stands for a twin whose owner let the site train when the round was opened -----------------------


def _unconsented(
    before: Callable[[Run, Patient, Client], object] = lambda run, patient, site: None,
    after: Callable[[Run, Patient, Client], object] = lambda run, patient, site: None,
) -> Make:
    """The site counts one patient more; what was done before the round was opened, and after. Mended by a true grant
    before."""

    def make(run: Run, told: bool) -> None:
        site, patient = run.scene.sites[0], run.scene.patient("victim")
        if told:
            before(run, patient, site)
        else:
            patient.let_train(site)
        run.open()
        if told:
            after(run, patient, site)
        trained = [each for each in run.shown(site) if each.trained.twin != patient.twin]
        run.commit(site, [*trained, run.shown_of(patient, site)])
        run.finish()

    return make


def _revoke(run: Run, patient: Patient, site: Client) -> None:
    patient.client.consents.revoke(patient.let_train(site))


def _block(run: Run, patient: Patient, site: Client) -> None:
    patient.let_train(site)
    patient.client.consents.block(patient.twin, site.address)


def _end(run: Run, patient: Patient, site: Client) -> None:
    patient.let_train(site, days=1)
    run.world.clock.advance(DAY)


def _retire(run: Run, patient: Patient, site: Client) -> None:
    patient.let_train(site)
    run.ledger.send(calls.announce_retirement(patient.twin), patient.client.context.key)


for _name, _says, _make in (
    ("gave no consent", "NO_GRANT", _unconsented()),
    ("had revoked", "REVOKED", _unconsented(_revoke)),
    ("had revoked everything", "REVOKED", _unconsented(
        lambda run, patient, site: (patient.let_train(site), patient.client.consents.revoke_all(patient.twin)))),
    ("consented after the round was opened", "NO_GRANT", _unconsented(
        after=lambda run, patient, site: patient.let_train(site))),
    ("consented for another purpose", "PURPOSE", _unconsented(
        lambda run, patient, site: patient.let_train(site, purpose=Purpose.CLINTRCH))),
    ("consented to be read alone", "ACTION", _unconsented(
        lambda run, patient, site: patient.let_train(site, action=Action.READ))),
    ("consented for another category", "CATEGORY", _unconsented(
        lambda run, patient, site: patient.let_train(site, categories=["heart-rate"]))),
    ("consented to another site", "NO_GRANT", _unconsented(
        lambda run, patient, site: patient.let_train(run.scene.sites[1]))),
    ("had blocked the site", "BLOCKED", _unconsented(_block)),
    ("consented until before the round", "EXPIRED", _unconsented(_end)),
    ("had retired the twin", "RETIRED", _unconsented(_retire)),
):  # fmt: skip
    lie(f"a patient {_name}", "consents", _says)(_make)


def _shows(change: Callable[[Run, list[Shown]], list[Shown]]) -> Make:
    """The site's leaves are those of what it shows, which is changed."""

    def make(run: Run, told: bool) -> None:
        site = run.scene.sites[0]
        run.open()
        shown = run.shown(site)
        run.commit(site, change(run, shown) if told else shown)
        run.finish()

    return make


def another_twins(proofs: tuple[BitProof, ...]) -> tuple[BitProof, ...]:
    """The proof from the map of another twin on which glucose happens to have the same bit."""
    (proof,) = proofs
    while (other := BitMap.draw()).bit_of("glucose") != proof.bit:
        pass
    return (other.prove(proof.bit),)


@lie("a consent for another category is shown as one for the model's", "consents", "does not commit to that bit")
def _(run: Run, told: bool) -> None:
    """The bit is one that the owner did give: for meals."""
    site, patient = run.scene.sites[0], run.scene.patient("victim")
    patient.let_train(site, categories=["meals"] if told else ["glucose"])
    run.open()
    trained = [each for each in run.shown(site) if each.trained.twin != patient.twin]
    shown = run.shown_of(patient, site, ["meals" if told else "glucose"])
    run.commit(site, [*trained, replace(shown, bits=(replace(shown.bits[0], category=0),))])
    run.finish()


@lie("a consent for one of two categories is shown as one for both", "consents", "CATEGORY")
def _(run: Run, told: bool) -> None:
    both, site = ["glucose", "meals"], run.scene.sites[0]
    run.model = run.scene.model_of("both", both).model
    for patients, its in zip(run.scene.patients, run.scene.sites, strict=True):
        for patient in patients:
            patient.let_train(its, categories=both)
    patient = run.scene.patient("victim")
    patient.let_train(site, categories=both[:1] if told else both)
    run.open()
    trained = [each for each in run.shown(site) if each.trained.twin != patient.twin]
    run.commit(site, [*trained, run.shown_of(patient, site, both)])
    run.finish()


@lie("a grant to another site is shown", "consents", "NO_GRANT")
def _(run: Run, told: bool) -> None:
    _shows(lambda run, shown: [*shown, run.shown_of(run.scene.patients[1][0], run.scene.sites[1])])(run, told)


for _name, _says, _change in (
    ("a twin that is not there", "TWIN_UNKNOWN", lambda run, one: replace(
        one, trained=replace(one.trained, twin=999))),
    ("a slot that is empty", "NO_GRANT", lambda run, one: replace(one, trained=replace(one.trained, number=7))),
    ("a slot that cannot be", "a slot's number runs", lambda run, one: replace(
        one, trained=replace(one.trained, number=99))),
    ("no meaning of a bit", "nothing proves the bit of glucose", lambda run, one: replace(one, bits=())),
    ("the meaning of another category's bit", "nothing proves the bit of glucose", lambda run, one: replace(
        one, bits=run.shown_of(run.scene.patients[0][0], run.scene.sites[0], ["meals"]).bits)),
    ("another twin's bits", "does not commit to that bit of glucose", lambda run, one: replace(
        one, bits=another_twins(one.bits))),
):  # fmt: skip
    lie(f"the opening shows {_name}", "consents", _says)(
        _shows(lambda run, shown, change=_change: [change(run, shown[0]), *shown[1:]])
    )


def _opens(change: Callable[[Run, tuple[Shown, ...]], tuple[Shown, ...]]) -> Make:
    """The opening has something else than what the leaves were made of."""

    def make(run: Run, told: bool) -> None:
        site = run.scene.sites[0]
        run.open()
        shown = tuple(run.shown(site))
        run.commit(site, shown, opening={"shown": change(run, shown) if told else shown})
        run.finish()

    return make


lie("a leaf is left out of the opening", "consents", "does not have the leaves", UNKNOWN)(
    _opens(lambda run, shown: shown[1:])
)
lie("the opening is empty", "consents", "does not have the leaves", UNKNOWN)(_opens(lambda run, shown: ()))
lie("the opening shows a twin more", "consents", "does not have the leaves", UNKNOWN)(
    _opens(lambda run, shown: (*shown, run.shown_of(run.scene.patients[1][0], run.scene.sites[0])))
)
lie("the opening shows another link key than a leaf's", "consents", "does not have the leaves", UNKNOWN)(
    _opens(lambda run, shown: (replace(shown[0], link=OTHER), *shown[1:]))
)


@lie("a leaf stands for nobody", "consents", "does not have the leaves", UNKNOWN)
def _(run: Run, told: bool) -> None:
    site = run.scene.sites[0]
    run.open()
    shown = run.shown(site)
    leaves = run.leaves(site, shown)
    run.commit(site, shown, leaves=consents.ordered([*leaves, OTHER]) if told else leaves)
    run.finish()


# twins: no twin stands behind two leaves ------------------------------------------------------------------------------


@lie("a patient is counted under the site's grant and its organisation's", "twins", "counted more than once: twin")
def _(run: Run, told: bool) -> None:
    institute, site = run.scene.institute()
    patient = run.scene.patient("dora", site)
    patient.let_train(institute)
    run.scene.sites.insert(0, site)
    run.open()
    shown = run.shown(site)
    run.commit(site, [*shown, run.shown_of(patient, institute)] if told else shown)
    run.finish()


lie("a patient is counted again under a link key of the site's own", "twins", "counted more than once: twin")(
    _shows(lambda run, shown: [*shown, replace(shown[0], link=OTHER)])
)


# terms: the site's record names the research terms that the owners gave ----------------------------------------------


def _under_terms(change: Callable[[Shown], Shown], record: Sequence[str] | None = None) -> Make:
    """A patient of the first site consented for no commerce. The site shows that otherwise, or its record does."""

    def make(run: Run, told: bool) -> None:
        site, patient = run.scene.sites[0], run.scene.patient("victim")
        patient.let_train(site, research=["NCU"])
        run.open()
        shown = [change(each) if told and each.trained.twin == patient.twin else each for each in run.shown(site)]
        lies = {} if record is None or not told else {"record": {"research": tuple(record)}}
        run.commit(site, shown, **lies)
        run.finish()

    return make


def _with_terms(terms: Sequence[str]) -> Callable[[Shown], Shown]:
    def change(shown: Shown) -> Shown:
        assert shown.research is not None
        return replace(shown, research=replace(shown.research, terms=tuple(terms)))

    return change


for _name, _change in (
    ("hidden", _with_terms([])),
    ("exchanged", _with_terms(["DUO:0000004"])),
    ("not shown at all", lambda shown: replace(shown, research=None)),
):
    lie(f"a patient's research terms are {_name}", "terms", "other research terms are shown")(_under_terms(_change))

for _name, _record in (("leaves out", []), ("adds to", ["DUO:0000024=2030-01-01", "DUO:0000046"])):
    lie(f"the record {_name} the patients' research terms", "terms", "does not name the terms as they are")(
        _under_terms(lambda shown: shown, _record)
    )

"""What a version wrote, every later one reads: readings, who looked, what an audit finds. It is not written again.

Where one of these fails, the present code has lost the old form: keep reading it. A released version's record is never
made anew."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dtledger.audit import Asked, ModelAudit, verify
from dtledger.client.devnet import PROFILE, Devnet
from dtledger.client.opening import open_client
from dtledger.errors import AccessDeniedError
from dtledger.vocabulary import Action, Reason
from tests.lasting.make import WEIGHTS
from tests.lasting.record import FOLDER, Record
from tests.lasting.telling import audited, looked, read

ROOT = Path(__file__).resolve().parents[2]
SUMS = dict(reversed(line.split("  ")) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
FILES = sorted(FOLDER.glob("*.tar.xz"))


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.name.removesuffix(".tar.xz"))
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record.unpacked(request.param, tmp_path_factory.mktemp("record"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_record_is_as_it_was_made_and_small(file: Path) -> None:
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SUMS[file.name]
    assert len(data) < 220_000


def test_this_version_has_its_record() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"{version}.tar.xz" in SUMS.keys() == {file.name for file in FILES}


class TestWithoutANode:
    def test_the_clinician_reads_what_was_read(self, record: Record) -> None:
        with closing(record.client("clinician")) as client:
            assert read(client.read(record.said["twin"], "glucose", "TREAT")) == record.said["clinician"]

    def test_the_owner_reads_all_of_it(self, record: Record) -> None:
        with closing(record.client("patient")) as client:
            twin = record.said["twin"]
            assert read(client.read(twin, "glucose", "PATRQT", originals=True)) == record.said["patient"]
            assert read(client.read(twin, "heart-rate", "PATRQT")) == record.said["heartRate"]

    def test_who_had_no_consent_has_none(self, record: Record) -> None:
        with closing(record.client("clinician")) as client, pytest.raises(AccessDeniedError) as refused:
            client.read(record.said["twin"], "heart-rate", "TREAT")
        assert refused.value.reason in (Reason.CATEGORY, Reason.REVOKED)

    def test_the_owner_sees_who_looked(self, record: Record) -> None:
        until = max(at for at, *_ in record.said["looks"])
        with closing(record.client("patient")) as client:
            assert looked(client, record.said["twin"], until) == record.said["looks"]

    def test_an_audit_finds_what_it_found(self, record: Record) -> None:
        bundle, head = record.bundle, record.ledger.head()
        known = bundle.deployment
        asked = Asked(bundle.question, bundle.given, known, head.hash, expected=record.runtimes, known=known)
        told = {tuple(claim[:2]): claim[2] for claim in record.said["audit"]}
        found = {(name, about): verdict for name, about, verdict in audited(verify(bundle, asked))}
        assert found.pop(("deployment", "the contracts")) == "pass"
        ours = found.pop(("bundle", "the file"))  # which is of this package's contracts
        assert ours in ("pass", "cannot check")
        assert found == told
        assert set(told.values()) == {"pass", "cannot check"}, "heart rate was not revealed to the auditor"

    def test_an_audit_of_the_model_finds_what_it_found(self, record: Record) -> None:
        with closing(record.client("site")) as site:
            context = site.context
            model = context.view().model(1)
            assert model is not None
            openings = [site.training.opening(model, 1)]
            files: Any = {(1, None): lambda: [WEIGHTS]}
            audit = ModelAudit(context.deployment, context.view(), context.store, model, openings, files)
            assert audited(audit.claims()) == record.said["model"]


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Devnet]:
    record = Record.unpacked(FILES[-1], tmp_path)
    devnet = Devnet(record.home)
    try:
        yield devnet
    finally:
        devnet.down()


@pytest.mark.anvil
@pytest.mark.slow
def test_the_chain_goes_on_where_it_stood(devnet: Devnet) -> None:
    """By its own state, with the settings, journals and keys of its home."""
    record = Record(FILES[-1].name, devnet.home.root.parent)
    url = devnet.anvil.start().url
    options = {"rpc_url": url}
    with open_client(PROFILE, "clinician", home=devnet.home, options=options) as clinician:
        assert read(clinician.read(record.said["twin"], "glucose", "TREAT")) == record.said["clinician"]
    with open_client(PROFILE, "patient", home=devnet.home, options=options) as patient:
        grant = next(
            each
            for each in patient.consents.records(record.said["twin"])
            if Action.READ in patient.consents.terms_of(each).actions
        )
        patient.consents.revoke(grant.slot)
    again = open_client(PROFILE, "clinician", home=devnet.home, options=options)
    with again, pytest.raises(AccessDeniedError):
        again.read(record.said["twin"], "glucose", "TREAT")

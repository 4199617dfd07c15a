"""A service behind TLS: it is asked by whoever trusts its certificate, and by nobody else."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dtledger._backend.http_link import HttpLink, probe_service
from dtledger.errors import UnreachableError
from dtledger.service.certificate import SOON_SECONDS, ends_at, tell_end
from dtledger.service.server import Running

from .toy import Toy, toy_settings

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return signed(tmp_path_factory.mktemp("tls"), NOW + DAY)


def signed(folder: Path, end: datetime) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself and ends then, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "toy")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return certificate, private


def test_only_who_trusts_the_certificate_asks(certificate: tuple[Path, Path]) -> None:
    public, private = map(str, certificate)
    with Running(Toy().service, toy_settings(tls_certificate=public, tls_key=private)) as running:
        assert running.url.startswith("https://")
        link = HttpLink(running.url, "The toy")
        with pytest.raises(UnreachableError, match="SSLError"):
            link.post("/v1/echo", b"a")
        link._session.verify = public
        assert link.post("/v1/echo", b"a") == b"a"
        link.close()
        assert probe_service(running.url, public)["ready"] is True
        with pytest.raises(UnreachableError):
            probe_service(running.url)


def test_the_metrics_say_when_the_certificate_ends(certificate: tuple[Path, Path]) -> None:
    public, private = map(str, certificate)
    for settings, told in (({"tls_certificate": public, "tls_key": private}, True), ({}, False)):
        with Running(Toy().service, toy_settings(**settings)) as running:
            text = requests.get(f"{running.url}/metrics", verify=public, timeout=10).text
        name = "dtledger_toy_certificate_ends_timestamp_seconds "
        values = [float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)]
        assert values == [(NOW + DAY).timestamp()] * told


def test_of_those_in_the_file_the_one_that_ends_first_counts(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    later, _ = signed(tmp_path, NOW + 2 * DAY)
    both = tmp_path / "both.pem"
    both.write_bytes(later.read_bytes() + certificate[0].read_bytes())
    assert ends_at(later) == (NOW + 2 * DAY).timestamp()
    assert ends_at(both) == (NOW + DAY).timestamp()


@pytest.mark.parametrize(
    ("left", "said"), [(-1, "has ended"), (0, "has ended"), (86_400, "ends in 24 hours"), (SOON_SECONDS, "")]
)
def test_a_start_with_one_that_ends_soon_says_so(left: int, said: str, caplog: pytest.LogCaptureFixture) -> None:
    tell_end(1_000_000 + left, 1_000_000)
    assert said in caplog.text
    assert bool(caplog.records) is bool(said)

"""A service behind TLS: it is asked by whoever trusts its certificate, and by nobody else."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dtledger._backend.http_link import HttpLink, probe_service
from dtledger.errors import UnreachableError
from dtledger.service.server import Running

from .toy import Toy, toy_settings


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "toy")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
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

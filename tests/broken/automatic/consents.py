"""Mutants of ConsentRegistry, of what it is made of and of the rule that it asks, before the tests of consent; its
invariants and proofs are not asked.

`scripts/mutate consents` runs it. One copy of the contracts is changed again and again, with one warm compiler.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.broken import run_contracts
from tests.broken.automatic import solidity
from tests.broken.automatic.mutants import ROOT, Mutant, Tally

PATHS = (
    "contracts/ConsentRegistry.sol",
    "contracts/base/ConsentStore.sol",
    "contracts/base/ConsentSlots.sol",
    "contracts/base/SignedConsents.sol",
    "contracts/base/CarriedConsents.sol",
    "contracts/base/Emergencies.sol",
    "contracts/libraries/Rule.sol",
    "contracts/types/Grant.sol",
)
TESTS = (
    "Blocks",
    "Check",
    "CheckGrant",
    "ConsentRegistry",
    "Emergencies",
    "Grant",
    "RevokeAll",
    "Rule",
    "SignedConsents",
    "SignedDenials",
    "Succession",
)


LONG = "RuleTest"  # 20,000 cases: asked last
FUZZ_RUNS = "16"


def mutants(paths: Sequence[str]) -> list[Mutant]:
    return [Mutant(path, by, text) for path in paths for by, text in solidity.mutants((ROOT / path).read_text())]


def passes(place: Path) -> bool:
    return all(run_contracts.passes(place, option, LONG) for option in ("--no-match-contract", "--match-contract"))


def judged(chosen: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool | None]]:
    """Each mutant, and whether it survives; None if it is no Solidity.

    Raises:
        ValueError: the tests do not pass on the contracts as they are.
    """
    run_contracts.SETTINGS["FOUNDRY_FUZZ_RUNS"] = FUZZ_RUNS
    others = {path.name for path in (ROOT / "tests" / "contracts").glob("*.t.sol")}
    others -= {f"{each}.t.sol" for each in TESTS}
    with run_contracts.warm(), tempfile.TemporaryDirectory() as name:
        place = run_contracts.copy(Path(name) / "copy", without={*others, "invariants", "symbolic"})
        if not passes(place):
            raise ValueError("a test fails on the contracts as they are")
        for mutant in chosen:
            path = place / mutant.path
            sound = path.read_text()
            path.write_text(mutant.text)
            try:
                yield mutant, passes(place)
            except ValueError:
                yield mutant, None
            path.write_text(sound)


def main(arguments: list[str]) -> int:
    """`[CONTRACT...]`: the mutants of all files, or of those that are named."""
    paths = [path for path in PATHS if not arguments or Path(path).stem in arguments]
    chosen = mutants(paths)
    tally = Tally(paths, len(chosen))
    for mutant, survived in judged(chosen):
        tally.count(mutant, survived)
    return tally.close(whole=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs of state machines that say what they reached: one that never comes to a state says nothing of it.

`--hypothesis-profile long` runs ten times as many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

REACHED: Counter[str] = Counter()
"""What the machine of this moment came to."""


def explore(machine: type[RuleBasedStateMachine], floors: Mapping[str, int], *, runs: float, steps: int) -> None:
    """Run the machine `runs` times as often as a property is tried, each time for so many steps at most; then each of
    `floors` must have been reached so often. What fails is shown as it was found: to make it shorter takes minutes."""
    REACHED.clear()
    tried = max(1, round(settings().max_examples * runs))
    same = settings().max_examples <= 100  # as a rule the same ones each time, so that no floor is missed by chance
    how = settings(
        derandomize=same,
        max_examples=tried,
        stateful_step_count=steps,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    run_state_machine_as_test(machine, settings=how)
    seldom = {name: REACHED[name] for name, least in floors.items() if REACHED[name] < least}
    assert not seldom, f"reached too seldom, of {tried} runs: {seldom}"

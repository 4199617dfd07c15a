"""A site or the coordinator killed at any step: the run goes on, or fails cleanly; no aggregate is half committed.

Killed is an exception that nothing catches, at each write and each call in turn. What comes after begins with new
objects, on the same ledger, store and journals, and ends with the weights of a run that nobody disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dtledger._backend import round_journal
from dtledger._backend.round_journal import RoundJournal
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.federated.privacy import Stated
from dtledger.federated.site import Site
from dtledger.models.update import digest_of
from tests.federated.scene import Scene
from tests.federated.test_rounds import same

pytestmark = pytest.mark.slow

ROUNDS = 2


class Killed(BaseException):
    """What no handler of errors sees."""


class Killer:
    """Counts the steps of a run, and ends it at one of them: before it is made, or right after."""

    def __init__(self, scene: Scene, at: int, *, after: bool) -> None:
        self.scene = scene
        self.at = at
        self.after = after
        self.steps: list[str] = []

    def step(self, name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            self.steps.append(name)
            now = len(self.steps) == self.at
            if now and not self.after:
                raise Killed
            result = make(*arguments, **options)
            if now:
                raise Killed
            return result

        return made

    @contextmanager
    def watching(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            ledger, store = self.scene.world.ledger, self.scene.world.store
            patch.setattr(type(ledger), "send", self.step("ledger", type(ledger).send))
            patch.setattr(type(store), "put", self.step("store", type(store).put))
            patch.setattr(round_journal, "write_atomically", self.step("journal", round_journal.write_atomically))
            yield


def steps_of_a_run() -> int:
    """Two sites with four steps in a round (leaves, record, journal twice, ledger), a coordinator with its own."""
    return ROUNDS * (2 * 5 + 5)


@pytest.mark.parametrize("at", range(1, steps_of_a_run() + 2))
def test_a_run_that_is_killed_goes_on_to_the_same_weights(scene: Scene, at: int) -> None:
    """Before each step, which is after the one before it; and after the last."""
    killer = Killer(scene, min(at, steps_of_a_run()), after=at > steps_of_a_run())
    with killer.watching(), pytest.raises(Killed):
        scene.run(ROUNDS)
    view = scene.world.ledger.view()
    done = sum(view.aggregate(scene.model, each.number) is not None for each in view.rounds(scene.model))
    kept = scene.journal(scene.coordinator)
    for number in range(1, done + 1):  # what is on the ledger is in the journal, whole
        entry, aggregate = kept.kept(scene.model, number), view.aggregate(scene.model, number)
        assert entry is not None
        assert aggregate is not None
        assert digest_of([entry.weights()]) == aggregate.aggregate
    strategy = scene.strategy()
    scene.leading().settle()
    left = ROUNDS - strategy.done()
    made = scene.run(left, strategy=strategy) if left else scene.leading().start({})
    scene.model = scene.model_of("undisturbed")
    assert same(dict(made), scene.run(ROUNDS))
    view = scene.world.ledger.view()
    assert len(view.rounds(1)) == ROUNDS
    assert all(len(view.updates(1, number)) == 2 for number in range(1, ROUNDS + 1))


def test_every_step_is_one_that_a_run_is_killed_at(scene: Scene) -> None:
    killer = Killer(scene, 0, after=False)
    with killer.watching():
        scene.run(ROUNDS)
    assert len(killer.steps) == steps_of_a_run()
    assert set(killer.steps) == {"ledger", "store", "journal"}


class TestAJournal:
    def test_that_is_lost_ends_the_round_cleanly(self, scene: Scene) -> None:
        """The site committed, and cannot send what it committed to: the coordinator goes on without it."""
        with Killer(scene, 7, after=True).watching(), pytest.raises(Killed):
            scene.run(1)
        (update,) = scene.world.ledger.view().updates(scene.model, 1)
        for file in (scene.folder / update.site).iterdir():
            file.unlink()
        strategy = scene.strategy()
        scene.run(1, strategy=strategy)
        (report,) = strategy.reports
        assert [why for _, why in report.refused] == ["refused: AlreadyCommittedError"]
        assert len(report.used) == 1
        assert update.site not in report.used

    def test_whose_weights_were_changed_is_not_believed(self, scene: Scene) -> None:
        scene.run(1)
        (file,) = (scene.folder / scene.coordinator.address).glob("*.weights")
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(IntegrityError, match="not what was kept"):
            scene.leading().start({})
        file.unlink()
        with pytest.raises(IntegrityError, match="cannot be read"):
            scene.leading().start({})
        file.write_bytes(whole)
        scene.run(1)

    def test_of_another_machine_is_found(self, scene: Scene) -> None:
        """A site's journal was restored from before another machine with its key committed."""
        site = scene.site(0)
        number = scene.leading().open({})
        turn = site.turn(1, number.parent)
        plan, _ = site.cohort(turn)  # type: ignore[arg-type]
        with Killer(scene, 5, after=False).watching(), pytest.raises(Killed):
            site.commit(turn, plan, {}, {})  # type: ignore[arg-type]
        site.client.training.commit_to(plan, [b"another"], 1)
        with pytest.raises(IntegrityError, match="another machine"):
            scene.site(0).turn(1, number.parent)

    def test_that_lacks_the_newest_aggregate_cannot_start(self, scene: Scene) -> None:
        scene.run(1)
        (entry,) = (scene.folder / scene.coordinator.address).glob("*.round")
        whole = entry.read_bytes()
        entry.unlink()
        with pytest.raises(CannotCheckError, match="does not hold the weights of round 1"):
            scene.leading().start({})
        entry.write_bytes(whole)
        scene.run(1)


def test_two_answers_of_one_site_wait_for_each_other(scene: Scene) -> None:
    """A message that comes twice, to two processes: the second is refused while the first trains."""
    client, strategy = scene.hospitals[0].client, scene.strategy()
    hurried = Site(client, scene.model, RoundJournal(scene.folder / client.address, 0.0), privacy=Stated(1))
    with scene.site(0).held():
        scene.run(1, sites=[hurried, scene.site(1)], strategy=strategy)
    assert [why for _, why in strategy.reports[0].refused] == ["refused: DtledgerError"]
    scene.run(1)

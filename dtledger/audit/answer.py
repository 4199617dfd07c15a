"""One audit, from a node or from a file: the same questions asked of the same evidence, so that both find the same.

`export` asks a node, keeps what it answers, asks the same again of what was kept, and throws away what was not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from .._backend.runtimes import Runtime
from ..errors import CannotCheckError, IntegrityError, UnreachableError
from ..ledger import Deployment
from ..models.opening import Opening
from ..store import BlockStore
from ..types import Address, Digest
from .bundle import Bundle, BundleSource
from .chain import Chain
from .claims import Claim, Verdict, checked
from .counted import require_model
from .given import Given, Question
from .ground import Ground, source_digests
from .kept import KeepingBlocks, KeptBlocks
from .known import Known
from .line import Line
from .model import Files, ModelAudit
from .snapshot import SnapshotAudit
from .source import Recorder, Source
from .twin import TwinAudit


@dataclass(frozen=True, slots=True)
class Asked:
    """An audit that is to be made: `pinned` is the head as the auditor knows it, `files` what they have of a model's,
    `expected` the contracts' code as they compiled it, by default as this package ships it, `name` what they call an
    account, `known` the deployment as they know it, where what is audited says itself which it is of."""

    question: Question
    given: Given
    deployment: Deployment
    pinned: Digest | None = None
    files: Files | None = None
    expected: Mapping[str, Runtime] | None = None
    name: Callable[[Address], str] = str
    known: Deployment | None = None


class Audit:
    """The audit of one question by one source and one store; `chain` is there once `claims` began."""

    def __init__(self, asked: Asked, source: Source, store: BlockStore) -> None:
        self._asked = asked
        self._source = source
        self._store = store
        self.chain: Chain | None = None

    def claims(self) -> Iterator[Claim]:
        """Every claim. Without a head that fits there is one, which says so."""
        asked = self._asked
        try:
            self.chain = chain = Chain(self._source, asked.deployment, asked.pinned, whole=asked.question.whole)
        except IntegrityError as error:
            yield Claim("chain", "the chain", Verdict.FAIL, error.message)
            return
        except UnreachableError as error:
            yield Claim("chain", "the chain", Verdict.CANNOT_CHECK, error.message)
            return
        yield from Ground(chain, asked.deployment, asked.expected, asked.known).claims()
        question = asked.question
        if question.model:
            yield from self._model(chain)
        elif question.snapshot is not None:
            audit = TwinAudit(chain, asked.deployment, self._store, question, asked.given, asked.name)
            yield from SnapshotAudit(audit, question.snapshot).claims()
        else:
            yield from TwinAudit(chain, asked.deployment, self._store, question, asked.given, asked.name).claims()

    def _model(self, chain: Chain) -> Iterator[Claim]:
        asked, number = self._asked, self._asked.question.model
        openings: list[Opening] = []

        def gather() -> str:
            openings.extend(Opening.read(asked.deployment, each) for each in asked.given.openings)
            known.model(number)
            for opening in openings:
                for shown in opening.shown:
                    known.twin(shown.trained.twin)
            if not chain.is_whole:
                require_counted()
            return "every event of the model, and of the twins that were opened"

        def require_counted() -> None:
            history = known.history()
            view = history.at(chain.head.number)
            require_model(chain, history.logged, view, number)
            for twin in sorted({shown.trained.twin for opening in openings for shown in opening.shown}):
                if Line(known, twin, sorted(known.parties)).gaps:
                    raise CannotCheckError(
                        f"Denials on twin {twin} skipped what was before them: it is not known whole."
                    )

        known = Known(chain)
        claim = checked("events", "the model", gather)
        yield claim
        if claim.verdict is not Verdict.PASS:
            return
        view = known.history().at(chain.head.number)
        model = view.model(number)
        if model is None:
            yield Claim("model", "the model", Verdict.FAIL, f"there is no model {number}")
            return
        audit = ModelAudit(asked.deployment, view, self._store, model, openings, asked.files, asked.name)
        yield from audit.claims() if chain.is_whole else map(_unless_accepted, audit.claims())


def _unless_accepted(claim: Claim) -> Claim:
    """An acceptance leaves nothing in storage: where not every block is looked at, one may be left out."""
    if claim.name != "withdrawals" or claim.verdict is not Verdict.FAIL:
        return claim
    said = f"{claim.evidence}, unless that was accepted in a block that was not looked at"
    return replace(claim, verdict=Verdict.CANNOT_CHECK, evidence=said)


def export(asked: Asked, source: Source, store: BlockStore) -> tuple[Bundle, list[Claim]]:
    """The bundle of an audit, and its claims.

    Raises:
        CannotCheckError: the source has no head.
    """
    recorder, keeping = Recorder(source), KeepingBlocks(store)
    audit = Audit(asked, recorder, keeping)
    claims = list(audit.claims())
    made = Bundle(
        question=replace(asked.question, whole=audit.chain.is_whole) if audit.chain else asked.question,
        given=asked.given,
        deployment=asked.deployment,
        headers=recorder.kept_headers,
        nodes=list(recorder.kept_nodes.values()),
        codes=recorder.codes,
        blocks=keeping.kept,
        sources=source_digests(),
        memories=recorder.memories,
        absent=frozenset(recorder.absent),
        told=recorder.told,
        batches=recorder.batches,
    )
    if not made.headers:
        raise CannotCheckError("The node has no head, so there is nothing to make a bundle of.")
    return _Verification(made, asked).trimmed(), claims


def verify(bundle: Bundle, asked: Asked | None = None) -> list[Claim]:
    """The claims of a bundle. `asked` has what the auditor brings: the pinned head, files, the code expected, names;
    question, given and deployment are the bundle's."""
    return _Verification(bundle, asked).claims()


class _Verification:
    def __init__(self, bundle: Bundle, asked: Asked | None) -> None:
        self._bundle = bundle
        said = {"question": bundle.question, "given": bundle.given, "deployment": bundle.deployment}
        self._asked = replace(asked, **said) if asked else Asked(**said)  # type: ignore[arg-type]
        self._source = BundleSource(bundle)
        self._blocks = KeptBlocks(bundle.blocks)
        self._audit = Audit(self._asked, self._source, self._blocks)

    def claims(self) -> list[Claim]:
        claims = list(self._audit.claims())
        return [*claims, checked("bundle", "the file", self._require_no_more)]

    def trimmed(self) -> Bundle:
        """The bundle without what no claim needs."""
        list(self._audit.claims())
        bundle, chain = self._bundle, self._audit.chain
        if chain is None:  # what is wrong is all that there is to show
            return bundle
        return replace(
            bundle,
            headers={number: bundle.headers[number] for number in chain.numbers},
            nodes=chain.nodes.used,
            codes={who: bundle.codes[who] for who in self._source.codes},
            blocks={cid: bundle.blocks[cid] for cid in self._blocks.used},
            memories={number: bundle.memories[number] for number in self._source.memories if number in bundle.memories},
            absent=frozenset(self._source.absences),
            told={name: bundle.told[name] for name in self._source.told},
            batches={who: bundle.batches[who] for who in self._source.batches},
        )

    def _require_no_more(self) -> str:
        bundle, chain = self._bundle, self._audit.chain
        if dict(bundle.sources) != source_digests():
            raise CannotCheckError("The bundle was made by another version of the contracts than this package has.")
        if chain is None:
            raise CannotCheckError("Nothing of it was looked at: without the chain that is asked for it shows nothing.")
        idle = {
            "headers": len(bundle.headers) - len(chain.numbers),
            "nodes": len(bundle.nodes) - len(chain.nodes.used),
            "codes": len(bundle.codes) - len(self._source.codes),
            "blocks": len(bundle.blocks) - len(self._blocks.used),
            "absences": len(bundle.absent) - len(self._source.absences),
            "memories": len(bundle.memories) - len(self._source.memories),
            "hints": len(bundle.told) + len(bundle.batches) - len(self._source.told) - len(self._source.batches),
        }
        if any(idle.values()):
            said = ", ".join(f"{count} {what}" for what, count in idle.items() if count)
            raise IntegrityError(f"the file has what no claim needs, or lacks what one does: {said}")
        parts = len(bundle.headers), len(bundle.nodes), len(bundle.blocks)
        return "{:,} headers, {:,} nodes of tries and {:,} blocks, and nothing besides".format(*parts)

"""What the encrypted section of a key file holds.

Secrets of twins are filed by deployment and twin, for one key may own twins on several ledgers. A generation's
secret, the category bits and the tag keys are drawn once and never change: `with_twin` refuses to lose any of them.

>>> secrets = Secrets.draw().with_twin("31337-ab-cd", 7, TwinSecrets.draw())
>>> later = secrets.twin("31337-ab-cd", 7).with_generation(1, bytes(32))
>>> later.latest, secrets.with_twin("31337-ab-cd", 7, later)
(1, Secrets(1 twin))
"""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..crypto.bits import BitMap
from ..crypto.seal import SEED_BYTES, SealKey
from ..crypto.tags import draw_tag_keys
from ..encoding import decode, encode, sha256
from ..errors import IntegrityError, KeyFileError
from ..types import Digest
from ..vocabulary.categories import CATEGORY_BITS
from ..vocabulary.numbers import number_of

__all__ = ["GUARDIAN_KEYS", "Secrets", "TwinSecrets"]

GUARDIAN_KEYS = "guardian-keys"
"""Name in `Secrets.extra`: whom a twin's recovery package is sealed to, by deployment and twin."""

_VERSION = 1
_NEXT, _FORMER, _REKEYING = "next-seal-key", "former-seal-keys", "rekeying"
"""Names in `Secrets.extra`: the seed of the key to come; those of the keys before, newest first; the packages that were
made for a generation that is not announced to everybody yet, by deployment and twin."""

_BACKED_UP = "backed-up"
"""Name in `Secrets.extra`: when all of this was put into a backup, and the hash of it."""


@dataclass(frozen=True, slots=True)
class TwinSecrets:
    """All that an owner needs to derive every key of a twin and to name its bits and streams.

    `generations` maps each generation to its 32 random bytes; `tag_keys[number]` is a category's (32 of 32 bytes).
    """

    generations: Mapping[int, bytes]
    bits: BitMap
    tag_keys: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not self.generations or not all(0 <= each < 2**32 for each in self.generations):
            raise ValueError("a twin has at least one generation, numbered as u32")
        if not all(len(each) == 32 for each in (*self.generations.values(), *self.tag_keys)):
            raise ValueError("twin secrets and tag keys have 32 bytes")
        if len(self.tag_keys) != CATEGORY_BITS:
            raise ValueError(f"a twin has {CATEGORY_BITS} tag keys")

    def __repr__(self) -> str:
        return f"TwinSecrets(generations {sorted(self.generations)})"

    @classmethod
    def draw(cls, generation: int = 0) -> TwinSecrets:
        """New random secrets for a new twin."""
        return cls({generation: random.token_bytes(32)}, BitMap.draw(), draw_tag_keys())

    @property
    def latest(self) -> int:
        """The newest generation."""
        return max(self.generations)

    def with_generation(self, generation: int, secret: bytes) -> TwinSecrets:
        """These and one generation more.

        Raises:
            ValueError: there is that generation with another secret.
        """
        if self.generations.get(generation, secret) != secret:
            raise ValueError(f"generation {generation} has another secret already")
        return replace(self, generations={**self.generations, generation: secret})

    def before(self, generation: int) -> TwinSecrets:
        """These, as they were before that generation."""
        return replace(self, generations={each: held for each, held in self.generations.items() if each < generation})

    def keeps(self, other: TwinSecrets) -> bool:
        """Whether nothing of `other` is lost or different here."""
        generations = other.generations.items() <= self.generations.items()
        return generations and (self.bits, self.tag_keys) == (other.bits, other.tag_keys)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for canonical CBOR. Only ever inside a seal or a key file."""
        generations = {str(number): secret for number, secret in self.generations.items()}
        return {"generations": generations, "bits": self.bits.to_dict(), "tags": list(self.tag_keys)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> TwinSecrets:
        """The secrets that `to_dict` wrote.

        Raises:
            IntegrityError: they are not.
        """
        match value:
            case {"generations": dict(generations), "bits": dict(bits), "tags": [*tags]} if all(
                isinstance(each, bytes) for each in (*generations.values(), *tags)
            ):
                try:
                    numbered = {int(number): secret for number, secret in generations.items()}
                    return cls(numbered, BitMap.from_dict(bits), tuple(tags))
                except ValueError as error:
                    raise IntegrityError(f"a twin's secrets are malformed: {error}") from None
        raise IntegrityError("a twin's secrets are malformed")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The section's content. `extra` holds plain CBOR values by name, such as an organisation's keyring secrets."""

    seal_key: SealKey
    twins: Mapping[str, Mapping[str, TwinSecrets]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        count = sum(len(each) for each in self.twins.values())
        return f"Secrets({number_of(count, 'twin')})"

    @classmethod
    def draw(cls) -> Secrets:
        """A new random key to seal to, and no twin."""
        return cls(SealKey.generate())

    def has_twin(self, deployment: str, twin: int) -> bool:
        return str(twin) in self.twins.get(deployment, {})

    def twin(self, deployment: str, twin: int) -> TwinSecrets:
        """The secrets of one twin; `deployment` is `Deployment.id`.

        Raises:
            KeyFileError: this key has none.
        """
        if not self.has_twin(deployment, twin):
            raise KeyFileError(
                f"This key holds no secrets of twin {twin} on deployment {deployment}.",
                hint="Is it the owner's key? If it was lost, `dtledger twin recover` or a backup brings them back.",
            )
        return self.twins[deployment][str(twin)]

    def with_twin(self, deployment: str, twin: int, secrets: TwinSecrets) -> Secrets:
        """These, with `secrets` for that twin.

        Raises:
            KeyFileError: it would lose or change what is held for that twin.
        """
        if self.has_twin(deployment, twin) and not secrets.keeps(self.twin(deployment, twin)):
            raise KeyFileError(
                f"The new secrets of twin {twin} lack or change some that this key holds; nothing was written.",
                hint="Read the key again and add to what it holds.",
            )
        twins = {**self.twins.get(deployment, {}), str(twin): secrets}
        return replace(self, twins={**self.twins, deployment: twins})

    def without_twin(self, deployment: str, twin: int) -> Secrets:
        """These without the secrets of that twin: what was sealed under them cannot be read with this key again."""
        twins = {name: each for name, each in self.twins.get(deployment, {}).items() if name != str(twin)}
        rest = {name: each for name, each in self.twins.items() if name != deployment}
        forgotten = replace(self, twins={**rest, deployment: twins} if twins else rest)
        return forgotten.without_rekey(deployment, twin).with_of_twin(GUARDIAN_KEYS, deployment, twin, None)

    def rekeying(self, deployment: str, twin: int) -> tuple[Digest, ...] | None:
        """The packages made so far for the newest generation of a twin; None if it is announced to everybody."""
        found = self.of_twin(_REKEYING, deployment, twin)
        return None if found is None else tuple(map(Digest, found))

    def written(self, deployment: str, twin: int) -> TwinSecrets:
        """The secrets that snapshots are written under: without a generation that is not announced to everybody yet.
        Raises as `twin`."""
        secrets = self.twin(deployment, twin)
        return secrets if self.rekeying(deployment, twin) is None else secrets.before(secrets.latest)

    def with_rekey(self, deployment: str, twin: int, secret: bytes) -> Secrets:
        """These with the twin's next generation, not announced yet; as they are while another one is not. Raises as
        `twin`."""
        if self.rekeying(deployment, twin) is not None:
            return self
        held = self.twin(deployment, twin)
        later = self.with_twin(deployment, twin, held.with_generation(held.latest + 1, secret))
        return later.with_of_twin(_REKEYING, deployment, twin, [])

    def with_packages(self, deployment: str, twin: int, packages: Sequence[Digest]) -> Secrets:
        """These, with packages for the newest generation that are about to be announced."""
        made = [*(self.rekeying(deployment, twin) or ()), *packages]
        return self.with_of_twin(_REKEYING, deployment, twin, made)

    def without_rekey(self, deployment: str, twin: int) -> Secrets:
        """These, the twin's newest generation announced to everybody."""
        return self.with_of_twin(_REKEYING, deployment, twin, None)

    def of_twin(self, name: str, deployment: str, twin: int) -> Any:
        """The plain CBOR value of that name that is held for a twin, or None."""
        return self.extra.get(name, {}).get(deployment, {}).get(str(twin))

    def with_of_twin(self, name: str, deployment: str, twin: int, value: Any) -> Secrets:
        """These, with that value for the twin; None takes it away."""
        filed = self.extra.get(name, {})
        twins = {each: held for each, held in filed.get(deployment, {}).items() if each != str(twin)}
        twins |= {} if value is None else {str(twin): value}
        kept = {each: held for each, held in {**filed, deployment: twins}.items() if held}
        return self.with_extra(name, kept or None)

    def with_extra(self, name: str, value: Any) -> Secrets:
        """These, with plain CBOR `value` under `name`; None takes it away."""
        rest = {each: other for each, other in self.extra.items() if each != name}
        return replace(self, extra=rest if value is None else {**rest, name: value})

    @property
    def next_seal_key(self) -> SealKey | None:
        """The key to seal to that was drawn and is not in use yet: a `member rekey` is under way."""
        seed = self.extra.get(_NEXT)
        return None if seed is None else SealKey(seed)

    def with_next_seal_key(self, key: SealKey) -> Secrets:
        """These, with the key to seal to that shall come."""
        return self.with_extra(_NEXT, key.seed)

    @property
    def seal_keys(self) -> tuple[SealKey, ...]:
        """The key that others seal to, then those that they sealed to before, newest first."""
        return (self.seal_key, *map(SealKey, self.extra.get(_FORMER, ())))

    def with_seal_key(self, key: SealKey) -> Secrets:
        """These under another key to seal to (`member rekey`); the former one still opens what was sealed to it."""
        if key == self.seal_key:
            return self.with_extra(_NEXT, None)
        former = [self.seal_key.seed, *self.extra.get(_FORMER, ())]
        return replace(self, seal_key=key).with_extra(_FORMER, former).with_extra(_NEXT, None)

    @property
    def backed_up_at(self) -> int | None:
        """When all that this holds was put into a backup, in unix seconds; None if some of it never was."""
        at, digest = self.extra.get(_BACKED_UP, (None, None))
        return at if digest == self._digest() else None

    def with_backup(self, of: Secrets, at: int) -> Secrets:
        """These, with the note that a backup of `of` was made at the unix second `at`."""
        return self.with_extra(_BACKED_UP, [at, of._digest()])

    def _digest(self) -> bytes:
        return sha256(self.with_extra(_BACKED_UP, None).to_bytes())

    def merged(self, other: Secrets) -> Secrets:
        """These and what `other` has beside them, such as an older copy of the same key's file: twins, generations, and
        former keys to seal to. What both have is as it is here.

        Raises:
            ValueError: a generation of a twin has another secret there.
        """
        merged = self
        for deployment, twins in other.twins.items():
            for name, twin in twins.items():
                held = merged.twin(deployment, int(name)) if merged.has_twin(deployment, int(name)) else twin
                for generation, secret in twin.generations.items():
                    held = held.with_generation(generation, secret)
                merged = merged.with_twin(deployment, int(name), held)
        former = [each.seed for each in (*self.seal_keys[1:], *other.seal_keys) if each != self.seal_key]
        extra = {**other.extra, **self.extra}
        extra |= {_FORMER: list(dict.fromkeys(former))} if former else {}
        return replace(merged, extra=extra)

    def to_bytes(self) -> bytes:
        twins = {
            deployment: {name: each.to_dict() for name, each in twins.items()}
            for deployment, twins in self.twins.items()
        }
        return encode({"version": _VERSION, "seal": self.seal_key.seed, "twins": twins, "extra": dict(self.extra)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Secrets:
        """The secrets that `to_bytes` wrote.

        Raises:
            IntegrityError: they are not.
            KeyFileError: a newer dtledger wrote them.
        """
        match decode(data):
            case {"version": int(version)} if version > _VERSION:
                raise KeyFileError("A newer dtledger wrote this key file.", hint="Update dtledger.")
            case {"version": 1, "seal": bytes(seed), "twins": dict(twins), "extra": dict(extra)} if len(
                seed
            ) == SEED_BYTES and all(isinstance(each, dict) for each in twins.values()):
                read = {
                    deployment: {name: TwinSecrets.from_dict(each) for name, each in of.items()}
                    for deployment, of in twins.items()
                }
                return cls(SealKey(seed), read, extra)
        raise IntegrityError("a key file's secrets are malformed")

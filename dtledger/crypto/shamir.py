"""Shamir's secret sharing over GF(2^8), byte by byte: any t of n shares give the secret, fewer say nothing at all.

Each byte of the secret is the constant term of a random polynomial of degree t - 1 of its own; share number x holds
the values at x. The field is that of AES (x^8 + x^4 + x^3 + x + 1). Whole byte strings are worked on at once, by
table look-up (`bytes.translate`) and integer XOR, so thousands of secrets are combined in one call.

Source: Shamir, "How to share a secret" (CACM 1979); the field: FIPS 197, section 4.2.

Warning: the look-ups are not constant-time: who can measure the caches of this machine could learn of the secrets.
Warning: shares are not authenticated. A wrong share gives a wrong secret without a word; the key commitment in the
manifest is what shows it (see `dtledger.crypto.content`).

>>> shares = split(b"custody secret", t=2, n=3)
>>> combine({share.number: share.value for share in shares[1:]})
b'custody secret'
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

__all__ = ["MAX_SHARES", "Share", "combine", "combine_many", "split", "split_many"]

MAX_SHARES = 255
"""The field has 255 elements besides zero, where the secret lies."""

_POLYNOMIAL = 0x11B


@dataclass(frozen=True, slots=True)
class Share:
    """Share `number` (1 to n) of a secret; `value` is as long as the secret."""

    number: int
    value: bytes = field(repr=False)


def split(secret: bytes, t: int, n: int) -> tuple[Share, ...]:
    """Shares 1 to n of a secret of any length, any t of which give it back.

    Raises:
        ValueError: not 1 <= t <= n <= 255.
    """
    if not 1 <= t <= n <= MAX_SHARES:
        raise ValueError(f"shares must be t of n with 1 <= t <= n <= {MAX_SHARES}: {t} of {n}")
    return _shares(secret, [secrets.token_bytes(len(secret)) for _ in range(t - 1)], n)


def split_many(values: Sequence[bytes], t: int, n: int) -> tuple[tuple[Share, ...], ...]:
    """`split` of each secret in `values`, in one pass over all of them; one tuple of n shares a secret."""
    joined = split(b"".join(values), t, n)
    shares, start = [], 0
    for value in values:
        end = start + len(value)
        shares.append(tuple(Share(share.number, share.value[start:end]) for share in joined))
        start = end
    return tuple(shares)


def combine(shares: Mapping[int, bytes]) -> bytes:
    """The secret, by Lagrange interpolation at zero of {share number: value}; give exactly t, or more that agree.

    Values may be the shares of many secrets, joined in one order: the result is the secrets, joined.

    Raises:
        ValueError: there is no share, a number is not 1 to 255, or lengths differ.
    """
    if not shares or not all(1 <= number <= MAX_SHARES for number in shares):
        raise ValueError(f"share numbers run from 1 to {MAX_SHARES}: {sorted(shares)}")
    if len({len(value) for value in shares.values()}) > 1:
        raise ValueError("shares of one secret have one length")
    total, length = 0, 0
    for number, value in shares.items():
        weight = 1
        for other in shares:
            if other != number:
                weight = _times(weight)[_times(_inverse(other ^ number))[other]]
        total ^= int.from_bytes(value.translate(_times(weight)), "big")
        length = len(value)
    return total.to_bytes(length, "big")


def combine_many(shares: Sequence[Mapping[int, bytes]]) -> tuple[bytes, ...]:
    """`combine` of each mapping, in one pass for all that have the same share numbers and length.

    Raises:
        ValueError: as `combine`.
    """
    alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for place, each in enumerate(shares):
        alike.setdefault(tuple(sorted((number, len(value)) for number, value in each.items())), []).append(place)
    found: list[bytes] = [b""] * len(shares)
    for numbers, places in alike.items():
        joined = combine({number: b"".join(shares[place][number] for place in places) for number, _ in numbers})
        length = numbers[0][1]
        for rank, place in enumerate(places):
            found[place] = joined[rank * length : (rank + 1) * length]
    return tuple(found)


def _shares(secret: bytes, coefficients: Sequence[bytes], n: int) -> tuple[Share, ...]:
    """The polynomial's values at 1 to n; `coefficients[k]` are the bytes before x^(k+1), as many as the secret's."""
    terms = [int.from_bytes(secret, "big"), *(int.from_bytes(each, "big") for each in coefficients)]
    shares = []
    for number in range(1, n + 1):
        table = _times(number)
        value = terms[-1]
        for term in reversed(terms[:-1]):  # Horner's rule
            value = int.from_bytes(value.to_bytes(len(secret), "big").translate(table), "big") ^ term
        shares.append(Share(number, value.to_bytes(len(secret), "big")))
    return tuple(shares)


@cache
def _times(factor: int) -> bytes:
    """The table of `factor` times each element of the field."""
    doubled = [factor]  # factor · x^k, reduced
    for _ in range(7):
        last = doubled[-1] << 1
        doubled.append(last ^ _POLYNOMIAL if last & 0x100 else last)
    table = bytearray(256)
    for element in range(1, 256):
        low = element & -element
        table[element] = table[element ^ low] ^ doubled[low.bit_length() - 1]
    return bytes(table)


def _inverse(element: int) -> int:
    return _times(element).index(1)

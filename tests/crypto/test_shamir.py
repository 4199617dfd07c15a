"""Any t shares give the secret, and t - 1 shares fit every secret equally well."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.crypto import shamir
from dtledger.crypto.shamir import Share, combine, combine_many, split, split_many
from tests.crypto import naive

ALL = bytes(range(256))


def values(shares: tuple[Share, ...]) -> dict[int, bytes]:
    return {share.number: share.value for share in shares}


def test_the_field_is_that_of_aes() -> None:
    # FIPS 197, section 4.2 and 4.2.1
    assert shamir._times(0x57)[0x83] == 0xC1
    assert shamir._times(0x57)[0x13] == 0xFE


def test_every_product_and_inverse_is_that_of_long_multiplication() -> None:
    for factor in range(256):
        assert shamir._times(factor) == bytes(naive.gf_times(factor, element) for element in range(256))
    assert all(naive.gf_times(element, shamir._inverse(element)) == 1 for element in range(1, 256))


@st.composite
def splits(draw: st.DrawFn) -> tuple[bytes, int, int]:
    n = draw(st.integers(1, 6))
    return draw(st.binary(max_size=40)), draw(st.integers(1, n)), n


@given(splits())
@settings(deadline=None)
def test_any_t_or_more_shares_give_the_secret(case: tuple[bytes, int, int]) -> None:
    secret, t, n = case
    shares = split(secret, t, n)
    assert [share.number for share in shares] == list(range(1, n + 1))
    for size in range(t, n + 1):
        for some in combinations(shares, size):
            assert combine(values(some)) == secret


@given(st.binary(min_size=1, max_size=5), st.sets(st.integers(1, 255), min_size=1, max_size=5), st.data())
@settings(deadline=None, max_examples=25)
def test_shares_combine_as_in_the_naive_implementation(first: bytes, numbers: set[int], data: st.DataObject) -> None:
    shares = {number: data.draw(st.binary(min_size=len(first), max_size=len(first))) for number in numbers}
    assert combine(shares) == naive.shamir_combine(shares)


@pytest.mark.parametrize("number", [1, 2, 255])
def test_one_share_of_two_fits_every_secret_exactly_once(number: int) -> None:
    # All 65,536 pairs of a secret byte and a random byte, shared in one call.
    secret, coefficient = bytes(s for s in ALL for _ in ALL), ALL * 256
    share = shamir._shares(secret, [coefficient], number)[-1]
    assert share.number == number
    assert len(set(zip(secret, share.value, strict=True))) == 65_536


@pytest.mark.parametrize("numbers", [(1, 2), (2, 5), (3, 4)])
def test_two_shares_of_three_fit_every_secret_exactly_once(numbers: tuple[int, int]) -> None:
    first, second = bytes(a for a in ALL for _ in ALL), ALL * 256
    for secret in (0, 1, 0xA5, 255):
        shares = values(shamir._shares(bytes([secret]) * 65_536, [first, second], 5))
        # Over all pairs of random bytes each pair of values comes once, whatever the secret.
        assert len(set(zip(shares[numbers[0]], shares[numbers[1]], strict=True))) == 65_536


def test_split_draws_every_value_the_secret_itself_included() -> None:
    # A coefficient that is never zero would tell that a share is not the secret.
    assert set(split(bytes(65_536), 2, 2)[0].value) == set(ALL)


def test_t_minus_one_shares_give_something_else() -> None:
    secret = bytes(32)
    shares = split(secret, 3, 5)
    for two in combinations(shares, 2):
        assert combine(values(two)) != secret
    assert combine(values(shares[:3])) == secret


def test_a_wrong_share_gives_a_wrong_secret_and_the_right_one_the_right() -> None:
    shares = values(split(b"secret", 2, 3))
    wrong = {1: shares[1], 2: bytes(6)}
    assert combine(wrong) != b"secret"
    assert combine(wrong | {2: shares[2]}) == b"secret"


def test_a_second_split_of_one_secret_is_a_fresh_polynomial() -> None:
    first, second = split(bytes(32), 2, 3), split(bytes(32), 2, 3)
    assert first != second
    mixed = {1: first[0].value, 2: second[1].value}
    assert combine(mixed) != bytes(32)
    assert combine(mixed | {2: first[1].value}) == bytes(32)


@given(st.lists(st.binary(max_size=33), max_size=12))
@settings(deadline=None)
def test_many_secrets_are_split_and_combined_in_one_pass(secrets: list[bytes]) -> None:
    shares = split_many(secrets, 2, 3)
    for secret, each in zip(secrets, shares, strict=True):
        assert combine(values(each[:2])) == secret
    # As from a real batch: other custodians answered for other snapshots.
    answered = [values((each[i % 3], each[(i + 1) % 3])) for i, each in enumerate(shares)]
    assert combine_many(answered) == tuple(secrets)


def test_shares_of_many_secrets_combine_joined() -> None:
    shares = split_many([b"one", b"three"], 2, 2)
    joined = {number: b"".join(each[number - 1].value for each in shares) for number in (1, 2)}
    assert combine(joined) == b"onethree"


@pytest.mark.parametrize(("t", "n"), [(0, 3), (4, 3), (1, 256), (-1, 1), (0, 0)])
def test_an_impossible_threshold_is_refused(t: int, n: int) -> None:
    with pytest.raises(ValueError, match="t of n"):
        split(b"x", t, n)
    assert combine(values(split(b"x", 255, 255))) == b"x"


@pytest.mark.parametrize("shares", [{}, {0: b"x"}, {256: b"x"}, {1: b"x", 2: b"xy"}])
def test_shares_that_cannot_belong_together_are_refused(shares: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="share"):
        combine(shares)
    with pytest.raises(ValueError, match="share"):
        combine_many([{1: b"x"}, shares])
    assert combine({1: b"x"}) == b"x"


def test_no_repr_shows_a_share() -> None:
    share = split(b"secret", 1, 1)[0]
    assert repr(share) == "Share(number=1)"

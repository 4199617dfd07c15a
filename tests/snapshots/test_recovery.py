"""The recovery package: who opens it together, who never does, and what is told of a share that is another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.crypto import content, seal, shamir
from dtledger.crypto.seal import SealKey
from dtledger.custody import SHARE_CONTEXT, RecoveryHeader, ShareHeader, TwinKey
from dtledger.encoding import address, decode, encode
from dtledger.errors import CannotCheckError, IntegrityError
from dtledger.keys import TwinSecrets
from dtledger.snapshots import recovery
from dtledger.snapshots.recovery import RecoveryPackage, seal_recovery
from dtledger.snapshots.roster import Roster
from dtledger.testing.memory_chain import new_deployment

DEPLOYMENT = new_deployment()
ANN = address("0x" + "11" * 20)
SECRETS = TwinSecrets.draw(3).with_generation(4, bytes(32))
KEYS = [SealKey.generate() for _ in range(10)]
GUARDIANS, CUSTODIANS = KEYS[:5], KEYS[5:]


def make(m: int = 2, k: int = 3, t: int = 2, n: int = 3) -> RecoveryPackage:
    named = [
        TwinKey(address(f"0x{place:040x}"), key.public, bytes(65)) for place, key in enumerate(CUSTODIANS[:n], start=1)
    ]
    roster = Roster(7, ANN, 2, t, tuple(named))
    return seal_recovery(DEPLOYMENT, roster, [each.public for each in GUARDIANS[:k]], m, SECRETS, 5)


def of_guardians(package: RecoveryPackage) -> dict[int, bytes]:
    return dict(package.open_as_guardian([key]) for key in GUARDIANS[: len(package.guardians)])


def of_custodians(package: RecoveryPackage) -> dict[int, bytes]:
    found = {}
    for key, part in zip(CUSTODIANS, package.custodians, strict=False):
        header, share = RecoveryHeader.decode(seal.open_(key, part.sealed, SHARE_CONTEXT), "RECOVERY")
        found[header.number] = share
    return found


def some(shares: dict[int, bytes], numbers: Sequence[int]) -> dict[int, bytes]:
    return {number: shares[number] for number in numbers}


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_m_guardians_with_any_t_custodians_open_it_and_fewer_of_either_never(data: st.DataObject) -> None:
    k, n = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    m, t = data.draw(st.integers(1, k)), data.draw(st.integers(1, n))
    package = RecoveryPackage.decode(DEPLOYMENT, make(m, k, t, n).encode())
    guardians, custodians = of_guardians(package), of_custodians(package)
    chosen = data.draw(st.permutations(sorted(guardians))), data.draw(st.permutations(sorted(custodians)))
    opened = package.open(some(guardians, chosen[0][:m]), some(custodians, chosen[1][:t]))
    assert opened.keeps(SECRETS)
    assert SECRETS.keeps(opened)
    assert package.open(guardians, custodians) == opened, "and all of them"
    for few in (
        (some(guardians, chosen[0][: m - 1]), custodians),
        (guardians, some(custodians, chosen[1][: t - 1])),
    ):
        with pytest.raises(CannotCheckError, match="are needed"):
            package.open(*few)
        for guess in (few, tuple(each or {1: bytes(32)} for each in few)):
            if all(guess):
                key = recovery._key(shamir.combine(guess[0]), shamir.combine(guess[1]), package._context())
                with pytest.raises(IntegrityError):
                    key.check(package.commitment)
                with pytest.raises(IntegrityError):
                    content.decrypt(key, [package.content], package._context())


def test_neither_party_s_secret_says_anything_of_the_key() -> None:
    package = make()
    guardians, custodians = of_guardians(package), of_custodians(package)
    whole = shamir.combine(guardians), shamir.combine(custodians)
    for guess in ((whole[0], bytes(32)), (bytes(32), whole[1]), (whole[1], whole[0]), (whole[0], whole[0])):
        with pytest.raises(IntegrityError):
            recovery._key(*guess, package._context()).check(package.commitment)
    recovery._key(*whole, package._context()).check(package.commitment)


def test_a_share_that_was_changed_or_exchanged_is_refused() -> None:
    package = make()
    guardians, custodians = of_guardians(package), of_custodians(package)
    wrong = bytes([guardians[1][0] ^ 1]) + guardians[1][1:]
    for bad in ({**guardians, 1: wrong}, {**guardians, 1: guardians[2]}, {**guardians, 9: guardians[1]}):
        with pytest.raises(IntegrityError, match="GUARDIAN share"):
            package.open(bad, custodians)
    with pytest.raises(IntegrityError, match="RECOVERY share"):
        package.open(guardians, {**custodians, 2: custodians[1]})
    with pytest.raises(IntegrityError, match="RECOVERY share"):
        package.open(guardians, guardians)
    assert package.open(guardians, custodians).keeps(SECRETS)


def test_a_guardian_opens_its_own_share_alone_and_a_stranger_none() -> None:
    package = make(k=3)
    assert [package.open_as_guardian([key])[0] for key in GUARDIANS[:3]] == [1, 2, 3]
    for stranger in (GUARDIANS[3], CUSTODIANS[0]):
        with pytest.raises(CannotCheckError, match="holds no share"):
            package.open_as_guardian([stranger])
    assert package.open_as_guardian([GUARDIANS[3], GUARDIANS[0]])[0] == 1, "a former key still opens"


def test_no_share_of_a_snapshot_passes_for_one_of_recovery_nor_the_other_way_round() -> None:
    package = make()
    opened = seal.open_(CUSTODIANS[0], package.custodians[0].sealed, SHARE_CONTEXT)
    with pytest.raises(IntegrityError, match="a share of a snapshot"):
        ShareHeader.decode(opened)
    with pytest.raises(IntegrityError, match="GUARDIAN share"):
        RecoveryHeader.decode(opened, "GUARDIAN")
    assert RecoveryHeader.decode(opened, "RECOVERY")[0] == package.header("RECOVERY", 1)


@pytest.mark.parametrize(
    "field", ["twin", "owner", "version", "generation", "roster", "package", "guardians_needed", "custodians_needed"]
)
def test_what_a_package_says_of_itself_cannot_be_changed(field: str) -> None:
    package = make(m=2, k=3, t=2, n=3)
    other: dict[str, Any] = {"owner": address("0x" + "22" * 20), "package": bytes(32)}
    value = other.get(field, getattr(package, field) - 1 if isinstance(getattr(package, field), int) else None)
    changed = RecoveryPackage.decode(DEPLOYMENT, replace(package, **{field: value}).encode())
    with pytest.raises((IntegrityError, CannotCheckError)):
        changed.open_as_guardian([GUARDIANS[0]])
    with pytest.raises(IntegrityError):
        changed.open(of_guardians(package), of_custodians(package))
    assert package.open(of_guardians(package), of_custodians(package)).keeps(SECRETS)


def test_an_owner_that_lies_in_its_package_is_named() -> None:
    package = make()
    guardians, custodians = of_guardians(package), of_custodians(package)
    spoilt = replace(package, content=package.content[:-1] + bytes([package.content[-1] ^ 1]))
    for bad in (spoilt, replace(package, commitment=package.package)):
        with pytest.raises(IntegrityError) as caught:
            bad.open(guardians, custodians)
        assert caught.value.party == ANN
    one, two, three = package.guardians
    with pytest.raises(IntegrityError) as caught:
        replace(package, guardians=(two, one, three)).open_as_guardian([GUARDIANS[0]])
    assert caught.value.party == ANN


def test_two_packages_of_the_same_secrets_share_nothing() -> None:
    one, two = make(), make()
    assert one.package != two.package
    assert one.content != two.content
    with pytest.raises(IntegrityError):
        two.open(of_guardians(one), of_custodians(two))
    assert len(one.encode()) == len(two.encode())


def test_a_block_names_no_guardian() -> None:
    block = make().encode()
    value = decode(block)
    assert all(len(row) == 2 and len(row[0]) == 32 for row in value["guardians"])
    assert not any(key.public in block for key in GUARDIANS)


def test_what_is_no_package_of_this_deployment_is_refused() -> None:
    value = decode(make().encode())
    for change in (
        {"deployment": "1-00-00"},
        {"guardians": []},
        {"custodians": [[1, 2, 3]]},
        {"guardians_needed": 4},
        {"custodians_needed": 0},
        {"package": b"short"},
        {"more": 1},
    ):
        with pytest.raises(IntegrityError, match="malformed"):
            RecoveryPackage.decode(DEPLOYMENT, encode(value | change))
    assert RecoveryPackage.decode(DEPLOYMENT, encode(value)).twin == 7


def test_subsets_are_as_good_as_each_other() -> None:
    package = make(m=2, k=4, t=2, n=4)
    guardians, custodians = of_guardians(package), of_custodians(package)
    for pair in combinations(sorted(guardians), 2):
        for other in combinations(sorted(custodians), 2):
            assert package.open(some(guardians, pair), some(custodians, other)).keeps(SECRETS)

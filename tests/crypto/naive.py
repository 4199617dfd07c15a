"""A second implementation of `dtledger.crypto`, written from the papers and standards alone: slow, plain, no shortcut.

It shares nothing with the library but the vectors in `tests/vectors`: HKDF by hand (RFC 5869), the field by long
multiplication, AES-GCM and Keccak from another library, HPKE (RFC 9180) from its KEM upwards.
"""

from __future__ import annotations

import hashlib
import hmac
import math

from Crypto.Cipher import AES
from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    return mac(salt or bytes(32), secret)


def hkdf_expand(pseudorandom: bytes, info: bytes, length: int) -> bytes:
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = mac(pseudorandom, block + info + bytes([number]))
        out, number = out + block, number + 1
    return out[:length]


def hkdf(secret: bytes, info: bytes, length: int = 32) -> bytes:
    return hkdf_expand(hkdf_extract(b"", secret), info, length)


# Key tree


def tree_root(secret: bytes, generation: int, category: int) -> bytes:
    return hkdf(secret, b"dtledger/v1/key-tree\0" + generation.to_bytes(4, "big") + bytes([category]))


def tree_node(root: bytes, depth: int, index: int) -> bytes:
    key = root
    for bit in format(index, f"0{depth}b") if depth else "":
        key = mac(key, bytes([int(bit)]))
    return key


def tree_cover(first: int, last: int) -> list[tuple[int, int]]:
    """(depth, index) of the greatest aligned blocks of minutes, taken from the left."""
    found = []
    while first <= last:
        height = 0
        while height < 30 and first % 2 ** (height + 1) == 0 and first + 2 ** (height + 1) - 1 <= last:
            height += 1
        found.append((30 - height, first // 2**height))
        first += 2**height
    return found


# Shamir


def gf_times(a: int, b: int) -> int:
    """Long multiplication of polynomials over GF(2), then long division by x^8 + x^4 + x^3 + x + 1."""
    product = 0
    for k in range(8):
        if b >> k & 1:
            product ^= a << k
    for k in range(14, 7, -1):
        if product >> k & 1:
            product ^= 0b1_0001_1011 << (k - 8)
    return product


def gf_divide(a: int, b: int) -> int:
    return next(q for q in range(256) if gf_times(q, b) == a)


def shamir_split(secret: bytes, coefficients: list[bytes], n: int) -> dict[int, bytes]:
    shares = {}
    for x in range(1, n + 1):
        value = bytearray()
        for place, constant in enumerate(secret):
            y, power = constant, 1
            for coefficient in coefficients:
                power = gf_times(power, x)
                y ^= gf_times(coefficient[place], power)
            value.append(y)
        shares[x] = bytes(value)
    return shares


def shamir_combine(shares: dict[int, bytes]) -> bytes:
    secret = bytearray(len(next(iter(shares.values()))))
    for place in range(len(secret)):
        for x, value in shares.items():
            term = value[place]
            for other in shares:
                if other != x:
                    term = gf_divide(gf_times(term, other), other ^ x)
            secret[place] ^= term
    return bytes(secret)


# Content


def padme(length: int) -> int:
    exponent = math.floor(math.log2(length))
    bits = math.floor(math.log2(exponent)) + 1
    unit = 1 << (exponent - bits)
    return math.ceil(length / unit) * unit


def content_key(leaf_from: bytes, leaf_until: bytes, custody_secret: bytes, context: bytes) -> tuple[bytes, bytes]:
    both = hkdf(leaf_from + leaf_until + custody_secret, b"dtledger/v1/content\0" + context, 64)
    return both[:32], both[32:]


def content_encrypt(key: bytes, plaintext: bytes, context: bytes) -> list[bytes]:
    size = padme(len(plaintext) + 8)
    padded = plaintext + bytes(size - len(plaintext) - 8) + len(plaintext).to_bytes(8, "big")
    room = 1024 * 1024 - 16
    chunks = []
    for number in range(math.ceil(size / room)):
        last = (number + 1) * room >= size
        cipher = AES.new(key, AES.MODE_GCM, nonce=number.to_bytes(11, "big") + bytes([last]))
        cipher.update(context)
        chunks.append(b"".join(cipher.encrypt_and_digest(padded[number * room : (number + 1) * room])))
    return chunks


# Merkle trees


def keccak256(data: bytes) -> bytes:
    return keccak.new(data=data, digest_bits=256).digest()


def merkle_root(leaves: list[bytes], place: int = 0) -> bytes:
    """The root of the heap whose last places are the leaves, in reverse."""
    if place >= len(leaves) - 1:
        return leaves[2 * len(leaves) - 2 - place]
    return keccak256(b"".join(sorted([merkle_root(leaves, 2 * place + 1), merkle_root(leaves, 2 * place + 2)])))


def process_proof(leaf: bytes, proof: list[bytes]) -> bytes:
    """`MerkleProof.processProof` of OpenZeppelin Contracts 5."""
    for sibling in proof:
        leaf = keccak256(leaf + sibling) if leaf < sibling else keccak256(sibling + leaf)
    return leaf


# Seals


def hpke_open(seed: bytes, sealed: bytes, info: bytes) -> bytes:
    """HPKE base mode (RFC 9180, section 5.1) over the KEM X-Wing, 0x647a (draft-connolly-cfrg-xwing-kem)."""
    suite = b"HPKE" + bytes.fromhex("647a") + bytes.fromhex("0001") + bytes.fromhex("0002")

    def labeled_extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
        return hkdf_extract(salt, b"HPKE-v1" + suite + label + secret)

    def labeled_expand(pseudorandom: bytes, label: bytes, context: bytes, length: int) -> bytes:
        return hkdf_expand(pseudorandom, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context, length)

    mlkem, x25519 = MLKEM768PrivateKey.from_seed_bytes(seed[:64]), X25519PrivateKey.from_private_bytes(seed[64:])
    mlkem_ciphertext, x25519_share, body = sealed[:1088], sealed[1088:1120], sealed[1120:]
    shared = hashlib.sha3_256(
        mlkem.decapsulate(mlkem_ciphertext)
        + x25519.exchange(X25519PublicKey.from_public_bytes(x25519_share))
        + x25519_share
        + x25519.public_key().public_bytes_raw()
        + rb"\.//^"
        + b"\\"
    ).digest()
    context = b"\0" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    cipher = AES.new(
        labeled_expand(secret, b"key", context, 32),
        AES.MODE_GCM,
        nonce=labeled_expand(secret, b"base_nonce", context, 12),
    )
    return cipher.decrypt_and_verify(body[:-16], body[-16:])

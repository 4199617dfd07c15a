"""Keystores that other tools made."""

from __future__ import annotations

CAST = (
    '{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"8659511682db93bd15879ceb2a259508"},"ciphertext":'
    '"542c2195b379adc4371e3feb199b9924097d341fc312c931b0e3ddd161a39a79","kdf":"scrypt","kdfparams":{"dklen":32,'
    '"n":8192,"p":1,"r":8,"salt":"ff9cc220d0981f2e42feeff8e318746edb0d482160ef96ff87a8c8fc8b1f0d3f"},"mac":'
    '"79bd5b7946ce8fc8a58d5c25eae5f1823c7da744de7489438af461ab76bd14d5"},"id":"d245da8a-defc-4c25-9b34-afacf5369246",'
    '"version":3}'
)
"""By `cast wallet new`, Foundry 1.7.1. It names no address."""

CAST_PASSWORD = "hunter2"
CAST_ADDRESS = "0x2d36920bFb82d946351F00089d9990F76Aa22025"

PBKDF2 = (
    '{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":'
    '"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,'
    '"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":'
    '"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6",'
    '"version":3}'
)
"""The test vector of the Web3 Secret Storage definition."""

PBKDF2_PASSWORD = "testpassword"
PBKDF2_KEY = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")

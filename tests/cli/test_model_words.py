"""How a model's terms are said, whatever numbers its coordinator registered."""

from __future__ import annotations

from dataclasses import replace

from dtledger._cli.model.plain import purpose_words, terms_words
from dtledger.client.uses import NamedModel
from dtledger.ledger import Model
from dtledger.types import Address, Digest

MODEL = Model(1, Address("0x" + "11" * 20), 8, 0b11, 2, 1250, Digest(bytes(32)), block=1, at=1)


def test_the_terms_are_a_sentence() -> None:
    assert terms_words(NamedModel(MODEL, None)) == (
        "trained for research in health care (HRESCH) on glucose and insulin; a site trains on at least 2 twins a "
        "round and spends at most ε 1.25 altogether"
    )


def test_words_of_a_later_version_stop_nobody_from_listing_models() -> None:
    later = replace(MODEL, purpose=31, categories=1 << 30 | 1)
    assert purpose_words(later) == ("purpose 31", "for a purpose that this version does not know")
    assert "(purpose 31) on glucose and category 30;" in terms_words(NamedModel(later, None))
    assert purpose_words(MODEL) == ("HRESCH", "for research in health care")

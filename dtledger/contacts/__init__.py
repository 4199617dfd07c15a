"""Who is who: the people and organisations that one has decided to know.

A contact is a name that *this* person gave to an address, with the member card that came with it. `Contacts.resolve`
takes a contact's name, an address or a card file, and nothing else: a name that is not known is an error with the
nearest ones, never a look-up, so no name silently becomes somebody new.

A **member card** file is what `member card` writes: names, address, organisation and the key to seal to, signed by
the member. A **fingerprint** is six words to compare over the telephone.

>>> from dtledger.types import ZERO_ADDRESS
>>> fingerprint(ZERO_ADDRESS, b"")
'marriage muffin hill adult ceiling enable'
"""

from __future__ import annotations

from .agreements import Agreement
from .book import Contact, Contacts
from .cards import CardCheck, MemberCardFile, names_digest
from .fingerprints import fingerprint

__all__ = ["Agreement", "CardCheck", "Contact", "Contacts", "MemberCardFile", "fingerprint", "names_digest"]

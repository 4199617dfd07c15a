"""Elements of a FHIR resource, read by type. What was read is remembered, so that whatever was not can be told.

>>> resource = Element.root({"resourceType": "Consent", "status": "active", "language": "de"})
>>> resource.text("status"), resource.path
('active', 'Consent')
>>> resource.unread()
['Consent.language']
>>> resource.elements("status")
Traceback (most recent call last):
    ...
dtledger.errors.InputError: Consent.status: it is text, not a list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from .strict import refuse

MEANINGLESS = frozenset({"id", "meta", "resourceType", "text", "fhir_comments"})
"""What says nothing that could be lost: how a resource is called, and its narrative."""

LONGEST_TEXT = 1_000_000

_NAME = re.compile(r"[A-Za-z]{1,64}", re.ASCII)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


class Element:
    """An object of a resource and where it stands there."""

    __slots__ = ("_inner", "_read", "path", "value")

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            refuse(path, f"it is {_kind(value)}, not an object")
        if not value:
            refuse(path, "it is empty")
        self.value: dict[str, Any] = value
        self.path = path
        self._read: set[str] = set()
        self._inner: list[Element] = []

    @classmethod
    def root(cls, value: Any) -> Element:
        """A resource.

        Raises:
            InputError: it is none.
        """
        element = cls(value, "$")
        element.path = element.resource_type
        return element

    @property
    def resource_type(self) -> str:
        """Raises InputError: it names none."""
        named = self.value.get("resourceType")
        if not isinstance(named, str) or not _NAME.fullmatch(named):
            refuse(f"{self.path}.resourceType", "it is not the name of a resource")
        return named

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}"

    def has(self, name: str) -> bool:
        """Whether there is such a member, or an extension in its place."""
        return name in self.value or f"_{name}" in self.value

    def text(self, name: str) -> str | None:
        """A string, None if there is none. Raises InputError: it is something else, or empty."""
        value: str | None = self._take(name, str)
        if value is not None and not (value.strip() and len(value) <= LONGEST_TEXT):
            refuse(self.at(name), "the text is empty or too long")
        return value

    def needed(self, name: str) -> str:
        """As `text`; it must be there."""
        value = self.text(name)
        if value is None:
            refuse(self.at(name), "it is missing")
        return value

    def number(self, name: str) -> float | None:
        """A finite number. Raises InputError: it is something else."""
        value = self._take(name, int, float)
        if value is None:
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            refuse(self.at(name), "the number is too large")
        return number

    def element(self, name: str) -> Element | None:
        """An object. Raises InputError: it is something else, or empty."""
        value = self._take(name, dict)
        return None if value is None else self._keep(Element(value, self.at(name)))

    def elements(self, name: str) -> list[Element]:
        """A list of objects; none if it is not there. Raises InputError: it is something else, or empty."""
        return [self._keep(Element(each, self._place(name, place))) for place, each in self._list(name)]

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        found = []
        for place, each in self._list(name):
            if not isinstance(each, str) or not each.strip():
                refuse(self._place(name, place), f"it is {_kind(each)}, not text")
            found.append(each)
        return found

    def skip(self, *names: str) -> None:
        """These are known, and nothing is lost with them."""
        self._read.update(names)

    def unread(self) -> list[str]:
        """The paths of all that nobody asked for."""
        own = (name for name in self.value if name not in self._read and name not in MEANINGLESS)
        return [self.at(name) for name in own] + [path for each in self._inner for path in each.unread()]

    def strange(self) -> list[str]:
        """The names of its own members that nobody asked for and that may change what it means: extensions may not."""
        return [name for name in self.value if name not in self._read | {"id", "extension", "fhir_comments"}]

    def _list(self, name: str) -> Iterator[tuple[int, Any]]:
        value = self._take(name, list)
        if value == []:
            refuse(self.at(name), "it is empty")
        yield from enumerate(value or ())

    def _place(self, name: str, place: int) -> str:
        return f"{self.at(name)}[{place}]"

    def _take(self, name: str, *kinds: type) -> Any:
        self._read.add(name)
        if name not in self.value:
            return None
        value = self.value[name]
        if type(value) not in kinds:
            refuse(self.at(name), f"it is {_kind(value)}, not {' or '.join(dict.fromkeys(_kind(k()) for k in kinds))}")
        return value

    def _keep(self, element: Element) -> Element:
        self._inner.append(element)
        return element

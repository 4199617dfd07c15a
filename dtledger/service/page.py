"""The interface as a page for people: from OpenAPI, whole in itself. It fetches nothing and runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["page"]

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}code{background:#eee;padding:.1em .3em}"
)


def page(schema: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI document (https://spec.openapis.org/oas/v3.1.0)."""
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    rows = [
        _endpoint(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'{head}<h1>{title}</h1><p>For programs: <a href="/openapi.json">openapi.json</a></p>{"".join(rows)}</html>'


def _endpoint(method: str, path: str, operation: Mapping[str, Any]) -> str:
    kinds = ", ".join(escape(each) for each in operation.get("requestBody", {}).get("content", {}))
    body = f"<p>Body: {kinds}</p>" if kinds else ""
    text = "".join(f"<p>{escape(operation[name])}</p>" for name in ("summary", "description") if operation.get(name))
    return f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>{text}{body}"

"""The command line. One noun a module (a folder where it has many verbs); `main` is the entry point."""

from __future__ import annotations

from .main import main

__all__ = ["main"]

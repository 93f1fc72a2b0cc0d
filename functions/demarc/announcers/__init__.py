"""Findings going out. An announcer tells one revision of a finding or raises: a failed send is never taken for done."""

from __future__ import annotations

from typing import Protocol

from demarc.core.model import Finding


class Announcer(Protocol):
    """Tells a finding to whoever listens."""

    def announce(self, finding: Finding) -> None:
        """Tell it. Whatever keeps it from being told is raised, so that it is tried again."""
        ...

"""What goes out. An announcer tells or raises: a failed send is never taken for done."""

from __future__ import annotations

from typing import Protocol

from demarc.core.announcement import Announcement


class Announcer(Protocol):
    """Tells whoever listens."""

    def announce(self, announcement: Announcement) -> None:
        """Tell it. Whatever keeps it from being told is raised, so that it is tried again."""
        ...

"""Findings to a stream, as their owners would read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from demarc.core.announcement import Announcement


@dataclass(frozen=True, slots=True)
class ConsoleAnnouncer:
    """Writes the readable form, one announcement after the other."""

    stream: TextIO

    def announce(self, announcement: Announcement) -> None:
        print(announcement.text, end="\n\n", file=self.stream)

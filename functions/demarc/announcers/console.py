"""Findings to a stream, as their owners would read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from demarc.core.announcement import announcement_of
from demarc.core.model import Finding


@dataclass(frozen=True, slots=True)
class ConsoleAnnouncer:
    """Writes the readable form, one finding after the other."""

    stream: TextIO

    def announce(self, finding: Finding) -> None:
        print(announcement_of(finding).text, end="\n\n", file=self.stream)

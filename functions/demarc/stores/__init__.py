"""Findings at rest: `dynamodb` keeps them; `memory` is its twin for tests and the command line, on one contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from demarc.core.model import Finding, Resource, Severity, Status


class Superseded(Exception):
    """A newer observation of the resource is recorded already; this one must not be."""


class Conflict(Exception):
    """Somebody recorded another revision of a finding meanwhile; decide again on what is known now."""


class FindingStore(Protocol):
    """Where findings are kept, with every revision they ever had."""

    def known(self, resource: Resource) -> Mapping[str, Finding]:
        """Every finding ever recorded for a resource, in any Region, by finding id."""
        ...

    def record(self, resource: Resource, observed_at: datetime, findings: Sequence[Finding]) -> None:
        """Keep what an observation led to: all of it or nothing. The same again changes nothing.

        Raises:
            Superseded: if a newer observation of the resource was recorded.
            Conflict: if a finding is not the next revision of what is recorded.
        """
        ...

    def mark_announced(self, finding: Finding) -> None:
        """Note that this revision was told; never takes back that a later one was."""
        ...

    def unannounced(self) -> Iterator[Finding]:
        """Findings with a revision that nobody was told of, oldest first."""
        ...

    def get(self, finding_id: str) -> Finding | None: ...

    def history(self, finding_id: str) -> Sequence[Finding]:
        """Every revision of a finding, oldest first."""
        ...

    def find(
        self,
        *,
        team: str | None = None,
        status: Status | None = None,
        account: str | None = None,
        control: str | None = None,
        severity: Severity | None = None,
    ) -> Iterator[Finding]:
        """The findings to which all that is given applies, soonest due first."""
        ...

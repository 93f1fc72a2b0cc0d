"""What is kept: findings here and in `dynamodb` and `memory`, one contract; other things in rooms of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from demarc.core.model import Finding, Resource, Severity, Status
from demarc.core.snapshot import Snapshot


class Superseded(Exception):
    """A newer observation of the resource is recorded already; this one must not be."""


class Conflict(Exception):
    """Somebody recorded another revision of a finding meanwhile; decide again on what is known now."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded of a resource: its findings by id, in any Region, and how it was last seen in its own."""

    findings: Mapping[str, Finding] = field(default_factory=dict)
    last: Snapshot | None = None


class FindingStore(Protocol):
    """Where findings are kept, with every revision they ever had, and the last snapshot of what was judged."""

    def known(self, resource: Resource) -> Known:
        """Everything recorded for a resource."""
        ...

    def record(
        self, resource: Resource, observed_at: datetime, findings: Sequence[Finding], snapshot: Snapshot | None = None
    ) -> None:
        """Keep what an observation led to, and what was seen: all of it or nothing. The same again changes nothing.

        Without a snapshot (the resource is gone) the last one is dropped.

        Raises:
            Superseded: if a newer observation of the resource was recorded.
            Conflict: if a finding is not the next revision of what is recorded.
        """
        ...

    def amend(self, finding: Finding) -> None:
        """Keep a revision that no observation led to: somebody's word, or the clock's. The same again changes nothing.

        Raises:
            Conflict: if it is not the next revision of what is recorded.
        """
        ...

    def mark_announced(self, finding: Finding) -> None:
        """Note that this revision was told; never takes back that a later one was."""
        ...

    def unannounced(self) -> Iterator[Finding]:
        """Findings with a revision that nobody was told of, oldest first."""
        ...

    def get(self, finding_id: str) -> Finding | None: ...

    def ids(self, beginning: str) -> Sequence[str]:
        """The ids of all findings that begin so, for people who do not type the whole of one."""
        ...

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
        since: datetime | None = None,
    ) -> Iterator[Finding]:
        """The findings to which all that is given applies, soonest due first. `since`: last seen then or later.

        A table is asked by one index, and the rest is left out of what it answers.
        """
        ...

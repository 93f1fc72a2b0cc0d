"""Findings in this process: the twin of the DynamoDB store, for tests and for a command line without a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from demarc.core.model import Finding, Resource, Severity, Status
from demarc.core.snapshot import Snapshot
from demarc.stores import Conflict, Known, Superseded


class MemoryFindingStore:
    """Keeps findings as long as the process lives; the contract is `stores.FindingStore`."""

    def __init__(self) -> None:
        self._findings: dict[str, Finding] = {}
        self._history: dict[str, list[Finding]] = {}
        self._observed: dict[tuple[str, str, str, str], datetime] = {}
        self._seen: dict[tuple[str, str, str, str], Snapshot] = {}

    def known(self, resource: Resource) -> Known:
        key = (resource.account, resource.type, resource.identifier)
        findings = {
            finding.id: finding
            for finding in self._findings.values()
            if (finding.resource.account, finding.resource.type, finding.resource.identifier) == key
        }
        return Known(findings, self._seen.get(resource.key))

    def record(
        self, resource: Resource, observed_at: datetime, findings: Sequence[Finding], snapshot: Snapshot | None = None
    ) -> None:
        if observed_at < self._observed.get(resource.key, observed_at):
            raise Superseded(f"{resource.arn} was observed again after {observed_at.isoformat()}")
        self._keep(findings)
        self._observed[resource.key] = observed_at
        if snapshot is None:
            self._seen.pop(resource.key, None)
        else:
            self._seen[resource.key] = snapshot

    def amend(self, finding: Finding) -> None:
        self._keep([finding])

    def _keep(self, findings: Sequence[Finding]) -> None:
        fresh = [finding for finding in findings if not self._is_recorded(finding)]
        for finding in fresh:
            recorded = self._findings.get(finding.id)
            if finding.revision != (recorded.revision if recorded else 0) + 1:
                raise Conflict(f"{finding.id} is at another revision than {finding.revision - 1}")
        for finding in fresh:
            recorded = self._findings.get(finding.id)
            kept = replace(finding, announced=recorded.announced if recorded else 0)
            self._findings[finding.id] = kept
            self._history.setdefault(finding.id, []).append(kept)

    def _is_recorded(self, finding: Finding) -> bool:
        recorded = self._findings.get(finding.id)
        return recorded is not None and replace(recorded, announced=finding.announced) == finding

    def mark_announced(self, finding: Finding) -> None:
        recorded = self._findings[finding.id]
        if recorded.announced < finding.revision:
            self._findings[finding.id] = replace(recorded, announced=finding.revision)

    def unannounced(self) -> Iterator[Finding]:
        waiting = [finding for finding in self._findings.values() if finding.announced < finding.revision]
        yield from sorted(waiting, key=lambda finding: (finding.observed_at, finding.id))

    def get(self, finding_id: str) -> Finding | None:
        return self._findings.get(finding_id)

    def ids(self, beginning: str) -> Sequence[str]:
        return sorted(each for each in self._findings if each.startswith(beginning))

    def history(self, finding_id: str) -> Sequence[Finding]:
        return tuple(self._history.get(finding_id, ()))

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
        matching = [
            finding
            for finding in self._findings.values()
            if team in (None, finding.attribution.owner.team)
            and status in (None, finding.status)
            and account in (None, finding.resource.account)
            and control in (None, finding.control)
            and severity in (None, finding.severity)
            and (since is None or finding.observed_at >= since)
        ]
        yield from sorted(matching, key=lambda finding: (finding.due_at, finding.id))

"""From an announcement to the places where its teams are told: the way from SNS to chat.

announcement -> teams -> destinations -> message: new, changed, or held until quiet hours end
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from demarc.announcers.chat import ChannelRefused, Chat, Heard, Rejected, Throttled, Unreachable, Vanished, unheard
from demarc.announcers.https import BadAddress
from demarc.core import digest as digests
from demarc.core.announcement import findings_in
from demarc.core.calendar import quiet_until
from demarc.core.chat.posted import Posted, Told, key_of
from demarc.core.digest import Digest, digest_in
from demarc.core.matrix import Destination, DestinationKind, Organization, Team
from demarc.core.model import Finding, Severity
from demarc.secret import BadSecret
from demarc.stores.messages import CLAIM_HOLDS, AlreadyTold, Busy, MessageStore

# An outage is waited out with 30 seconds, then twice as long each time, up to an hour.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_DIGESTED = Posted("", "", "")


class Later(Exception):
    """Not everybody could be told; the whole announcement is to be delivered again after so long.

    Whoever was told is not told again. `failed` is false where it merely has to wait.
    """

    def __init__(self, wait: timedelta, *, failed: bool) -> None:
        super().__init__(f"again in {wait.total_seconds():.0f} s")
        self.wait = wait
        self.failed = failed


@dataclass(slots=True)
class _Waits:
    """What could not be done now, over all destinations of one announcement."""

    waits: list[timedelta] = field(default_factory=list)
    failed: bool = False

    def add(self, wait: timedelta, *, failed: bool = False) -> None:
        self.waits.append(max(wait, timedelta()))
        self.failed |= failed


@dataclass(frozen=True, slots=True)
class Delivery:
    """Tells teams where they want to be told.

    `chats` are the kinds of destination that this deployment has; `find` gives a finding as it is now, for the others
    in a message that changes. `heard` takes note of what is worth counting.
    """

    organization: Organization
    chats: Mapping[DestinationKind, Chat]
    messages: MessageStore
    find: Callable[[str], Finding | None]
    clock: Callable[[], datetime]
    heard: Heard = unheard

    def deliver(self, body: Mapping[str, Any], *, attempt: int = 1, in_time: Callable[[], bool] = lambda: True) -> None:
        """Tell everybody an announcement is for.

        One destination that fails does not keep the others from being told.

        Args:
            body: the announcement's, of findings or of a digest.
            attempt: how often it was delivered, this time included; the wait after a failure follows from it.
            in_time: whether there is still time to tell one more.

        Raises:
            Later: if somebody was not told.
            WireError: if it is no announcement.
        """
        waits = _Waits()
        for team, destination, telling in self._tellings(body):
            if not in_time():
                waits.add(timedelta(seconds=1))
                continue
            self._attempt(team, destination, telling, waits, attempt)
        if waits.waits:
            raise Later(min(waits.waits), failed=waits.failed)

    def _tellings(self, body: Mapping[str, Any]) -> Iterator[tuple[Team, Destination, Digest | tuple[Finding, ...]]]:
        """Who is to be told what, and where; two teams that share a place are told there once."""
        done: set[str] = set()
        for team, telling in self._by_team(body):
            for destination in team.destinations:
                if destination.kind not in self.chats or key_of(destination) in done:
                    continue
                done.add(key_of(destination))
                yield team, destination, telling

    def _by_team(self, body: Mapping[str, Any]) -> Iterator[tuple[Team, Digest | tuple[Finding, ...]]]:
        if body.get("schema") == digests.SCHEMA:
            digest = digest_in(body)
            yield self._team(digest.team), digest
            return
        findings = findings_in(body)
        for name in dict.fromkeys(name for finding in findings for name in _audience(finding)):
            yield self._team(name), tuple(finding for finding in findings if name in _audience(finding))

    def _team(self, name: str) -> Team:
        """A team that the matrix does not have any more is governance's to hear of."""
        return self.organization.teams.get(name) or self.organization.teams[self.organization.governance]

    def _attempt(
        self,
        team: Team,
        to: Destination,
        telling: Digest | tuple[Finding, ...],
        waits: _Waits,
        attempt: int,
    ) -> None:
        try:
            if until := self._quiet_until(team, telling):
                self._hold(to, telling, until, waits)
            else:
                self._tell_or_tell_governance(team, to, telling)
        except Throttled as throttled:
            self.heard("MessagesDelayed", {"team": team.id, "kind": to.kind, "seconds": throttled.seconds})
            waits.add(timedelta(seconds=throttled.seconds))
        except Busy:
            waits.add(CLAIM_HOLDS)
        except (Unreachable, Rejected, BadAddress, BadSecret, ClientError) as error:
            facts = {"team": team.id, "kind": to.kind, "error": type(error).__name__, "detail": str(error)[:200]}
            self.heard("DeliveryFailures", facts)
            waits.add(backoff(attempt), failed=True)

    def _quiet_until(self, team: Team, telling: Digest | tuple[Finding, ...]) -> datetime | None:
        """When the team may be told, if not now. What came of one change is told together, by the worst of it."""
        severities = [Severity.INFORMATIONAL] if isinstance(telling, Digest) else [each.severity for each in telling]
        ends = [
            quiet_until(self.clock(), severity, quiet_hours=team.quiet_hours, calendar=self.organization.calendar)
            for severity in severities
        ]
        return None if None in ends else ends[0]

    def _hold(self, to: Destination, telling: Digest | tuple[Finding, ...], until: datetime, waits: _Waits) -> None:
        now = self.clock()
        if not isinstance(telling, Digest):
            for finding in telling:
                self.messages.hold(finding.id, key_of(to), finding.revision, now=now)
        self.heard("MessagesHeld", {"kind": to.kind, "until": until.isoformat()})
        waits.add(until - now)

    def _tell_or_tell_governance(self, team: Team, to: Destination, telling: Digest | tuple[Finding, ...]) -> None:
        try:
            self._tell(to, telling, key=key_of(to))
        except ChannelRefused as refused:
            facts = {"team": team.id, "kind": to.kind, "channel": to.channel, "code": refused.code}
            self.heard("ChannelsRefused", facts)
            where = to.channel or to.kind.value
            note = f"Team {team.name} was not told in {where} ({refused.code}). Mend the destination, or pass this on."
            self._tell_governance(refused, to, telling, note)

    def _tell_governance(
        self, refused: ChannelRefused, instead_of: Destination, telling: Digest | tuple[Finding, ...], note: str
    ) -> None:
        for other in self.organization.teams[self.organization.governance].destinations:
            if other.kind in self.chats and key_of(other) != key_of(instead_of):
                self._tell(other, telling, key=f"{key_of(other)}~{key_of(instead_of)}", note=note)
                return
        raise refused

    def _tell(self, to: Destination, telling: Digest | tuple[Finding, ...], *, key: str, note: str = "") -> None:
        if isinstance(telling, Digest):
            self._tell_digest(to, telling, key)
            return
        claims = _Claims(self.messages, key, self.clock())
        try:
            claims.take(telling)
            vanished = self._tell_changed(to, claims)
            self._tell_new(to, claims, vanished, note)
        finally:
            claims.give_back()

    def _tell_digest(self, to: Destination, digest: Digest, key: str) -> None:
        name, now = f"digest-{digest.id}", self.clock()
        try:
            self.messages.claim(name, key, 1, now=now)
        except AlreadyTold:
            return
        try:
            self.chats[to.kind].post_digest(to, digest)
        except BaseException:
            self.messages.release(name, key)
            raise
        self.messages.record(name, key, 1, posted=_DIGESTED, together=(), others=0, now=now)
        self.heard("MessagesPosted", {"kind": to.kind, "digest": digest.id})

    def _tell_changed(self, to: Destination, claims: _Claims) -> list[Finding]:
        """Change the messages in which findings were told before, and answer in their threads; what is lost of them."""
        vanished: list[Finding] = []
        chat = self.chats[to.kind]
        for posted, findings in claims.by_message().items():
            told = claims.told[findings[0].id]
            try:
                self._renew(chat, to, posted, told, claims)
                chat.reply(to, posted, findings)
            except Vanished:
                vanished += findings
                continue
            for finding in findings:
                claims.record(finding, claims.told[finding.id])
            self.heard("MessagesUpdated", {"kind": to.kind, "findings": [_ref(each) for each in findings]})
        return vanished

    def _renew(self, chat: Chat, to: Destination, posted: Posted, told: Told, claims: _Claims) -> None:
        # All that is in the message, as it is now: the others may have changed since, and are not in this announcement.
        shown = [claims.findings.get(each) or self.find(each) for each in told.together]
        try:
            chat.renew(to, posted, [each for each in shown if each], others=told.others)
        except Vanished as vanished:
            if vanished.code == "message_not_found":
                raise
            # It may not be changed (any more); its thread can still be answered in.

    def _tell_new(self, to: Destination, claims: _Claims, vanished: Sequence[Finding], note: str) -> None:
        new = [*claims.untold(), *vanished]
        chat = self.chats[to.kind]
        under = claims.thread_of_an_earlier_try()
        for start in range(0, len(new), chat.most):
            findings = new[start : start + chat.most]
            others = len(new) - len(findings) if start == 0 and not under else 0
            posted = chat.post(to, findings, under=under, others=others, note=note if start == 0 else "")
            together = tuple(each.id for each in findings)
            # Noted at once: whoever dies now has told no more than this message twice.
            for finding in findings:
                claims.record(finding, Told(posted=posted, together=together, others=others))
            under = under or posted
            self.heard("MessagesPosted", {"kind": to.kind, "findings": [_ref(each) for each in findings]})


class _Claims:
    """The findings of one announcement that are this worker's to tell at one destination."""

    def __init__(self, messages: MessageStore, key: str, now: datetime) -> None:
        self._messages = messages
        self._key = key
        self._now = now
        self._open: set[str] = set()
        self._earlier: Told | None = None
        self.findings: dict[str, Finding] = {}
        self.told: dict[str, Told] = {}

    def take(self, findings: Sequence[Finding]) -> None:
        """Claim what is news here.

        Raises:
            Busy: if somebody else is telling one of them.
        """
        for finding in findings:
            try:
                told = self._messages.claim(finding.id, self._key, finding.revision, now=self._now)
            except AlreadyTold as already:
                if already.told.revision == finding.revision:
                    self._earlier = self._earlier or already.told
                continue
            self._open.add(finding.id)
            # Of what was held back, the latest says it all; it is in the queue too.
            if told.held <= finding.revision:
                self.findings[finding.id] = finding
                self.told[finding.id] = told

    def by_message(self) -> dict[Posted, list[Finding]]:
        messages: dict[Posted, list[Finding]] = {}
        for finding in self.findings.values():
            if posted := self.told[finding.id].posted:
                messages.setdefault(posted, []).append(finding)
        return messages

    def untold(self) -> list[Finding]:
        return [finding for finding in self.findings.values() if self.told[finding.id].posted is None]

    def thread_of_an_earlier_try(self) -> Posted | None:
        """Where an earlier delivery of the same announcement, which did not get through, has begun to tell it."""
        return self._earlier.posted if self._earlier else None

    def record(self, finding: Finding, told: Told) -> None:
        assert told.posted is not None  # noqa: S101  # it was posted just now, or before
        self._messages.record(
            finding.id,
            self._key,
            finding.revision,
            posted=told.posted,
            together=told.together,
            others=told.others,
            now=self._now,
        )
        self._open.discard(finding.id)

    def give_back(self) -> None:
        for finding in self._open:
            self._messages.release(finding, self._key)


def backoff(attempt: int) -> timedelta:
    """How long to wait after so many failed deliveries."""
    doubled: timedelta = _FIRST_WAIT * (1 << min(max(attempt - 1, 0), 10))
    return min(doubled, _LONGEST_WAIT)


def _audience(finding: Finding) -> tuple[str, ...]:
    # Revisions from before there was an audience speak to the owner's team.
    return finding.audience or (finding.attribution.owner.team,)


def _ref(finding: Finding) -> str:
    return f"{finding.id}:{finding.revision}"

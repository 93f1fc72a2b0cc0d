"""The Responsibility Attribution Matrix as it was compiled: controls, the responsibility line and the organization.

People write YAML; `demarc.authoring` validates it and compiles one JSON document per responder, which is what is read
here. Rows and touches are decoded on first use, so that a large catalogue costs an event nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from demarc.core.calendar import Calendar, QuietHours
from demarc.core.model import OCCURRENCE, Control, Layer, Party, Resource, Severity, Tier
from demarc.core.occurrence import OccurrenceIndex, control_of, is_occurrence
from demarc.core.touch import TouchIndex
from demarc.core.wire import from_wire


@dataclass(frozen=True, slots=True)
class Person:
    """`slack` is their member id in the workspace (`U0123ABCD`); without it they are looked up by e-mail address."""

    id: str
    name: str
    email: str
    team: str
    slack: str | None = None


class DestinationKind(StrEnum):
    """What carries announcements to a team beside e-mail."""

    SLACK = "slack"
    SLACK_WEBHOOK = "slack-webhook"
    TEAMS = "teams"
    WEBHOOK = "webhook"
    AMAZON_Q = "amazon-q"


@dataclass(frozen=True, slots=True)
class Destination:
    """One place that a team is told at. `channel` is Slack's; `secret` names the secret that holds the URL."""

    kind: DestinationKind
    channel: str | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """`accountable` is the id of the person who answers when no row names another.

    `escalation` are the ids of the people told after them, in order, while a finding stays overdue.
    """

    id: str
    name: str
    email: str
    accountable: str
    channel: str | None = None
    escalation: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] = ()
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account. Without a team it is shared: what is in it must be claimed by tag or by assignment."""

    id: str
    name: str
    environment: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """A system that people have a name for; resources carry its id in a tag, or it has accounts of its own.

    `services` are those of AWS that it is made of, by the word that their CloudFormation types have (`EC2`), and as
    what each is consumed.
    """

    id: str
    name: str
    tier: Tier
    team: str
    accounts: tuple[str, ...] = ()
    services: Mapping[str, Tier] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One row of the ordered list that says who owns what. Every condition that is given must hold.

    `controls` and `arns` are shell-style patterns; an empty condition asks for nothing.
    """

    id: str
    team: str
    because: str
    person: str | None = None
    controls: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    workloads: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskException:
    """A risk that somebody accepted: which control, on which ARNs (patterns), why, who approved, until when."""

    id: str
    control: str
    resource: str
    reason: str
    approver: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Roles:
    """Role ARNs (patterns) whose sessions are not simply a person at work."""

    pipelines: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    demarc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who may accept a risk. `second_person`: severities whose owner needs somebody else's word, one of `approvers`.

    `approvers` are ids of people; `longest_days` bounds how far away an expiry may be.
    """

    second_person: tuple[Severity, ...] = ()
    approvers: tuple[str, ...] = ()
    longest_days: int = 365


@dataclass(frozen=True, slots=True)
class Chasing:
    """How a deadline is chased: hours before it at which the owner is reminded, and after it between escalations.

    `digest_weekday` (Monday is 0) and `digest_hour` say when the weekly digests go out, in the calendar's time zone.
    """

    reminders: tuple[int, ...] = (24,)
    escalate_every: int = 24
    digest_weekday: int = 0
    digest_hour: int = 8


@dataclass(frozen=True, slots=True)
class Organization:
    """The customer's page of the matrix. `deadlines` are hours from opening to due, by severity.

    `silence` is after how many hours without any change a Region's feed is suspect; `required_tags` are keys that
    everything which can be tagged must carry.
    """

    id: str
    name: str
    governance: str
    owner_tags: tuple[str, ...]
    workload_tag: str
    deadlines: Mapping[Severity, int]
    teams: Mapping[str, Team]
    people: Mapping[str, Person]
    accounts: Mapping[str, Account]
    workloads: Mapping[str, Workload]
    assignments: tuple[Assignment, ...]
    exceptions: tuple[RiskException, ...]
    roles: Roles
    acceptance: Acceptance = Acceptance()
    chasing: Chasing = Chasing()
    calendar: Calendar = Calendar()
    silence: int = 24
    required_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Where responsibility runs for one layer of one tier, and why."""

    party: Party
    reason: str


@dataclass(frozen=True, slots=True)
class Sides:
    """How a service is divided: what AWS does for it, and what is ours, in a sentence each."""

    provider: str
    customer: str


@dataclass(frozen=True, slots=True)
class Responsibility:
    """The stack: which tier a resource type is consumed as, and who answers for each layer of a tier.

    `services` has, by the second word of resource types (`EC2`), how each is divided.
    """

    tiers: Mapping[str, Tier]
    lines: Mapping[Tier, Mapping[Layer, Line]]
    services: Mapping[str, Sides] = field(default_factory=dict)

    def division(self, resource_type: str) -> str:
        """What AWS does for a type's service, and what is ours; nothing where nobody has written it."""
        sides = self.services.get(service_of(resource_type))
        return f"{sides.provider} {sides.customer}" if sides else ""


def service_of(resource_type: str) -> str:
    """The word by which a type's service is known: `EC2` of AWS::EC2::Instance, `Account` of AWS::::Account."""
    _, service, name = resource_type.split("::")
    return service or name


class Matrix:
    """A compiled matrix, as one responder or the command line holds it. `touches` are those of its resource types."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.version: str = document["version"]
        self.organization = from_wire(Organization, document["organization"])
        self.responsibility = from_wire(Responsibility, document["responsibility"])
        self.touches = TouchIndex(document["touches"])
        self._rows: Mapping[str, Any] = document["controls"]
        self._controls: dict[str, tuple[Control, ...]] = {}

    @classmethod
    def from_json(cls, text: str | bytes) -> Matrix:
        return cls(json.loads(text))

    @property
    def types(self) -> tuple[str, ...]:
        """The resource types that this matrix judges."""
        return tuple(self._rows)

    def controls_for(self, resource_type: str) -> tuple[Control, ...]:
        """Every control on a resource type, in the order of the catalogue."""
        if resource_type not in self._controls:
            rows = self._rows.get(resource_type, ())
            self._controls[resource_type] = tuple(from_wire(Control, row) for row in rows)
        return self._controls[resource_type]

    @cached_property
    def occurrences(self) -> OccurrenceIndex:
        """What must not happen, by the calls that it is."""
        return OccurrenceIndex(self.controls_for(OCCURRENCE))

    def controls_on(self, resource: Resource) -> tuple[Control, ...]:
        """Every control on a resource: those on its type, and of what happened the one that minds it."""
        controls = self.controls_for(resource.type)
        if not is_occurrence(resource):
            return controls
        return tuple(control for control in controls if control.id == control_of(resource))

    def needs(self, resource_type: str) -> frozenset[str]:
        """The snapshot properties that judging the type asks for."""
        return frozenset(need for control in self.controls_for(resource_type) for need in control.needs)

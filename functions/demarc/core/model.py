"""The words of Demarc as frozen values: everything that travels from one room to another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Compliance(StrEnum):
    """AWS Config's four words for one control on one snapshot."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFORMATIONAL = "informational"


class Party(StrEnum):
    """Who answers for a layer of a tier under the shared responsibility model."""

    PROVIDER = "provider"
    CUSTOMER = "customer"
    SHARED = "shared"


class Tier(StrEnum):
    """The service model a resource is consumed as."""

    IAAS = "iaas"
    PAAS = "paas"
    SAAS = "saas"


class Layer(StrEnum):
    """Where in the stack a duty lies; `visibility` (logging and detection) is Demarc's own."""

    PHYSICAL = "physical"
    HARDWARE = "hardware"
    NETWORK_INFRASTRUCTURE = "network-infrastructure"
    HYPERVISOR = "hypervisor"
    OPERATING_SYSTEM = "operating-system"
    RUNTIME = "runtime"
    MIDDLEWARE = "middleware"
    NETWORK_CONFIGURATION = "network-configuration"
    APPLICATION = "application"
    IDENTITY = "identity"
    DATA = "data"
    CLIENT_SIDE = "client-side"
    VISIBILITY = "visibility"


# The type of what is no resource but a stream of calls: the same ones of a control, by the same actor (`Occurrence`).
OCCURRENCE = "Demarc::Account::Occurrence"


class Status(StrEnum):
    """Where a finding stands; `core.finding.TRANSITIONS` says how it gets there.

    Only what was read resolves it, but for what happened: there is nothing to read, and a person's word closes it.
    """

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ACCEPTED = "ACCEPTED"
    RESOLVED = "RESOLVED"
    GONE = "GONE"


# What does not hold now, whether or not anybody works on it.
STANDING = (Status.OPEN, Status.ACKNOWLEDGED, Status.ACCEPTED)

# What somebody has to mend: an accepted risk stands too, but nobody is asked to do anything about it.
TO_DO = (Status.OPEN, Status.ACKNOWLEDGED)


class Act(StrEnum):
    """What leads to a revision: first what was read from AWS, then what people say, then what the clock does."""

    BROKEN = "seen broken"
    RIGHT = "seen right"
    GONE = "seen gone"
    MOVE = "changed hands"
    ACKNOWLEDGE = "acknowledged"
    ASSIGN = "assigned"
    PROPOSE = "acceptance proposed"
    ACCEPT = "accepted"
    DECLINE = "acceptance declined"
    EXPIRE = "acceptance expired"
    REMIND = "reminded"
    ESCALATE = "escalated"


class Origin(StrEnum):
    """Where an act came from. `schedule` is the clock; `matrix` an exception that is written in it."""

    CHANGE = "change"
    SWEEP = "sweep"
    CLI = "cli"
    SLACK = "slack"
    SECURITY_HUB = "security-hub"
    MATRIX = "matrix"
    SCHEDULE = "schedule"


class ActorKind(StrEnum):
    HUMAN = "human"
    ROLE_SESSION = "role-session"
    PIPELINE = "pipeline"
    AWS_SERVICE = "aws-service"
    ROOT = "root"
    UNKNOWN = "unknown"


class Via(StrEnum):
    """The tool a change was made with. A hint: the user agent is chosen by the caller."""

    CONSOLE = "console"
    CLI = "cli"
    SDK = "sdk"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    OTHER_IAC = "other-iac"
    AWS_SERVICE = "aws-service"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Relation(StrEnum):
    """How whoever made a change stands to whoever owns the resource."""

    SAME_TEAM = "same-team"
    OTHER_TEAM = "other-team"
    PIPELINE = "pipeline"
    BREAK_GLASS = "break-glass"
    AWS = "aws"
    DEMARC = "demarc"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing in an account, named as CloudFormation names it.

    `identifier` is the type's CloudFormation primary identifier (a bucket's name, a group's id, a policy's ARN);
    `region` is where the change happened, also for global types.
    """

    type: str
    identifier: str
    account: str
    region: str
    arn: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same resource; the ARN may be known more or less exactly."""
        return (self.type, self.identifier, self.account, self.region)


@dataclass(frozen=True, slots=True)
class Actor:
    """The principal behind a change; `name` is the person where the record lets us know them."""

    kind: ActorKind
    name: str
    arn: str | None = None
    role: str | None = None
    account: str | None = None
    confidence: Confidence = Confidence.LOW
    because: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """One resource that a change names, and the snapshot properties the call writes (`*`: all of them)."""

    resource: Resource
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A successful mutating API call."""

    event_id: str
    event_source: str
    event_name: str
    time: datetime
    account: str
    region: str
    actor: Actor
    via: Via
    via_confidence: Confidence
    touched: tuple[Touched, ...]
    source_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Was:
    """What the same path held when the resource was last read before, and when that was."""

    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Drift:
    """One path of a snapshot that differs from what is required; `was` is None where nobody had looked before."""

    path: str
    required: Any
    actual: Any
    because: str = ""
    was: Was | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Calls that are wrong by themselves: those of a service, and of all services without a `source` and `calls`.

    `where` maps a path of the CloudTrail record to what it must be for the call to be one.
    """

    source: str = ""
    calls: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that must hold for a resource: a compiled row of the catalogue.

    `needs` are the snapshot properties that judging it asks for; `resource_type` is `*` for a control on every type.
    `regional` is false where the setting exists once per account, whatever Region the change was made in.
    A control with an `occurrence` says what must not happen, and asks nothing of any snapshot but that it did.
    """

    id: str
    title: str
    severity: Severity
    layer: Layer
    resource_type: str
    guidance: str
    references: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]
    regional: bool = True
    security_hub: tuple[str, ...] = ()
    when: Mapping[str, Any] = field(default_factory=dict)
    require: Mapping[str, Any] = field(default_factory=dict)
    check: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    occurrence: Occurrence | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One control on one snapshot. `reason` says why there is no verdict; `drift` says what is wrong."""

    control: Control
    compliance: Compliance
    drift: tuple[Drift, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The team and person who answer, how to reach them, and the matrix row that says so."""

    team: str
    person: str
    email: str
    channel: str | None
    row: str
    because: str
    attribution_gap: bool = False


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose a control on a resource is: where the line runs, and who stands on our side of it.

    `line` says why it runs there; `division` what AWS does for the service, and what is ours.
    """

    tier: Tier
    party: Party
    line: str
    owner: Owner
    workload: str | None
    environment: str
    division: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """The change that a finding is seen with.

    `set_it` is true when that call writes what drifted. Otherwise the drift was merely noticed then,
    and whoever made the call must not be blamed for it.
    """

    event_id: str
    event_source: str
    event_name: str
    time: datetime
    actor: Actor
    via: Via
    via_confidence: Confidence
    relation: Relation
    set_it: bool


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """What covers a finding until it expires: an exception of the matrix, or what people agreed on since.

    `approver` is the name of who answers for it, `approver_team` their team's id; `requested_by` who asked, where
    that was somebody else. A false positive says that the verdict is wrong: it covers `drift`, the fingerprint of
    what was seen, and nothing that is seen later.
    """

    id: str
    reason: str
    approver: str
    expires: datetime
    approver_team: str = ""
    requested_by: str = ""
    origin: Origin = Origin.MATRIX
    drift: str | None = None

    @property
    def false_positive(self) -> bool:
        return self.drift is not None


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a resource is looked at: for a change, or because a sweep or somebody (`by`) asked."""

    origin: Origin = Origin.CHANGE
    by: str = "Demarc"


@dataclass(frozen=True, slots=True)
class Transition:
    """How a finding came to a revision: what was done, by whom, when, why and from where.

    `by` is the name of a person of the matrix, of the actor behind a change, or Demarc. `to` is whom it speaks to
    besides the owner's team: the person assigned, reminded or escalated to. `was` is the status before.
    """

    act: Act
    origin: Origin
    by: str
    at: datetime
    was: Status | None = None
    reason: str = ""
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The lasting record of a control that does not hold on a resource, from opened to resolved.

    `revision` counts what is worth telling; `announced` is the last revision that was told; `transition` is what led
    to this one. `cause` is the change that the drift is seen with, `resolved_by` the one that the resource was seen
    right (or gone) with. `opened_at`, `acknowledged_at` and `resolved_at` are of this opening; `reopened` counts
    earlier ones. `proposal` is an acceptance that waits for a second person. `reminded` and `escalated` count steps
    taken towards the deadline and beyond. `audience` are the teams that this revision is told to.
    """

    id: str
    control: str
    title: str
    severity: Severity
    layer: Layer
    compliance: Compliance
    status: Status
    resource: Resource
    attribution: Attribution
    drift: tuple[Drift, ...]
    guidance: str
    references: Mapping[str, tuple[str, ...]]
    security_hub: tuple[str, ...]
    opened_at: datetime
    observed_at: datetime
    due_at: datetime
    matrix_version: str
    revision: int
    announced: int = 0
    reopened: int = 0
    resolved_at: datetime | None = None
    cause: Cause | None = None
    resolved_by: Cause | None = None
    exception: AcceptedRisk | None = None
    reason: str = ""
    transition: Transition | None = None
    assignee: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    proposal: AcceptedRisk | None = None
    reminded: int = 0
    escalated: int = 0
    audience: tuple[str, ...] = ()


def finding_id(control: Control, resource: Resource) -> str:
    """The same control on the same resource is the same finding for ever; a global setting has no Region."""
    scope = resource.region if control.regional else "global"
    parts = (control.id, resource.type, resource.identifier, resource.account, scope)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

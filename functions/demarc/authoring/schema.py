"""What may be written in the matrix. Field descriptions become the JSON schemas that editors use."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator
from pydantic.config import JsonDict

from demarc.authoring.own import unknown_names
from demarc.core.matrix import DestinationKind
from demarc.core.model import OCCURRENCE, Layer, Party, Severity, Tier

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _claim(text: str) -> str:
    if not _KEBAB.fullmatch(text):
        raise ValueError("an id is lower-case words joined by hyphens, such as s3-bucket-blocks-public-access")
    return text


Id = Annotated[str, AfterValidator(_claim)]
Text = Annotated[str, Field(min_length=1)]
AccountId = Annotated[str, Field(pattern=r"^\d{12}$", description="Twelve digits, quoted")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
# A channel by its name, or by the id that Slack's "copy link" shows: the id survives a renaming.
Channel = Annotated[str, Field(pattern=r"^(#[^\s#,]{1,80}|[CG][A-Z0-9]{6,})$", description="A Slack channel")]
SecurityHubId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+\.\d+$")]
Hours = Annotated[int, Field(gt=0)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_CLOCKS = re.compile(r"(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d|24:00)")


def _from_to(text: str) -> str:
    found = _CLOCKS.fullmatch(text)
    if not found:
        raise ValueError("hours are written from-to on a 24-hour clock, such as 08:00-16:30")
    if found[1] == found[3]:
        raise ValueError("they end when they begin: that is no time, or all of it")
    return text


def _within_a_day(text: str) -> str:
    start, _, end = text.partition("-")
    if end < start:
        raise ValueError(f"the working day {text} ends before it begins")
    return text


FromTo = Annotated[str, AfterValidator(_from_to)]
WorkingHours = Annotated[FromTo, AfterValidator(_within_a_day)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = get_close_matches(name, available_timezones(), n=1)
        raise ValueError(f"there is no time zone {name!r}{f'; did you mean {near[0]}?' if near else ''}") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if twice is not None:
        raise ValueError(f"{twice!s} stands twice")
    return values


Distinct = AfterValidator(_distinct)


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonRow(Row):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
    name: Text
    email: Email | None = Field(default=None, description="How to reach them; what actors are recognised by")
    team: str
    slack: Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{4,}$")] | None = Field(
        default=None, description="Their member id in Slack; without it they are looked up by e-mail address"
    )


class DestinationRow(Row):
    """Where a team is told, beside e-mail."""

    kind: DestinationKind
    channel: Channel | None = Field(default=None, description="For slack: the channel that the app posts to")
    secret: Annotated[str, Field(max_length=512)] | None = Field(
        default=None, description="For webhooks: the name of the secret in Secrets Manager that holds the address"
    )

    @model_validator(mode="after")
    def _reachable(self) -> DestinationRow:
        by_channel = self.kind is DestinationKind.SLACK
        by_address = self.kind not in (DestinationKind.SLACK, DestinationKind.AMAZON_Q)
        if by_channel and not self.channel:
            raise ValueError("slack needs a channel")
        if by_address and not self.secret:
            raise ValueError(f"{self.kind} needs a secret: the name of the one that holds its address")
        if self.channel and not by_channel:
            raise ValueError(f"{self.kind} has no channel to choose: whoever set it up over there chose it")
        if self.secret and not by_address:
            raise ValueError(f"{self.kind} has no secret of its own: the deployment knows the app")
        if self.secret and not re.fullmatch(r"[A-Za-z0-9/_+=.@-]+", self.secret):
            raise ValueError("an address that lets everybody post is kept in Secrets Manager; give the secret's name")
        return self


class QuietHoursRow(Row):
    hours: FromTo = Field(description="When the team is left alone, such as 20:00-07:00, in the calendar's time zone")
    except_for: Annotated[tuple[Severity, ...], Distinct] = Field(
        default=(Severity.CRITICAL,), description="Severities that are told all the same"
    )


class TeamRow(Row):
    id: Id
    name: Text
    accountable: str = Field(description="The id of the person who answers when no row names another")
    email: Email = Field(description="Where the team's alerts go")
    channel: Channel | None = Field(default=None, description="The team's Slack channel; short for such a destination")
    destinations: tuple[DestinationRow, ...] = Field(default=(), description="Where else the team is told")
    escalation: tuple[str, ...] = Field(
        default=(), description="Ids of the people told after the accountable person, in order, while it stays overdue"
    )
    quiet_hours: QuietHoursRow | None = None


class AccountRow(Row):
    id: AccountId
    name: Text
    environment: Text
    team: str | None = Field(default=None, description="Owns what no tag and no assignment claims")
    shared: bool = Field(default=False, description="Several teams share it: unclaimed resources have no owner")

    @model_validator(mode="after")
    def _owned_or_shared(self) -> AccountRow:
        if self.shared and self.team:
            raise ValueError("an account is either a team's or shared, not both")
        return self


class WorkloadRow(Row):
    id: Id
    name: Text
    tier: Tier
    team: str
    accounts: tuple[AccountId, ...] = Field(default=(), description="Accounts that the workload has to itself")
    services: dict[Text, Tier] = Field(
        default_factory=dict,
        description="Services of AWS it is made of, as CloudFormation types have them (EC2), and the tier of each",
    )


class AssignmentRow(Row):
    id: Id
    team: str
    because: Text = Field(description="Why; it is shown to whoever is alerted")
    person: str | None = Field(default=None, description="Who answers, if not the team's accountable person")
    controls: tuple[str, ...] = Field(default=(), description="Control ids; * and ? match")
    layers: tuple[Layer, ...] = ()
    workloads: tuple[str, ...] = ()
    accounts: tuple[AccountId, ...] = ()
    types: tuple[str, ...] = Field(default=(), description="CloudFormation resource types")
    arns: tuple[str, ...] = Field(default=(), description="Resource ARNs; * and ? match")
    tags: dict[str, str] = Field(default_factory=dict)


class ExceptionRow(Row):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    control: str
    resource: str = Field(description="Resource ARN; * and ? match")
    reason: Text
    approver: str = Field(description="The id of the person who accepted the risk")
    expires: date = Field(description="The last day on which it holds")


class RolesRow(Row):
    pipelines: tuple[str, ...] = Field(default=(), description="ARN patterns of roles that CI/CD assumes")
    break_glass: tuple[str, ...] = Field(default=(), description="ARN patterns of emergency roles")
    demarc: tuple[str, ...] = Field(default=(), description="ARN patterns of Demarc's own roles")


class AcceptanceRow(Row):
    """Who may accept a risk, and for how long."""

    second_person: Annotated[tuple[Severity, ...], Distinct] = Field(
        default=(), description="Severities at which the owner's own word is not enough: an approver has to agree"
    )
    approvers: tuple[str, ...] = Field(
        default=(), description="Ids of the people who may approve; if nobody is named, everybody of governance"
    )
    longest_days: int = Field(default=365, gt=0, le=3650, description="No risk is accepted for longer")


class DigestRow(Row):
    weekday: Weekday = "monday"
    hour: Annotated[int, Field(ge=0, le=23)] = Field(default=8, description="In the calendar's time zone")


class ChasingRow(Row):
    """How a deadline is chased."""

    reminders: Annotated[tuple[Hours, ...], Distinct] = Field(
        default=(24,), description="Hours before the deadline at which the owner is reminded"
    )
    escalate_every: Hours = Field(
        default=24, description="Hours after the deadline between one person of the chain and the next"
    )
    digest: DigestRow = Field(default=DigestRow(), description="When the weekly digests go out")


class CalendarRow(Row):
    """When people work, and by which clocks."""

    timezone: TimeZone = Field(default="UTC", description="IANA name, such as Europe/Oslo")
    weekdays: Annotated[tuple[Weekday, ...], Distinct, Field(min_length=1)] = WEEKDAYS[:5]
    hours: WorkingHours = Field(default="09:00-17:00", description="Working hours, such as 08:00-16:30")
    holidays: tuple[date, ...] = Field(default=(), description="Days on which nobody works, such as 2026-12-25")
    severities: Annotated[tuple[Severity, ...], Distinct] = Field(
        default=(), description="Whose deadlines count working hours; the others' run around the clock"
    )


class OrganizationFile(Row):
    """matrices/organization.yaml"""

    id: Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$", description="The AWS Organizations id")]
    name: Text
    governance: str = Field(description="The team that answers for what nobody claims")
    owner_tags: tuple[Text, ...]
    workload_tag: Text
    deadlines: dict[Severity, Hours] = Field(description="Hours from opened to due, by severity")
    people: tuple[PersonRow, ...]
    teams: tuple[TeamRow, ...]
    accounts: tuple[AccountRow, ...]
    workloads: tuple[WorkloadRow, ...] = ()
    assignments: tuple[AssignmentRow, ...] = ()
    roles: RolesRow = RolesRow()
    exceptions: tuple[ExceptionRow, ...] = ()
    acceptance: AcceptanceRow = AcceptanceRow()
    chasing: ChasingRow = ChasingRow()
    calendar: CalendarRow = CalendarRow()
    required_tags: Annotated[tuple[Text, ...], Distinct] = Field(
        default=(), description="Tag keys that everything which can be tagged must carry"
    )
    silence: Hours = Field(default=24, description="Hours without any change after which a Region's feed is suspect")

    @model_validator(mode="after")
    def _a_deadline_for_each(self) -> OrganizationFile:
        missing = [severity.value for severity in Severity if severity not in self.deadlines]
        if missing:
            raise ValueError(f"deadlines lack {', '.join(missing)}")
        return self


class LineRow(Row):
    party: Party
    reason: Text


class ServiceRow(Row):
    """How a service is divided, in a sentence for each side."""

    provider: Text = Field(description="What AWS does for it")
    customer: Text = Field(description="What is ours")


class ResponsibilityFile(Row):
    """matrices/responsibility.yaml"""

    tiers: dict[str, Tier] = Field(description="The service model that each resource type is consumed as")
    services: dict[str, ServiceRow] = Field(
        description="By the second word of their resource types (EC2): what AWS does, and what is ours"
    )
    lines: dict[Layer, dict[Tier, LineRow]] = Field(description="Per layer and tier: who answers, and why")


Scalar = str | int | float | bool
Operator = Literal["one_of", "none_of", "at_least", "at_most", "present", "absent"]
Expectation = Scalar | dict[Operator, Scalar | tuple[Scalar, ...]]


def _operands(expectations: dict[str, Expectation]) -> dict[str, Expectation]:
    for path, expectation in expectations.items():
        if isinstance(expectation, dict):
            for operator, operand in expectation.items():
                _operand(path, operator, operand)
    return expectations


def _operand(path: str, operator: str, operand: Any) -> None:
    lists = dict.fromkeys(("one_of", "none_of", "like"), tuple)
    wanted = {**lists, "present": bool, "absent": bool}.get(operator, int | float)
    if not isinstance(operand, wanted) or (operator.startswith("at_") and isinstance(operand, bool)):
        kind = {**dict.fromkeys(lists, "a list"), "present": "true", "absent": "true"}.get(operator, "a number")
        raise ValueError(f"{path}: {operator} takes {kind}")


Expectations = Annotated[dict[str, Expectation], AfterValidator(_operands)]


RecordOperator = Literal[Operator, "like"]
RecordExpectation = Scalar | dict[RecordOperator, Scalar | tuple[Scalar, ...]]


def _record_operands(expectations: dict[str, RecordExpectation]) -> dict[str, RecordExpectation]:
    for path, expectation in expectations.items():
        if isinstance(expectation, dict):
            for operator, operand in expectation.items():
                _operand(path, operator, operand)
        if not path.startswith(_RECORD_SECTIONS):
            raise ValueError(f"{path} is no path of a record: it begins with one of {', '.join(_RECORD_SECTIONS)}")
        if unknown := ", ".join(unknown_names(expectation)):
            raise ValueError(f"{path}: nobody fills in {unknown}, but {{stack}} and {{parts}}")
    return expectations


# Where a CloudTrail record says who called, what was asked and answered, and what else a service has to tell.
_RECORD_SECTIONS = ("userIdentity.", "requestParameters.", "responseElements.", "additionalEventData.")


class OccurrenceRow(Row):
    """Calls that are wrong by themselves, whatever is configured afterwards."""

    source: Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.amazonaws\.com$")] = Field(
        default="", validate_default=False, description="The eventSource, such as guardduty.amazonaws.com"
    )
    calls: Annotated[tuple[Text, ...], Distinct] = Field(
        default=(), description="The eventNames, as CloudTrail spells them; without any, every call of every service"
    )
    where: Annotated[dict[str, RecordExpectation], AfterValidator(_record_operands)] = Field(
        default_factory=dict,
        description=(
            "Path of the CloudTrail record -> what it must be; `like` takes patterns in which * and ? match. {stack} "
            "is the name of Demarc's stack, {parts} how the names of its parts begin"
        ),
    )

    @model_validator(mode="after")
    def _says_which(self) -> OccurrenceRow:
        if bool(self.source) != bool(self.calls):
            raise ValueError("a source and the calls of it go together")
        if not self.calls and not any(path.startswith("userIdentity.") for path in self.where):
            raise ValueError("every call of everybody would be one: name calls, or say in `where` whose")
        return self


_ABOUT: JsonDict = {"oneOf": [{"required": ["resource"]}, {"required": ["occurrence"]}]}


class ControlRow(Row):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_ABOUT)

    id: Id
    title: Annotated[str, Field(min_length=1, max_length=120, description="The claim as a sentence")]
    resource: str = Field(default="", description="CloudFormation type, or * for every type")
    severity: Severity
    layer: Layer
    why: Text = Field(description="What goes wrong when it does not hold")
    guidance: Text = Field(
        description=(
            "The exact fix; {identifier} {arn} {region} {account} are filled in, quoted; for an occurrence also {stack}"
        )
    )
    when: Expectations = Field(
        default_factory=dict, description="Where it does not hold, the control is not applicable"
    )
    require: Expectations = Field(default_factory=dict, description="Snapshot path -> what it must be")
    occurrence: OccurrenceRow | None = Field(
        default=None, description="In place of a resource: what must not happen, whatever is configured afterwards"
    )
    check: str | None = Field(default=None, description="module.function in demarc.checks")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments of the check")
    regional: bool = Field(default=True, description="false: an account setting that exists once, not per Region")
    security_hub: Annotated[tuple[SecurityHubId, ...], Distinct] = Field(
        default=(), description="The Security Hub controls that it corresponds to, such as [S3.1]"
    )
    references: dict[str, tuple[str, ...]] = Field(
        description="The requirements it serves: by framework, the numbers that matrices/frameworks has"
    )

    @model_validator(mode="before")
    @classmethod
    def _about_something(cls, written: Any) -> Any:
        """A row on what happened is on the type of such streams."""
        if not isinstance(written, dict):
            return written
        if "occurrence" in written:
            if also := [name for name in ("resource", "require", "when", "check", "regional") if name in written]:
                raise ValueError(f"an occurrence takes no {' and no '.join(also)}: there is nothing to look at")
            return {**written, "resource": OCCURRENCE}
        if written.get("resource") == OCCURRENCE:
            raise ValueError("say which calls: `occurrence` in place of `resource`")
        if "resource" not in written:
            raise ValueError("a control is on a `resource`, or on an `occurrence`")
        return written

    @model_validator(mode="after")
    def _asks_for_something(self) -> ControlRow:
        if self.occurrence:
            return self
        if not self.require and not self.check:
            raise ValueError("a control needs `require` or `check`: as it stands it can never be broken")
        if self.parameters and not self.check:
            raise ValueError("parameters are arguments of a check, and there is none")
        return self


class ControlsFile(RootModel[tuple[ControlRow, ...]]):
    """matrices/controls/*.yaml"""

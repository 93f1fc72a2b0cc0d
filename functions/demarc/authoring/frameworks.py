"""What may be written in `matrices/frameworks/*.yaml` and `matrices/signed.yaml`.

A framework says in its families what holds for their rows, and in a row what differs: one line for each requirement, so
that a thousand of them can be read. Defaults come with the product; the signed matrix wins, row by row.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from demarc.authoring.schema import Distinct, Id, Row, Text
from demarc.core.framework import Basis, Verification
from demarc.core.model import Party, Tier

FrameworkId = Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
_Value = TypeVar("_Value")


def _each_tier(said: dict[Tier, Party]) -> dict[Tier, Party]:
    missing = [tier.value for tier in Tier if tier not in said]
    if missing:
        raise ValueError(f"nobody answers for {', '.join(missing)}")
    return said


def _once_or_by_tier(said: object) -> str:
    return "by tier" if isinstance(said, dict) else "once"


# Told apart before they are looked at, so that a mistake is told as one.
Who = Annotated[
    Annotated[Party, Tag("once")] | Annotated[dict[Tier, Party], AfterValidator(_each_tier), Tag("by tier")],
    Discriminator(_once_or_by_tier),
    Field(description="provider, customer or shared; by tier where it is not the same for all"),
]
Rests = Annotated[
    Annotated[tuple[str, ...], Tag("once")] | Annotated[dict[Tier, tuple[str, ...]], Tag("by tier")],
    Discriminator(_once_or_by_tier),
    Field(description="The references it rests on; by tier where they are not the same. Without any, it is inferred"),
]


def by_tier(said: _Value | dict[Tier, _Value], tier: Tier, otherwise: _Value) -> _Value:
    """What is said for one tier of something that may be said once for all of them."""
    return said.get(tier, otherwise) if isinstance(said, dict) else said


class DutyRow(Row):
    duty: Text | None = Field(default=None, description="What this party does")
    verified: Verification | None = Field(default=None, description="How it is shown to be done")
    every: int | None = Field(
        default=None, gt=0, le=1100, description="Days that an attestation may count at most; 365 if nothing is said"
    )


class RequirementRow(Row):
    title: Text | None = Field(default=None, description="Its title, or our words; none where the text is licensed")
    baselines: Annotated[tuple[str, ...], Distinct] = Field(
        default=(), alias="in", description="The baselines that it is in"
    )
    who: Who | None = Field(default=None, description="Where it differs from its family")
    provider: DutyRow | None = Field(default=None, description="Where AWS's part differs from that of its family")
    customer: DutyRow | None = Field(default=None, description="Where our part differs from that of its family")
    basis: Rests = ()


class FamilyRow(Row):
    title: Text
    who: Who
    provider: DutyRow | None = None
    customer: DutyRow | None = None
    requirements: dict[str, RequirementRow] = Field(description="By number, quoted where it is made of digits")


class ReferenceRow(Row):
    basis: Basis
    text: Text = Field(description="What it is, so that somebody can look it up")

    @model_validator(mode="after")
    def _somebody_elses(self) -> ReferenceRow:
        if self.basis not in (Basis.CONTRACT, Basis.PUBLISHED):
            raise ValueError("a reference is a contract or published; what has none is inferred")
        return self


class FrameworkFile(Row):
    """matrices/frameworks/*.yaml"""

    id: FrameworkId = Field(description="As controls refer to it; the file has this name")
    name: Text
    version: Text
    licence: Text = Field(description="What may be shown of it")
    notice: Text | None = Field(default=None, description="What has to stand wherever its content is shown")
    source: Text
    baselines: dict[Id, Text] = Field(default_factory=dict)
    references: dict[FrameworkId, ReferenceRow] = Field(default_factory=dict)
    withdrawn: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Numbers that are no requirement any more, and where they went"
    )
    families: dict[str, FamilyRow]


class OwnerRow(Row):
    """Who answers for our part of some requirements. The first row that matches names them."""

    framework: FrameworkId
    team: str
    because: Text
    person: str | None = Field(default=None, description="Who answers, if not the team's accountable person")
    families: Annotated[tuple[str, ...], Distinct] = ()
    requirements: Annotated[tuple[str, ...], Distinct] = Field(default=(), description="Numbers; * and ? match")


class AttestationRow(Row):
    by: str = Field(description="The id of the person whose word it is")
    given: date
    until: date = Field(description="The last day on which it counts")
    evidence: Text = Field(description="Where what it rests on can be seen")

    @model_validator(mode="after")
    def _some_time(self) -> AttestationRow:
        if self.until < self.given:
            raise ValueError(f"it ends on {self.until.isoformat()}, before it begins")
        return self


class SignedDutyRow(DutyRow):
    attestation: AttestationRow | None = None
    record: Text | None = Field(default=None, description="Where the record of the process is kept")

    @model_validator(mode="after")
    def _as_verified(self) -> SignedDutyRow:
        if self.attestation and self.verified is not Verification.ATTESTATION:
            raise ValueError("an attestation needs `verified: attestation`")
        if bool(self.record) != (self.verified is Verification.PROCESS_RECORD):
            raise ValueError("`verified: process-record` and `record`, where it is kept, belong together")
        return self


class SignedRow(Row):
    """A row of the customer's signed matrix, which wins over what the framework says."""

    framework: FrameworkId
    requirement: str
    tiers: Annotated[tuple[Tier, ...], Distinct, Field(min_length=1)] = tuple(Tier)
    party: Party | None = Field(default=None, description="Whose it is; as by default if nothing is said")
    provider: SignedDutyRow | None = None
    customer: SignedDutyRow | None = None
    team: str | None = Field(default=None, description="Who answers, if not whom `owners` names")
    person: str | None = None
    reference: Text = Field(description="The document that was signed, and where in it")
    approver: str = Field(description="The id of the person who approved")
    approved: date

    @model_validator(mode="after")
    def _owned(self) -> SignedRow:
        if self.person and not self.team:
            raise ValueError("a person needs the team that they answer for")
        return self


class SignedFile(Row):
    """matrices/signed.yaml"""

    owners: tuple[OwnerRow, ...] = Field(default=(), description="Who answers, read from the top")
    signed: tuple[SignedRow, ...] = Field(default=(), description="What was signed otherwise than the defaults say")

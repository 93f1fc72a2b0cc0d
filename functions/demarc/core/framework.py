"""What a framework asks, whose it is, and what shows that it is done.

A requirement has an obligation per tier: AWS's, ours or shared. Each party's part is a duty, and a duty is shown to be
done by something of that party's: AWS's by a report of AWS's, ours by controls on our resources, by the word of a
person of ours, or by a record that we keep. A certificate of AWS's never shows that our part is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from demarc.core.model import Control, Party, Tier


class Basis(StrEnum):
    """What it rests on that an obligation is whose it is said to be; `signed` is the customer's own matrix."""

    CONTRACT = "contract"
    PUBLISHED = "published"
    INFERRED = "inferred"
    SIGNED = "signed"


class Verification(StrEnum):
    """How a duty is shown to be done."""

    CONTROLS = "controls"
    ATTESTATION = "attestation"
    PROVIDER_REPORT = "provider-report"
    HEALTH = "health"
    PROCESS_RECORD = "process-record"
    UNVERIFIED = "unverified"


class Proof(StrEnum):
    """What shows today that a requirement is met. An attestation is stale too where nobody has given one yet."""

    CONTROLS = "controls"
    ATTESTATION = "attestation"
    STALE_ATTESTATION = "stale-attestation"
    PROCESS_RECORD = "process-record"
    PROVIDER_REPORT = "provider-report"
    HEALTH = "health"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's word that a duty is done: the id of who gave it, when, until when it counts, and what it rests on."""

    by: str
    given: date
    until: date
    evidence: str


# Where AWS publishes what it says of itself: it shows nothing of ours, whatever it is called.
_REPORTS = ("arn:aws:artifact:", "https://console.aws.amazon.com/artifact")


def is_providers_report(uri: str) -> bool:
    """Whether evidence is a report of AWS's."""
    return uri.startswith(_REPORTS)


# After how long an attestation is given again where nobody says otherwise.
EVERY_YEAR = 365


@dataclass(frozen=True, slots=True)
class Duty:
    """One party's part of a requirement. `record` is where the record of a process is kept.

    `every` is how many days an attestation may count at most.
    """

    text: str
    verified: Verification
    attestation: Attestation | None = None
    record: str | None = None
    every: int = EVERY_YEAR


@dataclass(frozen=True, slots=True)
class Signature:
    """A row of the customer's signed matrix: who approved it, when, in which document, and whose it was by default."""

    approver: str
    approved: date
    reference: str
    was: Party


@dataclass(frozen=True, slots=True)
class Obligation:
    """Whose a requirement is for one tier. AWS's alone has no customer's duty and no owner; ours alone no provider's.

    `person` is the id of who answers; `references` say what `basis` rests on.
    """

    tier: Tier
    party: Party
    provider: Duty | None
    customer: Duty | None
    basis: Basis
    references: tuple[str, ...] = ()
    team: str | None = None
    person: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One numbered item of a framework. Without a title where its text is under licence."""

    id: str
    family: str
    obligations: Mapping[Tier, Obligation]
    title: str | None = None
    baselines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """`families` and `baselines` are titles by id; `notice` is what has to stand wherever its content is shown."""

    id: str
    name: str
    version: str
    families: Mapping[str, str]
    baselines: Mapping[str, str]
    requirements: Mapping[str, Requirement]
    notice: str | None = None

    def within(self, baseline: str | None) -> tuple[Requirement, ...]:
        """The requirements of a baseline; all of them without one."""
        return tuple(each for each in self.requirements.values() if baseline is None or baseline in each.baselines)


@dataclass(frozen=True, slots=True)
class Attested:
    """A requirement that rests on somebody's word: who answers for it, how long a word may count, and the one signed.

    `team` is None where nobody answers; `person` is the id of who does.
    """

    framework: str
    requirement: str
    team: str | None
    person: str | None
    every: int
    signed: Attestation | None

    @property
    def id(self) -> str:
        """What it is called among the requirements of all frameworks: `nist-800-53-r5/AT-2`."""
        return f"{self.framework}/{self.requirement}"


def attested(frameworks: Iterable[Framework]) -> Iterator[Attested]:
    """The requirements that rest on somebody's word for some tier; by the shortest time, where tiers differ."""
    for framework in frameworks:
        for requirement in framework.requirements.values():
            rest = [each for each in requirement.obligations.values() if _rests_on_a_word(each)]
            if not rest:
                continue
            duties = [each.customer for each in rest if each.customer]
            words = [duty.attestation for duty in duties]
            signed = None if None in words else min((word for word in words if word), key=lambda word: word.until)
            yield Attested(
                framework.id,
                requirement.id,
                team=rest[0].team,
                person=rest[0].person,
                every=min(duty.every for duty in duties),
                signed=signed,
            )


def _rests_on_a_word(obligation: Obligation) -> bool:
    return obligation.customer is not None and obligation.customer.verified is Verification.ATTESTATION


@dataclass(frozen=True, slots=True)
class Judged:
    """A requirement as it stands for one tier: whose, the controls that name it, and what shows that it is met."""

    requirement: Requirement
    obligation: Obligation
    controls: tuple[str, ...]
    proof: Proof


@dataclass(frozen=True, slots=True)
class Tally:
    """How many requirements there are, whose they are, and what shows that they are met.

    Assigned and unassigned are those of which a part is ours: `shared` and `customer` together.
    """

    requirements: int
    parties: Mapping[Party, int]
    assigned: int
    unassigned: int
    signed: int
    proofs: Mapping[Proof, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A framework, or one of its baselines, counted for a tier; `teams` has what nobody is assigned under None."""

    framework: Framework
    baseline: str | None
    tier: Tier
    judged: tuple[Judged, ...]
    overall: Tally
    families: Mapping[str, Tally]
    teams: Mapping[str | None, Tally]

    @property
    def signed(self) -> Iterator[tuple[Judged, Signature]]:
        """What the customer's signed matrix says otherwise, and who signed it."""
        for each in self.judged:
            if each.obligation.signature:
                yield each, each.obligation.signature


def coverage(
    framework: Framework,
    *,
    tier: Tier,
    baseline: str | None,
    serving: Mapping[str, tuple[str, ...]],
    today: date,
    recorded: Mapping[str, Attestation] | None = None,
) -> Coverage:
    """Count a framework.

    By requirement, `serving` has the controls that name it, and `recorded` the word that somebody gave beside the
    signed matrix.
    """
    words = recorded or {}
    judged = tuple(
        _judged(each, each.obligations[tier], serving.get(each.id, ()), words.get(each.id), today)
        for each in framework.within(baseline)
    )
    ours = [each for each in judged if each.obligation.party is not Party.PROVIDER]
    families = dict.fromkeys(each.requirement.family for each in judged)
    teams = sorted({each.obligation.team for each in ours}, key=lambda team: (team is None, team or ""))
    return Coverage(
        framework=framework,
        baseline=baseline,
        tier=tier,
        judged=judged,
        overall=_tally(judged),
        families={
            family: _tally([each for each in judged if each.requirement.family == family]) for family in families
        },
        teams={team: _tally([each for each in ours if each.obligation.team == team]) for team in teams},
    )


def serving(controls: Iterable[Control], framework: str) -> dict[str, tuple[str, ...]]:
    """By requirement of a framework, the ids of the controls that name it."""
    named: dict[str, set[str]] = {}
    for control in controls:
        for requirement in control.references.get(framework, ()):
            named.setdefault(requirement, set()).add(control.id)
    return {requirement: tuple(sorted(ids)) for requirement, ids in named.items()}


def proof_of(
    obligation: Obligation, controls: Sequence[str], today: date, recorded: Attestation | None = None
) -> Proof:
    """What shows that a requirement is met. Where a part is ours, what shows that ours is: AWS's is not enough.

    Controls speak for a duty of which nothing else was said. Of two words the one that counts for longer does.
    """
    duty = obligation.provider if obligation.party is Party.PROVIDER else obligation.customer
    if duty is None:
        return Proof.UNVERIFIED
    if duty.verified is Verification.ATTESTATION:
        fresh = any(word.until >= today for word in (duty.attestation, recorded) if word)
        return Proof.ATTESTATION if fresh else Proof.STALE_ATTESTATION
    if duty.verified in (Verification.CONTROLS, Verification.UNVERIFIED):
        looked_at = controls and obligation.party is not Party.PROVIDER
        return Proof.CONTROLS if looked_at else Proof.UNVERIFIED
    return Proof(duty.verified.value)


def _judged(
    requirement: Requirement,
    obligation: Obligation,
    controls: tuple[str, ...],
    recorded: Attestation | None,
    today: date,
) -> Judged:
    return Judged(requirement, obligation, controls, proof_of(obligation, controls, today, recorded))


def _tally(judged: Sequence[Judged]) -> Tally:
    parties = Counter(each.obligation.party for each in judged)
    proofs = Counter(each.proof for each in judged)
    ours = [each.obligation for each in judged if each.obligation.party is not Party.PROVIDER]
    assigned = sum(1 for each in ours if each.team)
    return Tally(
        requirements=len(judged),
        parties={party: parties[party] for party in Party},
        assigned=assigned,
        unassigned=len(ours) - assigned,
        signed=sum(1 for each in judged if each.obligation.signature),
        proofs={proof: proofs[proof] for proof in Proof},
    )

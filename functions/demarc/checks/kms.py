"""Who may use a key, and whether it goes on protecting what it protects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from demarc.checks import needs, sharing, spoken
from demarc.core import policy as iam
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_POLICY = "KeyPolicy"
_GRANTS = "Observed.ForeignGrants"

# AWS KMS Developer Guide, "Key states of AWS KMS keys": a primary key with replicas waits for them to be deleted first.
_ENDING = ("PendingDeletion", "PendingReplicaDeletion")


@needs(_POLICY)
def nobody_outside_can_use(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that lets anybody with an AWS account do anything with a key (AC-3; Security Hub KMS.5)."""
    yield from sharing.with_the_public(snapshot, _POLICY)


@needs(_POLICY)
def policy_shares_with_nobody_outside(
    snapshot: Snapshot, *, trusted: Sequence[str], organization: str
) -> Iterator[Drift]:
    """Each statement that lets an account outside the organization do anything with a key (NIST SP 800-53 CA-9, AC-6).

    Args:
        snapshot: a key.
        trusted: the organization's accounts.
        organization: the organization's id.
    """
    yield from sharing.with_strangers(snapshot, _POLICY, trusted=trusted, organization=organization)


@needs(_GRANTS)
def grants_give_nobody_outside(snapshot: Snapshot, *, trusted: Sequence[str]) -> Iterator[Drift]:
    """Each grant to a principal outside the organization (AWS KMS Developer Guide, "Grants in AWS KMS"; AC-6).

    Args:
        snapshot: a key.
        trusted: the organization's accounts.
    """
    for index, grant in enumerate(snapshot[_GRANTS] or ()):
        principal = grant["GranteePrincipal"]
        if principal.split(":", 5)[4] not in trusted:
            yield Drift(
                path=f"{_GRANTS}[{index}]",
                required="grants to principals of the organization only",
                actual=principal,
                because=f"grant {grant['GrantId']} allows {', '.join(grant['Operations'])}",
            )


# Audiences that somebody of the key's own account is among, while no other account is counted as ours.
_WITH_US = (
    iam.Audience.OWN_ACCOUNT,
    iam.Audience.ORGANIZATION,
    iam.Audience.CONFINED,
    iam.Audience.PUBLIC,
)


@needs(_POLICY)
def account_keeps_control(snapshot: Snapshot) -> Iterator[Drift]:
    """That somebody of the key's own account may still change its policy (NIST SP 800-53 SC-12, CP-9).

    No other account can (AWS KMS API Reference, PutKeyPolicy), and what the policy does not allow, IAM cannot give.
    The unique id that is left of a deleted user or role is nobody.
    """
    action = "kms:PutKeyPolicy"
    if not any(each.audience in _WITH_US for each in sharing.exposures(snapshot, _POLICY, actions=(action,))):
        yield Drift(
            _POLICY, f"{action} for a principal of the account", "nobody", "only AWS Support can recover the key"
        )


# What tells a service for whom it calls (IAM User Guide, "The confused deputy problem").
_SOURCES = (
    *("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"),
    "kms:calleraccount",
)
_CONTEXT = "kms:encryptioncontext:"


@needs(_POLICY)
def services_act_for_a_named_source(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each statement by which a service may use a key for whoever asks the service to (IAM User Guide; AC-4, AC-6).

    Args:
        snapshot: a key.
        actions: what a service should do on behalf of a named account, organization or resource only.
    """
    policy = iam.of(snapshot, _POLICY)
    if policy is None or any(_refuses_other_sources(statement, actions) for statement in policy.statements):
        return
    for exposure in sharing.exposures(snapshot, _POLICY, actions=actions):
        named = {key.lower() for key in exposure.narrowed_by}.intersection(_SOURCES)
        if exposure.audience is iam.Audience.SERVICE and not named and not _fixes_a_context(exposure.statement):
            yield Drift(
                path=sharing.place(_POLICY, exposure.statement),
                required="a condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID",
                actual=sharing.said(exposure),
                because=f"{', '.join(exposure.who)} may be asked by any account to do it",
            )


def _refuses_other_sources(statement: iam.Statement, actions: Sequence[str]) -> bool:
    """Whether a statement denies everybody, services among them, what is not asked for by a named source."""
    return (
        not statement.allows
        and any(principal.value == "*" for principal in statement.principals)
        and all(iam.covers(statement, action) for action in actions)
        and any(each.key.lower() in _SOURCES and "not" in each.operator.lower() for each in statement.conditions)
    )


def _fixes_a_context(statement: iam.Statement) -> bool:
    """Whether an encryption context, which a service fills with what it works on, is tied to an account or a name."""
    contexts = {each.key for each in statement.conditions if each.key.lower().startswith(_CONTEXT)}
    values = [value for key in contexts for value in statement.values_of(key)]
    return bool(values) and all(iam.Principal("aws", value).account or not iam.has_wildcard(value) for value in values)


@needs("Observed.KeyState", "Observed.DeletionDate")
def is_kept(snapshot: Snapshot) -> Iterator[Drift]:
    """That nobody has scheduled the deletion of a key (NIST SP 800-53 SC-12; Security Hub KMS.3)."""
    state, date = snapshot["Observed.KeyState"], snapshot["Observed.DeletionDate"]
    if state in _ENDING:
        when = f"from {spoken(date)} on" if date else "once its replicas are deleted"
        yield Drift("Observed.KeyState", {"none_of": list(_ENDING)}, state, f"what it encrypts is lost {when}")


@needs("EnableKeyRotation", "RotationPeriodInDays")
def rotates(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That KMS renews the key's material by itself, often enough (NIST SP 800-53 SC-12; CIS AWS 3.6).

    Args:
        snapshot: a key that can: symmetric, with material made by KMS.
        days: the longest time between two rotations.
    """
    if snapshot["EnableKeyRotation"] is not True:
        yield Drift("EnableKeyRotation", True, snapshot["EnableKeyRotation"])
        return
    # Before the period could be chosen it was a year, and so it is where none is told.
    period = snapshot["RotationPeriodInDays"]
    if period is not None and period > days:
        yield Drift("RotationPeriodInDays", {"at_most": days}, period)


@needs("Observed.KeyState", "Observed.ValidTo")
def imported_material_lasts(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That imported material is there and does not expire soon (AWS KMS Developer Guide, "Importing key material").

    Args:
        snapshot: a key with material of our own.
        days: how long before it expires somebody should have imported it again.
    """
    if snapshot["Observed.KeyState"] == "PendingImport":
        yield Drift(
            "Observed.KeyState", "Enabled", "PendingImport", "the key has no material: nothing can be decrypted"
        )
        return
    until = snapshot["Observed.ValidTo"]
    if until is not None and datetime.fromisoformat(until) - snapshot.observed_at < timedelta(days=days):
        yield Drift("Observed.ValidTo", f"at least {days} days from now", until)

"""What permission sets of IAM Identity Center give, for how long at a time, and who is an administrator by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from demarc.checks import NotApplicable, granting, needs
from demarc.core import privilege
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot, Unread

_INLINE = "InlinePolicy"
_ATTACHED = "ManagedPolicies"
_SESSION = "SessionDuration"
_ADMINISTRATORS = "Observed.Administrators"
_UNASKED = "Observed.UnaskedAccounts"

_SHOWN = 5


@needs(_INLINE)
def inline_policy_grants_no_administration(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement of the inline policy that allows everything everywhere (NIST SP 800-53 AC-6; CIS AWS 1.15)."""
    because = "it allows every action on every resource, under a name that does not say so"
    yield from granting.administration(granting.document_at(snapshot, _INLINE), because)


@needs(_ATTACHED)
def attaches_none_of(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies of AWS's that no permission set is to have (NIST SP 800-53 AC-6).

    Args:
        snapshot: a permission set.
        policies: their names.
    """
    yield from granting.attached_of_aws(snapshot, _ATTACHED, policies)


@needs(_INLINE, _ATTACHED)
def cannot_become_administrator(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies by which whoever is assigned gains the permissions of others (AC-6(10); ATT&CK T1098.003).

    Args:
        snapshot: a permission set.
        policies: names of AWS's policies that open a path.

    Raises:
        NotApplicable: if it gives everything already, which is another control's to say.
    """
    written = granting.document_at(snapshot, _INLINE)
    if any(granting.attached_of_aws(snapshot, _ATTACHED, (privilege.ADMINISTRATOR,))):
        raise NotApplicable("it makes administrators already")
    for drift in granting.attached_of_aws(snapshot, _ATTACHED, policies):
        yield replace(drift, because="whoever has it can give themselves every permission")
    yield from granting.escalation(written)


@needs(_INLINE)
def inline_policy_decrypts_with_named_keys(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each statement of the inline policy that allows one of the actions on all keys (NIST SP 800-53 AC-6).

    Args:
        snapshot: a permission set.
        actions: what may be allowed on named keys only.
    """
    yield from granting.on_all_keys(granting.document_at(snapshot, _INLINE), actions)


@needs(_SESSION)
def sessions_end(snapshot: Snapshot, *, hours: int) -> Iterator[Drift]:
    """That a session lasts some hours at most (NIST SP 800-53 AC-12, IA-11).

    IAM Identity Center User Guide, "Set session duration for AWS accounts": from one hour, the default, to twelve.

    Args:
        snapshot: a permission set.
        hours: the longest time.
    """
    if _session(snapshot) > timedelta(hours=hours):
        yield Drift(_SESSION, f"at most {hours} h", snapshot[_SESSION])


@needs(_SESSION, _INLINE, _ATTACHED)
def sessions_of_administrators_end(snapshot: Snapshot, *, hours: int) -> Iterator[Drift]:
    """The same of permission sets that allow everything everywhere (NIST SP 800-53 AC-6(5), AC-12).

    Args:
        snapshot: a permission set.
        hours: the longest time.

    Raises:
        NotApplicable: if it makes no administrators.
    """
    session = _session(snapshot)
    _refuse_unless_it_makes_administrators(snapshot)
    if session > timedelta(hours=hours):
        yield Drift(_SESSION, f"at most {hours} h", snapshot[_SESSION])


@needs(_ADMINISTRATORS, _UNASKED, _INLINE, _ATTACHED)
def administrators_are_groups(snapshot: Snapshot) -> Iterator[Drift]:
    """Each single user who is assigned to be an administrator (NIST SP 800-53 AC-2, AC-6(5)).

    Args:
        snapshot: a permission set.

    Raises:
        NotApplicable: if it makes no administrators.
        Unread: if no user is known to be assigned, and not all accounts were asked.
    """
    _refuse_unless_it_makes_administrators(snapshot)
    users = [each for each in snapshot[_ADMINISTRATORS] or () if each["PrincipalType"] == "USER"]
    if not users and (unasked := snapshot[_UNASKED]):
        raise Unread(_ADMINISTRATORS, f"it is assigned in {unasked} accounts more than are asked")
    for each in users:
        where = each["Accounts"]
        more = f" and {len(where) - _SHOWN} more" if len(where) > _SHOWN else ""
        actual = f"a user, in {', '.join(where[:_SHOWN])}{more}"
        yield Drift(f"{_ADMINISTRATORS}[{each['PrincipalId']}]", "a group", actual)


def _refuse_unless_it_makes_administrators(snapshot: Snapshot) -> None:
    inline = granting.document_at(snapshot, _INLINE)
    attached = granting.attached_of_aws(snapshot, _ATTACHED, (privilege.ADMINISTRATOR,))
    if not any(attached) and not any(privilege.full_administration(inline.policy)):
        raise NotApplicable("it makes no administrators")


# A duration of ISO 8601, in the parts that Identity Center writes.
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d+)?S)?)?")


def _session(snapshot: Snapshot) -> timedelta:
    said = snapshot[_SESSION] or "PT1H"
    found = _DURATION.fullmatch(said)
    if not found:
        raise Unread(_SESSION, f"{said} is no duration that we know")
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

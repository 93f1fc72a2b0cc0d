"""Who may become a role, what users, roles and policies allow, and whether credentials are kept as they should be.

What AWS owns is not judged: nobody but AWS can change a service-linked role or a policy of AWS's, and nobody but IAM
Identity Center a role that it made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from demarc.checks import NotApplicable, needs, sharing
from demarc.core import policy as iam
from demarc.core import privilege, trust
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot, Unread

_TRUST = "AssumeRolePolicyDocument"
_INLINE = "Policies"
_ATTACHED = "ManagedPolicyArns"
_DOCUMENT = "PolicyDocument"
_KEYS = "Observed.AccessKeys"
_PROFILE = "Observed.LoginProfile"
_LAST_SIGN_IN = "Observed.PasswordLastUsedAt"

# IAM User Guide, "Service-linked roles"; IAM Identity Center User Guide, "Referencing permission sets in resource
# policies": under these paths AWS keeps roles of its own in our account.
_OF_AWS = {
    "/aws-service-role/": "the role is linked to a service, and only that service can change it",
    "/aws-reserved/": "AWS keeps the role, as IAM Identity Center does from its permission sets",
}
_ADMINISTRATOR = "AdministratorAccess"
_SHOWN = 5


# --- who may become a role -------------------------------------------------------------------------------------------


@needs("Path", _TRUST)
def nobody_public_may_assume(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement by which everybody with an AWS account may become the role (NIST SP 800-53 AC-3, AC-6)."""
    for exposure in trust.trusting_everybody(_trust_of(snapshot), account=snapshot.resource.account):
        signed = "sts:AssumeRole" in exposure.actions
        everybody = sharing.ANY_ACCOUNT if signed else "everybody whom an identity provider signs for"
        yield Drift(
            path=sharing.place(_TRUST, exposure.statement),
            required="principals by name",
            actual=sharing.said(exposure),
            because=f"{everybody} may become the role",
        )


@needs("Path", _TRUST)
def strangers_need_an_external_id(snapshot: Snapshot, *, trusted: Sequence[str], organization: str) -> Iterator[Drift]:
    """Each statement that trusts an outside account without an external id (IAM User Guide, "The confused deputy").

    Args:
        snapshot: a role.
        trusted: the organization's accounts.
        organization: the organization's id.
    """
    policy, account = _trust_of(snapshot), snapshot.resource.account
    for exposure in trust.trusting_strangers(policy, account=account, trusted=trusted, organization=organization):
        yield Drift(
            path=sharing.place(_TRUST, exposure.statement),
            required="accounts of the organization, or a fixed sts:ExternalId",
            actual=", ".join(exposure.who),
            because="whoever talks that account into it becomes the role: nothing says on whose behalf it acts",
        )


@needs("Path", _TRUST)
def web_identities_are_of_one_tenant(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that trusts an OpenID Connect provider whomever its token is for (NIST SP 800-53 IA-8, AC-3)."""
    for loose in trust.loose_web_identities(_trust_of(snapshot)):
        yield _loose(loose, "a condition on the token's subject that only our tenant meets")


@needs("Path", _TRUST)
def saml_assertions_are_for_aws(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that takes a SAML assertion for any audience (IAM User Guide, "Create a role for SAML")."""
    for loose in trust.loose_saml(_trust_of(snapshot)):
        yield _loose(loose, "a condition on SAML:aud")


def _loose(loose: trust.LooseTrust, required: str) -> Drift:
    return Drift(
        path=sharing.place(_TRUST, loose.statement),
        required=required,
        actual=f"{loose.provider} with {', '.join(loose.said) or 'no condition'}",
        because="whoever the provider signs for may become the role",
    )


def _trust_of(snapshot: Snapshot) -> iam.Policy:
    _refuse_what_is_of_aws(snapshot)
    return iam.of(snapshot, _TRUST) or iam.Policy(())


def _refuse_what_is_of_aws(snapshot: Snapshot) -> None:
    path = snapshot["Path"] or "/"
    for start, why in _OF_AWS.items():
        if path.startswith(start):
            raise NotApplicable(why)


# --- what users and roles may do -------------------------------------------------------------------------------------


@needs("Path", _INLINE, _ATTACHED, "PermissionsBoundary")
def is_no_administrator(snapshot: Snapshot) -> Iterator[Drift]:
    """AWS's AdministratorAccess, and each inline statement that allows as much (NIST SP 800-53 AC-6, CIS AWS 1.15).

    A permissions boundary may take some of it away; it is named, and does not excuse.
    """
    _refuse_what_is_of_aws(snapshot)
    boundary = snapshot["PermissionsBoundary"]
    because = "it allows every action on every resource"
    because += f"; the boundary {boundary} may take some of it away" if boundary else ""
    for drift in _attached_of_aws(snapshot, (_ADMINISTRATOR,)):
        yield replace(drift, because=because)
    yield from _administration(_inline_of(snapshot), because)


@needs("Path", _INLINE, _ATTACHED)
def cannot_become_administrator(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies by which a user or role gains the permissions of others (NIST SP 800-53 AC-6(10); ATT&CK T1098.003).

    Inline policies are judged together, as IAM does. What is attached adds to it and is judged as a resource of its
    own, or by its name.

    Args:
        snapshot: a user or role.
        policies: names of AWS's policies that open a path.

    Raises:
        NotApplicable: if it is an administrator already, which is another control's to say.
    """
    _refuse_what_is_of_aws(snapshot)
    written = _inline_of(snapshot)
    if any(_attached_of_aws(snapshot, (_ADMINISTRATOR,))):
        raise NotApplicable("it is an administrator already")
    for drift in _attached_of_aws(snapshot, policies):
        yield replace(drift, because="whoever has it can give themselves every permission")
    yield from _escalation(written)


@needs("Path", _ATTACHED)
def attaches_none_of(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies of AWS's that nobody is to have (NIST SP 800-53 AC-6).

    Args:
        snapshot: a user or role.
        policies: their names.
    """
    _refuse_what_is_of_aws(snapshot)
    yield from _attached_of_aws(snapshot, policies)


@needs("Path", _INLINE)
def inline_policies_decrypt_with_named_keys(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each inline statement that allows one of the actions on all keys (NIST SP 800-53 AC-6; Security Hub KMS.2).

    Args:
        snapshot: a user or role.
        actions: what may be allowed on named keys only.
    """
    _refuse_what_is_of_aws(snapshot)
    yield from _on_all_keys(_inline_of(snapshot), actions)


@needs(_INLINE, _ATTACHED)
def has_no_policies_of_its_own(snapshot: Snapshot) -> Iterator[Drift]:
    """Policies on a user instead of a group or role (NIST SP 800-53 AC-2, AC-6; CIS AWS 1.14)."""
    found = {_ATTACHED: snapshot[_ATTACHED], _INLINE: [each["PolicyName"] for each in snapshot[_INLINE] or ()]}
    for path, policies in found.items():
        if policies:
            yield Drift(path, "policies on groups and roles only", policies)


def _attached_of_aws(snapshot: Snapshot, names: Iterable[str]) -> Iterator[Drift]:
    """Policies of AWS's with one of the names, in whatever partition and path."""
    for arn in snapshot[_ATTACHED] or ():
        account, _, path = arn.partition(":iam::")[2].partition(":")
        if account == "aws" and path.rpartition("/")[2] in names:
            yield Drift(_ATTACHED, f"not {path.rpartition('/')[2]}", arn)


# --- what policies of ours allow -------------------------------------------------------------------------------------


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def grants_no_administration(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that allows everything everywhere (NIST SP 800-53 AC-6; Security Hub IAM.1)."""
    yield from _administration(_document_of(snapshot), "it allows every action on every resource")


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def grants_no_whole_service(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that allows all of a service everywhere (NIST SP 800-53 AC-6(10); Security Hub IAM.21)."""
    written = _document_of(snapshot)
    for statement, patterns in privilege.whole_services(written.policy):
        yield Drift(
            path=written.place(statement),
            required="the actions that are needed",
            actual=_said(statement),
            because=f"it allows {', '.join(patterns)} on every resource",
        )


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def decrypts_with_named_keys(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each statement that allows one of the actions on all keys (NIST SP 800-53 AC-6; Security Hub KMS.1).

    Args:
        snapshot: a managed policy.
        actions: what may be allowed on named keys only.
    """
    yield from _on_all_keys(_document_of(snapshot), actions)


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def opens_no_path_to_administration(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement by which its holder gains the permissions of others (AC-6(10); ATT&CK T1098.003).

    Raises:
        NotApplicable: if everything is allowed, which is another control's to say.
    """
    yield from _escalation(_document_of(snapshot))


# --- what is written -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Written:
    """Policies that hold together, and where in the snapshot each statement of them stands, by its index."""

    policy: iam.Policy
    places: tuple[str, ...]

    def place(self, statement: iam.Statement) -> str:
        return self.places[statement.index]


def _inline_of(snapshot: Snapshot) -> _Written:
    """A user's or role's inline policies as one: they add up, and a Deny in one holds for all."""
    statements: list[iam.Statement] = []
    places: list[str] = []
    for each in snapshot[_INLINE] or ():
        # By name, since the order of the others changes with whatever is added.
        path = f"{_INLINE}[{each['PolicyName']}].{_DOCUMENT}"
        for statement in _parsed(each[_DOCUMENT], _INLINE).statements:
            places.append(sharing.place(path, statement))
            statements.append(replace(statement, index=len(statements)))
    return _Written(iam.Policy(tuple(statements)), tuple(places))


def _parsed(document: Any, prop: str) -> iam.Policy:
    try:
        return iam.parse(document)
    except iam.PolicyUnreadable as why:
        raise Unread(prop, str(why)) from why


def _document_of(snapshot: Snapshot) -> _Written:
    """A managed policy's document.

    Raises:
        NotApplicable: for a policy of AWS's, and for one that is a permissions boundary only: that grants nothing.
    """
    if ":iam::aws:policy/" in snapshot.resource.identifier:
        raise NotApplicable("the policy is AWS's, and only AWS can change it")
    if snapshot["PermissionsBoundaryUsageCount"] and not snapshot["AttachmentCount"]:
        raise NotApplicable("the policy is used as a permissions boundary only, which limits and grants nothing")
    policy = iam.of(snapshot, _DOCUMENT) or iam.Policy(())
    return _Written(policy, tuple(sharing.place(_DOCUMENT, statement) for statement in policy.statements))


def _administration(written: _Written, because: str) -> Iterator[Drift]:
    for statement in privilege.full_administration(written.policy):
        yield Drift(written.place(statement), "the actions and resources that are needed", _said(statement), because)


def _refuse_administration(written: _Written) -> None:
    if any(privilege.full_administration(written.policy)):
        raise NotApplicable("it allows everything already")


def _on_all_keys(written: _Written, actions: Sequence[str]) -> Iterator[Drift]:
    granted: dict[int, list[str]] = {}
    for action in actions:
        for statement in privilege.granted_everywhere(written.policy, action):
            granted.setdefault(statement.index, []).append(action)
    for index, allowed in sorted(granted.items()):
        yield Drift(
            path=written.places[index],
            required="keys by their ARN",
            actual=_said(written.policy.statements[index]),
            because=f"it allows {', '.join(allowed)} on every key whose own policy leaves it to IAM",
        )


def _escalation(written: _Written) -> Iterator[Drift]:
    _refuse_administration(written)
    opened: dict[int, list[str]] = {}
    for escalation in privilege.escalations(written.policy):
        opened.setdefault(escalation.statement.index, []).append(str(escalation.path))
    for index, paths in sorted(opened.items()):
        more = f" and {len(paths) - _SHOWN} more ways" if len(paths) > _SHOWN else ""
        yield Drift(
            path=written.places[index],
            required="named resources, or none of these actions",
            actual=_said(written.policy.statements[index]),
            because=f"its holder takes the permissions of others by {', '.join(paths[:_SHOWN])}{more}",
        )


def _said(statement: iam.Statement) -> Mapping[str, Any]:
    """A statement of an identity's policy, without its conditions."""
    said = {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": list(statement.actions),
        "NotAction": list(statement.not_actions),
        "Resource": list(statement.resources),
        "NotResource": list(statement.not_resources),
    }
    return {name: value for name, value in said.items() if value}


# --- credentials -----------------------------------------------------------------------------------------------------


@needs(_KEYS)
def keys_are_renewed(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """Each active access key that is older than some days (NIST SP 800-53 IA-5(1), AC-2(3); CIS AWS 1.13)."""
    yield from _keys(
        snapshot,
        lambda key: _is_past(snapshot, (key["CreatedAt"],), days),
        required=f"active for at most {days} days",
        actual=lambda key: f"active since {key['CreatedAt']}",
    )


@needs(_KEYS)
def keys_are_used(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """Each active access key that nobody used for some days (NIST SP 800-53 AC-2(3); CIS AWS 1.11).

    One that was never used is given as many days from when it was made.
    """
    yield from _keys(
        snapshot,
        lambda key: _is_past(snapshot, (key["CreatedAt"], key.get("LastUsedAt")), days),
        required=f"used within {days} days, or inactive",
        actual=lambda key: f"last used at {key['LastUsedAt']}" if "LastUsedAt" in key else "never used",
    )


@needs(_KEYS)
def has_one_active_key(snapshot: Snapshot) -> Iterator[Drift]:
    """More than one active access key (NIST SP 800-53 AC-2, IA-5; CIS AWS 1.12)."""
    active = [key["AccessKeyId"] for key in _active(snapshot)]
    if len(active) > 1:
        yield Drift(_KEYS, "at most one active key", active)


@needs(_PROFILE, _LAST_SIGN_IN)
def password_is_used(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """A password for the console that nobody used for some days (NIST SP 800-53 AC-2(3); CIS AWS 1.11).

    One that was never used is given as many days from when it was made.
    """
    password, last_sign_in = snapshot[_PROFILE], snapshot[_LAST_SIGN_IN]
    if password and _is_past(snapshot, (password["CreatedAt"], last_sign_in), days):
        actual = f"last used at {last_sign_in}" if last_sign_in else "never used"
        yield Drift(_PROFILE, f"used within {days} days, or removed", actual)


def _keys(
    snapshot: Snapshot,
    is_wrong: Callable[[Mapping[str, str]], bool],
    *,
    required: str,
    actual: Callable[[Mapping[str, str]], str],
) -> Iterator[Drift]:
    for key in _active(snapshot):
        if is_wrong(key):
            yield Drift(f"{_KEYS}[{key['AccessKeyId']}]", required, actual(key))


def _active(snapshot: Snapshot) -> list[Mapping[str, str]]:
    return [key for key in snapshot[_KEYS] or () if key["Status"] == "Active"]


def _is_past(snapshot: Snapshot, times: Iterable[str | None], days: int) -> bool:
    """Whether the latest of some moments lies more than some days before the snapshot."""
    latest = max(datetime.fromisoformat(time) for time in times if time)
    return snapshot.observed_at - latest > timedelta(days=days)

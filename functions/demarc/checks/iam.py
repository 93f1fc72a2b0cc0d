"""Who may become a role, what identities and policies allow, how credentials are kept, and who signs people in for us.

What AWS owns is not judged: nobody but AWS can change a service-linked role or a policy of AWS's, and nobody but IAM
Identity Center a role that it made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from demarc.checks import NotApplicable, granting, needs, sharing
from demarc.core import policy as iam
from demarc.core import privilege, trust
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_TRUST = "AssumeRolePolicyDocument"
_INLINE = "Policies"
_ATTACHED = "ManagedPolicyArns"
_DOCUMENT = "PolicyDocument"
_KEYS = "Observed.AccessKeys"
_PROFILE = "Observed.LoginProfile"
_LAST_SIGN_IN = "Observed.PasswordLastUsedAt"
_VALID_UNTIL = "Observed.ValidUntil"
_PRIVATE_KEYS = "PrivateKeyList"

# IAM User Guide, "Service-linked roles"; IAM Identity Center User Guide, "Referencing permission sets in resource
# policies": under these paths AWS keeps roles of its own in our account.
_OF_AWS = {
    "/aws-service-role/": "the role is linked to a service, and only that service can change it",
    "/aws-reserved/": "AWS keeps the role, as IAM Identity Center does from its permission sets",
}


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


# --- what users, groups and roles may do -----------------------------------------------------------------------------


@needs("Path", _INLINE, _ATTACHED, "PermissionsBoundary")
def is_no_administrator(snapshot: Snapshot) -> Iterator[Drift]:
    """AWS's AdministratorAccess, and each inline statement that allows as much (NIST SP 800-53 AC-6, CIS AWS 1.15).

    A permissions boundary may take some of it away; it is named, and does not excuse.
    """
    _refuse_what_is_of_aws(snapshot)
    boundary = snapshot["PermissionsBoundary"]
    because = "it allows every action on every resource"
    because += f"; the boundary {boundary} may take some of it away" if boundary else ""
    for drift in _attached_of_aws(snapshot, (privilege.ADMINISTRATOR,)):
        yield replace(drift, because=because)
    yield from granting.administration(_inline_of(snapshot), because)


@needs(_INLINE, _ATTACHED)
def makes_no_administrators(snapshot: Snapshot) -> Iterator[Drift]:
    """The same of a group, which has no boundary: everybody who is put into it has what it has."""
    because = "it allows every action on every resource to all who are in the group"
    for drift in _attached_of_aws(snapshot, (privilege.ADMINISTRATOR,)):
        yield replace(drift, because=because)
    yield from granting.administration(_inline_of(snapshot), because)


@needs("Path", _INLINE, _ATTACHED)
def cannot_become_administrator(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies by which a user, group or role gains the permissions of others (AC-6(10); ATT&CK T1098.003).

    Inline policies are judged together, as IAM does. What is attached adds to it and is judged as a resource of its
    own, or by its name.

    Args:
        snapshot: a user, group or role.
        policies: names of AWS's policies that open a path.

    Raises:
        NotApplicable: if it is an administrator already, which is another control's to say.
    """
    _refuse_what_is_of_aws(snapshot)
    written = _inline_of(snapshot)
    if any(_attached_of_aws(snapshot, (privilege.ADMINISTRATOR,))):
        raise NotApplicable("it is an administrator already")
    for drift in _attached_of_aws(snapshot, policies):
        yield replace(drift, because="whoever has it can give themselves every permission")
    yield from granting.escalation(written)


@needs("Path", _ATTACHED)
def attaches_none_of(snapshot: Snapshot, *, policies: Sequence[str]) -> Iterator[Drift]:
    """Policies of AWS's that nobody is to have (NIST SP 800-53 AC-6).

    Args:
        snapshot: a user, group or role.
        policies: their names.
    """
    _refuse_what_is_of_aws(snapshot)
    yield from _attached_of_aws(snapshot, policies)


@needs("Path", _INLINE)
def inline_policies_decrypt_with_named_keys(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each inline statement that allows one of the actions on all keys (NIST SP 800-53 AC-6; Security Hub KMS.2).

    Args:
        snapshot: a user, group or role.
        actions: what may be allowed on named keys only.
    """
    _refuse_what_is_of_aws(snapshot)
    yield from granting.on_all_keys(_inline_of(snapshot), actions)


@needs(_INLINE, _ATTACHED)
def has_no_policies_of_its_own(snapshot: Snapshot) -> Iterator[Drift]:
    """Policies on a user instead of a group or role (NIST SP 800-53 AC-2, AC-6; CIS AWS 1.14)."""
    found = {_ATTACHED: snapshot[_ATTACHED], _INLINE: [each["PolicyName"] for each in snapshot[_INLINE] or ()]}
    for path, policies in found.items():
        if policies:
            yield Drift(path, "policies on groups and roles only", policies)


# --- what policies of ours allow -------------------------------------------------------------------------------------


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def grants_no_administration(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that allows everything everywhere (NIST SP 800-53 AC-6; Security Hub IAM.1)."""
    yield from granting.administration(_document_of(snapshot), "it allows every action on every resource")


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def grants_no_whole_service(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that allows all of a service everywhere (NIST SP 800-53 AC-6(10); Security Hub IAM.21)."""
    written = _document_of(snapshot)
    for statement, patterns in privilege.whole_services(written.policy):
        yield Drift(
            path=written.place(statement),
            required="the actions that are needed",
            actual=granting.said(statement),
            because=f"it allows {', '.join(patterns)} on every resource",
        )


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def decrypts_with_named_keys(snapshot: Snapshot, *, actions: Sequence[str]) -> Iterator[Drift]:
    """Each statement that allows one of the actions on all keys (NIST SP 800-53 AC-6; Security Hub KMS.1).

    Args:
        snapshot: a managed policy.
        actions: what may be allowed on named keys only.
    """
    yield from granting.on_all_keys(_document_of(snapshot), actions)


@needs(_DOCUMENT, "AttachmentCount", "PermissionsBoundaryUsageCount")
def opens_no_path_to_administration(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement by which its holder gains the permissions of others (AC-6(10); ATT&CK T1098.003).

    Raises:
        NotApplicable: if everything is allowed, which is another control's to say.
    """
    yield from granting.escalation(_document_of(snapshot))


def _inline_of(snapshot: Snapshot) -> granting.Written:
    return granting.inline_at(snapshot, _INLINE)


def _attached_of_aws(snapshot: Snapshot, names: Iterable[str]) -> Iterator[Drift]:
    return granting.attached_of_aws(snapshot, _ATTACHED, names)


def _document_of(snapshot: Snapshot) -> granting.Written:
    """A managed policy's document.

    Raises:
        NotApplicable: for a policy of AWS's, and for one that is a permissions boundary only: that grants nothing.
    """
    if ":iam::aws:policy/" in snapshot.resource.identifier:
        raise NotApplicable("the policy is AWS's, and only AWS can change it")
    if snapshot["PermissionsBoundaryUsageCount"] and not snapshot["AttachmentCount"]:
        raise NotApplicable("the policy is used as a permissions boundary only, which limits and grants nothing")
    return granting.document_at(snapshot, _DOCUMENT)


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
    known = [datetime.fromisoformat(time) for time in times if time]
    return bool(known) and snapshot.observed_at - max(known) > timedelta(days=days)


# --- who signs people and machines in for us -------------------------------------------------------------------------


@needs(_VALID_UNTIL)
def metadata_lasts(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """That a SAML provider's metadata still counts in some days (NIST SP 800-53 IA-5(2), SC-17).

    IAM API Reference, "GetSAMLProvider": it says until when.

    Args:
        snapshot: a SAML provider.
        days: how long before its end it should have been renewed.
    """
    until = snapshot[_VALID_UNTIL]
    if until and datetime.fromisoformat(until) - snapshot.observed_at < timedelta(days=days):
        yield Drift(_VALID_UNTIL, f"at least {days} days from now", until)


@needs(_PRIVATE_KEYS)
def decryption_keys_are_renewed(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """Each key for assertions that IAM has had for more than some days (NIST SP 800-53 SC-12, IA-5).

    Args:
        snapshot: a SAML provider.
        days: the longest time that a key is to be used.
    """
    for key in snapshot[_PRIVATE_KEYS] or ():
        if _is_past(snapshot, (key.get("Timestamp"),), days):
            yield Drift(f"{_PRIVATE_KEYS}[{key.get('KeyId')}]", f"uploaded within {days} days", key["Timestamp"])


@needs("Url")
def issuer_is_known(snapshot: Snapshot, *, issuers: Sequence[str]) -> Iterator[Drift]:
    """That an OpenID Connect provider's issuer is one of those that we know (NIST SP 800-53 IA-8, AC-20).

    Args:
        snapshot: an OpenID Connect provider.
        issuers: issuers without their scheme; a `*` stands for what is between two dots or slashes, since whoever
            makes a provider chooses its name.
    """
    issuer = (snapshot["Url"] or "").removeprefix("https://").rstrip("/")
    if not any(re.fullmatch(re.escape(each).replace(r"\*", "[^./]+"), issuer, re.IGNORECASE) for each in issuers):
        yield Drift(
            "Url", "an issuer that we know", issuer, because="whoever it signs for may become roles that trust it"
        )

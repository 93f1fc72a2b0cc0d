"""Who may become a role: what its trust policy leaves open to strangers.

IAM User Guide, "Access to AWS accounts owned by third parties" (external ids), "Create a role for OpenID Connect
federation" and "Create a role for SAML 2.0 federation".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from demarc.core.policy import Audience, Exposure, Policy, Statement, covers, exposures

_ASSUMES = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


@dataclass(frozen=True, slots=True)
class LooseTrust:
    """A statement that trusts an identity provider without saying whom of it. `said` is what it does say."""

    statement: Statement
    provider: str
    said: tuple[str, ...]


def trusting_everybody(policy: Policy, *, account: str) -> Iterator[Exposure]:
    """Statements by which anybody may become the role, whatever AWS account they have."""
    for exposure in exposures(policy, account=account, actions=_ASSUMES):
        if exposure.audience is Audience.PUBLIC:
            yield exposure


def trusting_strangers(
    policy: Policy, *, account: str, trusted: Iterable[str], organization: str | None
) -> Iterator[Exposure]:
    """Statements by which an account outside the organization may become the role without an external id."""
    for exposure in exposures(
        policy, account=account, trusted=trusted, organization=organization, actions=_ASSUMES[:1]
    ):
        if exposure.audience is Audience.OUTSIDE_ACCOUNT and not _has_external_id(exposure.statement):
            yield exposure


def _has_external_id(statement: Statement) -> bool:
    ids = statement.values_of("sts:ExternalId")
    return bool(ids) and all(each and _fixed_part(each) == each for each in ids)


def loose_web_identities(policy: Policy) -> Iterator[LooseTrust]:
    """Statements that trust an OpenID Connect provider without a claim that singles out one of its tenants."""
    for statement, provider in _federated(policy, "sts:AssumeRoleWithWebIdentity"):
        issuer = provider.rpartition("oidc-provider/")[2]
        said = _said(statement, issuer)
        if not any(_singles_out(issuer, claim, statement.values_of(f"{issuer}:{claim}")) for claim in said):
            yield LooseTrust(statement, issuer, tuple(value for values in said.values() for value in values))


def loose_saml(policy: Policy) -> Iterator[LooseTrust]:
    """Statements that take a SAML assertion whomever it was issued for."""
    for statement, provider in _federated(policy, "sts:AssumeRoleWithSAML"):
        said = statement.values_of("SAML:aud")
        if not said or any(not value.strip("*") for value in said):
            yield LooseTrust(statement, provider, said)


def _federated(policy: Policy, action: str) -> Iterator[tuple[Statement, str]]:
    """Statements that let in those of an identity provider, with the provider: its ARN, or AWS's name for it."""
    for statement in policy.statements:
        if statement.allows and covers(statement, action):
            for principal in statement.principals:
                saml = ":saml-provider/" in principal.value
                if principal.kind == "federated" and saml is (action == "sts:AssumeRoleWithSAML"):
                    yield statement, principal.value


def _said(statement: Statement, issuer: str) -> dict[str, tuple[str, ...]]:
    """What a statement wants an issuer's tokens to say, by claim."""
    prefix = f"{issuer}:".lower()
    return {
        condition.key[len(prefix) :].lower(): condition.values
        for condition in statement.conditions
        if condition.key.lower().startswith(prefix)
    }


# Claims that tell one tenant's tokens from another's. An issuer of many tenants signs for all of them, and whoever asks
# it for a token chooses the audience; only for these is the audience an app of somebody's own.
_BY_APP = {
    "accounts.google.com": ("aud", "azp", "sub"),
    "cognito-identity.amazonaws.com": ("aud",),
    "cognito-identity-us-gov.amazonaws.com": ("aud",),
    "graph.facebook.com": ("app_id",),
    "www.amazon.com": ("app_id",),
}
_CHOSEN_BY_ANYBODY = ("amr", "aud", "oaud")

# What GitHub's tokens say of whose they are. An organization may leave it out of the subject of its own tokens (GitHub
# Docs, "OpenID Connect reference": customizing the subject claims), so that `environment:production` is anybody's.
_GITHUB = "token.actions.githubusercontent.com"
_OF_GITHUB = (
    *("enterprise", "enterprise_id", "job_workflow_ref"),
    *("repository", "repository_id", "repository_owner", "repository_owner_id"),
)
_SAYS_WHOSE = re.compile(rf"(?:^|:)(?:repo|{'|'.join(_OF_GITHUB)}):[^:]")


def _singles_out(issuer: str, claim: str, values: Sequence[str]) -> bool:
    """Whether one of these values of a claim, which the token must have, is only one tenant's to say."""
    if not values or not all(_is_one_tenant(value) for value in values):
        return False
    if issuer == _GITHUB or issuer.startswith(f"{_GITHUB}/"):
        whose = claim == "sub" and all(_SAYS_WHOSE.search(_fixed_part(value)) for value in values)
        return whose or claim in _OF_GITHUB
    return claim in _BY_APP[issuer] if issuer in _BY_APP else claim not in _CHOSEN_BY_ANYBODY


# `repo:`, `organization:`, `project_path:`, `system:serviceaccount:`: what kind of subject follows.
_KIND = re.compile(r"system:serviceaccount:|[^:/*?{}]*:")


def _is_one_tenant(value: str) -> bool:
    """Whether a claim is fixed, or at least the whole name of the tenant, as in `repo:octo-org/*`."""
    fixed = _fixed_part(value)
    if fixed == value:
        return bool(value)
    kind = _KIND.match(fixed)
    tenant = fixed[kind.end() :] if kind else fixed
    return bool(re.match(r"[^/:]+[/:]", tenant))


def _fixed_part(value: str) -> str:
    """A value up to its first wildcard or variable."""
    return re.split(r"[*?]|\$\{", value, maxsplit=1)[0]

"""Who can reach what is in a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demarc.checks import needs, sharing
from demarc.core import policy as iam
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_POLICY = "Observed.Policy"
_GRANTS = "Observed.Grants"
_BLOCK = "PublicAccessBlockConfiguration"

# Amazon S3 User Guide, "Access control list overview": whoever is on the internet, and whoever has any AWS account.
_EVERYBODY = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "everybody with an AWS account",
}
_LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_READS = ("READ", "FULL_CONTROL", "READ_ACP")
_WRITES = ("WRITE", "FULL_CONTROL", "WRITE_ACP")


@needs(_POLICY, _GRANTS, _BLOCK)
def nobody_outside_can_read(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement and each grant by which the public may read (S3 User Guide, "The meaning of public"; AC-3).

    What the bucket's own public access block takes away again is not counted. The account's block is not looked at:
    when somebody removes it, nothing of the bucket changes, and nobody would look again.
    """
    yield from _public_statements(snapshot, ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"))
    yield from _public_grants(snapshot, _READS)


@needs(_POLICY, _GRANTS, _BLOCK)
def nobody_outside_can_write(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement and each grant by which the public may write, delete or take over (AC-3), blocks counted."""
    actions = ("s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutObjectAcl")
    yield from _public_statements(snapshot, actions)
    yield from _public_grants(snapshot, _WRITES)


def _public_statements(snapshot: Snapshot, actions: Sequence[str]) -> Iterator[Drift]:
    if snapshot[f"{_BLOCK}.RestrictPublicBuckets"] is not True:
        yield from sharing.with_the_public(snapshot, _POLICY, actions=actions, everybody=sharing.THE_INTERNET)


def _public_grants(snapshot: Snapshot, permissions: Sequence[str]) -> Iterator[Drift]:
    if snapshot[f"{_BLOCK}.IgnorePublicAcls"] is True:
        return
    for index, grant in enumerate(snapshot[_GRANTS] or ()):
        who = _EVERYBODY.get(grant["Grantee"].get("URI", ""))
        if who and grant["Permission"] in permissions:
            yield Drift(
                path=f"{_GRANTS}[{index}]",
                required="no grant to a public group",
                actual=f"{grant['Permission']} to {grant['Grantee']['URI'].rsplit('/', 1)[-1]}",
                because=f"{who} has {grant['Permission']} by access control list",
            )


@needs(_POLICY)
def policy_shares_with_nobody_outside(
    snapshot: Snapshot, *, trusted: Sequence[str], organization: str, actions: Sequence[str]
) -> Iterator[Drift]:
    """Each statement that lets an account outside the organization do one of the actions (NIST SP 800-53 CA-9, AC-6).

    Args:
        snapshot: a bucket.
        trusted: the organization's accounts.
        organization: the organization's id.
        actions: what no stranger may do.
    """
    yield from sharing.with_strangers(snapshot, _POLICY, trusted=trusted, organization=organization, actions=actions)


@needs(_POLICY)
def policy_refuses_plain_http(snapshot: Snapshot) -> Iterator[Drift]:
    """That a statement denies everything without TLS (S3 User Guide, "Enforce encryption of data in transit"; SC-8)."""
    policy = iam.of(snapshot, _POLICY)
    statements = policy.statements if policy else ()
    objects = f"{snapshot.resource.arn}/*"
    if not any(_refuses_plain_http(statement, objects) for statement in statements):
        yield Drift(_POLICY, "a Deny of s3:* for everybody when aws:SecureTransport is false", None)


def _refuses_plain_http(statement: iam.Statement, objects: str) -> bool:
    everybody = any(principal.value == "*" for principal in statement.principals)
    everything = all(iam.covers(statement, action) for action in ("s3:GetObject", "s3:PutObject"))
    everywhere = iam.covers_resource(statement, objects)
    only_http = len(statement.conditions) == 1 and any(
        condition.operator.lower().removesuffix("ifexists") == "bool"
        and condition.key.lower() == "aws:securetransport"
        and [value.lower() for value in condition.values] == ["false"]
        for condition in statement.conditions
    )
    return not statement.allows and everybody and everything and everywhere and only_http


@needs(_GRANTS, "Observed.OwnerId", "OwnershipControls")
def access_lists_grant_nothing(snapshot: Snapshot) -> Iterator[Drift]:
    """Each grant by access control list to somebody but the owner, where lists are in force at all (AC-3, AC-6).

    Log delivery is left alone: S3's own server access logging asked for it before bucket policies could say it.
    """
    rules = (snapshot["OwnershipControls"] or {}).get("Rules", ())
    if any(rule["ObjectOwnership"] == "BucketOwnerEnforced" for rule in rules):
        return
    owner = snapshot["Observed.OwnerId"]
    for index, grant in enumerate(snapshot[_GRANTS] or ()):
        grantee = grant["Grantee"]
        if grantee.get("ID") != owner and grantee.get("URI") != _LOG_DELIVERY:
            yield Drift(
                path=f"{_GRANTS}[{index}]",
                required="grants to the bucket's owner only",
                actual=f"{grant['Permission']} to {grantee.get('URI') or grantee.get('ID') or 'somebody'}",
            )

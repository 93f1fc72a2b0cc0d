"""Who acts: the person of the matrix whom the credentials name, and nobody whom they call themselves.

There is no option to act as somebody else, since a rule that asks for a second person would be worth nothing. What
this cannot do is keep somebody from the table who may write to it: whoever has dynamodb:UpdateItem on it needs no
command line. So give that permission to those who would be believed anyway.
"""

from __future__ import annotations

from demarc.cli.connection import Connection
from demarc.cli.failures import Refusal
from demarc.core.actor import identify
from demarc.core.attribution import person_of, relation_of
from demarc.core.matrix import Organization, Person
from demarc.core.model import Actor, ActorKind, Confidence, Owner, Relation

# Whose word nobody's is: what they are is told by their roles, in the matrix or in AWS.
_NOBODY = {
    Relation.PIPELINE: "a pipeline",
    Relation.DEMARC: "Demarc itself",
    Relation.AWS: "an AWS service",
}
_ANY_OWNER = Owner(team="", person="", email="", channel=None, row="", because="")


def caller(connection: Connection) -> Actor:
    """The principal behind the credentials, judged as if it had made a change."""
    identity = connection.identity
    user = {"arn": identity["Arn"], "accountId": identity["Account"], "principalId": identity["UserId"]}
    actor, _, _ = identify({"userIdentity": user})
    return actor


def acting(connection: Connection, organization: Organization, *, vouched: bool = False) -> Person:
    """The person who acts.

    Where it takes a second person, their name must be `vouched` for: an IAM user's, or one that IAM Identity Center
    gave. The session name of any other role is chosen by whoever assumes it.

    Raises:
        Refusal: if the credentials are not those of a person of the matrix, or of one who may be anybody.
    """
    actor = caller(connection)
    person = _person(actor, organization)
    if vouched and not _is_vouched(actor):
        raise Refusal(
            f"whoever assumes the role {(actor.role or actor.arn or '').rpartition('/')[2]} chooses the name "
            f"{actor.name!r}, and this takes the word of a certain person. Sign in through IAM Identity Center, or as "
            "an IAM user, or answer in Slack"
        )
    return person


def _person(actor: Actor, organization: Organization) -> Person:
    if actor.kind is ActorKind.ROOT:
        raise Refusal("the root user is nobody in particular. Sign in as yourself, or choose a --profile")
    relation = relation_of(actor, _ANY_OWNER, organization)
    if relation in _NOBODY:
        raise Refusal(
            f"{actor.arn} is {_NOBODY[relation]}, and this takes a person's word. Sign in as yourself, or choose a "
            "--profile"
        )
    person = person_of(actor.name, organization)
    if person is None:
        raise Refusal(
            f"the credentials are those of {actor.name!r} ({actor.arn}), who is not in the matrix. Give that name to "
            "one of `people` in organization.yaml, as `email` or `id`, or choose another --profile"
        )
    return person


def _is_vouched(actor: Actor) -> bool:
    return actor.confidence is Confidence.HIGH or (actor.arn or "").split(":", 5)[-1].startswith("user/")

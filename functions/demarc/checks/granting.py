"""What an identity's policies grant, as drifts: what users, groups, roles, policies and permission sets are all asked.

Where they stand differs from type to type, so that whoever asks says the places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demarc.checks import NotApplicable, sharing
from demarc.core import policy as iam
from demarc.core import privilege
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot, Unread

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Written:
    """Policies that hold together, and where in the snapshot each statement of them stands, by its index."""

    policy: iam.Policy
    places: tuple[str, ...]

    def place(self, statement: iam.Statement) -> str:
        return self.places[statement.index]


def document_at(snapshot: Snapshot, path: str) -> Written:
    """The one policy at a path, which says nothing where there is none.

    Raises:
        Unread: if it could not be read.
    """
    policy = iam.of(snapshot, path) or iam.Policy(())
    return Written(policy, tuple(sharing.place(path, statement) for statement in policy.statements))


def inline_at(snapshot: Snapshot, path: str) -> Written:
    """Inline policies, listed with their names, as one: they add up, and a Deny in one holds for all.

    Raises:
        Unread: if one of them could not be read.
    """
    statements: list[iam.Statement] = []
    places: list[str] = []
    for each in snapshot[path] or ():
        # By name, since the order of the others changes with whatever is added.
        at = f"{path}[{each['PolicyName']}].PolicyDocument"
        for statement in _parsed(each["PolicyDocument"], path).statements:
            places.append(sharing.place(at, statement))
            statements.append(replace(statement, index=len(statements)))
    return Written(iam.Policy(tuple(statements)), tuple(places))


def _parsed(document: Any, prop: str) -> iam.Policy:
    try:
        return iam.parse(document)
    except iam.PolicyUnreadable as why:
        raise Unread(prop, str(why)) from why


def attached_of_aws(snapshot: Snapshot, path: str, names: Iterable[str]) -> Iterator[Drift]:
    """Policies of AWS's that are attached and have one of the names, in whatever partition and path."""
    for arn in snapshot[path] or ():
        account, _, name = arn.partition(":iam::")[2].partition(":")
        if account == "aws" and name.rpartition("/")[2] in names:
            yield Drift(path, f"not {name.rpartition('/')[2]}", arn)


def administration(written: Written, because: str) -> Iterator[Drift]:
    """Each statement that allows everything everywhere."""
    for statement in privilege.full_administration(written.policy):
        yield Drift(written.place(statement), "the actions and resources that are needed", said(statement), because)


def on_all_keys(written: Written, actions: Sequence[str]) -> Iterator[Drift]:
    """Each statement that allows one of the actions on every key."""
    granted: dict[int, list[str]] = {}
    for action in actions:
        for statement in privilege.granted_everywhere(written.policy, action):
            granted.setdefault(statement.index, []).append(action)
    for index, allowed in sorted(granted.items()):
        yield Drift(
            path=written.places[index],
            required="keys by their ARN",
            actual=said(written.policy.statements[index]),
            because=f"it allows {', '.join(allowed)} on every key whose own policy leaves it to IAM",
        )


def escalation(written: Written) -> Iterator[Drift]:
    """Each statement by which its holder gains the permissions of others.

    Raises:
        NotApplicable: if everything is allowed, which is another control's to say.
    """
    if any(privilege.full_administration(written.policy)):
        raise NotApplicable("it allows everything already")
    opened: dict[int, list[str]] = {}
    for each in privilege.escalations(written.policy):
        opened.setdefault(each.statement.index, []).append(str(each.path))
    for index, paths in sorted(opened.items()):
        more = f" and {len(paths) - _SHOWN} more ways" if len(paths) > _SHOWN else ""
        yield Drift(
            path=written.places[index],
            required="named resources, or none of these actions",
            actual=said(written.policy.statements[index]),
            because=f"its holder takes the permissions of others by {', '.join(paths[:_SHOWN])}{more}",
        )


def said(statement: iam.Statement) -> Mapping[str, Any]:
    """A statement of an identity's policy, without its conditions."""
    named = {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": list(statement.actions),
        "NotAction": list(statement.not_actions),
        "Resource": list(statement.resources),
        "NotResource": list(statement.not_resources),
    }
    return {name: value for name, value in named.items() if value}

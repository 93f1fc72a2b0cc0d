"""Whom a resource's policy lets in, as drifts: what the checks of every service that has resource policies ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core import policy as iam
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

# Whom "everybody" is to a service that answers unsigned requests; to the others it is whoever has an AWS account.
THE_INTERNET = "everybody on the internet"
ANY_ACCOUNT = "everybody with an AWS account"


def with_the_public(
    snapshot: Snapshot, path: str, *, actions: Sequence[str] = (), everybody: str = ANY_ACCOUNT
) -> Iterator[Drift]:
    """Each statement of the policy at a path that lets the public do one of the actions, or anything.

    Raises:
        Unread: if the policy could not be read.
    """
    for exposure in exposures(snapshot, path, actions=actions):
        if exposure.audience is iam.Audience.PUBLIC:
            yield Drift(
                path=place(path, exposure.statement),
                required="no grant to the public",
                actual=said(exposure),
                because=f"{everybody} is granted {', '.join(exposure.actions)}",
            )


def with_strangers(
    snapshot: Snapshot, path: str, *, trusted: Sequence[str], organization: str, actions: Sequence[str] = ()
) -> Iterator[Drift]:
    """Each statement of the policy at a path that lets an account outside the organization do one of the actions.

    Args:
        snapshot: a resource.
        path: where its policy is.
        trusted: the organization's accounts.
        organization: the organization's id.
        actions: what no stranger may do; nothing at all if none is named.

    Raises:
        Unread: if the policy could not be read.
    """
    for exposure in exposures(snapshot, path, trusted=trusted, organization=organization, actions=actions):
        if exposure.audience is iam.Audience.OUTSIDE_ACCOUNT:
            yield Drift(
                path=place(path, exposure.statement),
                required="only accounts of the organization",
                actual=", ".join(exposure.who),
                because=f"an account outside the organization is granted {', '.join(exposure.actions)}",
            )


def exposures(
    snapshot: Snapshot,
    path: str,
    *,
    trusted: Sequence[str] = (),
    organization: str | None = None,
    actions: Sequence[str] = (),
) -> tuple[iam.Exposure, ...]:
    """Whom the policy at a path lets in (see `policy.exposures`); nobody where there is no policy.

    Raises:
        Unread: if the policy could not be read.
    """
    policy = iam.of(snapshot, path)
    if policy is None:
        return ()
    account = snapshot.resource.account
    return iam.exposures(policy, account=account, trusted=trusted, organization=organization, actions=actions)


def place(path: str, statement: iam.Statement) -> str:
    """Where a statement stands in the snapshot."""
    return f"{path}.Statement[{statement.index}]"


def said(exposure: iam.Exposure) -> Mapping[str, Any]:
    """As much of a statement as says what is wrong with it."""
    shown: dict[str, Any] = {"Effect": "Allow", "Principal": ", ".join(exposure.who), "Action": list(exposure.actions)}
    return {"Sid": exposure.statement.sid, **shown} if exposure.statement.sid else shown

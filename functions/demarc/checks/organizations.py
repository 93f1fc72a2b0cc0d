"""Whether the policies by which an organization binds its accounts bind anybody."""

from __future__ import annotations

from collections.abc import Iterator

from demarc.checks import granting, needs
from demarc.core import policy as iam
from demarc.core import privilege
from demarc.core.arn import partition_of
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_CONTENT = "Content"


@needs(_CONTENT)
def limits_something(snapshot: Snapshot) -> Iterator[Drift]:
    """Each statement that allows everything in a service control policy that denies nothing (AC-6, CM-5).

    AWS Organizations User Guide, "SCP evaluation": what it allows is what stays allowed, and nobody is given anything.
    One that allows everything under a condition limits what is done otherwise.
    """
    written = granting.document_at(snapshot, _CONTENT)
    if any(not each.allows for each in written.policy.statements):
        return
    for statement in privilege.full_administration(written.policy):
        if statement.conditions:
            continue
        yield Drift(
            path=written.place(statement),
            required="a statement that takes something away",
            actual=granting.said(statement),
            because="where it is attached, everything stays allowed",
        )


# IAM User Guide, "IAM JSON policy elements: Condition operators": with `...IfExists` behind them, too.
_SPARING = ("arnnotequals", "arnnotlike", "stringnotlike")


@needs(_CONTENT)
def spares_nobody_unnamed(snapshot: Snapshot) -> Iterator[Drift]:
    """Each Deny that leaves out every role of every account (NIST SP 800-53 AC-3, AC-6).

    IAM User Guide, "AWS global condition context keys": aws:PrincipalArn is the role's, whoever has become it.
    """
    everybody = f"arn:{partition_of(snapshot.resource.region)}:iam::*:role/*"
    written = granting.document_at(snapshot, _CONTENT)
    for statement in written.policy.statements:
        spared = [] if statement.allows else _spared(statement)
        if found := [each for each in spared if iam.matches(each, everybody)]:
            yield Drift(
                path=written.place(statement),
                required="exceptions that name roles",
                actual=f"all but {', '.join(found)}",
                because="whoever works as a role is left out, and so nobody is held to it",
            )


def _spared(statement: iam.Statement) -> list[str]:
    """The patterns of principals for which a Deny does not hold."""
    return [
        value
        for condition in statement.conditions
        if condition.key.lower() == "aws:principalarn"
        and condition.operator.lower().rpartition(":")[2].removesuffix("ifexists") in _SPARING
        for value in condition.values
    ]

"""Whose the controls on resources are, put in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from demarc.cli.terminal import fact
from demarc.cli.told import counted, line_of, owner_of
from demarc.core.attribution import attribute
from demarc.core.matrix import Matrix
from demarc.core.model import Attribution, Control, Owner, Resource
from demarc.core.snapshot import Snapshot

Duty = tuple[Control, Attribution]


def duties_on(resource: Resource, matrix: Matrix) -> Iterator[Duty]:
    """Every control on a resource and whose it is, as far as that can be said without looking at it."""
    for control in matrix.controls_on(resource):
        yield control, attributed(control, resource, matrix)


def attributed(control: Control, resource: Resource, matrix: Matrix) -> Attribution:
    """Whose a control on a resource is, as if the resource had no tags."""
    unseen = Snapshot(resource, datetime.now(UTC), {}, read=frozenset({"Tags"}))
    return attribute(control, unseen, matrix)


def tell_owners(duties: Sequence[Duty], label: str, *, listed: bool = True) -> None:
    """Each owner and, under a label, their controls; whoever answers for most comes first.

    Where they are not to be `listed`, they still are if there are several owners to tell them apart.
    """
    owned: dict[Owner, list[str]] = {}
    for control, attribution in duties:
        owned.setdefault(attribution.owner, []).append(control.id)
    for owner, controls in sorted(owned.items(), key=lambda each: -len(each[1])):
        fact("whose", f"{owner_of(owner)}: {owner.because} [{owner.row}]")
        if listed or len(owned) > 1:
            fact(label, f"{counted(len(controls), 'control')}: {', '.join(controls)}")


def tell_lines(duties: Sequence[Duty]) -> None:
    """Where the line runs for some controls on a resource, and how its service is divided; each sentence once."""
    lines = dict.fromkeys(line_of(control.layer, attribution) for control, attribution in duties)
    lines |= dict.fromkeys(attribution.division for _, attribution in duties if attribution.division)
    for number, line in enumerate(lines):
        fact("" if number else "line", line)

"""Control + snapshot -> evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from demarc.core.expectation import unmet
from demarc.core.model import Compliance, Control, Drift, Evaluation
from demarc.core.occurrence import happenings
from demarc.core.provider import kept_by_provider
from demarc.core.snapshot import Snapshot, Unread


class NotApplicable(Exception):
    """Raised by a check: the control makes no sense for this resource, and why."""


def evaluate(control: Control, snapshot: Snapshot, check: Callable[..., Iterator[Drift]] | None = None) -> Evaluation:
    """Judge one control. Evidence that could not be read is no verdict, never a pass.

    Args:
        control: what must hold.
        snapshot: what was read.
        check: the function that `control.check` names; None for a row that compares by itself.
    """
    if control.occurrence:
        return _happened(control, snapshot)
    if kept := kept_by_provider(snapshot):
        return Evaluation(control, Compliance.NOT_APPLICABLE, reason=kept)
    try:
        if outside := next(unmet(control.when, snapshot), None):
            reason = f"{outside.path} is {outside.actual!r}"
            return Evaluation(control, Compliance.NOT_APPLICABLE, reason=reason)
        drift = list(unmet(control.require, snapshot))
        if check is not None:
            drift += check(snapshot, **control.parameters)
    except NotApplicable as why:
        return Evaluation(control, Compliance.NOT_APPLICABLE, reason=str(why))
    except Unread as missing:
        return Evaluation(control, Compliance.INSUFFICIENT_DATA, reason=str(missing))
    if drift:
        return Evaluation(control, Compliance.NON_COMPLIANT, drift=tuple(drift))
    return Evaluation(control, Compliance.COMPLIANT)


def _happened(control: Control, snapshot: Snapshot) -> Evaluation:
    """What must not happen did, or there is no news of it; that it never did no snapshot can say."""
    drift = tuple(happenings(snapshot))
    if drift:
        return Evaluation(control, Compliance.NON_COMPLIANT, drift=drift)
    return Evaluation(control, Compliance.NOT_APPLICABLE, reason="nothing of it is new")

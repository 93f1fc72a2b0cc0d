"""Whether Demarc itself can do its work: on a resource, and in a Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from demarc.checks import NotApplicable, needs, spoken
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot


@needs()
def everything_could_be_read(snapshot: Snapshot) -> Iterator[Drift]:
    """Each property that some control asked for and nobody could read (NIST SP 800-53 CA-7: monitoring that sees)."""
    for prop, why in sorted(snapshot.unread.items()):
        yield Drift(path=prop, required="readable", actual="unreadable", because=why)


@needs("Tags")
def carries_tags(snapshot: Snapshot, *, keys: Sequence[str]) -> Iterator[Drift]:
    """Each required tag that a resource lacks or leaves empty (NIST SP 800-53 CM-8).

    Args:
        snapshot: any resource.
        keys: the keys of the tags that the organization requires.
    """
    if not keys:
        raise NotApplicable("the organization requires no tags")
    if snapshot["Tags"] is None:
        raise NotApplicable("nobody can tag it")
    for key in keys:
        if not snapshot.tags.get(key, "").strip():
            yield Drift(f"Tags.{key}", "a value", snapshot.tags.get(key))


@needs("Observed.Attestation")
def attestation_is_fresh(snapshot: Snapshot, *, due: Mapping[str, str | None]) -> Iterator[Drift]:
    """That somebody's word for a requirement is there and still counts (NIST SP 800-53 CA-2, CA-7).

    Args:
        snapshot: a requirement.
        due: the requirements that are verified by attestation (`nist-800-53-r5/AT-2`), and the last day of what the
            signed matrix has (ISO 8601), None where it has nothing.
    """
    requirement = snapshot.resource.identifier.partition("/")[2]
    if requirement not in due:
        raise NotApplicable("the matrix does not verify it by attestation")
    recorded = snapshot["Observed.Attestation"]
    known = [day for day in (due[requirement], recorded and recorded["Until"]) if day]
    last = max(known, default=None)
    if last is None or last < snapshot.observed_at.date().isoformat():
        because = "the last day of the last word given has passed" if last else "nobody has given their word for it yet"
        yield Drift("Observed.Attestation.Until", "today or later", last, because=because)


@needs("Observed.Rules")
def every_rule_is_on(snapshot: Snapshot) -> Iterator[Drift]:
    """Each rule of the feed that is switched off, deleted or sends to nobody (NIST SP 800-53 AU-5, SI-4)."""
    rules = snapshot["Observed.Rules"]
    if not rules:
        yield Drift("Observed.Rules", "the rules that bring changes", "none")
    for index, rule in enumerate(rules):
        at, name = f"Observed.Rules[{index}]", rule["Name"]
        # The longer state is a rule that also gets what only reads.
        if not rule["State"].startswith("ENABLED"):
            yield Drift(f"{at}.State", "ENABLED", rule["State"], because=f"the rule {name} brings nothing")
        elif not rule["Targets"]:
            yield Drift(f"{at}.Targets", "a queue", 0, because=f"the rule {name} sends what it hears to nobody")


@needs("Observed.LastChange", "Observed.FeedSince")
def changes_arrive(snapshot: Snapshot, *, hours: int) -> Iterator[Drift]:
    """That a change was seen within some hours, or that there was no time for one yet (NIST SP 800-53 AU-5, CA-7)."""
    last = snapshot["Observed.LastChange"]
    since = last or snapshot["Observed.FeedSince"]
    if since and snapshot.observed_at - datetime.fromisoformat(since) <= timedelta(hours=hours):
        return
    # The moment and not how long ago it is: what stands still is told once.
    because = f"no change was seen since {spoken(since)}" if since else "no change was ever seen"
    yield Drift("Observed.LastChange", f"within {hours} hours", last, because=because)

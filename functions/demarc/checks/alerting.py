"""Whether somebody is told when something is done that people should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.checks import NotApplicable, needs
from demarc.core.filter_pattern import Matcher, NotUnderstood, matcher
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

_ALERTS, _GROUPS = "Observed.Alerts", "Observed.LogGroups"

# What every record has. As it stands it is a harmless read: whoever alerts on it alerts on everything.
_HARMLESS: Mapping[str, Any] = {
    "eventVersion": "1.11",
    "eventType": "AwsApiCall",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "DescribeInstances",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.1",
    "readOnly": True,
    "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/reader/ada"},
}


@needs(_ALERTS, _GROUPS)
def somebody_hears_of(
    snapshot: Snapshot, *, calls: Mapping[str, Sequence[str]] | None = None, records: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Drift]:
    """That for each of these a metric filter matches, an alarm stands on it and somebody hears that.

    CIS AWS Foundations, section 4; NIST SP 800-53 AU-6(1), SI-4(5). A filter is judged by what it matches and not by
    how it is written, and several may share the work.

    Args:
        snapshot: a trail of all Regions.
        calls: names of API calls by eventSource.
        records: what a CloudTrail record has beyond an ordinary one, for what is told by more than its name.
    """
    if not snapshot[_GROUPS]:
        raise NotApplicable("no trail of all Regions that is at home here writes to a log group of the account")
    written = {each["Filter"]: each for each in snapshot[_ALERTS] or ()}
    understood = {name: found for name, each in written.items() if (found := _matcher(each["Pattern"]))}
    heard = [found for name, found in understood.items() if any(alarm["Heard"] for alarm in written[name]["Alarms"])]
    missed = [record for record in _records(calls or {}, records) if not any(found(record) for found in heard)]
    if missed:
        unheard = sorted(name for name, found in understood.items() if any(found(record) for record in missed))
        names = ", ".join(dict.fromkeys(_called(record) for record in missed))
        yield Drift(
            path=_ALERTS,
            required="a metric filter that matches, an alarm on it, and a confirmed subscription",
            actual=f"nobody is told of {names}",
            because=f"no alarm that anybody hears stands on {', '.join(unheard)}" if unheard else "no filter matches",
        )


def _matcher(pattern: str) -> Matcher | None:
    """None for a pattern that matches everything or makes no sense here: neither tells anybody of anything."""
    try:
        found = matcher(pattern)
    except NotUnderstood:
        return None
    return None if found(_HARMLESS) else found


def _records(calls: Mapping[str, Sequence[str]], more: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for source, names in calls.items():
        for name in names:
            yield {**_HARMLESS, "readOnly": False, "eventSource": source, "eventName": name}
    for each in more:
        yield {**_HARMLESS, "readOnly": False, **each}


def _called(record: Mapping[str, Any]) -> str:
    said = record.get("errorCode") or record.get("errorMessage")
    return f"{record['eventName']} ({said})" if said else str(record["eventName"])

"""How records, actors, owners and lines are put in words; the same in every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from demarc.core.announcement import spoken
from demarc.core.change import NoChange, Reason
from demarc.core.matrix import Organization
from demarc.core.model import Actor, Attribution, Change, Drift, Layer, Owner, Party, Resource, Tier

_LISTED = 20

# Whose side of the line, as we say it among ourselves.
SIDES = {Party.CUSTOMER: "ours", Party.SHARED: "shared with AWS", Party.PROVIDER: "AWS's"}


def call_of(source: str | None, name: str | None) -> str:
    """The call as a person says it: `s3 PutBucketPolicy`."""
    service = (source or "").removesuffix(".amazonaws.com")
    return " ".join(word for word in (service, name) if word) or "an event without a name"


def account_of(account: str, organization: Organization) -> str:
    """An account by its id and the name that the matrix has for it."""
    known = organization.accounts.get(account)
    return f"{account} ({known.name if known else 'not in the matrix'})"


def actor_of(actor: Actor) -> str:
    """Who it was, in what role, and why we think so."""
    role = (actor.role or "").rpartition("/")[2]
    acting = f" as {role}" if role and role != actor.name else ""
    return f"{actor.name}{acting} ({actor.kind}, {actor.confidence} confidence: {actor.because})"


def owner_of(owner: Owner) -> str:
    return f"{owner.person}, team {owner.team}"


def line_of(layer: Layer, attribution: Attribution, *tiers: Tier) -> str:
    """Where the line runs, as one sentence; `tiers` where it runs so for several."""
    where = " and ".join(sorted(set(tiers) or {attribution.tier}))
    return f"{layer} of {where} is {SIDES[attribution.party]}: {attribution.line}"


def drift_of(drift: Drift) -> str:
    """What a path was, if that is known and it was otherwise, what it is, and what it must be."""
    because = f" ({drift.because})" if drift.because else ""
    was = f"was {spoken(drift.was.value)}, " if drift.was and drift.was.value != drift.actual else ""
    return f"{drift.path} {was}is {spoken(drift.actual)}, must be {spoken(drift.required)}{because}"


def place_of(resource: Resource) -> str:
    return f"{resource.type} {resource.identifier}, {resource.account}, {resource.region}"


def record_of(outcome: Change | NoChange) -> dict[str, Any]:
    """What every JSON line about a record begins with; null where the record does not say."""
    reason, detail = ("change", None) if isinstance(outcome, Change) else (outcome.reason.value, outcome.detail)
    return {
        "event_id": outcome.event_id or None,
        "event_source": outcome.event_source,
        "event_name": outcome.event_name,
        "outcome": reason,
        "detail": detail,
    }


def counts_of(counts: Mapping[str, int]) -> str:
    """How many records there were of each outcome, changes first."""
    order = ["change", *Reason]
    parts = [f"{counts[each]:,} {each}" for each in order if counts.get(each)]
    return f"{counted(sum(counts.values()), 'record')}: {', '.join(parts)}" if parts else "no records"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def one_of(words: Iterable[str]) -> str:
    """Some words as a choice: `a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def meant(word: str, known: Iterable[str]) -> str:
    """What somebody probably wanted to write; everything there is, where nothing is near."""
    names = {name.casefold(): name for name in known}
    if near := get_close_matches(word.casefold(), names, n=3, cutoff=0.75):
        return f"Did you mean {one_of(names[each] for each in near)}?"
    listed = sorted(names.values())
    return f"Known: {', '.join(listed)}" if len(listed) <= _LISTED else "`demarc matrix show` lists all that there are"

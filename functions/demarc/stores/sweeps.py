"""Sweeps at rest: what was begun, what of it is handed out and looked at, and how it ended.

    pk                        sk                              what
    sweep#<account>#<Region>  @current                        the sweep that runs; there is one at a time
    sweep#<account>#<Region>  @last                           which ended last, and which was complete last
    sweep#<account>#<Region>  <sweep>                         its header; at the end also how it ended
    sweep#<account>#<Region>  <sweep>#pace#<responder>        how many resources its responder was handed so far
    sweep#<account>#<Region>  <sweep>#listed#<type>#<slice>   resources that were handed out, and the parts they are in
    sweep#<account>#<Region>  <sweep>#ends                    types that are listed to their end, or why they are not
    sweep#<account>#<Region>  <sweep>#looked#<part>           what came of a part
    sweep#<account>#<Region>  <sweep>#told#<team>             a team has its digest

Slices and parts are called by what is in them, so that the same work done again writes the same items, once. All but
the first two expire (`expires`, the table's TTL).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol

from botocore.exceptions import ClientError

from demarc.core.model import STANDING, Occasion
from demarc.core.wire import from_wire, to_wire
from demarc.stores.dynamodb import BY_ACCOUNT

# What a sweep calls, of which a responder that records its part needs one; and the IAM action each call needs.
CALLS: Mapping[str, str] = {
    "dynamodb.GetItem": "dynamodb:GetItem",
    "dynamodb.PutItem": "dynamodb:PutItem",
    "dynamodb.Query": "dynamodb:Query",
    "dynamodb.UpdateItem": "dynamodb:UpdateItem",
}

# After this a sweep that is not through is given up, and its place is free for the next.
DEADLINE = timedelta(hours=6)

KEPT = timedelta(days=30)

_MARK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Sweep:
    """One look at everything in an account and Region.

    A `baseline` is the first: what it finds is told in digests. `types` are those that it lists. `occasion` says who
    or what asked for it.
    """

    id: str
    account: str
    region: str
    started: datetime
    matrix_version: str
    baseline: bool
    types: tuple[str, ...]
    occasion: Occasion
    ended: datetime | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Last:
    """The sweep that ended last, and of the last complete one the matrix that judged."""

    ended: str
    complete: str | None = None
    matrix_version: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Resources of one type that were handed out together: how many, in which parts, and the mark of each."""

    name: str
    type: str
    resources: int
    parts: tuple[str, ...]
    marks: bytes = b""


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of resources that were looked at.

    `judged` counts resources that are there, `gone` those that are not, `opened` and `resolved` findings, `revisions`
    all that were recorded, `unread` properties that could not be read. `calls` are read calls by botocore's name of the
    service. `milliseconds` is how long it took.
    """

    judged: int = 0
    gone: int = 0
    opened: int = 0
    resolved: int = 0
    revisions: int = 0
    unread: int = 0
    milliseconds: int = 0
    calls: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.judged + other.judged,
            self.gone + other.gone,
            self.opened + other.opened,
            self.resolved + other.resolved,
            self.revisions + other.revisions,
            self.unread + other.unread,
            self.milliseconds + other.milliseconds,
            Counter(self.calls) + Counter(other.calls),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is.

    `listed` resources were handed out, in `parts`, of which `waiting` are not looked at. `unlisted` are the types that
    are not listed to their end; `refused` those that may not be listed, with the reason.
    """

    sweep: Sweep
    listed: int = 0
    parts: int = 0
    waiting: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    tally: Tally = Tally()

    @property
    def is_through(self) -> bool:
        """Whether everything that may be listed was, and all of it was looked at."""
        return not self.waiting and not self.unlisted


# What is listed after all types: resources of standing findings that no list has.
UNLISTED = "resources of standing findings"


def mark_of(resource_type: str, identifier: str) -> bytes:
    """Eight bytes that stand for a resource: a million of them are all different, but for one chance in 37 million."""
    return blake2b(f"{resource_type}\0{identifier}".encode(), digest_size=_MARK_BYTES).digest()


class SweepStore(Protocol):
    """Where the sweeps of one account and Region are kept."""

    def begin(self, sweep: Sweep) -> bool:
        """Keep the header of a sweep; false where another one runs. The same again changes nothing."""
        ...

    def get(self, sweep_id: str) -> Sweep | None:
        """The header of a sweep."""
        ...

    def running(self) -> str | None:
        """The id of the sweep that runs."""
        ...

    def last(self) -> Last | None:
        """What ended last, None before the first."""
        ...

    def reserve(self, sweep_id: str, responder: str, resources: int, *, most: int) -> int | None:
        """Count resources that a responder is about to be handed: how many it was before, None from `most` on."""
        ...

    def slices(self, sweep_id: str, listing: str) -> frozenset[str]:
        """The names of all slices of a type that were handed out."""
        ...

    def marks(self, sweep_id: str) -> set[bytes]:
        """The marks of all resources that were handed out."""
        ...

    def hand_out(self, sweep_id: str, handed: Slice) -> None:
        """Note a slice whose parts are all sent."""
        ...

    def end_of(self, sweep: Sweep, resource_type: str, refused: str = "") -> tuple[str, ...]:
        """Note once that a type is listed to its end, or why it cannot be; the types that are not yet."""
        ...

    def looked(self, sweep_id: str, part: str, tally: Tally, rest: tuple[str, ...] = ()) -> bool:
        """Note what came of a part, once, and the parts that the rest of it became; false if it was noted before."""
        ...

    def progress(self, sweep_id: str) -> Progress | None:
        """How far a sweep is; None where there is no such sweep."""
        ...

    def is_told(self, sweep_id: str, team: str) -> bool:
        """Whether a team has its digest."""
        ...

    def mark_told(self, sweep_id: str, team: str) -> None:
        """Note that a team has its digest."""
        ...

    def end(self, sweep: Sweep) -> bool:
        """Keep how a sweep ended; false if that is kept already."""
        ...


class DynamoSweepStore:
    """Keeps sweeps in the table of the findings."""

    def __init__(self, client: Any, table: str, *, account: str, region: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._partition = f"sweep#{account}#{region}"
        self._clock = clock

    def begin(self, sweep: Sweep) -> bool:
        if self.get(sweep.id):
            return True
        if not self._claim(sweep):
            return False
        self._put(f"{sweep.id}#ends", {"ends": {"M": {}}})
        self._put(sweep.id, {"header": {"S": _json(sweep)}})
        return True

    def _claim(self, sweep: Sweep) -> bool:
        return self._update(
            "@current",
            "SET sweep = :sweep, claimed_until = :until",
            "attribute_not_exists(sweep) OR sweep = :sweep OR claimed_until < :now",
            {
                ":sweep": {"S": sweep.id},
                # Its own messages end it at the deadline; if they are lost, the next sweep need not wait much longer.
                ":until": {"S": to_wire(sweep.started + DEADLINE + timedelta(minutes=30))},
                ":now": {"S": to_wire(sweep.started)},
            },
        )

    def get(self, sweep_id: str) -> Sweep | None:
        item = self._get(sweep_id)
        return from_wire(Sweep, json.loads(item["header"]["S"])) if item else None

    def running(self) -> str | None:
        item = self._get("@current")
        if not item or not item["claimed_until"]["S"]:
            return None
        running: str = item["sweep"]["S"]
        return running

    def last(self) -> Last | None:
        item = self._get("@last")
        if not item:
            return None
        said = {name: item[name]["S"] for name in ("complete", "matrix_version") if name in item}
        return Last(item["ended"]["S"], said.get("complete"), said.get("matrix_version"))

    def reserve(self, sweep_id: str, responder: str, resources: int, *, most: int) -> int | None:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=self._key(f"{sweep_id}#pace#{responder}"),
                UpdateExpression="SET expires = if_not_exists(expires, :expires) ADD handed :resources",
                ConditionExpression="attribute_not_exists(handed) OR handed < :most",
                ExpressionAttributeValues={
                    ":resources": {"N": str(resources)},
                    ":most": {"N": str(most)},
                    ":expires": {"N": self._expiry()},
                },
                ReturnValues="UPDATED_NEW",
            )
        except ClientError as error:
            if not _refused(error):
                raise
            return None
        return int(answer["Attributes"]["handed"]["N"]) - resources

    def slices(self, sweep_id: str, listing: str) -> frozenset[str]:
        items = self._query(f"{sweep_id}#listed#{listing}#", ProjectionExpression="sk")
        return frozenset(item["sk"]["S"].rpartition("#")[2] for item in items)

    def marks(self, sweep_id: str) -> set[bytes]:
        found: set[bytes] = set()
        for item in self._query(f"{sweep_id}#listed#", ProjectionExpression="marks"):
            found.update(_marks_in(item["marks"]["B"]))
        return found

    def hand_out(self, sweep_id: str, handed: Slice) -> None:
        written = {
            "type": {"S": handed.type},
            "resources": {"N": str(handed.resources)},
            "parts": {"S": " ".join(handed.parts)},
            "marks": {"B": handed.marks},
        }
        self._put(f"{sweep_id}#listed#{handed.type}#{handed.name}", written)

    def end_of(self, sweep: Sweep, resource_type: str, refused: str = "") -> tuple[str, ...]:
        answer = self._client.update_item(
            TableName=self._table,
            Key=self._key(f"{sweep.id}#ends"),
            UpdateExpression="SET ends.#type = if_not_exists(ends.#type, :refused)",
            ExpressionAttributeNames={"#type": resource_type},
            ExpressionAttributeValues={":refused": {"S": refused}},
            ReturnValues="ALL_NEW",
        )
        return _unlisted(sweep, answer["Attributes"]["ends"]["M"])

    def looked(self, sweep_id: str, part: str, tally: Tally, rest: tuple[str, ...] = ()) -> bool:
        written = {"tally": {"S": _json(tally)}, "rest": {"S": " ".join(rest)}}
        return self._put(f"{sweep_id}#looked#{part}", written)

    def progress(self, sweep_id: str) -> Progress | None:
        sweep = self.get(sweep_id)
        if sweep is None:
            return None
        gathered = _Gathered()
        # All but the marks, which are most of it.
        shown = "sk, resources, parts, rest, tally, ends"
        for item in self._query(f"{sweep_id}#", ProjectionExpression=shown):
            gathered.add(item["sk"]["S"].removeprefix(f"{sweep_id}#"), item)
        return gathered.progress(sweep)

    def is_told(self, sweep_id: str, team: str) -> bool:
        return self._get(f"{sweep_id}#told#{team}") is not None

    def mark_told(self, sweep_id: str, team: str) -> None:
        self._put(f"{sweep_id}#told#{team}", {})

    def end(self, sweep: Sweep) -> bool:
        values = {":ended": {"S": sweep.id}}
        if sweep.complete:
            values |= {":matrix": {"S": sweep.matrix_version}}
        self._update(
            "@last",
            f"SET ended = :ended{', complete = :ended, matrix_version = :matrix' * sweep.complete}",
            None,
            values,
        )
        self._update(
            "@current", "SET claimed_until = :free", "sweep = :sweep", {":free": {"S": ""}, ":sweep": {"S": sweep.id}}
        )
        # Last, so that whoever dies on the way does it all again; and whoever gets here first is the one who tells.
        return self._update(
            sweep.id,
            "SET header = :header, ended = :at",
            "attribute_exists(pk) AND attribute_not_exists(ended)",
            {":header": {"S": _json(sweep)}, ":at": {"S": to_wire(sweep.ended)}},
        )

    # --- the table ---------------------------------------------------------------------------------------------------

    def _key(self, sort: str) -> dict[str, Any]:
        return {"pk": {"S": self._partition}, "sk": {"S": sort}}

    def _get(self, sort: str) -> Mapping[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=self._key(sort), ConsistentRead=True)
        item: Mapping[str, Any] | None = answer.get("Item")
        return item

    def _expiry(self) -> str:
        return str(int((self._clock() + KEPT).timestamp()))

    def _put(self, sort: str, attributes: Mapping[str, Any]) -> bool:
        """Write an item once; false if it was there."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**self._key(sort), **attributes, "expires": {"N": self._expiry()}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not _refused(error):
                raise
            return False
        return True

    def _update(self, sort: str, expression: str, condition: str | None, values: Mapping[str, Any]) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key(sort),
                UpdateExpression=expression,
                ExpressionAttributeValues=values,
                **({"ConditionExpression": condition} if condition else {}),
            )
        except ClientError as error:
            if not _refused(error):
                raise
            return False
        return True

    def _query(self, prefix: str, **more: Any) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": self._partition}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
            **more,
        }
        return _pages(self._client, request)


class MemorySweepStore:
    """Keeps sweeps as long as the process lives; the contract is `SweepStore`."""

    def __init__(self, last: Last | None = None) -> None:
        self._sweeps: dict[str, Sweep] = {}
        self._last = last
        self._gathered: dict[str, _Gathered] = {}
        self._marks: dict[str, set[bytes]] = {}
        self._told: set[tuple[str, str]] = set()

    def begin(self, sweep: Sweep) -> bool:
        if sweep.id not in self._sweeps:
            if self.running():
                return False
            self._sweeps[sweep.id] = sweep
            self._gathered[sweep.id], self._marks[sweep.id] = _Gathered(), set()
        return True

    def get(self, sweep_id: str) -> Sweep | None:
        return self._sweeps.get(sweep_id)

    def running(self) -> str | None:
        return next((each.id for each in self._sweeps.values() if each.ended is None), None)

    def last(self) -> Last | None:
        return self._last

    def reserve(self, sweep_id: str, responder: str, resources: int, *, most: int) -> int | None:  # noqa: ARG002
        """What is handed out here is looked at before there is more, so nothing need wait."""
        return 0

    def slices(self, sweep_id: str, listing: str) -> frozenset[str]:
        named = [each.rpartition("#") for each in self._gathered[sweep_id].slices]
        return frozenset(name for resource_type, _, name in named if resource_type == listing)

    def marks(self, sweep_id: str) -> set[bytes]:
        return set(self._marks[sweep_id])

    def hand_out(self, sweep_id: str, handed: Slice) -> None:
        named = f"{handed.type}#{handed.name}"
        self._gathered[sweep_id].slices.setdefault(named, (handed.resources, handed.parts))
        self._marks[sweep_id].update(_marks_in(handed.marks))

    def end_of(self, sweep: Sweep, resource_type: str, refused: str = "") -> tuple[str, ...]:
        ends = self._gathered[sweep.id].ends
        ends.setdefault(resource_type, refused)
        return _unlisted(sweep, ends)

    def looked(self, sweep_id: str, part: str, tally: Tally, rest: tuple[str, ...] = ()) -> bool:
        looked = self._gathered[sweep_id].looked
        return looked.setdefault(part, (tally, rest)) == (tally, rest)

    def progress(self, sweep_id: str) -> Progress | None:
        sweep = self.get(sweep_id)
        return self._gathered[sweep_id].progress(sweep) if sweep else None

    def is_told(self, sweep_id: str, team: str) -> bool:
        return (sweep_id, team) in self._told

    def mark_told(self, sweep_id: str, team: str) -> None:
        self._told.add((sweep_id, team))

    def end(self, sweep: Sweep) -> bool:
        before = self._sweeps[sweep.id]
        if before.ended:
            return False
        self._sweeps[sweep.id] = sweep
        was = self._last or Last(sweep.id)
        complete = (sweep.id, sweep.matrix_version) if sweep.complete else (was.complete, was.matrix_version)
        self._last = Last(sweep.id, *complete)
        return True


@dataclass(slots=True)
class _Gathered:
    """The items of a sweep, as far as they count."""

    slices: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    looked: dict[str, tuple[Tally, tuple[str, ...]]] = field(default_factory=dict)

    def add(self, sort: str, item: Mapping[str, Any]) -> None:
        kind, _, name = sort.partition("#")
        if kind == "listed":
            self.slices[name] = (int(item["resources"]["N"]), tuple(item["parts"]["S"].split()))
        elif kind == "ends":
            self.ends = {each: refused["S"] for each, refused in item["ends"]["M"].items()}
        elif kind == "looked":
            tally = from_wire(Tally, json.loads(item["tally"]["S"]))
            self.looked[name] = (tally, tuple(item["rest"]["S"].split()))

    def progress(self, sweep: Sweep) -> Progress:
        parts = {part for _, parts in self.slices.values() for part in parts}
        # What is left of a part is outstanding only where that part is one of ours.
        pending = [part for part in parts if part in self.looked]
        while pending:
            fresh = set(self.looked[pending.pop()][1]) - parts
            parts |= fresh
            pending += [part for part in fresh if part in self.looked]
        return Progress(
            sweep=sweep,
            listed=sum(resources for resources, _ in self.slices.values()),
            parts=len(parts),
            waiting=tuple(sorted(parts - self.looked.keys())),
            unlisted=_unlisted(sweep, self.ends),
            refused={each: why for each, why in self.ends.items() if why},
            tally=sum((tally for tally, _ in self.looked.values()), Tally()),
        )


def standing(client: Any, table: str, account: str) -> Iterator[tuple[str, str]]:
    """Type and identifier of every resource of an account that has a standing finding, some several times.

    Asked of the keys alone: the findings of ten thousand resources would not fit into a function.
    """
    for status in STANDING:
        request: dict[str, Any] = {
            "TableName": table,
            "IndexName": BY_ACCOUNT.name,
            "KeyConditionExpression": "#partition = :account AND begins_with(status_due, :status)",
            "ExpressionAttributeNames": {"#partition": BY_ACCOUNT.partition},
            "ExpressionAttributeValues": {":account": {"S": account}, ":status": {"S": f"{status}#"}},
            "ProjectionExpression": "pk",
        }
        for item in _pages(client, request):
            _, resource_type, identifier = item["pk"]["S"].split("#", 2)
            yield resource_type, identifier


def _pages(client: Any, request: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    while True:
        page = client.query(**request)
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def _unlisted(sweep: Sweep, ended: Container[str]) -> tuple[str, ...]:
    return tuple(each for each in (*sweep.types, UNLISTED) if each not in ended)


def _marks_in(marks: bytes) -> Iterator[bytes]:
    return (marks[start : start + _MARK_BYTES] for start in range(0, len(marks), _MARK_BYTES))


def _refused(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def _json(value: Any) -> str:
    return json.dumps(to_wire(value), separators=(",", ":"), sort_keys=True)

"""AWS -> snapshot, one module per service, or per resource type where a service has many.

A `Reader` is the whole knowledge of one resource type: the calls that read it and the IAM action each needs, the
properties every call answers, the API calls that touch such a resource, and how all of them are listed. From these
declarations follow the EventBridge patterns, the roles, the touches in the compiled matrix and the service models in
the Lambda bundle; nothing of it is listed again.

Three answers are kept apart: gone (`Gone`), denied (the property is `unread`), throttled (the error rises, and SQS
delivers the event again).
"""

from __future__ import annotations

import pkgutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from itertools import islice
from keyword import iskeyword
from typing import Any, Protocol

from botocore.exceptions import ClientError

from demarc.core.arn import ArnShape
from demarc.core.model import Resource
from demarc.core.snapshot import OBSERVED, Snapshot
from demarc.core.touch import Touch

# Where a part says which of its properties it was refused, although it could read the rest.
UNREAD = "Unread"


class Clients(Protocol):
    """Gives the client of a service in a Region; made once, kept for the life of the process."""

    def __call__(self, service: str, region: str) -> Any: ...


class ResourceGone(Exception):
    """Raised by a part: the resource does not exist (any more)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One or a few API calls and what they answer.

    `calls` maps each botocore operation (`s3.GetPublicAccessBlock`) to the IAM action that allows it
    (`s3:GetBucketPublicAccessBlock`). `gives` names top-level properties (`Tags`) or `Observed.X`.
    `read` returns a mapping of those properties; one that is left out is not configured. Where a further call was
    refused, `Unread` maps the property it would have given to the reason.
    `on_behalf` are the IAM actions that AWS takes with the caller's permissions to answer: calls that it makes itself.
    """

    gives: tuple[str, ...]
    calls: Mapping[str, str]
    read: Callable[[Clients, Resource], Mapping[str, Any]]
    on_behalf: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[str, ...]:
        """Every IAM action that it needs."""
        return tuple(sorted({*self.calls.values(), *self.on_behalf}))


@dataclass(frozen=True, slots=True)
class Inventory:
    """How everything of a type that is in an account and Region is listed.

    `calls` and `on_behalf` are as in `Part`. `pages` takes the account and the Region, and yields identifiers as events
    give them, a page as AWS answers it at a time; nothing of a page is kept. A type that exists once per account is
    listed in the home Region of its partition, where its events arrive, and elsewhere without a call as nothing. A
    refusal rises like any other error: what may not be listed is not known to be empty.
    """

    calls: Mapping[str, str]
    pages: Callable[[Clients, str, str], Iterator[Sequence[str]]]
    on_behalf: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[str, ...]:
        """Every IAM action that it needs."""
        return tuple(sorted({*self.calls.values(), *self.on_behalf}))


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything that is known about reading one resource type.

    `arn` is a format string over partition, region, account and identifier. `responder` is the group of layers whose
    function reads it. `regional` is false for types that exist once per account (IAM). Only what Demarc deployed itself
    is known without an `inventory`.
    """

    type: str
    responder: str
    arn: str
    parts: tuple[Part, ...]
    touches: tuple[Touch, ...]
    regional: bool = True
    inventory: Inventory | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The resource was looked for and is not there."""

    resource: Resource
    observed_at: datetime


# What AWS services call a refusal; anything else (throttling, a fault of theirs) rises, and the queue tries again.
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)

# What Cloud Control says where the handler of a type gave up, or where there is none (Cloud Control API Reference,
# "GetResource", Errors). A handler that was refused something comes out as the first more often than as a refusal, and
# asking again brings the same. Its faults that pass (HandlerInternalFailure, NetworkFailure, Throttling) rise.
_GIVEN_UP = frozenset(
    {
        "GeneralServiceException",
        "HandlerFailureException",
        "InvalidCredentialsException",
        "PrivateTypeException",
        "TypeNotFoundException",
        "UnsupportedActionException",
    }
)


def refusal(error: ClientError, actions: Iterable[str]) -> str | None:
    """Why a call that needs these actions cannot be made; None for an error that may pass when it is tried again."""
    code = error.response["Error"]["Code"]
    allowed = f"one of {', '.join(actions)}"
    if code in DENIED:
        return f"{code}: {allowed} is not allowed"
    if code in _GIVEN_UP:
        return f"{code}: AWS could not read it for us; maybe {allowed} is not allowed"
    return None


def load(types: Iterable[str] | None = None) -> tuple[Reader, ...]:
    """The readers of some resource types, or all: only the modules of their services are imported.

    Raises:
        LookupError: if a type has no reader.
    """
    if types is None:
        return tuple(reader for module in _modules() for reader in _readers_in(module))
    return tuple(_reader(each) for each in types)


class Readers(Mapping[str, Reader]):
    """The readers of some resource types. The module of each is imported when somebody asks for it."""

    def __init__(self, types: Iterable[str]) -> None:
        self._types = frozenset(types)

    def __getitem__(self, resource_type: str) -> Reader:
        if resource_type not in self._types:
            raise KeyError(resource_type)
        return _reader(resource_type)

    def __contains__(self, resource_type: object) -> bool:
        return resource_type in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._types))

    def __len__(self) -> int:
        return len(self._types)


def _reader(resource_type: str) -> Reader:
    # AWS::KMS::Key is read by `kms`, AWS::EC2::Instance by `ec2.instance`, AWS::::Account by `account.account`.
    _, service, name = resource_type.lower().split("::")
    service = service or name
    service = f"{service}_" if iskeyword(service) else service
    candidates = (f"{service}.{name}", service, name)
    for reader in next((_readers_in(each) for each in candidates if each in _modules()), ()):
        if reader.type == resource_type:
            return reader
    raise LookupError(f"nothing reads {resource_type}")


@cache
def _modules() -> tuple[str, ...]:
    """Every module in which readers may be: a service's, or those of its types where they are many."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        inner = [f"{path}/{module.name}" for path in __path__] if module.ispkg else []
        found += [f"{module.name}.{each.name}" for each in pkgutil.iter_modules(inner)] or [module.name]
    return tuple(sorted(found))


def _readers_in(module: str) -> tuple[Reader, ...]:
    readers: tuple[Reader, ...] = getattr(import_module(f"{__name__}.{module}"), "READERS", ())
    return readers


# Where the partition keeps what exists once (IAM User Guide, "IAM endpoints"): the same place for every Region of it.
_HOME_REGIONS = {
    "cn": "cn-north-1",
    "eu-isoe": "eu-isoe-west-1",
    "eusc": "eusc-de-east-1",
    "us-gov": "us-gov-west-1",
    "us-iso": "us-iso-east-1",
    "us-isob": "us-isob-east-1",
    "us-isof": "us-isof-south-1",
}


def home_region(region: str) -> str:
    """The Region that answers for the global services of a Region's partition."""
    return next((home for prefix, home in _HOME_REGIONS.items() if region.startswith(f"{prefix}-")), "us-east-1")


def resource_of(reader: Reader, identifier: str, account: str, region: str) -> Resource:
    """A resource as an inventory names it."""
    arn = ArnShape.of(reader.arn).arn(identifier, account, region)
    return Resource(reader.type, identifier, account, region, arn)


def paged(client: Any, method: str, key: str, name: str, *, size: int, **asked: Any) -> Iterator[Sequence[str]]:
    """What a list has under `name` in each entry of `key`, page by page; `size` is how many to ask for at once."""
    for page in client.get_paginator(method).paginate(**asked, PaginationConfig={"PageSize": size}):
        yield [entry[name] for entry in page.get(key) or ()]


def parts_for(reader: Reader, needs: Iterable[str]) -> tuple[Part, ...]:
    """The parts that answer what is asked, and the one that gives the tags: attribution always asks for them."""
    asked = {"Tags", *needs}
    return tuple(part for part in reader.parts if asked.intersection(part.gives))


def is_taggable(reader: Reader) -> bool:
    """Whether resources of a type can carry tags that we read."""
    return any("Tags" in part.gives for part in reader.parts)


def read(
    reader: Reader, resource: Resource, *, needs: Iterable[str], clients: Clients, now: datetime
) -> Snapshot | Gone:
    """Take the snapshot of a resource with only the calls that answer `needs`.

    Raises:
        ClientError: for anything but a refusal; a throttled read is tried again from the queue.
    """
    parts = parts_for(reader, needs)
    properties: dict[str, Any] = {}
    unread: dict[str, str] = {}
    try:
        for part, answer in zip(parts, _answers(parts, clients, resource), strict=True):
            if isinstance(answer, str):
                unread |= dict.fromkeys(part.gives, answer)
            else:
                unread |= answer.get(UNREAD, {})
                _merge(properties, answer)
    except ResourceGone:
        return Gone(resource, now)
    given = frozenset(prop for part in parts for prop in part.gives)
    # A type without tags is a type whose tags are known to be none; what could have some and has not has an empty list.
    untaggable = {"Tags"} if not is_taggable(reader) else set()
    if not untaggable and "Tags" not in unread:
        properties.setdefault("Tags", [])
    return Snapshot(resource, now, properties, read=(given - unread.keys()) | untaggable, unread=unread)


def _answers(parts: tuple[Part, ...], clients: Clients, resource: Resource) -> Iterator[Mapping[str, Any] | str]:
    """What each part answers, in their order: of several that fail the first one counts, whichever failed sooner.

    Threads ask some parts ahead. What none of them has begun when its turn comes, whoever wants the answers asks:
    waking a thread costs more than an answer that is there at once.
    """
    ask = partial(_answer, clients=clients, resource=resource)
    if len(parts) <= 2:
        yield from map(ask, parts)
        return
    later = iter(parts[1:])
    ahead = deque((part, _threads().submit(ask, part)) for part in islice(later, _AHEAD))
    try:
        yield ask(parts[0])
        while ahead:
            part, answer = ahead.popleft()
            ahead.extend((each, _threads().submit(ask, each)) for each in islice(later, 1))
            yield ask(part) if answer.cancel() else answer.result()
    finally:
        for _, answer in ahead:
            answer.cancel()


# AWS answers in some 20 ms: fourteen reads take 300 ms one after another and 90 ms eight at a time.
_AHEAD = 7


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_AHEAD, thread_name_prefix="read")


def _answer(part: Part, clients: Clients, resource: Resource) -> Mapping[str, Any] | str:
    """What a part answers, or why it was refused."""
    try:
        return part.read(clients, resource)
    except ClientError as error:
        if why := refusal(error, part.actions):
            return why
        raise


def _merge(properties: dict[str, Any], answer: Mapping[str, Any]) -> None:
    """Add what a part answered; several parts may each have something under `Observed`."""
    observed = answer.get(OBSERVED)
    properties.update({prop: value for prop, value in answer.items() if prop not in (OBSERVED, UNREAD)})
    if observed:
        properties.setdefault(OBSERVED, {}).update(observed)

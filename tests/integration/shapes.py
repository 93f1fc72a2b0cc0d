"""Clients without AWS: what they are asked and what they answer has the form that AWS's service models say it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape
from botocore.paginate import Paginator
from botocore.session import Session
from botocore.validate import ParamValidator

THEN = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:service:us-east-1:111122223333:kind/name"
# Some structures have themselves inside.
DEEP = 10
# What is text to the models and JSON by AWS's documentation.
_WRITTEN = re.compile(r"policy|policies|document|settings|securityconfiguration", re.IGNORECASE)
_NAMES = re.compile(r"(name|id|arn|key|identifier|url)$", re.IGNORECASE)
# What AWS's documentation says is always there besides, by the structure that has it.
_DOCUMENTED = {
    ("AccessKeyMetadata", "CreateDate"),
    ("AccessKeyMetadata", "Status"),
    ("EnvironmentDescription", "ApplicationName"),
    ("EventSubscription", "CustSubscriptionId"),
    ("Instance", "State"),
    ("InstanceIpv6Address", "Ipv6Address"),
    ("InstanceState", "Code"),
    ("InstanceState", "Name"),
    ("IpRange", "CidrIp"),
    ("Ipv6Range", "CidrIpv6"),
    ("LayerVersionsListItem", "Version"),
    ("Policy", "DefaultVersionId"),
    ("PolicyVersion", "Document"),
    ("PrefixListEntry", "Cidr"),
    ("Role", "AssumeRolePolicyDocument"),
    ("Trail", "HomeRegion"),
    ("VpcEndpoint", "ServiceName"),
}
# What is any text to the models, and one of a few by AWS's documentation.
_SPELT = {
    "AlarmActions": ("arn:aws:sns:us-east-1:111122223333:name", "arn:aws:lambda:us-east-1:111122223333:function:name"),
    "CloudWatchLogsLogGroupArn": ("arn:aws:logs:us-east-1:111122223333:log-group:name:*",),
    "Engine": ("docdb", "neptune", "postgres"),
    "HomeRegion": ("eu-west-1", "us-east-1"),
}

# Where a call says which page it wants, and where an answer says that there is another.
_TOKENS = frozenset({"ExclusiveStartTagKey", "Marker", "NextMarker", "NextToken", "PageToken", "nextToken"})
_MORE = frozenset(
    {"HasMoreTags", "IsTruncated", "Marker", "NextMarker", "NextPageToken", "NextToken", "Truncated", "nextToken"}
)

_SESSION = Session()


class Structure(dict[str, Any]):
    """A structure of an answer, which knows what it may be asked for: a name that its shape has not is a mistake."""

    def __init__(self, shape: StructureShape, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self._shape = shape

    def __getitem__(self, name: str) -> Any:
        self._expect(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._expect(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._expect(name)
        return super().get(name, default)

    def _expect(self, name: object) -> None:
        assert name in self._shape.members, f"{self._shape.name} has no {name}"


class Answering:
    """Clients whose every call is answered by chance; `share` is how much is kept of what may be left out.

    `failing` names one operation (`kms.DescribeKey`) that fails instead, and with which code.

    Raises:
        AssertionError: from a call that its service would not take.
    """

    def __init__(self, seed: int, share: float, failing: tuple[str, str] = ("", "")) -> None:
        self._chance, self._share, self._failing = Random(seed), share, failing

    def __call__(self, service: str, region: str) -> _Client:
        return _Client(self, service)

    def answer(self, service: str, method: str, asked: Mapping[str, Any]) -> Any:
        operation = operation_of(service, method)
        _fits(asked, operation.input_shape, operation.name)
        if self._failing[0] == f"{service}.{operation.name}":
            raise ClientError({"Error": {"Code": self._failing[1], "Message": "no"}}, operation.name)
        return self.made(operation)

    def made(self, operation: OperationModel) -> dict[str, Any]:
        """An answer of an operation."""
        return self._structure(operation.output_shape, 0) if operation.output_shape else {}

    def _structure(self, shape: StructureShape, depth: int) -> Structure:
        members = {
            name: self._value(member, name, depth + 1)
            for name, member in shape.members.items()
            if _is_always_there(shape, name, depth) or (depth < DEEP and self._chance.random() < self._share)
        }
        return Structure(shape, members)

    def _value(self, shape: Any, name: str, depth: int) -> Any:
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                return [self._value(shape.member, name, depth + 1) for _ in range(self._length(depth))]
            case "map":
                keys = [self._value(shape.key, "", depth) for _ in range(self._length(depth))]
                return {key: self._value(shape.value, key, depth + 1) for key in keys}
            case "boolean":
                return self._chance.random() < 0.5
            case "integer" | "long":
                return self._chance.randint(0, 100)
            case "float" | "double":
                return self._chance.random()
            case "timestamp":
                return THEN
            case "blob":
                return b""
            case _:
                if spellings := shape.enum or _SPELT.get(name):
                    return self._chance.choice(spellings)
                return _text(name).ljust(shape.metadata.get("min", 1), "1")

    def _length(self, depth: int) -> int:
        return self._chance.randint(0, 2) if depth < DEEP else 0


class Turning(Answering):
    """Clients as those, one of whose calls (`kms.ListGrants`) has a second page; no other has.

    `turned` says whether it was asked for.
    """

    def __init__(self, seed: int, call: str) -> None:
        super().__init__(seed, share=0.9)
        self._call = call
        self.turned = False

    def answer(self, service: str, method: str, asked: Mapping[str, Any]) -> Any:
        answer = super().answer(service, method, asked)
        operation = operation_of(service, method)
        is_second = bool(_TOKENS & asked.keys())
        has_second = f"{service}.{operation.name}" == self._call
        self.turned |= has_second and is_second
        members = operation.output_shape.members if operation.output_shape else {}
        for name in _MORE & members.keys():
            answer[name] = has_second and not is_second
            if members[name].type_name != "boolean":
                answer[name] = "next" if answer[name] else ""
        return answer


class Written:
    """Clients whose calls are answered as it is written, in whichever order they come.

    `answers` has for an operation (`kms.DescribeKey`) its answer, the code of an error (and its words, after a
    colon), or two pages of a list.

    Raises:
        AssertionError: from a call that its service would not take, an answer that it would not give, and a call for
            which none is written.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.called: set[str] = set()

    def __call__(self, service: str, region: str) -> _Client:
        return _Client(self, service)

    def answer(self, service: str, method: str, asked: Mapping[str, Any]) -> Any:
        operation = operation_of(service, method)
        call = f"{service}.{operation.name}"
        self.called.add(call)
        _fits(asked, operation.input_shape, call)
        assert call in self._answers, f"no answer is written for {call}"
        answer = self._answers[call]
        if isinstance(answer, tuple):
            first, second = answer
            answer = second if _TOKENS & asked.keys() else first
        if isinstance(answer, str):
            code, _, message = answer.partition(": ")
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation.name)
        _fits(answer, operation.output_shape, call)
        return answer


class _Client:
    def __init__(self, answering: Answering | Written, service: str) -> None:
        self._answering, self._service = answering, service

    def get_paginator(self, method: str) -> _Pages | Paginator[Any]:
        operation = operation_of(self._service, method)
        paging = _pagination_of(self._service)[operation.name]
        if isinstance(self._answering, Written | Turning):
            return Paginator(getattr(self, method), paging, operation)
        return _Pages(self._answering, self._service, method, paging.get("limit_key"))

    def __getattr__(self, method: str) -> Any:
        return lambda **asked: self._answering.answer(self._service, method, asked)


class _Pages:
    """Two pages, whatever they say: the token of the next is left to chance."""

    def __init__(self, answering: Answering, service: str, method: str, limit: str | None) -> None:
        self._answering, self._service, self._method, self._limit = answering, service, method, limit

    def paginate(self, PaginationConfig: Mapping[str, int] | None = None, **asked: Any) -> Iterator[Any]:  # noqa: N803
        size = (PaginationConfig or {}).get("PageSize")
        shape = operation_of(self._service, self._method).input_shape
        if shape and self._limit and size:
            wanted = shape.members[self._limit]
            asked[self._limit] = str(size) if wanted.type_name == "string" else size
        for _ in range(2):
            yield self._answering.answer(self._service, self._method, asked)


@cache
def model_of(service: str) -> ServiceModel:
    return _SESSION.get_service_model(service)


@cache
def operation_of(service: str, method: str) -> OperationModel:
    """An operation, by the name of the client's method for it."""
    model = model_of(service)
    return model.operation_model(next(each for each in model.operation_names if xform_name(each) == method))


def errors_of(call: str) -> tuple[str, ...]:
    """The codes of the errors that the model of a call (`kms.DescribeKey`) lists, as answers bear them."""
    service, _, operation = call.partition(".")
    shapes = model_of(service).operation_model(operation).error_shapes
    return tuple(shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes)


def has_pages(call: str) -> bool:
    """Whether what a call (`kms.ListGrants`) answers may go on in another page."""
    service, _, operation = call.partition(".")
    model = model_of(service).operation_model(operation)
    asked, answered = (shape.members.keys() if shape else set() for shape in (model.input_shape, model.output_shape))
    return bool(_TOKENS & asked and _MORE & answered)


@cache
def _pagination_of(service: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _SESSION.get_component("data_loader").load_service_model(service, "paginators-1")
    return found["pagination"]  # type: ignore[no-any-return]


def _fits(value: Mapping[str, Any], shape: StructureShape | None, call: str) -> None:
    if shape is None:
        assert not value, f"{call} takes nothing"
        return
    if "Filter" in shape.members and "Filters" in value:
        # The one call of EC2's whose model has another word; botocore takes what the others take.
        value = {"Filter" if name == "Filters" else name: each for name, each in value.items()}
    wrong = ParamValidator().validate(value, shape)
    assert not wrong.has_errors(), f"{call}: {wrong.generate_report()}"


def _is_always_there(shape: StructureShape, name: str, depth: int) -> bool:
    """Whether a thing is no such thing without it, which the models seldom say.

    That is what they require; of an answer the structure that it is about; and of a structure its own name: a VPC has
    a VpcId. A list is never: services leave empty ones out.
    """
    member: Shape = shape.members[name]
    if name in shape.required_members or (shape.name, name) in _DOCUMENTED:
        return True
    if depth == 0 and member.type_name == "structure":
        return True
    is_a_name = member.type_name == "string" and _NAMES.search(name)
    return bool(is_a_name) and _NAMES.sub("", name).lower() in shape.name.lower()


def _text(name: str) -> str:
    if _WRITTEN.search(name):
        return '{"Version": "2012-10-17", "Statement": []}'
    # What is a number by AWS's documentation and text to the models is one.
    return ARN if name.lower().endswith("arn") else "1"

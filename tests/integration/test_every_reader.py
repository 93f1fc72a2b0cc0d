"""What holds for every reader, whichever service it asks: refusals, throttling, its declarations, and its list."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from demarc import readers
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone, Reader
from tests.published import action_of

# What happened is told by records, and read nowhere.
READERS = tuple(reader for reader in readers.load() if any(part.calls for part in reader.parts))
EACH = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.type)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "us-east-1"

# What an identifier has to look like before its reader asks anybody.
NAMES = {
    "AWS::ApiGateway::Stage": "a1b2c3/stages/live",
    "AWS::ECS::Service": "cluster/service",
    "AWS::EKS::AccessEntry": "cluster/arn:aws:iam::111122223333:role/operators",
    "AWS::EKS::Nodegroup": "cluster/nodes",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "app/shop/0a1b2c3d4e5f6071",
    "AWS::Lambda::LayerVersion": "common:3",
    "AWS::WAFv2::WebACL": "regional/webacl/name/00000000-0000-4000-8000-000000000000",
    "Demarc::Framework::Requirement": "Demarc/nist-800-53-r5/AT-2",
}


# The Region in which those of all Regions are listed, if it is not home.
KEPT_IN = {"AWS::S3::MultiRegionAccessPoint": "us-west-2"}


@cache
def operations(service: str) -> frozenset[str]:
    return frozenset(Session().get_service_model(service).operation_names)


class Failing:
    """A client each of whose calls fails in the same way; `asked` are the operations that were called."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.asked: list[str] = []

    def __call__(self, service: str, region: str) -> Failing:
        return self

    def get_paginator(self, method: str) -> Failing:
        self.asked.append(method)
        return self

    def paginate(self, **_: Any) -> Any:
        raise self._error("paginate")
        yield

    def __getattr__(self, method: str) -> Any:
        def call(**_: Any) -> Any:
            self.asked.append(method)
            raise self._error(method)

        return call

    def _error(self, operation: str) -> ClientError:
        return ClientError({"Error": {"Code": self._code, "Message": "no"}}, operation)


def look(reader: Reader, clients: Any) -> Snapshot | Gone:
    resource = readers.resource_of(reader, NAMES.get(reader.type, "example"), ACCOUNT, REGION)
    everything = tuple(prop for part in reader.parts for prop in part.gives)
    return readers.read(reader, resource, needs=everything, clients=clients, now=NOW)


@EACH
def test_what_is_refused_is_unread_with_the_reason_and_never_taken_for_nothing(reader: Reader) -> None:
    seen = look(reader, Failing("AccessDeniedException"))

    assert isinstance(seen, Snapshot)
    assert set(seen.unread) == {prop for part in reader.parts for prop in part.gives}
    assert all("AccessDeniedException" in why for why in seen.unread.values())


@EACH
def test_what_is_throttled_rises_so_that_the_queue_tries_again(reader: Reader) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        look(reader, Failing("ThrottlingException"))


@EACH
def test_every_call_exists_and_iam_knows_what_allows_it(reader: Reader) -> None:
    for part in reader.parts:
        for call, action in part.calls.items():
            service, _, operation = call.partition(".")
            assert operation in operations(service), call
            assert action_of(action) is not None, action


@EACH
def test_what_its_parts_give_is_given_once_and_named_as_a_snapshot_has_it(reader: Reader) -> None:
    given = [prop for part in reader.parts for prop in part.gives]

    assert len(given) == len(set(given))
    assert all(prop.count(".") == (1 if prop.startswith("Observed.") else 0) for prop in given)


@pytest.mark.parametrize(
    "reader", [each for each in READERS if each.inventory and each.inventory.calls], ids=lambda reader: reader.type
)
def test_a_list_that_is_refused_is_not_taken_for_an_empty_one(reader: Reader) -> None:
    assert reader.inventory is not None
    region = KEPT_IN.get(reader.type, REGION)

    with pytest.raises(ClientError, match="AccessDenied"):
        list(reader.inventory.pages(Failing("AccessDenied"), ACCOUNT, region))


def test_a_type_is_read_by_one_reader_and_found_by_its_name() -> None:
    assert len({reader.type for reader in READERS}) == len(READERS)
    assert readers.load([reader.type for reader in READERS]) == READERS


@EACH
def test_a_resource_is_what_it_says(reader: Reader) -> None:
    resource = readers.resource_of(reader, NAMES.get(reader.type, "example"), ACCOUNT, REGION)

    assert isinstance(resource, Resource)
    assert resource.type == reader.type
    assert "{" not in resource.arn

"""Readers before names that nothing has. They come from records, and whoever may put events on a bus writes those.

What is asked goes through botocore as it is: validated, given an endpoint and serialised. Only then it is answered, as
`shapes` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.arn import ArnShape
from demarc.core.cloudtrail import text_of
from demarc.core.model import Resource
from demarc.readers import Gone, Reader, ResourceGone
from demarc.readers.answers import asked
from tests.integration.shapes import Answering
from tests.integration.test_every_reader import ACCOUNT, EACH, NOW, REGION

# What a record may have where a name is due, cut where names, paths and queries are cut.
TEXTS = st.text() | st.text("ab1-_./:?#%&{}*@ é", max_size=8)
NAMED_SO = st.sampled_from(
    [
        *("a", "..", "a b", "a/../b", "%2F", "?x=1", "é", "{0}", "a:b:c", "/a/", "x" * 1400, "x/arn:aws:iam::1:role/x"),
        # As identifiers of several parts are, and with one of them missing.
        *("a/stages/b", "a/stages/", "cluster/", "/service", "app/a/b", "common:", "regional/webacl//1", "ssoins-1/"),
    ]
)


class Unsent:
    """Clients of botocore's own up to where it would send; what comes back is made by chance."""

    def __init__(self) -> None:
        self._clients = AwsClients()
        self._answering = Answering(0, 0.0)
        self._prepared: set[tuple[str, str]] = set()

    def answering(self, seed: int) -> Unsent:
        self._answering = Answering(seed, 0.7)
        return self

    def __call__(self, service: str, region: str) -> Any:
        client = self._clients(service, region)
        if (service, region) not in self._prepared:
            self._prepared.add((service, region))
            client.meta.events.register_first("before-call", self._answer)
        return client

    def _answer(self, model: OperationModel, **_: Any) -> tuple[Any, Mapping[str, Any]]:
        made = dict(self._answering.made(model))
        # A list that goes on by chance might never end.
        for name in ("Marker", "NextMarker", "NextPageToken", "NextToken", "nextToken"):
            made.pop(name, None)
        return SimpleNamespace(status_code=200, headers={}), made


@pytest.fixture(scope="module")
def unsent() -> Unsent:
    return Unsent()


def named(reader: Reader, text: str) -> Resource | None:
    """A resource of which a record has a text, or an ARN that ends with it; None where it names none."""
    shape = ArnShape.of(reader.arn)
    texts = (text_of(text), text_of(shape.arn(text, ACCOUNT, REGION)), text_of(f"arn:aws:iam::{ACCOUNT}:policy/{text}"))
    found = next((found for each in texts if each and (found := shape.named(each))), None)
    return readers.resource_of(reader, found.identifier, ACCOUNT, REGION) if found else None


@EACH
@given(text=NAMED_SO | TEXTS, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_a_record_has_for_a_name_fails_no_reader(reader: Reader, unsent: Unsent, text: str, seed: int) -> None:
    resource = named(reader, text)
    if resource is None:
        return
    clients = unsent.answering(seed)

    for part in reader.parts:
        try:
            found = part.read(clients, resource)
        except ResourceGone:
            continue
        assert isinstance(found, Mapping)


# The least that each service's model has for such a name, less one.
TOO_SHORT = {
    "AWS::ECR::Repository": "a",
    "AWS::ElasticBeanstalk::Environment": "abc",
    "AWS::FSx::FileSystem": "fs-0123456",
    "AWS::OpenSearchService::Domain": "ab",
    "AWS::RedshiftServerless::Namespace": "ab",
    "AWS::RedshiftServerless::Workgroup": "ab",
    "AWS::S3::AccessPoint": "ab",
    "AWS::Transfer::Connector": "c-0123456789abcdef",
    "AWS::Transfer::Server": "s-0123456789abcdef",
}


@pytest.mark.parametrize(("type_", "name"), TOO_SHORT.items())
def test_what_has_a_name_that_is_too_short_is_not_there(type_: str, name: str, unsent: Unsent) -> None:
    (reader,) = readers.load((type_,))
    everything = tuple(prop for part in reader.parts for prop in part.gives)

    resource = named(reader, name)
    assert resource

    seen = readers.read(reader, resource, needs=everything, clients=unsent.answering(0), now=NOW)

    assert isinstance(seen, Gone)


@pytest.mark.parametrize(
    "parameters", [{}, {"ServerId": 1}, {"ServerId": "s-1", "Name": "x"}], ids=["missing", "of another type", "unknown"]
)
def test_a_call_that_is_wrong_whatever_the_name_is_a_mistake_of_ours_and_rises(parameters: Any, unsent: Unsent) -> None:
    """Else a slip of the pen would close the findings of every server."""
    with pytest.raises(ParamValidationError):
        asked(unsent("transfer", REGION), "describe_server", ("ResourceNotFoundException",), **parameters)


def test_a_name_that_came_from_no_record_is_no_reason_to_call_a_resource_gone(unsent: Unsent) -> None:
    """A call that has no code for a resource that is not there is about something else."""
    with pytest.raises(ParamValidationError):
        asked(unsent("transfer", REGION), "describe_server", (), ServerId="s-1")


@pytest.mark.parametrize("name", ["a b", "x" * 256, "é"])
def test_a_bucket_whose_name_cannot_be_one_is_not_there(name: str, unsent: Unsent) -> None:
    (reader,) = readers.load(("AWS::S3::Bucket",))
    resource = named(reader, name)
    assert resource

    assert isinstance(readers.read(reader, resource, needs=(), clients=unsent.answering(0), now=NOW), Gone)


@pytest.mark.parametrize("region", ["evil.example", "eu-west-1.evil", "EU-WEST-1", "x", "eu west 1"])
def test_an_arn_of_what_can_be_no_region_names_nothing(region: str) -> None:
    shape = ArnShape.of("arn:{partition}:transfer:{region}:{account}:server/{identifier}")

    assert shape.named(f"arn:aws:transfer:{region}:{ACCOUNT}:server/s-1") is None


@EACH
def test_a_name_that_is_too_long_to_be_kept_names_nothing(reader: Reader) -> None:
    """Nothing is called so, and DynamoDB would refuse to keep what is found (2,048 bytes of a partition key)."""
    assert named(reader, "x" * 2000) is None
    assert named(reader, "é" * 1000) is None


def test_the_longest_name_there_is_names_what_it_is_the_name_of() -> None:
    (reader,) = readers.load(("AWS::SSM::Parameter",))

    assert named(reader, "/" + "x" * 1010)
    assert named(reader, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/" + "x" * 1010)

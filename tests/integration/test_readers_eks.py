"""Whom clusters of Kubernetes let in, as it is read from EKS, of which moto has no part."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.change import interpret
from demarc.core.model import Change
from demarc.core.snapshot import Snapshot
from demarc.core.touch import TouchIndex
from demarc.readers import Gone
from demarc.readers.eks import ACCESS_ENTRY
from tests.integration.records import a_call
from tests.integration.schema import matches_cloudformation

REGION, ACCOUNT = "eu-west-1", "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/operators"
ENCODED = ROLE.replace(":", "%3A").replace("/", "%2F")
NAMED = {"clusterName": "shop", "principalArn": ROLE}
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@cache
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("eks", REGION)


def look(identifier: str = f"shop/{ROLE}") -> Snapshot | Gone:
    entry = readers.resource_of(ACCESS_ENTRY, identifier, ACCOUNT, REGION)
    everything = tuple(prop for part in ACCESS_ENTRY.parts for prop in part.gives)
    return readers.read(ACCESS_ENTRY, entry, needs=everything, clients=lambda *_: client(), now=NOW)


def test_an_entry_is_read_in_cloudformations_words_with_its_policies_page_by_page() -> None:
    described = {"kubernetesGroups": ["viewers"], "type": "STANDARD", "tags": {"owner": "shop"}, **NAMED}
    everywhere = {"policyArn": ADMIN, "accessScope": {"type": "cluster", "namespaces": []}}
    somewhere = {"policyArn": VIEW, "accessScope": {"type": "namespace", "namespaces": ["checkout"]}}
    with Stubber(client()) as stubber:
        stubber.add_response("describe_access_entry", {"accessEntry": described}, NAMED)
        listed = "list_associated_access_policies"
        asked = {**NAMED, "maxResults": 100}
        stubber.add_response(listed, {"associatedAccessPolicies": [everywhere], "nextToken": "more"}, asked)
        stubber.add_response(listed, {"associatedAccessPolicies": [somewhere]}, {**asked, "nextToken": "more"})
        seen = look()

    assert isinstance(seen, Snapshot)
    assert (seen["ClusterName"], seen["PrincipalArn"], seen["KubernetesGroups"]) == ("shop", ROLE, ["viewers"])
    assert [each["AccessScope"]["Type"] for each in seen["AccessPolicies"]] == ["cluster", "namespace"]
    assert seen.tags == {"owner": "shop"}
    matches_cloudformation(seen)


def test_an_entry_that_went_is_gone() -> None:
    with Stubber(client()) as stubber:
        stubber.add_client_error("describe_access_entry", "ResourceNotFoundException", http_status_code=404)
        stubber.add_client_error("list_associated_access_policies", "ResourceNotFoundException", http_status_code=404)
        assert isinstance(look(), Gone)


def test_a_cluster_is_no_entry() -> None:
    assert isinstance(look("shop"), Gone)


def listed(*answers: dict[str, Any] | str) -> list[list[str]]:
    with Stubber(client()) as stubber:
        names = [f"shop-{number}" for number, _ in enumerate(answers)]
        stubber.add_response("list_clusters", {"clusters": names})
        for answer in answers:
            if isinstance(answer, str):
                stubber.add_client_error("list_access_entries", answer)
            else:
                stubber.add_response("list_access_entries", answer)
        assert ACCESS_ENTRY.inventory
        return [list(page) for page in ACCESS_ENTRY.inventory.pages(lambda *_: client(), ACCOUNT, REGION)]


def test_entries_are_listed_cluster_by_cluster() -> None:
    assert listed({"accessEntries": [ROLE]}, {"accessEntries": [ROLE]}) == [[f"shop-0/{ROLE}"], [f"shop-1/{ROLE}"]]


@pytest.mark.parametrize("refused", ["InvalidRequestException", "ResourceNotFoundException"])
def test_a_cluster_that_has_no_entries_hides_none_of_the_others(refused: str) -> None:
    """A cluster that goes by its ConfigMap alone refuses to list any, and one may be deleted meanwhile."""
    assert listed(refused, {"accessEntries": [ROLE]}) == [[f"shop-1/{ROLE}"]]


def test_a_refusal_to_list_rises() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        listed("AccessDeniedException")


@pytest.mark.parametrize(
    ("name", "asked", "sets"),
    [
        ("CreateAccessEntry", {"name": "shop", "principalArn": ROLE}, ("*",)),
        ("AssociateAccessPolicy", {"name": "shop", "principalArn": ENCODED, "policyArn": ADMIN}, ("AccessPolicies",)),
        ("DisassociateAccessPolicy", {"name": "shop", "principalArn": ENCODED}, ("AccessPolicies",)),
        ("DeleteAccessEntry", {"clusterName": "shop", "principalArn": ENCODED}, ("*",)),
    ],
)
def test_an_entry_is_the_same_however_a_record_spells_its_principal(
    name: str, asked: dict[str, str], sets: tuple[str, ...]
) -> None:
    change = interpret(
        a_call("eks", name, asked, awsRegion=REGION, recipientAccountId=ACCOUNT), TouchIndex.of((ACCESS_ENTRY,))
    )

    assert isinstance(change, Change), change
    assert [(each.resource.identifier, each.sets) for each in change.touched] == [(f"shop/{ROLE}", sets)]

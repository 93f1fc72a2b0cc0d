"""What CloudFormation has made for the stack that Demarc is deployed as; what is known of Demarc itself is found so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from demarc.readers import Clients, ResourceGone

Answer = Mapping[str, Any]

_TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")

# What listing calls, and the IAM action that allows it.
LISTED: Mapping[str, str] = {"cloudformation.ListStackResources": "cloudformation:ListStackResources"}


def made(clients: Clients, region: str, stack: str) -> Iterator[Answer]:
    """What CloudFormation has made for a stack and not deleted again.

    Raises:
        ResourceGone: if there is no such stack.
    """
    pages = clients("cloudformation", region).get_paginator("list_stack_resources")
    try:
        for page in pages.paginate(StackName=stack):
            yield from (each for each in page.get("StackResourceSummaries", ()) if _exists(each))
    except ClientError as error:
        if is_missing(error):
            raise ResourceGone from error
        raise


def table_of(stack_resources: Iterator[Answer] | list[Answer]) -> str | None:
    """The name of the table that findings are kept in; None if the stack has none."""
    return next((each["PhysicalResourceId"] for each in stack_resources if each["ResourceType"] in _TABLES), None)


def is_missing(error: ClientError) -> bool:
    """CloudFormation's words for a name that no stack has, and for one that none can have."""
    return error.response["Error"]["Code"] == "ValidationError"


def _exists(made: Answer) -> bool:
    return "PhysicalResourceId" in made and made["ResourceStatus"] != "DELETE_COMPLETE"

"""CloudFormation's own word on what a snapshot may look like: the resource schemas that cfn-lint ships."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from jsonschema import Draft7Validator

from demarc.core.snapshot import ATTRIBUTION, OBSERVED, Snapshot


def matches_cloudformation(snapshot: Snapshot) -> bool:
    """Whether the properties are those of the type's schema.

    What was not asked for is not there, so nothing is required; `Observed` is outside the schema by design. Tags are
    asked of everything that AWS lets us tag, also where CloudFormation does not (managed policies).

    Raises:
        AssertionError: naming each property that does not fit.
    """
    properties = {name: value for name, value in snapshot.properties.items() if name not in (OBSERVED, ATTRIBUTION)}
    errors = [
        f"{error.json_path}: {error.message}" for error in _validator(snapshot.resource.type).iter_errors(properties)
    ]
    assert errors == []
    return True


@cache
def _validator(resource_type: str) -> Draft7Validator:
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    known = {name: value for name, value in schema.items() if name != "required"}
    known["properties"] = {"Tags": {"type": "array"}, **schema["properties"]}
    # Python's expressions have no Unicode categories: letters, numbers and the underscore, then blanks.
    return Draft7Validator(json.loads(json.dumps(known).replace(r"\\p{L}\\p{Z}\\p{N}_", r"\\w\\s")))

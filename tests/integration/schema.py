"""CloudFormation's own word on what a snapshot may look like: the resource schemas that cfn-lint ships."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from jsonschema import Draft7Validator

from demarc.core.snapshot import ATTRIBUTION, OBSERVED, Snapshot

# What CloudFormation neither makes nor reads.
WITHOUT_SCHEMA = frozenset(
    {
        *("AWS::Account::Region", "AWS::EC2::Image", "AWS::EC2::Snapshot", "AWS::RDS::DBClusterSnapshot"),
        *("AWS::RDS::DBSnapshot", "AWS::SSM::ManagedInstance"),
    }
)

# Tags that CloudFormation has as an object, or under another name, are read as everywhere else.
_TAGS = {"type": "array"}


def matches_cloudformation(snapshot: Snapshot) -> bool:
    """Whether the properties are those of the type's schema; of a type without one, whether all are outside it.

    What was not asked for is not there, so nothing is required; `Observed` is outside the schema by design. Tags are
    asked of everything that AWS lets us tag, also where CloudFormation does not (managed policies).

    Raises:
        AssertionError: naming each property that does not fit.
    """
    properties = {name: value for name, value in snapshot.properties.items() if name not in (OBSERVED, ATTRIBUTION)}
    if snapshot.resource.type in WITHOUT_SCHEMA:
        assert properties.keys() <= {"Tags"}
        return True
    errors = [
        f"{error.json_path}: {error.message}" for error in _validator(snapshot.resource.type).iter_errors(properties)
    ]
    assert errors == []
    return True


@cache
def _validator(resource_type: str) -> Draft7Validator:
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    known = _without_required(schema)
    known["properties"] = {**known["properties"], "Tags": _TAGS}
    # Python's expressions have no Unicode categories: letters, numbers and the underscore, then blanks.
    return Draft7Validator(json.loads(json.dumps(known).replace(r"\\p{L}\\p{Z}\\p{N}_", r"\\w\\s")))


def _without_required(node: Any) -> Any:
    """A schema that asks for nothing at any depth: a reading keeps of a structure what is judged."""
    if isinstance(node, list):
        return [_without_required(each) for each in node]
    if not isinstance(node, dict):
        return node
    # A property may itself be called "required"; then it is a schema, not a list of names.
    asked = {name for name in ("required", "dependencies") if isinstance(node.get(name), (list, dict))}
    return {name: _without_required(value) for name, value in node.items() if name not in asked}

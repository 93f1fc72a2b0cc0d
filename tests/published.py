"""AWS's own word on what IAM actions there are: the Service Authorization Reference, as cfn-lint carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint


def action_of(name: str) -> Mapping[str, Any] | None:
    """What is published of an action such as `s3:GetObject`, None if there is no such action."""
    service, _, action = name.partition(":")
    found: Mapping[str, Any] | None = _published()[service]["Actions"].get(action.lower())
    return found


def resources_of(service: str) -> Mapping[str, Any]:
    """The kinds of resources that a service's actions are allowed on, by name."""
    found: Mapping[str, Any] = _published()[service]["Resources"]
    return found


@cache
def _published() -> dict[str, Any]:
    """Service -> its actions and their resources."""
    path = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    reference: dict[str, Any] = json.loads(path.read_text())
    return reference

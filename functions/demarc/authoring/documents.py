"""The JSON schemas that editors use, generated from the models of what may be written."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel

from demarc.authoring.frameworks import FrameworkFile, SignedFile
from demarc.authoring.schema import ControlsFile, OrganizationFile, ResponsibilityFile

_SCHEMAS: Mapping[str, type[BaseModel]] = {
    "matrices/organization.schema.json": OrganizationFile,
    "matrices/responsibility.schema.json": ResponsibilityFile,
    "matrices/controls.schema.json": ControlsFile,
    "matrices/framework.schema.json": FrameworkFile,
    "matrices/signed.schema.json": SignedFile,
}


def schemas() -> dict[str, str]:
    """The JSON schema of each kind of matrix file, by the path it is kept at."""
    return {path: _schema_of(model) for path, model in _SCHEMAS.items()}


def _schema_of(model: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

"""Jobs of Glue, and its transforms that learn. Arguments of jobs, where secrets may be, are judged and not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, page_by_page, pages, present, same, tags_of

_SOURCE = "glue.amazonaws.com"
_GONE = ("EntityNotFoundException", "InvalidInputException")


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    job = asked(clients("glue", resource.region), "get_job", _GONE, JobName=resource.identifier)["Job"]
    return {
        "Name": job["Name"],
        **same(job, "GlueVersion", "SecurityConfiguration", "Role"),
        "Observed": present(
            Kind=job.get("Command", {}).get("Name"), PlaintextSecrets=secrets_in(job.get("DefaultArguments", {}))
        ),
    }


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    return {
        "Tags": tags_of(
            asked(clients("glue", resource.region), "get_tags", _GONE, ResourceArn=resource.arn).get("Tags")
        )
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("glue", region), "get_jobs", "Jobs", 100):
        yield [each["Name"] for each in page]


_SET = ("GlueVersion", "SecurityConfiguration", "Role", "Observed.Kind", "Observed.PlaintextSecrets")

JOB = Reader(
    type="AWS::Glue::Job",
    responder="data",
    arn="arn:{partition}:glue:{region}:{account}:job/{identifier}",
    parts=(
        Part(gives=("Name", *_SET), calls={"glue.GetJob": "glue:GetJob"}, read=_read),
        Part(gives=("Tags",), calls={"glue.GetTags": "glue:GetTags"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateJob",), ("requestParameters.name",), EVERYTHING),
        Touch(_SOURCE, ("DeleteJob",), ("requestParameters.jobName",), EVERYTHING),
        Touch(_SOURCE, ("UpdateJob", "UpdateJobFromSourceControl"), ("requestParameters.jobName",), _SET),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"glue.GetJobs": "glue:GetJobs"}, pages=_listed),
)


def _transform(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(clients("glue", resource.region), "get_ml_transform", _GONE, TransformId=resource.identifier)
    if found.get("Status") == "DELETING":
        raise ResourceGone
    data = found.get("TransformEncryption", {}).get("MlUserDataEncryption", {})
    kept = present(MLUserDataEncryptionMode=data.get("MlUserDataEncryptionMode"), KmsKeyId=data.get("KmsKeyId"))
    return {
        "TransformId": resource.identifier,
        **same(found, "Name", "GlueVersion", "Role"),
        **present(TransformEncryption={"MLUserDataEncryption": kept} if kept else None),
    }


def _transforms(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in page_by_page(clients("glue", region), "get_ml_transforms", MaxResults=100):
        yield [each["TransformId"] for each in page.get("Transforms", ()) if "TransformId" in each]


_AT_TRANSFORM = ("requestParameters.transformId",)

ML_TRANSFORM = Reader(
    type="AWS::Glue::MLTransform",
    responder="data",
    arn="arn:{partition}:glue:{region}:{account}:mlTransform/{identifier}",
    parts=(
        Part(
            gives=("TransformId", "Name", "GlueVersion", "Role", "TransformEncryption"),
            calls={"glue.GetMLTransform": "glue:GetMLTransform"},
            read=_transform,
        ),
        Part(gives=("Tags",), calls={"glue.GetTags": "glue:GetTags"}, read=_tags),
    ),
    touches=(
        Touch(_SOURCE, ("CreateMLTransform",), ("responseElements.transformId",), EVERYTHING),
        Touch(_SOURCE, ("DeleteMLTransform",), _AT_TRANSFORM, EVERYTHING),
        Touch(_SOURCE, ("UpdateMLTransform",), _AT_TRANSFORM, ("Name", "GlueVersion", "Role")),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls={"glue.GetMLTransforms": "glue:GetMLTransforms"}, pages=_transforms),
)

READERS: tuple[Reader, ...] = (JOB, ML_TRANSFORM)

"""Jobs of Glue. Their arguments, where secrets may be, are judged and not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags_of

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
        "Tags": tags_of(asked(clients("glue", resource.region), "get_tags", _GONE, ResourceArn=resource.arn)["Tags"])
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

READERS: tuple[Reader, ...] = (JOB,)

"""Projects that build: from where, with which variables, and where it is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.change import EVERYTHING, Touch
from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, tags, the_one

_SOURCE = "codebuild.amazonaws.com"
_GONE = ("InvalidInputException", "ResourceNotFoundException")
# A user and a password, or a token, before the host of an address.
_CREDENTIALS = re.compile(r"^[a-z]+://[^/@]+@", re.IGNORECASE)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    codebuild = clients("codebuild", resource.region)
    found = asked(codebuild, "batch_get_projects", _GONE, names=[resource.identifier])
    project = the_one(found["projects"])
    environment, logs = project.get("environment", {}), project.get("logsConfig", {})
    plain = {
        each["name"]: each.get("value", "")
        for each in environment.get("environmentVariables", ())
        if each.get("type", "PLAINTEXT") == "PLAINTEXT"
    }
    sources = [project.get("source", {}), *project.get("secondarySources", ())]
    return {
        "Name": project["name"],
        **present(EncryptionKey=project.get("encryptionKey"), Visibility=project.get("projectVisibility")),
        "Tags": tags(project.get("tags"), "key", "value"),
        "Observed": present(
            PrivilegedMode=environment.get("privilegedMode", False),
            PlaintextSecrets=secrets_in(plain),
            SourcesWithCredentials=sum(bool(_CREDENTIALS.match(each.get("location", ""))) for each in sources),
            CloudWatchLogs=logs.get("cloudWatchLogs", {}).get("status"),
            S3Logs=logs.get("s3Logs", {}).get("status"),
            S3LogsUnencrypted=logs.get("s3Logs", {}).get("encryptionDisabled", False),
        ),
    }


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    return pages(clients("codebuild", region), "list_projects", "projects")


_NAMED = ("requestParameters.name",)
_OBSERVED = tuple(
    f"Observed.{name}"
    for name in (
        *("PrivilegedMode", "PlaintextSecrets", "SourcesWithCredentials", "CloudWatchLogs", "S3Logs"),
        "S3LogsUnencrypted",
    )
)

PROJECT = Reader(
    type="AWS::CodeBuild::Project",
    responder="compute",
    arn="arn:{partition}:codebuild:{region}:{account}:project/{identifier}",
    parts=(
        Part(
            gives=("Name", "EncryptionKey", "Visibility", "Tags", *_OBSERVED),
            calls={"codebuild.BatchGetProjects": "codebuild:BatchGetProjects"},
            read=_read,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateProject", "DeleteProject"), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdateProject",), _NAMED, ("EncryptionKey", "Tags", *_OBSERVED)),
        Touch(_SOURCE, ("UpdateProjectVisibility",), ("requestParameters.projectArn",), ("Visibility",)),
        Touch(_SOURCE, ("CreateWebhook", "DeleteWebhook", "UpdateWebhook"), ("requestParameters.projectName",)),
    ),
    inventory=Inventory(calls={"codebuild.ListProjects": "codebuild:ListProjects"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (PROJECT,)

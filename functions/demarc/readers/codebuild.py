"""Projects that build: from where, with which variables, and where it is written down. And what tests report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.plaintext import secrets_in
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader, ResourceGone
from demarc.readers.answers import asked, pages, present, tags, the_one

_SOURCE = "codebuild.amazonaws.com"
_GONE = ("InvalidInputException", "ResourceNotFoundException")
# A user and a password, or a token, before the host of an address.
_CREDENTIALS = re.compile(r"^[a-z]+://[^/@]+@", re.IGNORECASE)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    codebuild = clients("codebuild", resource.region)
    found = asked(codebuild, "batch_get_projects", _GONE, names=[resource.identifier])
    project = the_one(found.get("projects"))
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
        Touch(_SOURCE, ("PutResourcePolicy", "DeleteResourcePolicy"), ("requestParameters.resourceArn",)),
    ),
    inventory=Inventory(calls={"codebuild.ListProjects": "codebuild:ListProjects"}, pages=_listed),
)


def _report_group(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("codebuild", resource.region)
    found = asked(client, "batch_get_report_groups", _GONE, reportGroupArns=[resource.arn])
    group = the_one(found.get("reportGroups"))
    if group.get("status") == "DELETING":
        raise ResourceGone
    return {
        "Name": resource.identifier,
        **present(Type=group.get("type")),
        "ExportConfig": _export(group.get("exportConfig", {})),
        "Tags": tags(group.get("tags"), "key", "value"),
    }


def _export(config: Mapping[str, Any]) -> dict[str, Any]:
    bucket = config.get("s3Destination", {})
    said = present(Bucket=bucket.get("bucket"), EncryptionKey=bucket.get("encryptionKey"))
    destination = {**said, "EncryptionDisabled": bucket.get("encryptionDisabled", False)}
    return {
        "ExportConfigType": config.get("exportConfigType", "NO_EXPORT"),
        **present(S3Destination=destination if bucket else None),
    }


def _report_groups(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("codebuild", region), "list_report_groups", "reportGroups", 100):
        yield [arn.partition(":report-group/")[2] for arn in page]


_AT_REPORT_GROUP = ("requestParameters.arn",)

REPORT_GROUP = Reader(
    type="AWS::CodeBuild::ReportGroup",
    responder="compute",
    arn="arn:{partition}:codebuild:{region}:{account}:report-group/{identifier}",
    parts=(
        Part(
            gives=("Name", "Type", "ExportConfig", "Tags"),
            calls={"codebuild.BatchGetReportGroups": "codebuild:BatchGetReportGroups"},
            read=_report_group,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateReportGroup",), ("responseElements.reportGroup.arn",), EVERYTHING),
        Touch(_SOURCE, ("DeleteReportGroup",), _AT_REPORT_GROUP, EVERYTHING),
        Touch(_SOURCE, ("UpdateReportGroup",), _AT_REPORT_GROUP, ("ExportConfig", "Tags")),
    ),
    inventory=Inventory(calls={"codebuild.ListReportGroups": "codebuild:ListReportGroups"}, pages=_report_groups),
)

READERS: tuple[Reader, ...] = (PROJECT, REPORT_GROUP)

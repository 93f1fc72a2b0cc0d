"""WorkSpaces: whether the volumes of people's desktops are encrypted."""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol

_SOURCE = "workspaces.amazonaws.com"
_READS = ("workspaces:DescribeTags", "workspaces:DescribeWorkspaces")
_NAMED = ("requestParameters.workspaceId",)

WORKSPACE = cloudcontrol.reader(
    "AWS::WorkSpaces::Workspace",
    responder="compute",
    arn="arn:{partition}:workspaces:{region}:{account}:workspace/{identifier}",
    gives=(
        *("BundleId", "DirectoryId", "RootVolumeEncryptionEnabled", "UserVolumeEncryptionEnabled"),
        *("VolumeEncryptionKey", "WorkspaceProperties", "Tags"),
    ),
    reading=_READS,
    listing=_READS,
    touches=(
        Touch(_SOURCE, ("CreateWorkspaces",), ("responseElements.pendingRequests[].workspaceId",), EVERYTHING),
        Touch(
            _SOURCE,
            ("TerminateWorkspaces",),
            ("requestParameters.terminateWorkspaceRequests[].workspaceId",),
            EVERYTHING,
        ),
        Touch(
            _SOURCE,
            ("RebuildWorkspaces",),
            ("requestParameters.rebuildWorkspaceRequests[].workspaceId",),
            ("BundleId",),
        ),
        # A desktop is migrated by making another one in its place.
        Touch(_SOURCE, ("MigrateWorkspace",), ("requestParameters.sourceWorkspaceId",), EVERYTHING),
        Touch(_SOURCE, ("MigrateWorkspace",), ("responseElements.targetWorkspaceId",), EVERYTHING),
        Touch(_SOURCE, ("ModifyWorkspaceProperties",), _NAMED, ("WorkspaceProperties",)),
        Touch(_SOURCE, ("ModifyWorkspaceState", "RestoreWorkspace"), _NAMED),
        Touch(_SOURCE, ("CreateTags", "DeleteTags"), ("requestParameters.resourceId",), ("Tags",), "ws-"),
    ),
)

READERS: tuple[Reader, ...] = (WORKSPACE,)

"""What AWS answers, by its documentation, about a thing of each type that moto does not play; and what is then seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ACCOUNT, REGION = "111122223333", "us-east-1"
THEN = datetime(2026, 1, 1, tzinfo=UTC)
OWNED = [{"Key": "owner", "Value": "payments"}]
ID = "0a1b2c3d-0000-4000-8000-5a6978879685"
# What no snapshot may keep.
SECRET = "xK9#mQ2$vL7pR4wZ"

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Documented:
    """`answers` by operation, two where it has two pages; `seen` are paths of the snapshot and their values.

    `missing` and `ending` are the answers that differ when the thing is not there, and while it is being deleted: a
    text is the code of an error. `pages` are two answers of the operation that lists, `listed` what is in them.
    """

    type: str
    identifier: str
    answers: Mapping[str, Answer | tuple[Answer, Answer]]
    seen: Mapping[str, Any]
    missing: Mapping[str, Answer | str] = field(default_factory=dict)
    ending: Mapping[str, Answer] = field(default_factory=dict)
    pages: Mapping[str, tuple[Answer, Answer]] = field(default_factory=dict)
    listed: tuple[tuple[str, ...], ...] = ()
    tags: Mapping[str, str] = field(default_factory=lambda: {"owner": "payments"})


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def image(**more: Any) -> Answer:
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": False, "SnapshotId": "snap-0a1b2c3d4e5f60718"}}
    return {
        "Images": [
            {
                "ImageId": "ami-0a1b2c3d4e5f60718",
                "State": "available",
                "OwnerId": ACCOUNT,
                "Public": True,
                "ImdsSupport": "v2.0",
                "BlockDeviceMappings": [disk, {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}],
                "Tags": OWNED,
                **more,
            }
        ]
    }


def client_vpn(**more: Any) -> Answer:
    return {
        "ClientVpnEndpoints": [
            {
                "ClientVpnEndpointId": "cvpn-endpoint-0a1b2c3d4e5f60718",
                "Status": {"Code": "available"},
                "SplitTunnel": True,
                "VpcId": "vpc-0a1b2c3d4e5f60718",
                "ConnectionLogOptions": {
                    "Enabled": True,
                    "CloudwatchLogGroup": "/vpn/staff",
                    "CloudwatchLogStream": "cvpn",
                },
                "Tags": OWNED,
                **more,
            }
        ]
    }


def vpn(**more: Any) -> Answer:
    logged = {"CloudWatchLogOptions": {"LogEnabled": True, "LogGroupArn": arn("logs", "log-group:vpn")}}
    return {
        "VpnConnections": [
            {
                "VpnConnectionId": "vpn-0a1b2c3d4e5f60718",
                "State": "available",
                "Type": "ipsec.1",
                "CustomerGatewayId": "cgw-0a1b2c3d4e5f60718",
                "TransitGatewayId": "tgw-0a1b2c3d4e5f60718",
                "CustomerGatewayConfiguration": f"<pre_shared_key>{SECRET}</pre_shared_key>",
                "Options": {
                    "TunnelOptions": [
                        {"OutsideIpAddress": "198.51.100.1", "PreSharedKey": SECRET, "LogOptions": logged},
                        {"OutsideIpAddress": "198.51.100.2", "PreSharedKey": SECRET},
                    ]
                },
                "VgwTelemetry": [{"Status": "UP"}, {"Status": "DOWN", "StatusMessage": "IPSEC IS DOWN"}],
                "Tags": OWNED,
                **more,
            }
        ]
    }


def firewall(status: str = "READY") -> Answer:
    return {
        "Firewall": {
            "FirewallName": "edge",
            "FirewallId": ID,
            "FirewallArn": arn("network-firewall", "firewall/edge"),
            "FirewallPolicyArn": arn("network-firewall", "firewall-policy/strict"),
            "VpcId": "vpc-0a1b2c3d4e5f60718",
            "SubnetMappings": [{"SubnetId": "subnet-0a1b2c3d"}, {"SubnetId": "subnet-4e5f6071"}],
            "DeleteProtection": True,
            "SubnetChangeProtection": False,
            "FirewallPolicyChangeProtection": False,
            "Tags": OWNED,
        },
        "FirewallStatus": {"Status": status, "ConfigurationSyncStateSummary": "IN_SYNC"},
    }


def firewall_policy(status: str = "ACTIVE") -> Answer:
    return {
        "UpdateToken": ID,
        "FirewallPolicy": {
            "StatelessRuleGroupReferences": [
                {"ResourceArn": arn("network-firewall", "stateless-rulegroup/pass"), "Priority": 1}
            ],
            "StatefulRuleGroupReferences": [{"ResourceArn": arn("network-firewall", "stateful-rulegroup/names")}],
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessFragmentDefaultActions": ["aws:drop"],
        },
        "FirewallPolicyResponse": {
            "FirewallPolicyName": "strict",
            "FirewallPolicyArn": arn("network-firewall", "firewall-policy/strict"),
            "FirewallPolicyId": ID,
            "FirewallPolicyStatus": status,
            "Tags": OWNED,
        },
    }


def rule_group(status: str = "ACTIVE") -> Answer:
    rule = {"RuleDefinition": {"MatchAttributes": {}, "Actions": ["aws:drop"]}, "Priority": 1}
    return {
        "UpdateToken": ID,
        "RuleGroup": {"RulesSource": {"StatelessRulesAndCustomActions": {"StatelessRules": [rule]}}},
        "RuleGroupResponse": {
            "RuleGroupName": "pass",
            "RuleGroupArn": arn("network-firewall", "stateless-rulegroup/pass"),
            "RuleGroupId": ID,
            "RuleGroupStatus": status,
            "Type": "STATELESS",
            "Tags": OWNED,
        },
    }


def workgroup(status: str = "AVAILABLE") -> Answer:
    return {
        "workgroup": {
            "workgroupName": "reports",
            "workgroupArn": arn("redshift-serverless", f"workgroup/{ID}"),
            "namespaceName": "reports",
            "status": status,
            "enhancedVpcRouting": True,
            "publiclyAccessible": False,
            "configParameters": [
                {"parameterKey": "enable_user_activity_logging", "parameterValue": "true"},
                {"parameterKey": "require_ssl", "parameterValue": "true"},
            ],
        }
    }


def namespace(status: str = "AVAILABLE") -> Answer:
    return {
        "namespace": {
            "namespaceName": "reports",
            "namespaceArn": arn("redshift-serverless", f"namespace/{ID}"),
            "status": status,
            "adminUsername": "reports_owner",
            "dbName": "dev",
            "kmsKeyId": "AWS_OWNED_KMS_KEY",
            "logExports": ["useractivitylog", "connectionlog"],
        }
    }


def file_system(lifecycle: str = "AVAILABLE") -> Answer:
    return {
        "FileSystems": [
            {
                "FileSystemId": "fs-0a1b2c3d4e5f60718",
                "FileSystemType": "OPENZFS",
                "Lifecycle": lifecycle,
                "StorageType": "SSD",
                "KmsKeyId": arn("kms", f"key/{ID}"),
                "OpenZFSConfiguration": {
                    "AutomaticBackupRetentionDays": 7,
                    "CopyTagsToBackups": True,
                    "CopyTagsToVolumes": False,
                    "DeploymentType": "SINGLE_AZ_1",
                    "ThroughputCapacity": 64,
                },
                "Tags": OWNED,
            }
        ]
    }


def kafka(state: str = "ACTIVE") -> Answer:
    return {
        "ClusterInfo": {
            "ClusterArn": arn("kafka", f"cluster/orders/{ID}-1"),
            "ClusterName": "orders",
            "ClusterType": "PROVISIONED",
            "State": state,
            "Tags": {"owner": "payments"},
            "Provisioned": {
                "BrokerNodeGroupInfo": {
                    "ClientSubnets": ["subnet-0a1b2c3d"],
                    "InstanceType": "kafka.m7g.large",
                    "ConnectivityInfo": {"PublicAccess": {"Type": "DISABLED"}},
                },
                "ClientAuthentication": {"Unauthenticated": {"Enabled": False}, "Sasl": {"Iam": {"Enabled": True}}},
                "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True}},
                "EnhancedMonitoring": "PER_BROKER",
                "LoggingInfo": {"BrokerLogs": {"CloudWatchLogs": {"Enabled": False}, "S3": {"Enabled": True}}},
                "NumberOfBrokerNodes": 3,
            },
        }
    }


def replication_task(status: str = "running") -> Answer:
    components = [
        {"Id": "SOURCE_CAPTURE", "Severity": "LOGGER_SEVERITY_DEFAULT"},
        {"Id": "TARGET_APPLY", "Severity": "LOGGER_SEVERITY_DEBUG"},
        {"Id": "METADATA_MANAGER", "Severity": "LOGGER_SEVERITY_DEFAULT"},
    ]
    settings = {"Logging": {"EnableLogging": True, "LogComponents": components}}
    return {
        "ReplicationTasks": [
            {
                "ReplicationTaskIdentifier": "nightly",
                "ReplicationTaskArn": arn("dms", "task:ABCDEFGHIJ"),
                "MigrationType": "full-load-and-cdc",
                "Status": status,
                "ReplicationTaskSettings": json.dumps(settings),
            }
        ]
    }


def proxy(status: str = "available") -> Answer:
    return {
        "DBProxies": [
            {
                "DBProxyName": "orders",
                "DBProxyArn": arn("rds", "db-proxy:prx-0a1b2c3d4e5f60718"),
                "Status": status,
                "EngineFamily": "POSTGRESQL",
                "RequireTLS": False,
                "DebugLogging": True,
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/proxy",
                "VpcId": "vpc-0a1b2c3d4e5f60718",
                "Auth": [
                    {"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED", "SecretArn": arn("secretsmanager", "secret:db")}
                ],
            }
        ]
    }


def documents(status: str = "available", **more: Any) -> Answer:
    return {
        "DBClusters": [
            {
                "DBClusterIdentifier": "catalogue",
                "DBClusterParameterGroup": "catalogue",
                "Status": status,
                "Engine": "docdb",
                "EngineVersion": "5.0.0",
                "BackupRetentionPeriod": 7,
                "DeletionProtection": True,
                "StorageEncrypted": True,
                "KmsKeyId": arn("kms", f"key/{ID}"),
                "EnabledCloudwatchLogsExports": ["audit"],
                "DBClusterMembers": [
                    {"DBInstanceIdentifier": "catalogue-1", "DBClusterParameterGroupStatus": "in-sync"},
                    {"DBInstanceIdentifier": "catalogue-2", "DBClusterParameterGroupStatus": "pending-reboot"},
                ],
                "TagList": OWNED,
                **more,
            }
        ]
    }


def access_point(status: str = "READY") -> Answer:
    return {
        "AccessPoint": {
            "Name": "photos",
            "Alias": "mfzwi23gnjvgw.mrap",
            "Status": status,
            "CreatedAt": THEN,
            "PublicAccessBlock": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": False,
            },
            "Regions": [{"Bucket": "photos-us", "Region": "us-east-1"}, {"Bucket": "photos-eu", "Region": "eu-west-1"}],
        }
    }


def endpoint(state: str = "ACTIVE") -> Answer:
    return {
        "Name": "orders",
        "Arn": arn("events", "endpoint/orders"),
        "State": state,
        "ReplicationConfig": {"State": "DISABLED"},
        "EventBuses": [{"EventBusArn": arn("events", "event-bus/orders")}] * 2,
    }


def environment(status: str = "Ready") -> Answer:
    return {
        "Environments": [
            {
                "EnvironmentName": "shop-live",
                "EnvironmentId": "e-abcdefghij",
                "EnvironmentArn": arn("elasticbeanstalk", "environment/shop/shop-live"),
                "ApplicationName": "shop",
                "PlatformArn": f"arn:aws:elasticbeanstalk:{REGION}::platform/Python 3.13/4.7.0",
                "Status": status,
            }
        ]
    }


SETTINGS: Answer = {
    "ConfigurationSettings": [
        {
            "ApplicationName": "shop",
            "EnvironmentName": "shop-live",
            "OptionSettings": [
                {
                    "Namespace": "aws:elasticbeanstalk:application:environment",
                    "OptionName": "DB_PASSWORD",
                    "Value": SECRET,
                },
                {"Namespace": "aws:elasticbeanstalk:cloudwatch:logs", "OptionName": "StreamLogs", "Value": "true"},
                {
                    "Namespace": "aws:elasticbeanstalk:healthreporting:system",
                    "OptionName": "SystemType",
                    "Value": "enhanced",
                },
                {"Namespace": "aws:elasticbeanstalk:managedactions", "OptionName": "ManagedActionsEnabled"},
            ],
        }
    ]
}


def compliance(resource: str, kind: str, status: str) -> Answer:
    return {"ResourceId": resource, "ResourceType": "ManagedInstance", "ComplianceType": kind, "Status": status}


EC2_ONE, EC2_TWO = "0a1b2c3d4e5f60718", "18706f5e4d3c2b1a0"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def guardrail(status: str = "READY") -> Answer:
    return {
        "name": "shop",
        "guardrailId": "a1b2c3d4e5f6",
        "guardrailArn": arn("bedrock", "guardrail/a1b2c3d4e5f6"),
        "version": "DRAFT",
        "status": status,
        "contentPolicy": {
            "filters": [{"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"}],
            "tier": {"tierName": "STANDARD"},
        },
        "wordPolicy": {"words": [{"text": SECRET}]},
        "sensitiveInformationPolicy": {
            "piiEntities": [
                {"type": "PASSWORD", "action": "ANONYMIZE", "outputAction": "BLOCK", "outputEnabled": True}
            ],
            "regexes": [{"name": "orders", "pattern": SECRET, "action": "BLOCK"}],
        },
        "createdAt": THEN,
        "updatedAt": THEN,
        "blockedInputMessaging": "No.",
        "blockedOutputsMessaging": "No.",
        "kmsKeyArn": arn("kms", f"key/{ID}"),
    }


def guardrail_of(identifier: str, status: str = "READY") -> Answer:
    """As it is listed."""
    return {
        "id": identifier,
        "arn": arn("bedrock", f"guardrail/{identifier}"),
        "status": status,
        "name": "shop",
        "version": "DRAFT",
        "createdAt": THEN,
        "updatedAt": THEN,
    }


def lets_in(account: str, action: str) -> Answer:
    return {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": action, "Resource": "*"}


DOCUMENTED = (
    Documented(
        "AWS::EC2::Image",
        f"ami-{EC2_ONE}",
        {
            "ec2.DescribeImages": image(),
            "ec2.DescribeImageAttribute": {
                "ImageId": f"ami-{EC2_ONE}",
                "LaunchPermissions": [
                    {"UserId": "444455556666"},
                    {"Group": "all"},
                    {"OrganizationArn": f"arn:aws:organizations::{ACCOUNT}:organization/o-abcdefghij"},
                ],
            },
        },
        {
            "Observed.Public": True,
            "Observed.Encrypted": False,
            "Observed.ImdsSupport": "v2.0",
            "Observed.OwnerId": ACCOUNT,
            "Observed.SharedWith": [
                "444455556666",
                "all",
                f"arn:aws:organizations::{ACCOUNT}:organization/o-abcdefghij",
            ],
        },
        missing={
            "ec2.DescribeImages": "InvalidAMIID.NotFound",
            "ec2.DescribeImageAttribute": "InvalidAMIID.Unavailable",
        },
        ending={"ec2.DescribeImages": image(State="deregistered")},
        pages={"ec2.DescribeImages": ({**image(), "NextToken": "next"}, image(ImageId=f"ami-{EC2_TWO}"))},
        listed=((f"ami-{EC2_ONE}",), (f"ami-{EC2_TWO}",)),
    ),
    Documented(
        "AWS::EC2::ClientVpnEndpoint",
        f"cvpn-endpoint-{EC2_ONE}",
        {"ec2.DescribeClientVpnEndpoints": client_vpn()},
        {"ConnectionLogOptions": {"Enabled": True, "CloudwatchLogGroup": "/vpn/staff"}, "SplitTunnel": True},
        missing={"ec2.DescribeClientVpnEndpoints": "InvalidClientVpnEndpointId.NotFound"},
        ending={"ec2.DescribeClientVpnEndpoints": client_vpn(Status={"Code": "deleting"})},
        pages={
            "ec2.DescribeClientVpnEndpoints": (
                {**client_vpn(), "NextToken": "next"},
                client_vpn(ClientVpnEndpointId=f"cvpn-endpoint-{EC2_TWO}"),
            )
        },
        listed=((f"cvpn-endpoint-{EC2_ONE}",), (f"cvpn-endpoint-{EC2_TWO}",)),
    ),
    Documented(
        "AWS::EC2::VPNConnection",
        f"vpn-{EC2_ONE}",
        {"ec2.DescribeVpnConnections": vpn()},
        {
            "TransitGatewayId": "tgw-0a1b2c3d4e5f60718",
            "VpnGatewayId": None,
            "Observed.Tunnels": ["UP", "DOWN"],
            "Observed.TunnelsLogged": [True, False],
        },
        missing={"ec2.DescribeVpnConnections": "InvalidVpnConnectionID.NotFound"},
        ending={"ec2.DescribeVpnConnections": vpn(State="deleting")},
        pages={"ec2.DescribeVpnConnections": (vpn(), {})},
        listed=((f"vpn-{EC2_ONE}",),),
    ),
    Documented(
        "AWS::NetworkFirewall::Firewall",
        "edge",
        {
            "network-firewall.DescribeFirewall": firewall(),
            "network-firewall.DescribeLoggingConfiguration": {
                "FirewallArn": arn("network-firewall", "firewall/edge"),
                "LoggingConfiguration": {
                    "LogDestinationConfigs": [
                        {"LogType": kind, "LogDestinationType": "S3", "LogDestination": {"bucketName": "logs"}}
                        for kind in ("FLOW", "ALERT")
                    ]
                },
            },
        },
        {
            "DeleteProtection": True,
            "FirewallPolicyArn": arn("network-firewall", "firewall-policy/strict"),
            "Observed.Subnets": 2,
            "Observed.LogTypes": ["ALERT", "FLOW"],
        },
        missing={
            "network-firewall.DescribeFirewall": "ResourceNotFoundException",
            "network-firewall.DescribeLoggingConfiguration": "ResourceNotFoundException",
        },
        ending={"network-firewall.DescribeFirewall": firewall("DELETING")},
        pages={
            "network-firewall.ListFirewalls": (
                {"Firewalls": [{"FirewallName": "edge"}], "NextToken": "next"},
                {"Firewalls": [{"FirewallName": "core"}]},
            )
        },
        listed=(("edge",), ("core",)),
    ),
    Documented(
        "AWS::NetworkFirewall::FirewallPolicy",
        "strict",
        {"network-firewall.DescribeFirewallPolicy": firewall_policy()},
        {
            "FirewallPolicyName": "strict",
            "Observed.RuleGroups": 2,
            "Observed.StatelessDefaultActions": ["aws:forward_to_sfe"],
            "Observed.StatelessFragmentDefaultActions": ["aws:drop"],
        },
        missing={"network-firewall.DescribeFirewallPolicy": "ResourceNotFoundException"},
        ending={"network-firewall.DescribeFirewallPolicy": firewall_policy("DELETING")},
        pages={
            "network-firewall.ListFirewallPolicies": (
                {"FirewallPolicies": [{"Name": "strict"}], "NextToken": "next"},
                {"FirewallPolicies": [{"Name": "lax"}]},
            )
        },
        listed=(("strict",), ("lax",)),
    ),
    Documented(
        "AWS::NetworkFirewall::RuleGroup",
        "pass",
        {"network-firewall.DescribeRuleGroup": rule_group()},
        {"RuleGroupName": "pass", "Observed.StatelessRules": 1},
        missing={"network-firewall.DescribeRuleGroup": "ResourceNotFoundException"},
        ending={"network-firewall.DescribeRuleGroup": rule_group("DELETING")},
        pages={
            "network-firewall.ListRuleGroups": (
                {"RuleGroups": [{"Name": "pass"}], "NextToken": "next"},
                {"RuleGroups": [{"Name": "drop"}]},
            )
        },
        listed=(("pass",), ("drop",)),
    ),
    Documented(
        "AWS::RedshiftServerless::Workgroup",
        "reports",
        {
            "redshift-serverless.GetWorkgroup": workgroup(),
            "redshift-serverless.ListTagsForResource": {"tags": [{"key": "owner", "value": "payments"}]},
        },
        {
            "EnhancedVpcRouting": True,
            "PubliclyAccessible": False,
            "Observed.RequireSsl": True,
            "Observed.Arn": arn("redshift-serverless", f"workgroup/{ID}"),
        },
        missing={"redshift-serverless.GetWorkgroup": "ResourceNotFoundException"},
        ending={"redshift-serverless.GetWorkgroup": workgroup("DELETING")},
        pages={
            "redshift-serverless.ListWorkgroups": (
                {"workgroups": [{"workgroupName": "reports"}], "nextToken": "next"},
                {"workgroups": [{"workgroupName": "night"}]},
            )
        },
        listed=(("reports",), ("night",)),
    ),
    Documented(
        "AWS::RedshiftServerless::Namespace",
        "reports",
        {
            "redshift-serverless.GetNamespace": namespace(),
            "redshift-serverless.ListTagsForResource": {"tags": [{"key": "owner", "value": "payments"}]},
        },
        {
            "AdminUsername": "reports_owner",
            "KmsKeyId": "AWS_OWNED_KMS_KEY",
            "LogExports": ["connectionlog", "useractivitylog"],
        },
        missing={"redshift-serverless.GetNamespace": "ResourceNotFoundException"},
        ending={"redshift-serverless.GetNamespace": namespace("DELETING")},
        pages={
            "redshift-serverless.ListNamespaces": (
                {"namespaces": [{"namespaceName": "reports"}], "nextToken": "next"},
                {"namespaces": [{"namespaceName": "night"}]},
            )
        },
        listed=(("reports",), ("night",)),
    ),
    Documented(
        "AWS::FSx::FileSystem",
        f"fs-{EC2_ONE}",
        {"fsx.DescribeFileSystems": file_system()},
        {
            "FileSystemType": "OPENZFS",
            "Observed.CopyTagsToBackups": True,
            "Observed.CopyTagsToVolumes": False,
            "Observed.DeploymentType": "SINGLE_AZ_1",
            "Observed.AutomaticBackupRetentionDays": 7,
        },
        missing={"fsx.DescribeFileSystems": "FileSystemNotFound"},
        ending={"fsx.DescribeFileSystems": file_system("DELETING")},
        pages={
            "fsx.DescribeFileSystems": (
                {**file_system(), "NextToken": "next"},
                {"FileSystems": [{"FileSystemId": f"fs-{EC2_TWO}"}]},
            )
        },
        listed=((f"fs-{EC2_ONE}",), (f"fs-{EC2_TWO}",)),
    ),
    Documented(
        "AWS::MSK::Cluster",
        f"orders/{ID}-1",
        {"kafka.DescribeClusterV2": kafka(), "kafka.GetClusterPolicy": {"CurrentVersion": "K1", "Policy": POLICY}},
        {
            "ClusterName": "orders",
            "EnhancedMonitoring": "PER_BROKER",
            "Observed.Kind": "PROVISIONED",
            "Observed.ClientBroker": "TLS",
            "Observed.InCluster": True,
            "Observed.PublicAccess": "DISABLED",
            "Observed.Unauthenticated": False,
            "Observed.LogsSomewhere": True,
            "Observed.Policy": json.loads(POLICY),
        },
        missing={"kafka.DescribeClusterV2": "NotFoundException", "kafka.GetClusterPolicy": "NotFoundException"},
        ending={"kafka.DescribeClusterV2": kafka("DELETING")},
        pages={
            "kafka.ListClustersV2": (
                {"ClusterInfoList": [{"ClusterArn": arn("kafka", f"cluster/orders/{ID}-1")}], "NextToken": "next"},
                {"ClusterInfoList": [{"ClusterArn": arn("kafka", f"cluster/events/{ID}-2")}]},
            )
        },
        listed=((f"orders/{ID}-1",), (f"events/{ID}-2",)),
    ),
    Documented(
        "AWS::DMS::ReplicationTask",
        "ABCDEFGHIJ",
        {"dms.DescribeReplicationTasks": replication_task(), "dms.ListTagsForResource": {"TagList": OWNED}},
        {
            "MigrationType": "full-load-and-cdc",
            "Observed.LoggingEnabled": True,
            "Observed.LogLevels": {
                "SOURCE_CAPTURE": "LOGGER_SEVERITY_DEFAULT",
                "TARGET_APPLY": "LOGGER_SEVERITY_DEBUG",
            },
        },
        missing={
            "dms.DescribeReplicationTasks": "ResourceNotFoundFault",
            "dms.ListTagsForResource": "ResourceNotFoundFault",
        },
        ending={"dms.DescribeReplicationTasks": replication_task("deleting")},
        pages={
            "dms.DescribeReplicationTasks": (
                {**replication_task(), "Marker": "next"},
                {"ReplicationTasks": [{"ReplicationTaskArn": arn("dms", "task:KLMNOPQRST")}]},
            )
        },
        listed=(("ABCDEFGHIJ",), ("KLMNOPQRST",)),
    ),
    Documented(
        "AWS::DocDB::DBCluster",
        "catalogue",
        {
            "rds.DescribeDBClusters": documents(),
            "rds.DescribeDBClusterParameters": {"Parameters": [{"ParameterName": "tls", "ParameterValue": "enabled"}]},
        },
        {
            "StorageEncrypted": True,
            "EnableCloudwatchLogsExports": ["audit"],
            "Observed.Zones": 2,
            "Observed.Tls": "enabled",
            "Observed.OutOfSync": 1,
        },
        missing={"rds.DescribeDBClusters": "DBClusterNotFoundFault"},
        ending={"rds.DescribeDBClusters": documents("deleting")},
        pages={
            "rds.DescribeDBClusters": (
                {**documents(), "Marker": "next"},
                {"DBClusters": [{"DBClusterIdentifier": "ledger", "Engine": "aurora-postgresql"}]},
            )
        },
        listed=(("catalogue",), ()),
    ),
    Documented(
        "AWS::RDS::DBProxy",
        "orders",
        {"rds.DescribeDBProxies": proxy(), "rds.ListTagsForResource": {"TagList": OWNED}},
        {"RequireTLS": False, "DebugLogging": True, "EngineFamily": "POSTGRESQL"},
        missing={"rds.DescribeDBProxies": "DBProxyNotFoundFault"},
        ending={"rds.DescribeDBProxies": proxy("deleting")},
        pages={
            "rds.DescribeDBProxies": (
                {**proxy(), "Marker": "next"},
                {"DBProxies": [{"DBProxyName": "ledger"}]},
            )
        },
        listed=(("orders",), ("ledger",)),
    ),
    Documented(
        "AWS::S3::MultiRegionAccessPoint",
        "photos",
        {"s3control.GetMultiRegionAccessPoint": access_point()},
        {
            "Alias": "mfzwi23gnjvgw.mrap",
            "PublicAccessBlockConfiguration.RestrictPublicBuckets": False,
            "Regions": [{"Bucket": "photos-us"}, {"Bucket": "photos-eu"}],
        },
        missing={"s3control.GetMultiRegionAccessPoint": "NoSuchMultiRegionAccessPoint"},
        ending={"s3control.GetMultiRegionAccessPoint": access_point("DELETING")},
        pages={
            "s3control.ListMultiRegionAccessPoints": (
                {"AccessPoints": [{"Name": "photos"}], "NextToken": "next"},
                {"AccessPoints": [{"Name": "films"}]},
            )
        },
        listed=(("photos",), ("films",)),
        tags={},
    ),
    Documented(
        "AWS::Events::Endpoint",
        "orders",
        {"events.DescribeEndpoint": endpoint()},
        {"Name": "orders", "ReplicationConfig.State": "DISABLED"},
        missing={"events.DescribeEndpoint": "ResourceNotFoundException"},
        ending={"events.DescribeEndpoint": endpoint("DELETING")},
        pages={
            "events.ListEndpoints": (
                {"Endpoints": [{"Name": "orders"}], "NextToken": "next"},
                {"Endpoints": [{"Name": "events"}]},
            )
        },
        listed=(("orders",), ("events",)),
        tags={},
    ),
    Documented(
        "AWS::DataSync::Task",
        f"task-{EC2_ONE}",
        {
            "datasync.DescribeTask": {
                "TaskArn": arn("datasync", f"task/task-{EC2_ONE}"),
                "Name": "nightly",
                "Status": "AVAILABLE",
                "CloudWatchLogGroupArn": arn("logs", "log-group:/datasync/nightly"),
                "Options": {"LogLevel": "TRANSFER", "VerifyMode": "ONLY_FILES_TRANSFERRED", "BytesPerSecond": -1},
            },
            "datasync.ListTagsForResource": {"Tags": OWNED},
        },
        {
            "Name": "nightly",
            "CloudWatchLogGroupArn": arn("logs", "log-group:/datasync/nightly"),
            "Options": {"LogLevel": "TRANSFER", "VerifyMode": "ONLY_FILES_TRANSFERRED"},
        },
        missing={
            "datasync.DescribeTask": "InvalidRequestException",
            "datasync.ListTagsForResource": "InvalidRequestException",
        },
        pages={
            "datasync.ListTasks": (
                {"Tasks": [{"TaskArn": arn("datasync", f"task/task-{EC2_ONE}")}], "NextToken": "next"},
                {"Tasks": [{"TaskArn": arn("datasync", f"task/task-{EC2_TWO}")}]},
            )
        },
        listed=((f"task-{EC2_ONE}",), (f"task-{EC2_TWO}",)),
    ),
    Documented(
        "AWS::ElasticBeanstalk::Environment",
        "shop-live",
        {
            "elasticbeanstalk.DescribeEnvironments": environment(),
            "elasticbeanstalk.DescribeConfigurationSettings": SETTINGS,
            "elasticbeanstalk.ListTagsForResource": {"ResourceTags": OWNED},
        },
        {
            "ApplicationName": "shop",
            "Observed.StreamLogs": "true",
            "Observed.HealthReporting": "enhanced",
            "Observed.ManagedUpdates": None,
        },
        missing={"elasticbeanstalk.DescribeEnvironments": {"Environments": []}},
        ending={"elasticbeanstalk.DescribeEnvironments": environment("Terminating")},
        pages={
            "elasticbeanstalk.DescribeEnvironments": (
                {**environment(), "NextToken": "next"},
                {
                    "Environments": [
                        {"EnvironmentName": "shop-test", "Status": "Ready"},
                        {"EnvironmentName": "shop-old", "Status": "Terminated"},
                    ]
                },
            )
        },
        listed=(("shop-live",), ("shop-test",)),
    ),
    Documented(
        "AWS::SSM::ManagedInstance",
        f"i-{EC2_ONE}",
        {
            "ssm.ListResourceComplianceSummaries": {
                "ResourceComplianceSummaryItems": [
                    compliance(f"i-{EC2_ONE}", "Association", "COMPLIANT"),
                    compliance(f"i-{EC2_ONE}", "Custom:Antivirus", "NON_COMPLIANT"),
                    compliance(f"i-{EC2_ONE}", "Patch", "NON_COMPLIANT"),
                ]
            }
        },
        {"Observed.Association": "COMPLIANT", "Observed.Patch": "NON_COMPLIANT"},
        missing={"ssm.ListResourceComplianceSummaries": {"ResourceComplianceSummaryItems": []}},
        pages={
            "ssm.ListResourceComplianceSummaries": (
                {
                    "ResourceComplianceSummaryItems": [
                        compliance(f"i-{EC2_ONE}", "Association", "COMPLIANT"),
                        compliance(f"i-{EC2_ONE}", "Patch", "COMPLIANT"),
                    ],
                    "NextToken": "next",
                },
                {"ResourceComplianceSummaryItems": [compliance(f"mi-{EC2_TWO}", "Patch", "COMPLIANT")]},
            )
        },
        listed=((f"i-{EC2_ONE}",), (f"mi-{EC2_TWO}",)),
        tags={},
    ),
    # moto plays vaults, and not what they let whom do.
    Documented(
        "AWS::Backup::BackupVault",
        "nightly",
        {
            "backup.DescribeBackupVault": {
                "BackupVaultName": "nightly",
                "BackupVaultArn": arn("backup", "backup-vault:nightly"),
                "EncryptionKeyArn": arn("kms", f"key/{ID}"),
                "Locked": True,
                "MinRetentionDays": 7,
            },
            "backup.GetBackupVaultAccessPolicy": {"BackupVaultName": "nightly", "Policy": POLICY},
            "backup.ListTags": {"Tags": {"owner": "payments"}},
        },
        {"AccessPolicy": json.loads(POLICY), "Observed.Locked": True},
        missing={
            "backup.DescribeBackupVault": "ResourceNotFoundException",
            "backup.ListTags": "ResourceNotFoundException",
        },
        pages={
            "backup.ListBackupVaults": (
                {"BackupVaultList": [{"BackupVaultName": "nightly"}], "NextToken": "next"},
                {"BackupVaultList": [{"BackupVaultName": "monthly"}]},
            )
        },
        listed=(("nightly",), ("monthly",)),
    ),
    Documented(
        "AWS::Bedrock::Guardrail",
        "a1b2c3d4e5f6",
        {
            "bedrock.GetGuardrail": guardrail(),
            "bedrock.ListTagsForResource": {"tags": [{"key": "owner", "value": "payments"}]},
        },
        {
            "GuardrailId": "a1b2c3d4e5f6",
            "Name": "shop",
            "KmsKeyArn": arn("kms", f"key/{ID}"),
            "ContentPolicyConfig.FiltersConfig": [
                {"Type": "PROMPT_ATTACK", "InputStrength": "HIGH", "OutputStrength": "NONE"}
            ],
            "SensitiveInformationPolicyConfig.PiiEntitiesConfig": [
                {"Type": "PASSWORD", "Action": "ANONYMIZE", "OutputAction": "BLOCK", "OutputEnabled": True}
            ],
            "SensitiveInformationPolicyConfig.RegexesConfig": [{"Name": "orders", "Action": "BLOCK"}],
        },
        missing={
            "bedrock.GetGuardrail": "ResourceNotFoundException",
            "bedrock.ListTagsForResource": "ResourceNotFoundException",
        },
        ending={"bedrock.GetGuardrail": guardrail("DELETING")},
        pages={
            "bedrock.ListGuardrails": (
                {"guardrails": [guardrail_of("a1b2c3d4e5f6")], "nextToken": "next"},
                {"guardrails": [guardrail_of("f6e5d4c3b2a1"), guardrail_of("c3b2a1f6e5d4", "DELETING")]},
            )
        },
        listed=(("a1b2c3d4e5f6",), ("f6e5d4c3b2a1",)),
    ),
    Documented(
        "AWS::Account::Region",
        ACCOUNT,
        {
            "guardduty.ListDetectors": {"DetectorIds": ["12abc34d567e8fa901bc2d34e56789f0"]},
            "macie2.GetMacieSession": {"status": "ENABLED", "createdAt": THEN},
            "macie2.GetAutomatedDiscoveryConfiguration": {"status": "ENABLED"},
            "inspector2.BatchGetAccountStatus": {
                "accounts": [
                    {
                        "accountId": ACCOUNT,
                        "state": {"status": "ENABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": "none"},
                        "resourceState": {
                            kind: {"status": status, "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}
                            for kind, status in (("ec2", "ENABLED"), ("ecr", "DISABLED"), ("lambda", "ENABLED"))
                        },
                    }
                ]
            },
            "config.DescribeConfigurationRecorders": {
                "ConfigurationRecorders": [
                    {
                        "name": "default",
                        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/{ID}",
                        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
                    }
                ]
            },
            "config.DescribeConfigurationRecorderStatus": {
                "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
            },
            "config.DescribeDeliveryChannels": {"DeliveryChannels": [{"name": "default", "s3BucketName": "config"}]},
            "securityhub.DescribeHub": {"HubArn": arn("securityhub", "hub/default")},
            "accessanalyzer.ListAnalyzers": {
                "analyzers": [
                    {
                        "arn": arn("access-analyzer", f"analyzer/{name}"),
                        "name": name,
                        "type": "ACCOUNT",
                        "createdAt": THEN,
                        "status": status,
                    }
                    for name, status in (("all", "ACTIVE"), ("old", "DISABLED"))
                ]
            },
            "ec2.DescribeVpcBlockPublicAccessOptions": {
                "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-ingress"}
            },
            "ec2.GetSnapshotBlockPublicAccessState": {"State": "block-all-sharing"},
            "ec2.GetImageBlockPublicAccessState": {"ImageBlockPublicAccessState": "block-new-sharing"},
            "ec2.GetSerialConsoleAccessStatus": {"SerialConsoleAccessEnabled": False},
            "ec2.GetInstanceMetadataDefaults": {"AccountLevel": {"HttpTokens": "required"}},
            "emr.GetBlockPublicAccessConfiguration": {
                "BlockPublicAccessConfiguration": {"BlockPublicSecurityGroupRules": True},
                "BlockPublicAccessConfigurationMetadata": {
                    "CreationDateTime": THEN,
                    "CreatedByArn": f"arn:aws:iam::{ACCOUNT}:root",
                },
            },
            "ssm.GetServiceSetting": {"ServiceSetting": {"SettingValue": "Disable"}},
            "bedrock.GetModelInvocationLoggingConfiguration": {
                "loggingConfig": {"s3Config": {"bucketName": "prompts"}}
            },
            "ecr.GetRegistryPolicy": {
                "registryId": ACCOUNT,
                "policyText": json.dumps({"Statement": [lets_in("444455556666", "ecr:ReplicateImage")]}),
            },
            "ecr.GetRegistryScanningConfiguration": {
                "registryId": ACCOUNT,
                "scanningConfiguration": {
                    "scanType": "BASIC",
                    "rules": [
                        {
                            "scanFrequency": "SCAN_ON_PUSH",
                            "repositoryFilters": [{"filter": "prod-*", "filterType": "WILDCARD"}],
                        }
                    ],
                },
            },
            "ecr.DescribeRegistry": {
                "registryId": ACCOUNT,
                "replicationConfiguration": {
                    "rules": [
                        {"destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}]},
                        {"destinations": [{"region": REGION, "registryId": "444455556666"}]},
                    ]
                },
            },
            "glue.GetDataCatalogEncryptionSettings": {
                "DataCatalogEncryptionSettings": {
                    "EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": "alias/aws/glue"},
                    "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": True},
                }
            },
            "glue.GetResourcePolicies": (
                # The one has a statement, the other a list of them.
                {
                    "GetResourcePoliciesResponseList": [
                        {"PolicyInJson": json.dumps({"Statement": lets_in("222233334444", "glue:GetTable")})}
                    ],
                    "NextToken": "next",
                },
                {
                    "GetResourcePoliciesResponseList": [
                        {"PolicyInJson": json.dumps({"Statement": [lets_in("444455556666", "glue:*")]})}
                    ]
                },
            ),
        },
        {
            "Observed.Detectors": 1,
            "Observed.Macie": "ENABLED",
            "Observed.MacieAutomatedDiscovery": "ENABLED",
            "Observed.Inspector": {"ec2": "ENABLED", "ecr": "DISABLED", "lambda": "ENABLED"},
            "Observed.Recorders": [
                {"Name": "default", "Recording": True, "Everything": True, "ServiceLinkedRole": True}
            ],
            "Observed.DeliveryChannels": 1,
            "Observed.SecurityHub": True,
            "Observed.Analyzers": ["ACCOUNT"],
            "Observed.VpcBlockPublicAccess": "block-ingress",
            "Observed.SnapshotBlockPublicAccess": "block-all-sharing",
            "Observed.ImageBlockPublicAccess": "block-new-sharing",
            "Observed.SerialConsoleAccess": False,
            "Observed.MetadataDefaultTokens": "required",
            "Observed.EmrBlocksPublicAccess": True,
            "Observed.DocumentsMayBePublic": False,
            "Observed.AutomationLogs": "Disable",
            "Observed.ModelInvocationLogs": ["S3"],
            "Observed.ImageRegistryPolicy": {"Statement": [lets_in("444455556666", "ecr:ReplicateImage")]},
            "Observed.ImageScanning": [{"Frequency": "SCAN_ON_PUSH", "Repositories": ["prod-*"]}],
            "Observed.ImageCopies": [
                {"Account": ACCOUNT, "Region": "eu-west-1"},
                {"Account": "444455556666", "Region": REGION},
            ],
            "Observed.CatalogEncryption": "SSE-KMS",
            "Observed.ConnectionPasswordsEncrypted": True,
            "Observed.CatalogPolicy": {
                "Statement": [lets_in("222233334444", "glue:GetTable"), lets_in("444455556666", "glue:*")]
            },
        },
        listed=((ACCOUNT,),),
        tags={},
    ),
)

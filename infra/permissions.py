"""What functions declare to call -> the least that IAM must allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from aws_cdk import Acknowledgment, Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

# What a module declares to call: each botocore operation and the IAM action that allows it.
Calls: TypeAlias = Mapping[str, str]

# Actions that take no resource, so that IAM knows only `*` for them (Service Authorization Reference, by service).
# A test compares this with the published data.
WITHOUT_RESOURCE = frozenset(
    {
        "access-analyzer:ListAnalyzers",
        "acm-pca:ListCertificateAuthorities",
        "acm:ListCertificates",
        "airflow:ListEnvironments",
        "appsync:ListGraphqlApis",
        "athena:ListWorkGroups",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations",
        "backup:ListBackupPlans",
        "backup:ListBackupVaults",
        "bedrock:GetModelInvocationLoggingConfiguration",
        "cloudformation:GetResource",
        "cloudformation:ListResources",
        "cloudfront:ListDistributions",
        "cloudtrail:DescribeTrails",
        "cloudtrail:ListEventDataStores",
        "cloudwatch:DescribeAlarmsForMetric",
        "codebuild:ListProjects",
        "codebuild:ListReportGroups",
        "cognito-identity:ListIdentityPools",
        "cognito-idp:ListUserPools",
        "config:DescribeDeliveryChannels",
        "connect:ListInstances",
        "datasync:ListTasks",
        "dms:DescribeEndpoints",
        "dms:DescribeReplicationInstances",
        "dms:DescribeReplicationTasks",
        "ds:DescribeDirectories",
        "dynamodb:ListTables",
        "ec2:DescribeAddresses",
        "ec2:DescribeClientVpnEndpoints",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeManagedPrefixLists",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSubnets",
        "ec2:DescribeTransitGateways",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcBlockPublicAccessOptions",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ec2:DescribeVpnConnections",
        "ec2:GetEbsEncryptionByDefault",
        "ec2:GetImageBlockPublicAccessState",
        "ec2:GetInstanceMetadataDefaults",
        "ec2:GetSerialConsoleAccessStatus",
        "ec2:GetSnapshotBlockPublicAccessState",
        "ecr:DescribeRegistry",
        "ecr:GetRegistryPolicy",
        "ecr:GetRegistryScanningConfiguration",
        "ecs:DescribeTaskDefinition",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTaskDefinitions",
        "eks:ListClusters",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancerPolicies",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticmapreduce:DescribeSecurityConfiguration",
        "elasticmapreduce:GetBlockPublicAccessConfiguration",
        "elasticmapreduce:ListClusters",
        "es:ListDomainNames",
        "events:ListEndpoints",
        "events:ListEventBuses",
        "firehose:ListDeliveryStreams",
        "fsx:DescribeFileSystems",
        "glue:GetJobs",
        "guardduty:ListDetectors",
        "iam:GetAccountPasswordPolicy",
        "iam:GetAccountSummary",
        "iam:ListGroups",
        "iam:ListOpenIDConnectProviders",
        "iam:ListPolicies",
        "iam:ListRoles",
        "iam:ListSAMLProviders",
        "iam:ListServerCertificates",
        "iam:ListUsers",
        "iam:ListVirtualMFADevices",
        "inspector2:BatchGetAccountStatus",
        "kafka:ListClustersV2",
        "kafkaconnect:ListConnectors",
        "kinesis:ListStreams",
        "kms:ListKeys",
        "lambda:ListFunctions",
        "lambda:ListLayerVersions",
        "lambda:ListLayers",
        "logs:DescribeLogGroups",
        "macie2:GetAutomatedDiscoveryConfiguration",
        "macie2:GetMacieSession",
        "mq:ListBrokers",
        "network-firewall:ListRuleGroups",
        "organizations:DescribeOrganization",
        "organizations:ListPolicies",
        "redshift-serverless:ListNamespaces",
        "redshift-serverless:ListWorkgroups",
        "redshift:DescribeClusterSubnetGroups",
        "route53:ListHostedZones",
        "s3:GetAccessPoint",
        "s3:GetAccountPublicAccessBlock",
        "s3:ListAccessPoints",
        "s3:ListAllMyBuckets",
        "s3:ListMultiRegionAccessPoints",
        "sagemaker:ListDataQualityJobDefinitions",
        "sagemaker:ListDomains",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModelBiasJobDefinitions",
        "sagemaker:ListModelExplainabilityJobDefinitions",
        "sagemaker:ListModelQualityJobDefinitions",
        "sagemaker:ListModels",
        "sagemaker:ListMonitoringSchedules",
        "sagemaker:ListNotebookInstances",
        "secretsmanager:ListSecrets",
        "servicecatalog:ListPortfolios",
        "ses:DescribeConfigurationSet",
        "ses:ListConfigurationSets",
        "sns:ListTopics",
        "sqs:ListQueues",
        "ssm:DescribeInstanceInformation",
        "ssm:DescribeParameters",
        "ssm:ListDocuments",
        "ssm:ListResourceComplianceSummaries",
        "sso:ListInstances",
        "states:ListStateMachines",
        "transfer:ListConnectors",
        "transfer:ListServers",
        "wafv2:ListWebACLs",
        "workspaces:DescribeTags",
        "workspaces:DescribeWorkspaces",
    }
)

EVERYTHING = "*"

# Actions on what is kept in a table: Demarc reads its own and nobody else's, by the grant of its box.
_ON_ITEMS = frozenset({"dynamodb:GetItem"})

# Everything of a service that is the account's own in the Region may be read, and nothing of another account, except
# where a resource that is judged here may live elsewhere: a trail or a policy of the organization in the management
# account, a prefix list with AWS or with whoever shares it. What exists once has no Region, and the ARNs of some name
# no account.
_OWN = "arn:{partition}:{service}:{region}:{account}:*"
_ELSEWHERE = {
    "account": "arn:{partition}:account::{account}:account",
    "apigateway": "arn:{partition}:apigateway:{region}::/*",
    "cloudfront": "arn:{partition}:cloudfront::{account}:distribution/*",
    "cloudtrail": "arn:{partition}:cloudtrail:*:*:*",
    "ec2": "arn:{partition}:ec2:{region}:*:*",
    "iam": "arn:{partition}:iam::{account}:*",
    "organizations": "arn:{partition}:organizations::*:policy/*",
    "route53": "arn:{partition}:route53:::*",
    "s3": "arn:{partition}:s3:*:*:*",
    "sso": "arn:{partition}:sso:::*",
    "servicecatalog": "arn:{partition}:catalog:{region}:{account}:*",
}

# What asks one service about a resource of another needs to be allowed on both (AWS WAF Developer Guide,
# "Permissions for GetWebACLForResource").
_ALSO_ON = {
    "wafv2:GetWebACLForResource": ("arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/*",),
}


def actions_on(service: str, calls: Iterable[Calls]) -> list[str]:
    """The declared actions of one service."""
    return sorted({action for each in calls for action in each.values() if action.startswith(f"{service}:")})


def reading(actions: Iterable[str], stack: Stack) -> list[iam.PolicyStatement]:
    """Statements that allow exactly some actions, on the account's own resources wherever IAM can say so."""
    here = {
        "partition": stack.partition,
        "region": stack.region,
        "account": stack.account,
    }
    return [
        iam.PolicyStatement(actions=allowed, resources=[template.format(**here)])
        for template, allowed in _by_resource(actions).items()
    ]


def secrets(names: Iterable[str], calls: Iterable[Calls], scope: IConstruct) -> list[iam.PolicyStatement]:
    """Statements that allow reading some secrets of this account and Region, by name.

    Secrets Manager puts six characters of its own behind the name, which nobody knows before the secret is made.
    """
    here = Stack.of(scope)
    arns = [
        f"arn:{here.partition}:secretsmanager:{here.region}:{here.account}:secret:{name}-??????"
        for name in sorted(names)
    ]
    actions = actions_on("secretsmanager", calls)
    return [iam.PolicyStatement(actions=actions, resources=arns)] if arns else []


def on_items(calls: Iterable[Calls]) -> Calls:
    """Of what is declared, what is done to Demarc's own table."""
    return {call: action for each in calls for call, action in each.items() if action in _ON_ITEMS}


def acknowledgments(actions: Iterable[str]) -> list[Acknowledgment]:
    """cdk-nag asks for a reason for each wildcard."""
    shown = {
        "partition": "<AWS::Partition>",
        "region": "<AWS::Region>",
        "account": "<AWS::AccountId>",
    }
    return [
        Acknowledgment(
            id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{template.format(**shown)}]",
            reason=_reason(template),
        )
        for template in _by_resource(actions)
    ]


def _reason(template: str) -> str:
    if template == EVERYTHING:
        return "AWS knows no narrower resource for these actions, which only read settings"
    return "Demarc judges every resource of the type, also those made tomorrow; the actions only read settings"


def _by_resource(actions: Iterable[str]) -> dict[str, list[str]]:
    """Actions by the resource they are allowed on."""
    grouped: dict[str, list[str]] = {}
    for action in sorted(set(actions) - _ON_ITEMS):
        service = action.partition(":")[0]
        here = _ELSEWHERE.get(service, _OWN.replace("{service}", service))
        template = EVERYTHING if action in WITHOUT_RESOURCE else here
        for each in (template, *_ALSO_ON.get(action, ())):
            grouped.setdefault(each, []).append(action)
    return grouped

"""What readers make of what AWS answers, as moto plays it: one thing of each type, made, read, listed and looked for.

Each example makes something and says what of it is to be seen. What moto has no API for is told by
`test_readers_documented` and `test_readers_answered`, where the answers are written down.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone
from tests.integration.schema import matches_cloudformation

ACCOUNT, REGION = "123456789012", "us-east-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNED = [{"Key": "owner", "Value": "payments"}]
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "own",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "*",
                "Resource": "*",
            }
        ],
    }
)

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Example:
    """`make` makes one thing and answers its identifier; `seen` are paths of its snapshot and their values."""

    type: str
    make: Callable[[Client], str]
    seen: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=lambda: {"owner": "payments"})
    nobody: str = "nobody"


def a_vpc(client: Client) -> str:
    ec2 = client("ec2")
    vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    ec2.create_tags(Resources=[vpc], Tags=OWNED)
    return vpc


def a_subnet(client: Client, zone: str = "us-east-1a", block: str = "10.0.1.0/24", vpc: str = "") -> str:
    ec2 = client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc or a_vpc(client), CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
    ec2.create_tags(Resources=[subnet], Tags=OWNED)
    return str(subnet)


def two_subnets(client: Client) -> list[str]:
    vpc = a_vpc(client)
    return [
        a_subnet(client, "us-east-1a", "10.0.1.0/24", vpc),
        a_subnet(client, "us-east-1b", "10.0.2.0/24", vpc),
    ]


def tagged(client: Client, identifier: str) -> str:
    client("ec2").create_tags(Resources=[identifier], Tags=OWNED)
    return identifier


def a_network_acl(client: Client) -> str:
    ec2 = client("ec2")
    acl = ec2.create_network_acl(VpcId=a_vpc(client))["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=100,
        Protocol="6",
        RuleAction="allow",
        Egress=False,
        CidrBlock="0.0.0.0/0",
        PortRange={"From": 443, "To": 443},
    )
    return tagged(client, str(acl))


def a_volume(client: Client) -> str:
    volume = client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)["VolumeId"]
    return tagged(client, str(volume))


def a_snapshot(client: Client) -> str:
    ec2 = client("ec2")
    snapshot = ec2.create_snapshot(VolumeId=a_volume(client))["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    return tagged(client, str(snapshot))


def a_launch_template(client: Client) -> str:
    data = {
        "MetadataOptions": {"HttpTokens": "required"},
        "NetworkInterfaces": [{"AssociatePublicIpAddress": True, "DeviceIndex": 0}],
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"Encrypted": False}}],
        "UserData": "c2VjcmV0",
    }
    made = client("ec2").create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData=data,
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": OWNED}],
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def a_load_balancer(client: Client) -> str:
    elb = client("elbv2")
    made = elb.create_load_balancer(Name="shop", Subnets=two_subnets(client), Tags=OWNED)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    elb.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    return str(arn).partition(":loadbalancer/")[2]


def a_target_group(client: Client) -> str:
    made = client("elbv2").create_target_group(
        Name="web", Protocol="HTTPS", Port=443, VpcId=a_vpc(client), HealthCheckProtocol="HTTPS", Tags=OWNED
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"]).partition(":targetgroup/")[2]


def a_classic_load_balancer(client: Client) -> str:
    client("elb").create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        AvailabilityZones=["us-east-1a"],
        Tags=OWNED,
    )
    return "old"


def a_cluster_of(engine: str, service: str = "rds") -> Callable[[Client], str]:
    def make(client: Client) -> str:
        client(service).create_db_cluster(
            DBClusterIdentifier="ledger",
            Engine=engine,
            MasterUsername="ledger_owner",
            MasterUserPassword="not-a-secret-1",
            StorageEncrypted=True,
            DeletionProtection=True,
            Tags=OWNED,
        )
        return "ledger"

    return make


def a_cluster_snapshot(client: Client) -> str:
    a_cluster_of("aurora-postgresql")(client)
    rds = client("rds")
    rds.create_db_cluster_snapshot(DBClusterIdentifier="ledger", DBClusterSnapshotIdentifier="friday", Tags=OWNED)
    return "friday"


def a_db_snapshot(client: Client) -> str:
    rds = client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="orders_owner",
        MasterUserPassword="not-a-secret-1",
        AllocatedStorage=20,
    )
    rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="friday", Tags=OWNED)
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="friday", AttributeName="restore", ValuesToAdd=["all"])
    return "friday"


def an_event_subscription(client: Client) -> str:
    topic = client("sns").create_topic(Name="databases")["TopicArn"]
    client("rds").create_event_subscription(
        SubscriptionName="all",
        SnsTopicArn=topic,
        SourceType="db-instance",
        EventCategories=["failure"],
        Enabled=True,
        Tags=OWNED,
    )
    return "all"


def a_table(client: Client) -> str:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
        Tags=OWNED,
    )
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return "orders"


def a_dax_cluster(client: Client) -> str:
    client("dax").create_cluster(
        ClusterName="cache",
        NodeType="dax.t3.small",
        ReplicationFactor=1,
        IamRoleArn=f"arn:aws:iam::{ACCOUNT}:role/dax",
        SSESpecification={"Enabled": True},
        ClusterEndpointEncryptionType="TLS",
        Tags=OWNED,
    )
    return "cache"


def a_replication_group(client: Client) -> str:
    client("elasticache").create_replication_group(
        ReplicationGroupId="sessions",
        ReplicationGroupDescription="sessions",
        Engine="redis",
        AutomaticFailoverEnabled=True,
        NumCacheClusters=2,
        AtRestEncryptionEnabled=True,
        TransitEncryptionEnabled=True,
        SnapshotRetentionLimit=3,
        Tags=OWNED,
    )
    return "sessions"


def a_cache_cluster(client: Client) -> str:
    client("elasticache").create_cache_cluster(
        CacheClusterId="alone",
        Engine="memcached",
        CacheNodeType="cache.t4g.micro",
        NumCacheNodes=1,
        CacheSubnetGroupName="private",
        AutoMinorVersionUpgrade=True,
        Tags=OWNED,
    )
    return "alone"


def a_domain(client: Client) -> str:
    client("opensearch").create_domain(
        DomainName="search",
        EngineVersion="OpenSearch_2.11",
        ClusterConfig={"InstanceCount": 3, "ZoneAwarenessEnabled": True},
        EncryptionAtRestOptions={"Enabled": True},
        NodeToNodeEncryptionOptions={"Enabled": True},
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        TagList=OWNED,
    )
    return "search"


def a_warehouse(client: Client) -> str:
    client("redshift").create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="ra3.large",
        MasterUsername="warehouse_owner",
        MasterUserPassword="Not-a-secret-1",
        PubliclyAccessible=False,
        Encrypted=True,
        EnhancedVpcRouting=True,
        Tags=OWNED,
    )
    return "warehouse"


def a_file_system(client: Client) -> str:
    efs = client("efs")
    system = efs.create_file_system(CreationToken="t", Encrypted=True, Tags=OWNED)["FileSystemId"]
    efs.put_file_system_policy(FileSystemId=system, Policy=POLICY)
    return str(system)


def an_access_point(client: Client) -> str:
    efs = client("efs")
    system = efs.create_file_system(CreationToken="t")["FileSystemId"]
    made = efs.create_access_point(
        ClientToken="t",
        FileSystemId=system,
        PosixUser={"Uid": 1000, "Gid": 1000},
        RootDirectory={"Path": "/checkout"},
        Tags=OWNED,
    )
    return str(made["AccessPointId"])


def a_vault(client: Client) -> str:
    client("backup").create_backup_vault(BackupVaultName="nightly", BackupVaultTags={"owner": "payments"})
    return "nightly"


def a_plan(client: Client) -> str:
    a_vault(client)
    rule = {"RuleName": "daily", "TargetBackupVaultName": "nightly", "Lifecycle": {"DeleteAfterDays": 35}}
    made = client("backup").create_backup_plan(
        BackupPlan={"BackupPlanName": "daily", "Rules": [rule]}, BackupPlanTags={"owner": "payments"}
    )
    return str(made["BackupPlanId"])


def a_bucket_access_point(client: Client) -> str:
    client("s3").create_bucket(Bucket="orders")
    client("s3control").create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="orders")
    return "reports"


def a_topic(client: Client) -> str:
    client("sns").create_topic(Name="orders", Attributes={"KmsMasterKeyId": "alias/messages"}, Tags=OWNED)
    return "orders"


def a_queue(client: Client) -> str:
    client("sqs").create_queue(
        QueueName="orders", Attributes={"SqsManagedSseEnabled": "true", "Policy": POLICY}, tags={"owner": "payments"}
    )
    return "orders"


def a_stream(client: Client) -> str:
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="orders", EncryptionType="KMS", KeyId="alias/aws/kinesis")
    kinesis.add_tags_to_stream(StreamName="orders", Tags={"owner": "payments"})
    return "orders"


def a_delivery_stream(client: Client) -> str:
    client("firehose").create_delivery_stream(
        DeliveryStreamName="orders",
        DeliveryStreamType="DirectPut",
        S3DestinationConfiguration={
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/firehose",
            "BucketARN": "arn:aws:s3:::orders",
        },
        Tags=OWNED,
    )
    return "orders"


def a_broker(client: Client) -> str:
    made = client("mq").create_broker(
        BrokerName="orders",
        AutoMinorVersionUpgrade=True,
        DeploymentMode="SINGLE_INSTANCE",
        EngineType="ACTIVEMQ",
        EngineVersion="5.18",
        HostInstanceType="mq.t3.micro",
        PubliclyAccessible=False,
        Users=[{"Username": "app", "Password": "Not-a-secret-1"}],
        Tags={"owner": "payments"},
    )
    return str(made["BrokerId"])


def a_secret(client: Client) -> str:
    made = client("secretsmanager").create_secret(Name="orders/db", SecretString="not-to-be-seen", Tags=OWNED)
    return str(made["ARN"]).partition(":secret:")[2]


def a_replication_instance(client: Client) -> str:
    made = client("dms").create_replication_instance(
        ReplicationInstanceIdentifier="mover",
        ReplicationInstanceClass="dms.t3.small",
        PubliclyAccessible=False,
        MultiAZ=True,
        AutoMinorVersionUpgrade=True,
        Tags=OWNED,
    )
    return str(made["ReplicationInstance"]["ReplicationInstanceArn"]).rpartition(":")[2]


def an_endpoint(client: Client) -> str:
    made = client("dms").create_endpoint(
        EndpointIdentifier="source", EndpointType="source", EngineName="mysql", SslMode="none", Tags=OWNED
    )
    return str(made["Endpoint"]["EndpointArn"]).rpartition(":")[2]


def a_role(client: Client) -> str:
    iam = client("iam")
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    return str(iam.create_role(RoleName="runner", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])


def a_function(client: Client) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    lambda_ = client("lambda")
    lambda_.create_function(
        FunctionName="checkout",
        Runtime="python3.13",
        Role=a_role(client),
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"STAGE": "live", "API_TOKEN": "xK9#mQ2$vL7pR4wZ"}},
        Tags={"owner": "payments"},
    )
    lambda_.add_permission(FunctionName="checkout", StatementId="all", Action="lambda:InvokeFunction", Principal="*")
    lambda_.create_function_url_config(FunctionName="checkout", AuthType="NONE")
    return "checkout"


def a_repository(client: Client) -> str:
    ecr = client("ecr")
    ecr.create_repository(
        repositoryName="shop/web",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=OWNED,
    )
    ecr.set_repository_policy(repositoryName="shop/web", policyText=POLICY)
    return "shop/web"


def an_ecs_cluster(client: Client) -> str:
    client("ecs").create_cluster(
        clusterName="shop",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags=[{"key": "owner", "value": "payments"}],
    )
    return "shop"


def a_task_definition(client: Client) -> str:
    container = {
        "name": "web",
        "image": "web",
        "memory": 128,
        "privileged": True,
        "environment": [{"name": "DB_PASSWORD", "value": "xK9#mQ2$vL7pR4wZ"}, {"name": "STAGE", "value": "live"}],
    }
    client("ecs").register_task_definition(
        family="web",
        networkMode="host",
        containerDefinitions=[container],
        tags=[{"key": "owner", "value": "payments"}],
    )
    return "web:1"


def an_ecs_service(client: Client) -> str:
    an_ecs_cluster(client)
    a_task_definition(client)
    client("ecs").create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=0,
        launchType="EC2",
        tags=[{"key": "owner", "value": "payments"}],
    )
    return "shop/web"


def a_kubernetes_cluster(client: Client) -> str:
    client("eks").create_cluster(
        name="shop",
        version="1.34",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
        resourcesVpcConfig={"subnetIds": two_subnets(client)},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"}}],
        logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]},
        tags={"owner": "payments"},
    )
    return "shop"


def a_nodegroup(client: Client) -> str:
    a_kubernetes_cluster(client)
    client("eks").create_nodegroup(
        clusterName="shop",
        nodegroupName="web",
        subnets=two_subnets(client),
        nodeRole=f"arn:aws:iam::{ACCOUNT}:role/nodes",
        remoteAccess={"ec2SshKey": "ops"},
        tags={"owner": "payments"},
    )
    return "shop/web"


def a_launch_configuration(client: Client) -> str:
    image = client("ec2").register_image(Name="base", RootDeviceName="/dev/sda1")["ImageId"]
    client("autoscaling").create_launch_configuration(
        LaunchConfigurationName="old",
        ImageId=image,
        InstanceType="t4g.micro",
        AssociatePublicIpAddress=True,
        MetadataOptions={"HttpTokens": "optional"},
        UserData="secret",
    )
    return "old"


def a_scaling_group(client: Client) -> str:
    a_launch_configuration(client)
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchConfigurationName="old",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=["us-east-1a", "us-east-1b"],
        Tags=[{"Key": "owner", "Value": "payments", "PropagateAtLaunch": True}],
    )
    return "web"


def a_project(client: Client) -> str:
    client("codebuild").create_project(
        name="shop",
        source={"type": "GITHUB", "location": "https://ci:hunter22@github.com/fjordline/shop"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": True,
            "environmentVariables": [{"name": "NPM_TOKEN", "value": "xK9#mQ2$vL7pR4wZ", "type": "PLAINTEXT"}],
        },
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/build",
        tags=[{"key": "owner", "value": "payments"}],
    )
    return "shop"


def a_state_machine(client: Client) -> str:
    client("stepfunctions").create_state_machine(
        name="order",
        definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/states",
        tags=[{"key": "owner", "value": "payments"}],
    )
    return "order"


def a_document(client: Client) -> str:
    ssm = client("ssm")
    content = {"schemaVersion": "2.2", "description": "x", "mainSteps": []}
    ssm.create_document(Content=json.dumps(content), Name="restart", DocumentType="Command", Tags=OWNED)
    ssm.modify_document_permission(Name="restart", PermissionType="Share", AccountIdsToAdd=["all"])
    return "restart"


def an_emr_cluster(client: Client) -> str:
    made = client("emr").run_job_flow(
        Name="nightly",
        ReleaseLabel="emr-7.1.0",
        Instances={"MasterInstanceType": "m5.large", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True},
        JobFlowRole="EMR_EC2_DefaultRole",
        ServiceRole="EMR_DefaultRole",
        Tags=OWNED,
    )
    return str(made["JobFlowId"])


def a_beanstalk_environment(client: Client) -> str:
    beanstalk = client("elasticbeanstalk")
    beanstalk.create_application(ApplicationName="shop")
    beanstalk.create_environment(
        ApplicationName="shop", EnvironmentName="live", SolutionStackName="64bit Amazon Linux 2023", Tags=OWNED
    )
    return "live"


def a_notebook(client: Client) -> str:
    client("sagemaker").create_notebook_instance(
        NotebookInstanceName="lab",
        InstanceType="ml.t3.medium",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lab",
        DirectInternetAccess="Disabled",
        RootAccess="Disabled",
        Tags=OWNED,
    )
    return "lab"


def a_model(client: Client) -> str:
    client("sagemaker").create_model(
        ModelName="scores",
        PrimaryContainer={"Image": "x"},
        ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lab",
        Tags=OWNED,
    )
    return "scores"


def an_endpoint_config(client: Client) -> str:
    a_model(client)
    variant = {"VariantName": "a", "ModelName": "scores", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client("sagemaker").create_endpoint_config(EndpointConfigName="scores", ProductionVariants=[variant], Tags=OWNED)
    return "scores"


def a_rest_stage(client: Client) -> str:
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="orders")["id"]
    resource = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK")
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(
        restApiId=api, stageName="live", deploymentId=deployment, tracingEnabled=True, tags={"owner": "payments"}
    )
    return f"{api}/stages/live"


def an_http_api(client: Client) -> str:
    gateway = client("apigatewayv2")
    api = gateway.create_api(Name="orders", ProtocolType="HTTP", Tags={"owner": "payments"})["ApiId"]
    gateway.create_route(ApiId=api, RouteKey="GET /orders", AuthorizationType="NONE")
    gateway.create_stage(ApiId=api, StageName="live")
    return str(api)


def a_graphql_api(client: Client) -> str:
    made = client("appsync").create_graphql_api(name="orders", authenticationType="API_KEY", tags={"owner": "payments"})
    return str(made["graphqlApi"]["apiId"])


def a_distribution(client: Client) -> str:
    origin = {
        "Id": "shop",
        "DomainName": "shop.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    config = {
        "CallerReference": "x",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "shop", "ViewerProtocolPolicy": "allow-all"},
    }
    cloudfront = client("cloudfront")
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": OWNED}}
    )
    return str(made["Distribution"]["Id"])


def a_web_acl(client: Client) -> str:
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "shop"}
    made = client("wafv2").create_web_acl(
        Name="shop", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen, Rules=[], Tags=OWNED
    )
    return str(made["Summary"]["ARN"]).split(":", 5)[5]


def a_user_pool(client: Client) -> str:
    made = client("cognito-idp").create_user_pool(PoolName="shoppers", UserPoolTags={"owner": "payments"})
    return str(made["UserPool"]["Id"])


def an_identity_pool(client: Client) -> str:
    made = client("cognito-identity").create_identity_pool(
        IdentityPoolName="shoppers", AllowUnauthenticatedIdentities=True, IdentityPoolTags={"owner": "payments"}
    )
    return str(made["IdentityPoolId"])


def a_certificate(client: Client) -> str:
    made = client("acm").request_certificate(DomainName="shop.example.com", Tags=OWNED)
    return str(made["CertificateArn"]).rpartition("/")[2]


def an_authority(client: Client) -> str:
    made = client("acm-pca").create_certificate_authority(
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "RSA_4096",
            "SigningAlgorithm": "SHA512WITHRSA",
            "Subject": {"CommonName": "fjordline"},
        },
        CertificateAuthorityType="ROOT",
        Tags=OWNED,
    )
    return str(made["CertificateAuthorityArn"]).rpartition("/")[2]


def a_zone(client: Client) -> str:
    made = client("route53").create_hosted_zone(Name="fjordline.example", CallerReference="x")
    zone = str(made["HostedZone"]["Id"]).rpartition("/")[2]
    client("route53").change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=OWNED)
    return zone


def a_bus(client: Client) -> str:
    client("events").create_event_bus(Name="orders", Tags=OWNED)
    return "orders"


def a_log_group(client: Client) -> str:
    logs = client("logs")
    logs.create_log_group(logGroupName="/shop/web", tags={"owner": "payments"})
    logs.create_log_group(logGroupName="/shop/web/errors")
    logs.put_retention_policy(logGroupName="/shop/web", retentionInDays=365)
    return "/shop/web"


def an_alarm(client: Client) -> str:
    client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        MetricName="Errors",
        Namespace="Shop",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        ActionsEnabled=False,
        Tags=OWNED,
    )
    return "errors"


def a_stack(client: Client) -> str:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"AdminPassword": {"Value": "xK9#mQ2$vL7pR4wZ"}},
    }
    client("cloudformation").create_stack(StackName="shop", TemplateBody=json.dumps(template), Tags=OWNED)
    return "shop"


def a_detector(client: Client) -> str:
    made = client("guardduty").create_detector(Enable=True, Tags={"owner": "payments"})
    return str(made["DetectorId"])


def a_job(client: Client) -> str:
    client("glue").create_job(
        Name="nightly",
        Role="glue",
        GlueVersion="5.0",
        Command={"Name": "glueetl", "ScriptLocation": "s3://code/job.py"},
        DefaultArguments={"--db_password": "xK9#mQ2$vL7pR4wZ"},
        Tags={"owner": "payments"},
    )
    return "nightly"


def a_workgroup(client: Client) -> str:
    client("athena").create_work_group(
        Name="analysts",
        Configuration={"EnforceWorkGroupConfiguration": True, "PublishCloudWatchMetricsEnabled": True},
        Tags=OWNED,
    )
    return "analysts"


def a_transfer_server(client: Client) -> str:
    made = client("transfer").create_server(Protocols=["SFTP", "FTP"], Tags=OWNED)
    return str(made["ServerId"])


def a_group_of_parameters(kind: str) -> Callable[[Client], str]:
    def make(client: Client) -> str:
        rds = client("rds")
        named = {f"DB{kind}ParameterGroupName": "ledger"}
        made = {"DBParameterGroupFamily": "aurora-postgresql16", "Description": "ledger", "Tags": OWNED}
        told = {"rds.force_ssl": "1", "search_path": "not-asked-about"}
        values = [{"ParameterName": name, "ParameterValue": value} for name, value in told.items()]
        getattr(rds, f"create_db_{kind.lower()}_parameter_group".replace("__", "_"))(**named, **made)
        getattr(rds, f"modify_db_{kind.lower()}_parameter_group".replace("__", "_"))(**named, Parameters=values)
        return "ledger"

    return make


def a_group_of_options(client: Client) -> str:
    rds = client("rds")
    rds.create_option_group(
        OptionGroupName="ledger",
        EngineName="oracle-ee",
        MajorEngineVersion="19",
        OptionGroupDescription="ledger",
        Tags=OWNED,
    )
    settings = {"SQLNET.ENCRYPTION_SERVER": "REQUIRED", "AGENT_REGISTRATION_PASSWORD": "xK9#mQ2$vL7pR4wZ"}
    option = {
        "OptionName": "NATIVE_NETWORK_ENCRYPTION",
        "OptionSettings": [{"Name": name, "Value": value} for name, value in settings.items()],
    }
    rds.modify_option_group(OptionGroupName="ledger", OptionsToInclude=[option])
    return "ledger"


def a_layer(client: Client) -> str:
    lambda_ = client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("common.py", "")
    content = {"ZipFile": code.getvalue()}
    lambda_.publish_layer_version(LayerName="common", Content=content)
    made = lambda_.publish_layer_version(LayerName="common", Content=content, CompatibleRuntimes=["python3.13"])
    lambda_.add_layer_version_permission(
        LayerName="common",
        VersionNumber=made["Version"],
        StatementId="all",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
    return f"common:{made['Version']}"


def a_parameter(client: Client) -> str:
    client("ssm").put_parameter(Name="/shop/db/password", Type="String", Value="xK9#mQ2$vL7pR4wZ", Tags=OWNED)
    return "shop/db/password"


def a_group_of_users(client: Client) -> str:
    iam = client("iam")
    iam.create_group(GroupName="deployers", Path="/teams/")
    iam.put_group_policy(GroupName="deployers", PolicyName="all", PolicyDocument=POLICY)
    iam.attach_group_policy(GroupName="deployers", PolicyArn=mine(client))
    return "deployers"


def mine(client: Client) -> str:
    return str(client("iam").create_policy(PolicyName="mine", PolicyDocument=POLICY)["Policy"]["Arn"])


def a_saml_provider(client: Client) -> str:
    made = client("iam").create_saml_provider(Name="okta", SAMLMetadataDocument="a" * 1024)
    return str(made["SAMLProviderArn"])


def an_oidc_provider(client: Client) -> str:
    made = client("iam").create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["0123456789abcdef0123456789abcdef01234567"],
        Tags=OWNED,
    )
    return str(made["OpenIDConnectProviderArn"])


def an_organization_policy(client: Client) -> str:
    organizations = client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_policy(
        Name="stay", Description="Nobody leaves", Type="SERVICE_CONTROL_POLICY", Content=POLICY, Tags=OWNED
    )
    policy = str(made["Policy"]["PolicySummary"]["Id"])
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=root)
    return policy


def a_transfer_connector(client: Client) -> str:
    made = client("transfer").create_connector(
        Url="sftp://partner.example.com",
        AccessRole=f"arn:aws:iam::{ACCOUNT}:role/partner",
        SftpConfig={"TrustedHostKeys": ["ssh-rsa AAAA"], "UserSecretId": "partner"},
        Tags=OWNED,
    )
    return str(made["ConnectorId"])


def a_transform(client: Client) -> str:
    made = client("glue").create_ml_transform(
        Name="same-customer",
        Role="glue",
        InputRecordTables=[{"DatabaseName": "shop", "TableName": "customers"}],
        Parameters={"TransformType": "FIND_MATCHES"},
        TransformEncryption={"MlUserDataEncryption": {"MlUserDataEncryptionMode": "SSE-KMS", "KmsKeyId": "alias/glue"}},
        Tags={"owner": "payments"},
    )
    return str(made["TransformId"])


def a_warehouse_subnet_group(client: Client) -> str:
    client("redshift").create_cluster_subnet_group(
        ClusterSubnetGroupName="warehouses", Description="warehouses", SubnetIds=two_subnets(client), Tags=OWNED
    )
    return "warehouses"


def a_job_definition(kind: str) -> Callable[[Client], str]:
    """One of the definitions of jobs that watch a model, whose calls and parameters differ by a word."""
    words = "".join(f"_{each.lower()}" if each.isupper() else each for each in kind)

    def make(client: Client) -> str:
        truth = {"GroundTruthS3Input": {"S3Uri": "s3://truth"}} if kind in ("ModelBias", "ModelQuality") else {}
        config = {"ConfigUri": "s3://config"} if kind in ("ModelBias", "ModelExplainability") else {}
        problem = {"ProblemType": "Regression"} if kind == "ModelQuality" else {}
        output = {"S3Output": {"S3Uri": "s3://out", "LocalPath": "/opt/out"}}
        getattr(client("sagemaker"), f"create{words}_job_definition")(
            JobDefinitionName="nightly",
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lab",
            JobResources={"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
            NetworkConfig={"EnableNetworkIsolation": True},
            Tags=OWNED,
            **{
                f"{kind}AppSpecification": {"ImageUri": "x", **config, **problem},
                f"{kind}JobInput": {"EndpointInput": {"EndpointName": "scores", "LocalPath": "/opt/in"}, **truth},
                f"{kind}JobOutputConfig": {"MonitoringOutputs": [output]},
            },
        )
        return "nightly"

    return make


NONE: Mapping[str, str] = {}

EXAMPLES = [
    Example("AWS::EC2::VPC", a_vpc, {"CidrBlock": "10.0.0.0/16", "Observed.IsDefault": False}),
    Example("AWS::EC2::Subnet", a_subnet, {"MapPublicIpOnLaunch": False, "CidrBlock": "10.0.1.0/24"}),
    Example("AWS::EC2::NetworkAcl", a_network_acl, {"Observed.IsDefault": False, "Observed.Subnets": 0}),
    Example(
        "AWS::EC2::RouteTable",
        lambda client: tagged(
            client, client("ec2").create_route_table(VpcId=a_vpc(client))["RouteTable"]["RouteTableId"]
        ),
    ),
    Example(
        "AWS::EC2::NetworkInterface",
        lambda client: tagged(
            client,
            client("ec2").create_network_interface(SubnetId=a_subnet(client))["NetworkInterface"]["NetworkInterfaceId"],
        ),
        {"SourceDestCheck": True},
    ),
    Example(
        "AWS::EC2::VPCEndpoint",
        lambda client: tagged(
            client,
            client("ec2").create_vpc_endpoint(
                VpcId=a_vpc(client), ServiceName="com.amazonaws.us-east-1.s3", PolicyDocument=POLICY
            )["VpcEndpoint"]["VpcEndpointId"],
        ),
        {"PolicyDocument": json.loads(POLICY)},
    ),
    Example(
        "AWS::EC2::TransitGateway",
        lambda client: tagged(client, client("ec2").create_transit_gateway()["TransitGateway"]["TransitGatewayId"]),
        {"AutoAcceptSharedAttachments": "disable"},
    ),
    Example(
        "AWS::EC2::EIP",
        lambda client: tagged(client, client("ec2").allocate_address(Domain="vpc")["AllocationId"]),
        {"Observed.AssociationId": None},
    ),
    Example("AWS::EC2::Volume", a_volume, {"Encrypted": True, "Observed.Attached": False}),
    Example("AWS::EC2::Snapshot", a_snapshot, {"Observed.SharedWith": ["all"], "Observed.Encrypted": True}),
    Example(
        "AWS::EC2::LaunchTemplate",
        a_launch_template,
        {
            "Observed.Default": {"MetadataOptions": {"HttpTokens": "required"}},
            "Observed.PublicInterfaces": 1,
            "Observed.UnencryptedDisks": 1,
        },
        nobody="lt-0a1b2c3d4e5f60718",
    ),
    Example(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        a_load_balancer,
        {
            "Observed.Zones": 2,
            "Observed.WebAclArn": None,
            "Observed.Listeners[0].RedirectsToHttps": True,
            "Observed.Attributes.deletion_protection_enabled": "false",
        },
    ),
    Example("AWS::ElasticLoadBalancingV2::TargetGroup", a_target_group, {"HealthCheckProtocol": "HTTPS"}),
    Example("AWS::ElasticLoadBalancing::LoadBalancer", a_classic_load_balancer, {"Listeners[0].Protocol": "HTTP"}),
    Example(
        "AWS::RDS::DBCluster",
        a_cluster_of("aurora-postgresql"),
        {"StorageEncrypted": True, "DeletionProtection": True, "MasterUsername": "ledger_owner"},
    ),
    Example("AWS::Neptune::DBCluster", a_cluster_of("neptune", "neptune"), {"StorageEncrypted": True}),
    Example("AWS::RDS::DBClusterSnapshot", a_cluster_snapshot, {"Observed.SharedWith": []}),
    Example("AWS::RDS::DBSnapshot", a_db_snapshot, {"Observed.SharedWith": ["all"]}),
    Example(
        "AWS::RDS::DBParameterGroup",
        a_group_of_parameters(""),
        {"Observed.Engine": "aurora-postgresql", "Observed.Parameters": {"rds_force_ssl": "1"}},
    ),
    Example(
        "AWS::RDS::DBClusterParameterGroup",
        a_group_of_parameters("Cluster"),
        {"Observed.Engine": "aurora-postgresql", "Observed.Parameters": {"rds_force_ssl": "1"}},
    ),
    Example(
        "AWS::RDS::OptionGroup",
        a_group_of_options,
        {
            "EngineName": "oracle-ee",
            "OptionConfigurations": [
                {
                    "OptionName": "NATIVE_NETWORK_ENCRYPTION",
                    "OptionSettings": [{"Name": "SQLNET.ENCRYPTION_SERVER", "Value": "REQUIRED"}],
                }
            ],
        },
    ),
    Example("AWS::RDS::EventSubscription", an_event_subscription, {"EventCategories": ["failure"], "Enabled": True}),
    Example(
        "AWS::DynamoDB::Table",
        a_table,
        {
            "DeletionProtectionEnabled": True,
            "BillingMode": "PAY_PER_REQUEST",
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": True,
        },
    ),
    Example(
        "AWS::DAX::Cluster",
        a_dax_cluster,
        {"ClusterEndpointEncryptionType": "TLS", "SSESpecification.SSEEnabled": True},
    ),
    Example(
        "AWS::ElastiCache::ReplicationGroup",
        a_replication_group,
        {"AutomaticFailoverEnabled": True, "TransitEncryptionEnabled": True},
    ),
    Example("AWS::ElastiCache::CacheCluster", a_cache_cluster, {"CacheSubnetGroupName": "private"}),
    Example(
        "AWS::OpenSearchService::Domain",
        a_domain,
        {"ClusterConfig.InstanceCount": 3, "DomainEndpointOptions.EnforceHTTPS": True, "Observed.InVpc": False},
    ),
    Example(
        "AWS::Redshift::Cluster",
        a_warehouse,
        {"PubliclyAccessible": False, "Encrypted": True, "EnhancedVpcRouting": True},
    ),
    Example("AWS::Redshift::ClusterSubnetGroup", a_warehouse_subnet_group, {"Observed.Zones": 2}),
    Example("AWS::EFS::FileSystem", a_file_system, {"Encrypted": True, "BackupPolicy.Status": "DISABLED"}),
    Example("AWS::EFS::AccessPoint", an_access_point, {"RootDirectory.Path": "/checkout", "PosixUser.Uid": "1000"}),
    Example("AWS::Backup::BackupVault", a_vault, {"Observed.Locked": False}),
    Example("AWS::Backup::BackupPlan", a_plan, {"Observed.Rules": 1, "Observed.ShortestRetentionDays": 35}),
    Example("AWS::S3::AccessPoint", a_bucket_access_point, {"NetworkOrigin": "Internet"}, tags=NONE),
    Example("AWS::SNS::Topic", a_topic, {"KmsMasterKeyId": "alias/messages"}),
    Example("AWS::SQS::Queue", a_queue, {"SqsManagedSseEnabled": True, "Observed.Policy": json.loads(POLICY)}),
    Example("AWS::Kinesis::Stream", a_stream, {"StreamEncryption.EncryptionType": "KMS", "RetentionPeriodHours": 24}),
    Example("AWS::KinesisFirehose::DeliveryStream", a_delivery_stream, {"Observed.Encryption": "DISABLED"}),
    Example("AWS::AmazonMQ::Broker", a_broker, {"PubliclyAccessible": False, "EngineType": "ACTIVEMQ"}),
    Example("AWS::SecretsManager::Secret", a_secret, {"Name": "orders/db", "Observed.RotationEnabled": False}),
    Example("AWS::DMS::ReplicationInstance", a_replication_instance, {"PubliclyAccessible": False, "MultiAZ": True}),
    Example("AWS::DMS::Endpoint", an_endpoint, {"SslMode": "none", "EndpointType": "source"}),
    Example(
        "AWS::Lambda::Function",
        a_function,
        {
            "Runtime": "python3.13",
            "Observed.PlaintextSecrets": [{"Name": "API_TOKEN", "Kind": "secret by its name"}],
            "Observed.Url.AuthType": "NONE",
        },
    ),
    Example(
        "AWS::Lambda::LayerVersion",
        a_layer,
        {"LayerName": "common", "CompatibleRuntimes": ["python3.13"], "Observed.Policy.Statement[0].Principal": "*"},
        tags=NONE,
        nobody="common:7",
    ),
    Example(
        "AWS::ECR::Repository",
        a_repository,
        {"ImageTagMutability": "IMMUTABLE", "ImageScanningConfiguration.ScanOnPush": True},
    ),
    Example(
        "AWS::ECS::Cluster", an_ecs_cluster, {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]}
    ),
    Example("AWS::ECS::TaskDefinition", a_task_definition, {"NetworkMode": "host"}),
    Example("AWS::ECS::Service", an_ecs_service, {"LaunchType": "EC2"}, nobody="shop/nobody"),
    Example(
        "AWS::EKS::Cluster",
        a_kubernetes_cluster,
        {"Version": "1.34", "Observed.EncryptedResources": ["secrets"], "Observed.LogsAudit": True},
    ),
    Example(
        "AWS::EKS::Nodegroup",
        a_nodegroup,
        {"Observed.SshKey": True, "Observed.SshFromAnywhere": True},
        nobody="shop/nobody",
    ),
    Example(
        "AWS::AutoScaling::AutoScalingGroup",
        a_scaling_group,
        {"Observed.Zones": 2, "Observed.UsesLaunchTemplate": False},
    ),
    Example(
        "AWS::AutoScaling::LaunchConfiguration",
        a_launch_configuration,
        {"AssociatePublicIpAddress": True, "MetadataOptions.HttpTokens": "optional"},
        tags=NONE,
    ),
    Example(
        "AWS::CodeBuild::Project",
        a_project,
        {
            "Observed.PrivilegedMode": True,
            "Observed.SourcesWithCredentials": 1,
            "Observed.PlaintextSecrets": [{"Name": "NPM_TOKEN", "Kind": "secret by its name"}],
        },
    ),
    Example("AWS::StepFunctions::StateMachine", a_state_machine, {"LoggingConfiguration.Level": "OFF"}),
    Example("AWS::SSM::Document", a_document, {"Observed.SharedWith": ["all"]}),
    Example("AWS::SSM::Parameter", a_parameter, {"Name": "/shop/db/password", "Observed.Type": "String"}),
    Example("AWS::EMR::Cluster", an_emr_cluster, {"Observed.EncryptsAtRest": False}),
    Example("AWS::SageMaker::NotebookInstance", a_notebook, {"RootAccess": "Disabled"}),
    Example("AWS::SageMaker::Model", a_model, {"ModelName": "scores"}),
    Example("AWS::SageMaker::EndpointConfig", an_endpoint_config, {"Observed.FewestInstances": 1}),
    *(
        Example(
            f"AWS::SageMaker::{kind}JobDefinition",
            a_job_definition(kind),
            {
                "JobResources.ClusterConfig.InstanceCount": 2,
                "NetworkConfig.EnableNetworkIsolation": True,
                "NetworkConfig.EnableInterContainerTrafficEncryption": False,
            },
        )
        for kind in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
    ),
    Example("AWS::ApiGateway::Stage", a_rest_stage, {"TracingEnabled": True}, nobody="a1b2c3/stages/live"),
    Example(
        "AWS::ApiGatewayV2::Api",
        an_http_api,
        {"Observed.Routes": [{"RouteKey": "GET /orders", "AuthorizationType": "NONE"}]},
    ),
    Example("AWS::AppSync::GraphQLApi", a_graphql_api, {"Observed.AuthenticationTypes": ["API_KEY"]}),
    Example("AWS::CloudFront::Distribution", a_distribution, {"Observed.ViewerProtocols": ["allow-all"]}),
    Example("AWS::WAFv2::WebACL", a_web_acl, {"Observed.Rules": 0}, nobody="regional/webacl/nobody/1"),
    Example("AWS::Cognito::UserPool", a_user_pool, {"UserPoolName": "shoppers"}, nobody="us-east-1_Nobody"),
    Example(
        "AWS::Cognito::IdentityPool",
        an_identity_pool,
        {"AllowUnauthenticatedIdentities": True},
        nobody="us-east-1:00000000-0000-4000-8000-000000000000",
    ),
    Example("AWS::CertificateManager::Certificate", a_certificate, {"DomainName": "shop.example.com"}),
    Example("AWS::ACMPCA::CertificateAuthority", an_authority, {"Type": "ROOT", "Observed.Revocable": False}),
    Example("AWS::Route53::HostedZone", a_zone, {"Name": "fjordline.example.", "Observed.Private": False}),
    Example("AWS::Events::EventBus", a_bus, {"Name": "orders", "Policy": None}),
    Example("AWS::Logs::LogGroup", a_log_group, {"RetentionInDays": 365}),
    Example("AWS::CloudWatch::Alarm", an_alarm, {"ActionsEnabled": False, "Observed.Actions": 0}),
    Example(
        "AWS::CloudFormation::Stack",
        a_stack,
        {
            "Observed.Nested": False,
            "Observed.PlaintextSecrets": [{"Name": "AdminPassword", "Kind": "secret by its name"}],
        },
    ),
    Example("AWS::GuardDuty::Detector", a_detector, {"Enable": True}),
    Example("AWS::Glue::Job", a_job, {"GlueVersion": "5.0"}),
    Example(
        "AWS::Glue::MLTransform",
        a_transform,
        {"TransformEncryption.MLUserDataEncryption.MLUserDataEncryptionMode": "SSE-KMS"},
    ),
    Example("AWS::Athena::WorkGroup", a_workgroup, {"WorkGroupConfiguration.PublishCloudWatchMetricsEnabled": True}),
    Example(
        "AWS::IAM::Group",
        a_group_of_users,
        {
            "Path": "/teams/",
            "Policies": [{"PolicyName": "all", "PolicyDocument": json.loads(POLICY)}],
            "ManagedPolicyArns": [f"arn:aws:iam::{ACCOUNT}:policy/mine"],
        },
        tags=NONE,
    ),
    Example(
        "AWS::IAM::SAMLProvider",
        a_saml_provider,
        {"Name": "okta", "PrivateKeyList": []},
        tags=NONE,
        nobody=f"arn:aws:iam::{ACCOUNT}:saml-provider/nobody",
    ),
    Example(
        "AWS::IAM::OIDCProvider",
        an_oidc_provider,
        {"Url": "token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]},
        nobody=f"arn:aws:iam::{ACCOUNT}:oidc-provider/nobody.example.com",
    ),
    Example(
        "AWS::Organizations::Policy",
        an_organization_policy,
        {"Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False, "Content": json.loads(POLICY)},
        nobody="p-0123abcd",
    ),
    Example("AWS::Transfer::Server", a_transfer_server, {"Protocols": ["SFTP", "FTP"], "Observed.Logged": False}),
    Example("AWS::Transfer::Connector", a_transfer_connector, {"LoggingRole": None}, nobody="c-0a1b2c3d4e5f60718"),
]


def look(clients: AwsClients, type_: str, identifier: str) -> Snapshot | Gone:
    (reader,) = readers.load((type_,))
    resource = readers.resource_of(reader, identifier, ACCOUNT, REGION)
    everything = tuple(prop for part in reader.parts for prop in part.gives)
    return readers.read(reader, resource, needs=everything, clients=clients, now=NOW)


def value(snapshot: Snapshot, path: str) -> Any:
    first, bracket, rest = path.partition("[0].")
    return snapshot[first][0][rest] if bracket else snapshot[path]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_what_was_made_is_read_in_the_words_of_cloudformation(
    example: Example, clients: AwsClients, calls: list[str]
) -> None:
    (reader,) = readers.load((example.type,))
    identifier = example.make(lambda service: clients(service, REGION))
    calls.clear()

    snapshot = look(clients, example.type, identifier)

    assert isinstance(snapshot, Snapshot)
    assert {path: value(snapshot, path) for path in example.seen} == dict(example.seen)
    assert "Tags" in snapshot.unread or dict(snapshot.tags) == dict(example.tags)
    matches_cloudformation(snapshot)
    assert set(calls) <= {call for part in reader.parts for call in part.calls}
    given = {prop for part in reader.parts for prop in part.gives}
    kept = {name for name in snapshot.properties if name != "Observed"}
    kept |= {f"Observed.{name}" for name in snapshot.properties.get("Observed", {})}
    assert kept <= given | {"Tags"}, "a part keeps what it does not say that it gives"
    assert "xK9#mQ2$vL7pR4wZ" not in json.dumps(snapshot.properties), "a secret is kept"


# moto lists these by name only.
NOT_LISTED = ("AWS::RDS::OptionGroup",)


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.type not in NOT_LISTED], ids=lambda example: example.type
)
def test_what_was_made_is_listed_by_the_name_that_it_is_read_by(example: Example, clients: AwsClients) -> None:
    (reader,) = readers.load((example.type,))
    identifier = example.make(lambda service: clients(service, REGION))

    assert reader.inventory
    assert identifier in [each for page in reader.inventory.pages(clients, ACCOUNT, REGION) for each in page]


# moto has words of its own for what is not there, which AWS has not.
ITS_OWN_WORDS = ("AWS::Athena::WorkGroup", "AWS::EC2::NetworkAcl", "AWS::Transfer::Server")


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.type not in ITS_OWN_WORDS], ids=lambda example: example.type
)
def test_what_nobody_made_is_gone(example: Example, clients: AwsClients) -> None:
    assert isinstance(look(clients, example.type, example.nobody), Gone)

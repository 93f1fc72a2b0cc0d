"""AWS answered from canned bytes, so that only our own work is measured.

`answer` is what AWS would send. The same bytes serve a hook inside the process (nothing is sent at all) and a server on
the loopback for functions that run in a process of their own.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT, REGION = "123456789012", "eu-west-1"
BUCKET, GROUP, INSTANCE, ROLE, TRAIL = "photos", "sg-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60718", "reports", "events"

# By operation: JSON-able data for the JSON protocols, text for the others.
Answers = dict[str, str | dict[str, Any]]

_S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
_TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
_TLS_ONLY = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
_EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def answer(operation: str, *, healthy: bool) -> bytes:
    """What AWS answers an operation (`s3.GetBucketAcl`); `healthy`: whether bucket and group keep strangers out."""
    content = _whole(healthy=healthy)[operation]
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def _whole(*, healthy: bool) -> Answers:
    return _BUCKET | _COMPUTE | _IDENTITY | _VISIBILITY | _OUTGOING | (_HEALTHY if healthy else _OPEN)


def _block(flag: str) -> str:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    flags = "".join(f"<{name}>{flag}</{name}>" for name in names)
    return f"<PublicAccessBlockConfiguration {_S3}>{flags}</PublicAccessBlockConfiguration>"


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _answered(operation: str, result: str) -> str:
    """The Query protocol's envelope."""
    return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"


def _group(source: str) -> str:
    return f"""<DescribeSecurityGroupsResponse><securityGroupInfo><item><ownerId>{ACCOUNT}</ownerId>
        <groupId>{GROUP}</groupId><groupName>web</groupName><groupDescription>web</groupDescription><vpcId>vpc-1</vpcId>
        <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/>
        <ipRanges><item><cidrIp>{source}</cidrIp></item></ipRanges><ipv6Ranges/><prefixListIds/></item></ipPermissions>
        <ipPermissionsEgress/><tagSet><item><key>owner</key><value>storefront</value></item></tagSet></item>
        </securityGroupInfo></DescribeSecurityGroupsResponse>"""


_HEALTHY: Answers = {
    "ec2.DescribeSecurityGroups": _group("10.0.0.0/8"),
    "s3.GetPublicAccessBlock": _block("true"),
    "s3.GetBucketPolicy": _policy(_TLS_ONLY),
}
_OPEN: Answers = {
    "ec2.DescribeSecurityGroups": _group("0.0.0.0/0"),
    "s3.GetPublicAccessBlock": _block("false"),
    "s3.GetBucketPolicy": _policy(_TLS_ONLY, _EVERYBODY),
}
_BUCKET: Answers = {
    "s3.GetBucketAcl": f"""<AccessControlPolicy {_S3}><Owner><ID>{_OWNER}</ID></Owner><AccessControlList><Grant>
        <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>{_OWNER}</ID>
        </Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>""",
    "s3.GetBucketEncryption": f"""<ServerSideEncryptionConfiguration {_S3}><Rule><ApplyServerSideEncryptionByDefault>
        <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{_KEY}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>
        <BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>""",
    "s3.GetBucketVersioning": f"""<VersioningConfiguration {_S3}><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>
        </VersioningConfiguration>""",
    "s3.GetBucketLogging": f"""<BucketLoggingStatus {_S3}><LoggingEnabled><TargetBucket>logs</TargetBucket>
        <TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>""",
    "s3.GetBucketOwnershipControls": f"""<OwnershipControls {_S3}><Rule>
        <ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>""",
    "s3.GetBucketLifecycleConfiguration": f"""<LifecycleConfiguration {_S3}><Rule><ID>old</ID><Status>Enabled</Status>
        <Filter><Prefix></Prefix></Filter><Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>""",
    "s3.GetBucketTagging": f"""<Tagging {_S3}><TagSet><Tag><Key>owner</Key><Value>storefront</Value></Tag></TagSet>
        </Tagging>""",
}
_COMPUTE: Answers = {
    "ec2.DescribeInstances": f"""<DescribeInstancesResponse><reservationSet><item><instancesSet><item>
        <instanceId>{INSTANCE}</instanceId><imageId>ami-1</imageId><instanceType>t3.micro</instanceType>
        <instanceState><code>16</code><name>running</name></instanceState><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
        <virtualizationType>hvm</virtualizationType><monitoring><state>enabled</state></monitoring>
        <iamInstanceProfile><arn>arn:aws:iam::{ACCOUNT}:instance-profile/web</arn></iamInstanceProfile>
        <metadataOptions><httpTokens>required</httpTokens><httpPutResponseHopLimit>1</httpPutResponseHopLimit>
        <httpEndpoint>enabled</httpEndpoint></metadataOptions><networkInterfaceSet><item/></networkInterfaceSet>
        <tagSet><item><key>owner</key><value>storefront</value></item></tagSet></item></instancesSet></item>
        </reservationSet></DescribeInstancesResponse>""",
    "ssm.DescribeInstanceInformation": {"InstanceInformationList": [{"InstanceId": INSTANCE, "PingStatus": "Online"}]},
}
_IDENTITY: Answers = {
    "iam.GetRole": _answered(
        "GetRole",
        f"""<Role><RoleName>{ROLE}</RoleName><Path>/</Path><Arn>arn:aws:iam::{ACCOUNT}:role/{ROLE}</Arn>
        <RoleId>AROAEXAMPLE</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate>
        <AssumeRolePolicyDocument>{json.dumps(_TRUST)}</AssumeRolePolicyDocument>
        <Tags><member><Key>owner</Key><Value>storefront</Value></member></Tags></Role>""",
    ),
    "iam.ListRolePolicies": _answered(
        "ListRolePolicies", "<IsTruncated>false</IsTruncated><PolicyNames><member>read</member></PolicyNames>"
    ),
    "iam.GetRolePolicy": _answered(
        "GetRolePolicy",
        f"""<RoleName>{ROLE}</RoleName><PolicyName>read</PolicyName>
        <PolicyDocument>{_policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"})}
        </PolicyDocument>""",
    ),
    "iam.ListAttachedRolePolicies": _answered(
        "ListAttachedRolePolicies", "<IsTruncated>false</IsTruncated><AttachedPolicies/>"
    ),
}
_DESCRIBED = {
    "Name": TRAIL,
    "TrailARN": _TRAIL_ARN,
    "HomeRegion": REGION,
    "S3BucketName": "logs",
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": True,
    "LogFileValidationEnabled": True,
    "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*",
    "KmsKeyId": _KEY,
}
_PASSWORDS = """<PasswordPolicy><MinimumPasswordLength>14</MinimumPasswordLength><RequireSymbols>true</RequireSymbols>
    <RequireNumbers>true</RequireNumbers><RequireUppercaseCharacters>true</RequireUppercaseCharacters>
    <RequireLowercaseCharacters>true</RequireLowercaseCharacters><MaxPasswordAge>90</MaxPasswordAge>
    <PasswordReusePrevention>24</PasswordReusePrevention></PasswordPolicy>"""
_SUMMARY = """<SummaryMap><entry><key>AccountMFAEnabled</key><value>1</value></entry>
    <entry><key>AccountAccessKeysPresent</key><value>0</value></entry></SummaryMap>"""
_VISIBILITY: Answers = {
    "cloudtrail.GetTrail": {"Trail": _DESCRIBED},
    "cloudtrail.GetTrailStatus": {"IsLogging": True},
    "cloudtrail.ListTags": {"ResourceTagList": [{"ResourceId": _TRAIL_ARN, "TagsList": []}]},
    "cloudtrail.DescribeTrails": {"trailList": [_DESCRIBED]},
    "cloudtrail.GetEventSelectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
    "s3control.GetPublicAccessBlock": _block("true"),
    "iam.GetAccountPasswordPolicy": _answered("GetAccountPasswordPolicy", _PASSWORDS),
    "iam.GetAccountSummary": _answered("GetAccountSummary", _SUMMARY),
    "ec2.GetEbsEncryptionByDefault": """<GetEbsEncryptionByDefaultResponse>
        <ebsEncryptionByDefault>true</ebsEncryptionByDefault></GetEbsEncryptionByDefaultResponse>""",
    "iam.ListVirtualMFADevices": _answered(
        "ListVirtualMFADevices", "<VirtualMFADevices/><IsTruncated>false</IsTruncated>"
    ),
    "iam.ListEntitiesForPolicy": _answered(
        "ListEntitiesForPolicy",
        "<PolicyRoles><member><RoleName>support</RoleName></member></PolicyRoles><IsTruncated>false</IsTruncated>",
    ),
    "iam.ListServerCertificates": _answered(
        "ListServerCertificates", "<ServerCertificateMetadataList/><IsTruncated>false</IsTruncated>"
    ),
    "organizations.DescribeOrganization": {"Organization": {"Id": "o-example", "MasterAccountId": ACCOUNT}},
    "cloudwatchlogs.DescribeMetricFilters": {"metricFilters": []},
    "account.GetAlternateContact": {"AlternateContact": {"EmailAddress": "security@fjordline.example"}},
}
_OUTGOING: Answers = {
    "dynamodb.Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    "dynamodb.PutItem": {},
    "dynamodb.UpdateItem": {},
    "dynamodb.TransactWriteItems": {},
    "sns.Publish": _answered("Publish", "<MessageId>1</MessageId>"),
}


class _Server(http.server.ThreadingHTTPServer):
    # Readers connect from several threads at once; a full queue would cost the last of them a second.
    request_queue_size = 64


class _Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece: the second of two writes would wait until the first is acknowledged.
    wbufsize = -1

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        content = answer(self._operation(body), healthy=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _operation(self, body: str) -> str:
        """By what each protocol of AWS says it: a header, a form's field, a path, or a sub-resource of a bucket."""
        target, url = self.headers.get("X-Amz-Target", ""), urlsplit(self.path)
        if target:
            service, _, name = target.rpartition(".")
            return f"{next(known for said, known in _BY_TARGET.items() if said in service)}.{name}"
        if "Action=" in body:
            name = parse_qs(body)["Action"][0]
            return next(known for known in _whole(healthy=True) if known.partition(".")[2] == name)
        return _BY_PATH.get(url.path) or _BY_SUBRESOURCE[url.query.partition("=")[0].partition("&")[0]]

    do_GET = do_POST = _reply  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


# What services call themselves in the header of their JSON protocol: `Logs_20140328`, `AWSOrganizationsV20161128`.
_BY_TARGET = {
    "AmazonSSM": "ssm",
    "CloudTrail": "cloudtrail",
    "DynamoDB": "dynamodb",
    "Logs": "cloudwatchlogs",
    "Organizations": "organizations",
}
_BY_PATH = {
    "/v20180820/configuration/publicAccessBlock": "s3control.GetPublicAccessBlock",
    "/getAlternateContact": "account.GetAlternateContact",
}
_BY_SUBRESOURCE = {
    "publicAccessBlock": "s3.GetPublicAccessBlock",
    "policy": "s3.GetBucketPolicy",
    "acl": "s3.GetBucketAcl",
    "encryption": "s3.GetBucketEncryption",
    "versioning": "s3.GetBucketVersioning",
    "logging": "s3.GetBucketLogging",
    "ownershipControls": "s3.GetBucketOwnershipControls",
    "lifecycle": "s3.GetBucketLifecycleConfiguration",
    "tagging": "s3.GetBucketTagging",
}


@contextmanager
def serving() -> Iterator[str]:
    """The canned answers over the loopback, all of them healthy; gives the address."""
    server = _Server(("127.0.0.1", 0), _Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

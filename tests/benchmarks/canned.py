"""AWS answered from canned bytes, so that only our own work is measured.

`answer(operation, healthy=...)` is what AWS would send; the same bytes serve a hook inside the process (nothing is sent
at all) and a server on the loopback for functions that run in a process of their own.
"""

from __future__ import annotations

import json
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

BUCKET, GROUP, ACCOUNT, REGION = "photos", "sg-0a1b2c3d4e5f60718", "123456789012", "eu-west-1"
_S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_OWNER = "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>"
_FULL = """<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">
<ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>"""


def _policy(*, healthy: bool) -> str:
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [tls_only] if healthy else [tls_only, everybody]})


def _public_access_block(*, healthy: bool) -> str:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    flags = "".join(f"<{name}>{'true' if healthy else 'false'}</{name}>" for name in names)
    return f"<PublicAccessBlockConfiguration {_S3}>{flags}</PublicAccessBlockConfiguration>"


def _group(*, healthy: bool) -> str:
    source = "10.0.0.0/8" if healthy else "0.0.0.0/0"
    rule = f"""<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/>
      <ipRanges><item><cidrIp>{source}</cidrIp></item></ipRanges><ipv6Ranges/><prefixListIds/></item>"""
    return f"""<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>
    <securityGroupInfo><item><ownerId>{ACCOUNT}</ownerId><groupId>{GROUP}</groupId><groupName>web</groupName>
    <groupDescription>web</groupDescription><vpcId>vpc-1</vpcId><ipPermissions>{rule}</ipPermissions>
    <ipPermissionsEgress/><tagSet><item><key>owner</key><value>storefront</value></item></tagSet></item>
    </securityGroupInfo></DescribeSecurityGroupsResponse>"""


def answer(operation: str, *, healthy: bool) -> bytes:
    """The body that AWS would answer an operation with; `healthy` decides whether controls hold."""
    answers = {
        "DescribeSecurityGroups": _group(healthy=healthy),
        "GetPublicAccessBlock": _public_access_block(healthy=healthy),
        "GetBucketPolicy": _policy(healthy=healthy),
        "GetBucketAcl": f"""<AccessControlPolicy {_S3}>{_OWNER}<AccessControlList>{_FULL}</AccessControlList>
            </AccessControlPolicy>""",
        "GetBucketEncryption": f"""<ServerSideEncryptionConfiguration {_S3}><Rule><ApplyServerSideEncryptionByDefault>
            <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:{REGION}:{ACCOUNT}:key/1</KMSMasterKeyID>
            </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>
            </ServerSideEncryptionConfiguration>""",
        "GetBucketVersioning": f"""<VersioningConfiguration {_S3}><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>
            </VersioningConfiguration>""",
        "GetBucketLogging": f"""<BucketLoggingStatus {_S3}><LoggingEnabled><TargetBucket>logs</TargetBucket>
            <TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>""",
        "GetBucketOwnershipControls": f"""<OwnershipControls {_S3}><Rule><ObjectOwnership>BucketOwnerEnforced
            </ObjectOwnership></Rule></OwnershipControls>""".replace("\n            ", ""),
        "GetBucketLifecycleConfiguration": f"""<LifecycleConfiguration {_S3}><Rule><ID>old</ID><Status>Enabled</Status>
            <Filter><Prefix></Prefix></Filter><Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>""",
        "GetBucketTagging": f"""<Tagging {_S3}><TagSet><Tag><Key>owner</Key><Value>storefront</Value></Tag></TagSet>
            </Tagging>""",
        "Query": '{"Items":[],"Count":0,"ScannedCount":0}',
        "UpdateItem": "{}",
        "TransactWriteItems": "{}",
        "Publish": """<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1
            </MessageId></PublishResult></PublishResponse>""",
    }
    return answers[operation].encode()


class CannedAws:
    """Answers every request of every client in this process; nothing leaves it."""

    def __init__(self) -> None:
        self.healthy = True
        self.requests: list[str] = []

    def install(self) -> None:
        """Sessions made from now on send nothing: botocore asks these handlers before it sends."""
        handlers.BUILTIN_HANDLERS.append(("before-send", self._answer))

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rsplit(".", 1)[-1]
        self.requests.append(operation)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(answer(operation, healthy=self.healthy)))


class _Raw:
    """As much of a urllib3 response as botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]

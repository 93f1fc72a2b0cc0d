"""CloudTrail record -> who is behind a change and what tool it was made with, each with the confidence it deserves.

Field meanings are those of the AWS CloudTrail User Guide, "CloudTrail userIdentity element". What AWS itself writes
(issuer, source identity, federation data, invokedBy) is evidence; callers choose their session's name and user agent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from demarc.core.cloudtrail import HIDDEN, is_true
from demarc.core.model import Actor, ActorKind, Confidence, Via


def identify(record: Mapping[str, Any]) -> tuple[Actor, Via, Confidence]:
    """Who made the call of a CloudTrail record, with what tool, and how sure the tool is. Never raises."""
    caller = _Caller.of(record)
    return _actor(caller), *_via(caller)


@dataclass(frozen=True, slots=True)
class _Caller:
    """What a record says about who called, with every field that may be missing or broken made plain text."""

    type: str
    arn: str
    account: str
    user: str
    invoked_by: str
    session: str
    issuer_arn: str
    issuer_name: str
    source_identity: str
    on_behalf_of: str
    federated_by: str
    subject: str
    on_instance: bool
    with_mfa: bool
    console_credential: bool
    tls: bool
    event_type: str
    event_source: str
    agent: str
    address: str
    signed_in_as: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> _Caller:
        identity = _object(record.get("userIdentity"))
        context = _object(identity.get("sessionContext"))
        issuer = _object(context.get("sessionIssuer"))
        web = _object(context.get("webIdFederationData"))
        arn, principal = _text(identity.get("arn")), _text(identity.get("principalId"))
        federated_by, subject = _federation(web, identity)
        return cls(
            type=_type(_text(identity.get("type")), arn),
            arn=arn,
            account=_text(identity.get("accountId")),
            user=_text(identity.get("userName")),
            invoked_by=_text(identity.get("invokedBy")).rstrip(";"),
            session=_session(arn, principal),
            issuer_arn=_text(issuer.get("arn")),
            issuer_name=_text(issuer.get("userName")),
            source_identity=_text(context.get("sourceIdentity")),
            on_behalf_of=_text(_object(identity.get("onBehalfOf")).get("userId")),
            federated_by=federated_by,
            subject=subject,
            on_instance="ec2RoleDelivery" in context,
            with_mfa=is_true(_object(context.get("attributes")).get("mfaAuthenticated")),
            console_credential=is_true(record.get("sessionCredentialFromConsole")),
            tls=bool(record.get("tlsDetails")),
            event_type=_text(record.get("eventType")),
            event_source=_text(record.get("eventSource")),
            # S3 and others write the user agent in brackets.
            agent=_text(record.get("userAgent")).removeprefix("[").removesuffix("]"),
            address=_text(record.get("sourceIPAddress")).rstrip(";"),
            signed_in_as=_text(_object(record.get("additionalEventData")).get("UserName")),
        )

    @property
    def role(self) -> str | None:
        """The ARN of the role behind a session: the issuer's, or made from the session's where that is missing."""
        if ":role/" in self.issuer_arn:
            return self.issuer_arn
        parts = self.arn.split(":", 5)
        if len(parts) == 6 and parts[5].startswith("assumed-role/"):
            return f"{parts[0]}:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
        return None

    @property
    def role_name(self) -> str:
        return (self.role or "").rpartition("/")[2] or self.issuer_name


def _federation(web: Mapping[str, Any], identity: Mapping[str, Any]) -> tuple[str, str]:
    """Who vouched for a web identity, and for whom: of a session, or of the call that opened it."""
    provider = _text(web.get("federatedProvider")).partition(":oidc-provider/")[2] or _text(
        web.get("federatedProvider")
    )
    attributes = _object(web.get("attributes"))
    subject = next((_text(value) for key, value in attributes.items() if str(key).endswith(":sub")), "")
    if provider or _text(identity.get("type")) != "WebIdentityUser":
        return provider, subject
    return _text(identity.get("identityProvider")), _text(identity.get("userName"))


def _type(said: str, arn: str) -> str:
    """The type of an identity, told by its ARN where the record has none, or none that AWS documents."""
    if said in _BY_TYPE:
        return said
    marks = {
        ":assumed-role/": "AssumedRole",
        ":user/": "IAMUser",
        ":root": "Root",
        ":federated-user/": "FederatedUser",
    }
    return next((type_ for mark, type_ in marks.items() if mark in arn), said)


def _session(arn: str, principal: str) -> str:
    parts = arn.split("/", 2)
    if len(parts) == 3 and parts[0].endswith(":assumed-role"):
        return parts[2]
    return principal.partition(":")[2]


# --- who -------------------------------------------------------------------------------------------------------------

_SERVICES = (".amazonaws.com", ".amazonaws.com.cn")

# Names with which a service is the console at work rather than a service acting for itself.
_CONSOLES = ("signin.", "console.")

# Issuers of OpenID Connect tokens for builds, as their makers document them for use with AWS.
_BUILD_ISSUERS = (
    *("token.actions.githubusercontent.com", "gitlab", "agent.buildkite.com", "oidc.circleci.com", "app.terraform.io"),
    *("api.bitbucket.org", "vstoken.dev.azure.com", "spacelift.io", "api.pulumi.com", "scalr.io", "codefresh.io"),
)

# Types of records that only somebody at the console or its sign-in page causes.
_BY_HAND = ("AwsConsoleSignIn", "AwsConsoleAction")

_BUILD_WORDS = re.compile(
    r"github|gitlab|jenkins|circleci|buildkite|bitbucket|codebuild|codepipeline|codedeploy|teamcity|argocd|atlantis"
    r"|spacelift|azure-?devops|(?:^|[-_./])(?:ci|cd|ci-?cd|deploy|deployer|deployment|pipeline)(?:[-_./]|$)",
    re.IGNORECASE,
)


def _actor(caller: _Caller) -> Actor:
    if caller.type in _BY_TYPE:
        return _BY_TYPE[caller.type](caller)
    if _is_service(caller.invoked_by) or caller.event_type == "AwsServiceEvent":
        return _service(caller)
    name = caller.user or caller.account or "unknown"
    return _named(caller, ActorKind.UNKNOWN, name, Confidence.LOW, "the record does not say what kind of caller it was")


def _named(caller: _Caller, kind: ActorKind, name: str, confidence: Confidence, because: str) -> Actor:
    return Actor(
        kind=kind,
        name=name,
        arn=caller.arn or None,
        role=caller.role,
        account=caller.account or None,
        confidence=confidence,
        because=because,
    )


def _service(caller: _Caller) -> Actor:
    name = caller.invoked_by if _is_service(caller.invoked_by) else caller.event_source or "AWS"
    because = "AWS records its own service as the caller"
    return _named(caller, ActorKind.AWS_SERVICE, name, Confidence.HIGH, because)


def _root(caller: _Caller) -> Actor:
    if _is_service(caller.invoked_by):
        because = f"{caller.invoked_by} acted with the root user's authority"
        return _named(caller, ActorKind.ROOT, "root", Confidence.MEDIUM, because)
    if caller.source_identity:
        because = "a root session, opened with a source identity that cannot be changed"
        return _named(caller, ActorKind.ROOT, caller.source_identity, Confidence.HIGH, because)
    return _named(caller, ActorKind.ROOT, "root", Confidence.HIGH, "the account's root user called")


def _iam_user(caller: _Caller) -> Actor:
    name = caller.user or caller.arn.rpartition("/")[2] or "unknown"
    if _signed_in(caller) or caller.with_mfa:
        return _named(caller, ActorKind.HUMAN, name, Confidence.HIGH, "the IAM user signed in as a person does")
    if _BUILD_WORDS.search(name):
        return _named(caller, ActorKind.PIPELINE, name, Confidence.LOW, "the IAM user's name is that of a pipeline")
    because = "an IAM user's access key, which a program may hold as well"
    return _named(caller, ActorKind.HUMAN, name, Confidence.MEDIUM, because)


def _signed_in(caller: _Caller) -> bool:
    """Whether there was a password or a console's credential, not merely an access key."""
    by_console = caller.event_source == "signin.amazonaws.com" or caller.invoked_by.startswith(_CONSOLES)
    return caller.console_credential or caller.event_type in _BY_HAND or by_console


def _session_of_role(caller: _Caller) -> Actor:
    """The first that knows: the more AWS vouches for it, the earlier it is asked."""
    for ask in _VOUCHED_FIRST:
        if actor := ask(caller):
            return actor
    name = caller.session or caller.role_name or "unknown"
    because = "the role is known, who is behind its session is not"
    return _named(caller, ActorKind.ROLE_SESSION, name, Confidence.MEDIUM, because)


def _service_linked(caller: _Caller) -> Actor | None:
    _, linked, rest = caller.issuer_arn.partition(":role/aws-service-role/")
    if not linked and not caller.role_name.startswith("AWSServiceRoleFor"):
        return None
    service = rest.partition("/")[0]
    name = service if _is_service(service) else caller.invoked_by or caller.role_name
    return _named(caller, ActorKind.AWS_SERVICE, name, Confidence.HIGH, "only the service can assume its linked role")


def _single_sign_on(caller: _Caller) -> Actor | None:
    reserved = "/aws-reserved/sso.amazonaws.com/" in caller.issuer_arn
    if not (caller.session and (reserved or caller.role_name.startswith("AWSReservedSSO_"))):
        return None
    because = "IAM Identity Center names the session after the person"
    return _named(caller, ActorKind.HUMAN, caller.session, Confidence.HIGH, because)


def _web_identity(caller: _Caller) -> Actor | None:
    issuer = caller.federated_by
    if not issuer:
        return None
    name = caller.subject or caller.session or caller.role_name or issuer
    if any(known in issuer.lower() for known in _BUILD_ISSUERS):
        return _named(caller, ActorKind.PIPELINE, name, Confidence.HIGH, f"{issuer} vouched for the build")
    if "@" in name:
        return _named(caller, ActorKind.HUMAN, name, Confidence.MEDIUM, f"{issuer} vouched for the identity")
    because = f"{issuer} vouched for the identity; whether that is a person is not recorded"
    return _named(caller, ActorKind.ROLE_SESSION, name, Confidence.MEDIUM, because)


def _source_identity(caller: _Caller) -> Actor | None:
    name = caller.source_identity
    if not name:
        return None
    if _BUILD_WORDS.search(name):
        return _named(caller, ActorKind.PIPELINE, name, Confidence.MEDIUM, "the source identity is that of a pipeline")
    because = "the source identity cannot be changed once a session has it"
    return _named(caller, ActorKind.HUMAN, name, Confidence.HIGH, because)


def _on_behalf_of(caller: _Caller) -> Actor | None:
    if not caller.on_behalf_of:
        return None
    because = "IAM Identity Center says on whose behalf the call was made"
    return _named(caller, ActorKind.HUMAN, caller.on_behalf_of, Confidence.HIGH, because)


def _workload(caller: _Caller) -> Actor | None:
    """Code on a machine: its session is named after the instance, function or task."""
    if caller.on_instance or re.fullmatch(r"i-[0-9a-f]{8,17}", caller.session):
        because = f"an EC2 instance's role; {caller.session or 'the instance'} called"
    elif "exec-env/AWS_Lambda" in caller.agent:
        because = "the user agent is that of a Lambda function"
    else:
        return None
    name = caller.role_name or caller.session or "unknown"
    return _named(caller, ActorKind.ROLE_SESSION, name, Confidence.MEDIUM, because)


def _build(caller: _Caller) -> Actor | None:
    """Sessions that builds open: CodeBuild and GitHub's action name them so themselves, others by custom."""
    if caller.session.startswith("AWSCodeBuild-") or caller.session == "GitHubActions":
        because = "the session is named as a build names it"
        return _named(caller, ActorKind.PIPELINE, caller.role_name or caller.session, Confidence.MEDIUM, because)
    return None


def _mail_address(caller: _Caller) -> Actor | None:
    if "@" not in caller.session:
        return None
    because = "the session is named after a mail address, which whoever assumes the role may choose"
    return _named(caller, ActorKind.HUMAN, caller.session, Confidence.MEDIUM, because)


def _cdk(caller: _Caller) -> Actor | None:
    person = caller.session.partition("aws-cdk-")[2]
    if not person:
        return None
    because = "the CDK names its session after the local user, be it a person or a build"
    return _named(caller, ActorKind.ROLE_SESSION, person, Confidence.LOW, because)


def _named_like_build(caller: _Caller) -> Actor | None:
    for name in (caller.session, caller.role_name):
        if _BUILD_WORDS.search(name):
            because = f"{name} is named like a pipeline"
            return _named(caller, ActorKind.PIPELINE, caller.role_name or name, Confidence.LOW, because)
    return None


def _at_console(caller: _Caller) -> Actor | None:
    if not _signed_in(caller):
        return None
    name = caller.session or caller.role_name or "unknown"
    because = "somebody used the role in the console; the session's name may be chosen"
    return _named(caller, ActorKind.HUMAN, name, Confidence.MEDIUM, because)


_VOUCHED_FIRST: tuple[Callable[[_Caller], Actor | None], ...] = (
    *(_service_linked, _single_sign_on, _web_identity, _source_identity, _on_behalf_of),
    *(_build, _workload, _mail_address, _cdk, _at_console, _named_like_build),
)


def _federated(caller: _Caller) -> Actor:
    """Someone whom an IAM user or an identity provider of one's own let in."""
    name = caller.user or caller.arn.rpartition("/")[2] or caller.session or "unknown"
    because = "federated; the name is that which the identity broker gave"
    return _named(caller, ActorKind.HUMAN, name, Confidence.MEDIUM, because)


def _saml(caller: _Caller) -> Actor:
    name = caller.user or caller.session or "unknown"
    return _named(caller, ActorKind.HUMAN, name, Confidence.HIGH, "the SAML provider asserted who signed in")


def _identity_center(caller: _Caller) -> Actor:
    name = caller.signed_in_as or caller.user or caller.on_behalf_of or "unknown"
    return _named(caller, ActorKind.HUMAN, name, Confidence.HIGH, "a user of IAM Identity Center")


def _other_account(caller: _Caller) -> Actor:
    name = caller.session or caller.account or "unknown"
    because = "a principal of another account, whose own trail says who it was"
    return _named(caller, ActorKind.UNKNOWN, name, Confidence.LOW, because)


def _is_service(name: str) -> bool:
    return name.endswith(_SERVICES) and not name.startswith(_CONSOLES)


_BY_TYPE: Mapping[str, Callable[[_Caller], Actor]] = {
    "Root": _root,
    "IAMUser": _iam_user,
    "AssumedRole": _session_of_role,
    "Role": _session_of_role,
    "WebIdentityUser": _session_of_role,
    "FederatedUser": _federated,
    "Directory": _federated,
    "SAMLUser": _saml,
    "IdentityCenterUser": _identity_center,
    "AWSAccount": _other_account,
    "AWSService": _service,
}


# --- how -------------------------------------------------------------------------------------------------------------

# What tools write into the user agent, the more telling first: Terraform's also has the SDK's.
_AGENTS: tuple[tuple[str, Via], ...] = (
    *(("terraform", Via.TERRAFORM), ("opentofu", Via.TERRAFORM)),
    *(("pulumi", Via.OTHER_IAC), ("crossplane", Via.OTHER_IAC), ("upbound", Via.OTHER_IAC)),
    *(("ansible", Via.OTHER_IAC), ("serverless", Via.OTHER_IAC), ("aws-controllers-k8s", Via.OTHER_IAC)),
    *(("aws-cdk", Via.CLOUDFORMATION), ("aws-sam-cli", Via.CLOUDFORMATION)),
    ("cloudformation.amazonaws.com", Via.CLOUDFORMATION),
    *(("aws-cli/", Via.CLI), ("awspowershell", Via.CLI), ("ec2-api-tools", Via.CLI)),
    *(("mozilla/", Via.CONSOLE), ("signin.", Via.CONSOLE), ("console", Via.CONSOLE)),
    ("aws-internal", Via.AWS_SERVICE),
    *(("boto3/", Via.SDK), ("botocore/", Via.SDK), ("aws-sdk", Via.SDK), ("rusoto/", Via.SDK)),
)


def _via(caller: _Caller) -> tuple[Via, Confidence]:
    if caller.event_type in _BY_HAND or caller.event_source == "signin.amazonaws.com":
        return Via.CONSOLE, Confidence.HIGH
    # AWS writes these two, not the caller.
    for name in (caller.invoked_by, caller.address):
        if name.endswith(_SERVICES):
            return _via_service(name), Confidence.HIGH
    if caller.console_credential:
        return _via_console_credential(caller)
    if caller.type == "AWSService" or caller.event_type == "AwsServiceEvent":
        return Via.AWS_SERVICE, Confidence.HIGH
    return _via_agent(caller)


def _via_service(name: str) -> Via:
    if name.startswith("cloudformation."):
        return Via.CLOUDFORMATION
    return Via.CONSOLE if name.startswith(_CONSOLES) else Via.AWS_SERVICE


def _via_console_credential(caller: _Caller) -> tuple[Via, Confidence]:
    """The console's own calls have no tlsDetails, a browser's and those of a CLI with the same credential have."""
    if not caller.tls:
        return Via.CONSOLE, Confidence.HIGH
    via, confidence = _via_agent(caller)
    if via is Via.CONSOLE:
        return Via.CONSOLE, Confidence.HIGH
    return (Via.CONSOLE, Confidence.LOW) if via is Via.UNKNOWN else (via, confidence)


def _via_agent(caller: _Caller) -> tuple[Via, Confidence]:
    agent = caller.agent.lower()
    for mark, via in _AGENTS:
        if mark in agent:
            return via, Confidence.MEDIUM
    if agent.endswith(_SERVICES) or "AWS Internal" in (caller.invoked_by, caller.address, caller.agent):
        return Via.AWS_SERVICE, Confidence.MEDIUM
    if caller.session.startswith(("aws-cdk-", "AWSCloudFormation")):
        return Via.CLOUDFORMATION, Confidence.LOW
    return Via.UNKNOWN, Confidence.LOW


# --- untrusted values ------------------------------------------------------------------------------------------------


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A value as plain text, empty where there is none to be had."""
    if not isinstance(value, str) or HIDDEN in value:
        return ""
    return value.strip()

"""What an identity's policy lets its holder become: an administrator at once, or one by way of others.

Only what a statement grants on every resource counts, after what the same policy denies flatly. Circumstances under
which it is granted (a second factor, an address, an hour) say who, not how much; a condition that demands a value of
anything else limits what can be done with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from demarc.core.policy import Condition, Policy, Statement, covers, covers_resource, matches

# AWS's policy that allows everything everywhere.
ADMINISTRATOR = "AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Path:
    """Actions by which whoever has all of them gains the permissions of somebody else; `passes_to` takes the role."""

    actions: tuple[str, ...]
    passes_to: str = ""

    def __str__(self) -> str:
        return " + ".join(self.actions)


def _passing(service: str, *ways: str) -> Iterator[Path]:
    for way in ways:
        yield Path(("iam:PassRole", *way.split(" + ")), service)


# What IAM's actions below are done to, and some of other services' (Service Authorization Reference, by service).
_DONE_TO = {
    "role": ("iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
    "user": (
        *("iam:AttachUserPolicy", "iam:PutUserPolicy"),
        *("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"),
    ),
    "policy": ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
    "group": ("iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"),
}
_TYPES = {action.lower(): type_ for type_, actions in _DONE_TO.items() for action in actions}
_TYPES |= {"iam:passrole": "role", "sts:assumerole": "role", "kms:decrypt": "key", "kms:reencryptfrom": "key"}

# The paths that Rhino Security Labs ("AWS IAM Privilege Escalation: Methods and Mitigation") and Datadog's
# pathfinding.cloud describe; MITRE ATT&CK T1098.003, T1548.005.
PATHS: tuple[Path, ...] = (
    *(Path((action,)) for actions in _DONE_TO.values() for action in actions),
    Path(("sts:AssumeRole",)),
    # Code of our own on what somebody gave a role to already.
    *(
        Path((action,))
        for action in (
            *("cloudformation:UpdateStack", "codebuild:StartBuild", "glue:UpdateDevEndpoint"),
            *("lambda:UpdateFunctionCode", "sagemaker:CreatePresignedNotebookInstanceUrl"),
            *("ssm:SendCommand", "ssm:StartSession"),
        )
    ),
    *_passing("ec2.amazonaws.com", "ec2:RunInstances", "ec2:AssociateIamInstanceProfile"),
    *_passing(
        "lambda.amazonaws.com",
        "lambda:CreateFunction + lambda:InvokeFunction",
        "lambda:CreateFunction + lambda:AddPermission",
        "lambda:CreateFunction + lambda:CreateEventSourceMapping",
    ),
    *_passing("cloudformation.amazonaws.com", "cloudformation:CreateStack"),
    *_passing(
        "glue.amazonaws.com",
        "glue:CreateDevEndpoint",
        "glue:CreateJob + glue:StartJobRun",
        "glue:UpdateJob + glue:StartJobRun",
    ),
    *_passing(
        "sagemaker.amazonaws.com",
        "sagemaker:CreateNotebookInstance + sagemaker:CreatePresignedNotebookInstanceUrl",
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateProcessingJob",
    ),
    *_passing(
        "ecs-tasks.amazonaws.com",
        "ecs:RegisterTaskDefinition + ecs:RunTask",
        "ecs:RegisterTaskDefinition + ecs:CreateService",
        "batch:RegisterJobDefinition + batch:SubmitJob",
    ),
    *_passing("codebuild.amazonaws.com", "codebuild:CreateProject + codebuild:StartBuild"),
    *_passing("states.amazonaws.com", "states:CreateStateMachine + states:StartExecution"),
    *_passing("ssm.amazonaws.com", "ssm:StartAutomationExecution"),
    *_passing("tasks.apprunner.amazonaws.com", "apprunner:CreateService"),
    *_passing(
        "datapipeline.amazonaws.com",
        "datapipeline:CreatePipeline + datapipeline:PutPipelineDefinition + datapipeline:ActivatePipeline",
    ),
)


@dataclass(frozen=True, slots=True)
class Escalation:
    """A path that is open, and the statement that grants its first action."""

    path: Path
    statement: Statement


_ANYTHING = "*:*"
_ALL_OF_IAM = "iam:*"


def full_administration(policy: Policy) -> Iterator[Statement]:
    """Statements that allow everything everywhere (NIST SP 800-53 AC-6).

    Allow with NotAction that leaves IAM whole is one: whoever has that takes the rest. By the same measure a policy
    that denies all of IAM flatly has none.
    """
    for statement in policy.statements:
        everything = covers(statement, _ANYTHING) or (bool(statement.not_actions) and covers(statement, _ALL_OF_IAM))
        if everything and any(_is_every(each, _ANYTHING) for each in _left(policy, statement, _ALL_OF_IAM)):
            yield statement


def whole_services(policy: Policy) -> Iterator[tuple[Statement, tuple[str, ...]]]:
    """Statements that allow all that a service can do, everywhere, with the patterns that say so.

    `*` allows all of every service, so a statement of full administration is one of these, too.
    """
    for statement in policy.statements:
        found = tuple(
            pattern
            for pattern in statement.actions
            if _is_whole_service(pattern) and _left(policy, statement, pattern if pattern.strip("*") else _ANYTHING)
        )
        if _is_all_but_some(statement) and _remaining(policy, statement, _ANYTHING):
            found = (f"all but {', '.join(statement.not_actions)}",)
        if found:
            yield statement, found


def granted_everywhere(policy: Policy, action: str) -> Iterator[Statement]:
    """Statements that grant an action on every resource of its service, in every Region of an account or in any."""
    for statement in policy.statements:
        if not all(_is_one_place(each) for each in _left(policy, statement, action)):
            yield statement


def escalations(policy: Policy) -> tuple[Escalation, ...]:
    """The known paths to somebody else's permissions that a policy opens by itself.

    What a permissions boundary, another policy or an organization's policies take away is not known here.
    """
    found = ((path, _opened_by(policy, path)) for path in PATHS)
    return tuple(Escalation(path, statement) for path, statement in found if statement)


def _opened_by(policy: Policy, path: Path) -> Statement | None:
    """The statement that grants the first action of a path, None if any action is not granted."""
    granting = [
        next((each for each in policy.statements if _left(policy, each, action, path.passes_to)), None)
        for action in path.actions
    ]
    return granting[0] if all(granting) else None


def _is_whole_service(pattern: str) -> bool:
    """`s3:*`, and everything: `*`."""
    service, _, name = pattern.partition(":")
    return not name.strip("*") and (":" in pattern or not service.strip("*"))


def _is_all_but_some(statement: Statement) -> bool:
    return bool(statement.not_actions) and not any(matches(each, _ANYTHING) for each in statement.not_actions)


# --- what a statement leaves -----------------------------------------------------------------------------------------


def _left(policy: Policy, statement: Statement, action: str, passes_to: str = "") -> list[str]:
    """On what a statement allows an action: its patterns of every resource, less those that the policy denies.

    Nothing if a condition limits the statement.
    """
    return _remaining(policy, statement, action, passes_to) if covers(statement, action) else []


def _remaining(policy: Policy, statement: Statement, action: str, passes_to: str = "") -> list[str]:
    """The same, of a statement that is about the action."""
    if not statement.allows or _is_limited(statement, action, passes_to):
        return []
    denies = [each for each in policy.statements if _is_flat(each) and covers(each, action)]
    return [each for each in _every(statement, action) if not any(_takes(deny, action, each) for deny in denies)]


def _is_flat(statement: Statement) -> bool:
    """Whether a statement denies whatever the circumstances."""
    return not statement.allows and not statement.conditions


def _takes(deny: Statement, action: str, resource: str) -> bool:
    """Whether a Deny leaves little enough of a pattern of every resource that it is one no more."""
    if deny.not_resources:
        return bool(_every(deny, action))
    return covers_resource(deny, resource) or any(_is_all_there_is(each, action) for each in _every(deny, action))


def _every(statement: Statement, action: str) -> list[str]:
    """The patterns of a statement that mean every resource that an action is done to; all but some is `*`."""
    if statement.not_resources:
        return [] if any(_is_every(each, action) for each in statement.not_resources) else ["*"]
    return [each for each in statement.resources if _is_every(each, action)]


# --- resources -------------------------------------------------------------------------------------------------------

# `*`, `*/*`, and `user/*`, `function:*`: everything, or everything of one type. A path (`role/team/*`) is a limit.
_ALL = re.compile(r"\*+(?:[/:]\*+)*")
_ALL_OF_A_TYPE = re.compile(r"[A-Za-z-]+[/:]\*+(?:[/:]\*+)*")
# Services whose resources start with a name of ours instead of a type: `photos/*` is one bucket.
_UNTYPED = ("execute-api", "s3", "sns")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def _is_every(resource: str, action: str) -> bool:
    _, _, service, _, _, last = _parts(resource)
    wanted = action.partition(":")[0].lower()
    # What STS is asked for is a role, and roles are IAM's.
    if not matches(service, "iam" if wanted == "sts" else wanted):
        return False
    if type_ := _TYPES.get(action.lower()):
        return matches(last, f"{type_}/*")
    return bool(_ALL.fullmatch(last) or (wanted not in _UNTYPED and _ALL_OF_A_TYPE.fullmatch(last)))


def _parts(resource: str) -> list[str]:
    """The six parts of an ARN; a pattern that ends sooner means all that may follow.

    IAM User Guide, "IAM JSON policy elements: Resource". Variables have colons of their own, and are no wildcards.
    """
    parts = _VARIABLE.sub("$", resource).split(":", 5)
    return parts + ["*"] * (6 - len(parts)) if parts[0] == "arn" else ["*"] * 5 + [resource]


def _is_all_there_is(every: str, action: str) -> bool:
    """Whether a pattern of every resource means all types that an action is done to, in every Region and account."""
    *_, region, account, last = _parts(every)
    return not (region + account).strip("*") and (action.lower() in _TYPES or not last.strip("*"))


def _is_one_place(resource: str) -> bool:
    """Whether a pattern means resources in one Region of one account."""
    return all(each and "*" not in each and "?" not in each for each in _parts(resource)[3:5])


# --- conditions ------------------------------------------------------------------------------------------------------

# Keys that say who asks, when, how and where (IAM User Guide, "AWS global condition context keys").
_CIRCUMSTANCES = (
    *("aws:calledvia", "aws:currenttime", "aws:epochtime", "aws:multifactorauth", "aws:principal", "aws:referer"),
    *("aws:requestedregion", "aws:resourceaccount", "aws:resourceorg", "aws:securetransport", "aws:sourceip"),
    *("aws:sourcevpc", "aws:tokenissuetime", "aws:useragent", "aws:userid", "aws:username", "aws:viaawsservice"),
    "aws:vpcsourceip",
)


def _is_limited(statement: Statement, action: str, passes_to: str) -> bool:
    """Whether a condition limits what can be done. A role may be passed to a service that is named for it.

    What a condition excludes, or lets through without the key, leaves nearly all.
    """
    return any(
        not condition.key.lower().startswith(_CIRCUMSTANCES) and _limits(condition, statement, action, passes_to)
        for condition in statement.conditions
    )


def _limits(condition: Condition, statement: Statement, action: str, passes_to: str) -> bool:
    values = statement.values_of(condition.key)
    if condition.key.lower() == "iam:passedtoservice" and action == "iam:PassRole":
        # Whoever passes a role says to what, so that the key is always there.
        if condition.operator.lower() in ("stringequalsifexists", "stringlikeifexists"):
            values = condition.values
        # In China some services add their domain's ending.
        if any(matches(value, service) for value in values for service in (passes_to, f"{passes_to}.cn")):
            return False
    return bool(values) and all(value.strip("*") for value in values)

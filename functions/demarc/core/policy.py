"""IAM policy documents: what one says, whom a resource's policy lets in, and what an identity's policy allows.

Shapes and rules are those of the IAM User Guide: "IAM JSON policy elements reference", "Policy evaluation logic" and
"AWS global condition context keys". What counts as public is the Amazon S3 User Guide's "The meaning of public":
a grant to everybody that no condition ties to fixed values.

Where it cannot be said that something narrows a grant, it does not: an analysis errs towards the wider audience.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from demarc.core.network import is_world, span
from demarc.core.snapshot import Snapshot, Unread


class PolicyUnreadable(ValueError):
    """The document is not an IAM policy; the message says what is wrong with it."""


# --- the document ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is named: `public`, `aws`, `service`, `federated` or `canonical`, and the name as it is written."""

    kind: str
    value: str

    @property
    def account(self) -> str | None:
        """The AWS account that the name belongs to, None where it does not say."""
        return _account_in(self.value)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator, both as written (`ForAnyValue:StringLike`); any of the values meets it."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Exactly one of `actions` and `not_actions` is there; no principals are an identity's policy."""

    index: int
    sid: str | None
    allows: bool
    principals: tuple[Principal, ...] = ()
    not_principals: tuple[Principal, ...] = ()
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def effect(self) -> str:
        return "Allow" if self.allows else "Deny"

    def values_of(self, key: str) -> tuple[str, ...]:
        """What a condition key must be, under operators that demand a value."""
        found = (each.values for each in self.conditions if each.key.lower() == key.lower() and _demands(each))
        return tuple(value for values in found for value in values)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, taken apart."""

    statements: tuple[Statement, ...]


def parse(document: str | Mapping[str, Any]) -> Policy:
    """Take a policy apart: JSON text, the same URL-encoded (as IAM returns it), or the object.

    Raises:
        PolicyUnreadable: if it is no policy.
    """
    loaded = _loaded(document) if isinstance(document, str) else document
    if not isinstance(loaded, Mapping):
        raise PolicyUnreadable(f"a policy is an object, not {type(loaded).__name__}")
    if "Statement" not in loaded:
        raise PolicyUnreadable("the policy has no Statement")
    statements = loaded["Statement"]
    listed = statements if isinstance(statements, list | tuple) else [statements]
    return Policy(tuple(_statement(index, each) for index, each in enumerate(listed)))


def of(snapshot: Snapshot, path: str) -> Policy | None:
    """The policy at a path of a snapshot, None where there is none.

    Raises:
        Unread: if it could not be read, or is there and makes no sense: that is no verdict either.
    """
    document = snapshot[path]
    if not document:
        return None
    try:
        return parse(document)
    except PolicyUnreadable as why:
        raise Unread(path, str(why)) from why


def _loaded(text: str) -> Any:
    try:
        # No JSON text begins with a percent sign.
        return json.loads(unquote(text) if text.lstrip().startswith("%") else text)
    except (ValueError, RecursionError) as error:
        raise PolicyUnreadable(f"the policy is not JSON: {error}") from error


def _statement(index: int, said: Any) -> Statement:
    if not isinstance(said, Mapping):
        raise PolicyUnreadable(f"Statement[{index}] is not an object but {type(said).__name__}")
    at = f"Statement[{index}]"
    if said.get("Effect") not in ("Allow", "Deny"):
        raise PolicyUnreadable(f"{at} has no Effect of Allow or Deny")
    sid = said.get("Sid")
    statement = Statement(
        index=index,
        sid=sid if isinstance(sid, str) else None,
        allows=said["Effect"] == "Allow",
        principals=_principals(f"{at}.Principal", said.get("Principal", {})),
        not_principals=_principals(f"{at}.NotPrincipal", said.get("NotPrincipal", {})),
        actions=_texts(f"{at}.Action", said.get("Action", ())),
        not_actions=_texts(f"{at}.NotAction", said.get("NotAction", ())),
        resources=_texts(f"{at}.Resource", said.get("Resource", ())),
        not_resources=_texts(f"{at}.NotResource", said.get("NotResource", ())),
        conditions=tuple(_conditions(f"{at}.Condition", said.get("Condition", {}))),
    )
    if bool(statement.actions) is bool(statement.not_actions):
        raise PolicyUnreadable(f"{at} has not exactly one of Action and NotAction")
    return statement


def _texts(at: str, said: Any) -> tuple[str, ...]:
    listed = said if isinstance(said, list | tuple) else (said,)
    if not all(isinstance(each, str) for each in listed):
        raise PolicyUnreadable(f"{at} is neither a text nor a list of texts")
    return tuple(listed)


# The JSON name of each kind of principal (IAM User Guide, "AWS JSON policy elements: Principal").
_KINDS = {"AWS": "aws", "Service": "service", "Federated": "federated", "CanonicalUser": "canonical"}


def _principals(at: str, said: Any) -> tuple[Principal, ...]:
    named = {"AWS": said} if isinstance(said, str) else said
    if not isinstance(named, Mapping) or not named.keys() <= _KINDS.keys():
        raise PolicyUnreadable(f"{at} names no principals of a known kind")
    found = ((_KINDS[kind], value) for kind, values in named.items() for value in _texts(f"{at}.{kind}", values))
    return tuple(Principal("public" if _is_everybody(value) else kind, value) for kind, value in found)


def _is_everybody(value: str) -> bool:
    """A name whose account is anybody's: `*`, and an ARN with a wildcard where the account is."""
    parts = value.split(":", 5)
    return value == "*" or (len(parts) == 6 and has_wildcard(parts[4]))


def _conditions(at: str, said: Any) -> Iterator[Condition]:
    if not isinstance(said, Mapping):
        raise PolicyUnreadable(f"{at} is not an object")
    for operator, keys in said.items():
        if not isinstance(keys, Mapping):
            raise PolicyUnreadable(f"{at}.{operator} is not an object")
        for key, values in keys.items():
            listed = values if isinstance(values, list | tuple) else (values,)
            yield Condition(str(operator), str(key), tuple(_value(f"{at}.{operator}.{key}", each) for each in listed))


def _value(at: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise PolicyUnreadable(f"{at} has a value that is no text")


# --- patterns --------------------------------------------------------------------------------------------------------


def matches(pattern: str, action: str) -> bool:
    """Whether a pattern of actions covers an action, or all that another pattern covers; letter case is nothing."""
    return _covers(pattern.lower(), action.lower())


@lru_cache(maxsize=8192)
def _covers(pattern: str, text: str) -> bool:
    """Glob with `*` and `?`, never backtracking further than to the last star: patterns are foreign text.

    A wildcard in `text` is a letter like any other that only `*` takes, so True is right for patterns, too.
    """
    at = here = 0
    star, resume = -1, 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, here
            at += 1
        elif at < len(pattern) and (pattern[at] == text[here] or (pattern[at] == "?" and text[here] != "*")):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


@lru_cache(maxsize=8192)
def _overlap(some: str, other: str) -> bool:
    """Whether two patterns have a text in common."""
    reached = [True] + [False] * len(other)
    for column, letter in enumerate(other, start=1):
        reached[column] = reached[column - 1] and letter == "*"
    for letter in some:
        above, reached = reached, [reached[0] and letter == "*"] + [False] * len(other)
        for column, opposite in enumerate(other, start=1):
            if "*" in (letter, opposite):
                reached[column] = above[column] or reached[column - 1] or above[column - 1]
            else:
                reached[column] = above[column - 1] and (letter == opposite or "?" in (letter, opposite))
    return reached[-1]


def has_wildcard(text: str) -> bool:
    """Whether a value is not fixed: a wildcard or a policy variable."""
    return "*" in text or "?" in text or "${" in text


def covers(statement: Statement, action: str) -> bool:
    """Whether a statement speaks of an action, or of all that a pattern of actions covers, whatever its effect."""
    if statement.not_actions:
        return not any(_overlap(pattern.lower(), action.lower()) for pattern in statement.not_actions)
    return any(matches(pattern, action) for pattern in statement.actions)


def covers_resource(statement: Statement, resource: str) -> bool:
    """Whether a statement speaks of a resource, or of all that a pattern covers. Without resources: of its own."""
    if statement.not_resources:
        return not any(_overlap(pattern, resource) for pattern in statement.not_resources)
    return not statement.resources or any(_covers(pattern, resource) for pattern in statement.resources)


def denied(policy: Policy, action: str, resource: str = "*") -> bool:
    """Whether a policy denies an action on a resource whatever the circumstances."""
    return any(
        not each.allows and not each.conditions and covers(each, action) and covers_resource(each, resource)
        for each in policy.statements
    )


# --- whom a resource's policy lets in --------------------------------------------------------------------------------


class Audience(StrEnum):
    """Whom a statement lets in, seen from the account of the resource. From the narrowest to the widest."""

    OWN_ACCOUNT = "own-account"
    ORGANIZATION = "organization"
    SERVICE = "service"
    FEDERATED = "federated"
    OUTSIDE_ACCOUNT = "outside-account"
    # Anybody, but only from a named network or through a named resource.
    CONFINED = "confined"
    PUBLIC = "public"


_WIDTH = {audience: width for width, audience in enumerate(Audience)}


@dataclass(frozen=True, slots=True)
class Exposure:
    """That a statement lets an audience do something.

    `who` are the names that make it so (accounts, ARNs, services, addresses), `actions` what is allowed to them,
    `narrowed_by` the condition keys that tie the grant to fixed values.
    """

    statement: Statement
    audience: Audience
    who: tuple[str, ...]
    actions: tuple[str, ...]
    narrowed_by: tuple[str, ...] = ()


def exposures(
    policy: Policy,
    *,
    account: str,
    trusted: Iterable[str] = (),
    organization: str | None = None,
    actions: Sequence[str] = (),
) -> tuple[Exposure, ...]:
    """Whom each Allow statement of a resource's policy lets in, after its conditions and the policy's Deny statements.

    One exposure per statement and audience; its statement is left with what that audience may do.

    Args:
        policy: a resource's policy; an identity's names no principals and exposes nothing.
        account: the account of the resource.
        trusted: accounts that are of the organization.
        organization: the organization's id; while it is None, any organization that is named is taken to be ours.
        actions: look at these actions only. Actions that a Deny picks out of a wildcard are seen only when named here.
    """
    near = _Near(account, frozenset(trusted), organization)
    denies = tuple(each for each in policy.statements if not each.allows)
    return tuple(
        exposure
        for statement in policy.statements
        if statement.allows
        for exposure in _exposures_of(statement, denies, near, actions)
    )


# An audience, and the name that makes it so.
_Who = tuple[Audience, str]


@dataclass(frozen=True, slots=True)
class _Near:
    """What is ours: the account of the resource, the accounts and the id of the organization."""

    account: str
    trusted: frozenset[str]
    organization: str | None

    def of_account(self, account: str) -> Audience:
        if account == self.account:
            return Audience.OWN_ACCOUNT
        return Audience.ORGANIZATION if account in self.trusted else Audience.OUTSIDE_ACCOUNT

    def of_organization(self, organization: str) -> Audience:
        ours = self.organization in (None, organization)
        return Audience.ORGANIZATION if ours else Audience.OUTSIDE_ACCOUNT


def _exposures_of(
    statement: Statement, denies: Sequence[Statement], near: _Near, asked: Sequence[str]
) -> Iterator[Exposure]:
    """By audience: the actions that a statement leaves to it."""
    named = [action for action in asked if covers(statement, action)] if asked else statement.actions or ("*",)
    found: dict[Audience, tuple[dict[str, None], dict[str, None]]] = {}
    for action in named:
        relevant = [deny for deny in denies if _speaks_of_all(deny, statement, action)]
        for principal in statement.principals or _everybody_but(statement):
            for audience, who in _let_in(principal, statement, relevant, near):
                names, allowed = found.setdefault(audience, ({}, {}))
                names[who] = allowed[action] = None
    narrowed = tuple(each.key for each in statement.conditions if _narrowing(each, statement, near) is not None)
    for audience, (names, allowed) in found.items():
        left = replace(statement, actions=tuple(allowed)) if statement.actions and not asked else statement
        yield Exposure(left, audience, tuple(names), tuple(allowed), narrowed)


def _everybody_but(statement: Statement) -> tuple[Principal, ...]:
    """Whom Allow with NotPrincipal lets in: everybody but a few is still the public."""
    return (Principal("public", "*"),) if statement.not_principals else ()


def _speaks_of_all(deny: Statement, allow: Statement, action: str) -> bool:
    """Whether a Deny is about an action on everything that an Allow is about."""
    resources = allow.resources or ("*",)
    return covers(deny, action) and all(covers_resource(deny, resource) for resource in resources)


def _let_in(principal: Principal, statement: Statement, denies: Iterable[Statement], near: _Near) -> tuple[_Who, ...]:
    """Who is left of a principal after everything that narrows: nobody, or the tightest of all that is said."""
    left = _audience(principal, near)
    said = [_narrowing(each, statement, near) for each in statement.conditions]
    said += [_spared(deny, principal, near) for deny in denies]
    for narrowing in said:
        # Services and federated users stay what they are; only a flat refusal takes them away.
        if narrowing is not None and (not narrowing or principal.kind in ("public", "aws", "canonical")):
            left = min(left, narrowing, key=_width)
    return left


def _width(who: Sequence[_Who]) -> int:
    return max((_WIDTH[audience] for audience, _ in who), default=-1)


def _audience(principal: Principal, near: _Near) -> tuple[_Who, ...]:
    match principal.kind:
        case "public":
            return ((Audience.PUBLIC, principal.value),)
        case "service":
            return ((Audience.SERVICE, principal.value),)
        case "federated":
            return ((Audience.FEDERATED, principal.value),)
        case "canonical":
            # Its account is nobody's to know, so it is not known to be ours.
            return ((Audience.OUTSIDE_ACCOUNT, principal.value),)
        case _:
            return _audience_of_aws(principal, near)


def _audience_of_aws(principal: Principal, near: _Near) -> tuple[_Who, ...]:
    if principal.account:
        return ((near.of_account(principal.account), principal.value),)
    if not principal.value.startswith("arn:"):
        # The unique id (AROA..., AIDA...) that is left of a deleted principal lets nobody in.
        return ()
    # CloudFront's origin access identities are users of an account called `cloudfront`.
    return ((Audience.SERVICE, principal.value),)


_ACCOUNT = re.compile(r"[0-9]{12}")


def _account_in(name: str) -> str | None:
    """The account of an ARN, or of a name that is an account."""
    parts = name.split(":", 5)
    candidate = parts[4] if len(parts) == 6 and parts[0] == "arn" else name
    return candidate if _ACCOUNT.fullmatch(candidate) else None


# --- Deny ------------------------------------------------------------------------------------------------------------


def _spared(deny: Statement, principal: Principal, near: _Near) -> tuple[_Who, ...] | None:
    """Whom of a principal a relevant Deny spares: None if it says nothing about it, nobody if it denies flatly."""
    if deny.not_principals:
        return _spared_by_name(deny, principal, near) if not deny.conditions else None
    if not any(_is_among(principal, each) for each in deny.principals):
        return None
    spared: list[_Who] = []
    for condition in deny.conditions:
        # Deny is met only where all its conditions are, so whoever fails one of them is spared.
        named = _complement(condition, near)
        if named is None:
            return None
        spared += named
    return tuple(spared)


def _spared_by_name(deny: Statement, principal: Principal, near: _Near) -> tuple[_Who, ...] | None:
    if principal.kind == "public":
        return tuple(who for each in deny.not_principals for who in _audience(each, near))
    kin = any(_is_among(principal, each) or _same_account(principal, each) for each in deny.not_principals)
    return None if kin else ()


def _is_among(principal: Principal, named: Principal) -> bool:
    """Whether whoever is meant by one principal is meant by the other: everybody, the same, or their whole account."""
    if named.kind == "public" or named == principal:
        return named.value == "*" or named == principal
    whole = named.kind == "aws" and (named.value == named.account or named.value.endswith(":root"))
    return whole and principal.kind == "aws" and _same_account(principal, named)


def _same_account(some: Principal, other: Principal) -> bool:
    return some.account is not None and some.account == other.account


# --- conditions ------------------------------------------------------------------------------------------------------

_MEETS = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress", "bool"}
)
# What a Deny spares is what its negated operator names. They are met by a missing key, so nobody slips by without one.
_SPARES = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequals",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
}


def _taken_apart(operator: str) -> tuple[str, str, bool]:
    """The quantifier (`forallvalues`, `foranyvalue` or none), the bare operator, and whether the key may be missing."""
    quantifier, colon, bare = operator.lower().rpartition(":")
    return (quantifier if colon else ""), bare.removesuffix("ifexists"), bare.endswith("ifexists")


def _demands(condition: Condition) -> bool:
    """Whether a condition fails without its key, and is met by what it names."""
    quantifier, bare, optional = _taken_apart(condition.operator)
    return bare in _MEETS and not optional and quantifier != "forallvalues"


def _narrowing(condition: Condition, statement: Statement, near: _Near) -> tuple[_Who, ...] | None:
    """To whom a condition of an Allow limits it, None where it limits it to nobody in particular.

    `...IfExists` and `ForAllValues:` let whoever lacks the key through, unless a `Null` condition wants the key there
    (IAM User Guide, "IAM JSON policy elements: Condition operators").
    """
    _, bare, _ = _taken_apart(condition.operator)
    if bare not in _MEETS or not (_demands(condition) or _must_exist(condition.key, statement)):
        return None
    return _fixed(condition.key, condition.values, bare, near)


def _must_exist(key: str, statement: Statement) -> bool:
    return any(
        each.operator.lower() == "null"
        and each.key.lower() == key.lower()
        and set(map(str.lower, each.values)) == {"false"}
        for each in statement.conditions
    )


def _complement(condition: Condition, near: _Near) -> tuple[_Who, ...] | None:
    """Whom a condition of a Deny spares, None where that is nobody in particular."""
    quantifier, bare, optional = _taken_apart(condition.operator)
    if quantifier == "foranyvalue":
        return None
    if bare == "bool" and optional and [value.lower() for value in condition.values] == ["false"]:
        # Without IfExists it is not met by who lacks the key, such as an anonymous caller.
        return _fixed(condition.key, ("true",), "bool", near)
    return _fixed(condition.key, condition.values, _SPARES[bare], near) if bare in _SPARES else None


def _fixed(key: str, values: Sequence[str], operator: str, near: _Near) -> tuple[_Who, ...] | None:
    """Whom the values of a condition key name, None if any of them (or the key, or their sum) leaves it open."""
    names = _KEYS.get(key.lower())
    if names is None or not values or (operator == "ipaddress") is not (key.lower() == "aws:sourceip"):
        return None
    if operator == "stringlike" and key.lower() == "aws:principalarn" and not all(map(_begins_with_account, values)):
        return None
    found = [names(value, near) for value in values]
    known = [who for who in found if who is not None]
    if len(known) < len(found) or (operator == "ipaddress" and is_world(values)):
        return None
    return tuple(known)


def _begins_with_account(arn: str) -> bool:
    """Whether an ARN is fixed up to its account.

    To StringLike an ARN is mere text, in which `*` also takes colons: whoever names the path of their own role well
    (`arn:aws:iam::THEIRS:role/::OURS:role/`) meets `arn:aws:*::OURS:role/*`. ArnLike compares part by part.
    """
    return not has_wildcard(":".join(arn.split(":", 5)[:5]))


_Namer = Callable[[str, _Near], _Who | None]


def _by_account(value: str, near: _Near) -> _Who | None:
    return (near.of_account(value), value) if _ACCOUNT.fullmatch(value) else None


def _by_organization(value: str, near: _Near) -> _Who | None:
    """An organization's id, also as the start of a path to one of its units."""
    organization = value.partition("/")[0]
    if not organization.startswith("o-") or has_wildcard(organization):
        return None
    return (near.of_organization(organization), organization)


def _by_arn(value: str, near: _Near) -> _Who | None:
    """An ARN with an account; one without, such as a bucket's, must name its resource to the letter."""
    parts = value.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None
    if _ACCOUNT.fullmatch(parts[4]):
        return (near.of_account(parts[4]), value)
    resource = parts[5].partition("/")[0]
    return (Audience.CONFINED, value) if not parts[4] and resource and not has_wildcard(resource) else None


def _by_network(value: str, _: _Near) -> _Who | None:
    return (Audience.CONFINED, value) if value and not has_wildcard(value) else None


# Amazon S3 User Guide, "The meaning of public": wider ranges of addresses are the public.
_NARROWEST_PUBLIC = {4: 32 - 8, 6: 128 - 32}


def _by_address(value: str, _: _Near) -> _Who | None:
    try:
        addresses = span(value if "/" in value else f"{value}/{128 if ':' in value else 32}")
    except ValueError:
        return None
    return (Audience.CONFINED, value) if addresses.size <= 2 ** _NARROWEST_PUBLIC[addresses.family] else None


def _by_user_id(value: str, _: _Near) -> _Who | None:
    """The id of a user or a role; whatever a role's session calls itself comes after the colon."""
    role = value.partition(":")[0]
    return (Audience.CONFINED, value) if role and not has_wildcard(role) else None


def _by_service(value: str, _: _Near) -> _Who | None:
    return (Audience.SERVICE, value) if value and not has_wildcard(value) else None


def _if_true(audience: Audience) -> _Namer:
    return lambda value, _: (audience, value) if value.lower() == "true" else None


# Condition keys whose fixed values say who calls or where from. What a caller chooses (aws:Referer, aws:UserAgent,
# aws:PrincipalTag of their own account, sts:ExternalId) or what holds for anybody (aws:SecureTransport) is not here,
# nor what is said of the resource (aws:ResourceAccount); aws:VpcSourceIp says nothing without the VPC.
_KEYS: Mapping[str, _Namer] = {
    **dict.fromkeys(
        (
            *("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "aws:vpceaccount"),
            *("kms:calleraccount", "s3:dataaccesspointaccount"),
        ),
        _by_account,
    ),
    **dict.fromkeys(
        (
            *("aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths"),
            *("aws:vpceorgid", "aws:vpceorgpaths"),
        ),
        _by_organization,
    ),
    **dict.fromkeys(
        (
            *("aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "ec2:sourceinstancearn"),
            *("lambda:sourcefunctionarn", "s3:accessgrantsinstancearn", "s3:dataaccesspointarn"),
        ),
        _by_arn,
    ),
    **dict.fromkeys(("aws:ec2instancesourcevpc", "aws:sourcevpc", "aws:sourcevpce"), _by_network),
    "aws:sourceip": _by_address,
    "aws:userid": _by_user_id,
    "aws:principalservicename": _by_service,
    "aws:principalisawsservice": _if_true(Audience.SERVICE),
    # Amazon EFS User Guide, "Blocking public access": only a mount target of the file system's own VPCs is reached.
    "elasticfilesystem:accessedviamounttarget": _if_true(Audience.CONFINED),
}

"""Environments of Elastic Beanstalk. Their variables are never read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, pages, present, same, tags, the_one

_SOURCE = "elasticbeanstalk.amazonaws.com"
_GONE = ("InvalidParameterValue", "ResourceNotFoundException")
# The options that are judged, by what they are called here.
_OPTIONS = {
    ("aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs"): "StreamLogs",
    ("aws:elasticbeanstalk:healthreporting:system", "SystemType"): "HealthReporting",
    ("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled"): "ManagedUpdates",
}


def _environment(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("elasticbeanstalk", resource.region)
    found = asked(client, "describe_environments", _GONE, EnvironmentNames=[resource.identifier], IncludeDeleted=False)
    return the_one(
        [each for each in found.get("Environments", ()) if each.get("Status") not in ("Terminating", "Terminated")]
    )


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    environment = _environment(clients, resource)
    return same(environment, "ApplicationName", "EnvironmentName", "PlatformArn")


def _options(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    application = _environment(clients, resource)["ApplicationName"]
    client = clients("elasticbeanstalk", resource.region)
    found = asked(
        client,
        "describe_configuration_settings",
        _GONE,
        ApplicationName=application,
        EnvironmentName=resource.identifier,
    )
    settings = the_one(found.get("ConfigurationSettings")).get("OptionSettings", ())
    kept = {(each.get("Namespace"), each.get("OptionName")): each.get("Value") for each in settings}
    return {"Observed": present(**{name: kept.get(option) for option, name in _OPTIONS.items()})}


def _tags(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    client = clients("elasticbeanstalk", resource.region)
    arn = _environment(clients, resource)["EnvironmentArn"]
    return {"Tags": tags(asked(client, "list_tags_for_resource", _GONE, ResourceArn=arn).get("ResourceTags"))}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("elasticbeanstalk", region), "describe_environments", "Environments", 1000):
        yield [each["EnvironmentName"] for each in page if each.get("Status") not in ("Terminating", "Terminated")]


# Callers may name an environment by its id; most answers have the name.
_NAMED = ("requestParameters.environmentName",)
_ANSWERED = (*_NAMED, "responseElements.environmentName")
_DESCRIBED = {"elasticbeanstalk.DescribeEnvironments": "elasticbeanstalk:DescribeEnvironments"}
_OBSERVED = tuple(f"Observed.{name}" for name in _OPTIONS.values())
_SET = ("PlatformArn", *_OBSERVED)

ENVIRONMENT = Reader(
    type="AWS::ElasticBeanstalk::Environment",
    responder="compute",
    # Its ARN has the application's name before its own.
    arn="arn:{partition}:elasticbeanstalk:{region}:{account}:environment/*/{identifier}",
    parts=(
        Part(gives=("ApplicationName", "EnvironmentName", "PlatformArn"), calls=_DESCRIBED, read=_read),
        Part(
            gives=_OBSERVED,
            calls={
                **_DESCRIBED,
                "elasticbeanstalk.DescribeConfigurationSettings": "elasticbeanstalk:DescribeConfigurationSettings",
            },
            read=_options,
        ),
        Part(
            gives=("Tags",),
            calls={
                **_DESCRIBED,
                "elasticbeanstalk.ListTagsForResource": "elasticbeanstalk:ListTagsForResource",
            },
            read=_tags,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreateEnvironment", "TerminateEnvironment"), _ANSWERED, EVERYTHING),
        Touch(_SOURCE, ("ComposeEnvironments",), ("responseElements.environments[].environmentName",), EVERYTHING),
        Touch(_SOURCE, ("UpdateEnvironment",), _ANSWERED, _SET),
        # An update that is given up is rolled back.
        Touch(_SOURCE, ("AbortEnvironmentUpdate",), _NAMED, _SET),
        Touch(
            _SOURCE,
            (
                *("RebuildEnvironment", "RestartAppServer", "ApplyEnvironmentManagedAction"),
                *("AssociateEnvironmentOperationsRole", "DisassociateEnvironmentOperationsRole"),
            ),
            _NAMED,
        ),
        Touch(_SOURCE, ("UpdateTagsForResource",), ("requestParameters.resourceArn",), ("Tags",)),
    ),
    inventory=Inventory(calls=_DESCRIBED, pages=_listed),
)

READERS: tuple[Reader, ...] = (ENVIRONMENT,)

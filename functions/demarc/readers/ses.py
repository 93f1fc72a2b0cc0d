"""Configuration sets of SES: with what demands mail is sent."""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol

# Both versions of the API have this source.
_SOURCE = "ses.amazonaws.com"
_NAMED = ("requestParameters.configurationSetName",)

CONFIGURATION_SET = cloudcontrol.reader(
    "AWS::SES::ConfigurationSet",
    responder="data",
    arn="arn:{partition}:ses:{region}:{account}:configuration-set/{identifier}",
    gives=(
        *("Name", "DeliveryOptions", "ReputationOptions", "SendingOptions", "SuppressionOptions", "TrackingOptions"),
        "Tags",
    ),
    reading=("ses:DescribeConfigurationSet", "ses:GetConfigurationSet"),
    listing=("ses:ListConfigurationSets",),
    touches=(
        Touch(_SOURCE, ("CreateConfigurationSet",), (*_NAMED, "requestParameters.configurationSet.name"), EVERYTHING),
        Touch(_SOURCE, ("DeleteConfigurationSet",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("PutConfigurationSetDeliveryOptions",), _NAMED, ("DeliveryOptions",)),
        Touch(
            _SOURCE,
            ("PutConfigurationSetReputationOptions", "UpdateConfigurationSetReputationMetricsEnabled"),
            _NAMED,
            ("ReputationOptions",),
        ),
        Touch(
            _SOURCE,
            ("PutConfigurationSetSendingOptions", "UpdateConfigurationSetSendingEnabled"),
            _NAMED,
            ("SendingOptions",),
        ),
        Touch(_SOURCE, ("PutConfigurationSetSuppressionOptions",), _NAMED, ("SuppressionOptions",)),
        Touch(
            _SOURCE,
            (
                *("CreateConfigurationSetTrackingOptions", "DeleteConfigurationSetTrackingOptions"),
                *("PutConfigurationSetTrackingOptions", "UpdateConfigurationSetTrackingOptions"),
            ),
            _NAMED,
            ("TrackingOptions",),
        ),
        Touch(_SOURCE, ("UpdateConfigurationSet",), _NAMED),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
)

READERS: tuple[Reader, ...] = (CONFIGURATION_SET,)

"""Environments of Managed Workflows for Apache Airflow: from where they are reached, and what they write down.

Their options may hold passwords of the databases that workflows talk to, and are not kept.
"""

from __future__ import annotations

from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Reader, cloudcontrol

_SOURCE = "airflow.amazonaws.com"
_NAMED = ("requestParameters.name",)

ENVIRONMENT = cloudcontrol.reader(
    "AWS::MWAA::Environment",
    responder="compute",
    arn="arn:{partition}:airflow:{region}:{account}:environment/{identifier}",
    gives=("Name", "AirflowVersion", "KmsKey", "LoggingConfiguration", "WebserverAccessMode", "Tags"),
    reading=("airflow:GetEnvironment",),
    listing=("airflow:ListEnvironments",),
    touches=(
        Touch(_SOURCE, ("CreateEnvironment", "DeleteEnvironment"), _NAMED, EVERYTHING),
        Touch(
            _SOURCE,
            ("UpdateEnvironment",),
            _NAMED,
            ("AirflowVersion", "LoggingConfiguration", "WebserverAccessMode"),
        ),
        Touch(_SOURCE, ("TagResource", "UntagResource"), ("requestParameters.resourceArn",), ("Tags",)),
    ),
)

READERS: tuple[Reader, ...] = (ENVIRONMENT,)

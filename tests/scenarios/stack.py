"""Demarc as its stack in CloudFormation, which the simulation does without: what Demarc reads of itself is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.synthesis import Assembly
from tests.scenarios.world import ACCOUNT, REGION, World

STACK = "Demarc"


def as_a_stack(world: World, assembly: Assembly) -> None:
    """Make the stack, with the rules of the template and the table; what was in the table is gone."""
    table = world.cloud.functions[0].environment["DEMARC_TABLE"]
    world.cloud.client("dynamodb").delete_table(TableName=table)
    template = {"Resources": {**_rules(assembly), "Findings": _table(assembly, table)}}
    world.cloud.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(template))


def _rules(assembly: Assembly) -> dict[str, Any]:
    rules = {}
    for logical, rule in assembly.resources("AWS::Events::Rule").items():
        when = {
            name: rule["Properties"][name] for name in ("State", "ScheduleExpression") if name in rule["Properties"]
        }
        heard = when if "ScheduleExpression" in when else {**when, "EventPattern": {"source": [{"prefix": "aws."}]}}
        target = {"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:anywhere"}
        rules[logical] = {"Type": "AWS::Events::Rule", "Properties": {**heard, "Targets": [target]}}
    return rules


def _table(assembly: Assembly, name: str) -> Mapping[str, Any]:
    (table,) = assembly.resources("AWS::DynamoDB::GlobalTable").values()
    taken = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
    properties = {each: table["Properties"][each] for each in taken}
    return {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name, **properties}}

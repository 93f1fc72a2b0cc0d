"""Groups of parameters and of options, where moto does not answer as RDS does."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from demarc import readers
from demarc.aws import AwsClients
from demarc.core.model import Resource
from demarc.core.snapshot import Snapshot
from demarc.readers import Gone, Reader
from demarc.readers.rds.dbclusterparametergroup import DB_CLUSTER_PARAMETER_GROUP
from demarc.readers.rds.dbparametergroup import DB_PARAMETER_GROUP
from demarc.readers.rds.optiongroup import OPTION_GROUP

REGION, ACCOUNT = "eu-west-1", "123456789012"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    DB_PARAMETER_GROUP.type: ("describe_db_parameter_groups", "DBParameterGroup", "describe_db_parameters"),
    DB_CLUSTER_PARAMETER_GROUP.type: (
        "describe_db_cluster_parameter_groups",
        "DBClusterParameterGroup",
        "describe_db_cluster_parameters",
    ),
}
EACH = pytest.mark.parametrize("reader", [DB_PARAMETER_GROUP, DB_CLUSTER_PARAMETER_GROUP], ids=lambda each: each.type)


@cache
def client() -> Any:
    """A client whose answers are written by the test."""
    return AwsClients()("rds", REGION)


def named(reader: Reader, name: str = "ledger") -> Resource:
    return readers.resource_of(reader, name, ACCOUNT, REGION)


def look(reader: Reader, *properties: str) -> Snapshot | Gone:
    # Tags are asked of everything; what a test asks about is one part.
    part = next(each for each in reader.parts if properties[0] in each.gives)
    one = Reader(reader.type, reader.responder, reader.arn, (part,), reader.touches)
    return readers.read(one, named(reader), needs=properties, clients=lambda *_: client(), now=NOW)


def of_family(reader: Reader, family: str) -> Snapshot | Gone:
    method, kind, _ = KINDS[reader.type]
    with Stubber(client()) as stubber:
        group = {f"{kind}Name": "ledger", "DBParameterGroupFamily": family}
        stubber.add_response(method, {f"{kind}s": [group]}, {f"{kind}Name": "ledger"})
        return look(reader, "Observed.Engine")


@EACH
@pytest.mark.parametrize(
    ("family", "engine"),
    [
        ("postgres16", "postgres"),
        ("mysql8.0", "mysql"),
        ("aurora5.6", "aurora"),
        ("aurora-postgresql16", "aurora-postgresql"),
        ("mariadb10.11", "mariadb"),
        ("oracle-se2-cdb-19", "oracle-se2-cdb"),
        ("sqlserver-ee-15.0", "sqlserver-ee"),
        ("db2-se-11.5", "db2-se"),
        ("", ""),
    ],
)
def test_a_family_is_an_engine_and_its_version(reader: Reader, family: str, engine: str) -> None:
    seen = of_family(reader, family)

    assert isinstance(seen, Snapshot)
    assert (seen["Family"], seen["Observed.Engine"]) == (family, engine)


@EACH
@pytest.mark.parametrize("family", ["docdb5.0", "neptune1", "neptune1.3"])
def test_groups_of_other_databases_are_none_of_rds(reader: Reader, family: str) -> None:
    assert isinstance(of_family(reader, family), Gone)


@EACH
def test_groups_of_other_databases_are_not_listed(reader: Reader) -> None:
    method, kind, _ = KINDS[reader.type]
    families = {"ours": "postgres16", "graph": "neptune1.3", "documents": "docdb5.0", "default.mysql8.0": "mysql8.0"}
    groups = [{f"{kind}Name": name, "DBParameterGroupFamily": family} for name, family in families.items()]
    with Stubber(client()) as stubber:
        stubber.add_response(method, {f"{kind}s": groups})
        assert reader.inventory
        pages = list(reader.inventory.pages(lambda *_: client(), ACCOUNT, REGION))

    assert pages == [["ours", "default.mysql8.0"]]


@EACH
def test_values_are_read_page_by_page_and_nothing_but_those_that_are_asked_about(reader: Reader) -> None:
    _, kind, method = KINDS[reader.type]
    pages = [
        [
            {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "Source": "system"},
            {"ParameterName": "init_connect", "ParameterValue": "set @secret = 'x'"},
        ],
        [{"ParameterName": "log_statement"}, {"ParameterName": "pgaudit.log", "ParameterValue": "ddl"}, {}],
    ]
    with Stubber(client()) as stubber:
        wanted = {f"{kind}Name": "ledger", "MaxRecords": 100, "Filters": ANY}
        stubber.add_response(method, {"Parameters": pages[0], "Marker": "more"}, wanted)
        stubber.add_response(method, {"Parameters": pages[1]}, {**wanted, "Marker": "more"})
        seen = look(reader, "Observed.Parameters")

    assert isinstance(seen, Snapshot)
    assert seen["Observed.Parameters"] == {"rds_force_ssl": "0", "pgaudit_log": "ddl"}


@EACH
def test_parameters_of_a_group_that_went_are_gone(reader: Reader) -> None:
    with Stubber(client()) as stubber:
        stubber.add_client_error(KINDS[reader.type][2], "DBParameterGroupNotFound", http_status_code=404)
        assert isinstance(look(reader, "Observed.Parameters"), Gone)


@EACH
def test_parameters_that_are_throttled_rise(reader: Reader) -> None:
    with Stubber(client()) as stubber:
        stubber.add_client_error(KINDS[reader.type][2], "Throttling")
        with pytest.raises(ClientError, match="Throttling"):
            look(reader, "Observed.Parameters")


def test_an_option_that_nobody_set_has_its_default_and_no_setting_that_nobody_asks_about_is_kept() -> None:
    options = [
        {
            "OptionName": "NATIVE_NETWORK_ENCRYPTION",
            "OptionSettings": [
                {"Name": "SQLNET.ENCRYPTION_SERVER", "DefaultValue": "REQUESTED"},
                {"Name": "SQLNET.ALLOW_WEAK_CRYPTO", "Value": "FALSE", "DefaultValue": "TRUE"},
            ],
        },
        {
            "OptionName": "OEM_AGENT",
            "Port": 3872,
            "OptionSettings": [{"Name": "AGENT_REGISTRATION_PASSWORD", "Value": "not-to-be-seen"}],
        },
    ]
    group = {"OptionGroupName": "ledger", "EngineName": "oracle-ee", "MajorEngineVersion": "19", "Options": options}
    with Stubber(client()) as stubber:
        stubber.add_response("describe_option_groups", {"OptionGroupsList": [group]}, {"OptionGroupName": "ledger"})
        seen = look(OPTION_GROUP, "OptionConfigurations")

    assert isinstance(seen, Snapshot)
    assert seen["OptionConfigurations"] == [
        {
            "OptionName": "NATIVE_NETWORK_ENCRYPTION",
            "OptionSettings": [
                {"Name": "SQLNET.ENCRYPTION_SERVER", "Value": "REQUESTED"},
                {"Name": "SQLNET.ALLOW_WEAK_CRYPTO", "Value": "FALSE"},
            ],
        },
        {"OptionName": "OEM_AGENT", "Port": 3872, "OptionSettings": []},
    ]


def test_groups_of_options_are_listed_by_their_names() -> None:
    groups = [{"OptionGroupName": "ledger"}, {"OptionGroupName": "default:mysql-8-0"}]
    with Stubber(client()) as stubber:
        stubber.add_response("describe_option_groups", {"OptionGroupsList": groups}, {"MaxRecords": 100})
        assert OPTION_GROUP.inventory
        pages = list(OPTION_GROUP.inventory.pages(lambda *_: client(), ACCOUNT, REGION))

    assert pages == [["ledger", "default:mysql-8-0"]]

"""The findings table, made from the store's own description of it."""

from __future__ import annotations

from typing import Any

from demarc.stores.dynamodb import TABLE, Index


def create_table(dynamodb: Any, name: str) -> None:
    """An empty table laid out as `TABLE`."""
    attributes = {TABLE.partition, TABLE.sort}
    for index in TABLE.indexes:
        attributes |= {key for key in (index.partition, index.sort) if key}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in sorted(attributes)],
        KeySchema=_keys(TABLE.partition, TABLE.sort),
        GlobalSecondaryIndexes=[_index(index) for index in TABLE.indexes],
    )


def _index(index: Index) -> dict[str, Any]:
    projection = {"ProjectionType": "ALL" if index.whole else "KEYS_ONLY"}
    return {"IndexName": index.name, "KeySchema": _keys(index.partition, index.sort), "Projection": projection}


def _keys(partition: str, sort: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": sort, "KeyType": "RANGE"}] if sort else [])

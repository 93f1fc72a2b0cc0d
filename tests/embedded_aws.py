"""The embedded AWS as tests and the demo need it: moto, with some of its ways mended in this process.

Calls that it does not play are refused, as AWS refuses what a role may not do. moto answers them in its own ways: an
exception from within the call, or a 404 whose text says so. Neither is anything that AWS says. To Demarc a refusal is
what it comes to: it could not look.

Its tables are copied whole before each transaction and sorted whole for each query, and each value that they answer is
searched for ten types under three names. What comes out stays the same, but only what a transaction writes is copied,
only the partition that is asked for is sorted, strings as strings, and a value is answered as it is kept. What moto
finds out of its own classes anew for every call, it finds out once.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from copy import copy, deepcopy
from functools import cache, wraps
from inspect import signature
from typing import Any
from unittest.mock import patch

import moto.core.loaders
import moto.core.responses
import moto.core.utils
import moto.sqs.models
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.session import Session
from moto.core.serialize import ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]  # not typed

_SAID = frozenset({"Not yet implemented", "Not Found"})

# What moto gives by name only: without one it stumbles over its own parameters.
_STUMBLES = frozenset({"DescribeCapacityProviders", "DescribeOptionGroups"})


def prepare() -> None:
    """From now on, in this process; asking twice changes nothing."""
    # moto would otherwise make 1,300 machine images of nobody's, and as many snapshots, whenever EC2 is touched.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    _refuse_unplayed_calls()
    for owner, name, ours in (
        (DynamoType, "__deepcopy__", _copied),
        (Item, "__deepcopy__", _item_copied),
        (Table, "all_items", _in_order),
        (Table, "query", _queried),
        (DynamoDBBackend, "transact_write_items", _transacted),
        (ResponseSerializer, "get_value", _answered),
        (DepthFirstTraverser, "traverse_node_recursively", _traversed),
        (moto.core.responses, "method_names_from_class", _methods),
        (moto.core.utils, "create_loader", _motos_models),
        # Asked of every message in a queue whenever something is received.
        (moto.sqs.models, "unix_time_millis", lambda: time.time() * 1000),
        (Session, "_register_data_loader", _with_shared_models),
    ):
        setattr(owner, name, ours)


# The models of services, which are the same for every session. A function makes its own, and a test many functions.
_models = cache(create_loader)
_motos_models = cache(moto.core.loaders.create_loader)
_methods = cache(method_names_from_class)


def _with_shared_models(session: Session) -> None:
    models = session._components.lazy_register_component  # type: ignore[attr-defined]  # as its own method does
    models("data_loader", lambda: _models(session.get_config_variable("data_path")))


def _refuse_unplayed_calls() -> None:
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # where every call of every client passes
    if getattr(call, "refuses_unplayed", False):
        return

    @wraps(call)
    def make(self: BaseClient, operation_name: str, api_params: Any) -> Any:
        try:
            return call(self, operation_name, api_params)
        except NotImplementedError as unplayed:
            raise _refusal(operation_name) from unplayed
        except (KeyError, TypeError) as stumble:
            if operation_name in _STUMBLES:
                raise _refusal(operation_name) from stumble
            raise
        except ClientError as error:
            if error.response["Error"]["Code"] == "404" and error.response["Error"].get("Message") in _SAID:
                raise _refusal(operation_name) from error
            raise

    make.refuses_unplayed = True  # type: ignore[attr-defined]
    BaseClient._make_api_call = make  # type: ignore[attr-defined]


def _refusal(operation: str) -> ClientError:
    message = f"the embedded AWS does not play {operation}"
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)


def _copied(value: DynamoType, memo: dict[int, Any]) -> DynamoType:
    """A copy of what can be changed in place: lists, maps and sets. A string or a number is replaced by another."""
    if not (value.is_list() or value.is_map() or value.is_set()):
        return value
    copied = DynamoType.__new__(DynamoType)
    copied.type, copied.value = value.type, deepcopy(value.value, memo)
    return copied


def _item_copied(item: Item, memo: dict[int, Any]) -> Item:
    copied: Item = object.__new__(Item)
    copied.hash_key, copied.range_key = item.hash_key, item.range_key
    copied.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    # Past its own way of taking entries, which measures all the others for each.
    dict.update(copied.attrs, {name: _copied(value, memo) for name, value in item.attrs.items()})
    return copied


_transact = DynamoDBBackend.transact_write_items


def _transacted(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """A transaction, before which moto keeps a copy of the table to go back to: of what it writes, that is enough."""

    def table_copied(table: Table, _: dict[int, Any]) -> Table:
        kept: Table = copy(table)
        kept.items = defaultdict(dict, {key: copy(inner) for key, inner in table.items.items()})
        for key in _written(table, transact_items):
            if item := table.get_item(*key):
                _put(kept, key, deepcopy(item))
        return kept

    with patch.object(Table, "__deepcopy__", table_copied, create=True):
        _transact(backend, transact_items)


def _written(table: Table, transact_items: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """The keys of what a transaction writes into a table."""
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    for written in (next(iter(each.values())) for each in transact_items):
        if written["TableName"] == table.name:
            key = written.get("Key") or written["Item"]
            yield [DynamoType(key[name]) for name in names]


def _put(table: Table, key: list[Any], item: Item) -> None:
    items: dict[Any, Any] = table.items
    for part in key[:-1]:
        items = items[part]
    items[key[-1]] = item


_query = Table.query
_ASKED = signature(_query)


@wraps(_query)
def _queried(table: Table, *given: Any, **named: Any) -> Any:
    """A query of a partition, or of an index, which may have any of the table."""
    asked = _ASKED.bind(table, *given, **named).arguments
    key = asked["hash_key"]
    if asked["index_name"] is None and key in table.items:
        whole, table = table, copy(table)
        table.items = defaultdict(dict, {key: whole.items[key]})
    return _query(table, *given, **named)


def _in_order(table: Table) -> list[Item]:
    """All items by their keys, each of which is looked at once."""
    kept: list[Any] = list(table.items.values())
    return sorted([item for each in kept for item in each.values()] if table.range_key_attr else kept, key=_keys)


def _keys(item: Item) -> tuple[Any, ...]:
    keys = (key for key in (item.hash_key, item.range_key) if key)
    return tuple(key.value if key.type == "S" else key.cast_value for key in keys)


_answer = ResponseSerializer.get_value


def _answered(serializer: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    """What an answer has under a name; a value of DynamoDB's is kept under the names that it has on the wire."""
    if isinstance(value, dict) and getattr(shape, "parent", None) and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _answer(serializer, value, key, shape)


def _traversed(traverser: DepthFirstTraverser, node: Any, child_id: int = -1) -> Any:
    """An expression's nodes from the leaves up, each processed by the traverser if it is of those that it processes."""
    if not _is_node(node.__class__):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _traversed(traverser, child, number)
    if _is_processed(node.__class__, traverser.nodes_to_be_processed()):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


@cache
def _is_processed(kind: type, kinds: tuple[type, ...]) -> bool:
    return issubclass(kind, kinds)

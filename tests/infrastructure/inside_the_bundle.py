"""Runs on the standard library and the bundle alone, and prints as JSON what is there. Not imported by any test.

python -I -S -B inside_the_bundle.py BUNDLE loaded:HANDLER | calls
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

BUNDLE = sys.argv[1]
sys.path.insert(0, BUNDLE)


class Sent(Exception):
    """Raised where the request would leave the machine."""


def loaded(handler: str) -> dict[str, Any]:
    """What starting a handler loads of ours, and what from elsewhere."""
    before = set(sys.modules)
    importlib.import_module(f"demarc.handlers.{handler}")
    standard = Path(json.__file__).parent.parent
    files = {name: getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before}
    known = {Path(BUNDLE), standard}
    return {
        "all": sorted(files),
        "ours": sorted(name.removeprefix("demarc.") for name in files if name.startswith("demarc.")),
        "foreign": sorted(name for name, file in files.items() if file and not known & {*Path(file).parents}),
    }


def calls() -> dict[str, Any]:
    """Service -> operation -> where its request would have gone; every client offers these operations and no other."""
    import botocore.session
    from botocore import xform_name

    session = botocore.session.Session()
    session.set_credentials("an-id", "a-secret")
    answers: dict[str, dict[str, str]] = {}
    for service in session.get_available_services():
        client = session.create_client(service, region_name="eu-west-1")
        client.meta.events.register("before-send", stop)
        answers[service] = {}
        for operation in client.meta.service_model.operation_names:
            shape = client.meta.service_model.operation_model(operation).input_shape
            try:
                getattr(client, xform_name(operation))(**(least(shape) if shape else {}))
            except Sent as sent:
                answers[service][operation] = str(sent)
    return answers


def stop(request: Any, **_: Any) -> None:
    raise Sent(request.url)


def least(shape: Any) -> Any:
    """A small value that a shape accepts; digits do for a name of a bucket as for the number of an account."""
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [least(shape.member)]
    if shape.type_name == "map":
        return {}
    if shape.type_name == "string" and shape.name.lower().endswith("arn"):
        # Where a request goes may follow from the ARN in it.
        return "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
    if shape.type_name == "string":
        return "123456789012".ljust(shape.metadata.get("min", 0), "0")
    return {"boolean": True, "blob": b"x"}.get(shape.type_name, 1)


asked, _, about = sys.argv[2].partition(":")
json.dump(loaded(about) if asked == "loaded" else calls(), sys.stdout)

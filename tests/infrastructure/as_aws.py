"""ministack, closer to AWS where it matters for a deployment. Run as a program; the argument is the functions' Python.

It is pinned exactly, since every name that is replaced here is private.
"""

import sys
from functools import partial

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import eventbridge

FUNCTIONS_PYTHON = sys.argv.pop(1)


def runtime(_: str) -> tuple[str, str]:
    """Functions run on a Python that knows nothing of this checkout, so that all they have is their bundle."""
    return FUNCTIONS_PYTHON, lambda_runtime._PYTHON_WORKER_SCRIPT


lambda_runtime._detect_runtime_binary = runtime

# Like AWS it lets nobody put events with a source of `aws.`; unlike AWS it has no CloudTrail that would.
eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)

# With TLS it would take port 443 too, where it may.
app._port_is_bindable = lambda *_: False

app.main()

"""AWS as moto plays it, with what moto leaves out: CloudTrail's records, EventBridge's rules, Lambda's polling.

`trail` writes the records that CloudTrail would send, `bus` matches them against rules as EventBridge does, `function`
runs the real handler on what a queue holds, `cloud` is an account with Demarc deployed in it. `people` and `story` are
the example organization on a busy day, and `demo` shows it.
"""

from tests.embedded_aws import prepare

prepare()

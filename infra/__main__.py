"""`python -m infra npm ...` and `python -m infra cdk ...`: a tool of Node's, also on machines without a Node."""

import sys

from infra.node import ToolMissing, run

TOOLS = ("npm", "cdk")

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in TOOLS:
        sys.exit(f"usage: python -m infra {'|'.join(TOOLS)} ...")
    try:
        sys.exit(run(*sys.argv[1:]))
    except ToolMissing as problem:
        sys.exit(str(problem))

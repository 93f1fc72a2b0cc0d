"""The command line: `demarc`, or `python -m demarc.cli`.

A command's module imports only click at its top; what it works with is imported when it runs, so that `demarc --help`
loads neither botocore nor pydantic. `program` joins the commands, `options` are those that several take, `failures`
says how a run may end, `events` reads the files that people have and `settling` takes them through the pipeline,
`connection` is AWS, `deployment` where Demarc runs there and which finding is meant, `acting` who does something to it,
and `telling` how its owners hear of that; `matrices` is the compiled matrix, and `controls`, `owners` and `views` say
what is in it; `coverage` counts requirements, and `workloads` lays out what one workload owes. `told` puts values
in words, `timeline` a history, and `terminal` is all that is printed. `reference` and `documents` write what is
generated.
"""

from __future__ import annotations

from demarc.cli.program import main

__all__ = ["main"]

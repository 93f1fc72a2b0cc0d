"""`demarc`: the commands together, and how a run ends when something outside of it goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from demarc import __version__
from demarc.cli.acts import accept, ack, approve, assign, decline, resolve
from demarc.cli.attest import attest
from demarc.cli.digest import digest
from demarc.cli.evaluate import evaluate
from demarc.cli.explain import explain
from demarc.cli.failures import EXIT_CODES, INTERRUPTED, PIPE_CLOSED
from demarc.cli.findings import findings
from demarc.cli.matrix import matrix
from demarc.cli.recheck import recheck
from demarc.cli.replay import replay
from demarc.cli.show import show
from demarc.cli.stats import stats
from demarc.cli.sweep import sweep


class _Program(click.Group):
    """A group that ends without a word on Ctrl-C, and when the reader of its output has gone."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Python flushes once more when it ends, and must find somewhere to write to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(PIPE_CLOSED)
        return answer

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        for title, commands in SECTIONS.items():
            width = formatter.width - 6 - max(len(str(command.name)) for command in commands)
            with formatter.section(title):
                formatter.write_dl([(str(each.name), each.get_short_help_str(width)) for each in commands])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="demarc", message="%(prog)s %(version)s")
def main() -> None:
    """Who answers for a cloud resource, and does it hold what it must.

    Demarc reads CloudTrail records, looks at the resources that they name, judges them against a matrix of controls
    and owners, and says whose it is.

    \b
      demarc explain trail.json.gz
      demarc evaluate AWS::S3::Bucket my-bucket
      demarc findings --team payments
    """


# Every command, as the help lists them.
SECTIONS: Mapping[str, tuple[click.Command, ...]] = {
    "Changes and resources": (explain, replay, evaluate, sweep),
    "Findings": (findings, show, ack, assign, accept, approve, decline, resolve, recheck),
    "Over time": (digest, stats),
    "Matrix": (matrix, attest),
}

for commands in SECTIONS.values():
    for command in commands:
        main.add_command(command)

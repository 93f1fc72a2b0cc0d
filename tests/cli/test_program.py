"""`demarc` as a process: what it loads, how it ends, and that what its help says can be called."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from moto.server import ThreadedMotoServer

from demarc.aws import AwsClients
from demarc.cli import main
from demarc.cli.failures import EXIT_CODES
from tests.cli.conftest import EVENTS, REGION, Demarc
from tests.conftest import MATRICES

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "demarc.cli")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT / "functions"),
    "DEMARC_MATRICES": str(MATRICES),
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def run(*arguments: str | Path, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=given,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_neither_aws_nor_the_matrix_compiler() -> None:
    program = (
        "import sys\nfrom demarc.cli import main\n"
        "for arguments in ([], ['--help'], ['evaluate', '--help'], ['matrix', 'show', '--help']):\n"
        "    main(arguments or ['--version'], standalone_mode=False)\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True)

    loaded = ended.stdout.partition("LOADED")[2].split()
    assert "click" in loaded
    assert {"boto3", "botocore", "pydantic", "rich", "yaml"}.isdisjoint(loaded)


def test_a_record_is_explained_by_a_process_of_its_own() -> None:
    ended = run("explain", EVENTS / "group-opened.json", EVENTS / "read.json", "--json")

    assert [json.loads(line)["outcome"] for line in ended.stdout.splitlines()] == ["change", "read-only"]
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_an_endpoint_is_asked_instead_of_aws(endpoint: str, clients: AwsClients) -> None:
    # The server answers from the same moto that this process's clients fill.
    clients("s3", REGION).create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": REGION})
    arguments = ("evaluate", "AWS::S3::Bucket", "photos", "--endpoint-url", endpoint, "--region", REGION, "--json")

    ended = run(*arguments)

    assert ended.stderr == ""
    assert {"control", "owner"} <= json.loads(ended.stdout.splitlines()[0]).keys()


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("--region", REGION), {"AWS_ACCESS_KEY_ID": ""}, "Sign in (aws sso login), choose a --profile"),
        (("--region", REGION, "--endpoint-url", "http://127.0.0.1:1"), {}, "Look at --endpoint-url, --region and"),
        (("--region", REGION, "--profile", "nobody"), {}, "Correct --profile"),
    ],
)
def test_an_aws_that_does_not_answer_is_no_verdict_and_says_what_to_do(
    arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    ended = run("evaluate", "AWS::S3::Bucket", "photos", *arguments, **environment)

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("Error: ")
    assert said in ended.stderr


def test_a_region_that_nobody_named_is_asked_for() -> None:
    ended = run("evaluate", "AWS::S3::Bucket", "photos")

    assert ended.returncode == 2
    assert "Which Region? Give --region, or set AWS_REGION." in ended.stderr


def process(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_pipe_is_answered_line_by_line_and_an_interrupt_ends_it_quietly() -> None:
    record = json.dumps(json.loads((EVENTS / "read.json").read_text()))
    with process("explain", "-", "--json") as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(f"{record}\n")
        running.stdin.flush()

        assert json.loads(running.stdout.readline())["outcome"] == "read-only"

        running.send_signal(signal.SIGINT)
        running.wait()
        assert running.returncode == 130
        assert running.stderr.read().strip() == ""


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    record = json.dumps(json.loads((EVENTS / "read.json").read_text()))
    with process("explain", "-", "--json") as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        running.stdin.write(f"{record}\n")
        running.stdin.close()

        running.wait()
        assert running.returncode == 141
        assert running.stderr.read() == ""


def examples(command: click.Command) -> Iterator[str]:
    """The examples in the help of a command and of those below it."""
    for line in (command.help or "").splitlines():
        if line.strip().startswith("demarc "):
            yield line.strip().removeprefix("demarc ")
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from examples(inner)


@pytest.mark.parametrize("example", list(examples(main)))
def test_every_example_of_the_help_is_a_call_that_is_understood(example: str) -> None:
    command: click.Command = main
    arguments = shlex.split(example.partition(" | ")[0])
    while isinstance(command, click.Group):
        command = command.commands[arguments.pop(0)]

    assert command.make_context("demarc", arguments).params


def test_every_exit_code_is_in_the_help(demarc: Demarc) -> None:
    text = demarc("--help").out

    assert [code for code in EXIT_CODES if f"\n  {code} " not in text] == []

"""`wiredesk`: the group of all commands, and how their errors are told."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from feeds import __version__
from feeds.errors import DeskError

COMMANDS = {
    "run": "feeds.cli.run",
    "web": "feeds.cli.run",
    "worker": "feeds.cli.run",
    "poll": "feeds.cli.poll",
    "check": "feeds.cli.check",
    "plan": "feeds.cli.plan",
    "discover": "feeds.cli.discover",
    "preview": "feeds.cli.preview",
    "explain": "feeds.cli.explain",
    "sections": "feeds.cli.sections",
    "learn": "feeds.cli.learn",
    "doctor": "feeds.cli.doctor",
    "opml": "feeds.cli.opml",
    "backup": "feeds.cli.backup",
    "restore": "feeds.cli.backup",
    "retract": "feeds.cli.retract",
    "unretract": "feeds.cli.retract",
    "export": "feeds.cli.export",
}
HIDDEN = {"ingest": "feeds.cli.run"}


class Lazy(click.Group):
    """Imports a command's module when that command is used: `wiredesk --help` need not load a database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command *name*, imported now."""
        module = COMMANDS.get(name) or HIDDEN.get(name)
        if module is None:
            return None
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with a guess at what was meant."""
        import difflib

        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `wiredesk {near[0]}`?" if near else "`wiredesk --help` lists them."
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `wiredesk check`, then `wiredesk poll`, then `wiredesk run`. When something is wrong: "
    "`wiredesk doctor`. Exit codes: 0 done, 1 it did not work (a line says why), 2 wrong usage, 78 errors in config.",
)
@click.version_option(__version__, prog_name="wiredesk")
def wiredesk() -> None:
    """Wiredesk takes in article sources and publishes each section as RSS, Atom and JSON Feed.

    Sources, sections and the desk itself are described by three files in config/.
    """


def main() -> None:
    """Run the command line; a DeskError ends it with one line and exit code 1."""
    try:
        wiredesk.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except DeskError as error:
        if lines := getattr(error, "errors", None):  # ConfigErrors, which is not imported for every command
            for line in lines:
                click.echo(str(line), err=True)
            click.echo(f"wiredesk: {error.cause}; mend and try again", err=True)
            sys.exit(78)
        click.echo(f"wiredesk: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # `wiredesk check | head`: whoever read us has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)

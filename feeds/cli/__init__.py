"""`wiredesk`: the group of all commands, and how their errors are told."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import click

from feeds import __version__
from feeds.errors import DeskError

COMMANDS = {
    "init": ("feeds.cli.check", "Write config files to start from into a folder."),
    "run": ("feeds.cli.run", "Run the whole desk: polling, filing and serving."),
    "web": ("feeds.cli.webserver", "Serve what is published, alone: for a Procfile or many machines."),
    "worker": ("feeds.cli.run", "Poll, file and render without serving: the other half of web."),
    "poll": ("feeds.cli.poll", "Poll once what is due, or the named sources at once; say what came."),
    "check": ("feeds.cli.check", "Judge the config files: every error at once, with line and remedy."),
    "plan": ("feeds.cli.plan", "Say what edited config files would move of what is stored."),
    "apply": ("feeds.cli.plan", "Put the config files in force now, for all machines of the desk."),
    "discover": ("feeds.cli.discover", "Find the feeds that a site offers, as config lines."),
    "preview": ("feeds.cli.preview", "Show what a source would bring, before it is added."),
    "explain": ("feeds.cli.explain", "Say why an article is where it is: which copy, which rule."),
    "replay": ("feeds.cli.replay", "Read kept answers again by present code and config: what would differ."),
    "bug": ("feeds.cli.replay", "Pack all there is to know of a source into one file, secrets masked."),
    "sources": ("feeds.cli.lists", "List the sources, when each is asked next and why; test one."),
    "sections": ("feeds.cli.lists", "List the sections with their articles, or names that none takes."),
    "learn": ("feeds.cli.learn", "Train the classifier on what rules have filed, and judge it."),
    "doctor": ("feeds.cli.doctor", "Look at everything around the desk: what is wrong, what to do."),
    "opml": ("feeds.cli.lists", "Take over a list of another reader, or give yours to one."),
    "backup": ("feeds.cli.upkeep", "Copy the database to one file, while the desk goes on working."),
    "restore": ("feeds.cli.upkeep", "Put such a copy in the place of the database."),
    "move": ("feeds.cli.upkeep", "Take the desk from SQLite to PostgreSQL, for more than one machine."),
    "retract": ("feeds.cli.upkeep", "Take an article out of everything, for good."),
    "unretract": ("feeds.cli.upkeep", "Put a retracted article back."),
    "token": ("feeds.cli.subscribers", "Give subscribers tokens for private sections; list and revoke them."),
    "readers": ("feeds.cli.subscribers", "Say who reads the feeds: services, programs, declared subscribers."),
    "export": ("feeds.cli.export", "Write the whole site as files, for any web server."),
}
"""Each command: the module that has it, and what it does in a line."""
HIDDEN = {"ingest": ("feeds.cli.run", ""), "hand": ("feeds.cli.run", "")}


@contextmanager
def importing() -> Iterator[None]:
    """Import what stays for good: to look for garbage in it would be a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Lazy(click.Group):
    """Imports a command's module when that command is used: `wiredesk --help` need not load a database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command *name*, imported now."""
        found = COMMANDS.get(name) or HIDDEN.get(name)
        if found is None:
            return None
        with importing():
            command: click.Command = getattr(importlib.import_module(found[0]), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, without importing all commands and without cutting their lines."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with a guess at what was meant."""
        import difflib  # a thirtieth of the start of `--help`, and a slip alone needs it

        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `wiredesk {near[0]}`?" if near else "`wiredesk --help` lists them."
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Lazy,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "color": False if os.environ.get("NO_COLOR") else None,
    },
    epilog="Start with `wiredesk check`, then `wiredesk poll`, then `wiredesk run`. When something is wrong: "
    "`wiredesk doctor`. Exit codes: 0 done, 1 it did not work (a line says why), 2 wrong usage, "
    "78 errors in config; docs/commands.md has all.",
)
@click.version_option(__version__, prog_name="wiredesk")
def wiredesk() -> None:
    """Wiredesk takes in article sources and publishes each section as RSS, Atom and JSON Feed.

    Sources, sections and the desk itself are described by three files in config/.
    """


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell a fault of ours as the log does, which tells no secret."""
    from feeds.engine.startup import set_up_logging  # `--help` needs none of it

    set_up_logging(os.environ)
    sys.excepthook(kind, error, trace)


def main() -> None:
    """Run the command line; a DeskError ends it with one line and exit code 1."""
    sys.excepthook = _uncaught
    carry_out(lambda: wiredesk.main(prog_name="wiredesk", standalone_mode=False))


def carry_out(action: Callable[[], object]) -> None:
    """Do *action*; what people can mend ends the process with a line, and the exit code of its kind."""
    try:
        action()
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except DeskError as error:
        sys.exit(_print_error(error))
    except BrokenPipeError:
        # `wiredesk check | head`: whoever read us has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.filename is None:
            raise
        # A file that was named on the command line, or one of the desk's, which is not as it should be.
        reason = (error.strerror or str(error)).lower()
        click.echo(f"wiredesk: {error.filename}: {reason}; check the path, its permissions and free space", err=True)
        sys.exit(1)


def to_the_end(main: Callable[[], None]) -> None:
    """Do *main* in a forked process, which ends as a command does."""
    try:
        carry_out(main)
    except Exception:
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def _print_error(error: DeskError) -> int:
    """Say what is wrong; gives the exit code."""
    lines = getattr(error, "errors", ())  # of ConfigErrors, which is not imported for every command
    for line in lines:
        click.echo(str(line), err=True)
    click.echo(f"wiredesk: {error.cause}; mend and try again" if lines else f"wiredesk: {error}", err=True)
    return 78 if lines else 1

"""`completion`: the shell's completion script, as click writes it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .app import App
from .command import Verb

PROGRAM = "dtledger"
VARIABLE = "_DTLEDGER_COMPLETE"
"""What click looks for in the environment when the shell asks for completions."""

_INSTALL = {
    "bash": "dtledger completion bash > ~/.local/share/bash-completion/completions/dtledger",
    "zsh": "dtledger completion zsh > ~/.zfunc/_dtledger    (with ~/.zfunc in $fpath before compinit)",
    "fish": "dtledger completion fish > ~/.config/fish/completions/dtledger.fish",
}


@click.command(
    "completion",
    cls=Verb,
    epilog="\b\nTo have it always:\n" + "\n".join(f"  {line}" for line in _INSTALL.values()),
)
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of bash, zsh or fish."""
    app: App = ctx.obj
    found = get_completion_class(shell)
    assert found is not None, "click knows these shells"
    script = found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source()
    app.show(script.rstrip("\n"))
    app.data("completion", shell=shell, script=script)

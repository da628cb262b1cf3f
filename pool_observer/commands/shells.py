"""Writes what bash, zsh and fish need in order to complete a command line.

It is static: no shell waits for Python while somebody types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pool_observer.commands.described import Described, Option

_BASH = """\
# pool-observer: in ~/.bashrc, eval "$(pool-observer completion bash)"
_pool_observer() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= words=
    local before=
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=${{COMP_WORDS[COMP_CWORD-2]}}
    elif [[ $current == --*=* ]]; then
        previous=${{current%%=*}} before=${{current%%=*}}= current=${{current#*=}}
    fi
    if (( COMP_CWORD > 1 )); then command=${{COMP_WORDS[1]}}; fi
    COMPREPLY=()
    case "$command $previous" in
{values}
    esac
    case "$command" in
{words}
    esac
    COMPREPLY=( $(compgen -W "$words" -- "$current") )
}}
complete -o bashdefault -o default -F _pool_observer pool-observer
"""

_ZSH = """\
#compdef pool-observer
# pool-observer: in ~/.zshrc after compinit, eval "$(pool-observer completion zsh)"
_pool_observer() {{
    if (( CURRENT == 2 )); then
        local -a commands=(
{commands}
        )
        _describe -t commands command commands
        _arguments {options}
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT -= 1 ))
    case $command in
{arguments}
    esac
}}
if [[ $funcstack[1] == _pool_observer ]]; then
    _pool_observer "$@"
else
    compdef _pool_observer pool-observer
fi
"""

_FISH = """\
# pool-observer: pool-observer completion fish > ~/.config/fish/completions/pool-observer.fish
complete -c pool-observer -e
{lines}
"""


def bash(program: Described, commands: Sequence[Described]) -> str:
    """To be evaluated by bash."""
    values, words = [], []
    for each in commands:
        yours = []
        for option in each.options:
            patterns = "|".join(f'"{each.name} {flag}"' for flag in option.flags)
            if option.choices:
                choices = " ".join(option.choices)
                known = f'COMPREPLY=( $(compgen -P "$before" -W "{choices}" -- "$current") )'
                values.append(f"        {patterns}) {known}; return ;;")
            elif option.takes is not None:
                yours.append(patterns)
        if yours:
            values.append(f"        {'|'.join(yours)}) return ;;")
        words.append(_bash_words(each.name, each.flags, each.choices))
    words.append(_bash_words('""', program.flags, [each.name for each in commands]))
    return _BASH.format(values="\n".join(values), words="\n".join(words))


def _bash_words(command: str, flags: Sequence[str], choices: Sequence[str]) -> str:
    """Options only to who begins with a dash, unless there is nothing else to offer."""
    first = " ".join(choices or flags)
    return (
        f'        {command}) words="{first}"\n'
        f'            if [[ $current == -* ]]; then words="{" ".join(flags)}"; fi ;;'
    )


def zsh(program: Described, commands: Sequence[Described]) -> str:
    """To be evaluated by zsh, or put where it looks for functions."""
    return _ZSH.format(
        commands="\n".join(
            f"            {_quoted(f'{each.name}:{each.summary}')}" for each in commands
        ),
        options=" ".join(_zsh_option(option) for option in program.options),
        arguments="\n".join(
            f"        {each.name}) _arguments {_zsh_arguments(each)} ;;" for each in commands
        ),
    )


def _zsh_arguments(command: Described) -> str:
    known = f"*: :({' '.join(command.choices)})" if command.choices else "*: :_files"
    options = [_zsh_option(option) for option in command.options]
    return " ".join([*options, _quoted(known)])


def _zsh_option(option: Option) -> str:
    text = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
    equals = value = ""
    if option.takes is not None:
        equals = "="
        value = f":{re.sub(r'[^A-Za-z ]', '', option.takes)}:({' '.join(option.choices)})"
    return " ".join(_quoted(f"*{flag}{equals}[{text}]{value}") for flag in option.flags)


def fish(program: Described, commands: Sequence[Described]) -> str:
    """To be put where fish looks for completions."""
    first = "-n __fish_use_subcommand"
    lines = [_fish_option(first, option) for option in program.options]
    for each in commands:
        lines.append(f"{first} -f -a {each.name} -d {_quoted(each.summary)}")
        given = f"-n '__fish_seen_subcommand_from {each.name}'"
        lines += [_fish_option(given, option) for option in each.options]
        if each.choices:
            lines.append(f"{given} -f -a {_quoted(' '.join(each.choices))}")
    return _FISH.format(lines="\n".join(f"complete -c pool-observer {line}" for line in lines))


def _fish_option(condition: str, option: Option) -> str:
    names = [
        f"-l {flag.removeprefix('--')}" if flag.startswith("--") else f"-s {flag[1:]}"
        for flag in option.flags
    ]
    value = []
    if option.takes is not None:
        value = ["-x", "-a", _quoted(" ".join(option.choices))] if option.choices else ["-x"]
    return " ".join([condition, *names, *value, "-d", _quoted(option.help)])


def _quoted(text: str) -> str:
    """For all three: nothing means anything between single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS: dict[str, Callable[[Described, Sequence[Described]], str]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}

"""`cvat-nuclio completion`: what a shell needs to complete commands, options and paths."""

import argparse

SHELLS = ("bash", "zsh", "fish")
EPILOG = """
bash  eval "$(cvat-nuclio completion bash)"              in ~/.bashrc
zsh   eval "$(cvat-nuclio completion zsh)"               in ~/.zshrc, after compinit
fish  cvat-nuclio completion fish > ~/.config/fish/completions/cvat-nuclio.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("shell", choices=SHELLS, help="prints the code for this shell")


def run(args: argparse.Namespace) -> int:
    import argcomplete

    print(argcomplete.shellcode(["cvat-nuclio"], shell=args.shell))
    return 0

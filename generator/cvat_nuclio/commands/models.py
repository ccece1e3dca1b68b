"""`cvat-nuclio models`."""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("words", metavar="WORD", nargs="*", help="show only rows that have all these words")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the table; 0, or 1 where no row has the words."""
    import json

    from ..models.table import Network, families, networks

    def cells(row: Network) -> list[str]:
        size = "" if row.megabytes is None else f"{row.megabytes} MB"
        time = "" if row.cpu_ms is None else f"{row.cpu_ms} ms"
        notes = ", ".join(text for text in ("gated" if row.gated else "", "" if row.ran else "never run here") if text)
        return [row.source, row.kind, str(families()[row.family]["task"]), size, time, row.licence, notes]

    rows = [row for row in networks() if all(word.lower() in " ".join(cells(row)).lower() for word in args.words)]
    if args.json:
        fields = ("source", "kind", "family", "architecture", "licence", "gated", "ran", "megabytes", "cpu_ms")
        print(json.dumps([{name: getattr(row, name) for name in fields} for row in rows], indent=2))
        return 0 if rows else 1
    if not args.words:
        print("Ready functions, for your own weights too (cvat-nuclio generate --model ...):")
        _print_table([[name, row["kind"], row["task"], row["what"]] for name, row in families().items()])
        print("\nNetworks by name; `never run here`: only its architecture was, with random weights:")
    _print_table([["MODEL", "KIND", "TASK", "SIZE", "CPU", "LICENCE", ""], *map(cells, rows)])
    return 0 if rows else 1


def _print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())

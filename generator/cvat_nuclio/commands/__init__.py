"""One module for each sub-command: `configure(parser)` and `run(args) -> exit status`.

These modules are imported for every `--help`, so they import nothing heavy at their top.
"""

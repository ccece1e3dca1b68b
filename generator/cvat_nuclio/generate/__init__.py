"""`cvat-nuclio generate`: an auto-annotation function becomes a Nuclio bundle, and is made again from its options.

`run.prepare` loads the function in a subprocess and works out every file; `run.write` writes them, less those that the
user edited.
"""

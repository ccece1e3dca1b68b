"""`cvat-nuclio generate`: an auto-annotation function becomes a Nuclio bundle, and is made again from its options.

`make_bundle.prepare` loads the function in a subprocess and works out every file; `make_bundle.write` writes them, less
those that the user edited.
"""

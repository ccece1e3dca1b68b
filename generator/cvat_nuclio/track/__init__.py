"""`cvat-nuclio track`: a clip followed from end to end, and stored as CVAT's tracks.

The command line's defaults are here, where nothing is imported: they are read for every command.
"""

TOLERANCE = 1.0
DETECT_EVERY = 10

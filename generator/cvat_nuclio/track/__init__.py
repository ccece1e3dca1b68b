"""`cvat-nuclio track`: a clip followed from end to end, and stored as CVAT's tracks."""

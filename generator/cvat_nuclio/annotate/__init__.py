"""`cvat-nuclio annotate`: a detector over a whole task, many frames at a time, stored as CVAT's own job stores it."""

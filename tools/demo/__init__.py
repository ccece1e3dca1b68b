"""`make demo`: four AA functions become bundles, are served, and get what CVAT would send."""

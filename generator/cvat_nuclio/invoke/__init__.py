"""`cvat-nuclio invoke`: one call as CVAT makes it, what CVAT would keep of the answer, and a picture."""

"""The page on which served functions are tried: a JSON API over `cvat_nuclio.invoke`, and the page's own files.

The page holds no rule of CVAT's: it sends what one would type after `cvat-nuclio invoke`, and paints the answer.
"""

from .app import page_app

__all__ = ["page_app"]

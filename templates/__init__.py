"""Jinja2 templates of the files in a bundle."""

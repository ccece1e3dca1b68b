"""The handler runtime that every bundle carries."""

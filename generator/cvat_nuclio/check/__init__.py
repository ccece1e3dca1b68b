"""Finds what CVAT or Nuclio would drop, refuse or break on: bundles, function.yaml files, AA functions, trees."""

from .engine import check_paths
from .finding import Finding, Severity

__all__ = ["Finding", "Severity", "check_paths"]

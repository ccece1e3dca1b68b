"""Finds what CVAT or Nuclio would drop, refuse or break on: bundles, function.yaml files, AA functions, trees."""

from .apply_rules import Checked, check, check_paths
from .finding import Finding, Severity

__all__ = ["Checked", "Finding", "Severity", "check", "check_paths"]

"""Deploys bundles with nuctl: preflight, build, wait, one real request, and the cause of a failure in one line."""

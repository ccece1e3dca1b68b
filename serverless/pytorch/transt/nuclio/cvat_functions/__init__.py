"""Ready auto-annotation functions, a module a family: `cvat-cli ... --function-module cvat_functions.NAME` runs them,
`cvat-nuclio generate` makes bundles of them. Weights are parameters; none are here."""

"""`generate --model`: from weights, by their format, their metadata or their name, to a ready function of
`cvat_functions` and its parameters. Nothing here loads a network: `generate`'s probe does, as any function.
"""

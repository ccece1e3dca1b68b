"""Hostile requests for each kind of function, and what must hold for every answer.

`strategies` makes requests that know the contract and break it somewhere, `mutate` breaks their bytes,
`fuzz_target` drives a handler with them in process, as Nuclio's wrapper does, and `corpus` has the images.
"""

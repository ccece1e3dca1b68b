"""A mistake inside, which is no parameter's."""


def create() -> object:
    return len(3)  # type: ignore[arg-type]

"""CVAT's errors: the exception that its code raises, and what the caller of its REST API gets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

VALIDATION = "django.core.exceptions.ValidationError"
REST_VALIDATION = "rest_framework.exceptions.ValidationError"
INVALID_METADATA = "cvat.apps.lambda_manager.views.InvalidFunctionMetadataError"


class CvatError(Exception):
    """A call that CVAT fails.

    `exception` is the dotted name of the class that CVAT's code raises (None where Django answers by itself),
    `message` its text, `http_status` what an interactive caller gets. `handled` is False where the caller sees nothing
    but Django's "Server Error (500)" page. `detail` is what a REST validation error carries, in plain JSON types.
    """

    def __init__(
        self,
        exception: str | None,
        message: str | None,
        http_status: int,
        *,
        handled: bool = True,
        detail: Any = None,
    ) -> None:
        super().__init__(f"{exception}: {message}")
        self.exception = exception
        self.message = message
        self.http_status = http_status
        self.handled = handled
        self.detail = detail

    @property
    def name(self) -> str:
        return (self.exception or "Not found").rpartition(".")[2]

    @property
    def job_message(self) -> str | None:
        """The text in the log of a failed batch job: Django shows a validation message as a list."""
        return f"[{self.message!r}]" if self.exception == VALIDATION else self.message


class ListingError(CvatError):
    """Metadata that CVAT cannot list.

    `breaks_list`: the whole list of functions fails for everybody (every function disappears from the UI);
    otherwise CVAT logs the error and hides this function alone. `http_status` is that of `GET …/functions/<id>`.
    """

    def __init__(self, exception: str, message: str, http_status: int, *, breaks_list: bool, handled: bool) -> None:
        super().__init__(exception, message, http_status, handled=handled)
        self.breaks_list = breaks_list


def invalid(message: str, http_status: int = 400) -> CvatError:
    """Django's ValidationError: CVAT answers with the plain message."""
    return CvatError(VALIDATION, message, http_status)


@contextmanager
def unhandled(wrap: Callable[[str, str], CvatError] | None = None) -> Iterator[None]:
    """Turns Python's own exceptions, which the model raises where CVAT's code would, into CVAT's 500."""
    try:
        yield
    except CvatError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RuntimeError) as error:
        name = type(error).__name__
        name = f"json.decoder.{name}" if name == "JSONDecodeError" else name
        raise (wrap or _server_error)(name, str(error)) from error


def _server_error(name: str, message: str) -> CvatError:
    return CvatError(name, message, 500, handled=False)

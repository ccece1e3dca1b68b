"""`X-Nuclio-Log-Level` on a request: the records of the event come back in the header `X-Nuclio-Logs`."""

import json

from .log import LEVELS, Record
from .response import Response

LOG_LEVEL = b"X-Nuclio-Log-Level"
LOGS = "X-Nuclio-Logs"
LONGEST = 4096


def add_logs(response: Response, records: list[Record], level: str) -> None:
    """Sets the header, unless it would be too long. An unknown level means all."""
    lowest = LEVELS.get(level, LEVELS["debug"])
    kept = [_fields(record) for record in records if LEVELS[record.level] >= lowest]
    text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) < LONGEST:
        response.set_header(LOGS, text)


def _fields(record: Record) -> dict[str, object]:
    head = {"level": record.level, "time": record.time_ms, "name": "http"}
    return {**head, "message": record.message, **record.fields}

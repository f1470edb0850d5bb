"""Time that passes in the emulator: its clock cannot be moved, but everything in the tables can be made older.

Instants stand in items as milliseconds (docs/table.md), and at the front of sort keys as 15 digits. Partition keys hold none that
something is decided by.
"""

import re
from decimal import Decimal
from typing import Any

# Milliseconds of the years 2017 to 2096: no other number of an item is that large.
_FIRST, _LAST = 1_500_000_000_000, 4_000_000_000_000
_KEY = re.compile(r"^(\d{15})(#.*)$", re.DOTALL)


def aged(item: dict[str, Any], seconds: int) -> dict[str, Any]:
    """An item of a table as if it were so much older."""
    return {name: value if name == "pk" else _aged(value, seconds * 1000) for name, value in item.items()}


def _aged(value: Any, by: int) -> Any:
    match value:
        case Decimal() if _FIRST < value < _LAST:
            return value - by
        case str() if key := _KEY.match(value):
            return f"{int(key.group(1)) - by:015}{key.group(2)}"
        case dict():
            return {name: _aged(inner, by) for name, inner in value.items()}
        case list():
            return [_aged(inner, by) for inner in value]
        case _:
            return value

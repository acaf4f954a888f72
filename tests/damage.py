"""Files damaged at random, the same way in every run: what the readers are fuzzed with."""

from hypothesis import HealthCheck, settings


def fuzz(cases: int) -> settings:
    """So many cases, the same ones in every run, however long each takes."""
    calm = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=cases, derandomize=True, deadline=None, database=None, suppress_health_check=calm)


def damaged(content: bytes, done: list[tuple[str, float, int]]) -> bytes:
    """Applies changes in turn: what is done, where as a share of the content, and a byte or a count for it."""
    changed = bytearray(content)
    for kind, share, value in done:
        if not changed:
            break
        # "head" is where headers are
        at = min(int(share * (200 if kind == "head" else len(changed))), len(changed) - 1)
        if kind in ("set", "head"):
            changed[at] = value
        elif kind == "flip":
            changed[at] ^= 1 << value % 8
        elif kind == "cut":
            del changed[at:]
        elif kind == "drop":
            del changed[at : at + value]
        elif kind == "repeat":
            changed[at:at] = changed[at : at + value]
        else:
            changed[at : at + 8] = bytes([value]) * 8
    return bytes(changed)

"""What was found, for people; and whether memory grows."""

from statistics import median

# Memory may rise by this before it counts as growing: allocators keep pieces, and journals fill up.
FACTOR = 1.25
ROOM_KIB = 16 * 1024

# Before this many seconds what is seen is the warm-up.
WARM_UP = 120


def growth(samples):
    """Compares the last quarter with the one after the warm-up. A tooth of the load's waves is in both."""
    values = [value for _, value in samples]
    many = len(values)
    if many < 8:
        return {"grows": False, "samples": many}
    seconds = samples[-1][0]
    early, late = (int(median(part)) for part in [values[many // 4:many // 2], values[many * 3 // 4:]])
    return {
        "samples": many,
        "earlyKib": early,
        "lateKib": late,
        "mostKib": max(values),
        "grows": seconds > WARM_UP and late > early * FACTOR + ROOM_KIB,
        "everyMinuteKib": values[::max(1, many * 60 // max(1, seconds))],
    }


def text(found):
    lines = [f"{found['seconds']} s on {found['machine']}, {found['date']} UTC", ""]
    lines.append(f"{'':24}{'rounds':>8}{'sent':>10}{'answered':>10}{'lost':>8}")
    keys = ["rounds", "sent", "answered", "lost"]
    rows = dict(found["loads"])
    rows["all"] = {key: sum(one[key] for one in rows.values()) for key in keys}
    for name, one in rows.items():
        lines.append(f"{name:24}{one['rounds']:>8}{one['sent']:>10}{one['answered']:>10}{one['lost']:>8}")
    lines += ["", "Changes: " + ", ".join(f"{many} {name}" for name, many in found["changes"].items())]
    memory = found["memory"]
    if "earlyKib" in memory:
        early, late, most = (memory[key] / 1024 for key in ["earlyKib", "lateKib", "mostKib"])
        lines.append(f"Memory: {early:.0f} MiB in the second quarter, {late:.0f} MiB in the last, at most {most:.0f} MiB")
    for name, one in found["loads"].items():
        lines += [f"  {name}: {error}" for error in one["errors"]]
    lines += ["", *(f"PROBLEM: {problem}" for problem in found["problems"])]
    lines.append(f"The log is {found['log']}" if found["problems"] else "No request was lost.")
    return "\n".join(lines)

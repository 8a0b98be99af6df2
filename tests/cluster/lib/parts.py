"""What the time to the first replica was spent on.

parts.py BEGAN REPLICAS URL: the load began at BEGAN and `spec.replicas` was above none at REPLICAS, both in
milliseconds of the wall clock; URL is the status API of who decided.
"""

import datetime
import json
import sys
import urllib.request


def get(path):
    request = urllib.request.Request(sys.argv[3] + path, headers={"Host": "localhost"})
    return json.load(urllib.request.urlopen(request, timeout=10))["value"]


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def first(times):
    began = int(sys.argv[1])
    return min((time for time in map(milliseconds, times) if time >= began), default=None)


apps = [app["name"] for app in get("/api/v1/apps")]
decisions = [one for app in apps for one in get(f"/api/v1/apps/{app}/decisions?limit=1000")]
triggers = [trigger for one in get("/api/v1/scaledobjects") for trigger in one["triggers"]]
calls = [call for trigger in triggers for call in trigger["calls"]]
moments = [
    ("decided", first(one["time"] for one in decisions if one["from"] == 0 < one["to"])),
    ("KEDA told", first(one["time"] for one in calls if one["method"] == "StreamIsActive")),
    ("carried out", int(sys.argv[2])),
]
before = int(sys.argv[1])
for what, moment in moments:
    if moment is not None:
        print(f"{what} +{moment - before} ms", end="; " if what != "carried out" else "\n")
        before = moment

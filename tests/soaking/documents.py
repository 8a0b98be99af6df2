"""The apps of a soak."""

from pathlib import Path

SAMPLE = '["$(EBBTIDE_PROGRAM)", sample-app]'


def app(name, suffix, scale, command=SAMPLE, args="[--work-time, 20ms]", mode="Single", traffic=None, tags=""):
    """A document whose app scales fast."""
    traffic = traffic or "[{latestRevision: true, weight: 100}]"
    return f"""name: {name}
tags: {{ebbtide.scaleInStabilizationSeconds: "3"{tags}}}
properties:
  configuration:
    activeRevisionsMode: {mode}
    ingress: {{external: true, allowInsecure: true, targetPort: 8080, traffic: {traffic}}}
  template:
    revisionSuffix: {suffix}
    containers:
      - name: web
        command: {command}
        args: {args}
    scale: {scale}
"""


def scale(least, most, concurrency):
    """Limits, and a rule of HTTP requests in flight."""
    rule = f'{{name: http, http: {{metadata: {{concurrentRequests: "{concurrency}", windowSeconds: "3"}}}}}}'
    return f"{{minReplicas: {least}, maxReplicas: {most}, cooldownPeriod: 2, rules: [{rule}]}}"


def web(number):
    """Gets a new revision again and again."""
    return app("web", f"r{number}", scale(1, 6, 3))


def split(suffix, weights):
    """Has two revisions whose traffic shifts."""
    traffic = ", ".join(f"{{revisionName: split--{name}, weight: {weight}}}" for name, weight in weights)
    return app("split", suffix, scale(1, 4, 3), mode="Multiple", traffic=f"[{traffic}]")


def zero():
    """Is asked in bursts, and at zero in between."""
    return app("zero", "one", scale(0, 5, 10), args="[--start-delay, 200ms, --work-time, 20ms]")


def narrow():
    """Has replicas that take few requests at a time, so that most wait at the door."""
    return app("narrow", "one", scale(1, 3, 10), tags=', ebbtide.maxConcurrentRequests: "4"')


def echo(python, number):
    """Speaks WebSocket, and gets a new revision from time to time."""
    return app("echo", f"r{number}", scale(0, 3, 10), command=f"[{python}]", args=f"[{Path(__file__).parent / 'echo.py'}]")

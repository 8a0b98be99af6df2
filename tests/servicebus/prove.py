"""Starts the stand-in and uses it with Microsoft's administration client and plain HTTPS."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.servicebus.management import ServiceBusAdministrationClient

POLICY = "RootManageSharedAccessKey"
KEY = "bm90IGEgcmVhbCBrZXkuLi4="


def signature(host, path):
    """A shared access signature, made from its description in the service's documentation."""
    resource = urllib.parse.quote_plus(f"https://{host}{path}")
    expiry = str(int(time.time()) + 300)
    digest = hmac.new(KEY.encode(), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    text = urllib.parse.quote_plus(base64.b64encode(digest))
    return f"SharedAccessSignature sr={resource}&sig={text}&se={expiry}&skn={POLICY}"


class Plain:
    """Requests for messages, by the standard library alone."""

    def __init__(self, host, authority):
        self.host = host
        self.context = ssl.create_default_context(cafile=authority)

    def ask(self, method, path, body=b"", **broker_properties):
        connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=90)
        headers = {"Authorization": signature(self.host, path)}
        if broker_properties:
            headers["BrokerProperties"] = json.dumps(broker_properties)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content


def expect(what, got, wanted):
    """Says what was found, and ends everything where it is not what it should be."""
    if got != wanted:
        sys.exit(f"FAILED: {what}: {got}, not {wanted}")
    print(f"{what}: {got}")


def refused(kind, work):
    """The name of the error that some work ends with, which has to be of a kind."""
    try:
        work()
    except kind as error:
        return type(error).__name__
    return "no error"


def queue_counts(admin, name):
    found = admin.get_queue_runtime_properties(name)
    return (
        found.active_message_count,
        found.dead_letter_message_count,
        found.scheduled_message_count,
        found.total_message_count,
    )


def prove_queue(admin, plain):
    minute = datetime.timedelta(minutes=1)
    created = admin.create_queue("orders", lock_duration=minute / 2, max_delivery_count=1)
    expect("lock duration", created.lock_duration, minute / 2)
    expect("delivery count", admin.get_queue("orders").max_delivery_count, 1)
    expect(
        "a queue again",
        refused(ResourceExistsError, lambda: admin.create_queue("orders")),
        "ResourceExistsError",
    )

    for number in range(6):
        expect("sent", plain.ask("POST", "/orders/messages", b"hello", MessageId=str(number))[0], 201)
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    date = later.strftime("%a, %d %b %Y %H:%M:%S GMT")
    for _ in range(2):
        status = plain.ask("POST", "/orders/messages", b"later", ScheduledEnqueueTimeUtc=date)[0]
        expect("scheduled", status, 201)
    expect("active, dead-letter, scheduled, total", queue_counts(admin, "orders"), (6, 0, 2, 8))

    status, headers, content = plain.ask("POST", "/orders/messages/head?timeout=5")
    expect("locked", (status, content), (201, b"hello"))
    properties = json.loads(headers["BrokerProperties"])
    expect("message, delivery", (properties["MessageId"], properties["DeliveryCount"]), ("0", 1))
    locked = urllib.parse.urlsplit(headers["Location"])
    expect("location", locked.netloc, plain.host)
    expect("with a lock", queue_counts(admin, "orders"), (6, 0, 2, 8))
    expect("renewed", plain.ask("POST", locked.path)[0], 200)
    expect("unlocked", plain.ask("PUT", locked.path)[0], 200)
    expect("after the only delivery", queue_counts(admin, "orders"), (5, 1, 2, 8))

    status, headers, _ = plain.ask("POST", "/orders/messages/head?timeout=5")
    expect("completed", plain.ask("DELETE", urllib.parse.urlsplit(headers["Location"]).path)[0], 200)
    expect("deleted", plain.ask("DELETE", "/orders/messages/head?timeout=5")[0], 200)
    expect("after two more", queue_counts(admin, "orders"), (3, 1, 2, 6))
    status, headers, _ = plain.ask("DELETE", "/orders/$DeadLetterQueue/messages/head?timeout=5")
    expect("dead letter", (status, headers["deadletterreason"]), (200, '"MaxDeliveryCountExceeded"'))
    expect("at last", queue_counts(admin, "orders"), (3, 0, 2, 5))

    found = admin.get_queue("orders")
    found.max_delivery_count = 7
    admin.update_queue(found)
    expect("updated", admin.get_queue("orders").max_delivery_count, 7)
    expect("still there", queue_counts(admin, "orders"), (3, 0, 2, 5))


def prove_topic(admin, plain):
    admin.create_topic("events")
    admin.create_subscription("events", "audit", max_delivery_count=3)
    admin.create_subscription("events", "mail")
    for _ in range(4):
        expect("sent", plain.ask("POST", "/events/messages", b"happened")[0], 201)
    expect("received", plain.ask("DELETE", "/events/subscriptions/mail/messages/head?timeout=5")[0], 200)
    for name, wanted in [("audit", (4, 0, 4)), ("mail", (3, 0, 3))]:
        found = admin.get_subscription_runtime_properties("events", name)
        counts = (
            found.active_message_count,
            found.dead_letter_message_count,
            found.total_message_count,
        )
        expect(f"subscription {name}", counts, wanted)
    expect("deliveries", admin.get_subscription("events", "audit").max_delivery_count, 3)
    found = admin.get_topic_runtime_properties("events")
    expect("subscriptions", found.subscription_count, 2)
    expect("listed", [each.name for each in admin.list_subscriptions("events")], ["audit", "mail"])
    admin.delete_subscription("events", "mail")
    expect("left", [each.name for each in admin.list_subscriptions("events")], ["audit"])


def prove_lists(admin):
    names = [f"queue-{number:03}" for number in range(105)]
    for name in names:
        admin.create_queue(name)
    # More than a page.
    expect("queues", len(list(admin.list_queues())), 106)
    counts = {each.name: each.active_message_count for each in admin.list_queues_runtime_properties()}
    expect("in the list", counts["orders"], 3)
    expect("topics", [each.name for each in admin.list_topics()], ["events"])
    admin.delete_queue(names[0])
    expect("one deleted", len(list(admin.list_queues())), 105)


def prove_refusals(admin, connection, authority):
    work = {
        "a queue that is missing": lambda: admin.get_queue_runtime_properties("nothing"),
        "a subscription that is missing": lambda: admin.get_subscription("events", "nothing"),
        "the deletion of nothing": lambda: admin.delete_queue("nothing"),
    }
    for what, call in work.items():
        expect(what, refused(ResourceNotFoundError, call), "ResourceNotFoundError")
    expect(
        "what is not modelled",
        refused(HttpResponseError, lambda: admin.create_queue("other", requires_session=True)),
        "HttpResponseError",
    )
    wrong = client(connection.replace(KEY, "d3Jvbmc="), authority)
    expect(
        "another key",
        refused(ClientAuthenticationError, lambda: wrong.get_queue("orders")),
        "ClientAuthenticationError",
    )


def client(connection, authority):
    return ServiceBusAdministrationClient.from_connection_string(
        connection, connection_verify=authority, retry_total=0
    )


def main():
    with tempfile.TemporaryDirectory() as folder:
        authority = os.path.join(folder, "authority.pem")
        command = [sys.argv[1], "--authority", authority, "--key", f"{POLICY}=STAND_IN_KEY"]
        stand_in = subprocess.Popen(
            [*command, "--until-input-ends"],
            env={"STAND_IN_KEY": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with stand_in:
            port = stand_in.stdout.readline().rpartition(":")[2].strip()
            host = f"localhost:{port}"
            connection = (
                f"Endpoint=sb://{host}/;SharedAccessKeyName={POLICY};SharedAccessKey={KEY}"
            )
            admin, plain = client(connection, authority), Plain(host, authority)
            prove_queue(admin, plain)
            prove_topic(admin, plain)
            prove_lists(admin)
            prove_refusals(admin, connection, authority)
            stand_in.stdin.close()
            expect("the stand-in ended with its input", stand_in.wait(timeout=30), 0)
    print("All proved")


main()

//! `azure-queue`.

use super::{check_drain, check_faults, sample_worker, worker};
use crate::brokers::azurite::{ACCOUNT, Azurite, KEY};
use crate::harness::machine;

#[test]
fn a_queue_of_azure_storage_is_worked_off() {
    let _machine = machine();
    let Some(azurite) = Azurite::start() else {
        return;
    };
    azurite.put("orders", 0);
    let secrets = format!(
        "[{{name: address, value: '{}'}}]",
        azurite.connection_string()
    );
    // The short form of a document, and that of a scaler of KEDA's.
    let rule = "{type: azure-queue, metadata: {queueName: orders, queueLength: '10'}, \
                auth: [{secretRef: address, triggerParameter: connection}]}";
    let variable = "AZURE_STORAGE_CONNECTION_STRING";
    let container = sample_worker("azure-queue", "--queue, orders", variable);
    let short = worker(&secrets, &container, rule).replace(
        &format!("custom: {rule}"),
        "azureQueue: {accountName: devstoreaccount1, queueName: orders, queueLength: 10, \
         auth: [{secretRef: address, triggerParameter: connection}]}",
    );
    for document in [worker(&secrets, &container, rule), short] {
        check_drain(
            &document,
            |number| azurite.put("orders", number),
            || azurite.length("orders") as u64,
        );
    }
}

#[test]
fn what_is_wrong_with_a_queue_of_azure_storage_is_said() {
    let _machine = machine();
    let Some(azurite) = Azurite::start() else {
        return;
    };
    azurite.put("orders", 1);
    let right = azurite.connection_string();
    let wrong = right.replace(KEY, "aHVudGVyMmh1bnRlcjI=");
    let closed = right.replace(&format!(":{}/", azurite.port), ":1/");
    let rule = |connection: &str, queue: &str| {
        format!(
            "{{type: azure-queue, metadata: {{queueName: {queue}, connection: '{connection}'}}}}"
        )
    };
    assert!(right.contains(ACCOUNT));
    check_faults(
        &[
            (&rule(&right, "nothing"), "queueName: "),
            (&rule(&wrong, "orders"), "connection: "),
            (&rule(&closed, "orders"), "onnection refused"),
        ],
        &["aHVudGVyMmh1bnRlcjI=", KEY],
    );
}

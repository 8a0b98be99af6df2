//! `template.volumes`.

use std::collections::BTreeSet;

use crate::document::model::{StorageType, Volume};
use crate::document::reader::{Field, Reader};

use super::secrets::{self, SecretNames};

const STORAGE_TYPES: [(&str, StorageType); 4] = [
    ("EmptyDir", StorageType::EmptyDir),
    ("AzureFile", StorageType::AzureFile),
    ("NfsAzureFile", StorageType::NfsAzureFile),
    ("Secret", StorageType::Secret),
];

/// Reads the volumes, which have names of their own.
pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &[Field<'_>],
    secrets: Option<&SecretNames>,
) -> Vec<Volume> {
    let mut names = BTreeSet::new();
    let mut volumes = Vec::new();
    for field in fields {
        if let Some(volume) = volume(reader, field, secrets) {
            if !names.insert(volume.name.clone()) {
                let message = format!("a second volume has the name `{}`", volume.name);
                reader.error(field, message);
            }
            volumes.push(volume);
        }
    }
    volumes
}

fn volume(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<Volume> {
    let mut object = reader.object(field)?;
    let name = object.require(reader, "name", "the name that `volumeMounts` uses");
    let storage_type = object.get("storageType");
    let storage_type = storage_type.and_then(|field| reader.choice(&field, &STORAGE_TYPES));
    for key in ["storageName", "mountOptions"] {
        if let Some(text) = object.get(key) {
            reader.accept(&text);
            reader.text(&text);
        }
    }
    if let Some(files) = object.get("secrets") {
        reader.accept(&files);
        for file in reader.list(&files) {
            secret_file(reader, &file, secrets);
        }
    }
    object.finish(reader);
    Some(Volume {
        name: reader.text(&name?)?,
        storage_type: storage_type.unwrap_or_default(),
    })
}

fn secret_file(reader: &mut Reader<'_>, field: &Field<'_>, secrets: Option<&SecretNames>) {
    let Some(mut object) = reader.object(field) else {
        return;
    };
    if let Some(secret) = object.require(reader, "secretRef", "the name of one of `secrets`") {
        secrets::reference(reader, &secret, secrets);
    }
    object.text(reader, "path");
    object.finish(reader);
}

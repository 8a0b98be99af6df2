//! How Ebbtide is configured.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::process::Command;

use super::Place;
use crate::roles::{self, Role};
use crate::shape::Shape;

/// Its command; documents and what else it takes are written.
pub(super) fn command(program: impl AsRef<OsStr>, place: &Place<'_>, shape: Shape) -> Command {
    let mut command = Command::new(program);
    match shape {
        Shape::FromZero(apps) => machine(&mut command, place, apps),
        _ => ingress(&mut command, place, shape),
    }
    command
        .args(["--workers", &shape.workers().to_string()])
        .args(["--listen", &format!("127.0.0.1:{}", place.ports.http1)])
        .args(["--listen-tls", &format!("127.0.0.1:{}", place.ports.tls)])
        .arg("--certificates")
        .arg(place.certificate.folder())
        .args(["--status-listen", "127.0.0.1:0"])
        .env("EBBTIDE_LOG", "error");
    command
}

/// Documents of so many apps to a file, which would otherwise be longer than one may be.
const APPS_PER_FILE: usize = 1_000;

/// The ingress alone, in front of servers that are there.
fn ingress(command: &mut Command, place: &Place<'_>, shape: Shape) {
    let (folder, replicas) = (place.at.join("apps"), place.at.join("replicas"));
    std::fs::create_dir(&folder).expect("the folder is writable");
    let cors = match shape {
        Shape::Table(_) => "      corsPolicy: {allowedOrigins: ['http://page.example']}\n",
        _ => "",
    };
    let all: Vec<usize> = (0..shape.apps()).collect();
    for (number, apps) in all.chunks(APPS_PER_FILE).enumerate() {
        let documents: String = apps.iter().map(|app| split(*app, cors)).collect();
        let file = folder.join(format!("{number}.yaml"));
        std::fs::write(file, documents).expect("the folder is writable");
    }
    let mut endpoints = String::new();
    let [first, second] = place.servers;
    for app in all {
        let _ = writeln!(endpoints, "app{app}--blue: 127.0.0.1:{first}");
        let _ = writeln!(endpoints, "app{app}--green: 127.0.0.1:{second}");
    }
    std::fs::write(&replicas, endpoints).expect("the folder is writable");
    command
        .arg("ingress")
        .arg(folder)
        .arg("--endpoints")
        .arg(replicas)
        .args(["--scaler", "127.0.0.1:1"]);
}

/// The documents of an app with two revisions, and more of its ingress.
fn split(app: usize, more: &str) -> String {
    let revision = |suffix: &str| {
        format!(
            "template: {{revisionSuffix: {suffix}, containers: [{{name: app, image: app}}], \
             scale: {{maxReplicas: 10}}}}"
        )
    };
    format!(
        "---\ntype: Microsoft.App/containerApps/revisions\nname: app{app}--blue\n\
         properties: {{{}}}\n\
         ---\nname: app{app}\nproperties:\n  configuration:\n    activeRevisionsMode: Multiple\n    \
         ingress:\n      external: true\n      allowInsecure: true\n      targetPort: 80\n      traffic: \
         [{{revisionName: app{app}--blue, weight: 75}}, {{revisionName: app{app}--green, weight: 25}}]\n{more}  \
         {}\n",
        revision("blue"),
        revision("green"),
    )
}

/// All of it, with apps that are started by it and stay: what stopping costs is not to be measured.
fn machine(command: &mut Command, place: &Place<'_>, apps: usize) {
    let mut documents = String::new();
    let program = roles::program();
    let program = program.display();
    for app in 0..apps {
        let _ = write!(
            documents,
            "---\nname: app{app}\nproperties:\n  \
             configuration: {{ingress: {{external: true, allowInsecure: true, targetPort: 80}}}}\n  \
             template:\n    containers: [{{name: app, command: ['{program}'], args: [{}]}}]\n    \
             scale: {{minReplicas: 0, maxReplicas: 1, cooldownPeriod: 600}}\n",
            Role::App.name(),
        );
    }
    let file = place.at.join("apps.yaml");
    std::fs::write(&file, documents).expect("the folder is writable");
    command.arg("up").arg(file).args(["--keda-listen", "off"]);
}

//! How the other proxies are configured.

use std::path::PathBuf;
use std::process::Command;

use super::{Place, Ports};
use crate::process::missing;

/// nginx, and what it takes for WebSocket at paths that ask for that alone.
pub(super) fn nginx(place: &Place<'_>) -> Command {
    let Ports { http1, http2, tls } = place.ports;
    let [first, second] = place.servers;
    let at = place.at;
    let forwarded = "proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Host $host; \
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
    let configuration = format!(
        "worker_processes 1; daemon off; pid {at}/pid; error_log stderr error;\n\
         events {{ worker_connections 12000; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; client_max_body_size 0;\n\
         keepalive_timeout 600; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
         upstream app {{ server 127.0.0.1:{first} weight=3; server 127.0.0.1:{second};\n\
         keepalive 512; keepalive_requests 1000000000; }}\n\
         server {{ listen 127.0.0.1:{http1} backlog=4096; listen 127.0.0.1:{http2} http2 backlog=4096;\n\
         listen 127.0.0.1:{tls} ssl backlog=4096; ssl_protocols TLSv1.3;\n\
         ssl_certificate {certificate}; ssl_certificate_key {key};\n\
         http2_max_concurrent_streams 1000; server_name app0.localhost;\n\
         location / {{ {forwarded} proxy_set_header Connection ''; }}\n\
         location /websocket {{ {forwarded} proxy_set_header Connection upgrade;\n\
         proxy_set_header Upgrade $http_upgrade; }} }} }}\n",
        at = at.display(),
        certificate = place.certificate.certificate().display(),
        key = place.certificate.key().display(),
    );
    let file = at.join("nginx.conf");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(at).arg("-c").arg(file);
    command
}

pub(super) fn haproxy(place: &Place<'_>) -> Result<Command, String> {
    if !missing(&["haproxy"]).is_empty() {
        return Err("haproxy is missing".to_owned());
    }
    let Ports { http1, http2, tls } = place.ports;
    let [first, second] = place.servers;
    let configuration = format!(
        "global\n  nbthread 1\n  maxconn 15000\n  no strict-limits\n\
         defaults\n  mode http\n  option forwardfor\n  option http-keep-alive\n  http-reuse always\n  \
         timeout connect 5s\n  timeout client 600s\n  timeout server 60s\n  timeout http-keep-alive 600s\n  \
         timeout tunnel 600s\n\
         frontend apps\n  bind 127.0.0.1:{http1} backlog 4096\n  bind 127.0.0.1:{http2} proto h2\n  \
         bind 127.0.0.1:{tls} backlog 4096 ssl crt {both} ssl-min-ver TLSv1.3\n  \
         use_backend app if {{ hdr(host) -i app0.localhost }}\n\
         backend app\n  balance roundrobin\n  server first 127.0.0.1:{first} weight 3\n  \
         server second 127.0.0.1:{second} weight 1\n",
        both = place.certificate.both().display(),
    );
    let file = place.at.join("haproxy.cfg");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

pub(super) fn envoy(place: &Place<'_>) -> Result<Command, String> {
    let program = match std::env::var_os("ENVOY_BIN") {
        Some(program) => PathBuf::from(program),
        None if missing(&["envoy"]).is_empty() => PathBuf::from("envoy"),
        None => return Err("envoy is missing; ENVOY_BIN may name it".to_owned()),
    };
    let server = |port: u16, weight: u32| {
        format!(
            "{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}, \
             load_balancing_weight: {weight}}}"
        )
    };
    let [first, second] = place.servers;
    let configuration = format!(
        "static_resources:\n  listeners:\n{}{}  clusters:\n  - name: app\n    type: STATIC\n    \
         load_assignment: {{cluster_name: app, endpoints: [{{lb_endpoints: [{}, {}]}}]}}\n    \
         circuit_breakers: {{thresholds: [{{max_connections: 100000, max_pending_requests: 100000, max_requests: 100000}}]}}\n",
        listener(place.ports.http1, ""),
        listener(place.ports.tls, &envoy_tls(place)),
        server(first, 3),
        server(second, 1),
    );
    let file = place.at.join("envoy.yaml");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new(program);
    command
        .args([
            "--concurrency",
            "1",
            "--log-level",
            "error",
            "--use-dynamic-base-id",
            "-c",
        ])
        .arg(file);
    Ok(command)
}

/// A listener of Envoy's, with what makes it one of TLS.
fn listener(port: u16, tls: &str) -> String {
    format!(
        "  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}\n    \
         filter_chains:\n    - filters:\n      - name: envoy.filters.network.http_connection_manager\n        \
         typed_config:\n          \
         '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
         stat_prefix: apps\n          codec_type: AUTO\n          use_remote_address: true\n          \
         upgrade_configs: [{{upgrade_type: websocket}}]\n          \
         route_config: {{virtual_hosts: [{{name: app, domains: [app0.localhost, 'app0.localhost:*'], routes: [{{match: {{prefix: /}}, route: {{cluster: app}}}}]}}]}}\n          \
         http_filters: [{{name: envoy.filters.http.router, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]\n{tls}"
    )
}

fn envoy_tls(place: &Place<'_>) -> String {
    format!(
        "      transport_socket:\n        name: envoy.transport_sockets.tls\n        typed_config:\n          \
         '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext\n          \
         common_tls_context:\n            \
         tls_params: {{tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3}}\n            \
         tls_certificates: [{{certificate_chain: {{filename: {}}}, private_key: {{filename: {}}}}}]\n",
        place.certificate.certificate().display(),
        place.certificate.key().display(),
    )
}

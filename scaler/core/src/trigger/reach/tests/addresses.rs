use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::document::{RuleForm, ScaleRule};
use crate::trigger::reach::{Reach, addresses};

fn rule(scaler: &str, metadata: &[(&str, &str)]) -> ScaleRule {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ScaleRule {
        name: "rule".to_owned(),
        form: RuleForm::Custom,
        scaler: scaler.to_owned(),
        metadata: metadata.iter().map(owned).collect::<BTreeMap<_, _>>(),
        auth: Vec::new(),
        identity: None,
    }
}

/// `scaler | key=value | … => key host port, …`; `-` for what cannot be read, or is not known.
const NAMED: &str = "
rabbitmq | host=amqp://guest:pass@rabbitmq.prod:5673/vhost | queueName=q => host rabbitmq.prod 5673
rabbitmq | hostFromEnv=amqps://u:p@[fd00::1]/ => hostFromEnv [fd00::1] 5671
rabbitmq | host=http://u:p%40x@h/?a=b => host h 80
rabbitmq | host=amqp://u:p@good@evil/ => host - -
rabbitmq | host=amqp://u:1/2@evil/ => host - -
rabbitmq | host=amqp://u:1#2@evil/ => host - -
rabbitmq | host=amqp://good\\@evil/ => host - -
rabbitmq | host=amqp://h:0/ => host - -
rabbitmq | host=amqp://h:/ => host - -
rabbitmq | host=amqp:///vhost => host - -
rabbitmq | host=u:p@h => host - -
rabbitmq | host=amqp://127.0.0.1%2f@h => host h 5672
redis | address=redis.prod:6379 => address redis.prod 6379
redis | host=redis | port=6380 | listName=http://x => host redis 6380, listName x 80
redis-cluster | addresses=a:1, b:2,[::1]:3 => addresses a 1, addresses b 2, addresses [::1] 3
redis-cluster | hosts=a,b | ports=1,2 => hosts a 1, hosts b 2
redis-cluster | addresses=a:1,, => addresses - -
prometheus | serverAddress=https://prom.example/prefix | query=sum(rate(x[1m])) => serverAddress prom.example 443
metrics-api | url=http://api:8080/a,b?c=d => url api 8080
kafka | bootstrapServers=k1:9092,k2:9093 | topic=t => bootstrapServers k1 9092, bootstrapServers k2 9093
nats-jetstream | natsServerMonitoringEndpoint=nats.svc:8222 => natsServerMonitoringEndpoint nats.svc 8222
external | scalerAddress=scaler.svc:9090 => scalerAddress scaler.svc 9090
azure-servicebus | connection=Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKey=a=b => connection ns.servicebus.windows.net 443
azure-servicebus | connection=Endpoint=sb://localhost:5300/;SharedAccessKey=k => connection localhost 5300
azure-servicebus | namespace=ns | cloud=AzureChinaCloud => namespace ns.servicebus.chinacloudapi.cn 443
azure-eventhub | connection=Endpoint=sb://ns.servicebus.windows.net/ => connection ns.servicebus.windows.net 5671
azure-queue | connectionFromEnv=DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=k== => connectionFromEnv acc.queue.core.windows.net 443
azure-queue | connection=AccountName=acc;AccountKey=k;EndpointSuffix=evil.example => connection acc.queue.evil.example 443
azure-queue | connection=BlobEndpoint=http://b:1/x;QueueEndpoint=http://q:2/x => connection b 1, connection q 2
azure-queue | connection=AccountName=acc;BlobEndpoint=http://b:1/x => connection b 1, connection acc.queue.core.windows.net 443
azure-queue | connection=QueueEndpoint=http://a/;queueendpoint=http://b/ => connection - -
azure-queue | connection=UseDevelopmentStorage=true => connection 127.0.0.1 -
azure-queue | connection=nothing => connection - -
azure-queue | accountName=acc | queueName=q => accountName acc.queue.core.windows.net 443
azure-queue | accountName=evil/# => accountName evil/#.queue.core.windows.net 443
postgresql | host=pg | port=5432 | query=select 1 => host pg 5432
postgresql | connection=host=pg user=u password='a host=evil' port=5433 => connection pg 5433
postgresql | connection=host=a,b port=1,2 hostaddr=10.0.0.1 => connection a 1, connection b 2, connection 10.0.0.1 1
postgresql | connection=host=a password=it\\'s host=b => connection - -
postgresql | connection=password='open => connection - -
postgresql | connection=service=x host=a => connection - -
postgresql | connection=postgresql://u:p@a:1,b/db?sslmode=off => connection a 1, connection b 5432
postgresql | connection=postgresql://u:p@a/db?host=evil => connection - -
postgresql | connection=postgresql://u:p@a/db?%68ost=evil => connection - -
mysql | connectionString=u:p/@x@tcp(my.svc:3307)/db?a=b => connectionString my.svc 3307
mysql | connectionString=u:p@unix(/tmp/x)/db => connectionString - -
mysql | connectionString=u:p@/db => connectionString - -
mssql | connectionString=Server=tcp:ms.svc,1434;User ID=u;Password=p => connectionString ms.svc 1434
mssql | connectionString=sqlserver://u:p@ms.svc?database=d => connectionString ms.svc 1433
mssql | connectionString=odbc:server={ms;x} => connectionString - -
mongodb | connectionString=mongodb://u:p@a:1,b/db => connectionString a 1, connectionString b 27017
unheard-of | anything=gopher://10.0.0.1:70/ => anything 10.0.0.1 70
cron | timezone=Europe/Berlin => 
cpu | value=70 => 
";

#[test]
fn hosts_are_found_by_scaler() {
    for line in NAMED.trim_matches('\n').lines() {
        let (given, expected) = line.split_once(" => ").unwrap();
        let mut parts = given.split(" | ");
        let scaler = parts.next().unwrap();
        let metadata: Vec<_> = parts.map(|pair| pair.split_once('=').unwrap()).collect();
        let found: Vec<String> = (addresses(&rule(scaler, &metadata)).iter())
            .map(|one| {
                let host = if one.host.is_empty() { "-" } else { &one.host };
                let port = one.port.map_or("-".to_owned(), |port| port.to_string());
                format!("{} {host} {port}", one.key)
            })
            .collect();
        assert_eq!(found.join(", "), expected.trim_end(), "{line}");
    }
}

#[test]
fn odd_hosts_in_addresses_are_refused() {
    for url in [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1:80/",
        "http://[::ffff:127.0.0.1]/",
        "http://127.0.0.1./",
        "http://user@127.0.0.1/",
        "http://good.example@127.0.0.1/",
        "http://127.0.0.1:80@good.example/@",
        "http://%31%32%37.0.0.1/",
        "http://localhost\t/",
        "http://good.example\\@127.0.0.1/",
        "http:/127.0.0.1/",
        "HTTP://LOCALHOST/",
        "//127.0.0.1/",
    ] {
        let found = addresses(&rule("metrics-api", &[("url", url)]));
        assert!(!found.is_empty(), "{url}");
        let refused = found
            .iter()
            .any(|one| one.check(&Reach::default()).is_err());
        assert!(refused, "{url}: {found:?}");
    }
}

proptest! {
    #[test]
    fn a_password_is_never_shown(user in "[ -~]{0,6}", tail in "[ -~]{0,8}", form in 0_usize..6) {
        let secret = "hunter2";
        let (scaler, key, value) = match form {
            0 => ("rabbitmq", "host", format!("amqp://{user}:{secret}{tail}@127.0.0.1/")),
            1 => ("rabbitmq", "host", format!("{user}:{secret}{tail}@127.0.0.1")),
            2 => ("postgresql", "connection", format!("password='{secret}{tail}' host=127.0.0.1")),
            3 => ("mysql", "connectionString", format!("{user}:{secret}{tail}@tcp(127.0.0.1:1)/d")),
            4 => ("azure-queue", "connection", format!("AccountKey={secret}{tail};QueueEndpoint=http://127.0.0.1/")),
            _ => ("mssql", "connectionString", format!("Password={secret}{tail};Server=127.0.0.1")),
        };
        let found = addresses(&rule(scaler, &[(key, &value)]));
        prop_assert!(!found.is_empty());
        let refused: Vec<_> = found.iter().filter_map(|one| one.check(&Reach::default()).err()).collect();
        prop_assert!(!refused.is_empty());
        let said = format!("{found:?} {refused:?}") + &refused.iter().map(ToString::to_string).collect::<String>();
        prop_assert!(!said.contains(secret), "{}", said);
    }

    #[test]
    fn any_metadata_is_read(scaler in "(rabbitmq|kafka|mysql|mssql|postgresql|azure-queue|mongodb)", value in "\\PC{0,40}") {
        for key in ["host", "connection", "connectionString", "addresses"] {
            addresses(&rule(&scaler, &[(key, &value)]));
        }
    }
}

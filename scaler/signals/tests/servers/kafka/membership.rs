//! Members of a consumer group, some of which are Kafka's own consumers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::kafka::{
    Address, Cluster, Membership, Named, Partitions, Settings, Standing, Start,
};
use tokio::time::{sleep, timeout};

use super::bed::{GROUP, HOST, Kafka};

const PARTITIONS: [i32; 4] = [0, 1, 2, 3];
const REBALANCE: Duration = Duration::from_secs(60);
/// How long a change of the group may take; it takes a heartbeat of each member.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn members_share_the_partitions() {
    let Some(kafka) = Kafka::start().await else {
        return;
    };
    tokio::join!(
        kafka.make_topic("orders", "4"),
        kafka.make_topic("bills", "4")
    );
    let members = async {
        who_leaves_leaves_all_to_the_other(&kafka).await;
        // A broker that does not know its groups yet says to anyone that all is well.
        who_is_no_member_has_nothing(&kafka).await;
        kafkas_own_consumer_is_one_of_them(&kafka).await;
    };
    timeout(PATIENCE, members).await.expect("the group changes");
}

async fn who_is_no_member_has_nothing(kafka: &Kafka) {
    let mut nobody = member(kafka, "orders");
    assert!(!nobody.is_named());
    nobody.leave().await.unwrap();
    assert_eq!(nobody.beat().await, Ok(Standing::Lost));
    let error = member(kafka, "nope").join().await.unwrap_err();
    assert_eq!(error.to_string(), "topic: there is no topic nope");
}

async fn who_leaves_leaves_all_to_the_other(kafka: &Kafka) {
    let (mut one, mut other) = (member(kafka, "orders"), member(kafka, "orders"));
    assert_eq!(joined(&mut one).await, BTreeSet::from(PARTITIONS));
    assert_eq!(one.beat().await, Ok(Standing::Member));
    let (first, second) = tokio::join!(
        async {
            assert_eq!(changed(&mut one).await, Standing::Rebalancing);
            // What was in hand can be finished before the other gets its partition.
            assert_eq!(
                one.commit(&done("orders", 0, 3)).await,
                Ok(Standing::Member)
            );
            joined(&mut one).await
        },
        joined(&mut other)
    );
    assert_eq!((first.len(), second.len()), (2, 2));
    let both: BTreeSet<i32> = first.union(&second).copied().collect();
    assert_eq!(both, BTreeSet::from(PARTITIONS));

    assert_eq!(
        one.commit(&done("orders", 1, 5)).await,
        Ok(Standing::Member)
    );
    one.leave().await.unwrap();
    assert!(!one.is_named());
    assert_eq!(one.commit(&done("orders", 2, 9)).await, Ok(Standing::Lost));
    assert_eq!(changed(&mut other).await, Standing::Rebalancing);
    assert_eq!(joined(&mut other).await, BTreeSet::from(PARTITIONS));
    let mut cluster = Cluster::new(Connect::anywhere(), settings(kafka));
    let all = Named::from([("orders".to_owned(), PARTITIONS.into())]);
    let committed = cluster.committed(GROUP, Some(&all)).await.unwrap();
    let expected = BTreeMap::from([(0, 3), (1, 5), (2, -1), (3, -1)]);
    assert_eq!(
        committed,
        Partitions::from([("orders".to_owned(), expected)])
    );
    other.leave().await.unwrap();
}

async fn kafkas_own_consumer_is_one_of_them(kafka: &Kafka) {
    kafka.put("bills", 40).await;
    let mut cluster = Cluster::new(Connect::anywhere(), settings(kafka));
    let all = cluster.find(&["bills".to_owned()]).await.unwrap();
    let ends = cluster.offsets(&all, Start::Latest).await.unwrap();
    assert!(ends["bills"].values().all(|end| *end > 0), "{ends:?}");
    let mut member = member(kafka, "bills");
    assert_eq!(joined(&mut member).await, BTreeSet::from(PARTITIONS));
    let changes = async {
        // It takes what is assigned to it here.
        while joined_after_a_change(&mut member).await.len() != 2 {}
        member.leave().await.unwrap();
        // It is the only one left, so that it assigns.
        assert_eq!(joined(&mut member).await.len(), 2);
        assert_eq!(member.beat().await, Ok(Standing::Member));
        member.leave().await.unwrap();
    };
    // It gets all records, and ends, only once all partitions are its own: each has some.
    tokio::join!(kafka.take("bills", 40), changes);
}

fn settings(kafka: &Kafka) -> Settings {
    let address = Address::parse(&format!("{HOST}:{}", kafka.plain)).unwrap();
    Settings::new(vec![address], None)
}

fn member(kafka: &Kafka, topic: &str) -> Membership {
    let topics = vec![topic.to_owned()];
    Membership::new(
        Connect::anywhere(),
        settings(kafka),
        GROUP,
        topics,
        REBALANCE,
    )
}

/// What it is assigned of its topic.
async fn joined(member: &mut Membership) -> BTreeSet<i32> {
    loop {
        if let Some(assigned) = member.join().await.unwrap() {
            assert!(assigned.len() < 2, "{assigned:?}");
            return assigned.into_values().flatten().collect();
        }
    }
}

/// What it is to its group once it is not just a member.
async fn changed(member: &mut Membership) -> Standing {
    loop {
        let standing = member.beat().await.unwrap();
        if standing != Standing::Member {
            return standing;
        }
        sleep(PAUSE).await;
    }
}

async fn joined_after_a_change(member: &mut Membership) -> BTreeSet<i32> {
    changed(member).await;
    joined(member).await
}

fn done(topic: &str, partition: i32, offset: i64) -> Partitions<i64> {
    Partitions::from([(topic.to_owned(), [(partition, offset)].into())])
}

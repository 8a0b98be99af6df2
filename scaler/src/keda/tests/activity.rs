//! What streams carry: the present state, rising edges, and an end with OK.

use ebbtide_proto::external_scaler::IsActiveResponse;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tonic::{Code, Streaming};

use super::bed::{Bed, decided};
use super::model::Keda;

const HELLO: &[(&str, &str)] = &[("app", "hello")];

async fn open(bed: &Bed, keda: &Keda) -> Streaming<IsActiveResponse> {
    let mut client = bed.client.clone();
    let opened = client.stream_is_active(keda.reference()).await;
    opened.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<IsActiveResponse>) -> Option<bool> {
    stream
        .message()
        .await
        .unwrap()
        .map(|message| message.result)
}

#[tokio::test]
async fn a_stream_says_the_present_state_then_each_rising_edge() {
    let bed = Bed::with(0).await;
    let keda = Keda::new(&bed.client, HELLO);
    let mut stream = open(&bed, &keda).await;
    assert_eq!(next(&mut stream).await, Some(false));
    for replicas in [1, 4] {
        bed.publish(vec![decided(replicas)]);
        assert_eq!(next(&mut stream).await, Some(true));
        // More of them is no edge, and neither is a falling one. Another stream sees each first.
        for (published, active) in [(replicas + 1, true), (0, false)] {
            bed.publish(vec![decided(published)]);
            assert_eq!(next(&mut open(&bed, &keda).await).await, Some(active));
        }
    }
    bed.stop().await;
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn streams_end_with_ok_when_the_service_stops() {
    let bed = Bed::with(1).await;
    let keda = Keda::new(&bed.client, HELLO);
    let mut activity = open(&bed, &keda).await;
    let mut client = bed.client.clone();
    let specs = client.stream_metric_spec(keda.reference()).await.unwrap();
    let mut specs = specs.into_inner();
    assert_eq!(next(&mut activity).await, Some(true));
    let announced = specs.message().await.unwrap().unwrap().metric_specs;
    assert_eq!(announced[0].metric_name, "ebbtide-hello");
    bed.stop().await;
    assert_eq!(next(&mut activity).await, None);
    assert!(specs.message().await.unwrap().is_none());
}

#[tokio::test]
async fn an_app_that_is_not_there_has_no_stream() {
    let bed = Bed::with(1).await;
    let keda = Keda::new(&bed.client, &[("app", "other")]);
    let mut client = bed.client.clone();
    let error = client.stream_is_active(keda.reference()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(bed.scaler.sample().streams, 0);
}

#[tokio::test]
async fn thousands_of_streams_share_a_connection_and_each_hears_an_edge_once() {
    const STREAMS: usize = 2500;
    let bed = Bed::with(0).await;
    let keda = Keda::new(&bed.client, HELLO);
    let mut streams = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let mut stream = open(&bed, &keda).await;
        assert_eq!(next(&mut stream).await, Some(false));
        streams.push(stream);
    }
    // A call is still answered beside them.
    assert!(!Keda::new(&bed.client, HELLO).poll().await.unwrap().active);
    assert_eq!(bed.scaler.sample().streams, STREAMS);
    bed.publish(vec![decided(1)]);
    let heard: FuturesUnordered<_> = streams
        .into_iter()
        .map(async |mut stream| {
            assert_eq!(next(&mut stream).await, Some(true));
            stream
        })
        .collect();
    let streams: Vec<_> = heard.collect().await;
    bed.stop().await;
    for mut stream in streams {
        assert_eq!(next(&mut stream).await, None, "nothing after the edge");
    }
}

#[tokio::test]
async fn streams_that_are_abandoned_leave_nothing() {
    let bed = Bed::with(1).await;
    let keda = Keda::new(&bed.client, HELLO);
    for _ in 0..10_000 {
        let mut stream = open(&bed, &keda).await;
        assert_eq!(next(&mut stream).await, Some(true));
    }
    while bed.scaler.sample().streams > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bed.scaler.sample().scaled_objects, 1);
}

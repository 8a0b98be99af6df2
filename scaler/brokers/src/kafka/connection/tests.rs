use tokio::net::TcpListener;

use super::*;

/// What is said of a broker that answers with these bytes.
async fn opened(answer: &[u8]) -> Result<Connection, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let length = stream.read_i32().await.unwrap();
        let mut question = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut question).await.unwrap();
        assert_eq!(question, b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x07ebbtide");
        stream.write_all(answer).await.unwrap();
        // Whoever asked may have gone.
        let _ = stream.shutdown().await;
        stream
    };
    let broker = Address::parse(&address.to_string()).unwrap();
    let anywhere = Connect::anywhere();
    let open = Connection::open(&anywhere, &broker, None);
    let (opened, _stream) = tokio::join!(open, serve);
    let port = address.port().to_string();
    opened.map_err(|error| error.to_string().replace(&port, "PORT"))
}

/// An answer that says which versions of these questions the broker knows.
fn versions(known: &[(i16, i16, i16)]) -> Vec<u8> {
    let mut body = Question::default();
    body.i32(1);
    body.i16(FINE);
    body.list(known.iter(), |question, (key, least, most)| {
        question.i16(*key);
        question.i16(*least);
        question.i16(*most);
    });
    framed(body.written())
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut all = Question::default();
    all.bytes(body);
    all.written().to_vec()
}

#[tokio::test]
async fn a_broker_has_to_know_what_will_be_asked() {
    let known = [(2, 1, 10), (3, 0, 13), (9, 1, 10), (10, 0, 6), (99, 0, 0)];
    assert!(opened(&versions(&known)).await.is_ok());
    let without_one = [(2, 2, 10), (3, 0, 13), (9, 1, 10), (10, 0, 6)];
    let error = opened(&versions(&without_one)).await.err().unwrap();
    let expected = "bootstrapServers: 127.0.0.1:PORT does not know version 1 of ListOffsets, as \
                    brokers from Kafka 1.0 to 4 do";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let nonsense = "bootstrapServers: 127.0.0.1:PORT does not answer as Kafka does";
    let long = "bootstrapServers: 127.0.0.1:PORT answers with more than 4 MiB, or not as Kafka does; \
                is tls what it should be?";
    let closed = "bootstrapServers: 127.0.0.1:PORT closes the connection when asked for ApiVersions; \
                  are tls and sasl what they should be?";
    for (answer, expected) in [
        (vec![], closed),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), long),
        (10_000_000_i32.to_be_bytes().to_vec(), long),
        ((-1_i32).to_be_bytes().to_vec(), long),
        (vec![0, 0, 0, 9, 0], closed),
        (framed(&[]), nonsense),
        // Of another question.
        (framed(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0]), nonsense),
        // An error.
        (framed(&[0, 0, 0, 1, 0, 35, 0, 0, 0, 0]), nonsense),
        // A list of two thousand million versions.
        (
            framed(&[0, 0, 0, 1, 0, 0, 0x7f, 0xff, 0xff, 0xff]),
            nonsense,
        ),
    ] {
        assert_eq!(opened(&answer).await.err().unwrap(), expected, "{answer:?}");
    }
}

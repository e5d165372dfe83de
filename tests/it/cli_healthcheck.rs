//! `promptops healthcheck`: a container's own question to its service, with an exit code that container engines understand.
//! The service's true answer is in `pull_process`.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::desk::{Desk, Ran};

/// Asks at this value of `PROMPTOPS_LISTEN`.
async fn ask(listen: &str) -> Ran {
    Desk::plain().run_in("", &["healthcheck"], &[("PROMPTOPS_LISTEN", listen)]).await
}

/// Asks something that answers with these bytes; `None`: never.
async fn ask_what_answers(answer: Option<&'static str>) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // A question that is not read would end the connection with a reset.
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            match answer {
                Some(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                None => tokio::time::sleep(Duration::from_secs(60)).await,
            }
        }
    });
    ask(&format!("0.0.0.0:{port}")).await
}

async fn check(answer: Option<&'static str>, code: i32, expected: &str) {
    let ran = ask_what_answers(answer).await;
    assert_eq!(ran.code, code, "{ran:?}");
    assert!(ran.said().contains(expected), "{expected} is missing in {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_service_is_healthy_and_anything_else_is_not() {
    check(Some("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n"), 0, "ready\n").await;
    check(
        Some("HTTP/1.1 503 Service Unavailable\r\n\r\nshutting down: \u{1b}[31msend work to another server\n"),
        1,
        "is not ready (503): shutting down: ⟨U+001B⟩[31msend work to another server",
    )
    .await;
    check(Some("220 mail.example.org ESMTP\r\n"), 1, "does not speak HTTP: check PROMPTOPS_LISTEN").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_health_and_does_not_last() {
    let start = Instant::now();
    check(None, 1, "gave no answer in 4 s: look at its log").await;
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_address_that_nobody_listens_on_or_that_is_none_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ran = ask(&free.to_string()).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(&format!("nothing answers at {free}: ")), "{ran:?}");
    assert!(ran.stderr.ends_with("check that `promptops serve` runs, and PROMPTOPS_LISTEN\n"), "{ran:?}");
    let ran = ask("8080").await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("write it as ADDRESS:PORT, as in 0.0.0.0:8080"), "{ran:?}");
}

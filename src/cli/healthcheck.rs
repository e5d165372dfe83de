//! `promptops healthcheck`: asks the service on this machine whether it can take work, for containers that hold no other
//! program. Knows the route and its two answers, not what readiness is made of.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::exit::{CommandError, Outcome};
use super::show;
use crate::config;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longer than the service waits for its own database.
const LONGEST: Duration = Duration::from_secs(4);
/// Most that is read of an answer.
const LONGEST_ANSWER: u64 = 16 * 1024;
/// Most that is shown of it, in characters.
const SHOWN: usize = 300;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run() -> Result<Outcome, CommandError> {
    let listen = config::process().listen().map_err(|error| CommandError::Input(error.to_string()))?;
    let address = reachable(listen);
    let why = match tokio::time::timeout(LONGEST, ask(address)).await {
        Ok(Ok(answer)) => match read(&answer) {
            Some((200, _)) => {
                println!("ready");
                return Ok(Outcome::Passed);
            }
            Some((status, body)) => {
                let said = Untrusted::new(body.trim(), &Secrets::default()).line(SHOWN);
                format!("the service at {address} is not ready ({status}): {said}")
            }
            None => format!("what answers at {address} does not speak HTTP: check PROMPTOPS_LISTEN"),
        },
        Ok(Err(error)) => {
            format!("nothing answers at {address}: {error}; check that `promptops serve` runs, and PROMPTOPS_LISTEN")
        }
        Err(_) => format!("the service at {address} gave no answer in {} s: look at its log", LONGEST.as_secs()),
    };
    show::error(&why);
    Ok(Outcome::Blocked)
}

/// Where a service that listens there is reached from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    match listen {
        SocketAddr::V4(any) if any.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(any) if any.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// One question, without the TLS and the proxies that an HTTP client would set up first.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status and the body of an HTTP answer.
fn read(answer: &str) -> Option<(u16, &str)> {
    let status = answer.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_every_address_is_asked_on_loopback() {
        let check = |listen: &str, expected: &str| assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        check("0.0.0.0:8080", "127.0.0.1:8080");
        check("[::]:81", "[::1]:81");
        check("10.0.0.7:80", "10.0.0.7:80");
    }

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let check = |answer: &str, expected| assert_eq!(read(answer), expected);
        check("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n", Some((200, "ready\n")));
        check("HTTP/1.0 503 x\r\n\r\n", Some((503, "")));
        check("HTTP/1.1 200 OK\r\n", None);
        check("SSH-2.0-OpenSSH\r\n\r\n", None);
        check("", None);
    }
}

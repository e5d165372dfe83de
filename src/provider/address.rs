//! Which network addresses a provider may have. Knows no HTTP: a server must not be talked into calling its own network.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A host that is not on the public network, and may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{host}` is a loopback, private, link-local or metadata address: set PROMPTOPS_ALLOW_PRIVATE_PROVIDERS=1 to call it"
)]
pub(super) struct RefusedAddress {
    pub host: String,
}

/// Resolves names as the system does, and drops addresses that are not public. Names are checked after resolution, so
/// that one which points inside is refused too.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(RefusedAddress { host }) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Refuses a URL whose host is an address that is not public; those never reach a resolver.
///
/// # Errors
/// When the host is such an address.
pub(super) fn check_literal(url: &url::Url) -> Result<(), RefusedAddress> {
    let public = match url.host() {
        Some(url::Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(url::Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
        Some(url::Host::Domain(_)) => true,
        None => false,
    };
    if public { Ok(()) } else { Err(RefusedAddress { host: url.host_str().unwrap_or_default().to_owned() }) }
}

/// Whether an address is on the public network.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    !matches!(
        (a, b, c, d),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, ..)
            | (169, 254, ..)
            | (172, 16..=31, ..)
            | (192, 168, ..)
            | (192, 0, 0, _)
            | (198, 18..=19, ..)
            // Azure's host, which answers only from inside.
            | (168, 63, 129, 16)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // `::`, `::1`, and the mapped and compatible forms of IPv4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        // NAT64 and 6to4 carry an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Global unicast, without Teredo, which can carry any address.
        [first, second, ..] => (0x2000..=0x3fff).contains(&first) && (first, second) != (0x2001, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, public: bool) {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }

    #[test]
    fn addresses_of_the_own_network_are_refused() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:0:1::",
            "ff02::1",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            check(address, true);
        }
    }

    #[test]
    fn literal_hosts_are_checked_however_they_are_written() {
        for url in ["http://127.1/", "http://0x7f000001/", "http://[::1]:8080/", "http://2130706433/"] {
            assert!(check_literal(&url::Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(check_literal(&url::Url::parse("https://api.openai.com/v1").unwrap()).is_ok());
    }
}

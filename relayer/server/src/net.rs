//! Networks of addresses, and who a request comes from.

use serde::{Deserialize, Deserializer, de::Error};
use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// An address or a network: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Net {
    address: u128,
    /// Of 128: IPv4 addresses are mapped into IPv6.
    bits: u32,
}

fn mapped(address: IpAddr) -> u128 {
    let v6 = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    v6.to_bits()
}

fn mask(bits: u32) -> u128 {
    u128::MAX.checked_shl(128u32.saturating_sub(bits)).unwrap_or(0)
}

impl Net {
    /// True when the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        (mapped(address) ^ self.address) & mask(self.bits) == 0
    }
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected an address or a network such as 10.0.0.0/8, got {text}");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let before = if address.is_ipv4() { 96 } else { 0 };
        let bits = match bits {
            None => 128,
            Some(bits) => bits.parse().ok().and_then(|bits: u32| bits.checked_add(before)).filter(|bits| *bits <= 128).ok_or_else(wrong)?,
        };
        Ok(Self { address: mapped(address), bits })
    }
}

impl<'de> Deserialize<'de> for Net {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Who a request comes from: the peer, or, when that is a proxy that is trusted, the last address in `X-Forwarded-For` that is not one. What stands left of
/// it the client may have written itself.
pub fn client(peer: IpAddr, forwarded: &[&str], trusted: &[Net]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    let hops: Vec<_> = forwarded.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match hop.parse() {
            Ok(address) => client = address,
            Err(_) => break,
        }
    }
    client
}

/// What a limit is kept for: an IPv4 address, or the /64 that one customer has of IPv6.
pub fn limited_by(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask(64))), IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        text.parse().unwrap()
    }
    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_contain_their_addresses_in_both_families() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "8.8.8.8", true),
        ] {
            assert_eq!(net(network).contains(ip(address)), inside, "{network} {address}");
        }
        for bad in ["", "x", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(bad.parse::<Net>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_for_the_last_hop() {
        let trusted = [net("10.0.0.0/8")];
        for (peer, forwarded, expected) in [
            ("9.9.9.9", &["1.1.1.1"][..], "9.9.9.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, 2.2.2.2"], "2.2.2.2"),
            ("10.0.0.1", &["1.1.1.1", "2.2.2.2, 10.0.0.2"], "2.2.2.2"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
        ] {
            assert_eq!(client(ip(peer), forwarded, &trusted), ip(expected), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn ipv6_is_limited_by_its_64() {
        assert_eq!(limited_by(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(limited_by(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
    }
}

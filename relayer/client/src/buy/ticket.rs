//! What a purchase is called, in the purse and at the paywall.

use super::{Price, Purchase};
use crate::Error;
use rivulet_core::ids::ChannelId;
use rivulet_rules::text;

/// A purchase without its channel and request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ticket {
    /// The most that may be charged.
    pub amount: u128,
    nonce: [u8; 32],
    valid_until: u64,
}

/// The answer may take a moment to be written down.
const MARGIN_SECS: u64 = 5;

impl Ticket {
    /// A new one, good as long as the paywall allows from now on (its clock).
    pub fn new(amount: u128, price: &Price, now: u64) -> Result<Self, Error> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|_| Error::BadKey("the system gave no randomness"))?;
        Ok(Self { amount, nonce, valid_until: now.saturating_add(price.window_secs.saturating_sub(MARGIN_SECS).max(1)) })
    }

    /// As the purse keeps it: by what a person reads first.
    pub fn name(&self, request: &str) -> String {
        format!("{request} {} {} {}", self.amount, text::hex(&self.nonce), self.valid_until)
    }

    /// Out of a name, if it is of this request.
    pub fn read(name: &str, request: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(request)?.strip_prefix(' ')?.split(' ');
        let (amount, nonce, valid_until) = (parts.next()?.parse().ok()?, text::bytes(parts.next()?)?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { amount, nonce, valid_until })
    }

    /// Is this the name of any purchase of ours, and not what a person calls a payment?
    pub fn is_name(name: &str) -> bool {
        let mut parts = name.rsplit(' ');
        let (valid_until, nonce, amount) = (parts.next(), parts.next(), parts.next());
        let is = |part: Option<&str>| part.is_some_and(|part| part.parse::<u128>().is_ok());
        is(valid_until) && is(amount) && nonce.and_then(text::bytes::<32>).is_some() && parts.next().is_some()
    }

    /// May it still be asked for?
    pub fn is_good_at(&self, now: u64) -> bool {
        self.valid_until > now
    }

    /// What is signed.
    pub fn purchase(&self, channel_id: ChannelId, request: &str) -> Purchase {
        Purchase { channel_id, amount: self.amount, request: request.to_owned(), nonce: self.nonce, valid_until: self.valid_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_for_its_own_request_only() {
        let ticket = Ticket { amount: 7, nonce: [3; 32], valid_until: 1_000 };
        let name = ticket.name("GET blog.example/a b");
        assert_eq!(Ticket::read(&name, "GET blog.example/a b"), Some(ticket.clone()));
        for other in ["GET blog.example/a", "GET blog.example/a b 7", "", "POST blog.example/a b"] {
            assert_eq!(Ticket::read(&name, other), None, "{other}");
        }
        assert_eq!(Ticket::read("article 7", "article"), None, "a purchase that a person named");
        assert!(ticket.is_good_at(999) && !ticket.is_good_at(1_000));
        assert!(Ticket::is_name(&name) && !Ticket::is_name("article 7") && !Ticket::is_name("a 7 0x00 9"));
    }
}

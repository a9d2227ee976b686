//! What a purchase from a paywall is called, in the purse and at the paywall.

use rivulet_rules::text;

/// A purchase from a paywall, kept from before it is paid for until all of its answer has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Method, host, path and query.
    pub request: String,
    /// The most that may be charged, in the token's smallest unit.
    pub amount: u128,
    /// What was charged, as far as is known; 0: no answer has come.
    pub cost: u128,
    /// Its name at the paywall: the same again is the same purchase.
    pub nonce: [u8; 32],
    /// Until when it may be asked for (Unix seconds, the paywall's clock).
    pub valid_until: u64,
}

impl Ticket {
    /// As a promise for it is called: by what a person reads first.
    pub fn name(&self) -> String {
        format!("{} {} {} {}", self.request, self.amount, text::hex(&self.nonce), self.valid_until)
    }

    /// Out of a promise's name, if it is that of a purchase, and not what a person calls a payment.
    pub(super) fn read(name: &str, cost: impl FnOnce(u128) -> u128) -> Option<Self> {
        let mut parts = name.rsplitn(4, ' ');
        let (valid_until, nonce, amount) = (parts.next()?.parse().ok()?, text::bytes(parts.next()?)?, parts.next()?.parse().ok()?);
        Some(Self { request: parts.next()?.to_owned(), amount, cost: cost(amount), nonce, valid_until })
    }

    /// May it still be asked for?
    pub fn is_good_at(&self, now: u64) -> bool {
        self.valid_until > now
    }

    /// What may still be charged for it.
    pub(super) fn reserved(&self) -> u128 {
        self.amount.saturating_sub(self.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_that_of_a_person_is_none() {
        let one = Ticket { request: "GET blog.example/a b".into(), amount: 7, cost: 0, nonce: [3; 32], valid_until: 1_000 };
        assert_eq!(Ticket::read(&one.name(), |_| 0), Some(one.clone()));
        assert_eq!(Ticket::read(&one.name(), |amount| amount), Some(Ticket { cost: 7, ..one.clone() }));
        for other in ["", "article 7", "a 7 0x00 9", "tip 7 5 9"] {
            assert_eq!(Ticket::read(other, |_| 0), None, "{other}");
        }
        assert!(one.is_good_at(999) && !one.is_good_at(1_000));
    }
}

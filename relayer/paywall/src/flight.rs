//! Which purchases are being served right now, so that money is given back only for what nobody got.
//!
//! Two requests may come for one purchase. Were the one that failed to decide, its payer could let it fail on purpose and keep what the other one got. So the
//! last to end decides, and only when none of them was served and the purchase was charged for by one of them.

use crate::store::PurchaseId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    requests: u32,
    charged: u128,
    is_served: bool,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Flights(Arc<Mutex<HashMap<PurchaseId, Flight>>>);

/// One request for a purchase. Dropped without a word, it counts as served: its payer is gone, but may have got it.
#[derive(Debug)]
pub struct Boarded {
    flights: Flights,
    id: PurchaseId,
    is_over: bool,
}

impl Flights {
    /// A request for this purchase begins. To be called before it is charged.
    pub fn board(&self, id: PurchaseId) -> Boarded {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().requests += 1;
        Boarded { flights: self.clone(), id, is_over: false }
    }
}

impl Boarded {
    /// So much was charged for this request.
    pub fn charged(&self, due: u128) {
        if let Some(flight) = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&self.id) {
            flight.charged = flight.charged.saturating_add(due);
        }
    }

    /// It was served.
    pub fn served(mut self) {
        self.end(true);
    }

    /// It was not. When neither was any other: what must be given back.
    #[must_use]
    pub fn failed(mut self) -> u128 {
        self.end(false)
    }

    fn end(&mut self, is_served: bool) -> u128 {
        self.is_over = true;
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(flight) = flights.get_mut(&self.id) else { return 0 };
        flight.is_served |= is_served;
        flight.requests = flight.requests.saturating_sub(1);
        if flight.requests > 0 {
            return 0;
        }
        let last = *flight;
        flights.remove(&self.id);
        if last.is_served { 0 } else { last.charged }
    }
}

impl Drop for Boarded {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::ChannelId;

    const ID: PurchaseId = PurchaseId { channel: ChannelId([1; 32]), nonce: [2; 32] };

    fn charged(flights: &Flights) -> Boarded {
        let one = flights.board(ID);
        one.charged(7);
        one
    }

    #[test]
    fn one_that_failed_is_given_back() {
        assert_eq!(charged(&Flights::default()).failed(), 7);
    }

    #[test]
    fn one_that_failed_beside_one_that_was_served_is_not() {
        let flights = Flights::default();
        let (first, second) = (charged(&flights), flights.board(ID));
        second.served();
        assert_eq!(first.failed(), 0);
        let (first, second) = (charged(&flights), flights.board(ID));
        assert_eq!(first.failed(), 0, "the other may still be served");
        second.served();
        let (first, second) = (charged(&flights), flights.board(ID));
        assert_eq!((first.failed(), second.failed()), (0, 7), "the last of those that failed");
    }

    #[test]
    fn one_that_was_paid_before_is_not_given_back_when_asked_for_again() {
        let flights = Flights::default();
        charged(&flights).served();
        assert_eq!(flights.board(ID).failed(), 0);
    }

    #[test]
    fn one_whose_payer_left_is_not() {
        let flights = Flights::default();
        let (first, second) = (charged(&flights), flights.board(ID));
        drop(first);
        assert_eq!(second.failed(), 0);
    }
}

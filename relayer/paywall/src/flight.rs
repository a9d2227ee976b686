//! Which purchases are being served right now, so that money is given back only for what nobody got.
//!
//! Several requests may come for one purchase. Were the one that failed to decide, its payer could let it fail on purpose and keep what another one got. So the
//! last to end decides, and only when none of them was served and the purchase was charged for by one of them. Until that money is back, no other one begins: it
//! would find the purchase paid, be served, and keep what is on its way back.

use crate::store::PurchaseId;
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    requests: u32,
    charged: u128,
    is_served: bool,
    /// All have ended, and what was charged is on its way back.
    is_returning: bool,
}

#[derive(Debug, Default)]
struct Inner {
    flights: Mutex<HashMap<PurchaseId, Flight>>,
    returned: Notify,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Flights(Arc<Inner>);

/// One request for a purchase. Dropped without a word, it counts as served: its payer is gone, but may have got it.
#[derive(Debug)]
pub struct Boarded {
    flights: Flights,
    id: PurchaseId,
    is_over: bool,
}

/// What must be given back. As long as it lives, no request for this purchase begins: to be dropped when the store has it.
#[derive(Debug)]
#[must_use]
pub struct DueBack {
    flights: Flights,
    id: PurchaseId,
    amount: u128,
}

impl Flights {
    fn all(&self) -> MutexGuard<'_, HashMap<PurchaseId, Flight>> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request for this purchase begins, when nothing of it is on its way back. To be called before it is charged.
    pub async fn board(&self, id: PurchaseId) -> Boarded {
        loop {
            let mut returned = pin!(self.0.returned.notified());
            // Listening from here on, so that what ends between the look and the wait is not missed.
            returned.as_mut().enable();
            if let Some(boarded) = self.try_board(id) {
                return boarded;
            }
            returned.await;
        }
    }

    fn try_board(&self, id: PurchaseId) -> Option<Boarded> {
        let mut all = self.all();
        let flight = all.entry(id).or_default();
        if flight.is_returning {
            return None;
        }
        flight.requests = flight.requests.saturating_add(1);
        Some(Boarded { flights: self.clone(), id, is_over: false })
    }
}

impl Boarded {
    /// So much was charged for this request.
    pub fn charged(&self, due: u128) {
        if let Some(flight) = self.flights.all().get_mut(&self.id) {
            flight.charged = flight.charged.saturating_add(due);
        }
    }

    /// It was served.
    pub fn served(mut self) {
        drop(self.end(true));
    }

    /// It was not. When neither was any other: what must be given back.
    pub fn failed(mut self) -> Option<DueBack> {
        self.end(false)
    }

    fn end(&mut self, is_served: bool) -> Option<DueBack> {
        self.is_over = true;
        let mut all = self.flights.all();
        let flight = all.get_mut(&self.id)?;
        flight.is_served |= is_served;
        flight.requests = flight.requests.saturating_sub(1);
        if flight.requests > 0 {
            return None;
        }
        if flight.is_served || flight.charged == 0 {
            all.remove(&self.id);
            return None;
        }
        flight.is_returning = true;
        Some(DueBack { flights: self.flights.clone(), id: self.id, amount: flight.charged })
    }
}

impl Drop for Boarded {
    fn drop(&mut self) {
        if !self.is_over {
            drop(self.end(true));
        }
    }
}

impl DueBack {
    /// How much.
    pub fn amount(&self) -> u128 {
        self.amount
    }
}

impl Drop for DueBack {
    fn drop(&mut self) {
        self.flights.all().remove(&self.id);
        self.flights.0.returned.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::ChannelId;
    use std::time::Duration;
    use tokio::time::timeout;

    const ID: PurchaseId = PurchaseId { channel: ChannelId([1; 32]), nonce: [2; 32] };

    fn board(flights: &Flights) -> Boarded {
        flights.try_board(ID).unwrap()
    }

    fn charged(flights: &Flights) -> Boarded {
        let one = board(flights);
        one.charged(7);
        one
    }

    fn back(due: Option<DueBack>) -> u128 {
        due.map_or(0, |due| due.amount())
    }

    #[test]
    fn one_that_failed_is_given_back() {
        assert_eq!(back(charged(&Flights::default()).failed()), 7);
    }

    #[test]
    fn one_that_failed_beside_one_that_was_served_is_not() {
        let flights = Flights::default();
        let (first, second) = (charged(&flights), board(&flights));
        second.served();
        assert_eq!(back(first.failed()), 0);
        let (first, second) = (charged(&flights), board(&flights));
        assert_eq!(back(first.failed()), 0, "the other may still be served");
        second.served();
        let (first, second) = (charged(&flights), board(&flights));
        assert_eq!((back(first.failed()), back(second.failed())), (0, 7), "the last of those that failed");
    }

    #[test]
    fn one_that_was_paid_before_is_not_given_back_when_asked_for_again() {
        let flights = Flights::default();
        charged(&flights).served();
        assert_eq!(back(board(&flights).failed()), 0);
    }

    #[test]
    fn one_whose_payer_left_is_not() {
        let flights = Flights::default();
        let (first, second) = (charged(&flights), board(&flights));
        drop(first);
        assert_eq!(back(second.failed()), 0);
    }

    #[tokio::test]
    async fn none_begins_while_money_is_on_its_way_back() {
        let flights = Flights::default();
        let due = charged(&flights).failed().unwrap();
        // Another purchase does.
        let other = PurchaseId { nonce: [3; 32], ..ID };
        flights.board(other).await.served();
        let waiting = tokio::spawn({
            let flights = flights.clone();
            async move { flights.board(ID).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(due);
        let next = timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        // It starts from nothing: what it is not charged it does not get back.
        assert_eq!(back(next.failed()), 0);
        assert!(flights.all().is_empty());
    }
}

//! What happens to a purchase after it was granted: given back, charged further, raised, forgotten.

use super::{Paid, Paywall, now};
use crate::{
    denied::Denied,
    flight::Boarded,
    payload,
    store::{PurchaseId, StoreError},
};
use rivulet_client::buy::wire::State;
use rivulet_rules::text;

impl Paywall {
    /// Gives back what a request was charged, if nobody was served for it.
    pub(crate) async fn not_served(&self, paid: &Paid, flight: Boarded) -> u128 {
        let due = flight.failed();
        if due == 0 {
            return 0;
        }
        match self.0.store.give_back(paid.id, Some(due)).await {
            Ok(due) => {
                self.0.metrics.returned(&paid.price.coin.name, due);
                due
            }
            Err(e) => {
                tracing::error!(error = %e, channel = %paid.number, nonce = text::hex(&paid.id.nonce), %due, "cannot give back: refund it by hand");
                0
            }
        }
    }

    /// Charges steps more for an answer under way. Waits for a raise when nothing is left.
    ///
    /// # Errors
    ///
    /// When nothing is left and nothing came, or the store failed.
    pub(crate) async fn charge_steps(&self, paid: &Paid, steps: u64) -> Result<(), StoreError> {
        let due = paid.price.units.saturating_mul(u128::from(steps));
        let until = tokio::time::Instant::now() + self.0.raise_within;
        loop {
            let raised = self.0.raised.notified();
            tokio::pin!(raised);
            // Listening from here on, so that a raise between the look and the wait is not missed.
            raised.as_mut().enable();
            match self.0.store.charge_more(paid.id, due).await {
                Ok(()) => {
                    self.0.metrics.charged(&paid.price.coin.name, due);
                    return Ok(());
                }
                Err(refused @ StoreError::Refused(_)) => {
                    if tokio::time::timeout_at(until, raised).await.is_err() {
                        self.0.metrics.cut();
                        return Err(refused);
                    }
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Raises a purchase that goes on: the same nonce, signed for more, with a voucher that covers it.
    ///
    /// # Errors
    ///
    /// As a grant.
    pub async fn raise(&self, header: &[u8]) -> Result<State, Denied> {
        let unbound = payload::read(header, "", self.0.payee)?;
        let id = PurchaseId { channel: unbound.channel_id, nonce: unbound.purchase.nonce };
        let missing = || Denied::new("no_such_purchase", "nothing goes on under this nonce");
        let request = self.0.store.request_of(&id)?.ok_or_else(missing)?;
        let payment = payload::read(header, &request, self.0.payee)?;
        let known = self.check(&payment)?;
        let accepted = self.accepted(&payment, known.as_ref()).await?;
        self.0.store.raise(id, payment.purchase.amount, payment.purchase.valid_until, accepted).await?;
        self.0.raised.notify_waiters();
        let channel = self.0.store.channel(&id.channel)?.ok_or_else(missing)?;
        Ok((&channel).into())
    }

    /// Forgets old purchases, once.
    pub async fn forget(&self) {
        let now = now();
        match self.0.store.forget(now.saturating_sub(self.0.keep_secs), now).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old purchases forgotten"),
            Err(e) => tracing::warn!(error = %e, "cannot forget old purchases"),
        }
    }
}

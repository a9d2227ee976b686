//! What happens to a purchase after it was granted: given back, charged further, raised, forgotten.

use super::{Paid, Paywall, now};
use crate::{
    denied::Denied,
    flight::Boarded,
    payload,
    price::Coin,
    store::{PurchaseId, StoreError},
};
use rivulet_client::buy::wire::State;
use rivulet_rules::text;

impl Paywall {
    /// Gives back what was charged for a purchase, if this request was the last for it, and nobody was served.
    pub(crate) async fn not_served(&self, coin: &Coin, id: PurchaseId, flight: Boarded) -> u128 {
        // Held until the store has it: see `flight`.
        let Some(due) = flight.failed() else { return 0 };
        match self.0.store.give_back(id, Some(due.amount())).await {
            Ok(back) => {
                self.0.metrics.returned(&coin.name, back);
                back
            }
            Err(e) => {
                let channel = text::hex(&id.channel.0);
                tracing::error!(error = %e, channel, nonce = text::hex(&id.nonce), due = %due.amount(), "cannot give back: refund it by hand");
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

//! What became of a payment, kept.

use super::{Again, Bought, Buyer, send::Sent, wire::State};
use crate::{Error, SignedVoucher, purse::Told};
use rivulet_core::ids::ChannelId;
use rivulet_rules::text;

/// What a paywall says of this channel; of another one it has nothing to say.
fn told(id: ChannelId, state: Option<&State>) -> Result<Option<Told>, Error> {
    let Some(state) = state.filter(|state| state.channel_id == text::hex(&id.0)) else { return Ok(None) };
    let amounts = (text::amount("state.accepted", &state.accepted), text::amount("state.available", &state.available));
    let (Ok(accepted), Ok(available)) = amounts else { return Err(Error::Answer("a state whose amounts are none".into())) };
    let signature = state.signature.as_deref().map(|signature| text::signature("state.signature", signature)).transpose();
    let signature = signature.map_err(|_| Error::Answer("a state whose signature is none".into()))?;
    Ok(Some(Told { accepted, signature, available }))
}

impl Buyer {
    /// Of what was not refused.
    pub(super) async fn served(&self, again: Again, voucher: SignedVoucher, sent: Sent, promised: u128) -> Result<Bought, Error> {
        let channel = Some(again.channel.number());
        match sent {
            Sent::Granted(response, said) => {
                // What a request costs it costs at once, whatever the site says. By steps the rest is spoken for.
                let cost = if again.is_whole { again.ticket.amount } else { said.extra.cost.parse().unwrap_or(again.ticket.amount) };
                let (ticket, cost) = (again.ticket.clone(), said.success.then_some(cost));
                // Granted, so accepted, whether it says so or not.
                self.till.keep(move |purse| purse.granted(&voucher, &ticket, cost)).await?;
                // A lie about the channel changes nothing: the answer is paid for, and here.
                let _ = self.learn(again.channel.id, told(again.channel.id, said.extra.state.as_ref())).await;
                // No more than was signed for, whatever it says.
                let charged = said.amount.parse().unwrap_or(again.ticket.amount).min(again.ticket.amount);
                self.hand_out(&again.ticket);
                Ok(Bought { response, channel, charged, promised, again: said.success.then_some(again), meter: None })
            }
            Sent::Untold(response) => Ok(Bought { response, channel, charged: 0, promised, again: None, meter: None }),
            Sent::Refused(refusal, _) => Err(Error::NotServed(refusal)),
        }
    }

    /// Of what was refused. Returns the total that the next promise adds to.
    pub(super) async fn refused(&self, again: &Again, voucher: &SignedVoucher, state: Option<&State>) -> Result<u128, Error> {
        let Again { channel, ticket, .. } = again.clone();
        let told = told(channel.id, state);
        // Our own signature proves it, or it is nothing: the next promise would be added to what was never taken.
        let is_ours = |told: &Told| told.signature.is_some_and(|signature| self.purse().signer().check(&channel, told.accepted, &signature).is_ok());
        let was_taken = matches!(&told, Ok(Some(told)) if told.accepted >= voucher.cumulative_amount && is_ours(told));
        let voucher = *voucher;
        self.till.keep(move |purse| purse.denied(&voucher, &ticket, was_taken)).await?;
        self.learn(channel.id, told).await?;
        Ok(self.purse().get(channel.id).map_or(0, |kept| kept.accepted))
    }

    async fn learn(&self, id: ChannelId, told: Result<Option<Told>, Error>) -> Result<(), Error> {
        let Some(told) = told? else { return Ok(()) };
        self.till.keep(move |purse| purse.learn(id, &told)).await
    }
}

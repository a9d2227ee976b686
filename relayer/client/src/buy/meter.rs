//! Answers that are paid by steps: signed for as they are read, so that little is promised for what nobody reads.

use super::{
    Again, Bought, Buyer, Price, Priced, Unit,
    send::{TIMEOUT, not_taken},
    wire::PAYMENT_SIGNATURE,
};
use crate::Error;
use reqwest::{StatusCode, Url, header::HeaderValue};
use std::time::{Duration, Instant};

/// Of an answer under way.
#[derive(Debug)]
pub(super) struct Meter {
    priced: Priced,
    price: Price,
    /// The most that it may cost.
    most: u128,
    begun: Instant,
    /// How long the answer is, if that is known.
    length: Option<u64>,
    got: u64,
    /// What the last raise promised.
    added: u128,
    /// Why no more is signed for. What is paid for comes nevertheless; then the site breaks off, and this is why.
    why: Option<Error>,
}

/// So many raises at most, if all that is allowed is used: a site that breaks off holds no more than such a part.
const MOST_RAISES: u128 = 100;
/// A raise must be there before the time that is paid for is over.
const AHEAD: Duration = Duration::from_secs(2);
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// Where purchases are raised.
const PAY: &str = "/.well-known/rivulet/pay";

/// What is signed for at a time.
pub(super) fn part(price: &Price, most: u128) -> u128 {
    let steps = most.checked_div(price.units).unwrap_or(0);
    price.units.saturating_mul((steps / MOST_RAISES).max(1))
}

impl Meter {
    pub fn new(priced: &Priced, price: &Price, most: u128, length: Option<u64>) -> Option<Self> {
        let again = priced.try_clone()?;
        Some(Self { priced: again, price: *price, most, begun: Instant::now(), length, got: 0, added: 0, why: None })
    }

    /// Steps that are signed for.
    fn paid(&self, again: &Again) -> u64 {
        again.ticket.amount.checked_div(self.price.units).map_or(u64::MAX, |steps| u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// All that it has cost, as far as can be seen here.
    fn cost(&self) -> u128 {
        let steps = match self.price.unit {
            Unit::Request => 1,
            Unit::Bytes(step) => self.got.div_ceil(step.max(1)),
            Unit::Secs(step) => (self.begun.elapsed().as_secs() / step.max(1)).saturating_add(1),
        };
        self.price.units.saturating_mul(steps.max(1).into())
    }

    /// How long may be read until more must be signed for. None: as long as it takes.
    fn room(&self, again: &Again) -> Option<Duration> {
        let paid = self.paid(again);
        match self.price.unit {
            Unit::Request => None,
            // From the middle of the last step on: the next one is signed for before it is due.
            Unit::Bytes(step) => {
                let covered = paid.saturating_mul(step);
                let is_due = self.got >= covered.saturating_sub(step / 2) && self.length.is_none_or(|length| length > covered);
                is_due.then_some(Duration::ZERO)
            }
            Unit::Secs(step) => {
                let ahead = AHEAD.min(Duration::from_secs(step) / 2);
                let until = Duration::from_secs(paid.saturating_mul(step)).saturating_sub(ahead);
                Some(until.saturating_sub(self.begun.elapsed()))
            }
        }
    }
}

/// What reading on brought.
#[derive(Debug)]
pub enum Read {
    /// The next part of the body.
    Part(Vec<u8>),
    /// Before more comes, more must be signed for: [`Buyer::pay_on`].
    Due,
    /// All of it is here.
    Whole,
}

impl Bought {
    /// Reads on. Of an answer that is paid by steps nothing else may read: it would break off after the first part.
    ///
    /// # Errors
    ///
    /// [`Error::Site`] when it broke off; when that was for want of a payment, why that was not made.
    pub async fn read(&mut self) -> Result<Read, Error> {
        let room = match (&self.meter, &self.again) {
            (Some(meter), Some(again)) if meter.why.is_none() => meter.room(again),
            _ => None,
        };
        let came = match room {
            None => self.response.chunk().await,
            Some(Duration::ZERO) => return Ok(Read::Due),
            // A read that is given up loses nothing: the next one begins where it did.
            Some(room) => match tokio::time::timeout(room, self.response.chunk()).await {
                Ok(came) => came,
                Err(_) => return Ok(Read::Due),
            },
        };
        let mut why = None;
        if let (Some(meter), Some(again)) = (&mut self.meter, &mut self.again) {
            meter.got = meter.got.saturating_add(came.as_ref().ok().and_then(Option::as_ref).map_or(0, |part| part.len() as u64));
            // Broken off, one more step may have been charged than came.
            again.used = Some(meter.cost().saturating_add(if came.is_err() { meter.price.units } else { 0 }));
            why = meter.why.take_if(|_| came.is_err());
        }
        match came {
            Ok(Some(part)) => Ok(Read::Part(part.into())),
            Ok(None) => Ok(Read::Whole),
            Err(e) => Err(why.unwrap_or(Error::Site(e))),
        }
    }

    /// All that it has cost, as far as can be seen here: by steps more than was charged at first.
    pub fn cost(&self) -> u128 {
        let used = self.again.as_ref().and_then(|again| again.used);
        used.map_or(self.charged, |used| used.max(self.charged))
    }
}

impl Buyer {
    /// Reads on, and pays on where it is paid by steps, within the `most` that it was bought for. None: it is whole.
    ///
    /// # Errors
    ///
    /// As [`Bought::read`].
    pub async fn chunk(&self, bought: &mut Bought) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match bought.read().await? {
                Read::Part(part) => return Ok(Some(part)),
                Read::Due => self.pay_on(bought).await,
                Read::Whole => return Ok(None),
            }
        }
    }

    /// Signs for the next part of an answer that is paid by steps. When it cannot, what is paid for comes nevertheless; then it breaks off, and reading says why.
    pub async fn pay_on(&self, bought: &mut Bought) {
        if let (Some(meter), Some(again)) = (&mut bought.meter, &mut bought.again) {
            meter.why = self.raise(meter, again).await.err();
            bought.promised = bought.promised.saturating_add(std::mem::take(&mut meter.added));
        }
    }

    /// Signs for one more part, and hands that over.
    async fn raise(&self, meter: &mut Meter, again: &mut Again) -> Result<(), Error> {
        let Meter { priced, price, most, added, .. } = meter;
        let more = part(price, *most).min(most.saturating_sub(again.ticket.amount) / price.units.max(1) * price.units);
        if more == 0 {
            return Err(Error::TooDear { price: again.ticket.amount.saturating_add(price.units), most: *most });
        }
        let id = again.channel.id;
        let _turn = self.till.turn(id).await;
        let ticket = again.ticket.raised(priced, price, more);
        let kept = ticket.clone();
        let (voucher, missing) = self.till.keep(move |purse| purse.raise(id, &kept, more)).await?;
        *added = missing;
        again.ticket = ticket.clone();
        let url = priced.request.url().join(PAY).map_err(|e| Error::Answer(e.to_string()))?;
        let header = HeaderValue::try_from(self.payment_for(again, &voucher)).map_err(|e| Error::Answer(e.to_string()))?;
        let mut tries = 0;
        loop {
            match self.hand_over(url.clone(), header.clone()).await {
                Ok(()) => break,
                Err(e) => {
                    tries += 1;
                    let is_final = matches!(&e, Error::NotServed(refusal) if refusal.is_final());
                    if is_final || tries >= TRIES {
                        return Err(e);
                    }
                }
            }
            // The same again: its name and total are kept.
            tokio::time::sleep(PAUSE * tries).await;
        }
        self.till.keep(move |purse| purse.granted(&voucher, &ticket, Some(0))).await
    }

    async fn hand_over(&self, url: Url, header: HeaderValue) -> Result<(), Error> {
        let request = self.paying.post(url).header(PAYMENT_SIGNATURE, header).header("accept", "application/json").timeout(TIMEOUT);
        let response = request.send().await.map_err(Error::Site)?;
        match response.status() {
            StatusCode::OK => Ok(()),
            _ => Err(not_taken(response).await),
        }
    }
}

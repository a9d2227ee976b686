//! What the payer steers, or who acts for it. All of it touches the record's cell alone when the payer calls.

use super::{Flags, Rights, State, record::Found};
use crate::{error::Error, event::Event, host::Host, ids::StreamNumber};

/// Stops the accrual; the end does not move. Refused where the payer gave up cancelling, before the start, when ended, and when paused.
pub fn pause<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    let mut found = Found::going_on(h, number, Rights::PAUSE)?;
    let (now, stream) = (h.now(), &mut found.stream);
    if !stream.is_cancellable() {
        return Err(Error::NotCancellable {});
    }
    if stream.is(State::PAUSED) {
        return Err(Error::WrongPause { paused: true });
    }
    if stream.is_pending(now) {
        return Err(Error::NotDue { now, due_at: stream.snapshot_at });
    }
    stream.take_snapshot(now);
    stream.state |= State::PAUSED;
    found.save(h);
    h.emit(&Event::StreamPaused { number });
    Ok(())
}

/// Lets it accrue again, from now on. Refused when ended, and when not paused.
pub fn resume<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    let mut found = Found::going_on(h, number, Rights::RESUME)?;
    if !found.stream.is(State::PAUSED) {
        return Err(Error::WrongPause { paused: false });
    }
    found.stream.take_snapshot(h.now());
    found.stream.state &= !State::PAUSED;
    found.save(h);
    h.emit(&Event::StreamResumed { number });
    Ok(())
}

/// Sets the rate from now on; before the start from the start on, in a pause from the end of it on. A stated total holds no longer, so what was left of it
/// for the end goes. A cut needs a payer that may cancel; a rise anybody's who may adjust, a delegate's up to its cap.
pub fn adjust_rate<H: Host>(h: &mut H, number: StreamNumber, rate_per_second_scaled: u128) -> Result<(), Error> {
    let mut found = Found::going_on(h, number, Rights::ADJUST)?;
    if rate_per_second_scaled == 0 || rate_per_second_scaled > found.max_rate_scaled {
        return Err(Error::BadRate { given_scaled: rate_per_second_scaled, max_scaled: found.max_rate_scaled });
    }
    let stream = &mut found.stream;
    if rate_per_second_scaled < stream.rate_per_second_scaled && !stream.is_cancellable() {
        return Err(Error::NotCancellable {});
    }
    stream.take_snapshot(h.now());
    stream.rate_per_second_scaled = rate_per_second_scaled;
    stream.end_residue_scaled = 0;
    found.save(h);
    h.emit(&Event::RateAdjusted { number, rate_per_second_scaled, by: h.caller() });
    Ok(())
}

/// The payer gives up cancelling, for good: from now on it can neither cancel, void, pause, cut the rate nor take money out before the end. Refused when
/// ended, when given up before, and in a pause, for a stream left paused for ever would be a cancelled one.
pub fn renounce<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    let mut found = Found::going_on(h, number, Rights::NONE)?;
    if !found.stream.is_cancellable() {
        return Err(Error::NotCancellable {});
    }
    if found.stream.is(State::PAUSED) {
        return Err(Error::WrongPause { paused: true });
    }
    found.stream.flags &= !Flags::CANCELLABLE;
    found.save(h);
    h.emit(&Event::StreamRenounced { number });
    Ok(())
}
